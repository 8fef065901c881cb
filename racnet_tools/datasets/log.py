"""The log of a store: what is committed, block by block, each line chained to the one before by SHA-256.

A block counts once its line, newline included, is in ``commits.jsonl``; a torn last line is as if it had not been
written. Objects cannot be appended to: in object storage the log goes on in ``commits-0001.jsonl``, ... after every
`_LINES` lines, and the last of these is written anew with each commit. The first line holds the schema. The chain's
last value names the content of the store up to that block, so a data set can tell whether a store still holds what it
was prepared from, even after more was appended.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racnet_tools.errors import ReadError
from racnet_tools.files import is_remote

__all__ = ["LOG", "Block", "CommitLog"]

LOG = "commits.jsonl"
_LINES = 256


@dataclass(frozen=True)
class Block:
    """Rows that were committed together.

    Attributes
    ----------
    start, stop : int
        The rows.
    sha256 : str
        Of their content.
    notes : dict
        What the writer said of the block; ``notes["meta"]`` is the set's ``meta``.
    chain : str
        SHA-256 of everything committed up to and including this block.
    """

    start: int
    stop: int
    sha256: str
    notes: dict[str, Any]
    chain: str


class CommitLog:
    """The schema and the committed blocks of one store, as they were when it was read.

    Parameters
    ----------
    folder : Path
        The store.

    Raises
    ------
    ReadError
        If there is no log or a line before the last is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / LOG
        self._remote = is_remote(folder)
        self._last: list[bytes] = []  # lines of the last object
        self._objects = 1
        self.schema: dict[str, Any] = {}
        self.blocks: list[Block] = []
        try:
            lines = self._lines() if self._remote else self.path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            found = f"no {LOG}" if isinstance(error, FileNotFoundError | NotADirectoryError) else str(error)
            raise ReadError(folder, expected="a store of spectra", found=found) from error
        self._length = 0
        self._chain = ""
        for number, line in enumerate(lines):
            if number == len(lines) - 1 and not line.endswith(b"\n"):
                break  # torn: its writer was killed
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise ReadError(
                    self.path,
                    expected="a log whose lines follow from each other",
                    found=f"line {number + 1} damaged",
                    advice="Make the store again, or restore it from a copy.",
                ) from error
            self._length += len(line)
        if not self.schema:
            raise ReadError(folder, expected="a store of spectra", found=f"no schema in {LOG}")

    def _lines(self) -> list[bytes]:
        """All lines of a log in object storage."""
        lines: list[bytes] = []
        self._objects = 0
        while not self._objects or (len(self._last) == _LINES and (self.folder / _object(self._objects)).exists()):
            self._last = (self.folder / _object(self._objects)).read_bytes().splitlines(keepends=True)
            lines += self._last
            self._objects += 1
        return lines

    def _take(self, line: dict[str, Any]) -> None:
        chain = line.pop("chain")
        if chain != _chained(self._chain, line):
            raise ValueError
        self._chain = chain
        if not self.schema:
            self.schema = line["schema"]
            return
        block = Block(line["start"], line["stop"], line["sha256"], line.get("notes", {}), chain)
        if block.start != self.n_rows or block.stop <= block.start:
            raise ValueError
        self.blocks.append(block)

    @property
    def n_rows(self) -> int:
        """Committed spectra."""
        return self.blocks[-1].stop if self.blocks else 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 that stands for the schema and all committed rows."""
        return self._chain

    def cut(self) -> None:
        """Remove a torn last line; for the process that holds the lock."""
        if not self._remote and self.path.stat().st_size != self._length:
            os.truncate(self.path, self._length)

    def commit(self, stop: int, sha256: str, notes: Mapping[str, Any]) -> None:
        """Add a block; it is on disk when this returns."""
        line: dict[str, Any] = {"start": self.n_rows, "stop": stop, "sha256": sha256}
        if notes:
            line["notes"] = dict(notes)
        data = _line(self._chain, line)
        if self._remote:
            if len(self._last) >= _LINES:
                self._last, self._objects = [], self._objects + 1
            self._last.append(data)
            (self.folder / _object(self._objects - 1)).write_bytes(b"".join(self._last))
        else:
            with self.path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        self._length += len(data)
        self._take(json.loads(data))

    @classmethod
    def create(cls, folder: Path, schema: Mapping[str, Any]) -> None:
        """Write the first line."""
        (folder / LOG).write_bytes(_line("", {"schema": schema}))


def _object(number: int) -> str:
    """Name of the log's objects: 0 is ``commits.jsonl``."""
    return f"{Path(LOG).stem}-{number:04d}.jsonl" if number else LOG


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, sort_keys=True, separators=(",", ":"))


def _chained(before: str, line: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{before}{_text(line)}".encode()).hexdigest()


def _line(before: str, line: Mapping[str, Any]) -> bytes:
    return f"{_text({**line, 'chain': _chained(before, line)})}\n".encode()
