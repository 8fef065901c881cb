"""Which stars a survey meets, at LAMOST's pixels and without noise.

A star is a mixture of a template with one of its neighbours in temperature, gravity and metallicity, so that parameters
are continuous and hardly two simulated stars are the same.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from racnet_tools.simulate.scene import C_KM_S, observe
from racnet_tools.simulate.templates import stars

__all__ = ["STELLAR_BORDERS", "draw_stars", "stars_at_rest", "stellar_subtype", "stellar_type"]

#: Upper border in effective temperature (K) of each spectral type, as LAMOST DR5 and later draw it, at solar
#: metallicity, and its change by [Fe/H] in K / dex: LAMOST's templates give metal-poor stars an earlier type. The
#: borders from K to F were fitted on one half of the objects of a collection of 389 real LAMOST stars (those whose
#: identifier has an even CRC-32; without stars called F9, which the survey's repeat visits call G as often); the other
#: half had no part in it.
STELLAR_BORDERS = {
    "M": (3850.0, 0.0),
    "K": (4890.0, 0.0),
    "G": (5980.0, 270.0),
    "F": (7500.0, 670.0),
    "A": (10000.0, 0.0),
    "B": (30000.0, 0.0),
    "O": (1e6, 0.0),
}
# Mixture within STAR: roughly LAMOST's own (mostly F, G, K), with the rare types raised so that they are learnt too.
_MIXTURE = {"O": 0.01, "B": 0.04, "A": 0.12, "F": 0.25, "G": 0.28, "K": 0.20, "M": 0.10}
_FIELD_FEH = (-0.3, 0.4)  # mean and spread of [Fe/H] that templates are drawn with
_UNKNOWN_FEH = -0.2  # for stars without a measured one
# Temperatures (K) at which LAMOST finds most stars, turn-off dwarfs and red clump giants, and their spread in dex.
_CROWDS = ((5900.0, 0.035), (4850.0, 0.03))


def stellar_type(teff: np.ndarray, feh: np.ndarray | float = 0.0) -> np.ndarray:
    """Letter of the spectral type by `STELLAR_BORDERS`.

    Parameters
    ----------
    teff : (n,) array
        Effective temperature, K.
    feh : (n,) array or float
        [Fe/H], dex; counted within -2.5 to 0.5.

    Returns
    -------
    (n,) array of str
    """
    letters = np.array(list(STELLAR_BORDERS))
    borders = _borders(feh, len(np.asarray(teff)))
    return letters[np.minimum((np.asarray(teff)[:, None] >= borders).sum(axis=1), len(letters) - 1)]


def stellar_subtype(teff: np.ndarray, feh: np.ndarray | float = 0.0) -> np.ndarray:
    """Spectral type with its tenths on one scale: O0 is 0, B0 10, A0 20, F0 30, G0 40, K0 50, M0 60, M9 69.

    Borders of the letters are `STELLAR_BORDERS`; between them the scale runs evenly in log(teff), which is our choice:
    LAMOST's subtypes are its templates', not a law. O0 begins at 50,000 K, M9 ends at 2,400 K.

    Parameters
    ----------
    teff : (n,) array
        Effective temperature, K.
    feh : (n,) array or float
        [Fe/H], dex; counted within -2.5 to 0.5.

    Returns
    -------
    (n,) array
        From 0 up to but not including 70; NaN where `teff` is.
    """
    borders = np.log(_borders(feh, len(np.asarray(teff))))
    borders[:, -1] = np.log(50_000)
    borders = np.concatenate([np.full((len(borders), 1), np.log(2_400)), borders], axis=1)[:, ::-1]
    out = np.empty(len(borders))
    for i, (kelvin, own) in enumerate(zip(np.log(np.asarray(teff, float)), borders, strict=True)):
        out[i] = np.interp(-kelvin, -own, 10.0 * np.arange(len(own)))
    return np.where(np.isnan(out), np.nan, np.minimum(out, np.nextafter(70, 0)))


def _borders(feh: np.ndarray | float, n: int) -> np.ndarray:
    """Upper borders in K of the types M to O for [Fe/H] of `n` stars; (n, 7)."""
    at_solar, slope = np.array(list(STELLAR_BORDERS.values())).T
    return at_solar + np.clip(np.broadcast_to(feh, n), -2.5, 0.5)[:, None] * slope


@lru_cache(maxsize=1)
def _library() -> tuple[np.ndarray, np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Types and [Fe/H] of the templates; members and chances of being drawn for each type; neighbours (n, 4)."""
    library = stars()
    feh = np.where(np.isfinite(library.feh), library.feh, _UNKNOWN_FEH)
    logg = np.where(np.isfinite(library.logg), library.logg, 4.0)
    kind = stellar_type(library.teff, feh)
    log_teff = np.log10(library.teff)
    field = (np.exp(-0.5 * ((feh - _FIELD_FEH[0]) / _FIELD_FEH[1]) ** 2) + 0.02) * _luminosity(library.teff, logg)
    wanted = 1 + sum(9 * np.exp(-0.5 * ((log_teff - np.log10(t)) / width) ** 2) for t, width in _CROWDS)
    wanted *= np.where(library.teff < 3300, 0.3, 1)  # late M dwarfs are too faint for LAMOST
    near = np.exp(-0.5 * ((log_teff[:, None] - log_teff) / 0.012) ** 2)
    weight = field * wanted / (near @ field)
    distance = (
        ((log_teff[:, None] - log_teff) / 0.015) ** 2
        + ((logg[:, None] - logg) / 0.5) ** 2
        + ((feh[:, None] - feh) / 0.3) ** 2
    )
    distance[kind[:, None] != kind] = np.inf
    order = np.argsort(distance, axis=1, kind="stable")[:, 1:5]
    close = np.take_along_axis(distance, order, axis=1) < 6
    neighbours = np.where(close, order, np.arange(len(kind))[:, None])
    members = {}
    for letter in STELLAR_BORDERS:
        own = np.flatnonzero(kind == letter)
        members[letter] = own, weight[own] / weight[own].sum()
    return kind, feh, members, neighbours


