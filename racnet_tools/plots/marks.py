"""Marks that several printed figures share: named lines across panels."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from racnet_tools.plots.prepared import spread
from racnet_tools.plots.style import GREY, as_written

__all__ = ["mark_lines"]


def mark_lines(panels: Sequence[Axes], lines: Sequence[tuple[float, str]]) -> None:
    """Dotted lines through all panels, named above the first; names that would collide are moved apart.

    Parameters
    ----------
    panels : sequence of Axes
        One above the other, with the same horizontal axis, whose limits are set.
    lines : sequence of (float, str)
        Places on that axis, and what to write; those outside are left out.
    """
    low, high = panels[0].get_xlim()
    shown = sorted((place, name) for place, name in lines if low <= place <= high)
    if not shown:
        return
    inches = panels[0].get_figure(root=True).get_figwidth()  # type: ignore[union-attr]
    margin = 0.015 * (high - low)
    gap = min(0.122 / inches, 0.97 / len(shown)) * (high - low)
    labels = spread([place for place, _ in shown], gap, low + margin, high - margin)
    for (place, name), label in zip(shown, labels, strict=True):
        for panel in panels:
            panel.axvline(place, lw=0.7, ls=":", color=GREY, zorder=0)
        panels[0].annotate(
            as_written(name),
            (place, 1),
            (label, 1.05),
            xycoords=panels[0].get_xaxis_transform(),
            textcoords=panels[0].get_xaxis_transform(),
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": 0, "relpos": (0.5, 0)},
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=6,
        )
