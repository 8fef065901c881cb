"""What a trust check answers: a number with its interval, what chance gives in its place, a verdict and a sentence.

Verdicts come from intervals, never from the number alone: "yes" where the whole 95 % interval is on the good side of
what the check asks for, "no" where all of it is on the bad side, "undecided" in between and where there are too few
spectra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = [
    "FEWEST",
    "Check",
    "Logits",
    "Method",
    "checks_table",
    "coarse",
    "log_odds",
    "mean_interval",
    "rank_correlation",
    "verdict",
]

#: (network input (n, n_pix) or (n, n_pix, n_channels), target (n,)) to attribution (n, n_pix).
Method: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
#: Network input to the network's logits (n, k).
Logits: TypeAlias = Callable[[np.ndarray], np.ndarray]

FEWEST = 5  # spectra below which nothing is decided


@dataclass(frozen=True)
class Check:
    """One question asked of one way of explaining.

    Attributes
    ----------
    name : str
        The check: "injected line", "deletion", ...
    method : str
        What was checked.
    quantity : str
        What `value` measures, with its unit.
    value, lower, upper : float
        Mean over spectra, or share of them, with its 95 % interval.
    control : float
        The same quantity where there is nothing to be found.
    control_name : str
        What that is.
    n : int
        Spectra used.
    verdict : str
        "yes", "no" or "undecided": whether the check is passed.
    reading : str
        One sentence for people.
    """

    name: str
    method: str
    quantity: str
    value: float
    lower: float
    upper: float
    control: float
    control_name: str
    n: int
    verdict: str
    reading: str


def checks_table(checks: Iterable[Check]) -> Table:
    """Checks as a table, a row each, columns as the attributes of `Check`."""
    from astropy.table import Table

    rows = [asdict(check) for check in checks]
    if not rows:
        raise RacnetError("Expected at least one check. Received none.")
    table = Table({field.name: [row[field.name] for row in rows] for field in fields(Check)})
    for name in ("value", "lower", "upper", "control"):
        table[name].format = ".3f"
    return table


def verdict(lower: float, upper: float, border: float, n: int) -> str:
    """Whether a quantity that should be large is above `border`: "yes", "no" or "undecided"."""
    if n < FEWEST or not np.isfinite([lower, upper]).all():
        return "undecided"
    return "yes" if lower > border else "no" if upper < border else "undecided"


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean over spectra and its 95 % interval by Student's t; values that are not finite are left out.

    Parameters
    ----------
    values : (n,) array

    Returns
    -------
    mean, lower, upper : float
        NaN where there are too few values: one for the mean, two for the interval.
    """
    from scipy.stats import t

    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) < 2:
        return (float(known[0]) if len(known) else float("nan")), float("nan"), float("nan")
    mean = float(known.mean())
    half = float(t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return mean, mean - half, mean + half


def coarse(values: np.ndarray, width: int) -> np.ndarray:
    """Sums over segments of `width` pixels; (n, n_pix) to (n, ceil(n_pix / width)). The last may be shorter."""
    starts = np.arange(0, np.shape(values)[1], width)
    return np.add.reduceat(np.asarray(values, dtype=float), starts, axis=1)


def log_odds(logits: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Log-odds of a class against all others, logit_target - logsumexp(other logits); (n, k) and (n,) to (n,)."""
    from scipy.special import logsumexp

    rows = np.arange(len(logits))
    others = np.array(logits, dtype=float)
    others[rows, target] = -np.inf
    return logits[rows, target] - logsumexp(others, axis=1)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of each row of `a` with the same row of `b`; NaN where a row is constant.

    Parameters
    ----------
    a, b : (n, m) arrays

    Returns
    -------
    (n,) float64

    References
    ----------
    Spearman 1904, Am. J. Psychol. 15, 72; ties get their mean rank.
    """
    from scipy.stats import rankdata

    if np.shape(a) != np.shape(b) or np.ndim(a) != 2:
        raise RacnetError(f"Expected two arrays of one shape (n, m). Received: {np.shape(a)} and {np.shape(b)}.")
    ranks = [rankdata(values, axis=1) for values in (a, b)]
    first, second = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (first * second).sum(axis=1) / np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
