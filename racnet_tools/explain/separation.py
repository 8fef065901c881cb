"""Which attention channels differ between classes, or follow a quantity such as S/N: size of the effect, and chance.

With hundreds of channels some differ by chance: every p-value is made higher for their number (Benjamini & Hochberg
1995). A significant difference may still be a tiny one: `difference` tells it in units of the weight, which lies
between 0 and 1. Spectra count as independent, so give one spectrum an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import channel_numbers, joined_weights

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["benjamini_hochberg", "epsilon_squared", "separation", "trend"]

_PERMUTATIONS, _RESAMPLES = 2000, 1000


def benjamini_hochberg(p: ArrayLike) -> np.ndarray:
    """P-values made higher for their number: those below q hold a share of at most q of false discoveries.

    Parameters
    ----------
    p : (m,) array_like

    Returns
    -------
    (m,) float64
        In the order given; NaN, for no test, stays and does not count.

    References
    ----------
    Benjamini & Hochberg 1995, J. R. Statist. Soc. B 57, 289.
    """
    values = np.asarray(p, float)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    raised = values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum.accumulate(raised[::-1])[::-1].clip(max=1)
    return adjusted


def epsilon_squared(values: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of a quantity's variance that lies between classes, corrected for what chance puts there.

    Parameters
    ----------
    values : (n, m) array
        m quantities.
    y : (n,) int array
        Classes, two or more.

    Returns
    -------
    (m,) float64
        1: classes are apart without overlap; 0: nothing, where a single estimate may be a little below. NaN for a
        constant quantity.

    References
    ----------
    Kelley 1935, PNAS 21, 554.
    """
    one_hot = (y[:, None] == np.unique(y)).astype(float)
    return _epsilon_squared(np.ones((1, len(y))), values - values.mean(axis=0), one_hot)[0]


def separation(
    weights: Sequence[np.ndarray],
    y: ArrayLike,
    classes: Sequence[str],
    *,
    seed: int = 0,
    permutations: int = _PERMUTATIONS,
    resamples: int = _RESAMPLES,
) -> Table:
    """Rank attention channels by how far they separate classes.

    Parameters
    ----------
    weights : sequence of (n, channels) arrays
        An array a block.
    y : (n,) array_like of int
        Class of each spectrum; two classes or more with two spectra or more each. Classes with less do not count.
    classes : sequence of str
        Their names.
    seed : int
        Of permutations and resampling.
    permutations, resamples : int
        Number of them; p-values cannot be below 1 / (permutations + 1).

    Returns
    -------
    Table
        A row a channel, the best first: rank, block, channel, effect (`epsilon_squared`), lower, upper (its 95 %
        interval by bootstrap within classes, corrected for bias), p_value (permutation test), p_adjusted
        (`benjamini_hochberg` over all channels), highest, lowest (classes of the highest and lowest mean weight),
        difference (of these two means).

    Raises
    ------
    RacnetError
        If shapes do not fit or there are too few classes.

    References
    ----------
    Efron & Tibshirani 1993, An Introduction to the Bootstrap, sections 10.3 and 13.3; Phipson & Smyth 2010, Stat. Appl.
    Genet. Mol. Biol. 9, 39 (p-values of permutations).
    """
    from astropy.table import Table

    from racnet_tools.evaluate._checks import check_classes  # with what it brings along it takes a second to import

    values, truth = joined_weights(weights), check_classes(y)
    if truth.shape != (len(values),) or truth.max() >= len(classes):
        raise RacnetError(
            f"Expected for each of {len(values)} spectra one of {len(classes)} classes. "
            f"Received: {len(truth)} indices up to {truth.max()}."
        )
    counts = np.bincount(truth, minlength=len(classes))
    there = np.flatnonzero(counts > 1)
    if len(there) < 2:
        told = ", ".join(f"{name} {count}" for name, count in zip(classes, counts, strict=True))
        raise RacnetError(f"Expected two classes with two spectra or more. Received: {told}.")
    usable = np.isin(truth, there)
    values, truth = values[usable], truth[usable]
    one_hot = (truth[:, None] == there).astype(float)
    centred = values - values.mean(axis=0)
    whole = np.ones((1, len(truth)))
    effect = _epsilon_squared(whole, centred, one_hot)[0]
    rng = np.random.default_rng(seed)
    lower, upper = _interval(rng, resamples, centred, one_hot, effect)
    p_value = _permutation_test(rng, permutations, centred, one_hot)
    means = (one_hot.T @ values) / one_hot.sum(axis=0)[:, None]
    names = np.asarray([*classes])[there]
    blocks, channels = channel_numbers(weights)
    order = np.argsort(-np.nan_to_num(effect, nan=-np.inf), kind="stable")
    table = Table(
        {
            "rank": np.arange(1, len(order) + 1),
            "block": blocks[order],
            "channel": channels[order],
            "effect": effect[order],
            "lower": lower[order],
            "upper": upper[order],
            "p_value": p_value[order],
            "p_adjusted": benjamini_hochberg(p_value)[order],
            "highest": names[means.argmax(axis=0)][order],
            "lowest": names[means.argmin(axis=0)][order],
            "difference": np.ptp(means, axis=0)[order],
        }
    )
    for name in ("effect", "lower", "upper"):
        table[name].format = ".3f"
    table["difference"].format = ".4f"
    table["p_value"].format = table["p_adjusted"].format = ".3g"
    return table


