"""Uploads in checked pieces: a file arrives whole or is refused aloud, whatever its size.

`ipywidgets.FileUpload` sends a file in one message; one larger than the server's limit for messages vanishes without a
word, and the widget goes on showing the previous file. Here files come in pieces of 1 MiB, each answered, and count
only when size and checksum agree.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import traitlets as t

from racnet_tools.apps.widgets.base import BrowserWidget, script
from racnet_tools.errors import RacnetError

__all__ = ["Upload", "UploadedFile", "safe_name"]

_PIECE = 1024**2
_AT_ONCE = 200  # files of one choice


@dataclass(frozen=True)
class UploadedFile:
    """A file that arrived whole: its name made safe, its bytes, and their SHA-256 in hex."""

    name: str
    data: bytes
    sha256: str


def safe_name(name: str) -> str:
    """The name of an uploaded file with nothing in it that a file system or a page could take for more than a name.

    Folders, control characters and leading dots go; letters of any script stay; at most 120 characters, the end kept.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C" and sign not in "<>:\"|?*&;`$'")
    return kept.strip().lstrip(".")[-120:].lstrip(".") or "unnamed"


class Upload(BrowserWidget):
    """A choice of files on the visitor's machine, also by dropping them on it.

    Parameters
    ----------
    label : str
        What the button says.
    on_file : callable
        ``on_file(UploadedFile)`` for each file that arrived whole. A `RacnetError` of it is shown as its refusal.
    accept : str
        Endings of the files offered, separated by commas (".fits,.gz,.csv"); others are refused.
    max_bytes : int
        Largest file taken.
    on_begin : callable, optional
        Called with the number of files when a choice was made, before the first arrives.
    on_end : callable, optional
        Called when the last of a choice has arrived or been refused.
    """

    _esm = script("upload.js")

    label = t.Unicode().tag(sync=True)
    accept = t.Unicode().tag(sync=True)
    max_bytes = t.Int().tag(sync=True)
    piece = t.Int(_PIECE).tag(sync=True)

    def __init__(
        self,
        label: str,
        on_file: Callable[[UploadedFile], None],
        *,
        accept: str,
        max_bytes: int,
        on_begin: Callable[[int], None] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._on_file, self._on_begin, self._on_end = on_file, on_begin, on_end
        self._name, self._size, self._parts = "", 0, bytearray()
        self._receiving = False
        super().__init__(label=label, accept=accept, max_bytes=max_bytes)

    def _receive_begin(self, content: Mapping[str, Any], _: Any) -> None:
        count = content["count"]
        if type(count) is not int or not 1 <= count <= _AT_ONCE:
            self._refuse(f"expected 1 to {_AT_ONCE} files at once; received {count!s:.20}")
            return
        if self._on_begin is not None:
            self._on_begin(count)

    def _receive_end(self, _: Mapping[str, Any], __: Any) -> None:
        if self._on_end is not None:
            self._on_end()

    def _receive_file(self, content: Mapping[str, Any], _: Any) -> None:
        """Open a file: {name, size}."""
        self._receiving, self._parts = False, bytearray()
        self._name, size = safe_name(str(content["name"])[-1000:]), content["size"]
        endings = tuple(ending.strip().lower() for ending in self.accept.split(","))
        if type(size) is not int or size < 0:
            self._refuse("expected a size in bytes")
        elif not self._name.lower().endswith(endings):
            self._refuse(f"expected a file ending in {', '.join(endings)}; received {self._name}")
        elif size == 0:
            self._refuse("the file is empty; choose one with content")
        elif size > self.max_bytes:
            self._refuse(
                f"expected at most {self.max_bytes / 1024**2:.0f} MiB; the file has {size / 1024**2:.1f} MiB. "
                "Put it into the folder that the server offers, or split it"
            )
        else:
            self._size, self._receiving = size, True
            self.send({"type": "go", "offset": 0})

    def _receive_piece(self, content: Mapping[str, Any], buffers: list[memoryview]) -> None:
        """Take the next piece: {offset, last, crc}; crc is the CRC-32 of the whole file, in the last."""
        if not self._receiving:
            raise ValueError("no file is open")
        if content["offset"] != len(self._parts) or len(buffers) != 1:
            self._refuse("the pieces came out of order; choose the file again")
            return
        piece = bytes(buffers[0])
        if len(piece) > _PIECE or len(self._parts) + len(piece) > self._size:
            self._refuse("more arrived than was announced; choose the file again")
            return
        self._parts += piece
        if content["last"] is not True:
            self.send({"type": "go", "offset": len(self._parts)})
            return
        data, self._receiving, self._parts = bytes(self._parts), False, bytearray()
        if len(data) != self._size or zlib.crc32(data) != content["crc"]:
            self._refuse("the file was damaged on its way (its checksum differs); choose it again")
            return
        file = UploadedFile(self._name, data, hashlib.sha256(data).hexdigest())
        try:
            self._on_file(file)
        except RacnetError as error:
            self._refuse(str(error))
            return
        self.send({"type": "taken", "name": file.name, "size": len(data), "sha256": file.sha256})

    def _refuse(self, reason: str) -> None:
        self._receiving, self._parts = False, bytearray()
        self.send({"type": "refused", "name": self._name, "reason": reason})
