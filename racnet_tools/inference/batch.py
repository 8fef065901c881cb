"""Many files classified chunk by chunk, in this process, in others, or on a Dask cluster.

A worker takes a chunk of files through all stages: read and unpack, grid, normalise, classify. Several chunks are at
different stages at a time: where threads do the work, one reads (in Python) while another's network computes (without
holding the interpreter), and the main thread writes what is done into the journal. Inputs are taken lazily and two
chunks a worker are in flight, so memory does not grow with their number. Every network runs in one thread of its own.
Chunks are cut before the work is handed out and their results come back in order: the catalogue is the same for any
number of workers. A refused file is noted with its reason and the rest goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.inference.classifier import Classifier, printable
from racnet_tools.inference.journal import signature
from racnet_tools.inference.presets import available_presets
from racnet_tools.readers.record import Record
from racnet_tools.spectra.spectrum_set import SpectrumSet
from racnet_tools.workers import available_threads, kills_workers, result_of

__all__ = ["CHUNK_FILES", "Recipe", "classify_chunks"]

#: Files in a chunk. Results are kept, and progress is shown, chunk by chunk.
CHUNK_FILES = 64
#: Spectra held in memory at a time by one worker; a DESI file holds thousands.
_PIECE = 256
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Recipe:
    """What a worker needs to know to classify: small, and the same in every process.

    Attributes
    ----------
    preset : str
        Name of the preset, or its folder.
    presets : tuple of (name, SHA-256)
        The networks that must be found there.
    engines : tuple of (name, engine)
        What computes each of them.
    batch_size : int or None
        Spectra in one pass through the network; None for the engine's own choice.
    """

    preset: str
    presets: tuple[tuple[str, str], ...]
    engines: tuple[tuple[str, str], ...]
    batch_size: int | None

    @classmethod
    def of(cls, classifier: Classifier) -> Recipe:
        """The recipe that gives this classifier again; by name where possible, which also holds on other machines."""
        preset = classifier.preset
        known = available_presets().get(preset.name) == preset.folder
        presets = tuple(sorted(classifier.presets.items()))
        engines = tuple(sorted(classifier.engines.items()))
        return cls(preset.name if known else str(preset.folder), presets, engines, classifier.batch_size)

    def classifier(self) -> Classifier:
        """The classifier; made once in each process."""
        with _LOADING:
            return _classifier(self)


@lru_cache(maxsize=2)
def _classifier(recipe: Recipe) -> Classifier:
    classifier = Classifier(recipe.preset, recipe.batch_size, threads=1, engine=dict(recipe.engines))
    if tuple(sorted(classifier.presets.items())) != recipe.presets:
        raise RacnetError(
            f"A worker found other networks in {recipe.preset} than the main process did: expected {recipe.presets}; "
            f"found {classifier.presets}. Install the same presets everywhere."
        )
    classifier.load()
    return classifier


def classify_chunk(recipe: Recipe, paths: list[str]) -> tuple[list[list[Any]], list[tuple[str, str]]]:
    """Rows of the catalogue for the spectra of some files, and what was refused of them, each in the files' order.

    Parameters
    ----------
    recipe : Recipe
    paths : list of str

    Returns
    -------
    rows : list of list
        In the order of `Classifier.columns`.
    errors : list of (path, reason)
    """
    from racnet_tools.readers.reading import require_coverage
    from racnet_tools.readers.registry import read_record

    classifier = recipe.classifier()
    grid = classifier.preset.preprocessing.grid
    rows: list[tuple[int, list[Any]]] = []
    errors: list[tuple[int, str]] = []
    waiting: list[tuple[int, Record]] = []
    n_waiting = 0

    def flush() -> None:
        done, refused = _classify_records(classifier, waiting)
        rows.extend(done)
        errors.extend(refused)
        waiting.clear()

    for number, path in enumerate(paths):
        try:
            record = read_record(path)
            require_coverage(path, record, grid)
        except Exception as error:  # one file must not end a night's run, whatever is wrong with it
            errors.append((number, _reason(error)))
            continue
        for piece in _pieces(record):
            waiting.append((number, piece))
            n_waiting += len(piece.rows)
            if n_waiting >= _PIECE:
                flush()
                n_waiting = 0
    flush()
    for number, row in rows:
        row[1] = printable(paths[number])
    return [row for _, row in rows], [(printable(paths[n]), reason) for n, reason in sorted(errors, key=lambda e: e[0])]


def _pieces(record: Record, size: int = _PIECE) -> Iterator[Record]:
    """A file's spectra, `size` at a time."""
    for start in range(0, len(record.rows), size):
        part = slice(start, start + size)
        yield Record(
            record.wave, record.flux[part], record.ivar[part], record.mask[part], record.rows[part], record.meta
        )


