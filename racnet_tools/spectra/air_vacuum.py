"""Wavelengths in standard air and in vacuum.

Refractive index of Ciddor (1996, Applied Optics 35, 1566), as SDSS and VALD use it, for dry air at 15 C and one
atmosphere. LAMOST, SDSS and DESI publish vacuum wavelengths; many line lists and template libraries are in air.
Below 2000 Angstrom the convention is vacuum everywhere, and values pass unchanged.
"""

from __future__ import annotations

import numpy as np

__all__ = ["air_to_vacuum", "vacuum_to_air"]

_SHORTEST = 2000.0


def _refractive_index(vacuum: np.ndarray) -> np.ndarray:
    sigma2 = (1e4 / vacuum) ** 2
    return 1.0 + 5.792105e-2 / (238.0185 - sigma2) + 1.67917e-3 / (57.362 - sigma2)


def vacuum_to_air(wave: np.ndarray | float) -> np.ndarray:
    """Air wavelengths of vacuum ones.

    Parameters
    ----------
    wave : array_like
        Vacuum wavelengths, Angstrom.

    Returns
    -------
    ndarray
        Air wavelengths, Angstrom, float64, same shape.
    """
    wave = np.asarray(wave, dtype=np.float64)
    return np.where(wave < _SHORTEST, wave, wave / _refractive_index(np.maximum(wave, _SHORTEST)))


def air_to_vacuum(wave: np.ndarray | float) -> np.ndarray:
    """Vacuum wavelengths of air ones: the inverse of `vacuum_to_air`, found by iteration to 1e-9 Angstrom.

    Parameters
    ----------
    wave : array_like
        Air wavelengths, Angstrom.

    Returns
    -------
    ndarray
        Vacuum wavelengths, Angstrom, float64, same shape.
    """
    wave = np.asarray(wave, dtype=np.float64)
    vacuum = wave
    for _ in range(4):  # each pass shrinks the error by four orders of magnitude
        vacuum = wave * _refractive_index(np.maximum(vacuum, _SHORTEST))
    return np.where(wave < _SHORTEST, wave, vacuum)
