"""Checks of what the judging functions are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from racnet_tools.errors import RacnetError

__all__ = ["labels", "probabilities", "scores"]


def probabilities(p: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Class probabilities (n, k) that sum to 1 and true class indices (n,), or an error that says what is wrong."""
    given, truth = np.asarray(p, dtype=np.float64), np.asarray(y)
    if given.ndim != 2 or given.shape[1] < 2 or not len(given):
        raise RacnetError(f"Expected probabilities of shape (n, classes), n of 1 or more. Received: {given.shape}.")
    if not np.isfinite(given).all() or (given < 0).any() or np.abs(given.sum(axis=1) - 1).max() > 1e-3:
        raise RacnetError("Expected probabilities: finite, not negative, rows that sum to 1. Received others.")
    if truth.shape != (len(given),) or not np.issubdtype(truth.dtype, np.integer):
        raise RacnetError(f"Expected {len(given)} class indices. Received: {truth.dtype} of shape {truth.shape}.")
    if truth.min() < 0 or truth.max() >= given.shape[1]:
        raise RacnetError(
            f"Expected class indices from 0 to {given.shape[1] - 1}. Received: {truth.min()} to {truth.max()}."
        )
    return given, truth


def labels(y: ArrayLike, *predicted: ArrayLike) -> list[np.ndarray]:
    """True and predicted class indices of one length, at least one."""
    arrays = [np.asarray(values) for values in (y, *predicted)]
    if arrays[0].ndim != 1 or not len(arrays[0]) or any(values.shape != arrays[0].shape for values in arrays):
        raise RacnetError(
            f"Expected labels of one length, 1 or more. Received: {', '.join(str(a.shape) for a in arrays)}."
        )
    return arrays


def scores(score: ArrayLike, n: int) -> np.ndarray:
    """A finite number for each of `n` spectra."""
    found = np.asarray(score, dtype=np.float64)
    if found.shape != (n,) or not np.isfinite(found).all():
        raise RacnetError(f"Expected {n} finite scores. Received: shape {found.shape}, or values that are not finite.")
    return found
