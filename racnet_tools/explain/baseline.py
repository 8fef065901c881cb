"""The continuum of spectra: what stands in an attribution for "no line here".

A running median starts, then a smoother with a penalty on the second difference (Whittaker 1923, Proc. Edinburgh
Math. Soc. 41, 63; Eilers 2003, Anal. Chem. 75, 3631) is fitted again and again, each pixel weighted by Tukey's biweight
of its distance from the last fit in units of the local scatter, so that lines and noise spikes lose their say. Features
narrower than about 20,000 km/s go; the broad shape, which M stars' bands and the break at 4000 Angstrom belong to
where they are broader, stays: an occlusion cannot tell what the continuum itself contributes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import median_filter, uniform_filter1d

from racnet_tools.errors import RacnetError

__all__ = ["BASELINE_NAME", "continuum"]

#: What attributions say of their baseline.
BASELINE_NAME = "smooth continuum of the same spectrum (robust Whittaker smoother, 20,000 km/s)"

_PERIOD = 600  # pixels: a wave of this period is halved; 600 x 69 km/s are two features of 20,000 km/s side by side
_MEDIAN = 301  # pixels
_PASSES = 6
_TUKEY = 4.685  # scatters; 95 % efficiency for Gaussian noise


def continuum(flux: np.ndarray) -> np.ndarray:
    """Smooth, robust continuum of spectra.

    Parameters
    ----------
    flux : (n, n_pix) array
        As the network takes it: finite everywhere, on a grid uniform in log10 of the wavelength, 1e-4 dex a pixel.

    Returns
    -------
    (n, n_pix) float32
        In the unit of `flux`. Scales with the flux: ``continuum(a * flux) == a * continuum(flux)``.

    Raises
    ------
    RacnetError
        If `flux` has another number of axes or is not finite.
    """
    flux = np.asarray(flux, dtype=np.float64)
    if flux.ndim != 2 or not np.isfinite(flux).all():
        raise RacnetError(
            f"Expected finite spectra of shape (n, n_pix). Received: shape {flux.shape}, "
            f"{np.count_nonzero(~np.isfinite(flux))} values not finite. Preprocessing fills gaps."
        )
    return np.stack([_one(row) for row in flux]).astype(np.float32) if len(flux) else flux.astype(np.float32)


def _one(flux: np.ndarray) -> np.ndarray:
    n_pix = len(flux)
    width = min(_MEDIAN, n_pix // 4 * 2 + 1)
    penalty = _penalty(n_pix)
    start = median_filter(flux, width, mode="nearest")
    fit = start
    for _ in range(_PASSES):
        away = flux - fit
        # Scatter within a few times the median's width: noise differs along a spectrum.
        scatter = 1.4826 * uniform_filter1d(_coarse_median(np.abs(away), width), 3 * width, mode="nearest")
        scatter = np.maximum(scatter, 1e-6 * np.abs(flux).max() + np.finfo(float).tiny)
        weights = np.clip(1 - (away / (_TUKEY * scatter)) ** 2, 0, None) ** 2
        # Where all pixels of a long stretch are outliers, the median holds the fit in place.
        towards = np.where(weights > 0, flux, start)
        weights = np.maximum(weights, 1e-3)
        banded = penalty.copy()
        banded[-1] += weights
        fit = solveh_banded(banded, weights * towards)
    return fit


def _coarse_median(values: np.ndarray, width: int) -> np.ndarray:
    """Median of each of a row of segments, interpolated back to pixels: a running median at a fraction of the cost."""
    edges = np.linspace(0, len(values), max(2, len(values) // width) + 1).astype(int)
    medians = [np.median(values[a:b]) for a, b in pairwise(edges)]
    return np.interp(np.arange(len(values)), (edges[:-1] + edges[1:] - 1) / 2, medians)


def _penalty(n_pix: int) -> np.ndarray:
    """Upper band form, (3, n_pix), of strength times the second difference squared."""
    strength = (_PERIOD / (2 * np.pi)) ** 4
    main = np.full(n_pix, 6.0)
    main[[0, -1]], main[[1, -2]] = 1.0, 5.0
    above = np.full(n_pix, -4.0)
    above[[1, -1]] = -2.0
    return strength * np.stack([np.ones(n_pix), above, main])
