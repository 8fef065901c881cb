"""What the measures of this package ask of their input; each check says what it expected and what it received."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["check_classes", "check_pair", "check_probabilities", "check_scores"]


def check_classes(y: ArrayLike, name: str = "y") -> np.ndarray:
    """Class indices as an (n,) int array; refuses none, more dimensions, fractions and negative numbers."""
    given = np.asarray(y)
    if given.ndim != 1 or not given.size or not np.issubdtype(given.dtype, np.integer) or given.min() < 0:
        lowest = f", lowest {given.min()}" if given.size and np.issubdtype(given.dtype, np.number) else ""
        raise RacnetError(
            f"Expected {name} to be class indices, (n,) integers of 0 or more for at least one spectrum. "
            f"Received: shape {given.shape}, {given.dtype}{lowest}."
        )
    return given.astype(np.int64)


def check_pair(y: ArrayLike, predicted: ArrayLike, name: str = "predicted") -> tuple[np.ndarray, np.ndarray]:
    """True and predicted class indices of the same spectra."""
    truth, given = check_classes(y), check_classes(predicted, name)
    if truth.shape != given.shape:
        raise RacnetError(f"Expected {name} for each of {len(truth)} spectra of y. Received: {len(given)}.")
    return truth, given


def check_probabilities(p: ArrayLike, y: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities as (n, k) float64 and the class indices that belong to them ((0,) where `y` is not given)."""
    values = np.asarray(p, np.float64)
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise RacnetError(f"Expected p of shape (spectra, classes), two classes or more. Received: {values.shape}.")
    sums = values.sum(axis=1)
    # A thousandth is what half precision leaves of a sum of one.
    wrong = ~(np.isfinite(sums) & (values >= 0).all(axis=1) & (np.abs(sums - 1) < 2e-3))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise RacnetError(
            "Expected p to be probabilities: finite, not negative, every row with the sum 1. "
            f"Received: {int(wrong.sum())} other rows, the first is row {first} with the sum {sums[first]:.4g}."
        )
    if y is None:
        return values, np.empty(0, np.int64)
    truth = check_classes(y)
    if len(truth) != len(values) or truth.max() >= values.shape[1]:
        raise RacnetError(
            f"Expected y for {len(values)} spectra, class indices below {values.shape[1]}. "
            f"Received: {len(truth)} with the highest index {truth.max()}."
        )
    return values, truth


def check_scores(score: ArrayLike, n: int | None = None) -> np.ndarray:
    """Scores as (n,) float64; refuses none and values that are not finite."""
    values = np.asarray(score, np.float64)
    if values.ndim != 1 or not values.size or n not in (None, len(values)):
        wanted = "at least one spectrum" if n is None else f"each of {n} spectra"
        raise RacnetError(f"Expected a score for {wanted}. Received: shape {values.shape}.")
    if not np.isfinite(values).all():
        raise RacnetError(f"Expected finite scores. Received: {int((~np.isfinite(values)).sum())} that are not.")
    return values
