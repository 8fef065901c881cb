"""One large file, such as a catalogue of a gigabyte: continued where it was cut off, renamed when it is whole.

Beside the file lies ``.<name>.part`` while it grows, and ``.<name>.part.json`` with the server's ETag or date of it. A
broken connection, or another run of the command, asks for the rest of the same version (Range with If-Range); a server
that sends everything instead is taken at its word and the file starts afresh.
"""

from __future__ import annotations

import json
import os
import re
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.archives.answers import FailedError, RetryError, check_status
from racnet_tools.archives.http import import_httpx
from racnet_tools.archives.pace import Pace
from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import httpx

__all__ = ["fetch_large"]


def fetch_large(
    url: str,
    path: Path,
    client: httpx.Client,
    *,
    attempts: int = 8,
    pace: Pace | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Fetch `url` into `path`, unless it is there.

    Parameters
    ----------
    url : str
        Address.
    path : Path
        Its folder exists. A name that ends in .gz is checked to be whole gzip.
    client : httpx.Client
        From `make_client`.
    attempts : int
        In a row without any progress.
    pace : Pace, optional
        Of the pauses between them.
    progress : callable, optional
        Called with (bytes there, bytes in all or None).

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    RacnetError
        If it cannot be had, or access is refused, or the disk is full.
    """
    if path.exists():
        return path
    pace = pace or Pace()
    part, notes = path.with_name(f".{path.name}.part"), path.with_name(f".{path.name}.part.json")
    never = threading.Event()
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _attempt(url, part, notes, client, progress)
            if path.name.endswith(".gz"):
                _check_gzip(part)
            part.replace(path)
            notes.unlink(missing_ok=True)
            return path
        except FailedError as error:
            raise RacnetError(f"{path.name} cannot be had from {_host(url)}: {error.reason}.") from None
        except RetryError as error:
            there = part.stat().st_size if part.exists() else 0
            failures = 1 if there > before else failures + 1
            if failures >= attempts:
                raise RacnetError(
                    f"{path.name} could not be fetched from {_host(url)}: {error.reason}, {failures} times in a row. "
                    "What came is kept; repeat the command later and it goes on from there."
                ) from None
            pace.after_failure(failures, error.retry_after, never)
            pace.wait(never)
        except OSError as error:
            raise RacnetError(
                f"Writing {part} failed: {error.strerror or error}. Make room if the disk is full and repeat the "
                "command: it goes on from there."
            ) from error


def _host(url: str) -> str:
    return str(import_httpx().URL(url).host)


def _attempt(url: str, part: Path, notes: Path, client: httpx.Client, progress) -> None:
    httpx = import_httpx()
    start = part.stat().st_size if part.exists() else 0
    version = _version(notes)
    headers = {"Range": f"bytes={start}-", "If-Range": version} if start and version else {}
    try:
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:  # what is there is no beginning of what the server has
                part.unlink()
                raise RetryError("the file on the server has changed")
            follows = _continues(response, start)
            if not follows:
                check_status(response)
                if "text/html" in response.headers.get("content-type", "").lower():
                    raise FailedError("the server sent a web page instead")
                notes.write_text(json.dumps({"version": _tag(response)}), encoding="utf-8")
            there = start if follows else 0
            length = response.headers.get("content-length", "")
            total = there + int(length) if length.isdigit() else None
            with part.open("ab" if follows else "wb") as file:
                for piece in response.iter_raw():
                    file.write(piece)
                    there += len(piece)
                    if progress:
                        progress(there, total)
                file.flush()
                os.fsync(file.fileno())
    except httpx.TransportError as error:
        raise RetryError(f"the connection broke ({type(error).__name__})") from None
    if total is not None and there != total:
        raise RetryError(f"{there} bytes came of {total}")


def _continues(response: httpx.Response, start: int) -> bool:
    if response.status_code != 206:
        return False
    match = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    if not match or int(match[1]) != start:
        raise FailedError("the server sent another part of it than was asked for")
    return True


def _tag(response: httpx.Response) -> str | None:
    tag = response.headers.get("etag", "")
    return tag if tag.startswith('"') else response.headers.get("last-modified")


def _version(notes: Path) -> str | None:
    try:
        return json.loads(notes.read_text(encoding="utf-8"))["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check_gzip(path: Path) -> None:
    """Unpack everything once, holding nothing: the checksum at the end tells whether it is whole."""
    unpacker = zlib.decompressobj(31)
    with path.open("rb") as file:
        head = file.read(2)
        file.seek(0)
        try:
            while head == b"\x1f\x8b" and (piece := file.read(1 << 20)):
                while piece:
                    unpacker.decompress(piece, 1 << 22)
                    piece = unpacker.unconsumed_tail or unpacker.unused_data
                    if unpacker.eof and piece:
                        unpacker = zlib.decompressobj(31)
        except zlib.error:
            head = b""
    if head != b"\x1f\x8b" or not unpacker.eof:
        path.unlink()
        raise RetryError("what came is not whole gzip")
