"""The continuum of a spectrum: what stands in for a stretch that is hidden from the network."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from racnet_tools.errors import RacnetError

__all__ = ["BASELINE", "continuum"]

BASELINE = "the continuum (running median over 31,000 km/s)"
"""What `continuum` gives, in words."""

_BIN = 30  # pixels of 69 km/s
_MEDIAN = 15  # bins
_SMOOTH = 2.0  # bins


def continuum(flux: np.ndarray) -> np.ndarray:
    """Continua of spectra, without lines and bands that are narrower than about 15,000 km/s.

    The medians of pieces of 30 pixels get a running median of 15 pieces, are smoothed and joined by straight lines.

    Parameters
    ----------
    flux : (n, n_pix) array
        Evenly spaced in log wavelength, 1e-4 dex a pixel; finite.

    Returns
    -------
    (n, n_pix) float32

    Raises
    ------
    RacnetError
        If `flux` is not (n, n_pix) with 30 pixels or more.
    """
    flux = np.asarray(flux, np.float32)
    if flux.ndim != 2 or flux.shape[1] < _BIN:
        raise RacnetError(f"Expected spectra (n, n_pix) of {_BIN} pixels or more. Received: shape {flux.shape}.")
    n, n_pix = flux.shape
    pieces = n_pix // _BIN
    edges = np.linspace(0, n_pix, pieces + 1).astype(int)
    medians = np.stack([np.median(flux[:, a:b], axis=1) for a, b in itertools.pairwise(edges)], axis=1)
    smooth = gaussian_filter1d(
        median_filter(medians, size=(1, min(_MEDIAN, pieces)), mode="nearest"), _SMOOTH, axis=1, mode="nearest"
    )
    centres = (edges[:-1] + edges[1:] - 1) / 2
    pixels = np.arange(n_pix)
    return np.stack([np.interp(pixels, centres, row) for row in smooth]).astype(np.float32).reshape(n, n_pix)
