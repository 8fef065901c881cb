"""From a recipe or a list to a folder of checked spectra, in one call that can be repeated.

The folder receives ``selection.csv`` (what was chosen: obsid, label, subclass, z, S/N, position, path), ``spectra/``,
``downloads.csv`` (what is there, with checksums) and, if some could not be had, ``failed.csv`` with reasons.
``job.json`` says what was asked for; the same call goes on with it, another one is refused.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.archives.fetching import Summary, fetch
from racnet_tools.archives.journal import Entry, Journal
from racnet_tools.archives.lamost import Lamost
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.selection import Selection, choose, wanted_counts
from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path

__all__ = [
    "BYTES_EACH",
    "Plan",
    "download_lamost",
    "earlier_selection",
    "note_paths",
    "plan_lamost",
    "read_list",
    "start_folder",
]

#: A gzipped LAMOST spectrum: 42 to 424 kB in 252 files, half of them below 46 kB.
BYTES_EACH = 60_000
#: What one connection brings, for the estimate of the time: bytes/s. LAMOST's server has not been measured.
_BYTES_PER_SECOND = 300_000


@dataclass(frozen=True)
class Plan:
    """What a download will do: the objects, what was asked for, and an estimate of size and time."""

    selection: Selection
    job: dict[str, Any]
    rate: float
    connections: int

    @property
    def n_bytes(self) -> int:
        """Expected size."""
        return BYTES_EACH * len(self.selection.rows)

    @property
    def seconds(self) -> float:
        """Expected time: that of the rate, or of the connections if they are slower."""
        return max(len(self.selection.rows) / self.rate, self.n_bytes / (_BYTES_PER_SECOND * self.connections))


def read_list(path: Path) -> list[str]:
    """Obsids from a text file: the first word of each line, or the column obsid of a CSV file.

    Raises
    ------
    RacnetError
        If there are none, or a line holds something else.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RacnetError(f"{path}: expected a list of obsids; it cannot be read ({error}).") from error
    found = []
    separator, column = r"[\s,|]+", 0
    if lines and "obsid" in (names := [name.strip(' "').lower() for name in re.split(r"[,|]", lines[0])]):
        separator, column = r"[,|]", names.index("obsid")
        lines[0] = ""
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = re.split(separator, line.strip())
        text = words[column].strip(' "') if len(words) > column else ""
        if not (text.isascii() and text.isdigit()):
            raise RacnetError(f"{path}, line {number}: expected an obsid, a whole number. Received: {line[:60]!r}.")
        found.append(text)
    if not found:
        raise RacnetError(f"{path}: expected obsids, one a line. Received: none.")
    return found


def plan_lamost(
    lamost: Lamost,
    *,
    recipe: str | None = None,
    scale: float = 1.0,
    seed: int = 0,
    catalogue: Path | None = None,
    obsids: Sequence[str] = (),
    folder: Path | None = None,
    pace: Pace | None = None,
    connections: int = 4,
    progress: Callable | None = None,
) -> Plan:
    """Decide what to fetch; nothing but a catalogue that is not there yet is fetched here, and `folder` is only read.

    Parameters
    ----------
    lamost : Lamost
        The server.
    recipe : str, optional
        Name in `RECIPES`; else `obsids` says what to fetch.
    scale, seed
        See `choose`.
    catalogue : Path, optional
        A catalogue file; the release's own by default.
    obsids : sequence of str
        Without a recipe.
    folder : Path, optional
        If a run with the same aim began there, its selection is taken.
    pace : Pace, optional
        For the estimate.
    connections : int
        For the estimate.
    progress : callable, optional
        Called with (bytes there, bytes in all or None) of the catalogue.

    Returns
    -------
    Plan

    Raises
    ------
    RacnetError
        If the folder has another aim, or the catalogue cannot be had or read.
    """
    pace = pace or Pace()
    address = lamost.addresses
    job: dict[str, Any] = {"survey": "LAMOST", "release": address.name}
    if recipe is not None:
        job |= {"recipe": recipe, "scale": scale, "seed": seed}
        job["catalogue"] = catalogue.name if catalogue else address.catalogue_name
    before = earlier_selection(folder, job) if folder is not None else None
    if recipe is None:  # a list may grow from run to run
        rows = [{"obsid": obsid} for obsid in dict.fromkeys(obsids)]
        selection = Selection(rows, {}, {}, 0)
    elif before is not None:
        selection = before
    else:
        selection = choose(
            read_catalogue(catalogue or lamost.catalogue(progress=progress)), recipe, scale=scale, seed=seed
        )
    return Plan(selection, job, pace.rate, connections)


