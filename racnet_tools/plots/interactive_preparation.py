"""What is done to a spectrum before a network sees it, step by step, one panel below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from racnet_tools.plots.style import series, tint

__all__ = ["Step", "preparation_steps"]

_INK = "#222222"
_PANEL, _GAP, _TOP, _BOTTOM = 104, 26, 26, 46  # pixels


@dataclass(frozen=True)
class Step:
    """A spectrum after one step.

    Attributes
    ----------
    title : str
        What was done, in a few words.
    wave, values : (n_pix,) arrays
        Angstrom, and the spectrum.
    marked : (n_pix,) bool array, optional
        Pixels that this step concerns.
    before : (n_pix,) array, optional
        The spectrum before the step, where it is worth comparing.
    """

    title: str
    wave: np.ndarray
    values: np.ndarray
    marked: np.ndarray | None = None
    before: np.ndarray | None = None


def preparation_steps(steps: Sequence[Step]) -> dict[str, Any]:
    """A figure of the steps as a dict of data and layout, the first on top, on one axis of wavelengths."""
    inside = len(steps) * _PANEL + (len(steps) - 1) * _GAP
    axis = {"showgrid": False, "zeroline": False, "ticks": "outside", "showline": True}
    low, high = min(step.wave[0] for step in steps), max(step.wave[-1] for step in steps)
    layout: dict[str, Any] = {
        "height": inside + _TOP + _BOTTOM,
        "margin": {"l": 62, "r": 14, "t": _TOP, "b": _BOTTOM},
        "showlegend": False,
        "hovermode": "closest",
        "uirevision": "steps",
        "xaxis": {
            **axis,
            "range": [float(low), float(high)],
            "title": {"text": "vacuum wavelength / Å", "standoff": 6},
            "anchor": f"y{len(steps)}" if len(steps) > 1 else "y",
        },
        "annotations": [],
    }
    data: list[dict[str, Any]] = []
    for number, step in enumerate(steps):
        name = "y" if number == 0 else f"y{number + 1}"
        top = inside - number * (_PANEL + _GAP)
        domain = [max(0.0, (top - _PANEL) / inside), top / inside]
        layout[f"yaxis{name[1:]}"] = {
            **axis,
            "domain": domain,
            "anchor": "x",
            "nticks": 4,
            "range": _range(step.values),
        }
        layout["annotations"].append(
            {"x": 0, "xref": "paper", "xanchor": "left", "y": domain[1], "yref": "paper", "yanchor": "bottom",
             "text": step.title, "showarrow": False, "font": {"size": 12}}
        )  # fmt: skip
        line = {"type": "scatter", "mode": "lines", "x": np.round(step.wave, 2), "yaxis": name, "connectgaps": False}
        if step.before is not None:
            faint = {"color": tint(series(1).colour, 0.75), "width": 1.0}
            data.append(line | {"y": _light(step.before), "name": "before", "line": faint, "hoverinfo": "skip"})
        told = "%{x:.1f} Å: %{y:.4~g}<extra></extra>"
        data.append(
            line | {"y": _light(step.values), "name": step.title, "line": {"color": _INK, "width": 0.8}}
            | {"hovertemplate": told}
        )  # fmt: skip
        if step.marked is not None and step.marked.any():
            height = np.where(step.marked, step.values, np.nan)
            thick = {"color": series(1).colour, "width": 3}
            points = {
                "color": series(1).colour,
                "size": 4,
            }
            data.append(
                line | {"mode": "lines+markers", "y": _light(height), "line": thick, "marker": points}
                | {"name": "filled", "hovertemplate": "filled: " + told}
            )  # fmt: skip
    return {"data": data, "layout": layout}


def _light(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float32)


def _range(values: np.ndarray) -> list[float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return [0.0, 1.0]
    low, high = (float(one) for one in np.percentile(known, (0.3, 99.7)))
    room = 0.1 * (high - low) or 1.0
    return [low - room, high + room]
