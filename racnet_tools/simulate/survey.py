"""A simulated survey: sources, dust, calibration errors, noise; a labelled `SpectrumSet` at any size from one seed.

A first, small simulator. Labels are STAR, GALAXY and QSO, or spectral types A, F, G, K, M by effective temperature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.simulate.instrument import distort, expose, median_snr
from racnet_tools.simulate.scene import extinction_ccm89
from racnet_tools.simulate.sources import STELLAR_BORDERS, draw_galaxies, draw_quasars, draw_stars
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

__all__ = ["STELLAR_BORDERS", "simulate"]

_PIECE = 512  # spectra made at a time: keeps the memory flat
_TYPES = tuple("OBAFGKM")


def simulate(counts: Mapping[str, int], *, seed: int | Sequence[int]) -> SpectrumSet:
    """Simulate spectra as LAMOST would take them.

    Parameters
    ----------
    counts : mapping of str to int
        Number of spectra for each of STAR, GALAXY, QSO, or for spectral types (O, B, A, F, G, K, M).
    seed : int or sequence of int
        The same seed gives the same spectra. (numpy pads seeds with zeros: 1 and (1, 0) are the same.)

    Returns
    -------
    SpectrumSet
        On the LAMOST grid, in random order; ``table`` has label, subclass (spectral type of stars), z, teff, logg, feh,
        template (an identifier, for splitting by template too) and the S/N in u, g, r, i, z. ``object_id`` differs for
        every spectrum.

    Raises
    ------
    RacnetError
        If a name is unknown or a number is negative.

    Examples
    --------
    >>> spectra = simulate({"STAR": 3, "QSO": 2}, seed=1)
    >>> len(spectra), spectra.n_pixels
    (5, 3909)
    """
    known = ("STAR", "GALAXY", "QSO", *_TYPES)
    if not counts or any(name not in known or count < 0 for name, count in counts.items()) or not sum(counts.values()):
        raise RacnetError(f"Expected numbers of spectra for some of {', '.join(known)}. Received: {dict(counts)}.")
    rng = np.random.default_rng(seed)
    pieces = list(_pieces(counts, rng))
    flux, ivar, mask = (np.concatenate([piece[k] for piece in pieces]) for k in range(3))
    rows = [row for piece in pieces for row in piece[3]]
    order = rng.permutation(len(rows))
    name = "-".join(map(str, np.atleast_1d(seed).tolist()))
    table = [{**rows[i], "spec_id": f"simulated-{name}-{k:06d}", "survey": "SIMULATED"} for k, i in enumerate(order)]
    return SpectrumSet(LAMOST_GRID.wave, flux[order], ivar[order], mask[order], table)


def _pieces(counts: Mapping[str, int], rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for name, count in counts.items():
        for start in range(0, count, _PIECE):
            n = min(_PIECE, count - start)
            if name == "GALAXY":
                flux, columns = draw_galaxies(n, rng)
            elif name == "QSO":
                flux, columns = draw_quasars(n, rng)
            else:
                flux, columns = draw_stars(n, name if name in _TYPES else None, rng)
            label = name if name in ("GALAXY", "QSO") else "STAR"
            yield _take(flux, {**columns, "label": np.full(n, label)}, rng)


def _take(flux: np.ndarray, columns: dict[str, np.ndarray], rng: np.random.Generator) -> tuple[Any, ...]:
    n = len(flux)
    ebv = np.minimum(rng.exponential(0.15 if columns["label"][0] == "STAR" else 0.06, n), 1.2)
    curve = extinction_ccm89(LAMOST_GRID.wave)
    flux = distort(flux * 10 ** (-0.4 * ebv[:, None] * curve).astype(np.float32), rng)
    snr = np.exp(rng.normal(np.log(20), 1.0, n)).clip(2, 250)
    flux, ivar, mask = expose(flux, snr, rng)
    columns = {**columns, "ebv": ebv, **median_snr(flux, ivar)}
    values = {name: column.tolist() for name, column in columns.items()}
    return flux, ivar, mask, [{name: column[i] for name, column in values.items()} for i in range(n)]
