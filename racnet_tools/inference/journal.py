"""The journal of a long classification: what is done already, so that a killed run goes on where it stopped.

Beside the output FILE lies a folder ``FILE.part`` with ``job.json`` (what the run does) and ``done.jsonl`` (a line
for each finished chunk of inputs: its files with their sizes and times, its rows, its refusals). A line cut short by
a kill is dropped; a line is used again only if the chunk has the same, unchanged files. When all chunks are done the
output is assembled from the journal, renamed into place, and the folder removed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path, is_remote, locked

__all__ = ["Journal", "signature"]


def signature(path: str) -> list[Any]:
    """Path, size and time of change of a file; size and time are None where it is not there."""
    try:
        stat = os.stat(path)  # noqa: PTH116 (called for every input; a Path costs more than the call)
    except (OSError, ValueError):
        return [path, None, None]
    return [path, stat.st_size, stat.st_mtime_ns]


class Journal:
    """Finished chunks of one classification, on disk; a context manager.

    Parameters
    ----------
    output : Path
        The file that the run shall write in the end.
    job : mapping
        What must be the same when the run is continued (JSON values).

    Raises
    ------
    RacnetError
        If an unfinished run did something else, or another process is at it.
    """

    def __init__(self, output: Path, job: Mapping[str, Any]) -> None:
        self.folder = self.folder_of(output)
        self.folder.mkdir(exist_ok=True)
        self._lock = locked(self.folder / "lock")
        try:
            self._check(dict(job))
            self._path = self.folder / "done.jsonl"
            self._index = self._scan()
            self._file = self._path.open("ab")
        except BaseException:
            self._lock.close()
            raise

    @staticmethod
    def folder_of(output: Path) -> Path:
        """Where the journal of `output` lies: beside it; in the working folder if `output` is in object storage."""
        return Path(output.name + ".part") if is_remote(output) else output.with_name(output.name + ".part")

    @classmethod
    def unfinished(cls, output: Path) -> bool:
        """Whether there is a run to continue."""
        return (cls.folder_of(output) / "job.json").exists()

    @classmethod
    def job_of(cls, output: Path) -> dict[str, Any]:
        """What the run to continue does; empty if there is none."""
        path = cls.folder_of(output) / "job.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _check(self, job: dict[str, Any]) -> None:
        path = self.folder / "job.json"
        if not path.exists():
            (self.folder / "done.jsonl").unlink(missing_ok=True)  # of a run that finished but for its last step
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(job), encoding="utf-8")
            return
        before = json.loads(path.read_text(encoding="utf-8"))
        if before != job:
            changed = [f"{key} was {before.get(key)!r}, is {job[key]!r}" for key in job if before.get(key) != job[key]]
            raise RacnetError(
                f"The unfinished run in {self.folder} cannot be continued: {'; '.join(changed)}. "
                "Repeat the command as it was, or delete that folder to start again."
            )

    def _scan(self) -> dict[int, tuple[int, int]]:
        """Offset and length of each chunk's line; what follows the last whole line is cut off."""
        index: dict[int, tuple[int, int]] = {}
        if not self._path.exists():
            return index
        offset = 0
        with self._path.open("rb") as file:
            for line in file:
                try:
                    record = json.loads(line) if line.endswith(b"\n") else None
                    index[record["chunk"]] = (offset, len(line))  # type: ignore[index]
                except (ValueError, TypeError, KeyError):
                    break
                offset += len(line)
        os.truncate(self._path, offset)
        return index

    def __len__(self) -> int:
        """Number of finished chunks."""
        return len(self._index)

    def get(self, chunk: int, inputs: list[list[Any]]) -> dict[str, Any] | None:
        """The record of a finished chunk if it was of these files, unchanged since; else None."""
        if chunk not in self._index:
            return None
        record = self._read(chunk)
        return record if record["inputs"] == inputs else None

    def put(self, record: dict[str, Any]) -> None:
        """Add a finished chunk: a mapping with the keys chunk, inputs, rows and errors."""
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(line)
        self._file.flush()
        self._index[record["chunk"]] = (offset, len(line))

    def records(self, n_chunks: int) -> Iterator[dict[str, Any]]:
        """The records of the first `n_chunks` chunks, in order."""
        return (self._read(chunk) for chunk in range(n_chunks))

    def _read(self, chunk: int) -> dict[str, Any]:
        offset, length = self._index[chunk]
        with self._path.open("rb") as file:
            file.seek(offset)
            return json.loads(file.read(length))

    def remove(self) -> None:
        """Delete the journal, when the output is in place."""
        self.close()
        (self.folder / "job.json").unlink()  # first: a folder without it holds nothing to continue
        shutil.rmtree(self.folder)

    def close(self) -> None:
        """Let go of the files; what is done stays for the next run."""
        with suppress(OSError):  # there may be no room for the end of a line, which the next run drops
            self._file.close()
        self._lock.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
