"""The numbers that a network may be given of every pixel, and how they follow from a changed flux.

A network that takes the flux alone has input (n, n_pix); one of several channels (n, n_pix, n_channels), flux first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["CHANNELS", "flux_of", "further_channels", "running_mean", "with_flux"]

CHANNELS = ("flux", "contrast", "quality")
"""In the order in which a network is given them; see `racnet_tools.spectra.Preprocessing`."""
_CONTINUUM = 401  # pixels, 28,000 km/s: wider than the lines of most quasars
_LOWEST = 0.05  # of the root mean square of the flux: the continuum is not taken to be lower
_CONTRAST = (-2.0, 5.0)


def further_channels(
    names: Sequence[str], flux: np.ndarray, norm: np.ndarray, inverse_sigma: np.ndarray
) -> list[np.ndarray]:
    """The channels that follow from flux and noise; each (n, n_pix) float32.

    Parameters
    ----------
    names : sequence of str
        Of `CHANNELS`, without the flux.
    flux : (n, n_pix) float32 array
        In any unit, without gaps.
    norm : (n,) array
        Euclidean norm of each spectrum.
    inverse_sigma : (n, n_pix) array
        One over the standard error of each pixel, 0 where it is bad.
    """
    continuum = _continuum(flux, norm)
    made = {"contrast": lambda: np.clip(flux / continuum - 1, *_CONTRAST),
            "quality": lambda: np.log1p(continuum * inverse_sigma)}  # fmt: skip
    return [made[name]() for name in names]


def flux_of(x: np.ndarray) -> np.ndarray:
    """The flux (n, n_pix) in network input (n, n_pix) or (n, n_pix, n_channels)."""
    return x if x.ndim == 2 else x[:, :, 0]


def with_flux(x: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Network input of the same spectra with another flux: every channel follows it, noise and bad pixels stay.

    Parameters
    ----------
    x : (n, n_pix) or (n, n_pix, n_channels) array
        Network input; its channels are the first of `CHANNELS`. Or a single spectrum, n = 1, for all of `flux`.
    flux : (m, n_pix) array
        What is to stand in the place of `flux_of` (x), in its unit; it is not normalised anew.

    Returns
    -------
    (m, n_pix) or (m, n_pix, n_channels) float32
    """
    flux = np.asarray(flux, np.float32)
    if x.ndim == 2:
        return flux
    unit = np.ones(len(x))
    inverse_sigma = np.expm1(x[:, :, 2]) / _continuum(x[:, :, 0], unit) if x.shape[2] > 2 else np.zeros(())
    further = further_channels(CHANNELS[1 : x.shape[2]], flux, unit, inverse_sigma)
    return np.stack([flux, *further], axis=2, dtype=np.float32, casting="same_kind")


def _continuum(flux: np.ndarray, norm: np.ndarray) -> np.ndarray:
    """Running mean of spectra, nowhere much below the mean of the whole; (n, n_pix) float32."""
    continuum = running_mean(flux, _CONTINUUM)
    floor = (_LOWEST / np.sqrt(flux.shape[1]) * norm[:, None]).astype(np.float32)
    return np.maximum(continuum, floor, out=continuum)


def running_mean(flux: np.ndarray, width: int) -> np.ndarray:
    """Mean over `width` (odd) pixels about each, over fewer at the ends; (n, n_pix) float32."""
    n, length = flux.shape
    total = np.zeros((n, length + 1))
    np.cumsum(flux, axis=1, dtype=np.float64, out=total[:, 1:])
    pixels = np.arange(length)
    first, last = np.maximum(pixels - width // 2, 0), np.minimum(pixels + width // 2 + 1, length)
    return ((total[:, last] - total[:, first]) / (last - first)).astype(np.float32)
