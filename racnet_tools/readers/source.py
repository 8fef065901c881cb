"""Getting at a file's bytes safely: regular files only, gzip unpacked within a limit, memory bounded.

Files up to `MAX_BYTES` are held in memory; larger ones (DESI coadds reach a few hundred megabytes) are read piece by
piece. Every failure is a `ReadError`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from racnet_tools.errors import ReadError
from racnet_tools.files import any_path, is_remote

try:  # the same interface, and twice as fast
    from isal import isal_zlib as gz

    _Damaged: Any = gz.error
except ImportError:  # the extra `fast` is not installed, or there is none for this machine
    import zlib as gz  # type: ignore[no-redef]

    _Damaged = gz.error

__all__ = ["MAX_BYTES", "Source", "open_source"]

#: Largest size of what a compressed file unpacks to, and of a file that is held in memory. A LAMOST spectrum has
#: 0.1 MB, an SDSS spectrum with its exposures 2 MB.
MAX_BYTES = 64 * 1024 * 1024

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_COMPRESSED = ((b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"PK\x03\x04", "zip"), (b"\x28\xb5\x2f\xfd", "zstd"))


class Source:
    """The (unpacked) bytes of one file.

    Parameters
    ----------
    path : Path
        The file's name, for messages.
    data : bytes or None
        Everything; None where the file is too large, then `descriptor` is read from.
    size : int
        Number of bytes.
    descriptor : int, optional
        Open file descriptor; closed by `close`.
    """

    def __init__(self, path: Path, data: bytes | None, size: int, descriptor: int = -1) -> None:
        self.path, self.data, self.size, self._descriptor = path, data, size, descriptor

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; fewer at the end of the file."""
        if self.data is not None:
            return self.data[offset : offset + count]
        chunks = []
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            while count > 0 and (chunk := os.read(self._descriptor, min(count, 1 << 24))):
                chunks.append(chunk)
                count -= len(chunk)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def close(self) -> None:
        """Release the file and the memory, whoever still refers to this object."""
        self.data = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(path: str | Path) -> Source:
    """Open a file for reading; gzip is unpacked.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Source
        A context manager.

    Raises
    ------
    ReadError
        If there is no such file, it is not a regular file, is empty, cannot be read, or unpacks to more than
        `MAX_BYTES`.
    """
    if is_remote(path):
        return _open_object(path)
    path = Path(path)
    try:
        # Looked at before it is opened: opening a pipe or a device can hang or have effects.
        _require_regular(path, path.stat().st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    source = Source(path, None, 0, descriptor)
    try:
        try:
            status = os.fstat(descriptor)
        except OSError as error:
            raise _unreadable(path, error) from error
        _require_regular(path, status.st_mode)
        source.size = status.st_size
        if source.size > MAX_BYTES:
            if _is_packed(path, source.read_at(0, 16)):
                raise _too_large(path, f"a compressed file of {source.size / 1e6:.0f} MB")
            return source
        data = source.read_at(0, source.size + 1)  # room for 64 MB would cost more than the reading
        if len(data) > source.size:  # it grew meanwhile
            data = source.read_at(0, MAX_BYTES + 1)
        source.close()
        packed = _is_packed(path, data[:16])
        if packed:
            data = _gunzip(path, data)
        return Source(path, data, len(data))
    except BaseException:
        source.close()
        raise


def _open_object(name: str | Path) -> Source:
    """An object of a store such as S3, held in memory."""
    try:
        path = any_path(name)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ReadError(
                path,
                expected=f"an object of at most {MAX_BYTES >> 20} MB",
                found=f"{size / 1e6:.0f} MB",
                advice="Download it and give the file.",
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _missing(name) from error
    except ReadError:
        raise
    except Exception as error:  # the storage packages have exceptions of their own
        raise _unreadable(name, error) from error
    data = _gunzip(path, data) if _is_packed(path, data[:16]) else data
    return Source(path, data, len(data))


def _is_packed(path: Path, head: bytes) -> bool:
    """Whether a file that begins so is compressed with gzip; what cannot be read is refused."""
    if not head:
        raise ReadError(path, expected="a spectrum", found="an empty file (0 bytes)", advice="Fetch the file again.")
    for magic, name in _COMPRESSED:
        if head.startswith(magic):
            raise ReadError(
                path,
                expected="a FITS file, plain or compressed with gzip",
                found=f"{name}-compressed data",
                advice="Unpack it first.",
            )
    return head.startswith(b"\x1f\x8b")


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    found = next((name for test, name in _KINDS if test(mode)), "something that is not a file")
    advice = ""
    if found == "a folder" and not os.access(path, os.R_OK | os.X_OK):
        found, advice = "a folder that may not be searched", "Check its permissions."
    elif found == "a folder":
        advice = "Folders are searched for *.fits, *.fits.gz, *.fit and *.fit.gz; it may have none."
    raise ReadError(path, expected="a regular file", found=found, advice=advice)


def _missing(path: str | Path) -> ReadError:
    if any(c in str(path) for c in "*?["):
        return ReadError(path, expected="a pattern that files match", found="no such file", advice="Check the pattern.")
    return ReadError(
        path, expected="a file", found="no such file", advice="Check the name; the file may have been moved or removed."
    )


def _unreadable(path: str | Path, error: Exception) -> ReadError:
    reason = getattr(error, "strerror", None) or str(error)
    advice = "Check its permissions." if isinstance(error, PermissionError) else ""
    return ReadError(path, expected="a readable file", found=f"that it cannot be read ({reason})", advice=advice)


def _too_large(path: Path, found: str) -> ReadError:
    return ReadError(
        path,
        expected=f"a file that unpacks to at most {MAX_BYTES >> 20} MB",
        found=found,
        advice="If you trust it, unpack it with gunzip and give the unpacked file.",
    )


def _gunzip(path: Path, data: bytes) -> bytes:
    """Unpack a gzip file of one or more members; never more than MAX_BYTES."""
    parts: list[bytes] = []
    room = MAX_BYTES
    while data:
        unpacker = gz.decompressobj(31)
        try:
            part = unpacker.decompress(data, room + 1)
        except _Damaged as error:
            raise ReadError(
                path,
                expected="an intact gzip file",
                found=f"damaged compressed data ({error})",
                advice="Fetch the file again.",
            ) from error
        if len(part) > room:
            raise _too_large(path, f"more than {MAX_BYTES >> 20} MB in {len(data) / 1e6:.3g} MB of compressed data")
        if not unpacker.eof:
            raise ReadError(
                path,
                expected="a complete gzip file",
                found=f"one that ends early, after {sum(map(len, parts)) + len(part)} unpacked bytes",
                advice="The download was cut short: fetch the file again.",
            )
        parts.append(part)
        room -= len(part)
        data = unpacker.unused_data.lstrip(b"\x00")  # padding after the last member is allowed
        if data and not data.startswith(b"\x1f\x8b"):
            raise ReadError(
                path,
                expected="nothing after the end of the gzip data",
                found=f"{len(data)} further bytes",
                advice="Fetch the file again.",
            )
    if not room < MAX_BYTES:
        raise ReadError(path, expected="a spectrum", found="gzip data that unpack to nothing (0 bytes)")
    return parts[0] if len(parts) == 1 else b"".join(parts)
