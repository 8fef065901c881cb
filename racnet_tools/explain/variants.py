"""Whether networks that differ by seed or by kind of attention agree in their attention on the same spectra.

Channels have no common order: channel 5 of one network is not channel 5 of another. What can be compared is (a) which
spectra a block gives similar weights to (centred kernel alignment), also after the means of the classes are taken away,
since all networks that know the classes agree in these; (b) channels matched one to one on half of the spectra, judged
on the other half.

Weights follow from features and these from the spectrum's shape, so that networks agree that were never trained: put
one with shuffled weights (`racnet_tools.explain.agreement.shuffled_weights`) among them to see how much.

References: Kornblith, Norouzi, Lee & Hinton 2019, ICML (arXiv:1905.00414), made free of its bias for few spectra by
Song, Smola, Gretton, Bedo & Borgwardt 2012, JMLR 13, 1393, equation 4; matching: Li, Yosinski, Clune, Lipson & Hopcroft
2016, ICLR (arXiv:1511.07543).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import joined_weights
from racnet_tools.explain.check import rank_correlation

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["compare_attention", "kernel_alignment", "match_channels"]


def kernel_alignment(a: np.ndarray, b: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Linear centred kernel alignment of two descriptions of the same spectra, without bias.

    Parameters
    ----------
    a, b : (n, channels of each) arrays
        Four spectra or more.
    groups : (n,) array, optional
        Only spectra of one group are compared with one another: what is alike within classes, not through them.

    Returns
    -------
    float
        1 where they are the same but for shift, rotation and one factor; 0 on average where they have nothing to do
        with each other (a single value may be a little below). NaN for a constant description.

    Raises
    ------
    RacnetError
        If they are not of the same spectra, or of less than four.
    """
    parts = _parts(a, b, np.zeros(len(a)) if groups is None else np.asarray(groups))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(
            _common(parts) / np.sqrt(_common([(k, k) for k, _ in parts]) * _common([(m, m) for _, m in parts]))
        )


def match_channels(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Match channels of two networks one to one so that the sum of their rank correlations is highest.

    Parameters
    ----------
    a, b : (n, channels of each) arrays
        Weights for the same spectra.

    Returns
    -------
    of_a, of_b : (m,) int
        Channels matched, m as many as the smaller has.

    References
    ----------
    Kuhn 1955, Naval Res. Logist. Quart. 2, 83 (the Hungarian method).
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.stats import rankdata

    ranks = [rankdata(values, axis=0) for values in (a, b)]
    scaled = []
    for rank in ranks:
        centred = rank - rank.mean(axis=0)
        scaled.append(centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-12))
    return linear_sum_assignment(scaled[0].T @ scaled[1], maximize=True)


def compare_attention(
    networks: Mapping[str, Sequence[np.ndarray]],
    y: ArrayLike,
    *,
    seed: int = 0,
    permutations: int = 200,
) -> Table:
    """Compare the attention of every two networks on the same spectra, block by block.

    Parameters
    ----------
    networks : mapping of str to sequence of (n, channels) arrays
        Name of each network and its weights, an array a block. Networks may differ in channels, not in blocks.
    y : (n,) array_like of int
        Classes of the spectra, four spectra or more of each.
    seed : int
        Of halves and permutations.
    permutations : int

    Returns
    -------
    Table
        A row for each pair and block (0: all blocks joined): a, b, block, alignment (`kernel_alignment`), p_value
        (share of permutations of the spectra with as much), alignment_within (of what is left without the classes'
        means), p_within (permutations within classes), matched (mean rank correlation of matched channels on the
        spectra that they were not matched on), matched_chance (the same with one network's spectra permuted within
        classes: what the classes alone give), profile (rank correlation of matched channels' class means, each
        channel's mean over the classes taken away, on the spectra that they were not matched on).

    Raises
    ------
    RacnetError
        If there are less than two networks, or spectra or blocks differ.
    """
    from astropy.table import Table

    from racnet_tools.evaluate._checks import check_classes  # with what it brings along it takes a second to import

    truth = check_classes(y)
    _check(networks, truth)
    rng = np.random.default_rng(seed)
    half = _halves(truth, rng)
    orders = [rng.permutation(len(truth)) for _ in range(permutations)]
    inside = [_within(truth, rng) for _ in range(permutations)]
    rows = []
    for a, b in combinations(networks, 2):
        for block in range(len(networks[a]) + 1):
            first, second = (
                joined_weights(networks[name] if block == 0 else [networks[name][block - 1]]) for name in (a, b)
            )
            measures: list[float] = []
            for groups, shuffled in ((np.zeros(len(truth)), orders), (truth, inside)):
                measures.append(kernel_alignment(first, second, groups))
                parts = _parts(first, second, groups)
                real = _common(parts)
                reached = sum(_common(_reordered(parts, groups, order)) >= real for order in shuffled)
                measures.append((1 + reached) / (1 + permutations))
            matched, profile = _matched(first, second, truth, half)
            chance, _ = _matched(first, second[inside[0]], truth, half) if inside else (np.nan, np.nan)
            rows.append((a, b, block, *measures, matched, chance, profile))
    measured = ("alignment", "p_value", "alignment_within", "p_within", "matched", "matched_chance", "profile")
    table = Table(rows=rows, names=("a", "b", "block", *measured))
    for name in measured:
        table[name].format = ".3g" if name.startswith("p_") else "+.3f"
    return table


