"""Whether a network is as often right as it says: reliability, calibration error and temperature scaling.

A network that gives 0.9 to a hundred spectra is calibrated if about ninety of them have that class. Everywhere `p`
is (n, k), the probabilities of k classes for n spectra, and `y` is (n,), the index of the true class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate._checks import check_probabilities
from racnet_tools.evaluate.accuracy import Proportion

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = [
    "apply_temperature",
    "brier_score",
    "calibration_interval",
    "expected_calibration_error",
    "fit_temperature",
    "negative_log_likelihood",
    "reliability",
]

# A softmax in single precision says 0 for less than this; the logarithm of 0 would be infinite.
_SMALLEST = float(np.finfo(np.float32).tiny)
_TEMPERATURES = (0.05, 20.0)
_SAMPLES = 1000


def reliability(p: ArrayLike, y: ArrayLike, bins: int = 15) -> Table:
    """How often the network is right among spectra that it is equally sure of: the points of a reliability diagram.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1.
    y : (n,) array_like of int
        True classes.
    bins : int
        Number of bins of equal width from 0 to 1, by the largest probability; a value on a border goes below it.

    Returns
    -------
    Table
        Columns low, high (borders), n, confidence (mean largest probability), accuracy (share that is right), lower,
        upper (95 % Wilson interval of it). Bins without spectra are left out.

    Raises
    ------
    RacnetError
        If the input is no probabilities with their true classes, or `bins` is less than 1.

    References
    ----------
    Guo et al. 2017, ICML (arXiv:1706.04599), section 2.
    """
    from astropy.table import Table

    place, confidence, right = _binned(p, y, bins)
    number = np.bincount(place, minlength=bins)
    rows = []
    for k in np.flatnonzero(number):
        share = Proportion(int(right[place == k].sum()), int(number[k]))
        rows.append((k / bins, (k + 1) / bins, share.n, confidence[place == k].mean(), share.value, *share.interval))
    table = Table(rows=rows, names=("low", "high", "n", "confidence", "accuracy", "lower", "upper"))
    for name in ("low", "high", "confidence", "accuracy", "lower", "upper"):
        table[name].format = ".3f"
    return table


def expected_calibration_error(p: ArrayLike, y: ArrayLike, bins: int = 15) -> float:
    """Mean difference between how sure the network is and how often it is right, over the bins of `reliability`.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1.
    y : (n,) array_like of int
        True classes.
    bins : int
        Number of bins of equal width.

    Returns
    -------
    float
        From 0 (calibrated) to 1; each bin weighs as many spectra as it has. Chance differences in the bins add up and
        do not cancel, so few spectra make it too high.

    Raises
    ------
    RacnetError
        As for `reliability`.

    References
    ----------
    Naeini, Cooper and Hauskrecht 2015, AAAI; Guo et al. 2017, ICML (arXiv:1706.04599), equation 3.
    """
    place, confidence, right = _binned(p, y, bins)
    return _error(place, confidence - right, bins)


def calibration_interval(p: ArrayLike, y: ArrayLike, bins: int = 15, *, seed: int) -> tuple[float, float]:
    """95 % interval of the expected calibration error, from bootstrap samples of the spectra.

    Drawing again adds chance to every bin and so raises the error of the samples; they are moved as a whole so that
    their median is the error itself, which therefore always lies in the interval.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1.
    y : (n,) array_like of int
        True classes.
    bins : int
        Number of bins of equal width.
    seed : int
        For the 1000 samples.

    Returns
    -------
    lower, upper : float

    Raises
    ------
    RacnetError
        As for `reliability`.
    """
    place, confidence, right = _binned(p, y, bins)
    gap = confidence - right
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, len(gap), len(gap)) for _ in range(_SAMPLES))
    found = np.array([_error(place[rows], gap[rows], bins) for rows in drawn])
    lower, median, upper = np.percentile(found, (2.5, 50, 97.5))
    value = _error(place, gap, bins)
    return max(0.0, float(value + lower - median)), min(1.0, float(value + upper - median))


def negative_log_likelihood(p: ArrayLike, y: ArrayLike) -> float:
    """Mean of minus the logarithm of the probability that each spectrum's true class was given (the cross-entropy).

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1. Less than 1.2e-38 (0 in single precision) counts as that.
    y : (n,) array_like of int
        True classes.

    Returns
    -------
    float
        In nats; 0 for certain and right, ln k for all classes alike.

    Raises
    ------
    RacnetError
        If the input is no probabilities with their true classes.
    """
    values, truth = check_probabilities(p, y)
    return float(-np.log(np.maximum(values[np.arange(len(truth)), truth], _SMALLEST)).mean())


def brier_score(p: ArrayLike, y: ArrayLike) -> float:
    """Mean squared distance of the probabilities from certainty of the true class, summed over classes.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1.
    y : (n,) array_like of int
        True classes.

    Returns
    -------
    float
        From 0 (certain and right) to 2 (certain and wrong).

    Raises
    ------
    RacnetError
        If the input is no probabilities with their true classes.

    References
    ----------
    Brier 1950, Monthly Weather Review 78, 1.
    """
    values, truth = check_probabilities(p, y)
    return float(((values - np.eye(values.shape[1])[truth]) ** 2).sum(axis=1).mean())


def fit_temperature(p: ArrayLike, y: ArrayLike) -> float:
    """Temperature that makes the probabilities most likely for spectra of known class: more than 1 if too sure.

    Fit it on validation spectra, never on those that calibration is then measured on.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1. Their logarithms stand for the network's logits (they differ by a constant for
        each spectrum, which has no effect).
    y : (n,) array_like of int
        True classes.

    Returns
    -------
    float
        From 0.05 to 20. One of these ends means that the spectra do not fix it, as where all are right.

    Raises
    ------
    RacnetError
        If the input is no probabilities with their true classes.

    References
    ----------
    Guo et al. 2017, ICML (arXiv:1706.04599), section 4.2; Platt 1999 for two classes.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    values, truth = check_probabilities(p, y)
    logits = np.log(np.maximum(values, _SMALLEST))
    own = logits[np.arange(len(truth)), truth].mean()

    def loss(log_temperature: float) -> float:
        beta = np.exp(-log_temperature)
        return float(logsumexp(beta * logits, axis=1).mean() - beta * own)

    low, high = np.log(_TEMPERATURES)
    found = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
    # Of equal losses (all classes alike, say) the temperature that changes nothing.
    best = 0.0 if loss(0.0) <= found.fun else found.x
    return float(np.exp(best))


