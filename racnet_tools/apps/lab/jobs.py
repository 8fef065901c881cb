"""Trainings on this machine: their folders, their processes, who runs and who waits.

A training is a process of its own (`racnet_tools.apps.lab.worker`), which no page owns: it is started, watched and told
to stop through files in its folder ``runs/NAME`` below the work folder, by any page.

==================  ===============================================================================================
``plan.json``       what is trained (`Plan`), when it was asked for, the folder of its data set
``process.json``    id and start time of the process; an id that the system has given away since has another start
``phase``           what the process does at the moment, in a word
``wish``            ``pause`` or ``stop``: what it shall do after the epoch
``ended.json``      how it ended: finished, stopped or failed, with the reason
``validation*``     the validation spectra, their classes, and what the weights kept say of them
``run/``            the run folder of `racnet_tools.training.fit`
``worker.log``      what the process said
==================  ===============================================================================================
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from racnet_tools.apps.lab.plan import Plan, checked_name
from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path, locked

__all__ = ["AT_ONCE", "WAITING_AT_MOST", "Job", "Jobs", "is_alive", "write_json"]

#: Trainings that run at the same time on a server; others wait.
AT_ONCE = 1
#: Trainings that may wait.
WAITING_AT_MOST = 8

_PHASES = {
    "waiting": "waits for its turn",
    "starting": "loads TensorFlow and simulates or reads the first spectra",
    "training": "trains",
    "judging": "judges the weights kept",
}


@dataclass(frozen=True)
class Job:
    """A training as its folder tells; a snapshot.

    Attributes
    ----------
    folder : Path
    plan : Plan
    state : str
        ``waiting``, ``running``, ``paused``, ``interrupted`` (its process was killed), ``finished``, ``stopped`` or
        ``failed``.
    phase : str
        What its process does, in words; empty without one.
    reason : str
        Why it failed.
    asked : float
        When it was asked for, seconds since 1970.
    wish : str
        What it has been told to do after the epoch, or "".
    """

    folder: Path
    plan: Plan
    state: str
    phase: str = ""
    reason: str = ""
    asked: float = 0.0
    wish: str = ""

    @property
    def name(self) -> str:
        """Of the run."""
        return self.plan.name

    @property
    def alive(self) -> bool:
        """Whether a process works on it or waits to."""
        return self.state in ("waiting", "running")

    @property
    def done(self) -> bool:
        """Whether it has weights to use."""
        return self.state in ("finished", "stopped")

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row a finished epoch."""
        try:
            with (self.folder / "run" / "history.csv").open(newline="", encoding="utf-8") as file:
                return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
        except (OSError, ValueError, TypeError):
            return []

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What the weights kept reach; empty before the end."""
        return _read(self.folder / "run" / "metrics.json")

    @cached_property
    def dataset(self) -> Path | None:
        """Folder of its data set; None for simulated spectra."""
        path = _read(self.folder / "plan.json").get("dataset")
        return Path(path) if path else None


class Jobs:
    """All trainings of a work folder.

    Parameters
    ----------
    work : Path
        The work folder; ``runs`` below it is made with the first training.
    """

    def __init__(self, work: Path) -> None:
        self.root = work / "runs"

    def list(self) -> list[Job]:
        """All trainings, the latest first; folders that are none are passed over."""
        if not self.root.is_dir():
            return []
        found = []
        for path in self.root.glob("*/plan.json"):
            try:
                found.append(self.open(path.parent.name))
            except RacnetError:
                continue
        return sorted(found, key=lambda job: (-job.asked, job.name))

    def open(self, name: Any) -> Job:
        """One training.

        Raises
        ------
        RacnetError
            When there is none of that name.
        """
        folder = self.root / checked_name(name, "a run")
        told = _read(folder / "plan.json")
        if not told:
            raise RacnetError(f"Expected the name of a run that there is; received {name!r}. Choose one of the list.")
        plan = Plan.from_dict(told.get("plan", {}))
        asked = told.get("asked")
        asked = float(asked) if isinstance(asked, int | float) else 0.0
        ended, wish, phase = _read(folder / "ended.json"), _word(folder / "wish"), _word(folder / "phase")
        if is_alive(folder):
            state = "waiting" if phase == "waiting" else "running"
            return Job(folder, plan, state, _PHASES.get(phase, "starts"), asked=asked, wish=wish)
        if ended.get("how") in ("finished", "stopped", "failed"):
            return Job(folder, plan, ended["how"], reason=str(ended.get("reason", "")), asked=asked)
        return Job(folder, plan, "paused" if wish == "pause" else "interrupted", asked=asked)

    def new_name(self, network: str) -> str:
        """A name that no run has."""
        number = 1
        while (self.root / f"{network}-{number}").exists():
            number += 1
        return f"{network}-{number}"

    def ahead(self, job: Job) -> int:
        """How many trainings that run or wait were asked for before this one."""
        mine = (job.asked, job.name)
        return sum(other.alive and (other.asked, other.name) < mine for other in self.list())

    def start(self, plan: Plan, dataset: Path | None = None) -> Job:
        """Begin a new training, or let it wait for its turn.

        Raises
        ------
        RacnetError
            When there is a run of the name, or too many wait.
        """
        if (dataset is None) != plan.simulated:
            raise RacnetError(f"data: expected a data set that there is. Received: {plan.data!r:.100}")
        self._room()
        folder = self.root / plan.name
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError:
            raise RacnetError(
                f"There is a run named {plan.name} already. Choose another name for the new one."
            ) from None
        told = {"plan": plan.to_dict(), "asked": time.time(), "dataset": str(dataset) if dataset else None}
        write_json(folder / "plan.json", told)
        self._launch(folder)
        return self.open(plan.name)

    def resume(self, name: Any) -> Job:
        """Go on with a training that was paused, interrupted or failed.

        Raises
        ------
        RacnetError
            When it runs already or is over.
        """
        job = self.open(name)
        if job.alive:
            if job.wish == "pause":
                (job.folder / "wish").unlink(missing_ok=True)
                return self.open(name)
            raise RacnetError(f"{job.name} is {job.state} already: nothing to resume.")
        if job.done:
            raise RacnetError(f"{job.name} is {job.state}: it cannot go on. Start a new run.")
        self._room()
        told = _read(job.folder / "plan.json") | {"asked": time.time()}  # it waits behind the others again
        write_json(job.folder / "plan.json", told)
        self._launch(job.folder)
        return self.open(name)

    def pause(self, name: Any) -> None:
        """Let a training end after its epoch, with all that is needed to go on; one that waits leaves the queue.

        Raises
        ------
        RacnetError
            When it does not run.
        """
        self._wish(name, "pause")

    def stop(self, name: Any) -> None:
        """Let a training end after its epoch for good and keep the best weights so far.

        Raises
        ------
        RacnetError
            When it is over, or has not finished an epoch.
        """
        job = self.open(name)
        if job.state in ("paused", "interrupted", "failed") and not job.done:
            if not job.history:
                raise RacnetError(
                    f"{job.name} has not finished an epoch: there are no weights to keep. Resume it first."
                )
            self._launch(job.folder, "stop")
            return
        if job.state == "waiting" and not job.history:
            raise RacnetError(f"{job.name} has not begun: there are no weights to keep. Pause it to leave the queue.")
        self._wish(name, "stop")

    def _wish(self, name: Any, wish: str) -> None:
        job = self.open(name)
        if not job.alive:
            raise RacnetError(f"{job.name} does not run (it is {job.state}): there is nothing to {wish}.")
        _write(job.folder / "wish", wish)

    def _room(self) -> None:
        alive = sum(job.alive for job in self.list())
        if alive >= AT_ONCE + WAITING_AT_MOST:
            raise RacnetError(
                f"{alive} trainings run or wait on this server, and no more may wait. Try again when one has ended."
            )

    def _launch(self, folder: Path, wish: str = "") -> None:
        """Start the process of a training, once, whoever asks at the same time."""
        with locked(folder / ".launch"):
            if is_alive(folder):
                raise RacnetError(f"{folder.name} runs already.")
            (folder / "ended.json").unlink(missing_ok=True)
            if wish:
                _write(folder / "wish", wish)
            else:
                (folder / "wish").unlink(missing_ok=True)
            _write(folder / "phase", "waiting")
            spawn(folder, "process.json", "train")


def spawn(folder: Path, record: str, *task: str) -> None:
    """Start a worker that outlives this process, and record its id and start time.

    Parameters
    ----------
    folder : Path
        Of the training.
    record : str
        File in it for id and start time.
    *task : str
        What the worker shall do.
    """
    import psutil

    words = [sys.executable, "-m", "racnet_tools.apps.lab.worker", str(folder), *task]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module; names are checked)
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, close_fds=True
        )
    write_json(folder / record, {"pid": process.pid, "started": psutil.Process(process.pid).create_time()})
    _CHILDREN.append(process)


_CHILDREN: list[subprocess.Popen[bytes]] = []  # asked whether they have ended, so that none stays a zombie


def is_alive(folder: Path, record: str = "process.json") -> bool:
    """Whether the recorded process still works: the same id with the same start time, and no zombie."""
    import psutil

    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]
    told = _read(folder / record)
    try:
        process = psutil.Process(int(told["pid"]))
        same = abs(process.create_time() - float(told["started"])) < 0.05
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, TypeError, ValueError, psutil.Error):
        return False


def write_json(path: Path, values: Any) -> None:
    """Write plain values, replacing the file as a whole."""
    _write(path, json.dumps(values, indent=1))


def _write(path: Path, text: str) -> None:
    with atomic_path(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
