"""What a network looks at, for print: attribution below the spectrum, attention of classes and channels, trust checks.

`racnet_tools.plots.interactive_explain` has functions of the same names and arguments that return plotly figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from racnet_tools.plots.attention import attention_map
from racnet_tools.plots.figure import Figure
from racnet_tools.plots.marks import mark_lines
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
from racnet_tools.plots.style import COLUMN, GREY, PAGE, PRINT, as_written, series

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


@rc_context(PRINT)
def attribution(
    explained: Sequence[Attribution], index: int = 0, *, lines: Sequence[tuple[float, str]] = (), title: str = ""
) -> Figure:
    """Draw a spectrum and below it, on the same axis, what speaks for its class and against it.

    Parameters
    ----------
    explained : sequence of Attribution
        One or several methods' attributions of the same spectra and classes; a panel for each.
    index : int
        Which of the spectra.
    lines : sequence of (float, str)
        Observed vacuum wavelengths to mark, in Angstrom, and their names.
    title : str
        Written above.

    Returns
    -------
    matplotlib.figure.Figure
        Page width. Flux is drawn over its root mean square; the dashed line is the baseline, what stands for "nothing
        there".

    Raises
    ------
    RacnetError
        If there is no attribution, or they are of different spectra or classes.
    """
    found = maps_of(explained, index)
    rows = len(found.panels)
    figure = Figure(figsize=(PAGE, 2.3 + 1.25 * rows + (0.5 if lines else 0)), layout="constrained")
    axes = figure.subplots(1 + rows, 1, sharex=True, height_ratios=[1.6] + [1.0] * rows)
    axes[0].plot(found.wave, found.flux, lw=0.5, color="#222222", label="flux as the network sees it")
    axes[0].plot(found.wave, found.baseline, lw=0.9, ls="--", color=series(2).colour, label=found.baseline_name)
    low, high = np.percentile(found.flux, (0.1, 99.9))
    margin = 0.12 * (high - low)
    axes[0].set_ylim(low - margin, high + margin)
    axes[0].set_ylabel("flux / rms")
    axes[0].set_xlim(found.wave[0], found.wave[-1])
    for ax, (method, values, unit) in zip(axes[1:], found.panels, strict=True):
        ax.axhline(0, lw=0.5, color=GREY)
        for sign, colour, word in ((1, _FOR, "for"), (-1, _AGAINST, "against")):
            part = np.where(sign * values > 0, values, 0)
            ax.fill_between(
                found.wave, part, step="mid", color=colour, lw=0.3, label=f"speaks {word} {as_written(found.target)}"
            )
        ax.set_title(as_written(method), loc="left", pad=3, fontsize=7)
        ax.set_ylabel(as_written(f"{unit} / pixel"), fontsize=7)
    axes[-1].set_xlabel("vacuum wavelength / Å")
    mark_lines(axes, lines)
    figure.suptitle(as_written(title), fontsize=8, x=0.02, ha="left")
    handles = [*axes[0].get_legend_handles_labels()[0], *axes[1].get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


@rc_context(PRINT)
def feature_shares(shares: Columns) -> Figure:
    """Draw the share of the attribution that falls on each feature.

    Parameters
    ----------
    shares : table
        A row a feature, strongest first: ``name`` and ``share`` (of the sum of absolute values; negative where the
        feature speaks against the class).

    Returns
    -------
    matplotlib.figure.Figure
        Column width.
    """
    share = 100 * columns(shares, ("share",))["share"]
    names = texts(shares, "name")
    figure = Figure(figsize=(COLUMN, 0.7 + 0.19 * len(share)), layout="constrained")
    ax = figure.subplots()
    ax.barh(range(len(share)), share, color=np.where(share >= 0, _FOR, _AGAINST), height=0.7)
    ax.axvline(0, lw=0.5, color=GREY)
    ax.set_yticks(range(len(share)), [as_written(name) for name in names])
    ax.invert_yaxis()
    ax.set_xlabel("share of the attribution / %  (against the class: below 0)")
    return figure


@rc_context(PRINT)
def class_attention(means: Mapping[str, Sequence[np.ndarray]]) -> Figure:
    """Draw how each class's mean attention differs from the mean of all classes.

    Parameters
    ----------
    means : mapping of str to sequence of (channels,) arrays
        Class and its mean attention, an array a block.

    Returns
    -------
    matplotlib.figure.Figure
        Page width; the mean of all classes on top, below it a class a panel.
    """
    apart, limit = class_pictures(means)
    blocks = next(iter(means.values()))
    shared = np.mean([attention_picture(one) for one in means.values()], axis=0)
    figure = Figure(figsize=(PAGE, 0.6 + 0.95 * (len(means) + 1)), layout="constrained")
    axes = figure.subplots(len(means) + 1, 1, sharex=True)
    image = axes[0].imshow(shared, aspect="auto", cmap="viridis", interpolation="nearest")
    axes[0].set_title("mean of the classes")
    figure.colorbar(image, ax=axes[0], label="weight", pad=0.01)
    for ax, (name, picture) in zip(axes[1:], apart.items(), strict=True):
        image = ax.imshow(picture, aspect="auto", cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
        ax.set_title(f"{as_written(name)} less the mean")
    figure.colorbar(image, ax=axes[1:], label="difference of weight", pad=0.01)
    for ax in axes:
        ax.set_yticks(range(len(blocks)), [f"block {k + 1}" for k in range(len(blocks))], fontsize=5)
        ax.set_xticks([])
    axes[-1].set_xlabel("channels of each block, first to last")
    return figure


@rc_context(PRINT)
def top_channels(ranking: Columns) -> Figure:
    """Draw the channels that separate the classes best.

    Parameters
    ----------
    ranking : table
        A row a channel, best first: ``block``, ``channel``, ``effect``, ``lower``, ``upper`` (of its 95 % interval).

    Returns
    -------
    matplotlib.figure.Figure
        Column width.
    """
    found = columns(ranking, ("block", "channel", "effect", "lower", "upper"))
    rows = np.arange(len(found["effect"]))
    figure = Figure(figsize=(COLUMN, 0.7 + 0.17 * len(rows)), layout="constrained")
    ax = figure.subplots()
    errors = np.maximum([found["effect"] - found["lower"], found["upper"] - found["effect"]], 0)
    ax.errorbar(found["effect"], rows, xerr=errors, fmt="o", color=_FOR, capsize=0)
    names = [f"block {int(b)}, channel {int(c)}" for b, c in zip(found["block"], found["channel"], strict=True)]
    ax.set_yticks(rows, names)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_xlabel("share of the weight's variance between classes")
    return figure


@rc_context(PRINT)
def excitation(found: Sequence[Excitation]) -> Figure:
    """Draw what excites channels most: the stretches of spectra, and their mean with its standard error.

    Parameters
    ----------
    found : sequence of Excitation
        Of `racnet_tools.explain.excited_most`; a panel for each.

    Returns
    -------
    matplotlib.figure.Figure
        Page width, two panels a row.
    """
    rows = -(-len(found) // 2)
    figure = Figure(figsize=(PAGE, 0.3 + 1.7 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for ax, one in zip(axes, found, strict=False):
        ax.plot(one.velocity, one.stretches.T, color=GREY, lw=0.4, alpha=0.5)
        ax.fill_between(one.velocity, one.mean - one.error, one.mean + one.error, color=_FOR, alpha=0.3, lw=0)
        ax.plot(one.velocity, one.mean, color=_FOR, lw=1.4)
        ax.set_title(excitation_title(one))
        ax.set_ylim(excitation_limits(one))
        ax.set_xlabel("velocity from the middle / km/s")
        ax.set_ylabel("flux / median")
    for ax in axes[len(found) :]:
        ax.set_visible(False)
    return figure


@rc_context(PRINT)
def deletion_insertion(curves: Mapping[str, Curves]) -> Figure:
    """Draw the score while the spectrum is replaced by its continuum, and put back into it.

    Parameters
    ----------
    curves : mapping of str to Curves
        Method and what `racnet_tools.explain.faithfulness.deletion_insertion` measured.

    Returns
    -------
    matplotlib.figure.Figure
        Page width: mean over spectra with its 95 % interval. Good explanations fall fast on the left and rise fast on
        the right.
    """
    figure = Figure(figsize=(PAGE, 2.7), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, kind in zip(axes, ("deletion", "insertion"), strict=True):
        pairs = curve_pairs(curves, kind)
        for number, (name, share, (mean, lower, upper)) in enumerate(pairs):
            last = number == len(pairs) - 1
            style = series(number)
            colour = GREY if last else style.colour
            ax.fill_between(100 * share, lower, upper, color=colour, alpha=0.15, lw=0)
            ax.plot(100 * share, mean, color=colour, ls=":" if last else style.dashes, label=as_written(name))
        ax.set_title(kind)
        ax.set_xlim(0, 100)
    axes[0].set_xlabel("replaced by the continuum / %")
    axes[1].set_xlabel("put back into the continuum / %")
    axes[0].set_ylabel("log-odds of the class")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


@rc_context(PRINT)
def trust(checks: Sequence[Check]) -> Figure:
    """Draw trust checks: value with 95 % interval, control and verdict.

    Parameters
    ----------
    checks : sequence of Check

    Returns
    -------
    matplotlib.figure.Figure
        Page width. Filled markers are what was found, open diamonds the controls; ✓ passed, ✗ failed, ? undecided.
    """
    panels = trust_panels(checks)
    heights = [len(panel.labels) + 1.5 for panel in panels]
    figure = Figure(figsize=(PAGE, 0.5 + 0.2 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        rows = np.arange(len(panel.labels))
        colours = [VERDICTS[one][1] for one in panel.verdicts]
        ax.axvline(0, lw=0.5, color=GREY)
        ax.scatter(panel.control, rows, marker="D", s=20, facecolors="none", edgecolors=GREY, lw=0.9, zorder=2)
        for row, colour in zip(rows, colours, strict=True):
            error = panel.errors[:, row : row + 1]
            known = np.isfinite(error).all()
            ax.errorbar(panel.value[row], row, xerr=error if known else None, fmt="o", color=colour, capsize=0)
            sign = VERDICTS[panel.verdicts[row]][0]
            ax.text(1.02, row, sign, transform=ax.get_yaxis_transform(), color=colour, va="center", fontsize=9)
        ax.set_yticks(rows, [as_written(label) for label in panel.labels])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlabel(panel.quantity)
    return figure
