"""Figures of the realism report: how well simulated spectra are told from real ones, and how quantities compare."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from racnet_tools.evaluate.realism import Auc
from racnet_tools.evaluate.realism_indices import Comparison
from racnet_tools.plots.figure import Figure

__all__ = ["auc_bars", "autocorrelation_curves", "distributions"]

_REAL, _SIMULATED = "#1f3b73", "#b0471a"


def auc_bars(tests: Mapping[str, Mapping[str, Auc]]) -> Figure:
    """Draw AUC and interval of every view (rows) for every test (colours).

    Parameters
    ----------
    tests : mapping of str to mapping of str to Auc
        Test, view, value.

    Returns
    -------
    matplotlib.figure.Figure
    """
    views = list(next(iter(tests.values())))
    figure = Figure(figsize=(9, 0.8 + 0.5 * len(views)), layout="constrained")
    ax = figure.subplots()
    for k, (name, values) in enumerate(tests.items()):
        place = np.arange(len(views)) + 0.13 * (k - (len(tests) - 1) / 2)
        middle = np.array([values[view].value for view in views])
        sides = [
            [max(v.value - v.low, 0) for v in values.values()],
            [max(v.high - v.value, 0) for v in values.values()],
        ]
        ax.errorbar(middle, place, xerr=sides, fmt="o", ms=4, lw=1.2, capsize=2, label=name)
    ax.axvline(0.5, lw=0.8, ls=":", color="#555555")
    ax.set_yticks(range(len(views)), views)
    ax.invert_yaxis()
    ax.set_xlim(0.35, 1.02)
    ax.set_xlabel("area under the ROC curve (0.5: cannot be told apart)")
    figure.legend(loc="outside upper center", fontsize=8, ncols=2, frameon=False)
    return figure


def autocorrelation_curves(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Draw the noise's autocorrelation against lag, a panel a class: median, and quartiles as a band.

    Parameters
    ----------
    curves : mapping of str to pair of (n, lags + 1) arrays
        Class, and the rows of its real and of its simulated spectra.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(2.3 * len(curves) + 0.6, 2.7), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(curves), sharey=True))
    for ax, (name, sides) in zip(axes, curves.items(), strict=True):
        for rows, colour, label in zip(sides, (_REAL, _SIMULATED), ("real", "simulated"), strict=True):
            low, middle, high = np.nanpercentile(rows, (25, 50, 75), axis=0)
            lags = np.arange(len(middle))
            ax.fill_between(lags[1:], low[1:], high[1:], color=colour, alpha=0.2, lw=0)
            ax.plot(lags[1:], middle[1:], marker="o", ms=3, lw=1.2, color=colour, label=label)
        ax.axhline(0, lw=0.6, color="#555555")
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("lag / pixels", fontsize=8)
        ax.tick_params(labelsize=7)
    axes[0].set_ylabel("autocorrelation", fontsize=8)
    axes[0].legend(fontsize=7, frameon=False)
    return figure


def distributions(
    real: Mapping[str, np.ndarray],
    simulated: Mapping[str, np.ndarray],
    compared: Mapping[str, Comparison],
    *,
    title: str = "",
    columns: int = 6,
) -> Figure:
    """Draw the distribution of every compared quantity on both sides.

    Parameters
    ----------
    real, simulated : mapping of str to (n,) array
        Quantities.
    compared : mapping of str to Comparison
        Those to draw, with their Kolmogorov-Smirnov distance D.
    title : str
        Written above.
    columns : int
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = max(-(-len(compared) // columns), 1)
    height = 1.75 * rows + 0.5
    figure = Figure(figsize=(2.0 * columns, height))  # fixed margins: quicker than a constrained layout
    figure.subplots_adjust(0.01, 0.3 / height, 0.99, 1 - 0.6 / height, wspace=0.12, hspace=0.5)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (name, found) in zip(axes, compared.items(), strict=False):
        sides = [values[name][np.isfinite(values[name])] for values in (real, simulated)]
        low, high = np.percentile(np.concatenate(sides), (1, 99))
        edges = np.linspace(low, high if high > low else low + 1, 21)
        for values, colour, label in zip(sides, (_REAL, _SIMULATED), ("real", "simulated"), strict=True):
            ax.hist(
                np.clip(values, edges[0], edges[-1]),
                edges,
                weights=np.full(len(values), 1 / len(values)),
                histtype="step",
                lw=1.2,
                color=colour,
                label=label,
            )
        ax.set_title(f"{_short(name)}: D {found.distance:.2f}", fontsize=7)
        ax.set_yticks([])
        ax.tick_params(labelsize=7)
    for ax in axes[len(compared) :]:
        ax.set_axis_off()
    if compared:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", fontsize=8, ncols=2, frameon=False)
    figure.suptitle(title, fontsize=10, x=0.01, y=1 - 0.1 / height, ha="left")
    return figure


def _short(name: str) -> str:
    for long, short in (
        ("autocorrelation", "autocorr."),
        ("pixel-to-pixel noise over stated", "noise/stated"),
        ("log ivar", "lg ivar"),
        ("correlation of flux and ivar", "flux-ivar corr."),
        ("join of the arms in", "join in"),
    ):
        name = name.replace(long, short)
    return name
