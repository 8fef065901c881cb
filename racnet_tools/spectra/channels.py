"""The numbers that a network may be given of every pixel, and how they follow from a changed flux.

A network that takes the flux alone has input (n, n_pix); one of several channels (n, n_pix, n_channels), flux first.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CHANNELS", "flux_of", "joined_channels", "running_mean", "with_flux"]

CHANNELS = ("flux", "contrast", "quality")
"""In the order in which a network is given them; see `racnet_tools.spectra.Preprocessing`."""
_CONTINUUM = 401  # pixels, 28,000 km/s: wider than the lines of most quasars
_LOWEST = 0.05  # of the root mean square of the flux: the continuum is not taken to be lower
_CONTRAST = (-2.0, 5.0)


def joined_channels(
    n_channels: int, unit_flux: np.ndarray, flux: np.ndarray, norm: np.ndarray, inverse_sigma: np.ndarray
) -> np.ndarray:
    """The flux and the channels that follow from it and the noise, (n, n_pix, n_channels) float32.

    Parameters
    ----------
    n_channels : int
        2 or 3: how many of `CHANNELS`.
    unit_flux : (n, n_pix) float32 array
        The first channel.
    flux : (n, n_pix) float32 array
        The same in any unit, without gaps.
    norm : (n,) array
        Euclidean norm of each spectrum of `flux`.
    inverse_sigma : (n, n_pix) array
        One over the standard error of each pixel of `flux`, 0 where it is bad.
    """
    x = np.empty((*flux.shape, n_channels), np.float32)
    x[:, :, 0] = unit_flux
    continuum = _continuum(flux, norm)
    contrast = flux / continuum
    contrast -= 1
    np.clip(contrast, *_CONTRAST, out=x[:, :, 1])
    if n_channels > 2:
        np.log1p(continuum * inverse_sigma, out=x[:, :, 2], casting="same_kind")
    return x


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
    return joined_channels(x.shape[2], flux, flux, unit, inverse_sigma)


def _continuum(flux: np.ndarray, norm: np.ndarray) -> np.ndarray:
    """Running mean of spectra, nowhere much below the mean of the whole; (n, n_pix) float32."""
    continuum = running_mean(flux, _CONTINUUM)
    floor = (_LOWEST / np.sqrt(flux.shape[1]) * norm[:, None]).astype(np.float32)
    return np.maximum(continuum, floor, out=continuum)


def running_mean(flux: np.ndarray, width: int) -> np.ndarray:
    """Mean over `width` (odd) pixels about each, over fewer at the ends; (n, n_pix) float32."""
    length, half = flux.shape[1], width // 2
    total = np.zeros((len(flux), length + 2 * half + 1))  # of all pixels before each, from `half` before the first
    inside = total[:, half + 1 : half + 1 + length]
    inside[:] = flux
    np.cumsum(inside, axis=1, out=inside)
    total[:, half + 1 + length :] = inside[:, -1:]
    pixels = np.arange(length)
    counts = np.minimum(pixels + half + 1, length) - np.maximum(pixels - half, 0)
    mean = np.empty(flux.shape, np.float32)
    return np.divide(total[:, width:] - total[:, :-width], counts, out=mean, casting="same_kind")
