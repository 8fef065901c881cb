"""What telescope, spectrographs and pipeline do to a spectrum: calibration, arms, sky, noise, lost pixels.

Templates of stars and galaxies have LAMOST's resolution already (R about 1800) and are not smoothed again. The shape of
the noise comes from ``data/noise/lamost_noise.npz``, statistics fitted to the inverse variances of real LAMOST spectra.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from racnet_tools.resources import data_path
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["distort", "expose", "median_snr"]

N = LAMOST_GRID.n_pixels
_X = np.linspace(-1, 1, N)
_LEGENDRE = np.polynomial.legendre.legvander(_X, 6)[:, 1:].T.astype(np.float32)
# Spread of the logarithmic calibration error by Legendre order: LAMOST calibrates fluxes relatively, with standard
# stars whose own reddening is not known (Du et al. 2016, ApJS 227, 27), so smooth shapes are not to be trusted.
_TILTS = np.array([0.33, 0.135, 0.075, 0.05, 0.04, 0.03], np.float32)
# Telluric bands (Angstrom): B, H2O, A, H2O, H2O; their correction leaves residuals.
_TELLURIC = ((6865, 6950), (7165, 7330), (7590, 7700), (8120, 8350), (8930, 9100))
_SNR_BANDS = {"u": (3700, 4000), "g": (4000, 5500), "r": (5500, 6900), "i": (6900, 8200), "z": (8200, 9100)}


@lru_cache(maxsize=1)
def _noise_statistics() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.load(data_path("noise", "lamost_noise.npz"), allow_pickle=False) as f:
        return f["mean"], f["components"], f["spread"]


def distort(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Relative flux calibration gone wrong: smooth tilts, a step where the arms join, telluric residuals.

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
    strength = rng.gamma(2.0, 0.5, (n, 1)).astype(np.float32)
    log_error = (rng.standard_normal((n, 6), np.float32) * _TILTS * strength) @ _LEGENDRE
    join = LAMOST_GRID.pixel_of(rng.uniform(5700, 5950, n))
    step = (0.03 * rng.standard_t(3, n)).clip(-0.25, 0.25).astype(np.float32)
    width = rng.uniform(5, 60, n)
    log_error += step[:, None] * np.tanh((np.arange(N) - join[:, None]) / width[:, None]).astype(np.float32)
    for low, high in _TELLURIC:
        band = slice(*np.searchsorted(LAMOST_GRID.wave, (low, high)))
        depth = (0.03 * rng.standard_t(4, n)).clip(-0.2, 0.3).astype(np.float32)
        log_error[:, band] -= depth[:, None] * np.hanning(band.stop - band.start).astype(np.float32)
    flux = flux * np.exp(log_error)
    flux /= np.maximum(np.median(np.abs(flux), axis=1, keepdims=True), 1e-6)
    for row in np.flatnonzero(rng.random(n) < 0.25):  # light that the joining of the arms leaves over or takes away
        centre, half = rng.uniform(5650, 5950), rng.uniform(25, 90)
        flux[row] += np.clip(0.12 * rng.standard_t(3), -0.5, 1) * _bump(centre, half)
    for row in np.flatnonzero(rng.random(n) < 0.2):  # the red end falls to nothing, or below
        flux[row] -= rng.uniform(0, 1.3) * flux[row] * (LAMOST_GRID.wave > 9000) * _bump(9110, rng.uniform(20, 60))
    return flux


def _bump(centre: float, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * ((LAMOST_GRID.wave - centre) / sigma) ** 2).astype(np.float32)


def expose(flux: np.ndarray, snr: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise and lost pixels.

    Parameters
    ----------
    flux : (n, 3909) float32
        With median 1.
    snr : (n,) array
        Median signal-to-noise ratio per pixel over the whole window.
    rng : Generator

    Returns
    -------
    flux, ivar : (n, 3909) float32
    mask : (n, 3909) bool
        True where a pixel has no information.
    """
    n = len(flux)
    mean, components, spread = _noise_statistics()
    log_sigma = mean + (rng.standard_normal((n, len(spread)), np.float32) * spread) @ components
    sigma = 10.0 ** np.clip(log_sigma, -1.2, 1.5)
    # Faint objects are limited by the sky, bright ones by their own photons.
    own = np.sqrt(np.maximum(flux, 0.05)) ** rng.uniform(0, 1, (n, 1)).astype(np.float32)
    sigma = sigma * own
    blue = LAMOST_GRID.wave < 5800  # each arm has its own throughput on the night
    sigma *= np.exp(0.35 * rng.standard_normal((n, 1), np.float32) * blue)
    sigma *= (np.median(np.maximum(flux, 0.02) / sigma, axis=1) / snr)[:, None].astype(np.float32)
    # The pipeline's variances are a little wrong, and its sky lines leave more than noise.
    observed = flux + sigma * rng.standard_normal(flux.shape, np.float32) * rng.uniform(0.8, 1.25, (n, 1)).astype(
        np.float32
    )
    for row in np.flatnonzero(rng.random(n) < 0.3):  # what cosmic rays and sky lines left
        for place in rng.integers(0, N - 4, rng.integers(1, 7)):
            observed[row, place : place + rng.integers(1, 5)] += sigma[row, place] * 15 * rng.standard_exponential()
    mask = _lost_pixels(n, rng)
    observed = np.where(mask, 0, observed).astype(np.float32)
    return observed, np.where(mask, 0, 1 / sigma**2).astype(np.float32), mask


def _lost_pixels(n: int, rng: np.random.Generator) -> np.ndarray:
    """Ends that are cut off, dead stretches, and the wide gaps of DR1; (n, 3909) bool."""
    mask = np.zeros((n, N), bool)
    start = (rng.random(n) < 0.3) * rng.integers(0, 30, n)
    stop = N - (rng.random(n) < 0.5) * np.where(rng.random(n) < 0.2, rng.integers(0, 160, n), rng.integers(0, 21, n))
    pixels = np.arange(N)
    mask |= (pixels < start[:, None]) | (pixels >= stop[:, None])
    for row in np.flatnonzero(rng.random(n) < 0.25):  # dead stretches
        for _ in range(rng.integers(1, 5)):
            place, length = rng.integers(0, N), int(rng.geometric(0.05))
            mask[row, place : place + length] = True
    for row in np.flatnonzero(rng.random(n) < 0.25):  # the first pipeline gave no information at ends, join and A band
        lost = [(3000, rng.uniform(3930, 4180)), (rng.uniform(8940, 9080), 9999)]
        if rng.random() < 0.6:
            lost.append((rng.uniform(5450, 5800), rng.uniform(5850, 6000)))
        if rng.random() < 0.7:
            lost.append((7575, 7690))
        if rng.random() < 0.1:
            lost.append((5500, rng.uniform(6000, 7600)))
        for low, high in lost:
            mask[row, slice(*np.searchsorted(LAMOST_GRID.wave, (low, high)))] = True
    return mask


def median_snr(flux: np.ndarray, ivar: np.ndarray) -> dict[str, np.ndarray]:
    """Median signal-to-noise ratio per pixel in the bands u, g, r, i, z; each (n,), never negative."""
    ratio = flux * np.sqrt(ivar)
    bands = {name: slice(*np.searchsorted(LAMOST_GRID.wave, band)) for name, band in _SNR_BANDS.items()}
    return {f"snr_{name}": np.maximum(np.median(ratio[:, band], axis=1), 0.0) for name, band in bands.items()}
