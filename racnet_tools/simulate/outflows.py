"""What quasars do to their own light: broad absorption by outflows and dust like that of the Small Magellanic Cloud."""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.scene import C_KM_S

__all__ = ["broad_absorption", "smc_extinction"]

# Rest wavelength (Angstrom, mean of doublets) and depth of a trough relative to that of C IV (as of the high-ionization
# objects of Weymann et al. 1991, ApJ 373, 23); the last three only where ions of low ionization absorb too.
_HIGH = ((1549.06, 1.0), (1396.76, 0.55), (1240.15, 0.9), (1215.67, 0.7), (1033.82, 1.0))
_LOW = ((2799.12, 0.55), (1857.0, 0.7), (1670.79, 0.4))
_LOW_SHARE = 0.13


def smc_extinction(wave: np.ndarray) -> np.ndarray:
    """Extinction A / E(B-V) in magnitudes at rest wavelengths in Angstrom: 1.39 (lambda / micron)^-1.2.

    The law of the Small Magellanic Cloud's bar (Prevot et al. 1984, A&A 132, 389), that of reddened quasars (Richards
    et al. 2003, AJ 126, 1131; Hopkins et al. 2004, AJ 128, 1112). Held below 1000 Angstrom.
    """
    return (1.39 * (np.maximum(wave, 1000.0) * 1e-4) ** -1.2).astype(np.float32)


def broad_absorption(flux: np.ndarray, rest: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> None:
    """Absorb in troughs 2,000 to 20,000 km/s (and more) blueward of lines, in place.

    Parameters
    ----------
    flux : (n, n_pix) float32
    rest : (n_pix,) float64
        Rest wavelengths, Angstrom, evenly spaced in their logarithm.
    rows : (k,) int
        Which spectra.
    rng : Generator
    """
    step = np.log(rest[1] / rest[0]) * C_KM_S
    for row in rows:
        velocity = np.arange(0, 30000, step)
        trough = _trough(velocity, rng)
        high = rng.lognormal(0, 0.35)
        lines = [(line, depth * (high if line != 1549.06 else 1)) for line, depth in _HIGH]
        if rng.random() < _LOW_SHARE:
            scale = rng.uniform(0.5, 1.3)
            slow = np.where(velocity < velocity[-1] * rng.uniform(0.25, 0.6), 1, 0.15)
            lines += [(line, depth * scale) for line, depth in _LOW]
        else:
            slow = np.ones(len(velocity))
        for line, depth in lines:
            place = int(np.searchsorted(rest, line))
            count = min(len(velocity), place)
            low = line in (entry[0] for entry in _LOW)
            depths = depth * trough * (slow if low else 1)
            flux[row, place - count : place] *= np.exp(-depths[:count][::-1]).astype(np.float32)


def _trough(velocity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Optical depth against outflow velocity (km/s): one to three ragged, steep-sided troughs."""
    total = np.zeros(len(velocity))
    for _ in range(rng.integers(1, 4)):
        start = rng.uniform(0, 12000)
        width = rng.lognormal(np.log(4500), 0.55)
        stop = min(start + max(width, 2000), 25000)
        edge = rng.uniform(200, 900, 2)
        shape = 0.25 * (1 + np.tanh((velocity - start) / edge[0])) * (1 + np.tanh((stop - velocity) / edge[1]))
        ragged = np.convolve(rng.standard_normal(len(velocity) + 8), np.ones(9) / 3, "valid")
        total += rng.lognormal(0.0, 0.6) * shape * np.exp(0.35 * ragged)
    return total
