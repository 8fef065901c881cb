"""Training a network into a run folder that can be resumed after any interruption.

Everything random in an epoch (order of the spectra, dropout, augmentation) starts from (seed, epoch), and everything
else that the next epoch depends on is in the checkpoint, so a run that was killed and resumed goes the way of an
undisturbed one. What that guarantees:

* On the same machine, versions, backend, device and number of threads, both end with the same bytes: weights, metrics
  and history (but for its times). Tested on a CPU with TensorFlow, JAX and PyTorch.
* With TensorFlow this needs oneDNN off, as `racnet_tools.models` sets it unless TF_ENABLE_ONEDNN_OPTS is set before:
  with it, sums of one and the same training may differ in the last digit from process to process.
* On a GPU, sums are added up in no fixed order: nothing is promised there.

Optimiser and learning rate: `racnet_tools.training.optimiser`; the final weights are a running average
(`racnet_tools.training.average`), by default that at the end, whatever the validation set says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.models import NetworkConfig, build_from_config
from racnet_tools.training.average import WeightAverage
from racnet_tools.training.checkpoint import find_checkpoint, restore, write_checkpoint
from racnet_tools.training.data import Arrays, Data, EpochSource, begun, checked, fingerprint
from racnet_tools.training.judging import judge, predict_part, scores
from racnet_tools.training.optimiser import compile_network, computing_in, reseed
from racnet_tools.training.placement import Placement
from racnet_tools.training.progress import progress_bar
from racnet_tools.training.run_folder import FINISHED, WEIGHTS, Run, claimed, now, write_history, write_json
from racnet_tools.training.settings import TrainingConfig
from racnet_tools.training.streaming import StreamSource
from racnet_tools.training.tensorboard import EventLog, check_installed
from racnet_tools.training.weights import save_weights

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["TrainingConfig", "fit"]

Judge = Callable[[Any], dict[str, Any]]
"""Takes a network and gives its metrics on the validation set."""


def fit(
    network: NetworkConfig,
    data: Data | DataSet,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    validation: Arrays | None = None,
    description: Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: bool = True,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    tensorboard: bool = False,
    device: str | Sequence[str] | None = None,
    start: Network | None = None,
) -> Run:
    """Train a network.

    Parameters
    ----------
    network : NetworkConfig
        The network, from `racnet_tools.models.network_config`.
    data : (x, y), callable or DataSet
        Spectra (n, n_pixels) float32 and class indices (n,) integer, or a function that returns them for an epoch
        (0, 1, ...). The function must return the same for the same epoch, and is called in a thread of its own, one
        epoch ahead. Of a `racnet_tools.datasets.DataSet` the training part is read batch by batch from the store,
        ahead of need in a thread, so that it may be larger than the memory.
    run_folder : str or Path
        Folder of the run, made when new.
    training : TrainingConfig
        How to train.
    validation : (x, y), optional
        Spectra on which the averaged weights are judged after each epoch; by default the validation part of a
        DataSet, if it has one. They influence nothing unless `training` has ``patience``.
    description : mapping, optional
        What a function `data` makes (counts, seed), as plain values: an unfinished run is resumed with the same
        description only, and presets tell it. A DataSet describes itself.
    resume : bool
        Whether an unfinished run in the folder, with the same settings, is gone on with.
    progress : bool
        Whether to show a progress bar, in a terminal or a notebook.
    on_epoch : callable, optional
        Called with each new row of the history, after the epoch's checkpoint is written.
    tensorboard : bool
        Whether to write event files of TensorBoard into the run folder; needs tensorboardX.
    device : str or sequence of str, optional
        Where to train: ``"cpu"``, ``"gpu"``, ``"gpu:1"``; several, which share each batch, as a sequence or as
        ``"all"`` (JAX backend only). By default the first GPU, if there is one.
    start : network, optional
        A trained network of the same configuration, whose weights this training begins with.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the folder holds anything but an unfinished run of the same settings, data or devices do not fit the
        network, training, backend or machine, or the loss is not finite any more.
    KeyboardInterrupt
        As usual; what is finished stays, and the same call resumes.
    """
    folder = Path(run_folder)
    judged, validation_told = _validation(data, validation, network)
    _check(training, network, data, judged is not None)
    if start and start.network_config != network:
        raise RacnetError(f"start must be a network of {network}. Received: one of {start.network_config}")
    placement = Placement(device, training.batch_size)
    if tensorboard:
        check_installed()
    with _source(data, network, training) as source:
        config = {
            "network": network.to_dict(),
            "training": training.to_dict(),
            "data": {**(description or {}), **source.describe(), **begun(start)},
            "validation": validation_told,
        }
        with claimed(folder, config, resume, _session(placement)):
            trainer = _Trainer(network, training, source, folder, placement, start)
            with EventLog(folder, trainer.done) if tensorboard else nullcontext() as events:
                metrics = trainer.run(judged, progress, on_epoch, events)
            save_weights(trainer.final, folder / WEIGHTS, overwrite=True)
            write_json(folder / "metrics.json", metrics)
            write_json(folder / FINISHED, {"finished": now(), "weights_sha256": sha256(folder / WEIGHTS)})
    return Run.open(folder)


def _source(data: Data | DataSet, network: NetworkConfig, training: TrainingConfig) -> EpochSource | StreamSource:
    if isinstance(data, DataSet):
        return StreamSource(data, network, training)
    return EpochSource(data, network, training.batch_size, training.epochs)


def _validation(
    data: Data | DataSet, validation: Arrays | None, network: NetworkConfig
) -> tuple[Judge | None, dict[str, Any]]:
    """How to judge a network, and what the configuration tells of it."""
    if validation is not None:
        x, y = checked(validation, network, "the validation set")
        return lambda model: judge(model, x, y), fingerprint((x, y))
    if isinstance(data, DataSet) and "validation" in data.parts and data.size("validation"):
        told = {"part": "validation", "spectra": data.size("validation")}
        return lambda model: scores(*predict_part(model, data, "validation")), told
    return None, {}


def _check(training: TrainingConfig, network: NetworkConfig, data: Any, has_validation: bool) -> None:
    """Refuse settings that the data or the network do not allow."""
    if training.patience and not has_validation:
        raise RacnetError("patience needs a validation set, on which to see when to stop. Received: none.")
    if training.augmentation and not isinstance(data, DataSet):
        raise RacnetError(
            "augmentation works on spectra with their inverse variance: train on a racnet_tools.datasets.DataSet. "
            f"Received: {type(data).__name__}"
        )
    given = training.class_weights
    if isinstance(given, tuple) and len(given) != network.n_classes:
        raise RacnetError(
            f"class_weights must be one number for each of {network.n_classes} classes. Received: {given}"
        )


def _session(placement: Placement) -> dict[str, Any]:
    """What of this session can change the last digits of a result, beside the versions."""
    import keras

    backend = keras.backend.backend()
    told = {"backend": backend, "device": ", ".join(placement.names) or "default"}
    if backend == "tensorflow":
        told["onednn"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0"
    return told


class _Trainer:
    """The state of one training: network, optimiser, average, history, best weights so far."""

    def __init__(
        self,
        network: NetworkConfig,
        training: TrainingConfig,
        source: EpochSource | StreamSource,
        folder: Path,
        placement: Placement,
        start: Network | None,
    ) -> None:
        self.training, self.source, self.folder, self.placement = training, source, folder, placement
        self.history: list[dict[str, float]] = []
        self.best: list[np.ndarray] = []
        found = find_checkpoint(folder / "checkpoints")
        groups, state = found or ({}, {})
        if found:
            self.history, self.steps = state["history"], state["steps_per_epoch"]
        else:
            self.steps = max(1, source.size() // training.batch_size)
        self.class_weights = state["class_weights"] if state.get("class_weights") else self._weights()
        with placement.training(), computing_in(training.precision):
            self.model: Network = build_from_config(network, seed=training.seed)
            if start and not found:
                self.model.set_weights(start.get_weights())
            self.optimizer = compile_network(self.model, training, self.steps * training.epochs)
            self.average = WeightAverage(self.model.weights, training.average)
            if found:
                where = str(folder / "checkpoints")
                restore(self.model.weights, groups["weights"], where)
                restore(self.optimizer.variables, groups["optimizer"], where)
                self.average.values, self.average.steps = groups["average"], state["average_steps"]
                self.best = groups.get("best", [])
        # What is judged and kept is the network as it will be used, in float32 on one device.
        self.final = self.model
        if placement.several or training.precision != "float32":
            with placement.judging():
                self.final = build_from_config(network)

    @property
    def done(self) -> int:
        """Finished epochs."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The finished epoch (from 1) of the lowest validation loss; the first of equals."""
        return 1 + int(np.argmin([row["val_loss"] for row in self.history]))

    def run(
        self,
        judged: Judge | None,
        progress: bool,
        on_epoch: Callable[[dict[str, float]], None] | None,
        events: EventLog | None,
    ) -> dict[str, Any]:
        """Train what is left, leave the final weights in `final` and return their metrics."""
        epochs = self.training.epochs
        with progress_bar(epochs * self.steps, self.done * self.steps, progress) as bar:
            while self.done < epochs and not self._stopped():
                bar.set_description(f"epoch {self.done + 1}/{epochs}")
                start, cpu = time.perf_counter(), time.process_time()
                with self.placement.training():
                    row = {"epoch": self.done + 1, **self._train(self.done, bar)}
                if judged:
                    found = self._judge_average(judged)
                    row |= {"val_loss": found["loss"], "val_accuracy": found["accuracy"]}
                    bar.set_postfix(loss=f"{row['loss']:.3f}", val_accuracy=f"{row['val_accuracy']:.3f}")
                row["seconds"] = round(time.perf_counter() - start, 2)
                row["cpu_seconds"] = round(time.process_time() - cpu, 2)
                self.history.append(row)
                if self.training.patience and self.best_epoch == self.done:
                    self.best = [value.copy() for value in self.average.values]
                self._save()
                if events:
                    events.write(row, float(np.asarray(self.optimizer.learning_rate)))
                if on_epoch:
                    on_epoch(dict(row))
        write_history(self.folder, self.history)
        metrics: dict[str, Any] = {
            "weights": f"running average, momentum {self.training.average}",
            "epochs": self.done,
        }
        if self.training.patience:
            metrics["best_epoch"] = self.best_epoch
        restore(self.final.weights, self.best or self.average.values, str(self.folder))
        if judged:
            with self.placement.judging():
                metrics["validation"] = judged(self.final)
        return metrics

    def _stopped(self) -> bool:
        """Whether the validation loss has not fallen for as long as `patience` says; a resumed run decides the same."""
        return bool(self.history and self.training.patience and self.done - self.best_epoch >= self.training.patience)

    def _judge_average(self, judged: Judge) -> dict[str, Any]:
        with self.placement.judging():
            if self.final is self.model:
                with self.average.applied():
                    return judged(self.model)
            restore(self.final.weights, self.average.values, str(self.folder))
            return judged(self.final)

    def _weights(self) -> list[float] | None:
        """Factor on the loss of each class."""
        given = self.training.class_weights
        if not isinstance(given, str):
            return list(given) if given else None
        counts = self.source.counts()
        return (counts.sum() / (len(counts) * np.maximum(counts, 1))).tolist()

    def _train(self, epoch: int, bar: Any) -> dict[str, float]:
        """Train one epoch and return its mean loss and accuracy."""
        rng = np.random.default_rng([self.training.seed, epoch])
        batches = self.source.batches(epoch, self.steps, rng)
        reseed(self.model, rng)
        weights = None if self.class_weights is None else np.array(self.class_weights, np.float32)
        losses, accuracies = [], []
        for step, (x, y) in enumerate(batches, start=1):
            # As a keyword only where there are weights: the network is compiled for what it is given.
            more = {} if weights is None else {"sample_weight": y @ weights}
            logs = self.model.train_on_batch(x, y, **more, return_dict=True)
            if not np.isfinite(logs["loss"]):
                raise RacnetError(
                    f"The loss is not finite any more in epoch {epoch + 1}, step {step}. "
                    f"Start a new run with a lower learning rate. Received: {self.training.learning_rate}"
                )
            losses.append(float(logs["loss"]))
            accuracies.append(float(logs["accuracy"]))
            self.average.update()
            bar.update()
        return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(accuracies))}

    def _save(self) -> None:
        write_checkpoint(
            self.folder / "checkpoints",
            self.done,
            {
                "weights": self.model.weights,
                "optimizer": self.optimizer.variables,
                "average": self.average.values,
                "best": self.best,
            },
            {
                "history": self.history,
                "steps_per_epoch": self.steps,
                "average_steps": self.average.steps,
                "class_weights": self.class_weights,
            },
        )
        write_history(self.folder, self.history)
