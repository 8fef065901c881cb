"""Curves and confusion matrix of trainings that are watched: plain dicts, quick to make again after every epoch.

`racnet_tools.plots.interactive_networks` has the same for reports; loading plotly's and scipy's Python for it costs a
page some two seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from racnet_tools.plots.style import GREY, series

__all__ = ["confusion_cells", "live_curves"]

_AXIS = {"showgrid": False, "zeroline": False, "ticks": "outside", "showline": True}


def live_curves(runs: Mapping[str, Sequence[Mapping[str, float]]], *, epochs: int | None = None) -> dict[str, Any]:
    """Loss above accuracy of one or several trainings as a dict of data and layout.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Name to the rows of its history: ``epoch``, ``loss``, ``accuracy``, and ``val_loss``, ``val_accuracy`` if any.
    epochs : int, optional
        Epochs that the axis has room for.
    """
    data: list[dict[str, Any]] = []
    for number, (name, rows) in enumerate(runs.items()):
        style = series(number)
        for axis, quantity in (("y", "loss"), ("y2", "accuracy")):
            for prefix, part in (("", "training"), ("val_", "validation")):
                known = [row for row in rows if prefix + quantity in row]
                if not known:
                    continue
                judged = part == "validation"
                label = f"{escape(name, quote=False)}, {part}"
                factor = 100 if quantity == "accuracy" else 1
                data.append(
                    {
                        "type": "scatter",
                        "mode": "lines+markers",
                        "x": np.array([row["epoch"] for row in known]),
                        "y": factor * np.array([row[prefix + quantity] for row in known]),
                        "yaxis": axis,
                        "name": label,
                        "legendgroup": label,
                        "showlegend": axis == "y",
                        "line": {"color": style.colour, "width": 2, "dash": "solid" if judged else "4px,3px"},
                        "marker": {"symbol": style.symbol, "size": 7 if judged else 4},
                        "hovertemplate": "epoch %{x}: %{y:.4~g}<extra>" + label + "</extra>",
                    }
                )
    last = max([epochs or 1, *(int(row["epoch"]) for rows in runs.values() for row in rows)])
    tick = max(1, -(-last // 12))
    return {
        "data": data,
        "layout": {
            "margin": {"l": 62, "r": 14, "t": 14, "b": 50},
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
            "xaxis": {**_AXIS, "title": {"text": "epoch", "standoff": 4}, "anchor": "y2", "dtick": tick, "tick0": 1,
                      "range": [0.8, last + 0.2]},
            "yaxis": {**_AXIS, "title": {"text": "loss"}, "domain": [0.54, 1], "rangemode": "tozero"},
            "yaxis2": {**_AXIS, "title": {"text": "accuracy / %"}, "domain": [0, 0.46]},
            "uirevision": ",".join(runs),
        },
    }  # fmt: skip


def confusion_cells(counts: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """A confusion matrix as a dict of data and layout; row and column of a clicked cell are its classes.

    Parameters
    ----------
    counts : (k, k) int array
        Rows true classes, columns what was said.
    classes : sequence of str
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [escape(name, quote=False) for name in classes]
    annotations = [
        {
            "x": names[k],
            "y": names[i],
            "text": f"{counts[i, k]:,}<br>{100 * share[i, k]:.0f} %",
            "showarrow": False,
            "font": {"size": 12, "color": "#ffffff" if share[i, k] > 0.5 else "#0b1220"},
            "captureevents": False,
        }
        for i in range(len(names))
        for k in range(len(names))
    ]
    heat = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": share,
        "zmin": 0,
        "zmax": 1,
        "xgap": 2,
        "ygap": 2,
        "colorscale": [[0, "#eef3f9"], [0.5, "#7fa6cf"], [1, "#0b4a8f"]],
        "showscale": False,
        "hovertemplate": "true %{y}, said %{x}: %{z:.1%}<extra></extra>",
    }
    axis = {"type": "category", "showgrid": False, "ticks": "", "linecolor": GREY, "fixedrange": True}
    return {
        "data": [heat],
        "layout": {
            "margin": {"l": 92, "r": 14, "t": 14, "b": 50},
            "xaxis": {**axis, "title": {"text": "said to be", "standoff": 6}},
            "yaxis": {**axis, "title": {"text": "true class", "standoff": 6}, "autorange": "reversed"},
            "annotations": annotations,
        },
    }
