"""A simulated survey: sources, dust, calibration errors, noise; a labelled `SpectrumSet` at any size from one seed.

Labels are STAR, GALAXY, QSO and UNKNOWN; the spectral types of stars follow their effective temperature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from racnet_tools.errors import RacnetError
from racnet_tools.simulate.compact import draw_compact
from racnet_tools.simulate.galaxies import draw_galaxies
from racnet_tools.simulate.instrument import broaden, distort, draw_pipeline, expose, median_snr
from racnet_tools.simulate.quasars import draw_quasars
from racnet_tools.simulate.scene import extinction_ccm89, sodium_transmission
from racnet_tools.simulate.stars import STELLAR_BORDERS, draw_stars
from racnet_tools.simulate.unknown import draw_unknown
from racnet_tools.simulate.variation import vary_exposure, vary_light
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet
from racnet_tools.workers import in_order, workforce

__all__ = ["CLASS_COUNTS_DR5", "STELLAR_BORDERS", "check_counts", "simulate", "simulate_chunks", "survey_counts"]

_PIECE = 512  # spectra made at a time: keeps the memory flat
STELLAR_TYPES = tuple("OBAFGKM")
_COMPACT = 0.02  # share of white dwarfs and carbon stars in STAR; several times LAMOST's, so that they are learnt
_EVEN_SNR = float(np.log(2)), float(np.log(150))
_SNR = {"STAR": (25, 0.9), "GALAXY": (10, 0.8), "QSO": (7, 0.7)}  # median over the survey, spread of its logarithm
#: Spectra of each class in the general catalogue of LAMOST DR5 v3 (9,026,365 in all; VizieR V/164).
CLASS_COUNTS_DR5 = {"STAR": 8_183_160, "GALAXY": 152_863, "QSO": 52_453, "UNKNOWN": 637_889}


def survey_counts(n: int) -> dict[str, int]:
    """Share `n` spectra among the classes as LAMOST DR5 does; the numbers add up to `n`."""
    total = sum(CLASS_COUNTS_DR5.values())
    counts = {name: round(n * number / total) for name, number in CLASS_COUNTS_DR5.items()}
    counts["STAR"] += n - sum(counts.values())
    return counts


def simulate(
    counts: Mapping[str, int], *, seed: int | Sequence[int], even: bool = False, varied: bool = False
) -> SpectrumSet:
    """Simulate spectra as LAMOST would take them.

    Parameters
    ----------
    counts : mapping of str to int
        Number of spectra for each of STAR, GALAXY, QSO, UNKNOWN, or for spectral types (O, B, A, F, G, K, M).
    seed : int or sequence of int
        The same seed gives the same spectra. (numpy pads seeds with zeros: 1 and (1, 0) are the same.)
    even : bool
        Whether redshifts and signal-to-noise ratios (2 to 150) are spread evenly, for training at all of them, instead
        of as a survey meets them. UNKNOWN stays as it is.
    varied : bool
        Whether the instrument varies more than LAMOST does, for networks that shall serve other surveys too; see
        `racnet_tools.simulate.variation`.

    Returns
    -------
    SpectrumSet
        On the LAMOST grid, in random order; ``table`` has label, subclass (spectral type of stars), z, teff, logg, feh,
        template (an identifier, for splitting by template too), ebv, pipeline (first: DR1's; later) and the S/N in u,
        g, r, i, z. ``object_id`` differs for
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
    check_counts(counts)
    return _simulate(counts, seed, even, varied)


def check_counts(counts: Mapping[str, int]) -> None:
    """Raise a `RacnetError` if a name is unknown, a number negative, or nothing is asked for."""
    known = ("STAR", "GALAXY", "QSO", "UNKNOWN", *STELLAR_TYPES)
    if not counts or any(name not in known or count < 0 for name, count in counts.items()) or not sum(counts.values()):
        raise RacnetError(f"Expected numbers of spectra for some of {', '.join(known)}. Received: {dict(counts)}.")


@threadpool_limits.wrap(limits=1, user_api="blas")  # the last bits of matrix products differ with the threads
def _simulate(
    counts: Mapping[str, int], seed: int | Sequence[int], even: bool = False, varied: bool = False
) -> SpectrumSet:
    rng = np.random.default_rng(seed)
    pieces = list(_pieces(counts, rng, even, varied))
    flux, ivar, mask = (np.concatenate([piece[k] for piece in pieces]) for k in range(3))
    rows = [row for piece in pieces for row in piece[3]]
    order = rng.permutation(len(rows))
    name = "-".join(map(str, np.atleast_1d(seed).tolist()))
    table = [{**rows[i], "spec_id": f"simulated-{name}-{k:06d}", "survey": "SIMULATED"} for k, i in enumerate(order)]
    return SpectrumSet(LAMOST_GRID.wave, flux[order], ivar[order], mask[order], table)


def _pieces(counts: Mapping[str, int], rng: np.random.Generator, even: bool, varied: bool) -> Iterator[tuple[Any, ...]]:
    for name, number in counts.items():
        for start in range(0, number, _PIECE):
            n = min(_PIECE, number - start)
            if name == "UNKNOWN":
                flux, columns, snr = draw_unknown(n, rng)
            else:
                flux, columns = _draw(name, n, rng, even)
                snr = np.exp(rng.uniform(*_EVEN_SNR, n)) if even else draw_snr(name, n, rng)
            label = name if name in CLASS_COUNTS_DR5 else "STAR"
            yield _take(flux, {**columns, "label": np.full(n, label)}, snr, rng, varied)


def _draw(name: str, n: int, rng: np.random.Generator, even: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    if name == "GALAXY":
        return draw_galaxies(n, rng, even)
    if name == "QSO":
        return draw_quasars(n, rng, even)
    flux, columns = draw_stars(n, name if name in STELLAR_TYPES else None, rng)
    flux = broaden(flux, rng)
    rare = draw_rare(name, n, rng)
    if len(rare):
        flux[rare], others = draw_compact(len(rare), None, rng)
        columns = merged(columns, rare, others)
    return flux, columns


def draw_rare(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Which of `n` objects are white dwarfs or carbon stars; only stars of no given type are."""
    return np.flatnonzero(rng.random(n) < _COMPACT) if name == "STAR" else np.empty(0, np.int64)


def merged(columns: dict[str, np.ndarray], rows: np.ndarray, others: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns with those of `others` in some rows."""
    columns = {key: values.astype(np.result_type(values, others[key])) for key, values in columns.items()}
    for key, values in others.items():
        columns[key][rows] = values
    return columns


def draw_snr(name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Median signal-to-noise ratios (n,) of a class, or of stars of a type."""
    middle, spread = _SNR[name if name in _SNR else "STAR"]
    return np.exp(rng.normal(np.log(middle), spread, n)).clip(3, 300)


def _take(
    flux: np.ndarray, columns: dict[str, np.ndarray], snr: np.ndarray, rng: np.random.Generator, varied: bool
) -> tuple[Any, ...]:
    flux, ebv, first = before_noise(flux, str(columns["label"][0]), rng)
    if varied:
        flux = vary_light(flux, rng)
    flux, ivar, mask = expose(flux, snr, first, rng)
    if varied:
        flux, ivar, mask = vary_exposure(flux, ivar, mask, rng)
    columns = {**columns, **measured(flux, ivar, ebv, first)}
    values = {name: column.tolist() for name, column in columns.items()}
    return flux, ivar, mask, [{name: column[i] for name, column in values.items()} for i in range(len(flux))]


def before_noise(flux: np.ndarray, label: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the Galaxy and a calibration do to light of sources of a class, and which pipeline reduces each.

    Returns
    -------
    flux : (n, 3909) float32
        With median 1.
    ebv : (n,) array
    first : (n,) bool
        What is drawn depends on the class alone, not on `flux`.
    """
    n = len(flux)
    ebv = np.minimum(rng.exponential(0.12 if label == "STAR" else 0.05, n), 1.5)
    curve = extinction_ccm89(LAMOST_GRID.wave)
    flux = flux * 10 ** (-0.4 * ebv[:, None] * curve).astype(np.float32)
    near, sodium = sodium_transmission(ebv, rng)
    flux[:, near] *= sodium
    flux = distort(flux, rng)
    return flux, ebv, draw_pipeline(n, rng)


def measured(flux: np.ndarray, ivar: np.ndarray, ebv: np.ndarray, first: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the observation: dust, pipeline and signal-to-noise ratios."""
    return {"ebv": ebv, "pipeline": np.where(first, "first", "later"), **median_snr(flux, ivar)}


def simulate_chunks(
    counts: Mapping[str, int],
    *,
    seed: int | Sequence[int],
    chunk: int = 500,
    workers: int | None = None,
    scheduler: str | None = None,
    start: int = 0,
) -> Iterator[SpectrumSet]:
    """Simulate a survey of any size piece by piece, in memory that does not grow with it.

    Parameters
    ----------
    counts : mapping of str to int
        As for `simulate`; see `survey_counts` for LAMOST's own mixture.
    seed : int or sequence of int
        The same seed and `chunk` give the same spectra, whatever the number of workers.
    chunk : int
        Spectra at a time.
    workers : int, optional
        Processes that simulate; by default it is done in this one.
    scheduler : str, optional
        Address of a Dask scheduler to simulate on instead.
    start : int
        Chunks to pass over, which were made before.

    Yields
    ------
    SpectrumSet
        Up to `chunk` spectra of mixed classes, as from `simulate`; their `spec_id` differ from chunk to chunk.

    Raises
    ------
    RacnetError
        If a name is unknown or a number is not positive.
    """
    if chunk < 1 or (workers is not None and workers < 1) or start < 0:
        raise RacnetError(
            f"Expected chunk and workers of 1 or more and start of 0 or more. Received: {chunk}, {workers}, {start}."
        )
    check_counts(counts)
    own = tuple(np.atleast_1d(seed).tolist())
    plan = enumerate(_plan(counts, chunk, np.random.default_rng(own)), start=1)
    tasks = ((part, (*own, number)) for number, part in islice(plan, start, None))
    with workforce(workers, scheduler) as (executor, n):
        for _, spectra in in_order(executor, _simulate_task, tasks, n + 1):
            yield spectra


def _simulate_task(task: tuple[Mapping[str, int], Sequence[int]]) -> SpectrumSet:
    return _simulate(*task)


def _plan(counts: Mapping[str, int], chunk: int, rng: np.random.Generator) -> Iterator[dict[str, int]]:
    """How many of each name every chunk holds: drawn without replacement, so that the sums are `counts`."""
    left = np.array(list(counts.values()))
    while left.sum():
        drawn = rng.multivariate_hypergeometric(left, min(chunk, int(left.sum())), method="marginals")
        left -= drawn
        yield {name: int(number) for name, number in zip(counts, drawn, strict=True) if number}
