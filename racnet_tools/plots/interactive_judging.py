"""Interactive figures of how far labels can be trusted: reliability, rejection, dependence on S/N and redshift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from racnet_tools.plots.interactive_layout import band, empty, error_bars, heading, mark_lines, plain
from racnet_tools.plots.prepared import bins, columns, reliability_bins, required, spans_decades, sweep
from racnet_tools.plots.style import GREY, series, tint

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["binned_accuracy", "redshift_sweep", "reliability", "risk_coverage"]

_PAIR: dict[str, Any] = {"shared_xaxes": True, "vertical_spacing": 0.05}


def reliability(tables: Mapping[str, Columns]) -> go.Figure:
    """Accuracy against confidence; arguments as for `racnet_tools.plots.reliability`."""
    required(tables, "table")
    figure = empty(2, 1, height=560, row_heights=[0.75, 0.25], **_PAIR)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GREY, "dash": "dot"},
        name="confidence = accuracy",
        row=1,
        col=1,
    )
    every = {label: reliability_bins(table) for label, table in tables.items()}
    for number, (label, found) in enumerate(every.items()):
        style, name = series(number), plain(label)
        figure.add_scatter(
            x=found.place,
            y=found.accuracy,
            error_y=error_bars(found.errors),
            mode="lines+markers",
            line={"color": style.colour, "dash": style.dash},
            marker={"symbol": style.symbol, "size": 8},
            name=name,
            legendgroup=name,
            hovertemplate="confidence %{x:.3f}: accuracy %{y:.3f}",
            row=1,
            col=1,
        )
        figure.add_bar(
            x=(found.low + found.high) / 2,
            y=found.n,
            width=found.high - found.low,
            marker={"color": tint(style.colour, 0.2), "line": {"color": style.colour, "width": 1.2}},
            name=name,
            legendgroup=name,
            showlegend=False,
            hovertemplate="%{y:.2%} of the objects",
            row=2,
            col=1,
        )
    start = max(min(found.low.min() for found in every.values()) - 0.02, -0.02)
    figure.update_xaxes(range=[start, 1.02])
    figure.update_xaxes(title_text="confidence (probability of the chosen class)", row=2, col=1)
    figure.update_yaxes(title_text="accuracy", range=[-0.02, 1.02], row=1, col=1)
    smallest = min(found.n.min() for found in every.values())
    span = [float(np.log10(smallest / 2)), float(np.log10(1.5))]
    figure.update_yaxes(title_text="share of objects", type="log", dtick=1, tickformat="~g", range=span, row=2, col=1)
    return figure.update_layout(barmode="overlay")


def risk_coverage(tables: Mapping[str, Columns]) -> go.Figure:
    """Share of wrong labels against share of labels given; arguments as for `racnet_tools.plots.risk_coverage`."""
    required(tables, "table")
    figure = empty(1, 1, height=400)
    for number, (label, table) in enumerate(tables.items()):
        found, style = columns(table, ("coverage", "risk")), series(number)
        figure.add_scatter(
            x=100 * found["coverage"],
            y=100 * found["risk"],
            mode="lines",
            line={"color": style.colour, "dash": style.dash},
            name=plain(label),
            hovertemplate="%{x:.1f} % labelled: %{y:.2f} % wrong",
        )
    figure.update_xaxes(range=[0, 100], title_text="coverage: objects given a label / %")
    figure.update_yaxes(rangemode="tozero", title_text="risk: wrong among them / %")
    return figure.update_layout(showlegend=True)


def binned_accuracy(tables: Mapping[str, Columns], *, xlabel: str) -> go.Figure:
    """Accuracy in bins of a quantity; arguments as for `racnet_tools.plots.binned_accuracy`."""
    required(tables, "table")
    logarithmic = spans_decades(list(tables.values()))
    figure = empty(2, 1, height=480, legend=len(tables) > 1, row_heights=[0.75, 0.25], **_PAIR)
    lowest, edges = 1.0, []
    for number, (label, table) in enumerate(tables.items()):
        found, style, name = bins(table, logarithmic), series(number), plain(label)
        place = found.dodged(number, len(tables))
        figure.add_scatter(
            x=place,
            y=100 * found.accuracy,
            error_x=error_bars(np.array([place - found.low, found.high - place]), width=0),
            error_y=error_bars(100 * found.errors, width=0),
            mode="markers",
            marker={"symbol": style.symbol, "color": style.colour, "size": 8},
            name=name,
            legendgroup=name,
            customdata=np.stack([found.low, found.high, found.n], axis=1),
            hovertemplate="%{customdata[0]:.4~g} to %{customdata[1]:.4~g}: %{y:.1f} % of %{customdata[2]:,}",
            row=1,
            col=1,
        )
        x, n = found.steps
        figure.add_scatter(
            x=x,
            y=n,
            mode="lines",
            line={"color": style.colour, "dash": style.dash, "width": 1.3},
            fill="tozeroy",
            fillcolor=tint(style.colour, 0.12),
            name=name,
            legendgroup=name,
            showlegend=False,
            row=2,
            col=1,
        )
        edges += [found.low.min(), found.high.max()]
        if np.isfinite(found.accuracy).any():
            lowest = min(lowest, float(np.nanmin(found.accuracy - found.errors[0])))
    if logarithmic:
        first, last = np.log10([min(edges), max(edges)])
        margin = 0.03 * (last - first)
        ticks = [k * 10.0**power for power in range(int(first) - 1, int(last) + 1) for k in (1, 2, 5)]
        names = [f"{tick:g}" for tick in ticks]
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=names, range=[first - margin, last + margin])
    below = 100 * lowest - 0.05 * (100 - 100 * lowest) - 0.2
    above = 100 + 0.04 * (100 - 100 * lowest) + 0.2
    figure.update_yaxes(title_text="accuracy / %", range=[max(below, -2), above], row=1, col=1)
    figure.update_yaxes(title_text="objects", rangemode="tozero", nticks=4, row=2, col=1)
    figure.update_xaxes(title_text=plain(xlabel), row=2, col=1)
    return figure


def redshift_sweep(
    z: np.ndarray,
    p: np.ndarray,
    classes: Sequence[str],
    *,
    true: str,
    title: str = "",
    lines: Sequence[tuple[float, str]] = (),
) -> go.Figure:
    """Class probabilities of objects moved through redshift; arguments as for `racnet_tools.plots.redshift_sweep`."""
    found = sweep(z, p, classes, true)
    figure = empty(2, 1, height=600 + (70 if lines else 0), row_heights=[0.6, 0.4], **_PAIR)
    for number, label in enumerate(classes):
        style, name = series(number), plain(label)
        low, middle, high = found.percentiles[:, :, number]
        figure.add_trace(band(found.z, low, high, style, legendgroup=name), 1, 1)
        figure.add_scatter(
            x=found.z,
            y=middle,
            mode="lines",
            line={"color": style.colour, "dash": style.dash},
            name=name,
            legendgroup=name,
            hovertemplate="z %{x:.4~g}: median %{y:.3f}",
            row=1,
            col=1,
        )
    style = series(list(classes).index(true))
    figure.add_trace(band(found.z, 100 * found.lower, 100 * found.upper, style), 2, 1)
    figure.add_scatter(
        x=found.z,
        y=100 * found.kept,
        mode="lines",
        line_color=style.colour,
        name=f"classified as {plain(true)}",
        showlegend=False,
        customdata=found.n,
        hovertemplate="z %{x:.4~g}: %{y:.1f} % of %{customdata}",
        row=2,
        col=1,
    )
    figure.update_xaxes(range=[found.z[0], found.z[-1]])
    figure.update_xaxes(title_text="redshift z", row=2, col=1)
    figure.update_yaxes(title_text="class probability", range=[-0.02, 1.02], row=1, col=1)
    figure.update_yaxes(title_text=f"classified as {plain(true)} / %", range=[-2, 102], row=2, col=1)
    figure.update_layout(title=heading(title))
    mark_lines(figure, lines, found.z[0], found.z[-1])
    return figure
