"""Whether one classifier is better than another on the same spectra, and how far runs of one differ by seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate._checks import check_pair, check_scores
from racnet_tools.evaluate.accuracy import wilson_interval

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["McNemar", "Spread", "compare_all", "mcnemar", "spread"]


@dataclass(frozen=True)
class McNemar:
    """Two classifiers on the same spectra.

    Attributes
    ----------
    only_a, only_b : int
        Spectra that only the first, only the second has right.
    p_value : float
        Chance of such an uneven split or a more uneven one if both were equally good (exact, two-sided).
    difference : float
        Accuracy of the first less that of the second.
    lower, upper : float
        95 % interval of the difference.
    """

    only_a: int
    only_b: int
    p_value: float
    difference: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return (
            f"{self.difference:+.1%} ({self.lower:+.1%} to {self.upper:+.1%}, "
            f"right alone {self.only_a} and {self.only_b}, p = {self.p_value:.2g})"
        )


def mcnemar(y: ArrayLike, predicted_a: ArrayLike, predicted_b: ArrayLike) -> McNemar:
    """Compare two classifiers on the same spectra, by the spectra that only one of them has right.

    Parameters
    ----------
    y, predicted_a, predicted_b : (n,) array_like of int
        True classes and those predicted by the first and the second.

    Returns
    -------
    McNemar
        With the exact (binomial) test, and Newcombe's interval for the difference of paired proportions (method 10).
        The two rest on different approximations and may disagree at the 5 % border.

    Raises
    ------
    RacnetError
        If lengths differ or classes are no indices.

    References
    ----------
    McNemar 1947, Psychometrika 12, 153; Newcombe 1998, Statist. Med. 17, 2635.
    """
    from scipy.stats import binomtest

    truth, first = check_pair(y, predicted_a, "predicted_a")
    _, second = check_pair(y, predicted_b, "predicted_b")
    a, b = first == truth, second == truth
    both, only_a, only_b, none = (int(rows.sum()) for rows in (a & b, a & ~b, ~a & b, ~a & ~b))
    p_value = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    return McNemar(only_a, only_b, p_value, (only_a - only_b) / len(truth), *_newcombe(both, only_a, only_b, none))


def compare_all(predicted: Mapping[str, ArrayLike], y: ArrayLike) -> Table:
    """Compare every classifier with every other on the same spectra.

    Parameters
    ----------
    predicted : mapping of str to (n,) array_like of int
        Predicted classes of each classifier, two or more.
    y : (n,) array_like of int
        True classes.

    Returns
    -------
    Table
        A row for each pair, in the order given: a, b (names), only_a, only_b, difference, lower, upper, p_value (as
        `McNemar`), p_holm (p_value made higher for the number of pairs, so that below 0.05 in any row is a chance
        finding in at most 5 % of such tables).

    Raises
    ------
    RacnetError
        If there are less than two classifiers, lengths differ or classes are no indices.

    References
    ----------
    Holm 1979, Scand. J. Statist. 6, 65.
    """
    from astropy.table import Table

    if len(predicted) < 2:
        raise RacnetError(f"Expected two classifiers or more. Received: {', '.join(predicted) or 'none'}.")
    rows = []
    for a, b in combinations(predicted, 2):
        one = mcnemar(y, predicted[a], predicted[b])
        rows.append((a, b, one.only_a, one.only_b, one.difference, one.lower, one.upper, one.p_value))
    table = Table(rows=rows, names=("a", "b", "only_a", "only_b", "difference", "lower", "upper", "p_value"))
    table["p_holm"] = _holm(np.array(table["p_value"]))
    for name in ("difference", "lower", "upper"):
        table[name].format = "+.4f"
    table["p_value"].format = table["p_holm"].format = ".3g"
    return table


@dataclass(frozen=True)
class Spread:
    """A value from runs that differ by seed alone.

    Attributes
    ----------
    n : int
        Number of seeds.
    mean : float
    std : float or None
        Standard deviation of one run (n - 1 in the denominator); None for one seed.
    lower, upper : float or None
        95 % interval of the mean by Student's t; None for one seed. It speaks of seeds, not of other spectra.
    """

    n: int
    mean: float
    std: float | None
    lower: float | None
    upper: float | None

    def __str__(self) -> str:
        if self.std is None:
            return f"{self.mean:.4f} (one seed)"
        return f"{self.mean:.4f} ± {self.std:.4f} ({self.lower:.4f} to {self.upper:.4f}, {self.n} seeds)"


def spread(values: ArrayLike) -> Spread:
    """Mean and scatter of a value over seeds.

    Parameters
    ----------
    values : (n,) array_like
        One for each seed, such as the accuracy.

    Returns
    -------
    Spread

    Raises
    ------
    RacnetError
        If there is none, or one is not finite.
    """
    from scipy.stats import t

    given = check_scores(values)
    n, mean = len(given), float(given.mean())
    if n < 2:
        return Spread(n, mean, None, None, None)
    std = float(given.std(ddof=1))
    half = float(t.ppf(0.975, n - 1)) * std / n**0.5
    return Spread(n, mean, std, mean - half, mean + half)


def _newcombe(both: int, only_a: int, only_b: int, none: int) -> tuple[float, float]:
    n = both + only_a + only_b + none
    right_a, right_b = both + only_a, both + only_b
    p_a, p_b = right_a / n, right_b / n
    low_a, high_a = wilson_interval(right_a, n)
    low_b, high_b = wilson_interval(right_b, n)
    # Correlation of the two, with the continuity correction that makes this method 10.
    product = float(right_a) * right_b * (n - right_a) * (n - right_b)
    excess = float(both * none - only_a * only_b)
    excess = max(excess - n / 2, 0.0) if excess > 0 else excess
    phi = excess / product**0.5 if product else 0.0

    def reach(x: float, z: float) -> float:
        return max(x**2 - 2 * phi * x * z + z**2, 0.0) ** 0.5

    difference = (only_a - only_b) / n
    return difference - reach(p_a - low_a, high_b - p_b), difference + reach(high_a - p_a, p_b - low_b)


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    raised = np.empty(len(p))
    raised[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return raised
