"""Figures about redshift for dashboards: accuracy against it, what is measured of it, one object's probabilities.

Plain dicts of plotly's data and layout: they are drawn anew while somebody drags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from racnet_tools.plots.style import GREY, series, tint

__all__ = [
    "AccuracyCurve",
    "MeasuredRedshifts",
    "accuracy_curves",
    "binned_bars",
    "measured_redshifts",
    "object_curves",
]


class AccuracyCurve(NamedTuple):
    """Share of objects given their class at redshifts `z` (m,), with the limits of its interval."""

    z: np.ndarray
    share: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class MeasuredRedshifts(NamedTuple):
    """Redshifts that a network measures in objects.

    Of the network `name`: `measured` (n, m) for n objects at redshifts `z` (m,); object `number` is the one looked at,
    at redshift `now`, where `now_measured` with standard deviation `now_error` is measured.
    """

    name: str
    z: np.ndarray
    measured: np.ndarray
    number: int
    now: float
    now_measured: float
    now_error: float


def measured_redshifts(found: MeasuredRedshifts) -> dict[str, Any]:
    """Measured redshift against the true one: all objects as dots, the one looked at as a line, and where it is now."""
    n, own = len(found.measured), series(0)
    line = {"color": GREY, "width": 1, "dash": "dot"}
    ends = [float(found.z[0]), float(found.z[-1])]
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": line, "name": "measured = true",
         "hoverinfo": "skip"},
        {"type": "scatter", "mode": "markers", "x": np.tile(found.z, n), "y": found.measured.ravel(),
         "marker": {"size": 3, "color": tint(series(1).colour, 0.35)}, "name": f"all {n} objects", "hoverinfo": "skip"},
        {"type": "scatter", "mode": "lines+markers", "x": found.z, "y": found.measured[found.number],
         "line": {"color": own.colour, "width": 1.4}, "marker": {"size": 4, "color": own.colour},
         "name": f"object {found.number + 1}", "hovertemplate": "true %{x:.4~g}: measured %{y:.5~g}<extra></extra>"},
        {"type": "scatter", "mode": "markers", "x": [found.now], "y": [found.now_measured], "name": "as shown",
         "error_y": {"type": "data", "array": [found.now_error], "color": series(3).colour},
         "marker": {"size": 9, "symbol": "diamond", "color": series(3).colour},
         "hovertemplate": "true %{x:.4~g}: measured %{y:.5~g}<extra></extra>"},
    ]  # fmt: skip
    layout = _layout(f"z by {found.name}", None, found.now)
    layout["xaxis"]["title"]["text"] = "true redshift z"
    return {"data": data, "layout": layout}


def accuracy_curves(curves: Mapping[str, AccuracyCurve], *, kind: str, z: float) -> dict[str, Any]:
    """Accuracy of each preset against redshift, with its interval, and a line at redshift `z`.

    Traces come in pairs: the band of preset i is trace 2 i, its line, which can be clicked, trace 2 i + 1.
    """
    data: list[dict[str, Any]] = []
    for number, (name, curve) in enumerate(curves.items()):
        style = series(number)
        x = np.concatenate([curve.z, curve.z[::-1]])
        y = 100 * np.concatenate([curve.lower, curve.upper[::-1]])
        data.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "line": {"width": 0},
             "fillcolor": tint(style.colour, 0.14), "hoverinfo": "skip", "showlegend": False, "name": f"{name}, 95 %"}
        )  # fmt: skip
        data.append(
            {"type": "scatter", "mode": "lines+markers", "x": curve.z, "y": 100 * curve.share, "name": name,
             "line": {"color": style.colour, "dash": style.dash, "width": 1.6},
             "marker": {"symbol": style.symbol, "size": 6, "color": style.colour},
             "hovertemplate": "z %{x:.4~g}: %{y:.0f} % (click: its objects)"}
        )  # fmt: skip
    layout = _layout(f"{kind} given as {kind} / %", [-4, 104], z)
    return {"data": data, "layout": layout}


def object_curves(
    z: np.ndarray, p: np.ndarray, classes: Sequence[str], now: float, *, name: str, here: Sequence[float] | None = None
) -> dict[str, Any]:
    """Class probabilities of one object at redshifts `z` (m,), `p` (m, k), and those at redshift `now`, `here` (k,)."""
    data: list[dict[str, Any]] = []
    for number, label in enumerate(classes):
        style = series(number)
        data.append(
            {"type": "scatter", "mode": "lines", "x": z, "y": np.round(p[:, number], 3), "name": label,
             "line": {"color": style.colour, "dash": style.dash, "width": 1.6},
             "hovertemplate": f"z %{{x:.4~g}}: {label} %{{y:.2f}}<extra></extra>"}
        )  # fmt: skip
    if here is not None:
        data.append(
            {"type": "scatter", "mode": "markers", "x": [now] * len(classes), "y": [float(one) for one in here],
             "marker": {"size": 9, "symbol": [series(k).symbol for k in range(len(classes))],
                        "color": [series(k).colour for k in range(len(classes))]},
             "hoverinfo": "skip", "showlegend": False, "name": "now"}
        )  # fmt: skip
    return {"data": data, "layout": _layout(f"probability by {name}", [-0.04, 1.04], now)}


def binned_bars(
    edges: np.ndarray, shares: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], n: np.ndarray, *, kind: str
) -> dict[str, Any]:
    """Accuracy of each preset in bins of redshift: share, lower and upper limit (m,), and the number of objects."""
    labels = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    data = []
    for number, (name, (share, lower, upper)) in enumerate(shares.items()):
        style = series(number)
        bars = {"type": "data", "symmetric": False, "array": 100 * (upper - share), "arrayminus": 100 * (share - lower)}
        data.append(
            {"type": "scatter", "mode": "markers", "x": labels, "y": 100 * share, "name": name,
             "error_y": bars | {"thickness": 1.2, "color": style.colour},
             "marker": {"symbol": style.symbol, "size": 8, "color": style.colour}, "customdata": n,
             "hovertemplate": "z %{x}: %{y:.1f} % of %{customdata}"}
        )  # fmt: skip
    layout = _layout(f"{kind} given as {kind} / %", None, None)
    layout["xaxis"] |= {"type": "category", "title": {"text": "redshift the objects have"}, "tickangle": 0}
    return {"data": data, "layout": layout}


def _layout(ylabel: str, limits: Sequence[float] | None, z: float | None) -> dict[str, Any]:
    yaxis: dict[str, Any] = {"title": {"text": ylabel, "standoff": 6}, "showline": True, "ticks": "outside"}
    if limits is not None:
        yaxis["range"] = list(limits)
    layout: dict[str, Any] = {
        "margin": {"l": 62, "r": 14, "t": 34, "b": 46},
        "xaxis": {"title": {"text": "redshift z", "standoff": 6}, "showline": True, "ticks": "outside",
                  "showgrid": False},
        "yaxis": yaxis,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
        "showlegend": True,
        "hovermode": "closest",
    }  # fmt: skip
    if z is not None:
        line = {"color": GREY, "width": 1.4, "dash": "dot"}
        layout["shapes"] = [{"type": "line", "x0": z, "x1": z, "y0": 0, "y1": 1, "yref": "paper", "line": line}]
    return layout
