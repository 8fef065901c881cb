"""SDSS, BOSS and DESI spectra from SPARCL, the spectra server of NOIRLab, through its package sparclclient.

sparclclient 1.3.1 asks for numpy below 2.4 and, before Python 3.13, for pandas below 2.2, so it cannot be among the
dependencies here; without its pins it works: see `INSTALL`. Its answers arrive as Python pickles over TLS, which the
package unpacks itself: whoever uses it trusts that server. Nothing else in this toolkit unpickles.

Each spectrum becomes a file of its own in a LAMOST layout (`write_lamost`), which the readers read, with the survey,
class and redshift in its header. SDSS and BOSS pixels are taken as they are (vacuum, log10 steps of 1e-4, float32);
DESI spectra, three arms joined by the server in steps of 0.8 Angstrom, are brought to the grid of the toolkit's DESI
reader, flux-conserving. SPARCL has the classes STAR, GALAXY and QSO; no UNKNOWN and no stellar types to choose by.

What is chosen: of the first spectra that the server finds (primary, no redshift warning; `POOL` times as many as are
wanted), those with the lowest numbers made from seed and identifier. That is repeatable while the server's order is,
and no random sample of the survey.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.archives.answers import FailedError, RetryError, look_at
from racnet_tools.archives.download import note_paths, start_folder
from racnet_tools.archives.fetching import Summary, disk_error, write_failed
from racnet_tools.archives.journal import Entry, Journal
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.selection import RECIPES, Selection, number, wanted_counts
from racnet_tools.errors import RacnetError

__all__ = ["DATA_SETS", "INSTALL", "connect", "download_sparcl", "find", "to_spectrum"]

#: Survey and release to SPARCL's names, as its client's code and documents have them (1.3.1).
DATA_SETS = {
    ("sdss", "dr16"): ("SDSS-DR16", "BOSS-DR16"),
    ("sdss", "dr17"): ("SDSS-DR17", "BOSS-DR17"),
    ("desi", "edr"): ("DESI-EDR",),
    ("desi", "dr1"): ("DESI-DR1",),
}

INSTALL = (
    "SDSS and DESI need the package sparclclient. It pins old versions of numpy and pandas, so install it without its "
    "dependencies: pip install --no-deps sparclclient && pip install pandas pyjwt requests spectres specutils."
)

#: Spectra asked for at a time.
CHUNK = 50
#: How many times what is wanted is looked through.
POOL = 4

_FIELDS = ["sparcl_id", "specid", "data_release", "spectype", "redshift", "redshift_err", "ra", "dec"]
_ARRAYS = ["wavelength", "flux", "ivar", "mask"]
#: Bytes of a spectrum in the LAMOST layout, gzipped.
_BYTES_EACH = 60_000


def connect() -> Any:
    """A client of SPARCL's server.

    Raises
    ------
    RacnetError
        If sparclclient is not installed, or the server cannot be reached.
    """
    try:
        from sparcl.client import SparclClient
    except ImportError as error:
        raise RacnetError(f"{INSTALL} ({error})") from error
    try:
        return SparclClient(announcement=False, connect_timeout=20, read_timeout=300)
    except Exception as error:  # requests' and sparclclient's own, which have no common base
        raise RacnetError(
            f"SPARCL's server cannot be reached ({type(error).__name__}: {error}). Try again later."
        ) from error


def find(
    client: Any, survey: str, release: str, *, recipe: str = "dataset2", scale: float = 1.0, seed: int = 0
) -> Selection:
    """Choose spectra.

    Parameters
    ----------
    client : SparclClient
        From `connect`.
    survey, release : str
        A pair of `DATA_SETS`.
    recipe, scale, seed
        See `racnet_tools.archives.choose`.

    Returns
    -------
    Selection
        `obsid` is SPARCL's identifier.

    Raises
    ------
    RacnetError
        If SPARCL has no such release, or cannot serve the recipe.
    """
    wanted = wanted_counts(recipe, scale)
    missing = [label for label in wanted if RECIPES[recipe].stellar or label == "UNKNOWN"]
    if missing:
        raise RacnetError(
            f"SPARCL has no {', '.join(missing)} to choose: only STAR, GALAXY and QSO. Use --recipe dataset2, or the "
            "survey LAMOST."
        )
    sets = _data_sets(client, survey, release)
    rows: list[tuple[int, dict[str, str]]] = []
    available = {}
    for label, count in wanted.items():
        constraints = {"spectype": [label], "data_release": sets, "specprimary": [1], "redshift_warning": [0]}
        found = _patiently(partial(client.find, outfields=list(_FIELDS), constraints=constraints, limit=POOL * count))
        records = {str(record["sparcl_id"]): record for record in found.records}
        available[label] = len(records)
        order = sorted((_place(key, seed), key) for key in records)[:count]
        rows += [(place, _row(records[key], key, label)) for place, key in order]
    rows.sort(key=lambda pair: pair[0])
    return Selection([row for _, row in rows], wanted, available, sum(available.values()))


def _data_sets(client: Any, survey: str, release: str) -> list[str]:
    known = DATA_SETS.get((survey, release))
    if known is None:
        offered = ", ".join(name for kind, name in DATA_SETS if kind == survey)
        raise RacnetError(f"Expected a release of {survey.upper()} that SPARCL has ({offered}). Received: {release!r}.")
    there = set(client.all_datasets)
    sets = [name for name in known if name in there]
    if not sets:
        raise RacnetError(f"SPARCL's server does not have {' or '.join(known)} now; it has {', '.join(sorted(there))}.")
    return sets


def _place(key: str, seed: int) -> int:
    low = np.array([uuid.UUID(key).int & 0xFFFFFFFFFFFFFFFF], np.uint64)
    return int(number(low, seed)[0])


def _row(record: Mapping[str, Any], key: str, label: str) -> dict[str, str]:
    names = {"z": "redshift", "z_err": "redshift_err", "ra": "ra", "dec": "dec"}
    row = {"obsid": key, "label": label, "subclass": ""}
    return row | {ours: "" if record.get(theirs) is None else f"{record[theirs]}" for ours, theirs in names.items()}


def to_spectrum(record: Mapping[str, Any]):
    """One record of SPARCL as a set of one spectrum.

    Parameters
    ----------
    record : mapping
        With wavelength (Angstrom, vacuum), flux, ivar, mask and the fields of `find`.

    Returns
    -------
    SpectrumSet

    Raises
    ------
    FailedError
        If the arrays are no spectrum.
    """
    from racnet_tools.readers.desi_coadd import DESI_GRID
    from racnet_tools.readers.record import designation
    from racnet_tools.readers.sdss_spec import PIXEL_BITS
    from racnet_tools.spectra import LogLambdaGrid, SpectrumSet

    try:
        wave, flux, ivar = (np.asarray(record[name], dtype=np.float64) for name in _ARRAYS[:3])
        mask = np.asarray(record["mask"]).astype(np.int64)
        desi = str(record["data_release"]).startswith("DESI")
        ra, dec = (float(record[name]) for name in ("ra", "dec"))
    except (KeyError, TypeError, ValueError) as error:
        raise FailedError(f"the record lacks what a spectrum needs ({error})") from None
    if not (wave > 0).all():
        raise FailedError("the record's wavelengths are not all positive")
    if wave.ndim != 1 or not wave.shape == flux.shape == ivar.shape == mask.shape or len(wave) < 100:
        raise FailedError(f"the record's arrays have the shapes {wave.shape}, {flux.shape}, {ivar.shape}, {mask.shape}")
    bad = (mask != 0) if desi else (mask & PIXEL_BITS) != 0
    key = str(record["sparcl_id"])
    row = {
        "spec_id": key,
        "object_id": designation(ra, dec) or key,
        "survey": "DESI" if desi else "SDSS",
        "label": str(record["spectype"]).upper(),
        "z": record.get("redshift"),
        "z_err": record.get("redshift_err"),
        "ra": ra,
        "dec": dec,
    }
    try:
        if desi:
            return SpectrumSet(wave, flux[None], ivar[None], bad[None], [row]).to_grid(DESI_GRID)
        start = round(float(np.log10(wave[0])), 4)
        grid = LogLambdaGrid(start=start, step=1e-4, n_pixels=len(wave))
        if np.abs(np.log10(wave) - np.log10(grid.wave)).max() > 2e-6:
            raise FailedError("the record's wavelengths are not in steps of 1e-4 of log10")
        return SpectrumSet(grid.wave, flux[None], ivar[None], bad[None], [row])
    except RacnetError as error:
        raise FailedError(f"the record is no spectrum: {error}") from None


def download_sparcl(
    client: Any,
    survey: str,
    release: str,
    selection: Selection,
    folder: Path,
    *,
    job: Mapping[str, Any] | None = None,
    pace: Pace | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Fetch chosen spectra, `CHUNK` at a time, and write them as files that the readers read.

    Parameters
    ----------
    client : SparclClient
        From `connect`.
    survey, release : str
        A pair of `DATA_SETS`.
    selection : Selection
        From `find`.
    folder : Path
        As for LAMOST: ``spectra/``, ``selection.csv``, ``downloads.csv``, ``failed.csv``, ``job.json``.
    job : mapping, optional
        What was asked for, for ``job.json``.
    pace : Pace, optional
        Requests a second and pauses.
    progress : callable, optional
        Called with (files, bytes).

    Returns
    -------
    Summary

    Raises
    ------
    RacnetError
        If the folder cannot be used, or the server gives nothing in several attempts. What is there stays.
    """
    pace, never = pace or Pace(), threading.Event()
    sets = _data_sets(client, survey, release)
    start_folder(folder, dict(job or {}), selection, _BYTES_EACH * len(selection.rows))
    summary = Summary()
    try:
        with Journal(folder) as journal:
            (folder / "spectra").mkdir(exist_ok=True)
            todo = []
            for row in selection.rows:
                if journal.intact(row["obsid"]):
                    summary.n_before += 1
                    if progress:
                        progress(1, 0)
                else:
                    todo.append(row["obsid"])
            for start in range(0, len(todo), CHUNK):
                keys = todo[start : start + CHUNK]
                pace.wait(never)
                _chunk(client, sets, keys, journal, summary, progress, pace)
    except OSError as error:
        raise disk_error(error, folder) from error
    finally:
        write_failed(folder, summary.failed)
        note_paths(folder, selection)
    return summary


