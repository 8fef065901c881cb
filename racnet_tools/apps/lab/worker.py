"""The process of one training: ``python -m racnet_tools.apps.lab.worker FOLDER train``, or ``preset NAME``.

It waits for its turn without TensorFlow, trains, and looks after every epoch whether it shall pause or stop. A stopped
run becomes a finished one with the best weights so far. Killed at any moment, it goes on from the last epoch when it is
resumed (`racnet_tools.training.fit`).
"""

from __future__ import annotations

import math
import os
import sys
import time
import traceback
from pathlib import Path
from typing import IO, Any

from racnet_tools.apps.lab.jobs import AT_ONCE, Jobs, write_json
from racnet_tools.errors import RacnetError
from racnet_tools.files import locked

__all__ = ["main"]

KEPT = 3000  # validation spectra that can be opened
_LOOK = 1.0  # seconds between two looks at the queue


class _Told(Exception):
    """Raised after an epoch when the training was told to pause or stop."""


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit status is 0 when it went well."""
    folder, task = Path(arguments[0]), arguments[1]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if hasattr(os, "nice"):
        os.nice(10)  # pages of visitors go first
    if task == "preset":
        return _preset(folder, arguments[2])
    try:
        slot = _turn(folder)
        if slot is None:
            return 0
        with slot:
            _train(folder)
    except _Told:
        return 0
    except Exception as error:  # told on the page, whatever it is
        traceback.print_exc()
        reason = str(error) if isinstance(error, RacnetError) else f"{type(error).__name__}: {error}"
        write_json(folder / "ended.json", {"how": "failed", "reason": reason})
        return 1
    return 0


def _turn(folder: Path) -> IO[bytes] | None:
    """Wait for a free place, first come, first served; None when told to leave the queue."""
    jobs = Jobs(folder.parents[1])
    while True:
        if _wish(folder) == "pause":
            return None
        if jobs.ahead(jobs.open(folder.name)) < AT_ONCE:
            for number in range(AT_ONCE):
                try:
                    return locked(folder.parent / f".place-{number}")
                except RacnetError:
                    continue
        time.sleep(_LOOK)


def _train(folder: Path) -> None:
    from racnet_tools.models import network_config
    from racnet_tools.training import Augmentation, TrainingConfig, fit
    from racnet_tools.training.run_folder import FINISHED

    job = Jobs(folder.parents[1]).open(folder.name)
    plan, run = job.plan, folder / "run"
    _phase(folder, "starting")
    data, validation, description, classes, n_pixels = _data(folder)
    network = network_config(plan.network, len(classes), n_pixels, **plan.overrides)
    training = TrainingConfig(
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        learning_rate=plan.learning_rate,
        schedule=plan.schedule,
        patience=plan.patience,
        augmentation=Augmentation() if plan.augment else None,
        seed=plan.seed,
    )

    def after_epoch(row: dict[str, float]) -> None:
        _phase(folder, "training")
        if _wish(folder) and row["epoch"] < plan.epochs:
            raise _Told

    how = "finished"
    if not (run / FINISHED).is_file():
        try:
            if _wish(folder) == "stop" and (run / "history.csv").is_file():
                raise _Told
            fit(
                network,
                data,
                run,
                training,
                validation=validation,
                description=description,
                progress=False,
                on_epoch=after_epoch,
            )
        except _Told:
            if _wish(folder) != "stop":
                raise
            how = "stopped"
    _phase(folder, "judging")
    _judge(folder, data, validation, network, how, classes)
    write_json(folder / "ended.json", {"how": how})


def _data(folder: Path) -> tuple[Any, Any, dict[str, Any] | None, tuple[str, ...], int]:
    """Training data, validation arrays, description, classes and number of pixels."""
    job = Jobs(folder.parents[1]).open(folder.name)
    plan = job.plan
    if job.dataset is not None:
        from racnet_tools.datasets import DataSet

        data = DataSet.open(job.dataset)
        return data, None, None, data.classes, data.store.n_pixels
    from racnet_tools.spectra import LAMOST_GRID
    from racnet_tools.training.simulated import TASKS, make_set, validation_size

    validation = make_set(plan.data, validation_size(plan.size), (plan.seed, 1, 0))
    description = {
        "kind": "simulated",
        "task": plan.data,
        "spectra_per_epoch": plan.size,
        "seeds": f"({plan.seed}, 0, epoch); validation ({plan.seed}, 1, 0)",
    }

    def epoch(number: int) -> Any:
        return make_set(plan.data, plan.size, (plan.seed, 0, number))

    return epoch, validation, description, TASKS[plan.data].classes, LAMOST_GRID.n_pixels


def _judge(folder: Path, data: Any, validation: Any, network: Any, how: str, classes: tuple[str, ...]) -> None:
    """Keep what the final weights say of the validation spectra; make a stopped run a finished one first."""
    import numpy as np

    from racnet_tools.files import atomic_path
    from racnet_tools.models import build_from_config, predict
    from racnet_tools.training import Run
    from racnet_tools.training.checkpoint import find_checkpoint, restore
    from racnet_tools.training.judging import predict_part, scores

    run = folder / "run"
    if how == "stopped":
        found = find_checkpoint(run / "checkpoints")
        if found is None:
            raise RacnetError("There is no whole checkpoint to take weights from. Resume the run.")
        groups, state = found
        model = build_from_config(network)
        restore(model.weights, groups.get("best") or groups["average"], str(run))
    else:
        model = Run.open(run).model()
    p, y = (
        predict_part(model, data, "validation")
        if validation is None
        else (predict(model, validation[0]), validation[1])
    )
    if how == "stopped":
        _close(run, model, state["history"], scores(p, y))
    spectra = _validation_spectra(folder, data)
    flux = np.where(spectra.mask | (spectra.flux == 0), np.nan, spectra.flux).astype(np.float32)
    numbers = {name: np.ma.filled(spectra.table[name], np.nan).astype(np.float64) for name in ("z", "snr_r")}
    subclass = np.ma.filled(spectra.table["subclass"], "").astype(str)
    with atomic_path(folder / "validation_flux.npy", overwrite=True) as temporary:
        np.save(temporary, flux)
    with atomic_path(folder / "validation.npz", overwrite=True) as temporary:
        np.savez(
            temporary,
            probabilities=p.astype(np.float32),
            y=np.asarray(y, np.int64),
            classes=np.array(classes),
            wave=spectra.wave,
            subclass=subclass,
            z=numbers["z"],
            snr_r=numbers["snr_r"],
        )


def _validation_spectra(folder: Path, data: Any) -> Any:
    """The validation spectra, the first `KEPT` of a data set; the kernel of a page only reads what is kept of them."""
    job = Jobs(folder.parents[1]).open(folder.name)
    if job.dataset is not None:
        return data.spectra("validation", slice(0, KEPT))
    from racnet_tools.simulate import simulate
    from racnet_tools.training.simulated import TASKS, validation_size

    classes, plan = TASKS[job.plan.data].classes, job.plan
    each = math.ceil(validation_size(plan.size) / len(classes))
    return simulate(dict.fromkeys(classes, each), seed=(plan.seed, 1, 0))


def _close(run: Path, model: Any, history: list[dict[str, float]], judged: dict[str, Any]) -> None:
    """Write what a finished run has."""
    from racnet_tools.files import sha256
    from racnet_tools.training import save_weights
    from racnet_tools.training.run_folder import FINISHED, WEIGHTS, now
    from racnet_tools.training.run_folder import write_json as written

    best = 1 + min(range(len(history)), key=lambda k: history[k]["val_loss"])
    metrics = {"weights": "best so far when it was stopped", "epochs": len(history), "best_epoch": best}
    save_weights(model, run / WEIGHTS, overwrite=True)
    written(run / "metrics.json", metrics | {"validation": judged})
    written(run / FINISHED, {"finished": now(), "weights_sha256": sha256(run / WEIGHTS)})


def _preset(folder: Path, name: str) -> int:
    """Make a preset of a run that is over, in ``presets/NAME`` of the work folder."""
    result: dict[str, Any] = {"name": name}
    try:
        from racnet_tools.training import Run

        job = Jobs(folder.parents[1]).open(folder.name)
        target = folder.parents[1] / "presets" / name
        trained = Run.open(folder / "run")
        if job.dataset is None:
            from racnet_tools.training.simulated import save_simulated_preset

            save_simulated_preset(trained, target)
        else:
            from racnet_tools.datasets import DataSet
            from racnet_tools.training.prepared import save_dataset_preset

            save_dataset_preset(trained, DataSet.open(job.dataset), target)
        result["folder"] = str(target)
    except Exception as error:  # told on the page, whatever it is
        traceback.print_exc()
        result["error"] = str(error) if isinstance(error, RacnetError) else f"{type(error).__name__}: {error}"
    write_json(folder / "preset.json", result)
    return int("error" in result)


def _wish(folder: Path) -> str:
    try:
        return (folder / "wish").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _phase(folder: Path, phase: str) -> None:
    (folder / "phase").write_text(phase, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
