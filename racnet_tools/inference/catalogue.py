"""The table of classifications: built in memory, or written row by row to CSV, ECSV, FITS, VOTable or Parquet.

Rows are lists in the order of `Column`s, None where missing. What missing is in each format: an empty cell in CSV
and ECSV, NaN or an empty string in FITS and VOTable, null in Parquet; astropy reads all of them as masked.
The writers take rows as they come, so that a catalogue may be larger than the memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path
from racnet_tools.inference.classifier import Column

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["FORMATS", "catalogue_format", "rows_to_catalogue", "write_catalogue", "write_errors"]

Rows = Iterable[Sequence[Any]]

#: Rows held in memory at a time while writing.
_BLOCK = 4096
#: Spreadsheets take a cell that begins with one of these for a formula; CSV text gets an apostrophe before it.
_FORMULA = frozenset("=+-@\t\r")


def rows_to_catalogue(rows: Rows, columns: Sequence[Column], meta: Mapping[str, Any] | None = None) -> Table:
    """The rows as an astropy table.

    Parameters
    ----------
    rows : iterable of sequences
        Values in the order of `columns`; None is masked.
    columns : sequence of Column
    meta : mapping, optional
        Goes into the table's ``meta``.

    Returns
    -------
    Table
    """
    from astropy.table import MaskedColumn, Table

    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    made = []
    for column, given in zip(columns, values, strict=True):
        missing = [value is None for value in given]
        empty = {str: "", float: np.nan, bool: False, int: 0}[column.kind]
        filled = [empty if gone else value for value, gone in zip(given, missing, strict=True)]
        data: np.ndarray = np.array(filled, dtype=column.kind)
        made.append(MaskedColumn(data, name=column.name, mask=missing, description=column.description))
    return Table(made, meta=dict(meta or {}), copy=False)


def catalogue_format(path: str | Path) -> str:
    """The extension of a catalogue's file, lower case, checked.

    Parameters
    ----------
    path : str or Path
        Where the catalogue shall be written.

    Returns
    -------
    str
        One of `FORMATS`.

    Raises
    ------
    RacnetError
        If the extension is none of them.
    """
    extension = Path(str(path)).suffix.lower()
    if extension not in FORMATS:
        raise RacnetError(
            f"The output's extension decides its format: expected {', '.join(FORMATS)}. Received: {str(path)!r}."
        )
    return extension


def write_catalogue(
    path: str | Path,
    rows: Callable[[], Rows],
    columns: Sequence[Column],
    meta: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a catalogue in the format of its extension, beside and renamed.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.ecsv``, ``.fits``, ``.vot`` or ``.parquet``.
    rows : callable
        Gives a fresh iterable of the rows each time it is called (FITS goes through them twice, for the widths).
    columns : sequence of Column
    meta : mapping of str to str, optional
        Stored in the file, except in CSV, which has no place for it.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    RacnetError
        If the extension is unknown or the file exists.
    """
    writer = FORMATS[catalogue_format(path)]
    with atomic_path(path, overwrite) as temporary:
        writer(temporary, rows, columns, dict(meta or {}))


def write_errors(path: str | Path, errors: Iterable[tuple[str, str]], overwrite: bool = False) -> None:
    """Write refused inputs and reasons to a CSV file with the columns ``path`` and ``reason``."""
    with atomic_path(path, overwrite) as temporary:
        _write_rows(temporary, ("path", "reason"), errors)


def _blocks(rows: Rows) -> Iterator[list[Sequence[Any]]]:
    """The rows in lists of `_BLOCK`; at least one, which may be empty."""
    iterator = iter(rows)
    yield list(islice(iterator, _BLOCK))
    while block := list(islice(iterator, _BLOCK)):
        yield block


def _write_rows(path: Path, names: Iterable[str], rows: Rows) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(
            [f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value for value in row]
            for row in rows
        )


def _write_csv(path: Path, rows: Callable[[], Rows], columns: Sequence[Column], meta: dict[str, Any]) -> None:
    _write_rows(path, [column.name for column in columns], rows())


