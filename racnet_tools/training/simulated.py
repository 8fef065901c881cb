"""Training on simulated spectra, made afresh for every epoch, and the preset that comes of it.

Epoch e of a run with seed s is simulated from the seed (s, 0, e), the validation set from (s, 1, 0), so that a resumed
run sees what an undisturbed one sees and the validation set shares no noise, redshift or reddening with any epoch. It
does share the templates: its accuracy says how well training went, not how well real spectra are classified.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.models import NetworkConfig, network_config, predict
from racnet_tools.models.registry import origin
from racnet_tools.models.uncertainty import ood_score
from racnet_tools.simulate import simulate
from racnet_tools.spectra import Preprocessing
from racnet_tools.training.data import Arrays, begun
from racnet_tools.training.fit import TrainingConfig, fit
from racnet_tools.training.preset import save_preset
from racnet_tools.training.run_folder import Run, finished_as

__all__ = ["TASKS", "Task", "reject_threshold", "save_simulated_preset", "train_on_simulated"]

ACCEPTED = 0.98
"""Share of the rightly classified validation spectra that the threshold of rejection lets pass."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What a network is to tell apart.

    Attributes
    ----------
    classes : tuple of str
        In the order of the outputs.
    column : str
        Column of the simulated table that holds them.
    title : str
        In words.
    subclass_presets : mapping
        Class to the preset that divides it further, unless another is named.
    """

    classes: tuple[str, ...]
    column: str
    title: str
    subclass_presets: Mapping[str, str] = dataclasses.field(default_factory=dict)


TASKS = {
    "class": Task(("STAR", "GALAXY", "QSO"), "label", "stars, galaxies and quasars", {"STAR": "racnet-star"}),
    "stellar_type": Task(("A", "F", "G", "K", "M"), "subclass", "stars of types A to M"),
}


def make_set(task: str, n: int, seed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Simulate about `n` spectra, equally many of each class, as network input.

    Returns
    -------
    (n, n_pixels) float32, (n,) int64
        Preprocessed spectra and class indices.
    """
    classes = TASKS[task].classes
    spectra = simulate(dict.fromkeys(classes, math.ceil(n / len(classes))), seed=seed)
    labels = [str(label) for label in spectra.table[TASKS[task].column]]
    return Preprocessing()(spectra), np.array([classes.index(label) for label in labels])