def _luminosity(teff: np.ndarray, logg: np.ndarray) -> np.ndarray:
    """How much more or less often than the library's a gravity is met in the field; (n,).

    Libraries are rich in bright giants and supergiants. LAMOST sees dwarfs and subgiants, and among stars cooler than
    5300 K red clump giants, about one for two dwarfs.
    """
    dwarfs = np.exp(-0.5 * ((logg - 4.2) / 0.4) ** 2) + (logg > 4.2)
    giants = np.where(teff < 5300, np.exp(-0.5 * ((logg - 2.5) / 0.5) ** 2), 0)
    giants_there = np.exp(-0.5 * ((np.log10(teff) - np.log10(4800)) / 0.03) ** 2)
    return np.minimum(dwarfs, 1) + 0.25 * giants * giants_there + 0.02


def draw_stars(n: int, letter: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Stars of one type, or of the mixture where `letter` is None.

    Parameters
    ----------
    n : int
        How many.
    letter : str or None
        O, B, A, F, G, K, M or None.
    rng : Generator

    Returns
    -------
    (n, 3909) float32, dict of (n,) arrays
        Flux, and the columns subclass, z, teff (K), logg, feh (dex) and template.
    """
    rest, columns = stars_at_rest(n, letter, rng)
    return observe(rest, stars().first_pixel, np.arange(n), columns["z"]), columns


def stars_at_rest(n: int, letter: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The stars of `draw_stars` before their velocity moves them: flux on the pixels of the template library."""
    library = stars()
    _, feh, members, neighbours = _library()
    letters = np.full(n, letter) if letter else rng.choice(list(_MIXTURE), n, p=np.array(list(_MIXTURE.values())))
    index = np.empty(n, np.int64)
    for one in np.unique(letters):
        where = letters == one
        own, chance = members[str(one)]
        index[where] = rng.choice(own, where.sum(), p=chance)
    other = neighbours[index, rng.integers(0, neighbours.shape[1], n)]
    share = rng.uniform(0, 0.5, n).astype(np.float32)
    z = rng.standard_t(3, n).clip(-6, 6) * 50 / C_KM_S

    def mixed(values: np.ndarray) -> np.ndarray:
        weight = share if values.ndim == 1 else share[:, None]
        return (1 - weight) * values[index] + weight * values[other]

    return mixed(library.flux), {
        "subclass": letters,
        "z": z,
        "teff": mixed(library.teff),
        "logg": mixed(library.logg),
        "feh": mixed(feh.astype(np.float32)),
        "template": np.array([f"star-{i}-{j}" for i, j in zip(index, other, strict=True)]),
    }
