"""Which galaxies a survey meets, at LAMOST's pixels and without noise.

A galaxy is a mixture of simple stellar populations spread in age and metallicity about an old and a younger centre,
behind dust of its own, widened by the motions of its stars, with the nebular lines of its kind.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from racnet_tools.simulate.nebular import add_lines, calzetti, line_ratios
from racnet_tools.simulate.scene import C_KM_S, observe
from racnet_tools.simulate.templates import galaxies
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["Galaxy", "compose", "draw_galaxies", "draw_kinds", "galaxies_at_rest", "observe_galaxies"]

KINDS = {"quiescent": 0.40, "starforming": 0.32, "starburst": 0.10, "seyfert2": 0.07, "liner": 0.11}
_POST_STARBURST = 0.05  # share of quiescent galaxies dominated by stars of a few 100 Myr


class Galaxy(NamedTuple):
    """Galaxies at rest, whatever their redshift: one row, or entry, each."""

    rest: np.ndarray  # (n, n_pix) float32 on the pixels of the template library, reddened
    template: np.ndarray  # (n,) str
    dispersion: np.ndarray  # (n,) km/s, of the stars
    width: np.ndarray  # (n,) of H beta in emission, Angstrom
    level: np.ndarray  # (n,) of the continuum there
    ratios: np.ndarray  # (n, n_lines)
    sigma: np.ndarray  # (n,) km/s, of the lines
    line_dust: np.ndarray  # (n,) E(B-V), mag


@lru_cache(maxsize=1)
def _scaled() -> tuple[np.ndarray, np.ndarray]:
    """Populations with mean 1 from 4000 to 5500 Angstrom, and the attenuation curve on their pixels."""
    library = galaxies()
    wave = 10 ** (LAMOST_GRID.start + LAMOST_GRID.step * (library.first_pixel + np.arange(library.flux.shape[1])))
    level = library.flux[:, (wave > 4000) & (wave < 5500)].mean(axis=1, keepdims=True)
    return library.flux / level, calzetti(wave).astype(np.float32)


def draw_galaxies(n: int, rng: np.random.Generator, even: bool = False) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Galaxies of a survey: mostly near (z about 0.1), the rest evenly up to z = 1 so that far ones are learnt too.

    Parameters
    ----------
    n : int
    rng : Generator
    even : bool
        As for `draw_kinds`.

    Returns
    -------
    flux : (n, 3909) float32
        In arbitrary units, at LAMOST's pixels and resolution.
    columns : dict of str to (n,) array
        subclass (one of quiescent, starforming, starburst, seyfert2, liner), z, and template.
    """
    z, kind = draw_kinds(n, rng, even)
    flux, template = compose(kind, z, rng)
    return flux, {"subclass": kind, "z": z, "template": template}


