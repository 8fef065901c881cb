"""`read`, `read_file` and `read_batches`: from files to `SpectrumSet`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers.objects import merge_objects
from racnet_tools.readers.record import Record
from racnet_tools.readers.registry import read_record
from racnet_tools.readers.search import find_files
from racnet_tools.spectra import LAMOST_GRID, LogLambdaGrid, SpectrumSet, concatenate
from racnet_tools.spectra.resample import coinciding, resample_arrays

__all__ = ["gather", "read", "read_batches", "read_file", "require_coverage"]


def read_file(path: str | Path) -> SpectrumSet:
    """The spectra of one file, on their own wavelengths.

    Parameters
    ----------
    path : str or Path
        A file of one of the products in `racnet_tools.readers`, plain or gzipped.

    Returns
    -------
    SpectrumSet
        One spectrum; a DESI coadd has one for each fibre.

    Raises
    ------
    ReadError
        If the file is refused; the message says what was expected and found. No other exception is raised.
    """
    return _to_set(read_record(path))


def _to_set(record: Record) -> SpectrumSet:
    return SpectrumSet(record.wave, record.flux, record.ivar, record.mask, record.rows, record.meta)


def read(inputs: str | Path | Iterable[str | Path], on_error: Literal["raise", "skip"] = "raise") -> SpectrumSet:
    """The spectra of files, folders, patterns and lists.

    Parameters
    ----------
    inputs : str, Path or iterable of them
        See `find_files`.
    on_error : {"raise", "skip"}
        What a refused file does: end the reading with its `ReadError`, or be passed over and noted in
        ``meta["refused"]`` as ``[path, reason]``.

    Returns
    -------
    SpectrumSet
        In the order of `find_files`; a lone file keeps its own wavelengths, several come on `LAMOST_GRID`. Each
        ``spec_id`` occurs once: of two different files with one id (two releases of one observation, or a copy) the
        second is refused, since catalogues could not tell them apart. A file that is named twice is read once. Spectra
        within 3 arcsec of each other get one ``object_id``, so that a split by object keeps repeated visits together.

    Raises
    ------
    ReadError
        If a file is refused and `on_error` is "raise", or all files are.
    RacnetError
        If `on_error` is neither, or `inputs` is empty.

    Examples
    --------
    >>> import racnet_tools
    >>> spectra = racnet_tools.read("folder/*.fits.gz", on_error="skip")  # doctest: +SKIP
    """
    if on_error not in ("raise", "skip"):
        raise RacnetError(f"Expected on_error='raise' or 'skip'. Received: {on_error!r}.")
    files = find_files(inputs)
    first = next(files, None)
    if first is None:
        raise RacnetError("Expected files, folders, patterns or lists to read. Received: none.")
    second = next(files, None)
    if second is None:
        return read_file(first)
    sets: list[SpectrumSet] = []
    refused: list[ReadError] = []
    for spectra, errors in read_batches(chain([first, second], files)):
        if errors and on_error == "raise":
            raise errors[0]
        refused.extend(errors)
        if spectra is not None:
            sets.append(spectra)
    if not sets:
        raise refused[0]
    joined = sets[0] if len(sets) == 1 else concatenate(sets)
    from astropy.table import MaskedColumn

    table = joined.table
    ra, dec = (table[name].filled(np.nan).tolist() for name in ("ra", "dec"))
    names = merge_objects(table["object_id"].tolist(), ra, dec)
    table["object_id"] = MaskedColumn(names, description=table["object_id"].description)
    if refused:
        joined.meta["refused"] = [[error.path, error.reason] for error in refused]
    return joined


def read_batches(
    files: Iterable[str | Path], size: int = 1024, grid: LogLambdaGrid = LAMOST_GRID
) -> Iterator[tuple[SpectrumSet | None, list[ReadError]]]:
    """Read many files piece by piece, in bounded memory; what `read` and batch jobs stand on.

    Parameters
    ----------
    files : iterable of str or Path
        Files, not folders: `find_files` gives them.
    size : int
        Spectra in a batch; one more only where a single file holds more.
    grid : LogLambdaGrid
        Wavelengths of the spectra.

    Yields
    ------
    spectra : SpectrumSet or None
        The next spectra in order, None if all files of the batch were refused.
    refused : list of ReadError
        The files among them that were refused, in order. Duplicates of a ``spec_id`` are refused over all batches.
    """
    seen: dict[str, str] = {}
    records: list[Record] = []
    refused: list[ReadError] = []
    count = 0
    for path in files:
        try:
            record = read_record(path)
            require_coverage(path, record, grid)
            _require_new(path, record, seen)
        except ReadError as error:
            refused.append(error)
        else:
            records.append(record)
            count += len(record.rows)
        if count >= size or len(refused) >= size:
            yield (gather(records, grid) if records else None), refused
            records, refused, count = [], [], 0
    if records or refused:
        yield (gather(records, grid) if records else None), refused


def require_coverage(path: str | Path, record: Record, grid: LogLambdaGrid) -> None:
    """Raise a `ReadError` if a file's spectra have no good pixel on a grid."""
    first, stop = np.searchsorted(record.wave, grid.wave[0]), np.searchsorted(record.wave, grid.wave[-1], "right")
    if first >= stop:
        found = f"{record.wave[0]:.1f} to {record.wave[-1]:.1f} Angstrom"
    elif record.mask[:, first:stop].all():
        found = "no good pixel there"
    else:
        return
    raise ReadError(
        path,
        expected=f"a spectrum within {grid.wave[0]:.0f}-{grid.wave[-1]:.0f} Angstrom",
        found=found,
        advice="It cannot be used on this grid.",
    )


