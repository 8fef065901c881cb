"""What figures of explanations show, computed once for the printed and the interactive form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.check import Check, mean_interval
from racnet_tools.explain.faithfulness import Curves
from racnet_tools.plots.prepared import required

if TYPE_CHECKING:
    from racnet_tools.explain.attribution import Attribution
    from racnet_tools.explain.channels import Excitation
    from racnet_tools.plots.prepared import Columns

__all__ = [
    "VERDICTS",
    "Maps",
    "TrustPanel",
    "attention_picture",
    "class_pictures",
    "curve_pairs",
    "curve_summary",
    "excitation_limits",
    "excitation_title",
    "maps_of",
    "texts",
    "trust_panels",
]

#: Verdict of a check to its sign and colour; told apart without colour by the sign.
VERDICTS = {"yes": ("✓", "#228833"), "no": ("✗", "#bb5566"), "undecided": ("?", "#6b7280")}


def excitation_title(one: Excitation) -> str:
    """Channel, and where in the spectra its stretches lie (median, and the half of them around it)."""
    low, middle, high = np.percentile(one.wave, [25, 50, 75])
    return f"block {one.block}, channel {one.channel}: {middle:.0f} Å ({low:.0f} to {high:.0f})"


def excitation_limits(one: Excitation) -> tuple[float, float]:
    """Range of fluxes that shows the mean whole and nearly all of the stretches; a median near 0 makes some huge."""
    low, high = np.percentile(one.stretches, [2, 98])
    low, high = min(low, one.mean.min()), max(high, one.mean.max())
    return float(low - 0.05 * (high - low)), float(high + 0.05 * (high - low))


def attention_picture(attention: Sequence[np.ndarray]) -> np.ndarray:
    """Attention of every block as one picture, averaged over the spectra.

    Parameters
    ----------
    attention : sequence of (n, channels) or (channels,) arrays
        One array a block.

    Returns
    -------
    (blocks, widest) float array
        A block of fewer channels has broader cells; where they do not fit evenly, the rest of its row is NaN.

    Raises
    ------
    RacnetError
        If there is no block.
    """
    if not len(attention):
        raise RacnetError("Expected the attention of at least one block. Received none: has this network attention?")
    weights = [np.atleast_2d(block).mean(axis=0) for block in attention]
    widest = max(len(block) for block in weights)
    picture = np.full((len(weights), widest), np.nan)
    for row, block in zip(picture, weights, strict=True):
        if widest % len(block) == 0:
            row[:] = np.repeat(block, widest // len(block))
        else:
            row[: len(block)] = block
    return picture


def class_pictures(means: Mapping[str, Sequence[np.ndarray]]) -> tuple[dict[str, np.ndarray], float]:
    """Each class's attention less the mean of all classes, and the largest difference.

    Parameters
    ----------
    means : mapping of str to sequence of (channels,) arrays
        Class and its mean attention, one array a block.
    """
    required(means, "class")
    pictures = {name: attention_picture(blocks) for name, blocks in means.items()}
    shared = np.mean(list(pictures.values()), axis=0)
    apart = {name: picture - shared for name, picture in pictures.items()}
    return apart, max(max(float(np.nanmax(np.abs(picture))) for picture in apart.values()), 1e-6)


@dataclass(frozen=True)
class Maps:
    """A spectrum and what several methods say of it.

    Attributes
    ----------
    wave : (n_pix,) array
        Angstrom, vacuum.
    flux, baseline : (n_pix,) arrays
        Over the root mean square of the flux.
    panels : list of (str, (n_pix,) array, str)
        Method, its values and their unit.
    target : str
        Class explained.
    baseline_name : str
    """

    wave: np.ndarray
    flux: np.ndarray
    baseline: np.ndarray
    panels: list[tuple[str, np.ndarray, str]]
    target: str
    baseline_name: str


def maps_of(explained: Sequence[Attribution], index: int) -> Maps:
    """One spectrum of attributions of the same spectra by different methods.

    Raises
    ------
    RacnetError
        If there is none, or they are not of the same class of the same spectrum.
    """
    if not len(explained):
        raise RacnetError("Expected the attribution of at least one method. Received none.")
    first = explained[0]
    for other in explained[1:]:
        same = other.values.shape == first.values.shape and other.target[index] == first.target[index]
        if not (same and np.array_equal(other.flux[index], first.flux[index])):
            raise RacnetError(
                f"Expected attributions of one class of the same spectra. Received: {first.method} and {other.method} "
                "of different ones. Explain the same flux and target with each method."
            )
    scale = float(np.sqrt(np.mean(first.flux[index].astype(float) ** 2))) or 1.0
    return Maps(
        wave=first.wave,
        flux=first.flux[index] / scale,
        baseline=first.baseline[index] / scale,
        panels=[(one.method.split(",")[0], one.values[index], one.unit) for one in explained],  # settings: the caption
        target=first.classes[int(first.target[index])],
        baseline_name=first.baseline_name,
    )


def curve_summary(values: np.ndarray) -> np.ndarray:
    """Mean over spectra of curves (n, s) with its 95 % interval; (3, s): mean, lower, upper."""
    return np.array([mean_interval(column) for column in np.asarray(values, dtype=float).T]).T


def curve_pairs(curves: Mapping[str, Curves], kind: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Label, share and `curve_summary` of every method's curve of a kind, and last of the random orders."""
    required(curves, "method's curves")
    found = [(name, one.share, curve_summary(getattr(one, kind))) for name, one in curves.items()]
    last = list(curves.values())[-1]
    return [*found, ("random order", last.share, curve_summary(getattr(last, f"random_{kind}")))]


@dataclass(frozen=True)
class TrustPanel:
    """Checks with one axis: their labels, values, error bars (2, n), controls and verdicts, in order."""

    quantity: str
    labels: list[str]
    value: np.ndarray
    errors: np.ndarray
    control: np.ndarray
    verdicts: list[str]
    readings: list[str]


def trust_panels(checks: Sequence[Check]) -> list[TrustPanel]:
    """Checks by what they measure: shares and correlations, which go to 1, before gaps in log-odds."""
    if not len(checks):
        raise RacnetError("Expected at least one check. Received none.")
    gaps = [check for check in checks if "log-odds" in check.quantity]
    rest = [check for check in checks if check not in gaps]
    made = []
    for quantity, group in (("share or rank correlation", rest), ("gap to random order / log-odds", gaps)):
        if group:
            value = np.array([check.value for check in group])
            ends = np.array([[check.value - check.lower, check.upper - check.value] for check in group]).T
            made.append(
                TrustPanel(
                    quantity,
                    [f"{check.name}: {check.method}" for check in group],
                    value,
                    np.maximum(ends, 0),
                    np.array([check.control for check in group]),
                    [check.verdict for check in group],
                    [check.reading for check in group],
                )
            )
    return made


def texts(table: Columns, name: str) -> list[str]:
    """A column of text."""
    if hasattr(table, "colnames") or isinstance(table, Mapping):
        return [str(value) for value in table[name]]  # type: ignore[index,call-overload]
    return [str(row[name]) for row in table]  # type: ignore[union-attr]