def draw_kinds(n: int, rng: np.random.Generator, even: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Redshifts and kinds of the galaxies of a survey, each (n,); with `even`, half of the redshifts spread evenly.

    Of the evenly spread a fifth lies below 0.02, where a galaxy can be taken for stars.
    """
    if even:
        spread = rng.uniform(0, np.where(rng.random(n) < 0.2, 0.02, 1.0))
        z = np.where(rng.random(n) < 0.5, rng.gamma(2.2, 0.055, n), spread).clip(0.0005, 1.0)
    else:
        z = np.where(rng.random(n) < 0.7, rng.gamma(2.2, 0.055, n), rng.uniform(0, 1, n)).clip(0.0005, 1.0)
    return z, rng.choice(list(KINDS), n, p=list(KINDS.values()))


def compose(kind: np.ndarray, z: np.ndarray, rng: np.random.Generator, boost: float = 1.0):
    """Galaxies of given kinds and redshifts, with lines `boost` times as strong as usual.

    Returns
    -------
    flux : (n, 3909) float32
        About 1 from 4000 to 5500 Angstrom at rest.
    template : (n,) array of str
        The two populations that weigh most.
    """
    some = galaxies_at_rest(kind, rng, boost)
    return observe_galaxies(some, z), some.template


def galaxies_at_rest(kind: np.ndarray, rng: np.random.Generator, boost: float = 1.0) -> Galaxy:
    """Draw galaxies of given kinds; `observe_galaxies` moves them to any redshift."""
    n = len(kind)
    weights, template = _weights(kind, rng)
    populations, curve = _scaled()
    young = np.isin(kind, ("starforming", "starburst"))
    dust = np.where(young, rng.gamma(2.0, 0.07, n), rng.exponential(0.03, n)).clip(0, 0.6)
    rest = (weights @ populations) * np.exp(np.float32(-0.4 * np.log(10)) * dust.astype(np.float32)[:, None] * curve)
    dispersion = np.where(young, rng.uniform(40, 180, n), rng.uniform(90, 300, n))
    width = np.select(  # of H beta in emission, Angstrom
        [kind == "quiescent", kind == "starforming", kind == "starburst", kind == "seyfert2"],
        [rng.exponential(0.12, n), rng.lognormal(1.3, 0.7, n), rng.lognormal(2.9, 0.7, n), rng.lognormal(1.0, 0.8, n)],
        rng.lognormal(-0.4, 0.6, n),
    ).clip(0, 150)
    first = round(float(np.log10(4862.68) / LAMOST_GRID.step)) - round(LAMOST_GRID.start / LAMOST_GRID.step)
    middle = first - galaxies().first_pixel
    level = rest[:, middle - 60 : middle + 60].mean(axis=1)
    sigma = np.where(young, rng.uniform(30, 130, n), rng.uniform(80, 260, n))
    ratios = line_ratios(kind, rng)
    return Galaxy(rest, template, dispersion, boost * width, level, ratios, sigma, 1.6 * dust)


def observe_galaxies(some: Galaxy, z: np.ndarray) -> np.ndarray:
    """Galaxies at redshifts (n,), at LAMOST's pixels and without noise; (n, 3909) float32."""
    flux = observe(some.rest, galaxies().first_pixel, np.arange(len(z)), z)
    flux = _smooth(flux, some.dispersion)
    # Flux per observed Angstrom keeps its value, the line widens.
    add_lines(flux, z, some.width * some.level * (1 + z), some.ratios, some.sigma, some.line_dust)
    return flux


def _weights(kind: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Share of each population in the light from 4000 to 5500 Angstrom, (n, n_populations), and the chief two."""
    library, n = galaxies(), len(kind)
    quiet = np.isin(kind, ("quiescent", "liner", "seyfert2"))
    late = (kind == "quiescent") & (rng.random(n) < _POST_STARBURST)
    old = np.where(quiet, rng.uniform(0.4, 1.15, n), rng.uniform(0.0, 1.1, n))  # log10 of age / Gyr
    new = np.select(
        [late, quiet, kind == "starburst"],
        [rng.uniform(-0.7, 0.0, n), rng.uniform(-1.0, 0.3, n), rng.uniform(-2.4, -1.2, n)],
        rng.uniform(-2.0, -0.6, n),
    )
    share = np.select(
        [late, kind == "quiescent", quiet, kind == "starburst"],
        [rng.uniform(0.3, 0.9, n), rng.exponential(0.04, n), rng.exponential(0.15, n), rng.uniform(0.4, 0.95, n)],
        rng.beta(2.0, 3.0, n),
    ).clip(0, 0.95)
    metals = np.where(quiet, rng.normal(0.1, 0.2, n), rng.normal(-0.15, 0.3, n)).clip(-1.2, 0.35)
    age = np.log10(library.age)
    chemistry = np.exp(-0.5 * ((library.feh - metals[:, None]) / rng.uniform(0.12, 0.3, n)[:, None]) ** 2) + 1e-6
    chemistry *= rng.lognormal(0, 0.6, (n, len(age)))  # histories are not smooth
    parts = []
    for centre, spread in ((old, rng.uniform(0.1, 0.3, n)), (new, rng.uniform(0.2, 0.5, n))):
        part = chemistry * (np.exp(-0.5 * ((age - centre[:, None]) / spread[:, None]) ** 2) + 1e-6)
        parts.append(part / part.sum(axis=1, keepdims=True))
    total = (1 - share)[:, None] * parts[0] + share[:, None] * parts[1]
    template = np.array([f"galaxy-{a}-{b}" for a, b in zip(*(part.argmax(axis=1) for part in parts), strict=True)])
    return total.astype(np.float32), template


def _smooth(flux: np.ndarray, sigma_km_s: np.ndarray) -> np.ndarray:
    """Gaussian velocity dispersion, by a filter in Fourier space (pixels are 69 km/s).

    The populations have LAMOST's resolution already, so that the dispersion is all that is left to add.
    """
    length, before = 4096, 93  # a power of two is quick to transform; the edges are held beyond the window
    frequency = np.fft.rfftfreq(length)
    padded = np.pad(flux, ((0, 0), (before, length - before - flux.shape[1])), mode="edge")
    sigma = (sigma_km_s / (C_KM_S * np.log(10) * LAMOST_GRID.step))[:, None]
    response = np.exp(-2 * (np.pi * frequency * sigma) ** 2).astype(np.float32)
    smooth = np.fft.irfft(np.fft.rfft(padded) * response, length)
    return smooth[:, before : before + flux.shape[1]].astype(np.float32)