def _require_new(path: str | Path, record: Record, seen: dict[str, str]) -> None:
    here: set[str] = set()
    for row in record.rows:
        name = row["spec_id"]
        if name in here or name in seen:
            raise ReadError(
                path,
                expected="spectra with identifiers of their own",
                found=f"the spec_id {name!r} of {'a spectrum in the same file' if name in here else seen[name]}",
                advice="Keep one of the two: a copy, or another release of the same observation, counts twice.",
            )
        here.add(name)
    seen.update(dict.fromkeys(here, str(path)))


def gather(records: Sequence[Record], grid: LogLambdaGrid) -> SpectrumSet:
    """One set on `grid`, in order, of one record or more; those on the same wavelengths are resampled together."""
    alike: dict[int, list[tuple[int, Record]]] = {}  # by the wavelength array: readers share equal ones
    total = 0
    for record in records:
        alike.setdefault(id(record.wave), []).append((total, record))
        total += len(record.rows)
    shape = (total, grid.n_pixels)
    cubes = flux, ivar, mask = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.ones(shape, bool)
    for group in alike.values():
        wave = group[0][1].wave
        same = coinciding(wave, grid)
        if same is not None:  # each is copied once, to its place
            here, there = same
            for at, record in group:
                rows = slice(at, at + len(record.rows))
                for cube, part in zip(cubes, (record.flux, record.ivar, record.mask), strict=True):
                    cube[rows, here] = part[:, there]
            continue
        on_grid = resample_arrays(
            wave,
            np.concatenate([record.flux for _, record in group]),
            np.concatenate([record.ivar for _, record in group]),
            np.concatenate([record.mask for _, record in group]),
            grid,
        )
        where = np.concatenate([np.arange(at, at + len(record.rows)) for at, record in group])
        for cube, part in zip(cubes, on_grid, strict=True):
            cube[where] = part
    without = sum(record.meta.get("ivar") == "not given" for record in records)
    meta = {"ivar": "not given" if without == len(records) else "not given for some"} if without else {}
    return SpectrumSet(grid.wave, flux, ivar, mask, [row for record in records for row in record.rows], meta)
