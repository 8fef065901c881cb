"""The template library of ``data/templates``, unpacked; sources and licences are in ``data/README.md``.

Stars and galaxies are (n, n_pix) float32 on log10(lambda / Angstrom) = 3.5682 + 1e-4 (first_pixel + i), vacuum, at
rest, each with mean flux 1. Quasars are principal components of ln(flux) against the rest wavelength.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from racnet_tools.resources import data_path

__all__ = ["Compact", "Galaxies", "Quasars", "Stars", "compact", "galaxies", "quasars", "stars"]


@dataclass(frozen=True)
class Stars:
    """Spectra of stars with their parameters (K, dex, dex; NaN where unknown)."""

    flux: np.ndarray
    first_pixel: int
    teff: np.ndarray
    logg: np.ndarray
    feh: np.ndarray


@dataclass(frozen=True)
class Compact:
    """White dwarfs and carbon stars: kind is "WD" or "Carbon"."""

    flux: np.ndarray
    first_pixel: int
    kind: np.ndarray
    mk_type: np.ndarray


@dataclass(frozen=True)
class Galaxies:
    """Simple stellar populations by age (Gyr) and metallicity (dex)."""

    flux: np.ndarray
    first_pixel: int
    age: np.ndarray
    feh: np.ndarray


@dataclass(frozen=True)
class Quasars:
    """Components of ln(flux) and real quasars' coefficients, for two stretches of rest wavelength (Angstrom)."""

    uv_wave: np.ndarray
    uv_components: np.ndarray
    uv_coefficients: np.ndarray
    optical_wave: np.ndarray
    optical_components: np.ndarray
    optical_coefficients: np.ndarray


def _unpack(stored: np.lib.npyio.NpzFile) -> np.ndarray:
    flux = np.cumsum(stored["flux_steps"].astype(np.int32), axis=1).astype(np.float32) * stored["scale"][:, None]
    return flux / flux.mean(axis=1, keepdims=True)


@lru_cache(maxsize=1)
def stars() -> Stars:
    """The stars; loaded once."""
    with np.load(data_path("templates", "stars.npz"), allow_pickle=False) as f:
        return Stars(_unpack(f), int(f["first_pixel"]), f["teff"], f["logg"], f["feh"])


@lru_cache(maxsize=1)
def compact() -> Compact:
    """The white dwarfs and carbon stars; loaded once."""
    with np.load(data_path("templates", "compact.npz"), allow_pickle=False) as f:
        return Compact(_unpack(f), int(f["first_pixel"]), f["kind"], f["mk_type"])


@lru_cache(maxsize=1)
def galaxies() -> Galaxies:
    """The stellar populations; loaded once."""
    with np.load(data_path("templates", "galaxies.npz"), allow_pickle=False) as f:
        return Galaxies(_unpack(f), int(f["first_pixel"]), f["age"], f["feh"])


@lru_cache(maxsize=1)
def quasars() -> Quasars:
    """The quasar components; loaded once."""
    with np.load(data_path("templates", "quasars.npz"), allow_pickle=False) as f:
        return Quasars(**{name: f[name] for name in Quasars.__dataclass_fields__})
