"""What astropy's VOTable code must not be left to do alone.

* Reading: a document can name another file or address for its rows (``<STREAM href=...>``) or declare entities, and
  astropy follows. Such documents are refused before they are parsed.
* Writing: the writer in C, which `VOTableFile.to_xml` and ``Table.write`` use, writes past its buffer for rows of some
  lengths (astropy issue 20419). ``astropy.io.votable.writeto`` writes the same bytes in Python.
"""

from __future__ import annotations

import re

from racnet_tools.errors import RacnetError

__all__ = ["refuse_elsewhere"]

# NUL and other encodings: in UTF-16 or EBCDIC the rest would not be seen.
_ELSEWHERE = re.compile(
    rb"""\0|<!(?!--|\[CDATA\[)|<(?:[^\s<>/]*:)?STREAM\b[^>]*\bhref\b"""
    rb"""|<\?xml[^>]*encoding\s*=\s*['"](?!(?:utf-8|us-ascii|iso-8859-1)['"])""",
    re.IGNORECASE,
)


def refuse_elsewhere(data: bytes) -> None:
    """Raise a `RacnetError` for a VOTable whose content stands in another file or address, or behind entities."""
    found = _ELSEWHERE.search(data)
    if found:
        told = found[0].decode("utf-8", "replace")[:60]
        raise RacnetError(
            f"Expected a VOTable with its rows in it, as UTF-8 without declarations. Received: {told!r}, which leads "
            "elsewhere; nothing of it was read."
        )
