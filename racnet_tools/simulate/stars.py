"""Which stars a survey meets, at LAMOST's pixels and without noise."""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.scene import C_KM_S, observe
from racnet_tools.simulate.templates import stars

__all__ = ["STELLAR_BORDERS", "draw_stars", "stellar_type"]

#: Upper border in effective temperature (K) of each spectral type, as LAMOST DR5 and later draw it. The borders of G
#: and K, the spread in [Fe/H] below and the size of the calibration errors were chosen on one half of the objects of a
#: collection of 389 real LAMOST stars (those whose identifier has an even CRC-32); the other half had no part in it.
STELLAR_BORDERS = {"M": 3850.0, "K": 5050.0, "G": 5850.0, "F": 7200.0, "A": 10000.0, "B": 30000.0, "O": 1e6}
# Mixture within STAR: LAMOST's own (mostly F, G, K) flattened, so that rare types are learnt too.
_MIXTURE = {"O": 0.01, "B": 0.04, "A": 0.14, "F": 0.22, "G": 0.24, "K": 0.22, "M": 0.13}
_FIELD_FEH = (-0.35, 0.45)  # mean and spread of [Fe/H] that templates are drawn with


def stellar_type(teff: np.ndarray) -> np.ndarray:
    """Letter of the spectral type for effective temperatures in K, by `STELLAR_BORDERS`."""
    letters, borders = np.array(list(STELLAR_BORDERS)), np.array(list(STELLAR_BORDERS.values()))
    return letters[np.minimum(np.searchsorted(borders, teff, side="right"), len(letters) - 1)]


def draw_stars(n: int, letter: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Stars of one type, or of the mixture where `letter` is None; even in temperature within a type."""
    library = stars()
    kind = stellar_type(library.teff)
    letters = np.full(n, letter) if letter else rng.choice(list(_MIXTURE), n, p=np.array(list(_MIXTURE.values())))
    feh = np.where(np.isfinite(library.feh), library.feh, -0.2)
    field = np.exp(-0.5 * ((feh - _FIELD_FEH[0]) / _FIELD_FEH[1]) ** 2) + 0.02
    index = np.empty(n, np.int64)
    for one in np.unique(letters):
        members = np.flatnonzero(kind == one)
        bins = np.histogram_bin_edges(np.log10(library.teff[members]), bins=10)
        place = np.clip(np.digitize(np.log10(library.teff[members]), bins) - 1, 0, 9)
        weight = field[members]
        weight = weight / np.bincount(place, weights=weight, minlength=10)[place]
        where = letters == one
        index[where] = rng.choice(members, where.sum(), p=weight / weight.sum())
    z = rng.standard_t(3, n).clip(-6, 6) * 50 / C_KM_S
    flux = observe(library.flux, library.first_pixel, index, z)
    names = {"subclass": kind[index], "z": z, "teff": library.teff[index], "logg": library.logg[index]}
    return flux, {**names, "feh": library.feh[index], "template": np.array([f"star-{i}" for i in index])}