def _chunk(client, sets: list[str], keys: Sequence[str], journal: Journal, summary: Summary, progress, pace) -> None:
    answer = _patiently(
        lambda: client.retrieve(uuid_list=list(keys), include=[*_FIELDS, *_ARRAYS], dataset_list=sets, limit=len(keys)),
        pace,
    )
    records = {str(record["sparcl_id"]): record for record in answer.records}
    for key in keys:
        size = 0
        try:
            if key not in records:
                raise FailedError("SPARCL found it, but did not send it")
            size = _write(records[key], key, journal)
            summary.n_fetched += 1
            summary.n_bytes += size
        except (FailedError, RetryError) as error:
            summary.failed.append((key, "SPARCL", error.reason))
        if progress:
            progress(1, size)


def _write(record: Mapping[str, Any], key: str, journal: Journal) -> int:
    from racnet_tools.readers import write_lamost

    path = journal.folder / "spectra" / f"{key}.fits.gz"
    write_lamost(to_spectrum(record), path, overwrite=True)
    _, spec_id = look_at(path)
    data = path.read_bytes()
    journal.add(Entry(key, f"spectra/{path.name}", len(data), hashlib.sha256(data).hexdigest(), spec_id))
    return len(data)


def _patiently(ask: Callable[[], Any], pace: Pace | None = None, attempts: int = 4) -> Any:
    """Ask again after pauses: sparclclient raises all sorts of exceptions for a server in trouble."""
    pace, never = pace or Pace(), threading.Event()
    for attempt in range(1, attempts + 1):
        try:
            return ask()
        except RacnetError:
            raise
        except Exception as error:
            if attempt == attempts:
                raise RacnetError(
                    f"SPARCL does not answer as it should ({type(error).__name__}: {str(error)[:200]}; {attempts} "
                    "attempts). What came is kept; repeat the command later."
                ) from error
            pace.after_failure(attempt, None, never)
    raise AssertionError