def earlier_selection(folder: Path, job: dict[str, Any]) -> Selection | None:
    """What a run with the same aim chose before it ended; None where none began in `folder`.

    Raises
    ------
    RacnetError
        If the folder has another aim.
    """
    path = folder / "job.json"
    if not path.exists():
        return None
    try:
        was = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(was, dict):
            raise ValueError("no object")
    except (OSError, ValueError) as error:
        raise RacnetError(f"{path} is not a download's ({error}). Choose another output folder.") from error
    names = dict.fromkeys([*was, *job])
    changed = [
        f"{name} was {was.get(name)!r}, is {job.get(name)!r}" for name in names if was.get(name) != job.get(name)
    ]
    if changed:
        raise RacnetError(
            f"{folder} holds another download: {'; '.join(changed)}. Repeat the command as it was, or choose another "
            "folder."
        )
    chosen = folder / "selection.csv"
    if not chosen.exists():
        return None
    selection = Selection.open(chosen)
    if "recipe" in job:
        selection.wanted = wanted_counts(job["recipe"], job["scale"])
    return selection


def start_folder(folder: Path, job: dict[str, Any], selection: Selection, n_bytes: int) -> None:
    """Make the folder of a download, with ``job.json`` and ``selection.csv``; see that there is room.

    Raises
    ------
    RacnetError
        If the folder holds other things, cannot be made, or the disk is too small.
    """
    if folder.exists() and not folder.is_dir():
        raise RacnetError(f"{folder} is a file. Choose a folder for the output.")
    ours = (folder / "job.json").exists()
    if not ours and folder.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise RacnetError(f"{folder} holds other files. Choose a new or empty folder for the output.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if not ours and free < n_bytes:
            raise RacnetError(
                f"About {n_bytes / 1e6:.0f} MB will be fetched, and the disk of {folder} has {free / 1e6:.0f} MB free. "
                "Make room, choose another folder, or a smaller --scale."
            )
        with atomic_path(folder / "job.json", overwrite=True) as temporary:  # first: the folder is known by it
            temporary.write_text(json.dumps(job, indent=1), encoding="utf-8")
        selection.save(folder / "selection.csv", overwrite=True)
    except OSError as error:
        raise RacnetError(f"{folder} cannot be written ({error.strerror or error}).") from error


def download_lamost(
    lamost: Lamost,
    plan: Plan,
    folder: Path,
    *,
    pace: Pace | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Summary:
    """Fetch what `plan_lamost` decided.

    Parameters
    ----------
    lamost : Lamost
        The server.
    plan : Plan
        What to fetch.
    folder : Path
        Made if it is not there.
    pace : Pace, optional
        5 requests a second by default.
    progress : callable, optional
        See `fetch`.
    **options
        ``attempts`` and ``deadline`` of `fetch`.

    Returns
    -------
    Summary

    Raises
    ------
    RacnetError
        See `fetch` and `start_folder`.
    """
    start_folder(folder, plan.job, plan.selection, plan.n_bytes)
    jobs = (lamost.job(row["obsid"]) for row in plan.selection.rows)
    try:
        return fetch(
            jobs,
            folder,
            lamost.client,
            redact=lamost.redact,
            pace=pace,
            connections=plan.connections,
            progress=progress,
            **options,
        )
    finally:
        note_paths(folder, plan.selection)


def note_paths(folder: Path, selection: Selection) -> None:
    """Write into ``selection.csv`` where the files are that have been fetched."""
    entries: dict[str, Entry] = Journal.entries(folder)
    for row in selection.rows:
        entry = entries.get(row["obsid"])
        row["path"] = entry.path if entry else ""
    try:
        selection.save(folder / "selection.csv", overwrite=True)
    except OSError:  # a full disk is told of elsewhere; downloads.csv has the paths too
        return