def _write_ecsv(path: Path, rows: Callable[[], Rows], columns: Sequence[Column], meta: dict[str, Any]) -> None:
    def text(block: Rows) -> str:
        buffer = io.StringIO()
        rows_to_catalogue(block, columns, meta).write(buffer, format="ascii.ecsv", delimiter=",")
        return buffer.getvalue()

    header = text([])
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        file.write(header)
        for block in _blocks(rows()):
            file.write(text(block)[len(header) :])


def _write_votable(path: Path, rows: Callable[[], Rows], columns: Sequence[Column], meta: dict[str, Any]) -> None:
    start, end = "<TABLEDATA>\n", "    </TABLEDATA>"

    def text(block: Rows) -> str:
        from astropy.io.votable import from_table, writeto

        buffer = io.BytesIO()
        votable = from_table(rows_to_catalogue(block, columns))
        table = votable.get_first_table()
        table.description = "; ".join(f"{name}: {value}" for name, value in meta.items())
        for field, column in zip(table.fields, columns, strict=True):
            if column.kind is str:  # one declaration for all blocks, whatever their widths
                field.datatype, field.arraysize = "unicodeChar", "*"
        writeto(votable, buffer)  # in Python; see `racnet_tools.votables`
        return buffer.getvalue().decode()

    frame = text([["" if column.kind is str else None for column in columns]])
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(frame.split(start)[0] + start)
        for block in filter(None, _blocks(rows())):
            file.write(text(block).split(start)[1].rsplit(end, 1)[0])
        file.write(end + frame.rsplit(end, 1)[1])


def _write_fits(path: Path, rows: Callable[[], Rows], columns: Sequence[Column], meta: dict[str, Any]) -> None:
    from astropy.io import fits

    widths, n = {column.name: 1 for column in columns if column.kind is str}, 0
    text = [i for i, column in enumerate(columns) if column.kind is str]
    for row in rows():
        n += 1
        for i in text:
            widths[columns[i].name] = max(widths[columns[i].name], len(_ascii(row[i])))
    codes: dict[type, str] = {float: "D", bool: "L", int: "J"}
    types: dict[type, str] = {float: ">f8", bool: "S1", int: ">i4"}
    fields = [(c.name, f"S{widths[c.name]}" if c.kind is str else types[c.kind]) for c in columns]
    dtype = np.dtype(fields)
    header = fits.BinTableHDU.from_columns(
        [fits.Column(c.name, f"{widths[c.name]}A" if c.kind is str else codes[c.kind]) for c in columns]
    ).header
    header["NAXIS2"] = n
    header["EXTNAME"] = "CATALOGUE"
    for name, value in meta.items():
        header.add_history(f"{name}: {value}")
    with path.open("wb") as file:
        file.write(fits.PrimaryHDU().header.tostring().encode("ascii"))
        file.write(header.tostring().encode("ascii"))
        for block in _blocks(rows()):
            array = np.empty(len(block), dtype)
            for column, given in zip(columns, zip(*block, strict=True), strict=False):
                array[column.name] = [_fits_value(value, column.kind) for value in given]
            file.write(array.tobytes())
        file.write(bytes(-n * dtype.itemsize % 2880))


def _ascii(value: str | None) -> bytes:
    return (value or "").encode("ascii", "backslashreplace")  # FITS tables hold ASCII only


def _fits_value(value: Any, kind: type) -> Any:
    if kind is str:
        return _ascii(value)
    if kind is bool:
        return b"T" if value else b"F"
    if kind is int:
        return value or 0
    return np.nan if value is None else value


def _write_parquet(path: Path, rows: Callable[[], Rows], columns: Sequence[Column], meta: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), float: pa.float64(), bool: pa.bool_(), int: pa.int32()}
    schema = pa.schema(
        [pa.field(c.name, kinds[c.kind]) for c in columns], {name: str(value) for name, value in meta.items()}
    )
    with pq.ParquetWriter(path, schema) as writer:
        for block in _blocks(rows()):
            values = list(zip(*block, strict=True)) or [()] * len(columns)
            writer.write_table(pa.table([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema))


#: Extension to the function that writes the format.
FORMATS: dict[str, Callable[[Path, Callable[[], Rows], Sequence[Column], dict[str, Any]], None]] = {
    ".csv": _write_csv,
    ".ecsv": _write_ecsv,
    ".fits": _write_fits,
    ".vot": _write_votable,
    ".parquet": _write_parquet,
}