def trend(weights: Sequence[np.ndarray], value: ArrayLike) -> Table:
    """Rank attention channels by how closely they follow a quantity of the spectra: S/N, redshift.

    Parameters
    ----------
    weights : sequence of (n, channels) arrays
        An array a block.
    value : (n,) array_like
        NaN and masked where unknown: left out.

    Returns
    -------
    Table
        A row a channel, the closest first: rank, block, channel, n, correlation (Spearman's), p_value, p_adjusted
        (`benjamini_hochberg`). A class has its own S/N and redshifts: look at one class alone to tell them apart.

    Raises
    ------
    RacnetError
        If less than four spectra have a value.
    """
    from astropy.table import Table
    from scipy.stats import spearmanr

    values = joined_weights(weights)
    quantity: np.ndarray = np.ma.filled(np.ma.asarray(value, dtype=float), np.nan)
    known = np.isfinite(quantity)
    if quantity.shape != (len(values),) or known.sum() < 4:
        raise RacnetError(
            f"Expected a value for each of {len(values)} spectra, known for four or more. "
            f"Received: shape {quantity.shape}, {known.sum()} known."
        )
    changing = np.ptp(values[known], axis=0) > 0
    found = np.full((2, values.shape[1]), np.nan)
    if np.ptp(quantity[known]) > 0:
        for i in np.flatnonzero(changing):
            found[:, i] = spearmanr(values[known, i], quantity[known])
    blocks, channels = channel_numbers(weights)
    order = np.argsort(-np.nan_to_num(np.abs(found[0]), nan=-1), kind="stable")
    table = Table(
        {
            "rank": np.arange(1, len(order) + 1),
            "block": blocks[order],
            "channel": channels[order],
            "n": np.full(len(order), known.sum()),
            "correlation": found[0][order],
            "p_value": found[1][order],
            "p_adjusted": benjamini_hochberg(found[1])[order],
        }
    )
    table["correlation"].format = "+.3f"
    table["p_value"].format = table["p_adjusted"].format = ".3g"
    return table


def _epsilon_squared(times: np.ndarray, values: np.ndarray, one_hot: np.ndarray) -> np.ndarray:
    """Epsilon squared (b, m) of samples that hold each spectrum `times` (b, n) times; values (n, m) near 0."""
    n, k = times.sum(axis=1, keepdims=True), one_hot.shape[1]
    total = times @ values**2 - (times @ values) ** 2 / n
    between = -((times @ values) ** 2) / n
    for c in range(k):
        part = times * one_hot[:, c]
        between += (part @ values) ** 2 / part.sum(axis=1, keepdims=True)
    spread = np.ptp(values, axis=0) > 1e-9  # float32 noise of a constant weight is no variance
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread, 1 - (n - 1) / (n - k) * (total - between) / total, np.nan)


def _interval(
    rng: np.random.Generator, resamples: int, values: np.ndarray, one_hot: np.ndarray, effect: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval (m,) of epsilon squared: percentiles, less the bias that resampling adds."""
    times = np.zeros((resamples, len(values)))
    for c in range(one_hot.shape[1]):
        rows = np.flatnonzero(one_hot[:, c])
        times[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), resamples)
    found = _epsilon_squared(times, values, one_hot)
    low, high = np.quantile(found, [0.025, 0.975], axis=0) + (effect - found.mean(axis=0))
    return np.minimum(low, effect), np.clip(high, effect, 1)


def _permutation_test(
    rng: np.random.Generator, permutations: int, values: np.ndarray, one_hot: np.ndarray
) -> np.ndarray:
    """Share (m,) of shuffled labels that separate at least as well; NaN for constant quantities."""
    sizes = one_hot.sum(axis=0)

    def between(labels: np.ndarray) -> np.ndarray:
        return ((labels.T @ values) ** 2 / sizes[:, None]).sum(axis=0)

    real = between(one_hot) * (1 - 1e-9)
    reached = sum(between(one_hot[rng.permutation(len(values))]) >= real for _ in range(permutations))
    return np.where(np.ptp(values, axis=0) > 1e-9, (1 + reached) / (1 + permutations), np.nan)