def _classify_records(
    classifier: Classifier, numbered: list[tuple[int, Record]]
) -> tuple[list[tuple[int, list[Any]]], list[tuple[int, str]]]:
    if not numbered:
        return [], []
    errors: list[tuple[int, str]] = []
    try:
        spectra, network_input = _prepared(classifier, numbered)
    except Exception:  # something is wrong with one of them: find out which
        good = []
        for one in [(number, single) for number, record in numbered for single in _pieces(record, 1)]:
            try:
                _prepared(classifier, [one])
                good.append(one)
            except Exception as error:
                errors.append((one[0], _reason(error)))
        if not good:
            return [], errors
        numbered = good
        spectra, network_input = _prepared(classifier, numbered)
    numbers = [number for number, record in numbered for _ in record.rows]
    return list(zip(numbers, classifier.rows(spectra, network_input), strict=True)), errors


def _prepared(classifier: Classifier, numbered: list[tuple[int, Record]]) -> tuple[SpectrumSet, np.ndarray]:
    from racnet_tools.readers.reading import gather

    spectra = gather([record for _, record in numbered], classifier.preset.preprocessing.grid)
    return spectra, classifier.prepare(spectra)


def _reason(error: Exception) -> str:
    if isinstance(error, ReadError):
        return error.reason
    if isinstance(error, RacnetError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}. Please report this with the file."


def classify_chunks(
    paths: Iterable[str | Path],
    recipe: Recipe,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    recall: Callable[[int, list[list[Any]]], dict[str, Any] | None] | None = None,
) -> Generator[tuple[dict[str, Any], bool], None, None]:
    """Classify files chunk by chunk, in order.

    Parameters
    ----------
    paths : iterable of path
        Taken lazily.
    recipe : Recipe
    executor : concurrent.futures.Executor, optional
        Where the chunks are worked on; threads of this process by default.
    workers : int, optional
        Number of workers of `executor`; two chunks for each are handed out ahead.
    recall : callable, optional
        ``recall(chunk, inputs)`` gives the record of a chunk that is done already, or None.

    Yields
    ------
    record : dict
        ``chunk`` (its number), ``inputs`` (signatures of its files), ``rows`` and ``errors``.
    new : bool
        False if the record was recalled.

    Raises
    ------
    RacnetError
        If a worker dies or cannot load the preset.
    """
    own = ThreadPoolExecutor(available_threads()) if executor is None else None
    workers = available_threads() if executor is None else workers or 1
    pool = executor or own
    assert pool is not None
    pending: deque[tuple[dict[str, Any], Future[Any] | None]] = deque()

    def finished() -> tuple[dict[str, Any], bool]:
        record, future = pending.popleft()
        if future is None:
            return record, False
        try:
            rows, errors = result_of(pool, future)
        except Exception as error:
            if not kills_workers(error):
                raise
            rows, errors = _one_by_one(pool, recipe, [name for name, *_ in record["inputs"]])
        return {**record, "rows": rows, "errors": errors}, True

    try:
        for chunk, names in enumerate(_chunks(paths)):
            inputs = [signature(name) for name in names]
            record = recall(chunk, inputs) if recall else None
            if record is not None:
                pending.append((record, None))
            else:
                pending.append(({"chunk": chunk, "inputs": inputs}, pool.submit(classify_chunk, recipe, names)))
            while pending and (len(pending) > 2 * workers or pending[0][1] is None or pending[0][1].done()):
                yield finished()
        while pending:
            yield finished()
    finally:
        for _, future in pending:
            if future is not None:
                future.cancel()
        if own is not None:
            own.shutdown(cancel_futures=True)


def _one_by_one(executor: Executor, recipe: Recipe, names: list[str]) -> tuple[list[list[Any]], list[tuple[str, str]]]:
    """A chunk in which something made worker after worker die: the file that does is refused, the rest is kept."""
    rows: list[list[Any]] = []
    errors: list[tuple[str, str]] = []
    for name in names:
        try:
            done, refused = result_of(executor, executor.submit(classify_chunk, recipe, [name]))
        except Exception as error:
            if not kills_workers(error):
                raise
            done, refused = [], [(printable(name), "workers died over it: too large for their memory, or damaged")]
        rows += done
        errors += refused
    return rows, errors


def _chunks(paths: Iterable[str | Path]) -> Iterator[list[str]]:
    names = (str(path) for path in paths)
    while chunk := list(islice(names, CHUNK_FILES)):
        yield chunk
