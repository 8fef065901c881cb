"""What is gained by leaving unsure spectra out: risk against coverage, and how well a score marks the wrong ones.

A score is higher where the network is less sure (`racnet_tools.models.uncertainty.ood_score`, one minus the largest
probability, ...). A threshold keeps the spectra whose score is not above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate._checks import check_pair, check_scores

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["Auroc", "area_under_risk_coverage", "auc", "auroc", "risk_coverage", "threshold_for_coverage"]

_Z = NormalDist().inv_cdf(0.975)


def risk_coverage(y: ArrayLike, predicted: ArrayLike, score: ArrayLike) -> Table:
    """Share of errors among the spectra that are kept, for every threshold of rejection.

    Parameters
    ----------
    y, predicted : (n,) array_like of int
        True and predicted classes.
    score : (n,) array_like
        Higher where less sure. Spectra of one score are kept or rejected together.

    Returns
    -------
    Table
        Columns coverage (share of spectra kept), risk (share of these that is wrong), threshold (the highest score that
        is kept); a row for every value of the score, the last with all spectra.

    Raises
    ------
    RacnetError
        If the three differ in length, are empty or have other than class indices and finite scores.

    References
    ----------
    El-Yaniv and Wiener 2010, JMLR 11, 1605; Geifman and El-Yaniv 2017, NeurIPS (arXiv:1705.08500).
    """
    from astropy.table import Table

    table = Table(_curve(y, predicted, score), names=("coverage", "risk", "threshold"))
    table["coverage"].format = table["risk"].format = ".4f"
    return table


def area_under_risk_coverage(y: ArrayLike, predicted: ArrayLike, score: ArrayLike) -> float:
    """Mean risk over all coverages: small where few are wrong and the wrong ones are those the network is unsure of.

    Parameters
    ----------
    y, predicted : (n,) array_like of int
        True and predicted classes.
    score : (n,) array_like
        Higher where less sure.

    Returns
    -------
    float
        From 0 to 1; about the share of errors for a score that knows nothing.

    Raises
    ------
    RacnetError
        As for `risk_coverage`.

    References
    ----------
    Geifman and El-Yaniv 2017, NeurIPS (arXiv:1705.08500); named AURC by Geifman, Uziel and El-Yaniv 2019, ICLR.
    """
    coverage, risk, _ = _curve(y, predicted, score)
    return float((risk * np.diff(coverage, prepend=0.0)).sum())


def threshold_for_coverage(score: ArrayLike, coverage: float) -> float:
    """Threshold that keeps a wanted share of spectra; choose it on validation spectra.

    Parameters
    ----------
    score : (n,) array_like
        Higher where less sure.
    coverage : float
        Share to keep, above 0 and at most 1.

    Returns
    -------
    float
        The lowest score such that at least this share has no higher one. Where many spectra have this very score more
        are kept.

    Raises
    ------
    RacnetError
        If there is no finite score for each spectrum, or the share is no share.
    """
    values = check_scores(score)
    if not 0 < coverage <= 1:
        raise RacnetError(f"Expected a coverage above 0, at most 1. Received: {coverage}.")
    # The small number takes back rounding: 0.07 of 100 spectra are 7, not 8.
    number = max(1, int(np.ceil(coverage * len(values) - 1e-9)))
    return float(np.sort(values)[number - 1])


@dataclass(frozen=True)
class Auroc:
    """Area under the ROC curve with its 95 % interval; NaN where one side has no spectra."""

    value: float
    lower: float
    upper: float
    n_positive: int
    n_negative: int

    def __str__(self) -> str:
        sides = f"{self.n_positive} against {self.n_negative}"
        if not (self.n_positive and self.n_negative):
            return f"undefined ({sides})"
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f}, {sides})"


def auroc(score: ArrayLike, positive: ArrayLike) -> Auroc:
    """Chance that the score of a spectrum to be found (wrong, or of no known class) is above that of another one.

    Parameters
    ----------
    score : (n,) array_like
        Higher where less sure.
    positive : (n,) array_like of bool
        Which spectra the score should find.

    Returns
    -------
    Auroc
        0.5 for a score that knows nothing, 1 for one that always knows; ties count half. The interval is DeLong's,
        within 0 and 1. Where its variance is nothing or unknown (all found, or one spectrum on a side) the interval of
        Newcombe's method 5 stands in, which has a width there too.

    Raises
    ------
    RacnetError
        If the two differ in length, are empty or have other than finite scores and truth values.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837; Newcombe 2006, Statist. Med. 25, 559.
    """
    from scipy.stats import rankdata

    values = check_scores(score)
    wanted = np.asarray(positive)
    if wanted.shape != values.shape or not np.isin(wanted, (0, 1)).all():
        raise RacnetError(
            f"Expected True or False for each of {len(values)} spectra. Received: {wanted.dtype}, {wanted.shape}."
        )
    yes = wanted.astype(bool)
    m, n = int(yes.sum()), int((~yes).sum())
    value = auc(yes, values)
    if not (m and n):
        return Auroc(value, float("nan"), float("nan"), m, n)
    rank = rankdata(values)
    # Share of the other side that each positive is above, and that each negative is below.
    above = (rank[yes] - rankdata(values[yes])) / n
    below = 1 - (rank[~yes] - rankdata(values[~yes])) / m
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n if min(m, n) > 1 else 0.0
    if variance > 1e-15:
        half = _Z * float(np.sqrt(variance))
        return Auroc(value, max(0.0, value - half), min(1.0, value + half), m, n)
    return Auroc(value, *_newcombe(value, m, n), m, n)


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a positive scores higher than a negative (ties count half).

    Parameters
    ----------
    positive : (n,) bool array
        Which rows are positive.
    score : (n,) array
        Rows without a finite score are left out.

    Returns
    -------
    float
        NaN where one side is empty.
    """
    known = np.isfinite(score)
    yes, values = np.asarray(positive, bool)[known], np.asarray(score, float)[known]
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    n_yes, n_no = int(yes.sum()), int((~yes).sum())
    return float((rank[yes].sum() - n_yes * (n_yes + 1) / 2) / (n_yes * n_no)) if n_yes and n_no else float("nan")


def _curve(y: ArrayLike, predicted: ArrayLike, score: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth, given = check_pair(y, predicted)
    threshold, place, count = np.unique(check_scores(score, len(truth)), return_inverse=True, return_counts=True)
    kept = np.cumsum(count)
    wrong = np.cumsum(np.bincount(place, truth != given, minlength=len(count)))
    return kept / len(truth), wrong / kept, threshold


def _newcombe(value: float, m: int, n: int) -> tuple[float, float]:
    """Score interval with the variance of Hanley and McNeil 1982 for exponential scores, averaged over m and n."""
    from scipy.optimize import brentq

    def excess(theta: float) -> float:
        spread = 1 + ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (value - theta) ** 2 - _Z**2 * theta * (1 - theta) * spread / (m * n)

    lower = brentq(excess, 1e-12, value - 1e-9) if value > 1e-6 else 0.0
    upper = brentq(excess, value + 1e-9, 1 - 1e-12) if value < 1 - 1e-6 else 1.0
    return float(lower), float(upper)
