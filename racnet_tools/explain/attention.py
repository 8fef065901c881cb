"""Channel attention of any spectra: weights of every block, as a table, and their means over classes, S/N, redshift.

A weight lies between 0 and 1 and multiplies one channel of one block's features at every pixel alike: it says how much
of a channel is let through, not where in the spectrum. Blocks count from 1, channels from 0, as in the layers' names
and arrays. Reference: Zou et al. 2020, PASP 132, 044503, section 2.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.engine import Engine

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

    from racnet_tools.inference.presets import Preset

__all__ = [
    "attention_against",
    "attention_by",
    "attention_table",
    "channel_numbers",
    "joined_weights",
    "spectrum_attention",
]


def spectrum_attention(preset: Preset, flux: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Probabilities and channel weights of spectra, by ONNX Runtime.

    Parameters
    ----------
    preset : Preset
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra.

    Returns
    -------
    probabilities : (n, k) float32
    weights : list of (n, channels) float32
        An array a block.

    Raises
    ------
    RacnetError
        If the network has no attention, or cannot take the spectra.
    """
    probabilities, weights = Engine(preset.class_bytes()).predict_with_attention(flux)
    if not weights:
        raise no_attention(preset)
    return probabilities, weights


def no_attention(preset: Preset) -> RacnetError:
    """What is said of a preset whose network has no attention."""
    return RacnetError(f"Expected a network with channel attention. Received: preset {preset.name}, which has none.")


def joined_weights(weights: Sequence[np.ndarray]) -> np.ndarray:
    """Weights of all blocks side by side: (n, channels of all blocks) float64.

    Raises
    ------
    RacnetError
        If there is no block, or the blocks are not (n, channels) of the same spectra.
    """
    blocks = [np.asarray(block, np.float64) for block in weights]
    if not blocks or any(block.ndim != 2 or len(block) != len(blocks[0]) for block in blocks):
        raise RacnetError(
            "Expected the weights of one block or more, each (n, channels) of the same n spectra. "
            f"Received: {[block.shape for block in blocks] or 'no block'}."
        )
    return np.concatenate(blocks, axis=1)


def channel_numbers(weights: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Block (from 1) and channel (from 0) of each column of `joined_weights`."""
    sizes = [np.shape(block)[1] for block in weights]
    return np.repeat(np.arange(1, len(sizes) + 1), sizes), np.concatenate([np.arange(size) for size in sizes])


def attention_table(weights: Sequence[np.ndarray], spec_id: Sequence[str] | None = None) -> Table:
    """Weights as a tidy table.

    Parameters
    ----------
    weights : sequence of (n, channels) arrays
        An array a block.
    spec_id : sequence of str, optional
        Names of the spectra; their numbers from 0 otherwise.

    Returns
    -------
    Table
        A row for each spectrum and channel: spectrum, block, channel, weight.

    Raises
    ------
    RacnetError
        If the blocks are not of the same spectra, or there is not one name for each.
    """
    from astropy.table import Table

    values = joined_weights(weights)
    names = np.arange(len(values)) if spec_id is None else np.asarray(spec_id)
    if names.shape != (len(values),):
        raise RacnetError(f"Expected a name for each of {len(values)} spectra. Received: {len(names)}.")
    blocks, channels = channel_numbers(weights)
    table = Table(
        {
            "spectrum": np.repeat(names, values.shape[1]),
            "block": np.tile(blocks, len(values)),
            "channel": np.tile(channels, len(values)),
            "weight": values.ravel().astype(np.float32),
        }
    )
    table["weight"].format = ".4f"
    return table


def attention_by(weights: Sequence[np.ndarray], groups: ArrayLike) -> Table:
    """Mean weight of every channel in groups of spectra: classes, surveys.

    Parameters
    ----------
    weights : sequence of (n, channels) arrays
        An array a block.
    groups : (n,) array_like
        Name of each spectrum's group.

    Returns
    -------
    Table
        A row for each group (sorted) and channel: group, block, channel, n (spectra), mean, lower, upper (95 % interval
        of the mean by Student's t, NaN for one spectrum), std (of single spectra, n - 1 in the denominator).

    Raises
    ------
    RacnetError
        If the blocks are not of the same spectra, or there is not one group for each.
    """
    names = np.asarray(groups)
    if names.shape != (np.shape(weights[0])[0] if len(weights) else 0,) or not names.size:
        raise RacnetError(f"Expected a group for each of one spectrum or more. Received: shape {names.shape}.")
    return _means(weights, [({"group": name}, names == name) for name in np.unique(names)])


def attention_against(weights: Sequence[np.ndarray], value: ArrayLike, edges: ArrayLike) -> Table:
    """Mean weight of every channel in bins of S/N, redshift or whatever each spectrum has a number of.

    Parameters
    ----------
    weights : sequence of (n, channels) arrays
        An array a block.
    value : (n,) array_like
        NaN and masked where unknown: in no bin.
    edges : (bins + 1,) array_like
        Rising; a bin holds its lower edge, the last its upper one too (`racnet_tools.evaluate.quantile_edges` gives
        bins of equally many).

    Returns
    -------
    Table
        A row for each bin with spectra and each channel: low, high, then as `attention_by`.

    Raises
    ------
    RacnetError
        If shapes do not fit or no spectrum lies in a bin.
    """
    known: np.ndarray = np.ma.filled(np.ma.asarray(value, dtype=float), np.nan)
    borders = np.asarray(edges, float)
    if known.shape != (len(joined_weights(weights)),):
        raise RacnetError(f"Expected a value for each of {len(weights[0])} spectra. Received: shape {known.shape}.")
    if borders.ndim != 1 or len(borders) < 2 or not (np.diff(borders) > 0).all():
        raise RacnetError(f"Expected two rising edges or more. Received: {borders.tolist()}.")
    bins = []
    for low, high in pairwise(borders):
        inside = (known >= low) & ((known < high) | ((high == borders[-1]) & (known == high)))
        if inside.any():
            bins.append(({"low": low, "high": high}, inside))
    if not bins:
        raise RacnetError(f"Expected values from {borders[0]:g} to {borders[-1]:g}. Received: none in there.")
    return _means(weights, bins)


def _means(weights: Sequence[np.ndarray], parts: Sequence[tuple[dict, np.ndarray]]) -> Table:
    """Rows of what each part of the spectra (its columns, which rows) has as its channels' means."""
    from astropy.table import Table, vstack
    from scipy.stats import t

    values = joined_weights(weights)
    blocks, channels = channel_numbers(weights)
    tables = []
    for labels, rows in parts:
        inside = values[rows]
        n, mean = len(inside), inside.mean(axis=0)
        std = inside.std(axis=0, ddof=1) if n > 1 else np.full(len(mean), np.nan)
        half = t.ppf(0.975, max(n - 1, 1)) * std / np.sqrt(n)
        tables.append(
            Table(
                {
                    **{name: np.repeat(label, len(mean)) for name, label in labels.items()},
                    "block": blocks,
                    "channel": channels,
                    "n": np.full(len(mean), n),
                    "mean": mean,
                    "lower": mean - half,
                    "upper": mean + half,
                    "std": std,
                }
            )
        )
    table = vstack(tables)
    for name in ("mean", "lower", "upper", "std"):
        table[name].format = ".4f"
    return table
