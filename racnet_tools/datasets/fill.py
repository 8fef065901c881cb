"""Filling a store: with a simulated survey, or with the spectra in files; either goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.datasets.layout import CHUNK
from racnet_tools.datasets.store import SpectrumStore, is_store
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import any_path, told_when_full
from racnet_tools.readers import read_batches
from racnet_tools.simulate import simulate_chunks
from racnet_tools.simulate.survey import check_counts
from racnet_tools.spectra import LogLambdaGrid, SpectrumSet
from racnet_tools.workers import in_order, workforce

__all__ = ["fill_simulated", "ingest", "open_or_create"]

_ADVICE = "make room and repeat the command."
_BLOCK = 2 * CHUNK  # spectra simulated, read and committed together


def open_or_create(path: str | Path, provenance: Mapping[str, Any]) -> SpectrumStore:
    """The store at `path`, new or begun with the same provenance.

    Raises
    ------
    RacnetError
        If there is something else at `path`.
    """
    if not (is_store(path) or any_path(path).exists()):
        return SpectrumStore.create(path, provenance=provenance)
    if not is_store(path):
        raise RacnetError(f"{path} exists already and is no store of spectra. Choose another name.")
    store = SpectrumStore.open(path)
    before = store.provenance
    if before != provenance:
        names = {*before, *provenance}
        changed = [
            f"{key} was {before.get(key)!r}, is {provenance.get(key)!r}"
            for key in sorted(names)
            if before.get(key) != provenance.get(key)
        ]
        raise RacnetError(
            f"{path} was begun otherwise and cannot be gone on with: {'; '.join(changed)}. "
            "Repeat the command as it was, or choose another name."
        )
    return store


def fill_simulated(
    path: str | Path,
    counts: Mapping[str, int],
    *,
    seed: int,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int], None] = lambda n_spectra: None,
) -> SpectrumStore:
    """Simulate a survey into a store, or go on with one that was interrupted.

    Parameters
    ----------
    path : str or Path
        The store: new, or begun with the same counts and seed.
    counts : mapping of str to int
        As for `racnet_tools.simulate.simulate`.
    seed : int
        The same seed gives the same store, byte for byte, whatever the workers and the interruptions.
    workers : int, optional
        Processes that simulate.
    scheduler : str, optional
        Address of a Dask scheduler to simulate on instead.
    progress : callable, optional
        Called with the number of spectra that were done since the last call, those of an earlier run included.

    Returns
    -------
    SpectrumStore

    Raises
    ------
    RacnetError
        If the store was begun otherwise, another process fills it, or counts, seed or workers are out of range.
    """
    if (workers is not None and workers < 1) or seed < 0:
        raise RacnetError(f"Expected a seed of 0 or more and 1 worker or more. Received: seed={seed}, {workers}.")
    wanted = {name: int(number) for name, number in counts.items()}
    provenance = {"kind": "simulated", "counts": wanted, "seed": seed, "block": _BLOCK}
    check_counts(wanted)  # before anything is written
    store = open_or_create(path, provenance)
    with told_when_full(_ADVICE), store.writing():
        progress(len(store))
        done = len(store.blocks)
        left = simulate_chunks(wanted, seed=seed, chunk=_BLOCK, workers=workers, scheduler=scheduler, start=done)
        for spectra in left:
            store.append(spectra)
            progress(len(spectra))
    return store


def ingest(
    path: str | Path,
    files: Iterable[str | Path],
    progress: Callable[[int], None] = lambda n_files: None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> tuple[SpectrumStore, list[ReadError]]:
    """Read files into a store, or go on: files whose spectra are in the store already are not read again.

    Parameters
    ----------
    path : str or Path
        The store: new, or made by this function.
    files : iterable of path
        Files, as `racnet_tools.readers.find_files` gives them; taken lazily.
    progress : callable, optional
        Called with the number of files that were done since the last call.
    workers : int, optional
        Processes that read; this one writes, in the files' order, so that the store is the same for any number.
    scheduler : str, optional
        Address of a Dask scheduler to read on instead.

    Returns
    -------
    store : SpectrumStore
    refused : list of ReadError
        The files that were refused: unreadable, without flux in the window, or holding a ``spec_id`` that the store
        has from another file.

    Raises
    ------
    RacnetError
        If there is something else at `path`, or another process writes to it.
    """
    store = open_or_create(path, {"kind": "files"})
    refused: list[ReadError] = []
    with told_when_full(_ADVICE), store.writing():
        held = dict(zip(store.column("spec_id").tolist(), store.column("path").tolist(), strict=True))
        read = set(held.values())
        passed = 0

        def pieces() -> Iterator[tuple[LogLambdaGrid, list[str]]]:
            nonlocal passed
            left: list[str] = []
            for file in map(str, files):
                if file in read:
                    passed += 1
                    continue
                left.append(file)
                if len(left) == _BLOCK:
                    yield store.grid, left
                    left = []
            if left:
                yield store.grid, left

        with workforce(workers, scheduler) as (executor, n):
            for (_, names), batches in in_order(executor, _read, pieces(), n + 1):
                for spectra, errors in batches:
                    refused.extend(errors)
                    if spectra is not None:
                        store.append(_without_repeats(spectra, held, refused))
                progress(len(names) + passed)
                passed = 0
        progress(passed)
    return store, refused


def _read(piece: tuple[LogLambdaGrid, list[str]]) -> list[tuple[SpectrumSet | None, list[ReadError]]]:
    grid, names = piece
    return list(read_batches(names, size=_BLOCK, grid=grid))


def _without_repeats(spectra: SpectrumSet, held: dict[str, str], refused: list[ReadError]) -> SpectrumSet:
    """The spectra of files that bring nothing the store has, and that have flux."""
    names, paths = spectra.column("spec_id"), [str(path or "") for path in spectra.column("path")]
    dark = ((spectra.flux == 0) | spectra.mask).all(axis=1)
    bad: dict[str, ReadError] = {}
    for name, path, empty in zip(names, paths, dark, strict=True):
        if name in held:
            expected, found = "spectra with identifiers of their own", f"the spec_id {name!r} of {held[name]}"
            bad.setdefault(path, ReadError(path, expected=expected, found=found, advice="Keep one of the two."))
        elif empty and paths.count(path) == 1:
            bad.setdefault(path, ReadError(path, expected="a spectrum with flux", found="zeros only"))
    refused.extend(bad.values())
    keep = np.array([path not in bad for path in paths])
    held.update((name, path) for name, path, kept in zip(names, paths, keep, strict=True) if kept)
    return spectra if keep.all() else spectra[keep]
