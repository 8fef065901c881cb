"""Networks beside each other: their accuracies with intervals, seeds and published values, and what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from racnet_tools.plots.figure import Figure
from racnet_tools.plots.prepared import costs, in_short, marker_area, panels
from racnet_tools.plots.style import COLUMN, GREY, PAGE, PRINT, as_written, series

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["accuracy_bars", "cost_accuracy"]


@rc_context(PRINT)
def accuracy_bars(rows: Columns) -> Figure:
    """Draw accuracies of networks with their intervals, a panel a data set.

    The bars are error bars: the axis does not begin at zero, so that no filled bar would tell the truth.

    Parameters
    ----------
    rows : sequence of mappings, mapping of columns, or Table
        ``network``, ``dataset`` (str) and ``accuracy`` (0 to 1); where known ``lower`` and ``upper`` (of the 95 %
        interval), ``seeds`` (accuracies of the single trainings) and ``published`` (the paper's value).

    Returns
    -------
    matplotlib.figure.Figure
        Column width for one data set, page width for several; networks in the order of `rows`, from above.
    """
    found = panels(rows)
    networks = found[0].networks
    figure = Figure(figsize=(COLUMN if len(found) == 1 else PAGE, 0.95 + 0.3 * len(networks)), layout="constrained")
    axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    place, style = np.arange(len(networks)), series(0)
    for ax, panel in zip(axes, found, strict=True):
        ax.hlines(place, 0, 1, transform=ax.get_yaxis_transform(), color="#e3e7ed", lw=0.6, zorder=0)
        ax.errorbar(
            100 * panel.accuracy, place, xerr=100 * panel.errors, fmt=style.marker, color=style.colour, ms=4, zorder=3
        )
        for row, seeds in enumerate(panel.seeds):
            ax.plot(100 * seeds, np.full(len(seeds), row + 0.28), ".", color=GREY, ms=3.5, mew=0, zorder=2)
        ax.plot(100 * panel.published, place, "D", mfc="none", mec=series(1).colour, ms=5.5, mew=1, zorder=4)
        ax.set_xlim(*(100 * limit for limit in panel.range))
        ax.xaxis.set_major_locator(MaxNLocator(5))
        ax.set_title(as_written(panel.dataset))
        ax.set_xlabel("accuracy / %")
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
    axes[0].set_yticks(place, [as_written(name) for name in networks])
    axes[0].set_ylim(len(networks) - 0.4, -0.6)
    marks = [Line2D([], [], color=style.colour, marker=style.marker, ms=4, label="here, 95 % interval")]
    if any(len(seeds) for panel in found for seeds in panel.seeds):
        marks.append(Line2D([], [], ls="", color=GREY, marker=".", ms=3.5, label="single seeds"))
    if any(np.isfinite(panel.published).any() for panel in found):
        marks.append(Line2D([], [], ls="", marker="D", mfc="none", mec=series(1).colour, ms=5.5, label="published"))
    figure.legend(handles=marks, loc="outside lower center", ncols=3, handletextpad=0.4, columnspacing=1.2)
    return figure


@rc_context(PRINT)
def cost_accuracy(rows: Columns) -> Figure:
    """Draw the accuracy of networks against the operations they need, larger markers for more parameters.

    Parameters
    ----------
    rows : sequence of mappings, mapping of columns, or Table
        ``network`` (str), ``operations`` (for one spectrum), ``parameters`` and ``accuracy`` (0 to 1); where known
        ``lower`` and ``upper`` of its 95 % interval.

    Returns
    -------
    matplotlib.figure.Figure
        Column width; operations on a logarithmic axis.
    """
    names, found, errors = costs(rows)
    figure = Figure(figsize=(COLUMN, 2.7 + 0.08 * len(names)), layout="constrained")
    ax = figure.subplots()
    marks = []
    for k, (name, area) in enumerate(zip(names, marker_area(found["parameters"]), strict=True)):
        style, accuracy = series(k), 100 * found["accuracy"][k]
        ax.errorbar(
            found["operations"][k],
            accuracy,
            yerr=100 * errors[:, [k]],
            color=style.colour,
            marker=style.marker,
            ms=np.sqrt(area),
            mfc=(style.colour, 0.6),
        )
        label = f"{as_written(name)}, {in_short(found['parameters'][k])}"
        marks.append(Line2D([], [], ls="", color=style.colour, marker=style.marker, ms=4, label=label))
    ax.set_xscale("log")
    ax.margins(0.12, 0.12)
    ax.set_xlabel("operations for one spectrum")
    ax.set_ylabel("accuracy / %")
    figure.legend(
        handles=marks, loc="outside lower center", ncols=2, title="larger marker: more parameters", title_fontsize=7
    )
    return figure
