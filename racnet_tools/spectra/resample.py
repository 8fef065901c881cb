"""Bringing spectra to another wavelength grid: exact slices where the phases agree, flux-conserving otherwise.

Between unequal grids a new pixel is the mean of the old pixels it overlaps, weighted by the overlap in wavelength
(as in Carnall 2017, arXiv:1705.05165), so the integral of the flux density is kept. Variances add with the squared
weights. A new pixel that touches a masked pixel or the outside of the spectrum is masked and has no information.
"""

from __future__ import annotations

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.grid import LogLambdaGrid

__all__ = ["coinciding", "phase_offset", "resample_arrays"]

# SDSS stores log-wavelengths as float32, good to 0.003 pixel; 0.02 pixel is 1.4 km/s.
_PHASE_TOLERANCE = 0.02


def phase_offset(wave: np.ndarray, grid: LogLambdaGrid) -> int | None:
    """Whole number of pixels by which `wave` starts after `grid`, or None where the pixels do not coincide.

    Parameters
    ----------
    wave : (n_pix,) array
        Vacuum wavelengths, Angstrom, increasing.
    grid : LogLambdaGrid
        The grid to compare with.

    Returns
    -------
    int or None
        ``k`` such that ``wave[i]`` is ``grid.wave[i + k]`` within 0.02 pixel for every pixel.
    """
    pixel = grid.pixel_of(wave)
    offset = int(np.rint(pixel[0]))
    if np.abs(pixel - np.arange(len(wave)) - offset).max() <= _PHASE_TOLERANCE:
        return offset
    return None


def coinciding(wave: np.ndarray, grid: LogLambdaGrid) -> tuple[slice, slice] | None:
    """Which pixels of a grid are pixels of the spectrum, and which those are; None where pixels do not coincide.

    Raises
    ------
    RacnetError
        If the spectrum and the grid have no pixel in common.
    """
    if wave[-1] < grid.wave[0] or wave[0] > grid.wave[-1]:
        raise RacnetError(
            f"The spectrum covers {wave[0]:.1f}-{wave[-1]:.1f} Angstrom, outside the grid's "
            f"{grid.wave[0]:.1f}-{grid.wave[-1]:.1f} Angstrom; nothing can be resampled. Are the units Angstrom?"
        )
    offset = phase_offset(wave, grid)
    if offset is None:
        return None
    here = slice(max(offset, 0), min(offset + len(wave), grid.n_pixels))
    return here, slice(here.start - offset, here.stop - offset)


def resample_arrays(
    wave: np.ndarray, flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray, grid: LogLambdaGrid
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flux, inverse variance and mask on `grid`.

    Parameters
    ----------
    wave : (n_pix,) float array
        Vacuum wavelengths of the pixel centres, Angstrom, increasing.
    flux, ivar : (n, n_pix) float arrays
        Flux density per Angstrom and its inverse variance (0 = no information).
    mask : (n, n_pix) bool array
        True = bad.
    grid : LogLambdaGrid
        The new grid.

    Returns
    -------
    flux, ivar : (n, grid.n_pixels) float32
        Outside the old coverage both are 0.
    mask : (n, grid.n_pixels) bool
        True outside the old coverage too.

    Raises
    ------
    RacnetError
        If the spectrum and the grid have no pixel in common.
    """
    same = coinciding(wave, grid)
    if same is None:
        return _conserve(wave, flux, ivar, mask, grid)
    here, there = same
    shape = (len(flux), grid.n_pixels)
    new_flux, new_ivar, new_mask = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, bool)
    new_flux[:, here], new_ivar[:, here], new_mask[:, here] = flux[:, there], ivar[:, there], mask[:, there]
    return new_flux, new_ivar, new_mask


def _edges(wave: np.ndarray) -> np.ndarray:
    middle = 0.5 * (wave[1:] + wave[:-1])
    return np.concatenate([[1.5 * wave[0] - 0.5 * wave[1]], middle, [1.5 * wave[-1] - 0.5 * wave[-2]]])


def _conserve(wave, flux, ivar, mask, grid):
    old, new = _edges(wave), _edges(grid.wave)
    covered = (new[:-1] >= old[0]) & (new[1:] <= old[-1])
    first = np.clip(np.searchsorted(old, new[:-1], side="right") - 1, 0, len(wave) - 1)
    last = np.clip(np.searchsorted(old, new[1:], side="left") - 1, 0, len(wave) - 1)
    good_flux = np.where(np.isfinite(flux), flux, 0.0)
    bad = mask | ~np.isfinite(flux) | ~(ivar > 0)
    variance = np.where(bad, 0.0, 1.0 / np.where(bad, 1.0, ivar))
    shape = (len(flux), grid.n_pixels)
    mean, total, touched = np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    width = np.diff(new)
    for k in range(int((last - first).max()) + 1):
        index = np.minimum(first + k, last)
        overlap = np.minimum(new[1:], old[index + 1]) - np.maximum(new[:-1], old[index])
        weight = np.where((first + k <= last) & covered, np.maximum(overlap, 0.0) / width, 0.0)
        mean += weight * good_flux[:, index]
        total += weight**2 * variance[:, index]
        touched |= (weight > 1e-9) & bad[:, index]
    touched |= ~covered
    new_ivar = np.where(touched | (total <= 0), 0.0, 1.0 / np.where(total > 0, total, 1.0))
    return mean.astype(np.float32), new_ivar.astype(np.float32), touched
