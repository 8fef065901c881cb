"""Polite, resumable, checked downloads of many spectra.

Every file is written under a temporary name and gets its final one only when it is whole: as long as the server said,
unpacked without an error, FITS, and accepted by the toolkit's own reader. What is done stands in `Journal`; a run that
was killed at any moment and is repeated ends with the same files, and nothing that was finished is fetched again.

What a server does wrong is told apart: a connection that breaks, a silent or slow server, a wrong length, a damaged
file, 408, 425, 429 and 5xx are tried again after a pause that doubles each time (with chance in it, so that many
clients do not come back together); Retry-After is obeyed, by all connections. A web page instead of a file, 404 and
the like are not tried again: the file is listed with the reason. 401 and 403, a full disk, and many failures in a row
stop the run, which goes on from there when it is repeated.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.archives.answers import FailedError, RetryError, check_status, look_at
from racnet_tools.archives.http import import_httpx
from racnet_tools.archives.journal import KEY, Entry, Journal
from racnet_tools.archives.pace import Pace
from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    import httpx

__all__ = ["Job", "Pace", "Summary", "disk_error", "fetch", "write_failed"]

#: Largest answer that is taken for a spectrum, bytes (LAMOST's have 0.04 to 0.5 MB).
MAX_BYTES = 64 * 1024 * 1024
#: Seconds that one file may take, however steadily it trickles in.
DEADLINE = 300.0
#: Seconds that files on their way are waited for when a run ends early.
GRACE = 2.0
#: Failures in a row after which the server is taken to be out of order.
MAX_IN_A_ROW = 25

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True)
class Job:
    """One file to fetch: `key` names it (letters, digits, ``._-``), `url` is where it is."""

    key: str
    url: str


@dataclass
class Summary:
    """What a run did. `failed` has key, address and reason of each file that could not be had."""

    n_fetched: int = 0
    n_before: int = 0
    n_bytes: int = 0
    failed: list[tuple[str, str, str]] = field(default_factory=list)


def fetch(
    jobs: Iterable[Job],
    folder: Path,
    client: httpx.Client,
    *,
    pace: Pace | None = None,
    connections: int = 4,
    attempts: int = 5,
    deadline: float = DEADLINE,
    progress: Callable[[int, int], None] | None = None,
    redact: Callable[[str], str] = str,
) -> Summary:
    """Fetch spectra into ``folder/spectra`` as ``<key>.fits.gz`` (or ``.fits``, if the server does not compress).

    Parameters
    ----------
    jobs : iterable of Job
        Read as the work goes on. A key that comes again is passed over.
    folder : Path
        An existing folder; also receives ``downloads.csv``, and ``failed.csv`` if files could not be had.
    client : httpx.Client
        From `make_client`.
    pace : Pace, optional
        Requests a second and pauses; 5 a second by default.
    connections : int
        Files at a time.
    attempts : int
        For each file, in all.
    deadline : float
        Seconds for each attempt.
    progress : callable, optional
        Called with (files, bytes) for each file that is done, failed or found there.
    redact : callable, optional
        Takes secrets out of what a server said before it is written down.

    Returns
    -------
    Summary

    Raises
    ------
    RacnetError
        If the server refuses access, the disk is full, or many files in a row failed. What is finished stays, and the
        same call goes on from there.
    """
    try:
        journal = Journal(folder)
    except OSError as error:
        raise disk_error(error, folder) from error
    with journal:
        run = _Run(journal, client, pace or Pace(), attempts, deadline, progress, redact)
        try:
            return run.all(jobs, connections)
        finally:
            write_failed(folder, run.summary.failed)


def write_failed(folder: Path, failed: list[tuple[str, str, str]]) -> None:
    """Write ``failed.csv`` (key, url, reason), or remove it where nothing failed."""
    path = folder / "failed.csv"
    if not failed:
        path.unlink(missing_ok=True)
        return
    with (
        suppress(OSError),  # a full disk is told of elsewhere
        atomic_path(path, overwrite=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["key", "url", "reason"])
        writer.writerows(sorted(failed))


class _Run:
    def __init__(self, journal: Journal, client, pace: Pace, attempts: int, deadline: float, progress, redact) -> None:
        self.journal, self.client, self.pace = journal, client, pace
        self.attempts, self.deadline, self.progress = attempts, deadline, progress
        self.redact, self.summary = redact, Summary()
        self.spectra = journal.folder / "spectra"
        self.parts = journal.folder / ".partial"
        self.stop = threading.Event()
        self.guard = threading.Lock()
        self.in_a_row = 0
        self.grace = 0.0
        self.fatal: BaseException | None = None

    def all(self, jobs: Iterable[Job], connections: int) -> Summary:
        try:
            for made in (self.spectra, self.parts):
                made.mkdir(exist_ok=True)
            for left in (*self.parts.iterdir(), *self.journal.folder.glob(".writing-*")):  # of a run that was killed
                left.unlink()
        except OSError as error:
            raise disk_error(error, self.journal.folder) from error
        source, seen = iter(jobs), set()

        def next_job() -> Job | None:
            with self.guard:
                for job in source:
                    if not KEY.fullmatch(job.key):
                        raise RacnetError(f"Expected keys of letters, digits and ._- only. Received: {job.key!r}.")
                    if job.key not in seen:
                        seen.add(job.key)
                        return job
                return None

        def work() -> None:
            while not self.stop.is_set():
                try:
                    job = next_job()
                    if job is None:
                        return
                    self.one(job)
                except BaseException as error:
                    with self.guard:
                        self.fatal = self.fatal or error
                    self.end()

        with ThreadPoolExecutor(connections, thread_name_prefix="racnet-download") as pool:
            futures = [pool.submit(work) for _ in range(connections)]
            try:
                while wait(futures, timeout=0.2).not_done:  # short waits, so that Ctrl-C is heard
                    pass
            except BaseException:
                self.end()
                raise
        if self.fatal is not None:
            raise disk_error(self.fatal, self.journal.folder) if isinstance(self.fatal, OSError) else self.fatal
        self.parts.rmdir()
        return self.summary

    def end(self) -> None:
        """Begin nothing more; what is on its way may still arrive within `GRACE` seconds."""
        self.grace = self.pace.clock() + GRACE
        self.stop.set()

    def one(self, job: Job) -> None:
        entry = self.journal.intact(job.key)
        if entry is None:
            entry = self._unrecorded(job)
        if entry is not None:
            self._done(entry.bytes, before=True)
            return
        for attempt in range(1, self.attempts + 1):
            if not self.pace.wait(self.stop):
                return
            part = self.parts / job.key
            try:
                self._done(self._attempt(job, part))
                return
            except RetryError as error:
                if self.stop.is_set():
                    return
                if attempt == self.attempts:
                    self._failed(job, f"{error.reason} ({attempt} attempts)")
                    return
                self.pace.after_failure(attempt, error.retry_after, self.stop)
            except FailedError as error:
                self._failed(job, error.reason, alarming=not error.unknown)
                return
            finally:
                part.unlink(missing_ok=True)

    def _attempt(self, job: Job, part: Path) -> int:
        """Bytes of the file, when it is in place and in the journal."""
        digest, size = self._stream(job, part)
        ending, spec_id = look_at(part)
        final = self.spectra / f"{job.key}{ending}"
        part.replace(final)
        self.journal.add(Entry(job.key, f"spectra/{final.name}", size, digest, spec_id))
        return size

    def _stream(self, job: Job, part: Path) -> tuple[str, int]:
        httpx = import_httpx()
        ends = self.pace.clock() + self.deadline
        digest, size = hashlib.sha256(), 0
        try:
            with self.client.stream("GET", job.url) as response:
                check_status(response)
                announced = response.headers.get("content-length", "")
                with _open_part(part) as file:
                    for piece in response.iter_raw():
                        size += len(piece)
                        if self.stop.is_set() and self.pace.clock() > self.grace:
                            raise RetryError("stopped")
                        if size > MAX_BYTES:
                            raise FailedError(f"the answer is longer than {MAX_BYTES >> 20} MiB: no spectrum")
                        if self.pace.clock() > ends:
                            raise RetryError(
                                f"the server needed more than {self.deadline:.0f} s ({size} bytes by then)"
                            )
                        digest.update(piece)
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
        except httpx.TimeoutException as error:
            raise RetryError(f"the server was silent for too long ({type(error).__name__})") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise FailedError(f"the server sent us on to nowhere ({type(error).__name__})") from None
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise RacnetError(
                    f"The certificate of {httpx.URL(job.url).host} cannot be verified, so nothing was fetched: "
                    "someone may be in between, or this machine's certificates are out of date (see SSL_CERT_FILE)."
                ) from None
            raise RetryError(f"the connection broke ({_told(error)})") from None
        if announced.isdigit() and int(announced) != size:
            raise RetryError(f"{size} bytes came of {announced} that were announced")
        return digest.hexdigest(), size

    def _unrecorded(self, job: Job) -> Entry | None:
        """An entry for a file that is in place without a line in the journal, if it is whole."""
        for ending in (".fits.gz", ".fits"):
            path = self.spectra / f"{job.key}{ending}"
            if not path.exists():
                continue
            recorded = self.journal.get(job.key)
            if recorded is None or recorded.path != f"spectra/{path.name}":
                try:
                    right, spec_id = look_at(path)
                except (RetryError, FailedError):
                    right, spec_id = "", ""
                if right == ending:
                    data = path.read_bytes()
                    digest = hashlib.sha256(data).hexdigest()
                    entry = Entry(job.key, f"spectra/{path.name}", len(data), digest, spec_id)
                    self.journal.add(entry)
                    return entry
            path.unlink()  # changed since, or never whole: fetched again
        return None

    def _done(self, size: int, before: bool = False) -> None:
        with self.guard:
            self.in_a_row = 0 if not before else self.in_a_row
            self.summary.n_before += before
            self.summary.n_fetched += not before
            self.summary.n_bytes += 0 if before else size
            if self.progress:
                self.progress(1, 0 if before else size)

    def _failed(self, job: Job, reason: str, alarming: bool = True) -> None:
        reason = self.redact(reason)
        with self.guard:
            self.in_a_row += alarming
            self.summary.failed.append((job.key, job.url, reason))
            if self.progress:
                self.progress(1, 0)
            if alarming and self.in_a_row >= MAX_IN_A_ROW:
                raise RacnetError(
                    f"{self.in_a_row} files in a row could not be had, the last one because {reason}. The server seems "
                    "to be out of order, so the run ends here. Repeat the command later: it goes on from where it is."
                )


def _open_part(path: Path):
    return path.open("wb")


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def disk_error(error: OSError, folder: Path) -> RacnetError:
    """What to tell a user of a failure to write."""
    if error.errno in _FULL:
        return RacnetError(
            f"The disk of {folder} is full. What is finished is kept: make room and repeat the command, "
            "and it goes on from there."
        )
    return RacnetError(f"Writing into {folder} failed: {error.strerror or error}.")
