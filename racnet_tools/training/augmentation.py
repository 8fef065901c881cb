"""Augmentation: training spectra changed a little, differently in every epoch, as another exposure might have them.

Done on the spectra with their inverse variance, before the preprocessing, so that noise follows each spectrum's own
errors. What happens to a spectrum depends on (seed, epoch, spectrum) alone, whatever batch it is in.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import SpectrumSet

__all__ = ["Augmentation", "augmented"]

_STREAM = 4  # keeps these random numbers apart from those of the data set's noisy copies
_STRETCHES = 2


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How much training spectra are changed; each number is the largest change, 0 for none.

    Parameters
    ----------
    noise : float
        Gaussian noise of a standard deviations of each pixel, a / sqrt(ivar), with a drawn from 0 to `noise`; the
        S/N falls by 1 / sqrt(1 + a^2).
    shift : int
        Shift by a whole number of pixels from -`shift` to `shift`. A pixel of LAMOST's grid (1e-4 in log10 of the
        wavelength) is a velocity of 69 km/s, so 3 pixels are 207 km/s or 0.0007 in redshift.
    tilt : float
        The spectrum is multiplied by 1 + a P1(u) + b P2(u) with Legendre polynomials, u from -1 to 1 along the pixels
        and a, b from -`tilt` to `tilt`: an error of the flux calibration. Below 0.5.
    gap : int
        Two stretches of 0 to `gap` pixels, anywhere, are dropped (and filled by the preprocessing as gaps are).

    Raises
    ------
    RacnetError
        When a value is outside its range.
    """

    noise: float = 0.5
    shift: int = 3
    tilt: float = 0.1
    gap: int = 40

    def __post_init__(self) -> None:
        """Check every value."""
        for name, below in (("noise", math.inf), ("tilt", 0.5)):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < below:
                raise RacnetError(f"{name} must be a number of 0 to below {below}. Received: {name}={value!r}")
        for name in ("shift", "gap"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise RacnetError(f"{name} must be a whole number of pixels from 0. Received: {name}={value!r}")


def augmented(
    spectra: SpectrumSet, rows: np.ndarray, copies: np.ndarray, how: Augmentation, *, seed: int, epoch: int
) -> SpectrumSet:
    """Changed spectra.

    Parameters
    ----------
    spectra : SpectrumSet
    rows, copies : (n,) int arrays
        Which spectrum of the store, and which copy of it, each one is.
    how : Augmentation
    seed, epoch : int
        The same two change the same spectrum alike.

    Returns
    -------
    SpectrumSet
        Inverse variances and masks changed along; the table is as before. A spectrum that would lose its last good
        pixel is left as it is.
    """
    flux, ivar, mask = spectra.flux.copy(), spectra.ivar.copy(), spectra.mask.copy()
    n_pixels = flux.shape[1]
    u = np.linspace(-1, 1, n_pixels, dtype=np.float32)
    curve = (3 * u**2 - 1) / 2
    for i in range(len(flux)):
        rng = np.random.default_rng([_STREAM, seed, epoch, int(rows[i]), int(copies[i])])
        # Drawn in this order always: a setting changes nothing of what the others do.
        level = np.float32(rng.uniform(0, how.noise))
        shift = int(rng.integers(-how.shift, how.shift, endpoint=True))
        slope, bend = rng.uniform(-how.tilt, how.tilt, 2).astype(np.float32)
        starts = rng.integers(n_pixels, size=_STRETCHES)
        lengths = rng.integers(how.gap, size=_STRETCHES, endpoint=True)

        f, v, bad = flux[i].copy(), ivar[i].copy(), mask[i].copy()
        if level:
            measured = ~bad & (f != 0)  # zeros stay zero: they are no measurements (see Preprocessing)
            f[measured] += rng.standard_normal(int(measured.sum()), np.float32) * level / np.sqrt(v[measured])
            v /= 1 + level**2
        f, v, bad = (_moved(values, shift, edge) for values, edge in ((f, 0), (v, 0), (bad, True)))
        factor = 1 + slope * u + bend * curve
        f *= factor
        v /= factor**2
        for start, length in zip(starts, lengths, strict=True):
            bad[start : start + length] = True
        v[bad] = 0
        if (~bad & (f != 0)).any():
            flux[i], ivar[i], mask[i] = f, v, bad
    return SpectrumSet(spectra.wave, flux, ivar, mask, spectra.table, spectra.meta)


def _moved(values: np.ndarray, shift: int, edge: float | bool) -> np.ndarray:
    """Pixels moved to the right by `shift`, with `edge` where nothing comes from."""
    moved = np.full_like(values, edge)
    if abs(shift) >= len(values):
        return moved
    if shift >= 0:
        moved[shift:] = values[: len(values) - shift]
    else:
        moved[:shift] = values[-shift:]
    return moved
