"""Names of files, here or in object storage; and writing so that no reader ever meets half of a file.

Local files are `pathlib.Path`s. Names such as ``s3://bucket/folder`` become universal-pathlib's, which have the same
methods (fsspec does the work); credentials and endpoints are taken from the environment or fsspec's configuration.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from racnet_tools.errors import RacnetError

__all__ = ["PROTOCOLS", "any_path", "atomic_path", "is_remote", "locked", "sha256", "told_when_full"]

#: Object storage (and fsspec's own two, for tests); nothing else is followed, such as web addresses in a list of files.
PROTOCOLS = ("s3", "gs", "gcs", "abfs", "memory", "file")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_remote(name: str | Path) -> bool:
    """Whether a name is an address such as ``s3://bucket/key``, not a file's here."""
    return _ADDRESS.match(str(name)) is not None


def any_path(name: str | Path) -> Path:
    """A name as a path: a `pathlib.Path`, or one with the same methods in object storage.

    Raises
    ------
    RacnetError
        If the protocol is none of `PROTOCOLS`, or what it needs is not installed.
    """
    if not is_remote(name):
        return Path(name)
    protocol = str(name).partition("://")[0]
    if protocol not in PROTOCOLS:
        raise RacnetError(f"Expected a file, or an address of {', '.join(PROTOCOLS)}. Received: {str(name)!r}.")
    try:
        from upath import UPath

        path: Any = UPath(str(name))
        path.fs  # noqa: B018 (asks for the protocol's own package)
    except ImportError as error:
        raise RacnetError(f"{name}: {protocol}:// needs 'racnet-tools[scale]' ({error}).") from error
    return path


@contextmanager
def atomic_path(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it to `path` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be in the end. The temporary name keeps its suffixes. An object is written here and
        uploaded.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        The temporary path to write to; removed when the block raises.

    Raises
    ------
    RacnetError
        If `path` exists and `overwrite` is false, or its folder does not exist.
    """
    path = any_path(path)
    there: Any = path
    if path.exists() and not overwrite:
        raise RacnetError(f"{path} exists already and is not overwritten. Choose another name or pass overwrite=True.")
    if is_remote(path):
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, path.name)
            yield local
            there.fs.put_file(str(local), there.path)  # an object appears whole or not at all
        return
    if not path.parent.is_dir():
        raise RacnetError(f"The folder {path.parent} does not exist: {path.name} cannot be written. Create it first.")
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix="".join(path.suffixes[-2:]), dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.unlink()  # writers that refuse an existing file are content, and the mode follows the umask
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def told_when_full(advice: str) -> Iterator[None]:
    """Turn an error for want of space on a disk into a `RacnetError` with advice."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        where = f" of {error.filename}" if error.filename else ""
        raise RacnetError(f"The disk{where} is full ({error.strerror}). What is done is kept: {advice}") from error


def sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locked(path: Path) -> IO[bytes]:
    """Open a lock file that one process holds at a time, until the file is closed or the process ends.

    Parameters
    ----------
    path : Path
        The lock file; it may be there already.

    Returns
    -------
    file
        To be kept open as long as the lock is wanted.

    Raises
    ------
    RacnetError
        If another process holds it.
    """
    file = path.open("wb")
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise RacnetError(f"Another process is at work in {path.parent}. Wait for it or stop it.") from None
    return file
