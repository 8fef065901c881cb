"""From what a user names (files, folders, patterns, lists) to files, one after the other, without listing all first."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from racnet_tools.files import any_path, is_remote

__all__ = ["find_files"]

_ENDINGS = (".fits", ".fits.gz", ".fit", ".fit.gz")
_MAX_LIST = 1 << 28


def find_files(inputs: str | Path | Iterable[str | Path]) -> Iterator[Path]:
    """Files that the inputs name, in the order given; folders and patterns in natural order (2 before 10).

    Parameters
    ----------
    inputs : str, Path or iterable of them
        * a file of any kind, taken as it is;
        * a folder, searched with its subfolders for ``*.fits``, ``*.fits.gz``, ``*.fit`` and ``*.fit.gz`` in any case;
          hidden files and folders are passed over, and links that lead back to a folder already searched are not
          followed again;
        * a pattern with ``*``, ``?`` or ``[...]`` (``**`` for any depth), for files and folders;
        * an address in object storage (``s3://bucket/folder``): an object, a folder or a pattern;
        * ``@list.txt``: a text file of such inputs, one a line; empty lines and lines that begin with ``#`` are passed
          over. Relative names are sought in the working folder, then beside the list.

    Yields
    ------
    Path
        Each file once, however often it is named; an address in object storage as text. An input that leads to no
        file is yielded itself, so that reading
        it says what is wrong; nothing is raised here.

    Examples
    --------
    >>> list(find_files("no/such/*.fits"))
    [PosixPath('no/such/*.fits')]
    """
    several = not isinstance(inputs, str | Path)
    seen: set[str] = set()
    for item in [inputs] if isinstance(inputs, str | Path) else inputs:
        text = os.fspath(item)
        listed = text.startswith("@") and not os.path.lexists(text)
        for path in _from_list(text[1:]) if listed else _expand(text):
            if several or listed:  # one folder or pattern names no file twice: no memory of all names is needed
                key = str(path) if is_remote(path) else os.path.normpath(path.absolute())
                if key in seen:
                    continue
                seen.add(key)
            yield path


def _expand(text: str) -> Iterator[Path]:
    if is_remote(text):
        yield from _objects(text)
        return
    path = Path(text)
    if _is_dir(path):
        yield from _or_itself(_walk(path, set()), path)
    elif any(c in text for c in "*?[") and not os.path.lexists(text):
        matches = sorted(glob.iglob(text, recursive=True), key=_natural)  # noqa: PTH207 (Path.glob takes no absolute one)
        yield from _or_itself(_matched(matches), path)
    else:
        yield path


def _objects(text: str) -> Iterator[Path]:
    """Objects that an address names, in natural order; listed at once, as object storage gives them."""
    try:
        path: Any = any_path(text)
        if any(c in text for c in "*?["):
            names = path.fs.glob(path.path)
        elif path.is_dir():
            names = [name for name in path.fs.find(path.path) if name.lower().endswith(_ENDINGS)]
        else:
            names = []
    except Exception:  # no such storage, no credentials: reading the address itself says what is wrong
        names = []
    protocol, _, _ = text.partition("://")
    found = sorted((f"{protocol}://{name.removeprefix(f'{protocol}://')}" for name in names), key=_natural)
    for address in found or [text]:
        yield cast(Path, address)  # what reads it knows addresses; a Path would take one slash away


def _matched(matches: list[str]) -> Iterator[Path]:
    visited: set[tuple[int, int]] = set()
    for match in matches:
        if _is_dir(Path(match)):
            yield from _walk(Path(match), visited)
        else:
            yield Path(match)


def _or_itself(paths: Iterator[Path], itself: Path) -> Iterator[Path]:
    empty = True
    for path in paths:
        empty = False
        yield path
    if empty:
        yield itself


def _from_list(name: str) -> Iterator[Path]:
    here = Path(name)
    try:
        with here.open("rb") as file:
            text = file.read(_MAX_LIST).decode("utf-8", errors="surrogateescape")
    except (OSError, ValueError):
        yield here
        return
    if "\x00" in text:
        yield here
        return
    yield from _or_itself(_listed(text.lstrip("\ufeff"), here.parent), here)


def _listed(text: str, folder: Path) -> Iterator[Path]:
    for line in text.splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        beside = folder / entry
        use = entry
        if not os.path.lexists(entry) and (os.path.lexists(beside) or (_has_match(beside) and not _has_match(entry))):
            use = str(beside)
        yield from _expand(use)


def _has_match(pattern: str | Path) -> bool:
    if not any(c in str(pattern) for c in "*?["):
        return False
    return next(glob.iglob(str(pattern), recursive=True), None) is not None  # noqa: PTH207


def _walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[Path]:
    """Spectrum files below a folder; each folder once, so links cannot lead in circles."""
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            status = current.stat()
            if (status.st_dev, status.st_ino) in visited and status.st_ino:
                continue
            visited.add((status.st_dev, status.st_ino))
            with os.scandir(current) as entries:
                found = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: _natural(e.name))
        except OSError:
            yield current  # a folder that cannot be searched: reading it says why
            continue
        folders = []
        for entry in found:
            if _leads_to_folder(entry):
                folders.append(Path(entry.path))
            elif entry.name.lower().endswith(_ENDINGS):
                yield Path(entry.path)
        pending.extend(reversed(folders))


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), "") if part.isdecimal() and part.isascii() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name)
    ]
