"""Training on a prepared data set, streamed from its store, and the preset that comes of it.

The judgement on the test part is made once, of the finished network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError
from racnet_tools.models import NetworkConfig, network_config
from racnet_tools.models.registry import origin
from racnet_tools.spectra import Preprocessing
from racnet_tools.training.fit import fit
from racnet_tools.training.judging import predict_part
from racnet_tools.training.preset import save_preset
from racnet_tools.training.run_folder import Run, finished_as
from racnet_tools.training.settings import TrainingConfig
from racnet_tools.training.simulated import ACCEPTED, reject_threshold

__all__ = ["save_dataset_preset", "train_on_dataset"]

TASKS = {"label": "class", "spectral type": "stellar_type"}
"""What a recipe divides by -> task of the preset."""


def train_on_dataset(
    data: DataSet,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    network: str | NetworkConfig = "racnet",
    progress: bool = True,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    tensorboard: bool = False,
    device: str | Sequence[str] | None = None,
) -> Run:
    """Train a network on the training part of a data set; its validation part, if it has one, is judged every epoch.

    Parameters
    ----------
    data : DataSet
    run_folder : str or Path
        Folder of the run; an unfinished one of the same settings is gone on with, a finished one is returned as it is.
    training : TrainingConfig
        How to train.
    network : str or NetworkConfig
        Name of a network of `racnet_tools.models.NETWORKS`, or a configuration from
        `racnet_tools.models.network_config`.
    progress, on_epoch, tensorboard, device
        As for `racnet_tools.training.fit`.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the folder holds something else.
    """
    config = network
    if not isinstance(config, NetworkConfig):
        config = network_config(config, len(data.classes), data.store.n_pixels)
    done = finished_as(run_folder, config, training, data)
    if done:
        return done
    return fit(
        config,
        data,
        run_folder,
        training,
        progress=progress,
        on_epoch=on_epoch,
        tensorboard=tensorboard,
        device=device,
    )


def save_dataset_preset(
    run: Run,
    data: DataSet,
    folder: str | Path,
    *,
    results: str = "",
    provenance: Mapping[str, Any] | None = None,
    rounded: bool = False,
    overwrite: bool = False,
) -> Path:
    """Make a preset of a run on a data set, with the threshold of rejection set on its validation part.

    Parameters
    ----------
    run : Run
        The finished run.
    data : DataSet
        What it was trained on.
    folder : str or Path
        The preset to write.
    results : str
        Markdown for the model card: what the network reaches, such as on the test part.
    provenance : mapping, optional
        The same in numbers, for ``provenance.json``.
    rounded : bool
        Whether the matrices of fully connected layers are kept in 8 bits.
    overwrite : bool
        Whether an existing preset may be replaced.

    Raises
    ------
    RacnetError
        When the folder exists and `overwrite` is false, or the run was trained on something else.
    """
    told = run.config["data"]
    if any(told.get(key) != value for key, value in data.description().items()):
        raise RacnetError(f"{run.folder} was trained on other data than {data!r}. Name the data set it was trained on.")
    threshold = None
    if "validation" in data.parts and data.size("validation"):
        threshold = reject_threshold(*predict_part(run.model(), data, "validation"))
    return save_preset(
        run,
        folder,
        labels={
            "task": TASKS[data.recipe.by],
            "classes": list(data.classes),
            "reject_threshold": 1.0 if threshold is None else threshold,
        },
        preprocessing=Preprocessing(data.store.grid),
        card=_card(run, data, Path(folder).name, threshold, results),
        provenance=provenance,
        rounded=rounded,
        overwrite=overwrite,
    )


def _card(run: Run, data: DataSet, name: str, threshold: float | None, results: str) -> str:
    training, settings = run.config["training"], data.settings
    surveys = sorted({str(survey) for survey in data.store.column("survey")[: settings["n_store"]]})
    simulated = " **They are simulated**: no real survey spectrum was used." if surveys == ["SIMULATED"] else ""
    chosen = f"epoch {run.metrics['best_epoch']} of " if "best_epoch" in run.metrics else ""
    counts, copies = data.counts("train"), data.copies("train")
    rejected = (
        "* `rejected` is not set by this network: there was no validation part to set its threshold on."
        if threshold is None
        else f"* `rejected` means an entropy of the class probabilities above {threshold} of its maximum, which "
        f"{ACCEPTED:.0%} of the rightly classified validation spectra do not exceed. It is a first measure only: a "
        "spectrum unlike all classes can still get a confident label."
    )
    return "\n".join(
        [
            f"# {name}",
            "",
            f"Tells {', '.join(data.classes)} apart from one low-resolution optical spectrum, without its redshift.",
            f"Network: {origin(run.network_config.name)}",
            "",
            "## Training",
            "",
            f"{data.recipe.title}, at scale {settings['scale']} with seed {settings['seed']}, from the store of "
            f"SHA-256 {settings['fingerprint']}. Its spectra are of: {', '.join(surveys)}.{simulated} "
            "Objects of the training part are in no other part.",
            "",
            f"The weights are those of {chosen}{run.metrics['epochs']} epochs, seed {training['seed']}.",
            "",
            "| class | training spectra | of these noisy copies |",
            "|---|---|---|",
            *(f"| {label} | {counts[label]} | {copies[label]} |" for label in data.classes),
            "",
            results.strip(),
            "",
            "## Limits",
            "",
            rejected,
            "* Classes beyond those listed do not exist for this network; each input gets one of them.",
            "* Confidences are not calibrated.",
        ]
    )
