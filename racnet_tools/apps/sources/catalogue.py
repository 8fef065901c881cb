"""Catalogues below the server's folder: tables that name spectra by path, or by LAMOST's obsid.

A path is relative to the catalogue's own folder or to the server's; those that `racnet classify` and `racnet download`
write work as they are. An obsid is looked for as ``spectra/OBSID.fits.gz`` beside the catalogue, and otherwise fetched
from LAMOST when its turn comes, if the server allows that.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import posixpath
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.archive import LAMOST_RELEASE, fetch_lamost
from racnet_tools.apps.sources.folder import MOST, files_below, inside, open_file, open_folder, spectrum_file
from racnet_tools.apps.sources.samples import bare
from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.votables import refuse_elsewhere

__all__ = ["open_catalogue", "open_file_or_catalogue"]

_PATH = ("path", "file", "filename", "file_name", "fits", "spectrum")
_OBSID = ("obsid", "obs_id", "lamost_obsid")
_NAME = ("spec_id", "targetid", "target_id")
_CLASS = ("label", "class", "cls", "spectype")
_Z = ("z_header", "z", "redshift", "zbest")
_ENDINGS = (".fits.gz", ".fits")
_MAX_BYTES = 64 * 1024**2
_FROM_LAMOST = "lamost:"


def open_file_or_catalogue(settings: Settings, name: str) -> SpectrumList:
    """A file of spectra, or a catalogue, below the server's folder; what it is shows in its content.

    Raises
    ------
    RacnetError
        If it is neither, or there is no such file.
    """
    root = _root(settings)
    path = inside(root, name)
    if path.is_dir():
        return open_folder(root, name)
    # A catalogue in text has numbers in columns as a spectrum does, so it is asked for its columns first.
    ways = [lambda: open_catalogue(settings, name), lambda: open_file(root, name)]
    reasons = []
    for way in ways[::-1] if _is_fits(path) else ways:
        try:
            return way()
        except ReadError as error:
            reasons.append(error.reason)
    raise RacnetError(f"{name}: neither a spectrum nor a catalogue. {' Or: '.join(reasons)}")


def open_catalogue(settings: Settings, name: str) -> SpectrumList:
    """The spectra that a catalogue below the server's folder names, in its order.

    Parameters
    ----------
    settings : Settings
    name : str
        CSV, ECSV or other text with names of columns, FITS table, or VOTable.

    Returns
    -------
    SpectrumList

    Raises
    ------
    ReadError
        If it is no table, or has neither paths nor obsids.
    RacnetError
        If there is no such file.
    """
    root = _root(settings)
    path = inside(root, name)
    where = path.relative_to(root).as_posix()
    names, rows = _table(path, where)
    plain = {one.strip().lower(): place for place, one in reversed(list(enumerate(names)))}
    column = {
        kind: next((plain[one] for one in known if one in plain), None)
        for kind, known in (("path", _PATH), ("obsid", _OBSID), ("name", _NAME), ("class", _CLASS), ("z", _Z))
    }
    if column["path"] is None and column["obsid"] is None:
        raise ReadError(
            where,
            expected="a column path (or file, filename) or obsid",
            found=f"the columns {', '.join(names)[:200]}",
            advice="Add one of them: paths are relative to the catalogue's folder.",
        )
    listed = list(islice(rows, MOST + 1))
    places = _Places(root, posixpath.dirname(where))
    items = [item for row in listed[:MOST] if (item := _item(places, row, column)) is not None]
    shared = Counter(item.where for item in items)
    items = [
        replace(one, key=f"{one.key}#{one.spec_id}") if shared[one.where] > 1 and one.spec_id else one for one in items
    ]
    if not items:
        raise ReadError(where, expected="rows with a path or an obsid", found="none")

    def locate(one: str) -> Path:
        if one.startswith(_FROM_LAMOST):
            return fetch_lamost(settings, LAMOST_RELEASE, one.removeprefix(_FROM_LAMOST))
        return spectrum_file(root, one)

    count = f"first {MOST:,} rows" if len(listed) > MOST else f"{len(items):,} spectra"
    return SpectrumList(
        f"catalogue {where} ({count})",
        items,
        locate,
        python=_python(root, where, names[column["path"]] if column["path"] is not None else ""),
        address={"open": "file", "path": where},
    )


def _root(settings: Settings) -> Path:
    if settings.spectra is None:
        raise RacnetError("This server offers no folder of spectra: racnet dashboards --spectra FOLDER does.")
    return settings.spectra.resolve()


def _is_fits(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path, "rb") as file:
                head = file.read(6)
        except (OSError, EOFError, zlib.error):
            return False
    return head == b"SIMPLE"


def _python(root: Path, where: str, path_column: str) -> str:
    name = str(PurePosixPath(root.name, where))
    if not path_column:
        command = f"# racnet download --list {name} --output few"
        return f"{command}\nimport racnet_tools\n\nspectra = racnet_tools.read('few/spectra')"
    return (
        "import racnet_tools\nfrom astropy.table import Table\n\n"
        f"catalogue = Table.read({name!r})\n"
        f'spectra = racnet_tools.read(list(catalogue[{path_column!r}]), on_error="skip")  # paths from where they start'
    )


def _item(places: _Places, row: Sequence[str], column: Mapping[str, int | None]) -> Item | None:
    def value(kind: str) -> str:
        place = column[kind]
        return row[place].strip() if place is not None and place < len(row) else ""

    about = _about(value("class"), value("z"))
    written, obsid, spec_id = value("path"), value("obsid"), value("name")
    if written:
        where = places(written)
        key, shown = bare(where), spec_id or bare(posixpath.basename(where))
        return Item(key, shown + about, where, spec_id=spec_id)
    if obsid.isascii() and obsid.isdigit() and 0 < len(obsid) < 20:
        where = places.of_obsid(obsid) or f"{_FROM_LAMOST}{obsid}"
        return Item(f"LAMOST-{obsid}", f"obsid {obsid}{about}", where)
    return None


def _about(label: str, z: str) -> str:
    """Class and redshift as a list shows them behind a name."""
    try:
        redshift = f" z={float(z):.4f}" if z and abs(float(z)) < 100 else ""
    except ValueError:
        redshift = ""
    return (f" {label[:20]}" if label else "") + redshift


class _Places:
    """Names below `root` of paths as a catalogue in `folder` has them; whether one may be opened is checked later."""

    def __init__(self, root: Path, folder: str) -> None:
        self._root, self._folder = root, folder
        self._base = f"{root}/"  # text: paths as objects cost a second for 20,000 rows

    def __call__(self, written: str) -> str:
        if posixpath.isabs(written):
            try:
                return PurePosixPath(written).relative_to(self._root).as_posix()
            except ValueError:
                return written  # refused when its turn comes
        plain = posixpath.normpath(written)
        tried = [posixpath.normpath(posixpath.join(self._folder, plain)), plain]
        tried.append(plain.removeprefix(f"{self._root.name}/"))
        there = (one for one in tried if not one.startswith("..") and os.path.lexists(self._base + one))
        found = next(there, None)
        return found or self._by_name.get(plain) or tried[0]

    def of_obsid(self, obsid: str) -> str | None:
        """The file that `racnet download` made of an obsid, if it is there."""
        beside = (posixpath.join(self._folder, "spectra", obsid + one) for one in _ENDINGS)
        return next((one for one in beside if os.path.lexists(self._base + one)), None)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        """The files in subfolders of the catalogue's: catalogues often name files alone."""
        found: dict[str, str] = {}
        for one in islice(files_below(self._root, inside(self._root, self._folder)), MOST):
            found.setdefault(posixpath.basename(one), one)
        return found


