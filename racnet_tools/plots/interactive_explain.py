"""The figures of `racnet_tools.plots.explain` as plotly figures: same names, same arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from racnet_tools.plots.interactive_layout import band, empty, error_bars, heading, legend_mark, mark_lines, plain
from racnet_tools.plots.prepared import columns
from racnet_tools.plots.prepared_explain import (
    VERDICTS,
    attention_picture,
    class_pictures,
    curve_pairs,
    excitation_limits,
    excitation_title,
    maps_of,
    texts,
    trust_panels,
)
from racnet_tools.plots.style import GREY, Series, series, tint

if TYPE_CHECKING:
    from racnet_tools.explain.attribution import Attribution
    from racnet_tools.explain.channels import Excitation
    from racnet_tools.explain.check import Check
    from racnet_tools.explain.faithfulness import Curves
    from racnet_tools.plots.prepared import Columns

__all__ = [
    "attention_map",
    "attribution",
    "class_attention",
    "deletion_insertion",
    "excitation",
    "feature_shares",
    "top_channels",
    "trust",
]

_FOR, _AGAINST = series(0).colour, series(1).colour


def attribution(
    explained: Sequence[Attribution], index: int = 0, *, lines: Sequence[tuple[float, str]] = (), title: str = ""
) -> go.Figure:
    """A spectrum and what speaks for its class; arguments as for `racnet_tools.plots.explain.attribution`."""
    found = maps_of(explained, index)
    rows = len(found.panels)
    height = 360 + 150 * rows + (70 if lines else 0)
    figure = empty(
        1 + rows, 1, height=height, shared_xaxes=True, vertical_spacing=0.05,
        row_heights=[1.6 / (1.6 + rows)] + [1 / (1.6 + rows)] * rows,
    )  # fmt: skip
    wave = np.round(found.wave, 2)
    figure.add_scatter(
        x=wave, y=_short(found.flux), mode="lines", line={"color": "#222222", "width": 0.8},
        name="flux as the network sees it", hovertemplate="%{x:.1f} Å: %{y:.3f}", row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=wave, y=_short(found.baseline), mode="lines", line={"color": series(2).colour, "width": 1.3, "dash": "dash"},
        name=plain(found.baseline_name), hoverinfo="skip", row=1, col=1,
    )  # fmt: skip
    for number, (method, values, unit) in enumerate(found.panels, 2):
        for sign, colour, word in ((1, _FOR, "for"), (-1, _AGAINST, "against")):
            figure.add_scatter(
                x=wave, y=_short(np.where(sign * values > 0, values, 0)), mode="lines",
                line={"color": colour, "width": 0.4}, fill="tozeroy", fillcolor=tint(colour, 0.75),
                name=f"speaks {word} {plain(found.target)}", legendgroup=word, showlegend=number == 2,
                hovertemplate="%{x:.1f} Å: %{y:.3~g}", row=number, col=1,
            )  # fmt: skip
        figure.update_yaxes(
            title_text=f"{plain(method)}<br>{plain(unit)} / pixel", title_font_size=11, row=number, col=1
        )
    low, high = np.percentile(found.flux, (0.1, 99.9))
    margin = 0.12 * (high - low)
    figure.update_yaxes(title_text="flux / rms", range=[low - margin, high + margin], row=1, col=1)
    figure.update_xaxes(range=[wave[0], wave[-1]])
    figure.update_xaxes(title_text="vacuum wavelength / Å", row=1 + rows, col=1)
    # The legend wraps; below the title of the axis there must be room for its lines.
    figure.update_layout(title=heading(title), meta={"narrowest": 560}, legend_y=-70 / (height - 270))
    mark_lines(figure, lines, wave[0], wave[-1])
    return figure


def feature_shares(shares: Columns) -> go.Figure:
    """Share of the attribution on each feature; arguments as for `racnet_tools.plots.explain.feature_shares`."""
    share = 100 * columns(shares, ("share",))["share"]
    names = [plain(name) for name in texts(shares, "name")]
    figure = empty(1, 1, height=130 + 24 * len(share), legend=False)
    figure.add_bar(
        x=share, y=names, orientation="h", marker_color=np.where(share >= 0, _FOR, _AGAINST),
        hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title_text="share of the attribution / %  (against the class: below 0)")
    return figure


def attention_map(attention: Sequence[np.ndarray], *, title: str = "channel attention") -> go.Figure:
    """Attention weights of every block; arguments as for `racnet_tools.plots.explain.attention_map`."""
    picture = attention_picture(attention)
    figure = empty(1, 1, height=360, legend=False)
    figure.add_heatmap(
        z=_short(picture), y=[f"block {k + 1}" for k in range(len(picture))], colorscale="Viridis",
        customdata=_channel_numbers(attention), colorbar={"title": {"text": "weight"}},
        hovertemplate="%{y}, channel %{customdata}: %{z:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title_text="channels of each block, first to last", showticklabels=False, ticks="")
    return figure.update_layout(title=heading(title))


def class_attention(means: Mapping[str, Sequence[np.ndarray]]) -> go.Figure:
    """Mean attention by class; arguments as for `racnet_tools.plots.explain.class_attention`."""
    apart, limit = class_pictures(means)
    blocks = next(iter(means.values()))
    shared = np.mean([attention_picture(one) for one in means.values()], axis=0)
    rows = 1 + len(apart)
    titles = ["mean of the classes", *(f"{plain(name)} less the mean" for name in apart)]
    figure = empty(
        rows, 1, height=90 + 190 * rows, legend=False, shared_xaxes=True, vertical_spacing=0.3 / rows,
        subplot_titles=titles,
    )  # fmt: skip
    names = [f"block {k + 1}" for k in range(len(blocks))]
    looks = {"y": names, "customdata": _channel_numbers(blocks)}
    tip = "%{y}, channel %{customdata}: %{z:.3f}<extra></extra>"
    for row, picture in enumerate([shared, *apart.values()], 1):
        axis = "coloraxis" if row == 1 else "coloraxis2"
        figure.add_heatmap(z=_short(picture), coloraxis=axis, hovertemplate=tip, **looks, row=row, col=1)
    one = 1 / rows
    figure.update_layout(
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": {"text": "weight"}, "len": one, "y": 1 - one / 2}},
        coloraxis2={
            "colorscale": "RdBu", "cmin": -limit, "cmax": limit,
            "colorbar": {"title": {"text": "difference"}, "len": (1 - one), "y": (1 - one) / 2},
        },
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", tickfont_size=10)
    figure.update_xaxes(showticklabels=False, ticks="")
    figure.update_xaxes(title_text="channels of each block, first to last", row=rows, col=1)
    return figure


def top_channels(ranking: Columns) -> go.Figure:
    """Channels that separate classes best; arguments as for `racnet_tools.plots.explain.top_channels`."""
    found = columns(ranking, ("block", "channel", "effect", "lower", "upper"))
    names = [f"block {int(b)}, channel {int(c)}" for b, c in zip(found["block"], found["channel"], strict=True)]
    errors = np.maximum([found["effect"] - found["lower"], found["upper"] - found["effect"]], 0)
    figure = empty(1, 1, height=130 + 22 * len(names), legend=False)
    figure.add_scatter(
        x=found["effect"], y=names, error_x=error_bars(errors, width=0), mode="markers",
        marker={"color": _FOR, "size": 8}, hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(rangemode="tozero", title_text="share of the weight's variance between classes")
    return figure


def excitation(found: Sequence[Excitation]) -> go.Figure:
    """What excites channels most; arguments as for `racnet_tools.plots.explain.excitation`."""
    rows = -(-len(found) // 2)
    titles = [excitation_title(one) for one in found]
    figure = empty(rows, 2, height=80 + 260 * rows, legend=False, subplot_titles=titles, vertical_spacing=0.25 / rows)
    for number, one in enumerate(found):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        for stretch in one.stretches:
            figure.add_scatter(
                x=one.velocity, y=stretch, mode="lines", line={"color": GREY, "width": 0.5}, opacity=0.5,
                hoverinfo="skip", **place,
            )  # fmt: skip
        figure.add_scatter(x=one.velocity, y=one.mean, mode="lines", line={"color": _FOR, "width": 2}, **place)
        figure.update_yaxes(range=excitation_limits(one), **place)
    figure.update_xaxes(title_text="velocity from the middle / km/s", row=rows)
    figure.update_yaxes(title_text="flux / median", col=1)
    return figure


def deletion_insertion(curves: Mapping[str, Curves]) -> go.Figure:
    """Deletion and insertion curves; arguments as for `racnet_tools.plots.explain.deletion_insertion`."""
    figure = empty(1, 2, height=400, shared_yaxes=True, subplot_titles=["deletion", "insertion"])
    for column, kind in enumerate(("deletion", "insertion"), 1):
        pairs = curve_pairs(curves, kind)
        for number, (label, share, (mean, lower, upper)) in enumerate(pairs):
            style, name = series(number), plain(label)
            if number == len(pairs) - 1:
                style = Series(GREY, "", "", ":", "dot")
            figure.add_trace(band(100 * share, lower, upper, style, legendgroup=name), 1, column)
            figure.add_scatter(
                x=100 * share, y=mean, mode="lines", line={"color": style.colour, "dash": style.dash}, name=name,
                legendgroup=name, showlegend=column == 1, hovertemplate="%{x:.0f} %: %{y:.2f}", row=1, col=column,
            )  # fmt: skip
    figure.update_xaxes(range=[0, 100])
    figure.update_xaxes(title_text="replaced by the continuum / %", row=1, col=1)
    figure.update_xaxes(title_text="put back into the continuum / %", row=1, col=2)
    figure.update_yaxes(title_text="log-odds of the class", row=1, col=1)
    return figure


def trust(checks: Sequence[Check]) -> go.Figure:
    """Trust checks; arguments as for `racnet_tools.plots.explain.trust`."""
    panels = trust_panels(checks)
    heights = [len(panel.labels) + 1.5 for panel in panels]
    figure = empty(
        len(panels), 1, height=150 + 26 * sum(heights), vertical_spacing=2.2 / sum(heights) if len(panels) > 1 else 0,
        row_heights=[height / sum(heights) for height in heights],
    )  # fmt: skip
    for row, panel in enumerate(panels, 1):
        labels = [
            f"{VERDICTS[verdict][0]} {plain(label)}"
            for label, verdict in zip(panel.labels, panel.verdicts, strict=True)
        ]
        tip = [f"{plain(text)}" for text in panel.readings]
        figure.add_scatter(
            x=panel.control, y=labels, mode="markers", name="control", showlegend=row == 1,
            marker={"symbol": "diamond-open", "color": GREY, "size": 9}, hovertemplate="control %{x:.3f}",
            row=row, col=1,
        )  # fmt: skip
        for kind, (_, colour) in VERDICTS.items():
            here = [k for k, one in enumerate(panel.verdicts) if one == kind]
            if here:
                figure.add_scatter(
                    x=panel.value[here], y=[labels[k] for k in here],
                    error_x=error_bars(np.nan_to_num(panel.errors[:, here]), width=0), mode="markers", name=kind,
                    showlegend=False,
                    marker={"color": colour, "size": 9},
                    customdata=[tip[k] for k in here], hovertemplate="%{customdata}<extra></extra>", row=row, col=1,
                )  # fmt: skip
        figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], row=row, col=1)
        figure.update_xaxes(title_text=panel.quantity, zeroline=True, zerolinecolor=GREY, row=row, col=1)
    names = {"yes": "passed", "no": "failed", "undecided": "undecided"}
    for kind, (sign, colour) in VERDICTS.items():
        if any(kind in panel.verdicts for panel in panels):
            figure.add_trace(legend_mark(f"{sign} {names[kind]}", mode="markers", marker={"color": colour, "size": 9}))
    return figure.update_layout(meta={"narrowest": 560})


def _channel_numbers(attention: Sequence[np.ndarray]) -> np.ndarray:
    """Which channel each cell of the picture shows."""
    return attention_picture([np.arange(np.shape(block)[-1]) for block in attention])


def _short(values: np.ndarray) -> np.ndarray:
    """Four digits: what a screen shows, in a page that stays small."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    return np.round(np.asarray(values, dtype=float), max(4 - int(np.ceil(np.log10(largest))), 0))
