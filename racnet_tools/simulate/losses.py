"""Pixels that a LAMOST spectrum has no information in: ends, holes, gaps, and the zeros of its red end.

The numbers follow the masks of 394 real LAMOST spectra: 94 of the first pipeline (DR1), 300 of later ones.
"""

from __future__ import annotations

import numpy as np

from racnet_tools.spectra import LAMOST_GRID

__all__ = ["lost_pixels"]

N = LAMOST_GRID.n_pixels


def lost_pixels(
    first: np.ndarray, snr: np.ndarray, blue_snr: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw what is lost.

    Parameters
    ----------
    first : (n,) bool
        Whether the first pipeline reduced the spectrum.
    snr : (n,) array
        Median signal-to-noise ratio; faint spectra lose more.
    blue_snr : (n,) array
        The same from 3700 to 4250 Angstrom, where the first pipeline lost most of what was faint.
    rng : Generator

    Returns
    -------
    mask : (n, 3909) bool
        No information.
    zero : (n, 3909) bool
        Flux of exactly zero with an inverse variance as if it were measured.
    """
    n = len(first)
    mask, zero = np.zeros((n, N), bool), np.zeros((n, N), bool)
    for row in range(n):
        one = mask[row]
        start, stop = _dr1_ends(blue_snr[row], rng) if first[row] else _later_ends(rng)
        one[:start] = one[stop:] = True
        if first[row]:
            faint = np.clip(6 / max(blue_snr[row], 0.1), 0.7, 5)
            _holes(one, rng.poisson(rng.gamma(4.0, 4.0) * faint), 3, rng)  # mostly blue, around single lost pixels
            for low, high in _dr1_gaps(rng):
                one[slice(*np.searchsorted(LAMOST_GRID.wave, (low, high)))] = True
        elif rng.random() < 0.7:
            zero[row, stop - 1 - int(rng.exponential(9)) : stop] = True
        if not first[row] and rng.random() < (0.35 if snr[row] < 15 else 0.08):
            _holes(one, rng.poisson(rng.exponential(12)), 1, rng)
        if rng.random() < 0.03:  # a dead stretch
            place, length = rng.integers(0, N), int(rng.geometric(0.005))
            one[place : place + length] = True
        if one.all():
            one[N // 2 :] = False
    return mask, zero & ~mask


def _dr1_ends(blue_snr: float, rng: np.random.Generator) -> tuple[int, int]:
    late = rng.random() > (0.65 if blue_snr > 4 else 0.3)
    start = int(rng.uniform(20, 420 if rng.random() < 0.93 else 700)) if late else 0
    return start, N - 6 - int(rng.exponential(26))


def _later_ends(rng: np.random.Generator) -> tuple[int, int]:
    start = 0 if rng.random() < 0.96 else int(rng.uniform(5, 500))
    chance = rng.random()
    if chance < 0.6:
        return start, N
    return start, N - (int(rng.integers(1, 8)) if chance < 0.85 else int(rng.integers(8, 160)))


def _dr1_gaps(rng: np.random.Generator) -> list[tuple[float, float]]:
    gaps = [(rng.normal(7577, 1.5), rng.normal(7677, 3))]  # the A band
    if rng.random() < 0.13:  # where the arms join
        start = rng.uniform(5410, 5700)
        gaps.append((start, start + rng.uniform(280, 560)))
    if rng.random() < 0.02:
        gaps.append((rng.uniform(5550, 5700), rng.uniform(7300, 7500)))
    return gaps


def _holes(mask: np.ndarray, number: int, shortest: int, rng: np.random.Generator) -> None:
    """Short holes, crowded towards the blue, in place."""
    places = np.where(rng.random(number) < 0.75, rng.exponential(350, number), rng.uniform(0, N, number)).astype(int)
    lengths = shortest - 1 + rng.geometric(0.25, number)
    for place, length in zip(places, lengths, strict=True):
        mask[place : place + length] = True
