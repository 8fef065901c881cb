r"""`Journal`: the inspections of one person on disk, a line for each change, so that nothing is lost whatever ends.

``WORK/inspections/NAME-HASH.jsonl`` begins with a line that names the inspector; each further line is an `Inspection`
as JSON, and the last of a key counts. Lines are appended under a lock, in one write each, and flushed to the disk: a
process killed in the middle leaves at most the beginning of a line, which is passed over when the file is next read.
Two tabs of one person see each other's changes before they make their own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from racnet_tools.apps.inspection.record import Inspection, now
from racnet_tools.apps.widgets.upload import safe_name
from racnet_tools.errors import RacnetError

__all__ = ["Journal", "inspectors"]

_FORMAT = "racnet inspections 1"


class Journal:
    """Inspections of one person.

    Parameters
    ----------
    work : Path
        Folder in which the server keeps visitors' work; its subfolder ``inspections`` is made.
    inspector : str
        Name of the person; capitals count.

    Attributes
    ----------
    inspector : str
    path : Path
        The file.
    damaged : int
        Lines that could not be read, such as one cut short by a crash.

    Raises
    ------
    RacnetError
        If the name is empty or too long, or the file cannot be written or is none of this program.

    Examples
    --------
    >>> import tempfile
    >>> journal = Journal(Path(tempfile.mkdtemp()), "Anna")
    >>> journal.change("spec-1", quality=4, comment="broad H-alpha").quality
    4
    >>> Journal(journal.path.parent.parent, "Anna").get("spec-1").comment
    'broad H-alpha'
    """

    def __init__(self, work: Path, inspector: str) -> None:
        self.inspector = Inspection(key="-", inspector=inspector, time=now()).inspector
        mark = hashlib.sha256(self.inspector.encode()).hexdigest()[:10]
        self.path = work / "inspections" / f"{safe_name(self.inspector)[:40]}-{mark}.jsonl"
        self.damaged = 0
        self._last: dict[str, Inspection] = {}
        self._order: dict[str, None] = {}  # keys, the one changed last at the end
        self._read = 0  # bytes taken in so far
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RacnetError(
                f"Inspections cannot be kept on the server: {error.strerror}. Tell who runs it."
            ) from error
        with self._locked() as file:
            file.seek(0)
            head, there = _line({"format": _FORMAT, "inspector": self.inspector}), file.read(1000)
            if head != there and head.startswith(there):  # new, or a crash came before the first line was whole
                file.truncate(0)
                self._append(file, head)
            self._catch_up(file)

    def __len__(self) -> int:
        return len(self._last)

    def __iter__(self) -> Iterator[Inspection]:
        return iter(list(self._last.values()))

    def get(self, key: str) -> Inspection | None:
        """The inspection of a spectrum, None if there is none."""
        return self._last.get(key)

    @property
    def latest(self) -> str | None:
        """Key of the spectrum whose inspection was changed last."""
        return next(reversed(self._order), None)

    def refresh(self) -> None:
        """Take in what another tab has written."""
        with self._locked() as file:
            self._catch_up(file)

    def change(self, key: str, **changes: Any) -> Inspection:
        """Note something about a spectrum; what is not named stays as it is.

        Parameters
        ----------
        key : str
            Which spectrum.
        **changes
            Attributes of `Inspection` but key, inspector and time.

        Returns
        -------
        Inspection
            As it is now on the disk.

        Raises
        ------
        RacnetError
            If a value is refused, or the disk is.
        """
        with self._locked() as file:
            self._catch_up(file)
            before = self._last.get(key)
            if before is None:
                before = Inspection(key=key, inspector=self.inspector, time=now())
            after = replace(before, **changes, time=now())
            if replace(after, time=before.time) == before:
                return before
            self._append(file, _line(after.to_dict()))
            self._catch_up(file)
            return after

    def add(self, records: Iterable[Inspection]) -> int:
        """Take in this person's inspections from elsewhere where they are the newer ones; returns how many were."""
        taken = 0
        with self._locked() as file:
            self._catch_up(file)
            for record in records:
                mine = self._last.get(record.key)
                if record.inspector == self.inspector and (mine is None or record.time > mine.time):
                    self._append(file, _line(record.to_dict()))
                    taken += 1
            self._catch_up(file)
        return taken

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """Hold the file open and to ourselves; a change takes milliseconds, so one tab waits for the other."""
        try:
            with self.path.open("a+b", buffering=0) as file:
                _lock(file)
                yield file
        except OSError as error:
            raise RacnetError(
                f"The last change was not kept on the server: {error.strerror}. "
                "Copy what you wrote, and tell who runs it."
            ) from error

    def _append(self, file: IO[bytes], line: bytes) -> None:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line  # after what a crash cut short
        if file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file.fileno())

    def _catch_up(self, file: IO[bytes]) -> None:
        file.seek(self._read)
        new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        lines = whole.split(b"\n")[:-1]
        if self._read == 0 and _head(lines.pop(0) if lines else b"") != self.inspector:
            raise RacnetError(
                f"{self.path.name} is no file of {self.inspector}'s inspections. Move it away, or take another name."
            )
        for line in lines:
            self._take(line)
        self._read += len(whole)

    def _take(self, line: bytes) -> None:
        try:
            record = Inspection.from_dict(json.loads(line))
        except (ValueError, RecursionError, RacnetError):
            self.damaged += 1
            return
        if record.inspector != self.inspector:
            self.damaged += 1
            return
        self._last[record.key] = record
        self._order.pop(record.key, None)
        self._order[record.key] = None


def inspectors(work: Path) -> list[str]:
    """Names of all who keep inspections in a server's folder of visitors' work, by alphabet."""
    names = set()
    for path in sorted((work / "inspections").glob("*.jsonl")):
        try:
            with path.open("rb") as file:
                names.add(_head(file.readline(10_000)))
        except OSError:
            continue
    return sorted(names - {""}, key=str.casefold)


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _head(line: bytes) -> str:
    """The inspector that the first line of a journal names, empty if it is none."""
    try:
        head = json.loads(line)
        return str(head["inspector"]) if head["format"] == _FORMAT else ""
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on Windows: tabs are not kept apart there
        return
    fcntl.flock(file, fcntl.LOCK_EX)
