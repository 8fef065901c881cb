"""What all interactive figures share: layout, labels without markup, bands, and their form inside a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from racnet_tools.plots.prepared import spread
from racnet_tools.plots.style import GREY, Series, tint

__all__ = ["band", "empty", "error_bars", "heading", "legend_mark", "library", "mark_lines", "plain", "to_json"]


def plain(text: object) -> str:
    """A label in which plotly, which knows some HTML, finds no markup."""
    return escape(str(text), quote=False)


def empty(rows: int, columns: int, *, height: float, legend: bool = True, **subplots: Any) -> go.Figure:
    """A figure of panels, as wide as its place and `height` pixels high, with the legend below all."""
    figure = make_subplots(rows, columns, **subplots)
    figure.update_layout(
        template="simple_white",
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1c2430"},
        height=height,
        margin={"l": 62, "r": 14, "t": 56 if "subplot_titles" in subplots else 34, "b": 50},
        showlegend=legend,
        # Below the title of the axis; the margin grows with the lines that the legend needs.
        legend={"orientation": "h", "y": -62 / (height - 130), "yanchor": "top", "x": 0.5, "xanchor": "center"},
        hoverlabel={"namelength": -1},
        meta={"narrowest": 270 * columns if columns > 1 else 0},  # pixels; a page scrolls sideways below
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    figure.update_annotations(font_size=13)
    return figure


def heading(text: str) -> dict[str, Any]:
    """A figure's title, in its upper left corner."""
    corner = {"x": 0.01, "xref": "container", "xanchor": "left", "y": 1, "yref": "container", "yanchor": "top"}
    return corner | {"text": plain(text), "font": {"size": 14}, "pad": {"t": 10}}


def error_bars(down_up: np.ndarray, **rest: Any) -> dict[str, Any]:
    """Error bars of the lengths `down_up` (2, n)."""
    return {"type": "data", "symmetric": False, "arrayminus": down_up[0], "array": down_up[1], "thickness": 1.2} | rest


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, style: Series, **rest: Any) -> go.Scatter:
    """A filled band that has no entry of its own in the legend; stretches without a number are left out."""
    known = np.isfinite(low) & np.isfinite(high)
    x, low, high = x[known], low[known], high[known]
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([low, high[::-1]]),
        fill="toself",
        fillcolor=tint(style.colour, 0.16),
        line_width=0,
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        **rest,
    )


def legend_mark(name: str, **rest: Any) -> go.Scatter:
    """An entry of the legend that draws nothing."""
    return go.Scatter(x=[None], y=[None], name=name, **({"line_color": GREY, "mode": "lines"} | rest))


def to_json(figure: go.Figure) -> str:
    """Data and layout as JSON that may stand inside a script element: no character of it can end the element."""
    return figure.to_json().replace("<", "\\u003c")


def library() -> str:
    """Source text of plotly.js."""
    return get_plotlyjs()


def mark_lines(figure: go.Figure, lines: Sequence[tuple[float, str]], low: float, high: float) -> None:
    """Dotted lines through all panels at places from `low` to `high`, named above; names that collide move apart."""
    shown = sorted((place, name) for place, name in lines if low <= place <= high)
    figure.update_layout(margin_t=150 if shown else 44)
    if not shown:
        return
    labels = spread([place for place, _ in shown], min(0.034, 1 / len(shown)) * (high - low), low, high)
    shapes, notes = [], []
    for (place, name), label in zip(shown, labels, strict=True):
        dotted = {"color": GREY, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": dotted})
        thin = {"type": "line", "yref": "paper", "line": {"color": GREY, "width": 0.7}}
        shapes.append(thin | {"x0": place, "x1": label, "y0": 1, "y1": 1.03})
        notes.append(
            {
                "x": label,
                "y": 1.035,
                "yref": "paper",
                "text": plain(name),
                "textangle": -90,
                "showarrow": False,
                "yanchor": "bottom",
                "font": {"size": 11},
            }
        )
    figure.update_layout(shapes=shapes, annotations=[*figure.layout.annotations, *notes])