def _check(networks: Mapping[str, Sequence[np.ndarray]], truth: np.ndarray) -> None:
    if len(networks) < 2:
        raise RacnetError(f"Expected the attention of two networks or more. Received: {', '.join(networks) or 'none'}.")
    shapes = {name: (len(joined_weights(weights)), len(weights)) for name, weights in networks.items()}
    if len({*shapes.values()}) > 1 or next(iter(shapes.values()))[0] != len(truth):
        told = ", ".join(f"{name} {n} spectra, {blocks} blocks" for name, (n, blocks) in shapes.items())
        raise RacnetError(f"Expected the same {len(truth)} spectra and as many blocks of each. Received: {told}.")
    counts = np.bincount(truth)
    if counts[counts > 0].min() < 4:
        raise RacnetError(f"Expected four spectra or more of each class. Received: {counts.tolist()}.")


def _parts(a: np.ndarray, b: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernels (spectra, spectra) of both descriptions with empty diagonals, for each group."""
    if np.ndim(a) != 2 or np.ndim(b) != 2 or len(a) != len(b) or len(a) < 4:
        raise RacnetError(
            "Expected two arrays (n, channels) of the same four spectra or more. "
            f"Received: shapes {np.shape(a)} and {np.shape(b)}."
        )
    parts = []
    for group in np.unique(groups):
        pair = []
        for values in (a, b):
            inside = np.asarray(values, float)[groups == group]
            centred = inside - inside.mean(axis=0)
            gram = centred @ centred.T
            np.fill_diagonal(gram, 0)
            pair.append(gram)
        parts.append((pair[0], pair[1]))
    return parts


def _common(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Hilbert-Schmidt independence criterion without bias; of groups, the mean weighted by their spectra."""
    total = 0.0
    for k, m in parts:
        n = len(k)
        cross = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 * k.sum(axis=0) @ m.sum(axis=0) / (n - 2)
        total += ((k * m).sum() + cross) / (n - 3)
    return float(total)


def _reordered(
    parts: Sequence[tuple[np.ndarray, np.ndarray]], groups: np.ndarray, order: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernels with the second network's spectra in another order, which keeps each in its group."""
    found = []
    for group, (k, m) in zip(np.unique(groups), parts, strict=True):
        rows = np.flatnonzero(groups == group)
        place = np.searchsorted(rows, order[rows])
        found.append((k, m[np.ix_(place, place)]))
    return found


def _within(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of the spectra in which each class keeps its places."""
    order = np.arange(len(truth))
    for c in np.unique(truth):
        rows = np.flatnonzero(truth == c)
        order[rows] = rng.permutation(rows)
    return order


def _halves(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whether a spectrum belongs to the half to match on; half of each class does."""
    half = np.zeros(len(truth), bool)
    for c in np.unique(truth):
        rows = rng.permutation(np.flatnonzero(truth == c))
        half[rows[: len(rows) // 2]] = True
    return half


def _matched(a: np.ndarray, b: np.ndarray, truth: np.ndarray, half: np.ndarray) -> tuple[float, float]:
    """Mean rank correlation of matched channels, and rank correlation of their class means."""
    of_a, of_b = match_channels(a[half], b[half])
    first, second, classes = a[~half][:, of_a], b[~half][:, of_b], truth[~half]
    means = [np.stack([values[classes == c].mean(axis=0) for c in np.unique(classes)]) for values in (first, second)]
    shown = [(mean - mean.mean(axis=0)).reshape(1, -1) for mean in means]
    each = rank_correlation(first.T, second.T)
    matched = float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")
    return matched, float(rank_correlation(*shown)[0])
