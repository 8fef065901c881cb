"""LAMOST's VOTables, as its server writes them.

It declares columns of ``datatype="date"``, which is no type of the standard: astropy refuses them (E06). They are text,
and are read as such.
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from racnet_tools.errors import RacnetError
from racnet_tools.votables import refuse_elsewhere

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["read_votable"]

_DATE = re.compile(rb"""(<(?:FIELD|PARAM)\b[^>]*?\bdatatype\s*=\s*)(["'])date(?:time)?\2""", re.IGNORECASE)
_ARRAYSIZE = re.compile(rb"""\barraysize\s*=\s*["'][^"']*["']""", re.IGNORECASE)
_TAG = re.compile(rb"<(?:FIELD|PARAM)\b[^>]*>", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:catalogue|combined)_(?=.)")


def _as_text(tag: re.Match[bytes]) -> bytes:
    if not _DATE.match(tag[0]):
        return tag[0]
    return _DATE.sub(rb'\1"char" arraysize="*"', _ARRAYSIZE.sub(b"", tag[0]))


def read_votable(data: bytes) -> Table:
    """The first table of a VOTable of the LAMOST server.

    Parameters
    ----------
    data : bytes
        The document.

    Returns
    -------
    Table
        Columns by their names (not the ``COLID_...`` that the server gives as ID), in lower case and without the prefix
        ``catalogue_`` that DR4 to DR9 have; ``obsid`` is text.

    Raises
    ------
    RacnetError
        If it is no VOTable, holds an error message, has no table, or leads to another file or address.
    """
    import numpy as np
    from astropy.io import votable

    start = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if b"<VOTABLE" not in start.upper():
        raise RacnetError(f"Expected a VOTable. Received: {start[:60].decode('utf-8', errors='replace')!r}.")
    refuse_elsewhere(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = votable.parse(BytesIO(_TAG.sub(_as_text, data)), verify="ignore", invalid="mask")
            tables = list(document.iter_tables())
            table = tables[0].to_table(use_names_over_ids=True) if tables else None
    except Exception as error:  # whatever the XML and VOTable parsers raise for a damaged document
        told = " ".join(str(error).split())[:160]
        raise RacnetError(f"The VOTable cannot be read ({type(error).__name__}: {told}). Ask again.") from error
    if table is None:
        said = [str(info.value) for resource in document.resources for info in resource.infos]
        raise RacnetError(f"The VOTable has no table{': ' + said[0][:160] if said else ''}.")
    names: list[str] = []
    for name in table.colnames:
        plain = _PREFIX.sub("", name.lower())
        names.append(plain if plain not in names else name)
    table = type(table)([table[name] for name in table.colnames], names=names)
    if "obsid" in names:
        table["obsid"] = np.array([str(value) for value in table["obsid"]], dtype=str)
    return table
