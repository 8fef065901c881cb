"""One call from data to report; interrupted, it goes on where it was.

========================  ===========================================================================================
``classes.zarr``,         simulated spectra, where no store was named
``types.zarr``
``data/``                 the three data sets
``runs/``                 a run folder for each training: ``runs/dataset1/racnet/epochs8-seed0``
``judged/``               what networks and other methods said of spectra beside the test parts
``results.json``          every number of the report
``report.html``,          the report
``report.md``
========================  ===========================================================================================
"""

from __future__ import annotations

import datetime
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path
from racnet_tools.reproduce import redshift, results
from racnet_tools.reproduce.data import EMBEDDED, OTHER_FOLDER, prepare_data
from racnet_tools.reproduce.others import baselines, strangers
from racnet_tools.reproduce.plan import TARGETS, experiments, schedule
from racnet_tools.reproduce.report import write_report
from racnet_tools.reproduce.runs import find, train_all
from racnet_tools.training.provenance import git_commit, versions
from racnet_tools.training.run_folder import read_json, write_json

__all__ = ["Reproduction", "reproduce"]

_SETTINGS = "reproduction.json"
_REPORTING = 45.0  # seconds kept of a budget for judging and for the report
_OBJECTS = 100  # objects of each class that are moved through redshift, at scale 1


@dataclass(frozen=True)
class Reproduction:
    """What `reproduce` made.

    Attributes
    ----------
    folder : Path
    results : dict
        The content of ``results.json``.
    missing : list of str
        Trainings that were not finished in the time given.
    """

    folder: Path
    results: dict[str, Any]
    missing: list[str]


def reproduce(
    folder: str | Path,
    targets: Sequence[str] = ("all",),
    *,
    data: str = EMBEDDED,
    scale: float = 1.0,
    seeds: int = 1,
    networks: Sequence[str] = (),
    budget_minutes: float | None = None,
    workers: int = 1,
    say: Callable[[str], None] = lambda line: None,
    progress: bool = True,
) -> Reproduction:
    """Repeat the experiments of the paper and write a report beside its published numbers.

    Parameters
    ----------
    folder : str or Path
        Where everything is kept. The same call goes on with what is there; a larger one adds to it.
    targets : sequence of str
        Of "table2", "table3", "table4", "ablation", "figure8", "all".
    data : str
        ``"embedded"``: spectra simulated here; or the path of a store of labelled spectra.
    scale : float
        Share of the paper's 10,000 spectra of a class.
    seeds : int
        Trainings of each network on each data set, from the seeds 0, 1, ...
    networks : sequence of str, optional
        Train and report these alone.
    budget_minutes : float, optional
        Time for everything. Epochs are shortened so that all trainings should fit, and what does not fit is left out
        and named in the report; the same call goes on.
    workers : int
        Processes that simulate, and networks that are trained at a time, each in one thread. 1 is right for a GPU.
    say : callable
        Told in a line what is done.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Reproduction

    Raises
    ------
    RacnetError
        If the folder holds a reproduction of other data or scale, an argument is out of range, or the store has too
        few spectra.
    KeyboardInterrupt
        As usual; what is finished stays.
    """
    start = time.monotonic()
    if budget_minutes is not None and not budget_minutes > 0:
        raise RacnetError(f"Expected a budget of more than 0 minutes. Received: {budget_minutes}.")
    deadline = None if budget_minutes is None else time.time() + 60 * budget_minutes - _REPORTING
    folder = Path(folder)
    wanted = experiments(targets, seeds, networks)
    _claim(folder, data, scale)
    names = sorted({one.dataset for one in wanted})
    begun: set[str] = set()

    def tell(what: str, done: int, of: int) -> None:
        if what not in begun or done == of:
            begun.add(what)
            say(f"{what}: {done} of {of}")

    prepared = prepare_data(folder, names, data, scale, workers=workers, progress=tell)
    missing = train_all(folder, wanted, prepared, scale, deadline=deadline, workers=workers, say=say, progress=progress)

    say("judging")
    runs: dict[tuple[str, str], list[Any]] = {}
    for one in wanted:
        trained = find(folder, one, prepared[one.dataset])
        if trained is not None:
            runs.setdefault((one.dataset, one.network), []).append(trained)
    if not runs:
        raise RacnetError("No training was finished in the time given; the same command goes on with them.")
    first = {key: trained[0] for key, trained in runs.items()}
    judged = folder / "judged"
    chosen = list(TARGETS) if "all" in targets else list(targets)
    sweeps, bins = {}, {}
    if "figure8" in chosen:
        n_objects = max(10, min(_OBJECTS, round(_OBJECTS * scale)))
        for key, one in first.items():
            if key[1] == "racnet":
                say(f"moving {n_objects} objects of each class of {key[0]} through redshift")
                sweeps[key[0]] = redshift.sweeps(one, n_objects, judged)
                bins[key[0]] = {
                    name: results.plain(table) for name, table in redshift.binned(one, prepared[key[0]]).items()
                }
    found: dict[str, Any] = {
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "settings": {
            "targets": chosen,
            "data": data,
            "scale": scale,
            "seeds": seeds,
            "networks": list(networks),
            "budget_minutes": budget_minutes,
            "nominal_epochs_and_batch": list(schedule(scale)),
        },
        "versions": versions(),
        "git_commit": git_commit(),
        "data": {
            name: {
                "title": one.recipe.title,
                "counts": {part: one.counts(part) for part in one.parts},
                "copies": one.copies("train"),
                "fingerprint": one.settings["fingerprint"],
                "simulated": bool((one.store.column("survey") == "SIMULATED").all()),
            }
            for name, one in prepared.items()
        },
        "missing": missing,
        "networks": results.networks(runs, prepared),
        "mcnemar": results.comparison(runs),
        "calibration": results.calibration(runs),
        "rejection": results.rejection(runs),
        "strangers": strangers(first, prepared, judged, max(20, min(1000, round(1000 * scale)))),
        "strata": results.strata(runs, prepared),
        "baselines": baselines(prepared, judged, say=say) if "all" in targets else [],
        "redshift_bins": bins,
        "redshift_sweeps": {
            name: [{"kind": s.kind, "z": s.z.tolist(), "n": len(s.p), "kept": s.kept().tolist()} for s in made]
            for name, made in sweeps.items()
        },
    }
    found["seconds"] = round(time.monotonic() - start, 1)
    found = _without_nan(found)
    with atomic_path(folder / "results.json", overwrite=True) as temporary:
        temporary.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    say("writing the report")
    write_report(folder, found, sweeps)
    return Reproduction(folder, found, missing)


def _without_nan(value: Any) -> Any:
    """The same with None for numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _claim(folder: Path, data: str, scale: float) -> None:
    """Make the folder, or see that it is a reproduction of the same data and scale."""
    mine = {"format": "racnet reproduction", "data": data, "scale": scale}
    path = folder / _SETTINGS
    if path.is_file():
        theirs = read_json(path)
        if theirs != mine:
            raise RacnetError(f"{folder} holds a reproduction with other settings: {theirs}. {OTHER_FOLDER}")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RacnetError(f"{folder} exists already and is no reproduction. {OTHER_FOLDER}")
    if not folder.absolute().parent.is_dir():
        raise RacnetError(f"The folder {folder.absolute().parent} does not exist. Create it first.")
    folder.mkdir(exist_ok=True)
    write_json(path, mine)
