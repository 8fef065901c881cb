"""Writing files so that no reader ever meets half of one: written beside, then renamed; one writer at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from racnet_tools.errors import RacnetError

__all__ = ["atomic_path", "locked", "sha256"]


@contextmanager
def atomic_path(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it to `path` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Where the file shall be in the end. The temporary name keeps its suffixes.
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
    path = Path(path)
    if path.exists() and not overwrite:
        raise RacnetError(f"{path} exists already and is not overwritten. Choose another name or pass overwrite=True.")
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