def validation_size(spectra_per_epoch: int) -> int:
    """Number of validation spectra: a quarter of an epoch, 60 to 1,500."""
    return min(1500, max(60, spectra_per_epoch // 4))


def train_on_simulated(
    task: str,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    network: str = "racnet",
    spectra_per_epoch: int = 6000,
    progress: bool = True,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    tensorboard: bool = False,
    device: str | Sequence[str] | None = None,
) -> Run:
    """Train a network on simulated spectra.

    Parameters
    ----------
    task : str
        ``"class"`` or ``"stellar_type"``.
    run_folder : str or Path
        Folder of the run; an unfinished one of the same settings is gone on with, a finished one is returned as it is.
    training : TrainingConfig
        How to train; its seed is the simulation's too.
    network : str
        Name of a network of `racnet_tools.models.NETWORKS`.
    spectra_per_epoch : int
        Number of spectra that are simulated for each epoch.
    progress, on_epoch, tensorboard, device
        As for `racnet_tools.training.fit`.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the task is not known, or the folder holds something else.
    """
    if task not in TASKS:
        raise RacnetError(f"task must be one of {sorted(TASKS)}. Received: task={task!r}")
    if spectra_per_epoch < len(TASKS[task].classes):
        raise RacnetError(
            f"An epoch needs a spectrum of every class. Received: spectra_per_epoch={spectra_per_epoch!r}"
        )
    config = network_config(network, len(TASKS[task].classes))
    return fit_epochs(
        config,
        run_folder,
        training,
        {"kind": "simulated", "task": task, "spectra_per_epoch": spectra_per_epoch},
        lambda seed: make_set(task, spectra_per_epoch, seed),
        lambda seed: make_set(task, validation_size(spectra_per_epoch), seed),
        progress=progress,
        on_epoch=on_epoch,
        tensorboard=tensorboard,
        device=device,
    )


def fit_epochs(
    config: NetworkConfig,
    run_folder: str | Path,
    training: TrainingConfig,
    told: Mapping[str, Any],
    make: Callable[[tuple[int, ...]], Arrays],
    make_validation: Callable[[tuple[int, ...]], Arrays],
    **more: Any,
) -> Run:
    """Train on spectra that are made for every epoch, from the seeds that this module's text names.

    Parameters
    ----------
    config : NetworkConfig
        The network.
    run_folder, training
        As for `train_on_simulated`.
    told : mapping
        What is made, for the run's description.
    make, make_validation : callable
        From a seed to spectra and targets.
    **more
        As for `racnet_tools.training.fit`.
    """
    seed = training.seed
    description = {**told, "seeds": f"({seed}, 0, epoch); validation ({seed}, 1, 0)"}
    done = finished_as(run_folder, config, training, {**description, **begun(more.get("start"))})
    if done:
        return done
    return fit(
        config,
        lambda epoch: make((seed, 0, epoch)),
        run_folder,
        training,
        validation=make_validation((seed, 1, 0)),
        description=description,
        **more,
    )


def reject_threshold(probabilities: np.ndarray, y: np.ndarray) -> float:
    """Out-of-distribution score below which 98 % of the rightly classified spectra lie.

    The score is the entropy of the class probabilities over its largest value, log(n_classes); 0 certain, 1 no idea.

    Parameters
    ----------
    probabilities : (n, n_classes) array
    y : (n,) array
        True class indices.

    Returns
    -------
    float
        Between 0 and 1, rounded up to 4 decimals; 1 when no spectrum is classified rightly.
    """
    return accepting(ood_score(probabilities)[np.argmax(probabilities, axis=1) == y])


def accepting(right: np.ndarray) -> float:
    """Threshold that 98 % of the scores (n,) of rightly classified spectra do not exceed, rounded up to 4 decimals."""
    if len(right) == 0:
        return 1.0
    return min(1.0, math.ceil(np.quantile(right, ACCEPTED, method="higher") * 1e4) / 1e4)


def save_simulated_preset(
    run: Run,
    folder: str | Path,
    *,
    remarks: str = "",
    subclass_presets: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Make a preset of a run of `train_on_simulated`, with the threshold of rejection set on its validation set.

    Parameters
    ----------
    run : Run
        The finished run.
    folder : str or Path
        The preset to write.
    remarks : str
        Markdown that the model card ends with, such as results on real spectra.
    subclass_presets : mapping of str to str, optional
        Class to the preset that divides it further; by default stars are divided by racnet-star.
    overwrite : bool
        Whether an existing preset may be replaced.

    Raises
    ------
    RacnetError
        When the folder exists and `overwrite` is false, or the run is not one on simulated spectra.
    """
    if run.config["data"].get("kind") != "simulated":
        raise RacnetError(f"{run.folder} was not trained on simulated spectra: use save_preset.")
    name = run.config["data"]["task"]
    task, seed = TASKS[name], run.config["training"]["seed"]
    x, y = make_set(name, validation_size(run.config["data"]["spectra_per_epoch"]), (seed, 1, 0))
    threshold = reject_threshold(predict(run.model(), x), y)
    labels: dict[str, Any] = {"task": name, "classes": list(task.classes), "reject_threshold": threshold}
    children = task.subclass_presets if subclass_presets is None else subclass_presets
    if children:
        labels["subclass_presets"] = dict(children)
    return save_preset(
        run,
        folder,
        labels=labels,
        preprocessing=Preprocessing(),
        card=f"{_card(run, task, Path(folder).name, threshold)}\n\n{remarks}",
        provenance={"accuracy_on_simulated_validation": run.metrics["validation"]["accuracy"]},
        overwrite=overwrite,
    )


def _card(run: Run, task: Task, name: str, threshold: float) -> str:
    judged, training = run.metrics["validation"], run.config["training"]
    table = np.array(judged["confusion"])
    rows = [
        f"| {label} | {row.sum()} | {row[index] / max(1, row.sum()):.1%} |"
        for index, (label, row) in enumerate(zip(task.classes, table, strict=True))
    ]
    per_epoch = run.config["data"]["spectra_per_epoch"]
    return "\n".join(
        [
            f"# {name}",
            "",
            f"Tells {task.title} apart from one low-resolution optical spectrum, without its redshift.",
            f"Network: {origin(run.network_config.name)}",
            "",
            "## Training",
            "",
            f"{training['epochs']} epochs of {per_epoch} **simulated** spectra each, made afresh for every epoch from "
            f"the templates in `data/templates` at LAMOST's resolution, sampling and noise; seed {training['seed']}. "
            "No real survey spectrum was used.",
            "",
            "## On simulated validation spectra",
            "",
            f"{judged['accuracy']:.1%} of {judged['spectra']} are classified right. They share their templates, but no "
            "noise, redshift or reddening, with the training spectra: expect less on real ones.",
            "",
            "| class | spectra | right |",
            "|---|---|---|",
            *rows,
            "",
            "## Limits",
            "",
            f"* `rejected` means an entropy of the class probabilities above {threshold} of its maximum, which "
            f"{ACCEPTED:.0%} of the rightly classified simulated spectra do not exceed. It is a first measure only: a "
            "spectrum unlike all classes can still get a confident label.",
            "* Classes beyond those listed do not exist for this network; each input gets one of them.",
            "* Confidences are not calibrated on real spectra.",
        ]
    )
