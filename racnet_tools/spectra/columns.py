"""The columns that describe each spectrum of a set, and their types; a missing value is masked, never -9999."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table

from racnet_tools.errors import RacnetError

__all__ = ["COLUMNS", "complete_table", "rows_to_table"]

#: Name, type and meaning of the columns that every set has.
COLUMNS: dict[str, tuple[type, str]] = {
    "spec_id": (str, "identifier of the spectrum, always text"),
    "object_id": (str, "identifier of the object observed; sets are split by it"),
    "survey": (str, "LAMOST, SDSS, DESI, ASCII or SIMULATED"),
    "path": (str, "file that the spectrum was read from"),
    "label": (str, "STAR, GALAXY, QSO or UNKNOWN, as the survey says"),
    "subclass": (str, "the survey's subclass, such as G5"),
    "z": (float, "redshift in the survey's header"),
    "z_err": (float, "its uncertainty"),
    "snr_u": (float, "median signal-to-noise ratio per pixel in u"),
    "snr_g": (float, "the same in g"),
    "snr_r": (float, "the same in r"),
    "snr_i": (float, "the same in i"),
    "snr_z": (float, "the same in z"),
    "ra": (float, "right ascension, degrees, ICRS"),
    "dec": (float, "declination, degrees, ICRS"),
}


def _column(name: str, values: Sequence[Any], kind: type) -> MaskedColumn:
    if kind is str:
        missing = [value is None or value is np.ma.masked or value == "" for value in values]
        data = np.array(["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], dtype=str)
    else:
        data = np.array([np.nan if value is None or value is np.ma.masked else value for value in values], dtype=float)
        missing = ~np.isfinite(data)
    return MaskedColumn(data, name=name, mask=missing, description=COLUMNS[name][1] if name in COLUMNS else None)


def rows_to_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A table with the standard columns first, from one mapping a spectrum; absent or None is masked.

    Parameters
    ----------
    rows : sequence of mappings
        Column name to value. Names beyond the standard ones become further columns.

    Returns
    -------
    Table
    """
    extra = {name: None for row in rows for name in row if name not in COLUMNS}
    columns = [_column(name, [row.get(name) for row in rows], kind) for name, (kind, _) in COLUMNS.items()]
    for name in extra:
        values = [row.get(name) for row in rows]
        kind = str if any(isinstance(value, str) for value in values) else float
        columns.append(_column(name, values, kind))
    table = Table(columns, copy=False)
    return complete_table(table, len(rows))


def complete_table(table: Table | None, n: int) -> Table:
    """`table` with every standard column of the right type; identifiers that are missing are filled in.

    Parameters
    ----------
    table : Table or None
        Any subset of the standard columns, and others.
    n : int
        Number of spectra.

    Returns
    -------
    Table
        A new table (columns are not copied where they are right already).

    Raises
    ------
    RacnetError
        If the table's length is not `n` or a column has the wrong type.
    """
    if table is not None and len(table) != n:
        raise RacnetError(f"The table must have a row for each spectrum: expected {n}, received {len(table)}.")
    columns = {name: table[name] for name in table.colnames} if table is not None else {}
    done = []
    for name, (kind, _) in COLUMNS.items():
        column = columns.pop(name, None)
        if column is None:
            column = _column(name, [None] * n, kind)
        elif not isinstance(column, MaskedColumn) or (column.dtype.kind != ("U" if kind is str else "f")):
            try:
                column = _column(name, list(column), kind)
            except (TypeError, ValueError) as error:
                raise RacnetError(f"Column {name!r} must hold {kind.__name__} values: {error}.") from error
        done.append(column)
    spec_id, object_id = done[0], done[1]
    if np.any(spec_id.mask):
        filled = [
            str(i) if gone else str(v) for i, (v, gone) in enumerate(zip(spec_id.data.data, spec_id.mask, strict=True))
        ]
        done[0] = spec_id = _column("spec_id", filled, str)
    if np.any(object_id.mask):
        pairs = zip(object_id.data.data, object_id.mask, spec_id.data.data, strict=True)
        done[1] = _column("object_id", [str(s) if gone else str(o) for o, gone, s in pairs], str)
    return Table([*done, *columns.values()], copy=False)
