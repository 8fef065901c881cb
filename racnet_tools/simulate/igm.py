"""What lies between a quasar and us: the Lyman forest, damped systems and Lyman limits, at LAMOST's pixels.

The forest is a log-normal field of optical depth whose mean transmission is that of real quasars (Becker et al. 2013,
MNRAS 430, 2067, equation 5), smoothed to LAMOST's resolution. Damped systems and Lyman limits fall at random along the
line of sight, as often as they do in surveys. A line of sight can be kept while the quasar moves along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from racnet_tools.spectra import LAMOST_GRID

__all__ = ["intergalactic_transmission", "mean_depth", "sightline_transmission"]

_ALPHA, _LIMIT = 1215.67, 911.75
_FAR = 6.0  # redshift to which lines of sight that are kept are drawn
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
    out = np.ones((len(z), LAMOST_GRID.n_pixels), np.float32)
    for through, one in zip(out, z, strict=True):
        _absorb(through, one, [rng] * 6, one)
    return out


def sightline_transmission(z: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
    """As `intergalactic_transmission`, through gas that does not change when a quasar is moved.

    Forest and damped systems stay where they are observed, and more of them show the farther the quasar is. The first
    Lyman limit system is kept as many mean free paths in front of the quasar as it was.

    Parameters
    ----------
    z : (n,) array
        Redshifts of the quasars, up to 6.
    seeds : sequence of n int
        Each stands for a line of sight.

    Returns
    -------
    (n, 3909) float32
    """
    out = np.ones((len(z), LAMOST_GRID.n_pixels), np.float32)
    for through, one, seed in zip(out, z, seeds, strict=True):
        # Streams start afresh at every redshift, and what they give first is that of the blue end.
        _absorb(through, one, [np.random.default_rng((seed, k)) for k in range(6)], _FAR)
    return out


def _absorb(through: np.ndarray, z: float, streams: Sequence[np.random.Generator], far: float) -> None:
    """Absorb in place; `streams` for the forests of four lines, damped systems (drawn up to `far`) and the limit."""
    wave, scales = LAMOST_GRID.wave, _scales()
    if _ALPHA * (1 + z) <= wave[0]:
        return
    last = int(np.searchsorted(wave, _ALPHA * (1 + z)))
    forest = _forest(scales[0][:last], streams[0])
    for (line, _), scale, stream in zip(_HIGHER, scales[1:], streams[1:4], strict=True):
        end = int(np.searchsorted(wave, line * (1 + z)))
        if end > 1:
            forest[:end] *= _forest(scale[:end], stream)
    padded = np.concatenate([np.full(4, forest[0]), forest, np.ones(4, np.float32)])
    through[:last] = np.convolve(padded, _LSF, "valid")
    _damped(through, z, streams[4], far)
    _limit(through, z, streams[5])


def _damped(through: np.ndarray, z: float, rng: np.random.Generator, far: float) -> None:
    """Damped systems: 0.2 per unit redshift at z = 2.5 (Noterdaeme et al. 2012, A&A 547, L1), wings exp(-C / dw^2)."""
    first = max(LAMOST_GRID.wave[0] / _ALPHA - 1, 0.0)
    for _ in range(rng.poisson(0.2 * max(far - first, 0.0))):
        place = rng.uniform(first, far)
        column = min(rng.exponential(0.35) + 0.3, 1.6)  # log10 of N(HI) / 1e20 per cm2
        if place > z:
            continue
        offset = LAMOST_GRID.wave / (1 + place) - _ALPHA
        through *= np.exp(-4.24 * 10**column / np.maximum(offset**2, 0.1)).astype(np.float32)  # W = 7.3 A at 1e20


def _limit(through: np.ndarray, z: float, rng: np.random.Generator) -> None:
    """The first Lyman limit system; 2.84 ((1 + z) / 4.5)^2.04 of them per unit z (Songaila & Cowie 2010, ApJ 721)."""
    end = int(np.searchsorted(LAMOST_GRID.wave, _LIMIT * (1 + z)))
    if end == 0:
        return
    place = max(z - rng.exponential(1 / (2.84 * ((1 + z) / 4.5) ** 2.04)), 0.0)  # one in 1e5 would lie below -1
    edge = LAMOST_GRID.wave[:end] / (_LIMIT * (1 + place))
    depth = np.where(edge < 1, min(rng.lognormal(1.0, 0.8), 50.0) * edge**3, 0)
    diffuse = 8 * (1 - LAMOST_GRID.wave[:end] / (_LIMIT * (1 + z)))  # by the many thinner clouds
    through[:end] *= np.exp(-depth - diffuse).astype(np.float32)
