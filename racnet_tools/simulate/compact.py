"""White dwarfs and carbon stars, at LAMOST's pixels and without noise.

Few real ones ship with packages (see ``data/README.md``), so they are varied: white dwarfs in temperature (the ratio of
two black bodies) and in the depth of their lines; carbon stars between a cool N star and a warmer R star. DC white
dwarfs, which have no lines, are black bodies.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from racnet_tools.simulate.scene import C_KM_S, observe
from racnet_tools.simulate.templates import compact
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["compact_at_rest", "draw_compact"]

_WARMTH = 12000.0  # K, about that of the DA template, by its Balmer lines and colour
_COOLNESS = 6300.0  # K, of the DQ (LTT 4364)


def _wave() -> np.ndarray:
    library = compact()
    pixels = library.first_pixel + np.arange(library.flux.shape[1])
    return 10 ** (LAMOST_GRID.start + LAMOST_GRID.step * pixels)


def _black_body(wave: np.ndarray, kelvin: np.ndarray) -> np.ndarray:
    """Planck's law per wavelength (Angstrom), (n, n_pix), in arbitrary units."""
    return 1 / (wave / 5500) ** 5 / np.expm1(1.4388e8 / wave / np.asarray(kelvin)[:, None])


@lru_cache(maxsize=1)
def _normalized() -> tuple[np.ndarray, np.ndarray]:
    """Continuum of each template (an upper envelope) and the logarithm of what its lines and bands leave of it."""
    flux = compact().flux
    envelope = gaussian_filter1d(maximum_filter1d(gaussian_filter1d(flux, 4, axis=1), 401, axis=1), 150, axis=1)
    floor = 1e-3 * flux.max(axis=1, keepdims=True)
    return envelope, np.log(np.maximum(flux, floor) / np.maximum(envelope, floor))


def draw_compact(n: int, kind: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """White dwarfs and carbon stars.

    Parameters
    ----------
    n : int
    kind : str or None
        "WD", "Carbon", or None for two white dwarfs to each carbon star.
    rng : Generator

    Returns
    -------
    flux : (n, 3909) float32
        In arbitrary units, at LAMOST's pixels and resolution.
    columns : dict of str to (n,) array
        subclass ("WD" or "Carbon"), z, and template; teff, logg and feh are NaN.
    """
    rest, columns = compact_at_rest(n, kind, rng)
    return observe(rest, compact().first_pixel, np.arange(n), columns["z"]), columns


def compact_at_rest(n: int, kind: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The stars of `draw_compact` before their velocity moves them: flux on the pixels of the template library."""
    kinds = np.full(n, kind) if kind else rng.choice(["WD", "Carbon"], n, p=[2 / 3, 1 / 3])
    mk = np.where(kinds == "WD", rng.choice(["DA", "DC", "DQ"], n, p=[0.8, 0.12, 0.08]), "C")
    wave, library = _wave(), compact()
    envelope, lines = _normalized()
    row = {str(name): place for place, name in enumerate(library.mk_type)}
    flux = np.empty((n, len(wave)), np.float32)
    for name, own in (("DA", _WARMTH), ("DQ", _COOLNESS)):
        at = np.flatnonzero(mk == name)
        kelvin = own * np.exp(rng.normal(0, 0.35 if name == "DA" else 0.12, len(at)))
        depth = rng.uniform(0.5, 1.25, len(at))[:, None]
        tilt = _black_body(wave, kelvin) / _black_body(wave, np.array([own]))
        flux[at] = envelope[row[name]] * tilt * np.exp(depth * lines[row[name]])
    at = np.flatnonzero(mk == "DC")
    flux[at] = _black_body(wave, rng.uniform(5000, 11000, len(at)))
    at = np.flatnonzero(mk == "C")
    share = rng.uniform(0, 1, len(at))[:, None]
    cool, warm = (gaussian_filter1d(library.flux[row[name]], 1.0 if name == "C-R" else 2.0) for name in ("C-N", "C-R"))
    flux[at] = np.exp(share * np.log(np.maximum(cool, 2e-3)) + (1 - share) * np.log(warm))
    spread = np.where(kinds == "WD", 40.0, 70.0)  # km/s
    z = rng.standard_normal(n) * spread / C_KM_S
    flux /= flux.mean(axis=1, keepdims=True)
    nothing = np.full(n, np.nan)
    columns = {"subclass": kinds, "z": z, "teff": nothing, "logg": nothing, "feh": nothing}
    return flux, {**columns, "template": np.array([f"compact-{one}" for one in mk])}
