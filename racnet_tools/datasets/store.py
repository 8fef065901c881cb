"""A store: spectra on one grid in a folder, appended crash-safely, read lazily, opened by many processes at once.

The folder is a Zarr v3 group (`racnet_tools.datasets.layout`) and a log of what is committed
(`racnet_tools.datasets.log`). A writer that is killed leaves what it had committed. Readers see what was committed when
they opened the store, also while a writer appends; there is one writer at a time.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets.layout import (
    CHUNK,
    CUBES,
    columns_of,
    content_sha256,
    create_array,
    holds_text,
    toolkit_version,
    zarr_module,
)
from racnet_tools.datasets.log import LOG, Block, CommitLog
from racnet_tools.datasets.order import in_groups, shuffled_groups
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import any_path, is_remote
from racnet_tools.spectra import LAMOST_GRID, LogLambdaGrid, SpectrumSet
from racnet_tools.spectra.columns import COLUMNS

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["SpectrumStore", "is_store"]

_FORMAT = {"format": "racnet-spectra", "version": 1}
_LOCK = "writer.lock"


def is_store(path: str | Path) -> bool:
    """Whether a folder looks like a store."""
    return (any_path(path) / LOG).is_file()


class SpectrumStore:
    """Spectra on disk; ``store[rows]`` is a `SpectrumSet`.

    Open one with `SpectrumStore.open`, make one with `SpectrumStore.create`.

    Attributes
    ----------
    path : Path
    grid : LogLambdaGrid
        The wavelengths of all spectra.
    provenance : dict
        What the maker said of the source.

    Examples
    --------
    >>> store = SpectrumStore.create("survey.zarr")  # doctest: +SKIP
    >>> store.append(spectra)  # doctest: +SKIP
    >>> len(store), store[[3, 1]].table["label"]  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = any_path(path)
        self._writing = False
        self._load()

    def _load(self) -> None:
        zarr = zarr_module()
        self._log = CommitLog(self.path)
        schema = self._log.schema
        if {key: schema.get(key) for key in _FORMAT} != _FORMAT:
            raise ReadError(
                self.path,
                expected=f"a store of version {_FORMAT['version']}",
                found=f"{schema.get('format')} {schema.get('version')}",
                advice="Is racnet-tools up to date?",
            )
        self.grid = LogLambdaGrid(**schema["grid"])
        self.provenance: dict[str, Any] = schema["provenance"]
        with self._told():
            self._group = zarr.open_group(str(self.path), mode="r+" if self._writing else "r")
            self._cubes = {name: self._group[name] for name in CUBES}
            self._n_good, self._wave = self._group["n_good"], self._group["wave"]
            self._columns = dict(sorted(self._group["columns"].arrays()))

    @classmethod
    def open(cls, path: str | Path) -> SpectrumStore:
        """Open a store.

        Raises
        ------
        ReadError
            If the folder holds none, or its log is damaged.
        """
        return cls(path)

    @classmethod
    def create(
        cls, path: str | Path, *, grid: LogLambdaGrid = LAMOST_GRID, provenance: Mapping[str, Any] | None = None
    ) -> SpectrumStore:
        """Make an empty store.

        Parameters
        ----------
        path : str or Path
            A folder that does not exist yet.
        grid : LogLambdaGrid
            Wavelengths; spectra on others are resampled when they are appended.
        provenance : mapping, optional
            Where the spectra come from, as plain values (JSON).

        Raises
        ------
        RacnetError
            If `path` exists or its parent does not.
        """
        path = any_path(path)
        zarr_module()
        if path.exists():
            raise RacnetError(f"{path} exists already and is not overwritten. Choose another name.")
        if not is_remote(path) and not path.absolute().parent.is_dir():
            raise RacnetError(f"The folder {path.absolute().parent} does not exist. Create it first.")
        schema = {**_FORMAT, "racnet": toolkit_version(), "grid": grid.to_dict(), "provenance": dict(provenance or {})}
        if is_remote(path):  # objects cannot be renamed at once: the log, without which it is no store, comes last
            _write_empty(str(path), grid, schema)
            CommitLog.create(path, schema)
            return cls(path)
        folder = Path(tempfile.mkdtemp(prefix=".writing-", dir=path.absolute().parent))
        try:
            folder.chmod(0o777 & ~_umask())
            _write_empty(str(folder), grid, schema)
            CommitLog.create(folder, schema)
            folder.rename(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return cls(path)

    # --- what is in it -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._log.n_rows

    @property
    def n_pixels(self) -> int:
        """Pixels of each spectrum."""
        return self.grid.n_pixels

    @property
    def blocks(self) -> Sequence[Block]:
        """What was committed together, in order."""
        return tuple(self._log.blocks)

    @property
    def fingerprint(self) -> str:
        """SHA-256 that stands for schema and content."""
        return self._log.fingerprint

    @property
    def column_names(self) -> list[str]:
        """Columns of the table, the standard ones first."""
        return [*COLUMNS, *(name for name in self._columns if name not in COLUMNS)]

    def __repr__(self) -> str:
        return f"<SpectrumStore {self.path}: {len(self)} spectra, {self.n_pixels} pixels>"

    def column(self, name: str) -> np.ndarray:
        """One column for all spectra: text ("" = missing) or float64 (NaN = missing); also ``n_good``.

        Raises
        ------
        RacnetError
            If there is none of that name.
        """
        array = self._n_good if name == "n_good" else self._columns.get(name)
        if array is None:
            raise RacnetError(f"There is no column {name!r}. Columns: {', '.join(self.column_names)}.")
        with self._told():
            return _plain(array[: len(self)])

    def table(self, rows: Any = slice(None)) -> Table:
        """The table of some rows, or of all; an astropy Table as `SpectrumSet` has it."""
        from astropy.table import Table

        numbers = self._numbers(rows)
        with self._told():
            columns = {name: self._pick(self._columns[name], numbers) for name in self.column_names}
        return Table([_masked(name, _plain(values)) for name, values in columns.items()], copy=False)

    def __getitem__(self, rows: int | slice | Sequence[int] | Sequence[bool] | np.ndarray) -> SpectrumSet:
        """Some of the spectra, read from disk: by number, slice, boolean array or array of numbers in any order."""
        numbers = self._numbers(rows)
        with self._told():
            flux, ivar, mask = (self._pick(array, numbers) for array in self._cubes.values())
        return SpectrumSet(self.grid.wave, flux, ivar, mask, self.table(numbers), self._meta(numbers))

    def _numbers(self, rows: Any) -> np.ndarray:
        if isinstance(rows, int | np.integer):
            if not -len(self) <= rows < len(self):
                raise IndexError(f"Spectrum {rows} was asked for; the store has {len(self)}.")
            return np.array([rows % len(self)])
        if isinstance(rows, slice):
            return np.arange(len(self))[rows]
        index = np.asarray(rows)
        if index.size == 0:
            return np.zeros(0, int)
        if index.dtype == bool:
            if index.shape != (len(self),):
                raise IndexError(f"Expected a boolean array of shape ({len(self)},). Received: {index.shape}.")
            return np.flatnonzero(index)
        if index.ndim != 1 or index.dtype.kind not in "iu" or index.min() < -len(self) or index.max() >= len(self):
            raise IndexError(f"Expected numbers from {-len(self)} to {len(self) - 1}. Received: {rows!r:.200}.")
        return np.where(index < 0, index + len(self), index)

    @staticmethod
    def _pick(array: Any, numbers: np.ndarray) -> np.ndarray:
        """Rows in the order asked for; every chunk that holds some of them is read once."""
        if len(numbers) == 0:
            return array[:0]
        if (np.diff(numbers) == 1).all():
            return array[int(numbers[0]) : int(numbers[-1]) + 1]
        out = np.empty((len(numbers), *array.shape[1:]), array.dtype)
        for where in in_groups(numbers // array.chunks[0]):
            low, high = int(numbers[where].min()), int(numbers[where].max()) + 1
            out[where] = array[low:high][numbers[where] - low]
        return out

    def _meta(self, numbers: np.ndarray) -> dict[str, Any]:
        """What the sets that the rows were appended in agree on."""
        stops = [block.stop for block in self._log.blocks]
        met = [self._log.blocks[k].notes.get("meta", {}) for k in np.unique(np.searchsorted(stops, numbers, "right"))]
        return {k: v for k, v in (met[0] if met else {}).items() if all(other.get(k) == v for other in met)}

    def iterate(self, size: int = 2 * CHUNK) -> Iterator[SpectrumSet]:
        """All spectra in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def shuffled(
        self, batch_size: int, *, seed: int, epoch: int = 0, rows: np.ndarray | None = None, buffer: int = 8
    ) -> Iterator[SpectrumSet]:
        """Shuffled batches: `buffer` chunks at a time, in random order, are read and their spectra mixed.

        Parameters
        ----------
        batch_size : int
            Spectra in a batch; the last may hold fewer.
        seed, epoch : int
            The same two give the same batches.
        rows : array of int, optional
            Take only these.
        buffer : int
            Chunks in memory at a time, 9 MB each; more mix better.

        Yields
        ------
        SpectrumSet
            Every spectrum once.
        """
        numbers = np.arange(len(self)) if rows is None else self._numbers(rows)
        left: list[SpectrumSet] = []
        for group in shuffled_groups(numbers // CHUNK, seed, epoch, buffer):
            spectra = self[numbers[group]]
            for start in range(0, len(spectra), batch_size):
                left.append(spectra[start : start + batch_size])
                left = _joined(left)
                if len(left[0]) >= batch_size:
                    yield left[0][:batch_size]
                    left = [left[0][batch_size:]] if len(left[0]) > batch_size else []
        if left:
            yield left[0]

    # --- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for this process while it appends many times; what a killed writer left is put right.

        Raises
        ------
        RacnetError
            If another writer holds it.
        """
        if self._writing:
            yield
            return
        with (_locked_remotely if is_remote(self.path) else _locked)(self.path):
            self._writing = True
            try:
                self._load()
                self._log.cut()
                if not is_remote(self.path):
                    for left in self.path.rglob("*.partial"):
                        left.unlink(missing_ok=True)
                self._resize(len(self))
                yield
            finally:
                self._writing = False
                self._load()

    def append(self, spectra: SpectrumSet, notes: Mapping[str, Any] | None = None) -> None:
        """Add spectra behind the others; they are committed, all of them, when this returns.

        Parameters
        ----------
        spectra : SpectrumSet
            Resampled to the store's grid if they are on another. Columns that the store has not are added to it.
        notes : mapping, optional
            Kept in the log with this block, as plain values (JSON).

        Raises
        ------
        RacnetError
            If another process writes, or a column cannot be stored.
        """
        if len(spectra) == 0:
            return
        gridded = spectra.to_grid(self.grid)
        cubes = {name: getattr(gridded, name) for name in CUBES}
        columns = columns_of(gridded.table)
        notes = dict(notes or {})
        if gridded.meta:
            notes["meta"] = json.loads(json.dumps(gridded.meta, default=str))
        with self.writing(), self._told():
            start, stop = len(self), len(self) + len(gridded)
            for name, values in columns.items():
                text = values.dtype.kind == "T"
                if name not in self._columns:
                    self._columns[name] = create_array(self._group, name, start, self.n_pixels, text=text)
                elif holds_text(self._columns[name]) != text:
                    raise RacnetError(f"Column {name!r} holds {'numbers' if text else 'text'} in {self.path}.")
            self._resize(stop)
            for name, array in self._cubes.items():
                array[start:stop] = cubes[name]
            self._n_good[start:stop] = (~gridded.mask & (gridded.flux != 0)).sum(axis=1)
            for name, array in self._columns.items():
                if name in columns:
                    array[start:stop] = columns[name]
            self._log.commit(stop, content_sha256(cubes, columns), notes)

    def _resize(self, n: int) -> None:
        for array in (*self._cubes.values(), self._n_good, *self._columns.values()):
            if array.shape[0] != n:
                array.resize((n, *array.shape[1:]))

    # --- checking ------------------------------------------------------------------------------------------------

    def verify(self) -> list[str]:
        """Read everything and compare it with the log.

        Returns
        -------
        list of str
            What is damaged, a sentence each; empty for a sound store.
        """
        problems = self._verify_layout()
        for block in self._log.blocks:
            here = f"rows {block.start} to {block.stop - 1}"
            try:
                cubes = {name: array[block.start : block.stop] for name, array in self._cubes.items()}
                columns = {name: array[block.start : block.stop] for name, array in self._columns.items()}
                n_good = self._n_good[block.start : block.stop]
            except (ValueError, TypeError, AttributeError, RuntimeError, OSError, KeyError) as error:
                problems.append(f"{here}: {error}")
                continue
            told = {name: v for name, v in columns.items() if (v != "" if v.dtype.kind == "T" else ~np.isnan(v)).any()}
            if content_sha256(cubes, told) != block.sha256:
                problems.append(f"{here}: the content is not what was written (SHA-256).")
            elif not np.array_equal(n_good, (~cubes["mask"] & (cubes["flux"] != 0)).sum(axis=1)):
                problems.append(f"{here}: n_good does not follow from flux and mask.")
        return problems

    def _verify_layout(self) -> list[str]:
        zarr = zarr_module()
        problems = []
        if dict(self._group.attrs) != self._log.schema:
            problems.append(f"zarr.json: the schema is not that of {LOG}.")
        problems += [f"columns/{name}: missing or unreadable." for name in COLUMNS if name not in self._columns]
        model = zarr.create_group(zarr.storage.MemoryStore())
        try:
            if not np.array_equal(self._wave[:], self.grid.wave):
                problems.append("wave: not the wavelengths of the schema.")
        except (ValueError, TypeError, AttributeError, RuntimeError, OSError, KeyError) as error:
            problems.append(f"wave: {error}")
        for name, array in {**self._cubes, "n_good": self._n_good, "wave": self._wave, **self._columns}.items():
            n = array.shape[0] if name != "wave" else 0
            made = create_array(model, name, n, self.n_pixels, text=holds_text(array))
            if n < len(self) and name != "wave":
                problems.append(f"{name}: has {n} rows, fewer than the {len(self)} committed.")
            elif made.metadata.to_dict() != array.metadata.to_dict():
                problems.append(f"{name}: its zarr.json is not what was written.")
        return problems

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Damage as a `ReadError`."""
        try:
            yield
        except (ValueError, TypeError, AttributeError, RuntimeError, KeyError, FileNotFoundError) as error:
            raise ReadError(
                self.path,
                expected="an undamaged store",
                found=f"{type(error).__name__}: {error}",
                advice="SpectrumStore.verify() lists what is damaged; make the store again or restore a copy.",
            ) from error


def _write_empty(folder: str, grid: LogLambdaGrid, schema: dict[str, Any]) -> None:
    group = zarr_module().create_group(folder, attributes=schema)
    group.create_group("columns")
    for name in (*CUBES, "n_good", "wave"):
        array = create_array(group, name, 0, grid.n_pixels)
        if name == "wave":
            array[:] = grid.wave
    for name, (kind, _) in COLUMNS.items():
        create_array(group, name, 0, grid.n_pixels, text=kind is str)


def _joined(sets: list[SpectrumSet]) -> list[SpectrumSet]:
    from racnet_tools.spectra import concatenate

    return sets if len(sets) == 1 else [concatenate(sets)]


def _plain(values: np.ndarray) -> np.ndarray:
    """Text as numpy's fixed-width type, which astropy takes."""
    return np.array(values.tolist(), dtype=str) if values.dtype.kind == "T" else values


def _masked(name: str, values: np.ndarray) -> Any:
    from astropy.table import MaskedColumn

    missing = values == "" if values.dtype.kind == "U" else np.isnan(values)
    return MaskedColumn(values, name=name, mask=missing, description=COLUMNS[name][1] if name in COLUMNS else None)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second writer out; the system frees the lock however this process ends."""
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with (folder / _LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise RacnetError(
                f"Process {holder} is writing to {folder}. Wait until it has finished, or stop it first."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextmanager
def _locked_remotely(folder: Path) -> Iterator[None]:
    """Keep a second writer out by an object that only one can make; who is killed leaves it behind."""
    path: Any = folder / _LOCK
    mine = f"{platform.node()} {os.getpid()}"
    try:
        path.fs.pipe_file(path.path, mine.encode(), mode="create")
    except FileExistsError as error:
        holder = path.read_text().split()
        if holder[:1] != [platform.node()] or _runs(int(holder[1])):
            raise RacnetError(
                f"Process {' '.join(reversed(holder))} is writing to {folder}. Wait until it has finished; if it was "
                f"killed, delete {path}."
            ) from error
        path.write_text(mine)
    try:
        yield
    finally:
        path.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
