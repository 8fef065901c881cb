"""The server's folder of spectra, of which visitors see what lies below it and nothing else.

Names of places below it are those that a page's address or a choice gives; each is checked when it is used. Links are
followed as long as they stay inside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from racnet_tools.apps.sources.samples import bare
from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.errors import RacnetError, ReadError

__all__ = ["Listing", "files_below", "inside", "list_folder", "open_file", "open_folder", "spectrum_file"]

#: Spectra of a folder that are listed at most, and names that a choice of folders or files offers.
MOST, CHOICES = 20_000, 300
_SPECTRA = (".fits", ".fits.gz", ".fit", ".fit.gz")
_TABLES = (".csv", ".csv.gz", ".ecsv", ".vot", ".votable", ".xml", ".txt", ".dat")


@dataclass(frozen=True)
class Listing:
    """What one folder holds: names of folders, of tables and text files, of FITS files; `more` where not all fit."""

    folders: tuple[str, ...]
    tables: tuple[str, ...]
    spectra: tuple[str, ...]
    more: bool


def inside(root: Path, name: str) -> Path:
    """The file or folder below `root` that `name` means.

    Parameters
    ----------
    root : Path
        The folder that visitors may see.
    name : str
        Parts separated by "/"; "" or "." is `root` itself.

    Returns
    -------
    Path

    Raises
    ------
    RacnetError
        If there is no such place, or the name leads out of `root` or to something hidden. All say the same, so that
        nobody learns what there is elsewhere.
    """
    refusal = RacnetError(
        f"Expected a file or folder that the server offers. Received: {name[:200]!r}. Choose one from the list, or ask "
        "the one who serves the dashboards to put it there."
    )
    parts = PurePosixPath(name).parts
    if name.startswith("/") or any(part.startswith(".") or not part.isprintable() for part in parts) or "\\" in name:
        raise refusal
    if len(name) > 1000:
        raise refusal
    root = root.resolve()
    try:
        path = root.joinpath(*parts).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise refusal from error
    if not path.is_relative_to(root) or any(part.startswith(".") for part in path.relative_to(root).parts):
        raise refusal
    return path


def spectrum_file(root: Path, name: str) -> Path:
    """The same for a file of a list, whose refusal is a ReadError: the list goes on without it."""
    try:
        return inside(root, name)
    except RacnetError as error:
        raise ReadError(
            name,
            expected="a file in the folder that the server offers",
            found="none of this name",
            advice="It may have been moved: open the folder again, or correct the catalogue.",
        ) from error


def list_folder(root: Path, name: str) -> Listing:
    """What one folder below `root` holds, in natural order; raises RacnetError as `inside` does."""
    folder = inside(root, name)
    if not folder.is_dir():
        raise RacnetError(f"Expected a folder. Received the file {name!r}: open it as a file.")
    folders, files = _entries(root.resolve(), folder)
    tables = [one for one in files if one.lower().endswith(_TABLES)]
    spectra = [one for one in files if one.lower().endswith(_SPECTRA)]
    more = max(len(folders), len(tables), len(spectra)) > CHOICES
    return Listing(tuple(folders[:CHOICES]), tuple(tables[:CHOICES]), tuple(spectra[:CHOICES]), more)


def open_folder(root: Path, name: str) -> SpectrumList:
    """All FITS files of a folder below `root` and its subfolders, by name alone; no file is opened yet.

    Raises
    ------
    RacnetError
        If there is no such folder, or no FITS file in it.
    """
    root = root.resolve()
    folder = inside(root, name)
    if not folder.is_dir():
        return open_file(root, name)
    found = list(islice(files_below(root, folder), MOST + 1))
    where = _plain(root, folder)
    title = where or "the server's folder"
    if not found:
        raise RacnetError(
            f"Expected FITS files (*.fits, *.fits.gz, *.fit, *.fit.gz) in {title} or below. Found none. Choose another "
            "folder, or open a text file of a spectrum by its name."
        )
    count = f"first {MOST:,} files" if len(found) > MOST else f"{len(found):,} file{'s' if len(found) > 1 else ''}"
    return SpectrumList(
        f"folder {title} ({count})",
        [Item(bare(one), bare(one.removeprefix(f"{where}/")), one) for one in found[:MOST]],
        partial(spectrum_file, root),
        python=_python(root, where),
        address={"open": "folder", "path": where},
    )


def open_file(root: Path, name: str) -> SpectrumList:
    """One file of spectra below `root`; raises RacnetError as `inside` does, ReadError where no reader knows it."""
    root = root.resolve()
    path = inside(root, name)
    where = _plain(root, path)
    spectra = SpectrumList(
        f"file {where}",
        [Item(bare(where), bare(path.name), where)],
        partial(spectrum_file, root),
        python=_python(root, where),
        address={"open": "file", "path": where},
    )
    spectra.load(0)  # says now what is wrong with it
    return spectra


def _python(root: Path, where: str) -> str:
    return (
        f'import racnet_tools\n\nspectra = racnet_tools.read({str(PurePosixPath(root.name, where))!r}, on_error="skip")'
    )


def _plain(root: Path, path: Path) -> str:
    name = path.relative_to(root).as_posix()
    return "" if name == "." else name


def files_below(root: Path, folder: Path) -> Iterator[str]:
    """Names below `root` of FITS files below `folder`; each folder once, so links cannot lead in circles."""
    pending, seen = [folder], set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        folders, files = _entries(root, current)
        prefix = _plain(root, current)
        for one in files:
            if one.lower().endswith(_SPECTRA):
                yield f"{prefix}/{one}" if prefix else one
        for one in reversed(folders):
            pending.append((current / one).resolve())


def _entries(root: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Names of the folders and the files in `folder` that may be shown; empty where it cannot be searched."""
    folders, files = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.isprintable() or "\\" in entry.name:
                    continue
                if entry.is_symlink() and not _stays(root, Path(entry.path)):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file():
                    files.append(entry.name)
    except OSError:
        return [], []
    return sorted(folders, key=_natural), sorted(files, key=_natural)


def _stays(root: Path, link: Path) -> bool:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    return target.is_relative_to(root) and not any(part.startswith(".") for part in target.relative_to(root).parts)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Order in which 2 comes before 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part[:18]), part) if part.isascii() and part.isdecimal() else (1, 0, part) for part in parts]
