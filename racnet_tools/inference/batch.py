"""Many files classified chunk by chunk, in this process, in others, or on a Dask cluster.

Inputs are taken lazily, a chunk at a time, and only a few chunks are in flight, so memory does not grow with their
number. Chunks are cut before the work is handed out and their results come back in order: the catalogue is the same
for any number of workers. A refused file is noted with its reason and the rest goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.inference.classifier import Classifier, printable
from racnet_tools.inference.journal import signature
from racnet_tools.inference.presets import available_presets
from racnet_tools.spectra.spectrum_set import SpectrumSet, concatenate
from racnet_tools.workers import available_threads

__all__ = ["CHUNK_FILES", "Recipe", "classify_chunks"]

#: Files in a chunk. Results are kept, and progress is shown, chunk by chunk.
CHUNK_FILES = 64
#: Spectra held in memory at a time by one worker; a DESI file holds thousands.
_PIECE = 256
# astropy's reading handles warnings in a way that is not safe between threads, and gains nothing from them.
_READING = threading.Lock()
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
    batch_size : int
        Spectra in one pass through the network.
    """

    preset: str
    presets: tuple[tuple[str, str], ...]
    batch_size: int

    @classmethod
    def of(cls, classifier: Classifier) -> Recipe:
        """The recipe that gives this classifier again; by name where possible, which also holds on other machines."""
        preset = classifier.preset
        known = available_presets().get(preset.name) == preset.folder
        presets = tuple(sorted(classifier.presets.items()))
        return cls(preset.name if known else str(preset.folder), presets, classifier.batch_size)

    def classifier(self) -> Classifier:
        """The classifier; made once in each process."""
        with _LOADING:
            return _classifier(self)


@lru_cache(maxsize=2)
def _classifier(recipe: Recipe) -> Classifier:
    classifier = Classifier(recipe.preset, recipe.batch_size, threads=1)
    if tuple(sorted(classifier.presets.items())) != recipe.presets:
        raise RacnetError(
            f"A worker found other networks in {recipe.preset} than the main process did: expected {recipe.presets}; "
            f"found {classifier.presets}. Install the same presets everywhere."
        )
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
    from racnet_tools.readers import read_file

    classifier = recipe.classifier()
    grid = classifier.preset.preprocessing.grid
    rows: list[tuple[int, list[Any]]] = []
    errors: list[tuple[int, str]] = []
    waiting: list[tuple[int, SpectrumSet]] = []

    def flush() -> None:
        done, refused = _classify_pieces(classifier, waiting)
        rows.extend(done)
        errors.extend(refused)
        waiting.clear()

    for number, path in enumerate(paths):
        try:
            with _READING:
                spectra = read_file(Path(path))
            for start in range(0, len(spectra), _PIECE):
                piece = spectra if len(spectra) <= _PIECE else spectra[start : start + _PIECE]
                waiting.append((number, piece.to_grid(grid)))
                if sum(len(piece) for _, piece in waiting) >= _PIECE:
                    flush()
        except Exception as error:  # one file must not end a night's run, whatever is wrong with it
            errors.append((number, _reason(error)))
    flush()
    for number, row in rows:
        row[1] = printable(paths[number])
    return [row for _, row in rows], [(printable(paths[n]), reason) for n, reason in sorted(errors, key=lambda e: e[0])]


def _classify_pieces(
    classifier: Classifier, pieces: list[tuple[int, SpectrumSet]]
) -> tuple[list[tuple[int, list[Any]]], list[tuple[int, str]]]:
    if not pieces:
        return [], []
    numbers = [number for number, piece in pieces for _ in range(len(piece))]
    spectra = concatenate(piece for _, piece in pieces)
    errors: list[tuple[int, str]] = []
    try:
        network_input = classifier.prepare(spectra)
    except RacnetError:  # something is wrong with one of them: find out which
        good = []
        for i, number in enumerate(numbers):
            try:
                classifier.prepare(spectra[i])
                good.append(i)
            except RacnetError as error:
                errors.append((number, _reason(error)))
        if not good:
            return [], errors
        spectra, numbers = spectra[good], [numbers[i] for i in good]
        network_input = classifier.prepare(spectra)
    return list(zip(numbers, classifier.rows(spectra, network_input), strict=True)), errors


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
    workers = workers or available_threads()
    own = ThreadPoolExecutor(workers) if executor is None else None
    pool = executor if own is None else own
    pending: deque[tuple[dict[str, Any], Future | None]] = deque()

    def finished() -> tuple[dict[str, Any], bool]:
        record, future = pending.popleft()
        if future is None:
            return record, False
        rows, errors = future.result()
        return {**record, "rows": rows, "errors": errors}, True

    try:
        for chunk, names in enumerate(_chunks(paths)):
            inputs = [signature(name) for name in names]
            record = recall(chunk, inputs) if recall else None
            if record is not None:
                pending.append((record, None))
            else:
                future = pool.submit(classify_chunk, recipe, names)  # type: ignore[union-attr]
                pending.append(({"chunk": chunk, "inputs": inputs}, future))
            while pending and (len(pending) > 2 * workers or pending[0][1] is None or pending[0][1].done()):
                yield finished()
        while pending:
            yield finished()
    except BrokenProcessPool as error:
        raise RacnetError(
            "A worker process died, perhaps for want of memory. What is done is kept: repeat the command with --resume "
            "and fewer workers."
        ) from error
    finally:
        for _, future in pending:
            if future is not None:
                future.cancel()
        if own is not None:
            own.shutdown(cancel_futures=True)


def _chunks(paths: Iterable[str | Path]) -> Iterator[list[str]]:
    names = (str(path) for path in paths)
    while chunk := list(islice(names, CHUNK_FILES)):
        yield chunk
