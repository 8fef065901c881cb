"""Figures of channel attention for dashboards, as plain dicts: class means, ranking, excitation, variants.

`racnet_tools.plots.interactive_explain` draws the same for reports with `plotly.graph_objects`, whose import alone
takes more memory than a dashboard has to spare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.plots.prepared_explain import excitation_limits
from racnet_tools.plots.style import GREY, series, tint

if TYPE_CHECKING:
    from racnet_tools.explain.channels import Excitation

__all__ = ["channel_at", "class_attention_panels", "excitation_panel", "ranking_points", "variant_points"]


def _width(blocks: Sequence[np.ndarray]) -> int:
    return max(len(block) for block in blocks)


def channel_at(channels: Sequence[int], row: int, column: int) -> tuple[int, int]:
    """Block (from 1) and channel (from 0) of a cell in `class_attention_panels`."""
    return row + 1, min(column * channels[row] // max(channels), channels[row] - 1)


def _picture(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of blocks, each channel as wide as its share of the row: (blocks, channels of the widest)."""
    width = _width(blocks)
    return np.stack([np.asarray(block)[np.arange(width) * len(block) // width] for block in blocks])


def class_attention_panels(
    means: Mapping[str, Sequence[np.ndarray]], *, chosen: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Mean attention of all classes, and below it what each class differs by.

    Parameters
    ----------
    means : mapping of str to sequence of (channels,) arrays
        Class to its mean weights, an array a block.
    chosen : (block, channel), optional
        Framed in every panel.

    Returns
    -------
    dict
        Trace 0 is the mean, trace k the k-th class; rows are blocks, columns channels (`channel_at`).
    """
    pictures = {name: _picture(blocks) for name, blocks in means.items()}
    shared = np.mean(list(pictures.values()), axis=0)
    apart = {name: picture - shared for name, picture in pictures.items()}
    limit = float(max(np.abs(picture).max() for picture in apart.values())) or 1.0
    blocks = next(iter(means.values()))
    panels = {"mean of the classes": shared} | {f"{name} less the mean": picture for name, picture in apart.items()}
    numbers = _picture([np.arange(len(block)) for block in blocks])
    data, layout, notes = [], _layout(80 + 118 * len(panels)), []
    gap = 0.32 / len(panels)
    height = (1 - gap * (len(panels) - 1)) / len(panels)
    for i, (title, picture) in enumerate(panels.items()):
        axis = "" if i == 0 else str(i + 1)
        top = 1 - i * (height + gap)
        scale = {"colorscale": "Viridis", "zmin": 0, "zmax": 1} if i == 0 else _around(limit)
        bar = {"len": height, "y": top - height / 2, "thickness": 10, "outlinewidth": 0, "tickfont": {"size": 10}}
        data.append(
            {"type": "heatmap", "z": np.round(picture, 4).astype(np.float32), "customdata": numbers,
             "y": [f"block {k + 1}" for k in range(len(blocks))], "yaxis": f"y{axis}", "name": title,
             "showscale": i < 2, "colorbar": bar, **scale,
             "hovertemplate": "%{y}, channel %{customdata}: %{z:.3f} (click to choose)<extra></extra>"}
        )  # fmt: skip
        layout[f"yaxis{axis}"] = {"domain": [max(0.0, top - height), top], "autorange": "reversed", "ticks": "",
                                  "tickfont": {"size": 9}}  # fmt: skip
        notes.append({"text": title, "x": 0, "xref": "paper", "y": top, "yref": "paper", "xanchor": "left",
                      "yanchor": "bottom", "showarrow": False, "font": {"size": 12}})  # fmt: skip
    layout["annotations"] = notes
    layout["xaxis"] = {"showticklabels": False, "ticks": "", "title": {"text": "channels of each block, first to last"},
                       "anchor": "free", "position": 0}  # fmt: skip
    if chosen is not None:
        layout["shapes"] = [_frame(blocks, chosen, "" if i == 0 else str(i + 1)) for i in range(len(panels))]
    return {"data": data, "layout": layout}


def _around(limit: float) -> dict[str, Any]:
    blue_red = [[0, "#2166ac"], [0.25, "#92c5de"], [0.5, "#f7f7f7"], [0.75, "#f4a582"], [1, "#b2182b"]]
    return {"colorscale": blue_red, "zmin": -limit, "zmax": limit}


def _frame(blocks: Sequence[np.ndarray], chosen: tuple[int, int], axis: str) -> dict[str, Any]:
    block, channel = chosen
    one = _width(blocks) / len(blocks[block - 1])
    edges = {"x0": channel * one - 0.5, "x1": (channel + 1) * one - 0.5, "y0": block - 1.5, "y1": block - 0.5}
    return {"type": "rect", "yref": f"y{axis}", "xref": "x", "line": {"color": "#bb5566", "width": 2}} | edges


def ranking_points(ranking: Any, *, chosen: tuple[int, int] | None = None) -> dict[str, Any]:
    """Channels by the share of their weight's variance between classes, with intervals; columns of `separation`."""
    effect, lower, upper = (np.asarray(ranking[name], float) for name in ("effect", "lower", "upper"))
    places = list(zip(ranking["block"].tolist(), ranking["channel"].tolist(), strict=True))
    names = [f"block {block}, ch. {channel}" for block, channel in places]
    here = [place == chosen for place in places]
    bars = {"type": "data", "symmetric": False, "array": np.maximum(upper - effect, 0), "width": 0,
            "arrayminus": np.maximum(effect - lower, 0), "thickness": 1.2, "color": GREY}  # fmt: skip
    colour = [series(1).colour if one else series(0).colour for one in here]
    symbol = ["diamond" if one else "circle" for one in here]
    tips = [
        f"highest in {high}, lowest in {low}" for high, low in zip(ranking["highest"], ranking["lowest"], strict=True)
    ]
    points = {
        "type": "scatter", "mode": "markers", "x": np.round(effect, 4), "y": names, "error_x": bars, "customdata": tips,
        "marker": {"size": 8, "color": colour, "symbol": symbol}, "name": "channels",
        "hovertemplate": "%{y}: %{x:.3f}, %{customdata}<extra></extra>",
    }  # fmt: skip
    layout = _layout(90 + 20 * len(names))
    layout["margin"]["l"] = 110
    layout["xaxis"] = {"title": {"text": "share of the weight's variance between classes"}, "range": [0, 1.02],
                       "showline": True, "ticks": "outside"}  # fmt: skip
    layout["yaxis"] = {"autorange": "reversed", "ticks": "", "tickfont": {"size": 11}}
    return {"data": [points], "layout": layout}


def excitation_panel(found: Excitation) -> dict[str, Any]:
    """The stretches of spectra that excite a channel most, and their mean with its error."""
    data: list[dict[str, Any]] = []
    gap = np.full((len(found.stretches), 1), np.nan)
    every = np.hstack([found.stretches, gap]).ravel()
    along = np.tile(np.append(found.velocity, np.nan), len(found.stretches))
    thin = {"color": tint(GREY, 0.45), "width": 0.6}
    data.append({"type": "scatter", "mode": "lines", "x": along, "y": every.astype(np.float32), "line": thin,
                 "name": f"{len(found.stretches)} stretches", "hoverinfo": "skip"})  # fmt: skip
    error = np.nan_to_num(found.error)
    both = np.concatenate([found.mean + error, (found.mean - error)[::-1]])
    x = np.concatenate([found.velocity, found.velocity[::-1]])
    blue = series(0).colour
    data.append({"type": "scatter", "mode": "lines", "x": x, "y": both, "fill": "toself", "line": {"width": 0},
                 "fillcolor": tint(blue, 0.25), "hoverinfo": "skip", "showlegend": False, "name": "error"})  # fmt: skip
    mean = {"type": "scatter", "mode": "lines", "x": found.velocity, "y": found.mean, "name": "mean ± 1 σ"}
    data.append(mean | {"line": {"color": blue, "width": 2}, "hovertemplate": "%{x:.0f} km/s: %{y:.3f}<extra></extra>"})
    layout = _layout(290)
    layout["showlegend"] = True
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"}
    layout["xaxis"] = {"title": {"text": "velocity from the middle / km/s"}, "showline": True, "ticks": "outside"}
    low, high = excitation_limits(found)
    layout["yaxis"] = {"title": {"text": "flux / median"}, "range": [float(low), float(high)], "showline": True,
                       "ticks": "outside"}  # fmt: skip
    return {"data": data, "layout": layout}


def variant_points(compared: Any) -> dict[str, Any]:
    """Rank correlation of matched channels between networks, block by block, and what the classes alone give."""
    data: list[dict[str, Any]] = []
    names = [f"{a} and {b}" for a, b in zip(compared["a"], compared["b"], strict=True)]
    for number, pair in enumerate(dict.fromkeys(names)):
        here = [i for i, name in enumerate(names) if name == pair]
        x = ["all" if compared["block"][i] == 0 else str(compared["block"][i]) for i in here]
        style = series(number)
        for column, word, dash in (("matched", "", "solid"), ("matched_chance", ", classes alone", "dot")):
            data.append(
                {"type": "scatter", "mode": "lines+markers", "x": x, "y": [float(compared[column][i]) for i in here],
                 "name": pair + word, "line": {"color": style.colour, "dash": dash, "width": 1.4},
                 "marker": {"symbol": style.symbol if not word else f"{style.symbol}-open", "size": 7},
                 "hovertemplate": "block %{x}: %{y:.2f}"}
            )  # fmt: skip
    layout = _layout(340)
    layout["showlegend"] = True
    layout["legend"] = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"}
    layout["xaxis"] = {"title": {"text": "block"}, "type": "category", "showline": True, "ticks": "outside"}
    layout["yaxis"] = {"title": {"text": "mean rank correlation of matched channels"}, "showline": True,
                       "ticks": "outside", "range": [-0.1, 1.02]}  # fmt: skip
    return {"data": data, "layout": layout}


def _layout(height: int) -> dict[str, Any]:
    margin = {"l": 62, "r": 14, "t": 30, "b": 44}
    return {"height": height, "margin": margin, "showlegend": False, "hovermode": "closest"}