def _table(path: Path, where: str) -> tuple[list[str], Iterator[list[str]]]:
    """Names of the columns, and the rows as text."""
    if path.stat().st_size > _MAX_BYTES:
        raise ReadError(
            where,
            expected=f"a catalogue of at most {_MAX_BYTES >> 20} MB",
            found=f"{path.stat().st_size / 1e6:.0f} MB",
            advice="Select the rows of interest first.",
        )
    with path.open("rb") as file:
        head = file.read(512)
    if _is_fits(path):
        return _by_astropy(path, where, "fits")
    if b"<VOTABLE" in head.upper():
        return _by_astropy(path, where, "votable")
    return _text(path, where, head.startswith(b"\x1f\x8b"))


def _by_astropy(path: Path, where: str, kind: str) -> tuple[list[str], Iterator[list[str]]]:
    import warnings

    from astropy.table import Table

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "votable":
                data = path.read_bytes()
                refuse_elsewhere(data)
                table = Table.read(io.BytesIO(data), format=kind)
            else:
                table = Table.read(path, format=kind)
    except Exception as error:  # astropy's readers raise all sorts for damaged files
        told = " ".join(str(error).split())[:160]
        raise ReadError(where, expected="a table", found=f"none that can be read ({told})") from error
    wanted = {*_PATH, *_OBSID, *_NAME, *_CLASS, *_Z}
    names = [name for name in table.colnames if name.lower() in wanted and table[name].ndim == 1]
    columns = [["" if str(value) in ("--", "nan") else _as_text(value) for value in table[name]] for name in names]
    return names, (list(row) for row in zip(*columns, strict=True))


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text(path: Path, where: str, packed: bool) -> tuple[list[str], Iterator[list[str]]]:
    try:
        if packed:
            with gzip.open(path, "rb") as file:
                data = file.read(_MAX_BYTES + 1)
        else:
            data = path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(where, expected="an intact file", found=str(error)[:120]) from error
    if len(data) > _MAX_BYTES or b"\x00" in data[:4096]:
        raise ReadError(where, expected=f"text of at most {_MAX_BYTES >> 20} MB", found="binary data, or more")
    lines = (
        line
        for line in io.StringIO(data.decode("utf-8-sig", "replace"), newline=None)
        if line.strip() and not line.startswith("#")
    )
    header = next(lines, "")
    separator = next((one for one in "|,\t;" if one in header), " ")
    quoted = {"quoting": csv.QUOTE_NONE} if separator == "|" else {"quotechar": '"'}
    options = {"delimiter": separator, "skipinitialspace": True, **quoted}
    names = next(csv.reader([header], **options), [])  # type: ignore[arg-type]
    return names, _rows(csv.reader(lines, **options), where)  # type: ignore[arg-type]


def _rows(reader: Iterator[list[str]], where: str) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise ReadError(where, expected="rows of text", found=f"something else ({error})") from error
