"""Instruments other than LAMOST's: what a network should not rely on, varied more than LAMOST varies.

Spectra of other surveys, resampled to LAMOST's pixels, differ in resolution, flux calibration, noise and coverage.
Training on these variations (domain randomisation; Tobin et al. 2017, IROS, 23) keeps a network from learning one
instrument. Ranges are wide on purpose and fitted to no survey.
"""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.instrument import diffused
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["vary_exposure", "vary_light"]

N = LAMOST_GRID.n_pixels
_SMOOTH = np.polynomial.legendre.legvander(np.linspace(-1, 1, N), 4)[:, 1:].T.astype(np.float32)
_TILTS = np.array([0.3, 0.12, 0.06, 0.05], np.float32)


def vary_light(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light through other optics: smooth errors of the calibration, and for half the spectra a lower resolution.

    Parameters
    ----------
    flux : (n, 3909) float32
    rng : Generator

    Returns
    -------
    (n, 3909) float32
        Each with median 1 (in absolute value).
    """
    n = len(flux)
    flux = flux * np.exp((rng.standard_normal((n, 4), np.float32) * _TILTS) @ _SMOOTH)
    share = (rng.uniform(0, 0.25, (n, 1)) * (rng.random((n, 1)) < 0.5)).astype(np.float32)
    flux = diffused(flux, share)
    return flux / np.maximum(np.median(np.abs(flux), axis=1, keepdims=True), 1e-6)


def vary_exposure(
    flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Another detector: ends that it does not cover, gaps, and a stated noise that is wrong by a factor.

    Parameters
    ----------
    flux, ivar : (n, 3909) float32
    mask : (n, 3909) bool
    rng : Generator

    Returns
    -------
    flux, ivar, mask
        Of the same shapes.
    """
    n, pixels = len(flux), np.arange(N)
    first = (rng.uniform(0, 500, (n, 1)) * (rng.random((n, 1)) < 0.4)).astype(int)
    last = N - (rng.uniform(0, 350, (n, 1)) * (rng.random((n, 1)) < 0.3)).astype(int)
    start, width = rng.integers(0, N, (n, 1)), rng.integers(10, 250, (n, 1)) * (rng.random((n, 1)) < 0.15)
    lost = (pixels < first) | (pixels >= last) | ((pixels >= start) & (pixels < start + width))
    factor = np.exp(rng.normal(0, 0.2, (n, 1))).astype(np.float32)
    return np.where(lost, 0, flux), np.where(lost, 0, ivar * factor), mask | lost