def apply_temperature(p: ArrayLike, temperature: float) -> np.ndarray:
    """Probabilities made less sure (temperature above 1) or surer (below 1); the order of the classes stays.

    Parameters
    ----------
    p : (n, k) array_like
        Probabilities; rows sum to 1.
    temperature : float
        Of `fit_temperature`; 1 changes nothing.

    Returns
    -------
    (n, k) float64 array
        The softmax of the logits over the temperature.

    Raises
    ------
    RacnetError
        If `p` is no probabilities or the temperature is not above 0.
    """
    from scipy.special import softmax

    values, _ = check_probabilities(p)
    if not (np.isfinite(temperature) and temperature > 0):
        raise RacnetError(f"Expected a temperature above 0. Received: {temperature}.")
    return np.asarray(softmax(np.log(np.maximum(values, _SMALLEST)) / temperature, axis=1))


def _binned(p: ArrayLike, y: ArrayLike, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values, truth = check_probabilities(p, y)
    if bins < 1:
        raise RacnetError(f"Expected one bin or more. Received: {bins}.")
    confidence = values.max(axis=1)
    place = np.searchsorted(np.arange(bins + 1) / bins, confidence, side="left") - 1
    return np.clip(place, 0, bins - 1), confidence, values.argmax(axis=1) == truth


def _error(place: np.ndarray, gap: np.ndarray, bins: int) -> float:
    return float(np.abs(np.bincount(place, gap, minlength=bins)).sum() / len(gap))
