"""Spectra that a survey's pipeline calls UNKNOWN, which are a mixture: mostly faint, some not of one object at all.

Each kind stands in the column ``subclass``: ``faint`` (any class at S/N below 3), ``splice`` (arms that do not fit
together), ``sky`` (little but residuals of sky lines), ``city`` (lamps and scattered moonlight), ``featureless`` (blue
and smooth) and ``calibration`` (response gone wrong). LAMOST has published no shares; these are our choice, led by its
DR5 catalogue, most of whose UNKNOWN spectra have an S/N under 10.
"""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.galaxies import draw_galaxies
from racnet_tools.simulate.quasars import draw_quasars
from racnet_tools.simulate.stars import draw_stars
from racnet_tools.spectra import LAMOST_GRID, air_to_vacuum

__all__ = ["UNKNOWN_KINDS", "draw_unknown"]

#: Kinds of UNKNOWN and their shares.
UNKNOWN_KINDS = {
    "faint": 0.55,
    "splice": 0.13,
    "sky": 0.10,
    "city": 0.05,
    "featureless": 0.09,
    "calibration": 0.08,
}
WAVE = LAMOST_GRID.wave.astype(np.float32)
# Lines of lamps (mercury, sodium) and of the night sky (oxygen, hydroxyl band heads): air wavelength (Angstrom, as in
# the NIST database and Osterbrock et al. 1996, PASP 108, 277) and rough relative strength.
_CITY = {4046.6: 0.5, 4358.3: 1.0, 5460.7: 1.0, 5769.6: 0.3, 5790.7: 0.3, 5682.6: 0.3, 5889.9: 0.8, 5895.9: 0.8}
_SKY = {5577.3: 2.0, 6300.3: 0.8, 6363.8: 0.3, 6863.9: 0.2, 7276.4: 0.4, 7316.3: 0.5, 7340.9: 0.4, 7750.6: 0.5}
_SKY |= {7794.1: 0.5, 7821.5: 0.4, 7913.7: 0.5, 7964.7: 0.4, 7993.3: 0.5, 8344.6: 0.5, 8399.2: 0.7, 8430.2: 0.7}
_SKY |= {8465.4: 0.5, 8505.0: 0.3, 8778.3: 0.4, 8827.1: 0.8, 8885.9: 0.9, 8919.6: 0.6, 8943.4: 0.4, 9001.3: 0.3}


def draw_unknown(n: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Spectra of no certain class.

    Parameters
    ----------
    n : int
        How many.
    rng : Generator

    Returns
    -------
    (n, 3909) float32
        Flux of any scale.
    dict of (n,) arrays
        ``subclass``: the kind.
    (n,) float64
        Median signal-to-noise ratio per pixel that each is to be observed at.
    """
    kind = rng.choice(list(UNKNOWN_KINDS), n, p=list(UNKNOWN_KINDS.values()))
    flux = _any_object(n, rng)
    snr = np.exp(rng.normal(np.log(7), 0.7, n)).clip(3, 60)
    snr = np.where(kind == "faint", rng.uniform(0.1, 3, n), snr)
    made = {"splice": _splice, "calibration": _miscalibrate}
    for name, change in made.items():
        rows = np.flatnonzero(kind == name)
        flux[rows] = change(flux[rows], rng)
    for row in np.flatnonzero(kind == "sky"):
        flux[row] = _lines(_SKY, rng) * rng.uniform(1, 6) + rng.uniform(0, 0.6) * flux[row]
    for row in np.flatnonzero(kind == "city"):
        flux[row] = rng.uniform(0.2, 1) * flux[row] + _lines(_CITY, rng) * rng.uniform(0.5, 4) + _sodium(rng)
    for row in np.flatnonzero(kind == "featureless"):
        flux[row] = (WAVE / 5500) ** np.float32(rng.uniform(-3.5, -0.5))
    return flux, {"subclass": kind}, snr


def _any_object(n: int, rng: np.random.Generator) -> np.ndarray:
    which = rng.random(n)
    flux = np.empty((n, LAMOST_GRID.n_pixels), np.float32)
    groups = (
        (which < 0.8, lambda k: draw_stars(k, None, rng)),
        ((which >= 0.8) & (which < 0.91), lambda k: draw_galaxies(k, rng)),
        (which >= 0.91, lambda k: draw_quasars(k, rng)),
    )
    for rows, draw in groups:
        if rows.any():
            flux[rows] = draw(int(rows.sum()))[0]
    return flux / np.maximum(np.median(np.abs(flux), axis=1, keepdims=True), 1e-6)


def _splice(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Arms on different levels, one of them bent or without signal."""
    n = len(flux)
    blue = rng.uniform(5700, 5950, (n, 1)) > WAVE
    factor = np.exp(rng.choice([-1, 1], (n, 1)) * rng.uniform(0.4, 1.8, (n, 1)))
    factor = np.where(rng.random((n, 1)) < 0.2, 0, factor)
    bend = np.exp(rng.normal(0, 0.8, (n, 1)) * (WAVE - 4750) / 1000 * blue)
    return (flux * np.where(blue, factor, 1) * bend.clip(0.05, 20)).astype(np.float32)


def _miscalibrate(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Response gone wrong: waves of up to a factor of some, light subtracted that was not there."""
    n = len(flux)
    phase = (WAVE - 3700) / 5400
    log_error = np.zeros_like(flux)
    for order in range(1, 7):
        amplitude = rng.normal(0, 0.9, (n, 1)).astype(np.float32) / np.float32(order) ** 0.5
        log_error += amplitude * np.cos(np.pi * order * (phase + rng.random((n, 1)).astype(np.float32)))
    bent = flux * np.exp(log_error.clip(-3, 3))
    level = np.median(bent, axis=1, keepdims=True)
    return (bent - level * rng.uniform(0, 1.2, (n, 1)) * (rng.random((n, 1)) < 0.4)).astype(np.float32)


def _lines(lines: dict[float, float], rng: np.random.Generator) -> np.ndarray:
    """Lines of LAMOST's width (sigma 1.02 pixels) with heights that scatter; residuals may be negative."""
    out = np.zeros(LAMOST_GRID.n_pixels, np.float32)
    for air, height in lines.items():
        place = float(LAMOST_GRID.pixel_of(air_to_vacuum(air)))
        window = slice(max(0, int(place) - 6), int(place) + 8)
        pixels = np.arange(LAMOST_GRID.n_pixels)[window]
        strength = height * np.exp(0.4 * rng.standard_normal()) * (1 if rng.random() < 0.85 else -0.5)
        out[window] += (strength * np.exp(-0.5 * ((pixels - place) / 1.05) ** 2)).astype(np.float32)
    return out


def _sodium(rng: np.random.Generator) -> np.ndarray:
    """The broad, self-reversed light of high-pressure sodium lamps."""
    glow = np.exp(-0.5 * ((WAVE - 5893) / 180) ** 2) - 0.8 * np.exp(-0.5 * ((WAVE - 5893) / 35) ** 2)
    return (rng.uniform(0, 1.5) * glow).astype(np.float32)
