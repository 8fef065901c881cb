"""Which galaxies a survey meets, at LAMOST's pixels and without noise."""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.nebular import add_lines
from racnet_tools.simulate.scene import C_KM_S, observe
from racnet_tools.simulate.templates import galaxies
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["draw_galaxies"]


def draw_galaxies(n: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Galaxies: an old and a young stellar population, a velocity dispersion, and nebular lines."""
    library = galaxies()
    z = np.where(rng.random(n) < 0.7, rng.gamma(2.2, 0.045, n), rng.uniform(0, 0.65, n)).clip(0.0005, 0.68)
    kind = rng.choice(["quiescent", "starforming", "starburst", "active"], n, p=[0.42, 0.33, 0.12, 0.13])
    age = np.select(
        [kind == "quiescent", kind == "starburst"],
        [rng.uniform(2, 14, n), rng.uniform(0.005, 1, n)],
        rng.uniform(0.3, 10, n),
    )
    old = _nearest(library, age, rng)
    young = _nearest(library, 10 ** rng.uniform(-2.3, -0.5, n), rng)
    share = np.select(
        [kind == "quiescent", kind == "starburst"],
        [rng.uniform(0, 0.01, n), rng.uniform(0.2, 0.9, n)],
        rng.uniform(0.02, 0.4, n),
    ).astype(np.float32)[:, None]
    reference = slice(-library.first_pixel, -library.first_pixel + 2000)  # both scaled at 3700 to 5860 Angstrom
    scaled = library.flux / library.flux[:, reference].mean(axis=1, keepdims=True)
    flux = (1 - share) * observe(scaled, library.first_pixel, old, z) + share * observe(
        scaled, library.first_pixel, young, z
    )
    flux = _smooth(flux, rng.uniform(60, 280, n))
    strength = np.select(
        [kind == "quiescent", kind == "starforming", kind == "starburst"],
        [rng.exponential(0.3, n), rng.lognormal(1.6, 0.8, n), rng.lognormal(3.0, 0.8, n)],
        rng.lognormal(1.4, 0.8, n),
    )
    add_lines(flux, z, strength, kind == "active", rng)
    return flux, {
        "subclass": kind,
        "z": z,
        "template": np.array([f"galaxy-{a}-{b}" for a, b in zip(old, young, strict=True)]),
    }


def _nearest(library, age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    feh = rng.choice(np.unique(library.feh), len(age))
    distance = np.abs(np.log10(library.age)[None] - np.log10(age)[:, None]) + 0.5 * np.abs(
        library.feh[None] - feh[:, None]
    )
    return distance.argmin(axis=1)


def _smooth(flux: np.ndarray, sigma_km_s: np.ndarray) -> np.ndarray:
    """Gaussian velocity dispersion, by a filter in Fourier space (pixels are 69 km/s)."""
    frequency = np.fft.rfftfreq(flux.shape[1] + 256)
    padded = np.pad(flux, ((0, 0), (128, 128)), mode="edge")
    sigma = (sigma_km_s / (C_KM_S * np.log(10) * LAMOST_GRID.step))[:, None]
    response = np.exp(-2 * (np.pi * frequency * sigma) ** 2).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(padded) * response, padded.shape[1])[:, 128:-128].astype(np.float32)
