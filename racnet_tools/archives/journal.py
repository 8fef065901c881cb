"""What has been fetched into a folder: one line a file, written when the file has its final name.

``downloads.csv`` has the columns key, path (relative to the folder), bytes, sha256, spec_id and fetched (UTC). A line
cut short by a kill is dropped when the journal is next opened. A file without a line (killed between the two) is looked
at again and gets its line then; where a file is gone or changed it is fetched again and has a new line, which counts.
"""

from __future__ import annotations

import csv
import io
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from racnet_tools.errors import RacnetError
from racnet_tools.files import locked, sha256

__all__ = ["KEY", "Entry", "Journal"]


@dataclass(frozen=True)
class Entry:
    """One fetched file."""

    key: str
    path: str
    bytes: int
    sha256: str
    spec_id: str
    fetched: str = ""


#: What may name a file: it cannot lead out of the folder.
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_HEADER = ",".join(field.name for field in fields(Entry))


class Journal:
    """The journal of one folder; a context manager that keeps other processes out.

    Parameters
    ----------
    folder : Path
        Where the files go; it exists.

    Raises
    ------
    RacnetError
        If another process is at work there, or ``downloads.csv`` is another program's.
    """

    NAME = "downloads.csv"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / self.NAME
        self._guard = threading.Lock()
        self._lock = locked(folder / ".lock")
        try:
            self._entries = self._repaired()
            self._file = self._path.open("ab", buffering=0)
            if not self._path.stat().st_size:
                self._append(_HEADER + "\n")
        except BaseException:
            self._lock.close()
            raise

    def _repaired(self) -> dict[str, Entry]:
        """Entries of the file, from which a line that was cut short is removed."""
        entries = self.entries(self.folder)
        if self._path.exists():
            data = self._path.read_bytes()
            os.truncate(self._path, data.rfind(b"\n") + 1)
        return entries

    @classmethod
    def entries(cls, folder: Path) -> dict[str, Entry]:
        """What the journal of `folder` says, by key; empty without one.

        Raises
        ------
        RacnetError
            If the file is another program's.
        """
        path = folder / cls.NAME
        if not path.exists():
            return {}
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        rows = csv.reader(io.StringIO(whole.decode("utf-8", errors="replace"), newline=""))
        header = next(rows, None)
        if header is not None and ",".join(header) != _HEADER:
            raise RacnetError(f"{path} is not a list of downloads. Choose another output folder.")
        entries: dict[str, Entry] = {}
        for row in rows:
            sound = bool(row) and KEY.fullmatch(row[0])
            places = {f"spectra/{row[0]}.fits.gz", f"spectra/{row[0]}.fits"} if sound else ()
            if len(row) == len(fields(Entry)) and row[1] in places and row[2].isdigit():
                entries[row[0]] = Entry(row[0], row[1], int(row[2]), *row[3:])
        return entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, key: str) -> Entry | None:
        """The entry of `key` as it was written; None without one."""
        return self._entries.get(key)

    def intact(self, key: str) -> Entry | None:
        """The entry of `key` if its file is there with the size and checksum of then; None otherwise."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        path = self.folder / entry.path
        try:
            same = path.stat().st_size == entry.bytes and sha256(path) == entry.sha256
        except OSError:
            same = False
        return entry if same else None

    def add(self, entry: Entry) -> None:
        """Write an entry; the file that it speaks of is in place already."""
        entry = replace(entry, fetched=datetime.now(UTC).isoformat(timespec="seconds"))
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerow(astuple(entry))
        with self._guard:
            self._append(text.getvalue())
            self._entries[entry.key] = entry

    def _append(self, line: str) -> None:
        start, data = self._path.stat().st_size, line.encode()
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError:  # a full disk: half a line must not become the head of the next one
            os.truncate(self._path, start)
            raise

    def close(self) -> None:
        """Let go of the files."""
        try:
            self._file.close()
        finally:
            self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
