"""Interactive figures of networks and trainings: learning curves, confusions, accuracies and costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from racnet_tools.plots.interactive_layout import empty, error_bars, heading, legend_mark, plain
from racnet_tools.plots.prepared import costs, curves, in_short, marker_area, panels, required, row_shares
from racnet_tools.plots.style import GREY, series

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["accuracy_bars", "confusion", "confusions", "cost_accuracy", "learning_curves"]

_ACROSS = 3  # panels a row


def learning_curves(runs: Mapping[str, Columns]) -> go.Figure:
    """Loss and accuracy of several trainings; arguments as for `racnet_tools.plots.learning_curves`."""
    required(runs, "run")
    figure = empty(2, 1, height=560 + 12 * len(runs), shared_xaxes=True, vertical_spacing=0.05)
    for number, (label, run) in enumerate(runs.items()):
        style = series(number)
        for row, quantity in enumerate(("loss", "accuracy"), start=1):
            for curve in curves(run, quantity):
                solid = curve.part == "validation"
                figure.add_scatter(
                    x=curve.epoch,
                    y=curve.value,
                    name=f"{plain(label)}, {curve.part}",
                    legendgroup=str(number),
                    showlegend=False,
                    mode="lines+markers" if solid else "lines",
                    line={"color": style.colour, "width": 2 if solid else 1.3, "dash": "solid" if solid else "4px,3px"},
                    marker={"symbol": style.symbol, "size": 6},
                    row=row,
                    col=1,
                )
        marks = {"line_color": style.colour, "marker_symbol": style.symbol, "mode": "lines+markers"}
        figure.add_trace(legend_mark(plain(label), legendgroup=str(number), **marks), 1, 1)
    figure.add_trace(legend_mark("validation"), 1, 1)
    figure.add_trace(legend_mark("training", line_dash="4px,3px"), 1, 1)
    figure.update_yaxes(title_text="loss", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="accuracy", row=2, col=1)
    figure.update_xaxes(title_text="epoch", row=2, col=1)
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str], *, title: str = "") -> go.Figure:
    """One confusion matrix; arguments as for `racnet_tools.plots.confusion`."""
    figure = empty(1, 1, height=170 + 60 * len(classes), legend=False)
    _matrix(figure, 1, 1, counts, classes, 13)
    figure.update_xaxes(title_text="classified as")
    figure.update_yaxes(title_text="true class")
    return figure.update_layout(title=heading(title), margin_t=44)


def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> go.Figure:
    """Confusion matrices of several networks; arguments as for `racnet_tools.plots.confusions`."""
    required(matrices, "matrix")
    across = min(len(matrices), _ACROSS)
    down = -(-len(matrices) // across)
    height = down * (80 + 48 * len(classes)) + 80
    figure = empty(
        down,
        across,
        height=height,
        legend=False,
        shared_yaxes=True,
        subplot_titles=[plain(name) for name in matrices],
        horizontal_spacing=0.03,
        vertical_spacing=70 / height,
    )
    for number, counts in enumerate(matrices.values()):
        _matrix(figure, number // across + 1, number % across + 1, counts, classes, 11)
    figure.update_xaxes(title_text="classified as", row=down)
    figure.update_yaxes(title_text="true class", col=1)
    return figure


def _matrix(figure: go.Figure, row: int, col: int, counts: np.ndarray, classes: Sequence[str], size: int) -> None:
    matrix, share = row_shares(counts, classes)
    names = [plain(name) for name in classes]
    figure.add_heatmap(
        z=share,
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        colorscale="Blues",
        showscale=False,
        customdata=matrix,
        text=[
            [f"{n}<br>{part:.0%}" for n, part in zip(*pair, strict=True)] for pair in zip(matrix, share, strict=True)
        ],
        texttemplate="%{text}",
        textfont_size=size,
        hovertemplate="%{y} classified as %{x}: %{customdata}, %{z:.1%}<extra></extra>",
        row=row,
        col=col,
    )
    figure.update_yaxes(autorange="reversed", type="category", ticks="", row=row, col=col)
    figure.update_xaxes(type="category", ticks="", row=row, col=col)


def accuracy_bars(rows: Columns) -> go.Figure:
    """Accuracies of networks by data set; arguments as for `racnet_tools.plots.accuracy_bars`."""
    found = panels(rows)
    networks = [plain(name) for name in found[0].networks]
    place, style = np.arange(len(networks)), series(0)
    figure = empty(
        1,
        len(found),
        height=150 + 46 * len(networks),
        shared_yaxes=True,
        subplot_titles=[plain(panel.dataset) for panel in found],
        horizontal_spacing=0.03,
    )
    shown: set[str] = set()
    for col, panel in enumerate(found, start=1):
        where = {"row": 1, "col": col}
        drawn = [
            (
                "here, 95 % interval",
                100 * panel.accuracy,
                place.astype(float),
                {"marker": _marker(style.symbol, style.colour, 9), "error_x": error_bars(100 * panel.errors)},
            ),
            (
                "single seeds",
                100 * np.concatenate(panel.seeds),
                np.repeat(place + 0.27, [len(seeds) for seeds in panel.seeds]),
                {"marker": _marker("circle", GREY, 5)},
            ),
            (
                "published",
                100 * panel.published,
                place.astype(float),
                {"marker": _marker("diamond-open", series(1).colour, 12)},
            ),
        ]
        for name, x, y, looks in drawn:
            known = np.isfinite(x)
            if not known.any():
                continue
            whose = [networks[round(at)] for at in y]
            figure.add_scatter(
                x=x,
                y=y,
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=name not in shown,
                customdata=whose,
                hovertemplate="%{customdata}: %{x:.2f} %",
                **looks,
                **where,
            )
            shown.add(name)
        figure.update_xaxes(title_text="accuracy / %", range=[100 * limit for limit in panel.range], nticks=5, **where)
    figure.update_yaxes(range=[len(networks) - 0.4, -0.6], showgrid=True, gridcolor="#e3e7ed", showline=False, ticks="")
    figure.update_yaxes(tickvals=place, ticktext=networks, col=1)
    return figure


def _marker(symbol: str, colour: str, size: float) -> dict[str, Any]:
    return {"symbol": symbol, "color": colour, "size": size, "line_width": 2 if symbol.endswith("open") else 0}


def cost_accuracy(rows: Columns) -> go.Figure:
    """Accuracy of networks against their operations; arguments as for `racnet_tools.plots.cost_accuracy`."""
    names, found, errors = costs(rows)
    figure = empty(1, 1, height=400 + 10 * len(names))
    areas = marker_area(found["parameters"])
    for k, name in enumerate(names):
        style = series(k)
        figure.add_scatter(
            x=found["operations"][[k]],
            y=100 * found["accuracy"][[k]],
            error_y=error_bars(100 * errors[:, [k]], color=style.colour),
            mode="markers",
            name=f"{plain(name)}, {in_short(found['parameters'][k])}",
            marker={"symbol": style.symbol, "color": style.colour, "size": 2 * np.sqrt(areas[k]), "opacity": 0.75},
            customdata=found["parameters"][[k]],
            hovertemplate="%{y:.2f} %, %{x:.3s} operations, %{customdata:,} parameters",
        )
    figure.update_xaxes(
        type="log",
        dtick=1,
        exponentformat="power",
        title_text="operations for one spectrum (larger marker: more parameters)",
    )
    figure.update_yaxes(title_text="accuracy / %")
    figure.update_layout(title=heading("larger marker: more parameters"), legend_itemsizing="constant", margin_t=44)
    return figure
