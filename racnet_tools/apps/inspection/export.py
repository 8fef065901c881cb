r"""Inspections as files for other programs: CSV, ECSV, FITS and VOTable, and back.

Every comment comes back as it was, in any script. CSV: a text that a spreadsheet would take for a formula (it begins
with ``=``, ``+``, ``-``, ``@`` or an apostrophe) has an apostrophe before it, which spreadsheets hide and `read_table`
takes off. FITS holds ASCII only: other characters are written as ``\uXXXX`` or ``\UXXXXXXXX``, a line end as ``\n``,
a tab as ``\t``, a backslash as ``\\``, and the header says so. ECSV, which is read line by line, has the last three
and ``\u0023`` for a number sign at the beginning. `decode` undoes both. VOTable is UTF-8 as it is.

Files come from anybody's browser, and astropy would unpack what is compressed, open an ECSV that is a file's name, and
fetch what a VOTable's STREAM points at, also from the server's own disk. So files are read from memory only, must begin
as their format does, and VOTables must hold their data themselves, as text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from racnet_tools.apps.inspection.record import Inspection
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.votables import refuse_elsewhere

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["FORMATS", "decode", "encode", "read_inspections", "read_table", "to_records", "to_table", "write_table"]

#: Ending of the file to the name of its format.
FORMATS = {".csv": "CSV", ".ecsv": "ECSV", ".fits": "FITS", ".vot": "VOTable"}

_COLUMNS: dict[str, type] = {
    "key": str, "inspector": str, "time": str, "quality": int, "label": str, "z": float, "flags": str, "comment": str,
    "network": str,
}  # fmt: skip
_MEANING = {
    "key": "which spectrum",
    "inspector": "who looked",
    "time": "when it was last changed, UTC",
    "quality": "0 nothing there, 1 unlikely, 2 possible, 3 probable, 4 certain",
    "label": "class given by the inspector; empty where the network's holds",
    "z": "redshift seen by the inspector",
    "flags": "R bad redshift given, C bad class given, S bad spectrum, B blend, N noteworthy",
    "comment": "in the inspector's words",
    "network": "class given by the network",
}
_FORMULA = re.compile(r"[=+\-@'＝＋－＠\t]")
_ENCODED = re.compile(r"\\(\\|n|t|u[0-9a-f]{4}|U[0-9a-f]{8})")
_BEGINNING = {".ecsv": b"# %ECSV ", ".fits": b"SIMPLE  =", ".vot": b"<"}
#: What makes a VOTable more than a plain table of UTF-8 text, beyond what no VOTable may have (`refuse_elsewhere`).
_NOT_PLAIN = re.compile(
    rb"<!\[CDATA\[|<(?:[^\s<>/]*:)?(?:STREAM|FITS|BINARY2?)\b|<\?xml[^>]*encoding\s*=\s*['\"](?!utf-8['\"])",
    re.IGNORECASE,
)
_WIDEST = 256 * 1024**2  # bytes of a FITS column, whose rows are all as wide as the longest


def encode(text: str) -> str:
    r"""ASCII for any text: ``\uXXXX`` and ``\UXXXXXXXX`` for other characters, ``\n``, ``\t`` and ``\\``."""
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(sign if sign.isascii() and sign.isprintable() else _code(sign) for sign in _on_one_line(text))


def decode(text: str) -> str:
    """Undo `encode`."""
    return _ENCODED.sub(lambda match: _sign(match[1]), text)


def to_table(records: Iterable[Inspection]) -> Table:
    """A table of inspections, one a row, as `write_table` takes it.

    Parameters
    ----------
    records : iterable of Inspection

    Returns
    -------
    astropy.table.Table
        Columns key, inspector, time, quality (masked where not given), label, z (masked), flags (letters), comment,
        network.
    """
    rows = [
        {**{name: getattr(record, name) for name in _COLUMNS}, "flags": "".join(record.flags)} for record in records
    ]
    return make_table(rows, _COLUMNS, _MEANING)


def to_records(table: Table) -> list[Inspection]:
    """Undo `to_table`; raises RacnetError where a row is no inspection."""
    missing = [name for name in ("key", "inspector", "time") if name not in table.colnames]
    if missing:
        raise RacnetError(
            f"Expected a table of inspections with the columns key, inspector and time. Missing: {', '.join(missing)}. "
            "Choose a file that the visual inspection exported."
        )
    columns = {name: _values(table[name], kind) for name, kind in _COLUMNS.items() if name in table.colnames}
    records = []
    for number in range(len(table)):
        row = {name: values[number] for name, values in columns.items()}
        try:
            records.append(Inspection(**{**row, "flags": tuple(row.get("flags", ""))}))
        except RacnetError as error:
            raise RacnetError(f"Row {number + 1}: {error}") from error
    return records


def make_table(rows: Sequence[dict[str, Any]], columns: dict[str, type], meaning: dict[str, str]) -> Table:
    """A table with these columns of str, int or float, masked where a row has None; `meaning` describes them."""
    from astropy.table import MaskedColumn, Table

    table = Table()
    for name, kind in columns.items():
        values = [row[name] for row in rows]
        if kind is str:
            table[name] = MaskedColumn([str(value) for value in values], dtype=None if values else "U1", mask=False)
        else:
            lacking = [value is None for value in values]
            filled = [kind(0) if value is None else value for value in values]
            table[name] = MaskedColumn(filled, dtype="i4" if kind is int else "f8", mask=lacking)
        table[name].description = meaning[name]
    return table


def write_table(table: Table, ending: str) -> bytes:
    """A table of text and numbers as the bytes of a file.

    Parameters
    ----------
    table : astropy.table.Table
        Of `to_table`, or merged ones.
    ending : str
        One of `FORMATS`.

    Returns
    -------
    bytes

    Raises
    ------
    RacnetError
        For another ending, or where a FITS file would become huge by a long comment.
    """
    writers: dict[str, Callable[[Table], bytes]] = {
        ".csv": _to_csv, ".ecsv": _to_ecsv, ".fits": _to_fits, ".vot": _to_votable,
    }  # fmt: skip
    if ending not in writers:
        raise RacnetError(f"Expected a format among {', '.join(FORMATS)}. Received: {str(ending)[:40]!r}.")
    return writers[ending](table)


def read_table(name: str, data: bytes) -> Table:
    """Undo `write_table` for a file of this name; raises ReadError for what is none of the four formats."""
    readers: dict[str, Callable[[bytes], Table]] = {
        ".csv": _from_csv,
        ".ecsv": _from_ecsv,
        ".fits": _from_fits,
        ".vot": _from_votable,
    }
    ending = next((ending for ending in readers if name.lower().endswith(ending)), None)
    if ending is None:
        raise ReadError(name, expected=f"a file ending in {', '.join(readers)}", found="another")
    try:
        if not data.startswith(beginning := _BEGINNING.get(ending, b"")):
            raise ValueError(f"its first bytes are not {beginning.decode()!r}")
        return readers[ending](data)
    except Exception as error:  # parsers of other libraries raise anything
        raise ReadError(
            name,
            expected=f"{FORMATS[ending]} as the visual inspection exports it",
            found=f"{type(error).__name__}: {str(error)[:200]}",
            advice="Export the inspections again.",
        ) from error


def read_inspections(name: str, data: bytes) -> list[Inspection]:
    """Inspections of an exported file; raises ReadError or RacnetError for anything else."""
    return to_records(read_table(name, data))


def _values(column: Any, kind: type) -> list[Any]:
    """A column of any of the formats as Python values; empty text or None where it is masked."""
    if kind is str:
        return ["" if _is_masked(value) else str(value) for value in column]
    values = []
    for value in column:
        try:
            values.append(None if _is_masked(value) or str(value) in ("", "nan") else kind(value))
        except (TypeError, ValueError):
            raise RacnetError(f"Expected numbers in the column {column.name}. Received: {str(value)[:40]!r}.") from None
    return values


def _is_masked(value: Any) -> bool:
    import numpy as np

    return value is np.ma.masked


def _to_csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.colnames)
    texts = {name for name in table.colnames if table[name].dtype.kind == "U"}
    for row in table:
        writer.writerow(
            ["" if _is_masked(row[name]) else _guarded(row[name]) if name in texts else row[name].item()
             for name in table.colnames]
        )  # fmt: skip
    return text.getvalue().encode()


def _from_csv(data: bytes) -> Table:
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    head = rows[0]
    if any(len(row) != len(head) for row in rows):
        raise ValueError(f"not every row has {len(head)} columns")
    plain = [
        {name: value[1:] if value.startswith("'") else value for name, value in zip(head, row, strict=True)}
        for row in rows[1:]
    ]
    return make_table(plain, dict.fromkeys(head, str), dict.fromkeys(head, ""))


def _guarded(text: Any) -> str:
    text = str(text)
    return f"'{text}" if _FORMULA.match(text) else text


def _to_ecsv(table: Table) -> bytes:
    coded = _recoded(table, lambda text: re.sub("^#", r"\\u0023", _on_one_line(text)))
    coded.meta["text"] = "line end as \\n, tab as \\t, backslash as \\\\, number sign at the beginning as \\u0023"
    text = io.StringIO()
    coded.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def _from_ecsv(data: bytes) -> Table:
    from astropy.io import ascii as astropy_ascii

    lines = re.split("\r?\n", data.decode())  # a list is never taken for a name
    return _recoded(astropy_ascii.read(lines, format="ecsv", guess=False), decode)


def _to_votable(table: Table) -> bytes:
    from astropy.io.votable import from_table, writeto

    data = io.BytesIO()
    writeto(from_table(table), data)  # in Python: what Table.write calls writes past its memory (astropy 20419)
    return data.getvalue()


def _from_votable(data: bytes) -> Table:
    from astropy.table import Table

    refuse_elsewhere(data)
    if unwanted := _NOT_PLAIN.search(data):
        raise ValueError(f"{unwanted[0].decode(errors='replace')!r}, where only text in TABLEDATA is read")
    return Table.read(io.BytesIO(data), format="votable")


def _to_fits(table: Table) -> bytes:
    plain = _recoded(table, encode)
    for name in plain.colnames:
        if plain[name].dtype.kind == "U" and plain[name].dtype.itemsize // 4 * len(plain) > _WIDEST:
            raise RacnetError(
                f"The longest {name} would make the FITS file larger than {_WIDEST // 1024**2} MiB, since its rows "
                "are all equally wide. Take CSV, ECSV or VOTable."
            )
    plain.meta["TEXTCODE"] = ("backslash", "non-ASCII text as in JSON")
    plain.meta["comments"] = [
        "Text columns hold other than ASCII characters as backslash u and 4,",
        "or backslash U and 8 hexadecimal digits, line ends as backslash n,",
        "tabs as backslash t, a backslash as two. To undo it in Python:",
        "racnet_tools.apps.inspection.export.decode",
    ]
    data = io.BytesIO()
    plain.write(data, format="fits")
    return data.getvalue()


def _from_fits(data: bytes) -> Table:
    from astropy.table import Table

    return _recoded(Table.read(io.BytesIO(data), format="fits", hdu=1, character_as_bytes=False), decode)


def _recoded(table: Table, code: Callable[[str], str]) -> Table:
    """The same table with `code` applied to all texts; masked ones are empty."""
    from astropy.table import MaskedColumn, Table

    result = Table()
    for name in table.colnames:
        column = table[name]
        if column.dtype.kind in "SUO":
            texts = [code(text) for text in _values(column, str)]
            column = MaskedColumn(texts, dtype=None if texts else "U1", mask=False, description=column.description)
        result[name] = column
    return result


def _on_one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _code(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def _sign(code: str) -> str:
    if code[0] in "uU":
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else ""
    return {"\\": "\\", "n": "\n", "t": "\t"}[code]
