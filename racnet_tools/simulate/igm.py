"""What lies between a quasar and us: the Lyman forest, damped systems and Lyman limits, at LAMOST's pixels.

The forest is a log-normal field of optical depth whose mean transmission is that of real quasars (Becker et al. 2013,
MNRAS 430, 2067, equation 5), smoothed to LAMOST's resolution. Damped systems and Lyman limits fall at random along the
line of sight, as often as they do in surveys.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from racnet_tools.spectra import LAMOST_GRID

__all__ = ["intergalactic_transmission", "mean_depth"]

_ALPHA, _LIMIT = 1215.67, 911.75
# Lyman beta to delta: wavelength (Angstrom) and effective depth over that of Lyman alpha at the same redshift.
_HIGHER = ((1025.72, 0.30), (972.54, 0.13), (949.74, 0.07))
_SPREAD = 1.9  # of ln(optical depth) from pixel to pixel; gives the forest of z = 3 a scatter of about 35 per cent
_LSF = np.exp(-0.5 * (np.arange(-4, 5) / 1.02) ** 2).astype(np.float32)  # R = 1800 in pixels of 69 km/s
_LSF /= _LSF.sum()


def mean_depth(z: np.ndarray) -> np.ndarray:
    """Effective depth -ln<F> of the Lyman alpha forest at redshift `z` (Becker et al. 2013; a power below 2)."""
    z = np.asarray(z, dtype=np.float64)
    depth = 0.751 * ((1 + z) / 4.5) ** 2.90 - 0.132
    return np.where(z > 2.15, depth, 0.137 * ((1 + z) / 3.15) ** 2.5)


@lru_cache(maxsize=1)
def _scales() -> tuple[np.ndarray, ...]:
    """Ln of A at every pixel, for each line, with which <exp(-A exp(spread g))> over normal g has the wanted mean."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    log_a = np.linspace(-9, 9, 400)
    mean = np.exp(-np.exp(log_a[:, None] + _SPREAD * nodes)) @ (weights / weights.sum())
    known = -np.log(np.maximum(mean, 1e-30))
    return tuple(
        np.interp(ratio * mean_depth(LAMOST_GRID.wave / line - 1), known, log_a).astype(np.float32)
        for line, ratio in ((_ALPHA, 1.0), *_HIGHER)
    )


def _forest(scale: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Transmission of a field correlated over three pixels, as a row."""
    noise = rng.standard_normal(len(scale) + 2, np.float32)
    field = (0.5 * (noise[:-2] + noise[2:]) + noise[1:-1]) * np.float32(_SPREAD / np.sqrt(1.5))
    return np.exp(-np.exp(scale + field))


def intergalactic_transmission(z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of light that hydrogen between quasars and us lets through.

    Parameters
    ----------
    z : (n,) array
        Redshifts of the quasars.
    rng : Generator

    Returns
    -------
    (n, 3909) float32
        1 redward of Lyman alpha (but for damped systems close to the quasar), with the forest, damped Lyman alpha
        systems and the first Lyman limit system blueward.
    """
    wave = LAMOST_GRID.wave
    out = np.ones((len(z), len(wave)), np.float32)
    for row in np.flatnonzero(_ALPHA * (1 + z) > wave[0]):
        one = z[row]
        last = int(np.searchsorted(wave, _ALPHA * (1 + one)))
        scales = _scales()
        through = _forest(scales[0][:last], rng)
        for (line, _), scale in zip(_HIGHER, scales[1:], strict=True):
            end = int(np.searchsorted(wave, line * (1 + one)))
            if end > 1:
                through[:end] *= _forest(scale[:end], rng)
        padded = np.concatenate([np.full(4, through[0]), through, np.ones(4, np.float32)])
        out[row, :last] = np.convolve(padded, _LSF, "valid")
        _damped(out[row], one, rng)
        _limit(out[row], one, rng)
    return out


def _damped(through: np.ndarray, z: float, rng: np.random.Generator) -> None:
    """Damped systems: 0.2 per unit redshift at z = 2.5 (Noterdaeme et al. 2012, A&A 547, L1), wings exp(-C / dw^2)."""
    first = max(LAMOST_GRID.wave[0] / _ALPHA - 1, 0.0)
    for _ in range(rng.poisson(0.2 * max(z - first, 0.0))):
        place = rng.uniform(first, z)
        column = min(rng.exponential(0.35) + 0.3, 1.6)  # log10 of N(HI) / 1e20 per cm2
        offset = LAMOST_GRID.wave / (1 + place) - _ALPHA
        through *= np.exp(-4.24 * 10**column / np.maximum(offset**2, 0.1)).astype(np.float32)  # W = 7.3 A at 1e20


def _limit(through: np.ndarray, z: float, rng: np.random.Generator) -> None:
    """The first Lyman limit system; 2.84 ((1 + z) / 4.5)^2.04 of them per unit z (Songaila & Cowie 2010, ApJ 721)."""
    end = int(np.searchsorted(LAMOST_GRID.wave, _LIMIT * (1 + z)))
    if end == 0:
        return
    place = z - rng.exponential(1 / (2.84 * ((1 + z) / 4.5) ** 2.04))
    edge = LAMOST_GRID.wave[:end] / (_LIMIT * (1 + place))
    depth = np.where(edge < 1, min(rng.lognormal(1.0, 0.8), 50.0) * edge**3, 0)
    diffuse = 8 * (1 - LAMOST_GRID.wave[:end] / (_LIMIT * (1 + z)))  # by the many thinner clouds
    through[:end] *= np.exp(-depth - diffuse).astype(np.float32)
