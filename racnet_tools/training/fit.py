"""Training a network into a run folder that can be resumed after any interruption.

Everything random in an epoch (order of the spectra, dropout) starts from (seed, epoch), and everything else that the
next epoch depends on is in the checkpoint, so a run that was killed and resumed goes the way of an undisturbed one.
Optimiser: AdamW (Loshchilov & Hutter 2019) with warm-up, cosine decay and gradients clipped by their global norm; the
final weights are a running average (`racnet_tools.training.average`), whatever the validation set says.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.models import NetworkConfig, build_from_config, predict
from racnet_tools.training.average import WeightAverage
from racnet_tools.training.checkpoint import find_checkpoint, restore, write_checkpoint
from racnet_tools.training.data import Arrays, Data, EpochSource, checked, fingerprint
from racnet_tools.training.run_folder import FINISHED, WEIGHTS, Run, claimed, now, write_history, write_json
from racnet_tools.training.weights import save_weights

if TYPE_CHECKING:
    from racnet_tools.models.network import ResidualNetwork

__all__ = ["TrainingConfig", "fit"]


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        Number of epochs.
    batch_size : int
        Spectra a step. What is left of an epoch after whole batches is not used (another order leaves out others).
    learning_rate : float
        Highest learning rate, reached after the warm-up; it then falls to zero as a cosine.
    seed : int
        Seed of the first weights, of the order of spectra and of dropout.
    warm_up : float
        Share of all steps over which the learning rate rises from zero.
    weight_decay : float
        AdamW's decay, not applied to biases.
    label_smoothing : float
        Probability that the target spreads over all classes.
    clip_norm : float
        Largest global norm of the gradients.
    average : float
        Momentum of the running average of the weights, 0 for none.

    Raises
    ------
    RacnetError
        When a value is outside its range.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    seed: int = 0
    warm_up: float = 0.05
    weight_decay: float = 1e-3
    label_smoothing: float = 0.02
    clip_norm: float = 1.0
    average: float = 0.99

    def __post_init__(self) -> None:
        """Check every value."""
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise RacnetError(f"{name} must be an integer of at least {least}. Received: {name}={value!r}")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < float("inf"):
                raise RacnetError(f"{name} must be positive. Received: {name}={getattr(self, name)!r}")
        for name in ("warm_up", "weight_decay", "label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise RacnetError(f"{name} must be at least 0 and below 1. Received: {name}={getattr(self, name)!r}")


def fit(
    network: NetworkConfig,
    data: Data,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    validation: Arrays | None = None,
    description: Mapping[str, Any] | None = None,
    resume: bool = True,
    progress: bool = True,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> Run:
    """Train a network.

    Parameters
    ----------
    network : NetworkConfig
        The network, from `racnet_tools.models.network_config`.
    data : (x, y) or callable
        Spectra (n, n_pixels) float32 and class indices (n,) integer, or a function that returns them for an epoch
        (0, 1, ...). The function must return the same for the same epoch, and is called in a thread of its own, one
        epoch ahead.
    run_folder : str or Path
        Folder of the run, made when new.
    training : TrainingConfig
        How to train.
    validation : (x, y), optional
        Spectra on which the averaged weights are judged after each epoch. They influence nothing.
    description : mapping, optional
        What a function `data` makes (counts, seed), as plain values: an unfinished run is resumed with the same
        description only, and presets tell it.
    resume : bool
        Whether an unfinished run in the folder, with the same settings, is gone on with.
    progress : bool
        Whether to show a progress bar.
    on_epoch : callable, optional
        Called with each new row of the history, after the epoch's checkpoint is written.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the folder holds anything but an unfinished run of the same settings, data do not fit the network, or the
        loss is not finite any more.
    KeyboardInterrupt
        As usual; what is finished stays, and the same call resumes.
    """
    folder = Path(run_folder)
    if validation is not None:
        validation = checked(validation, network, "the validation set")
    with EpochSource(data, network, training.epochs) as source:
        config = {
            "network": network.to_dict(),
            "training": dataclasses.asdict(training),
            "data": {**(description or {}), **source.describe()},
            "validation": fingerprint(validation) if validation else {},
        }
        with claimed(folder, config, resume):
            trainer = _Trainer(network, training, source, folder)
            metrics = trainer.run(validation, progress, on_epoch)
            save_weights(trainer.model, folder / WEIGHTS, overwrite=True)
            write_json(folder / "metrics.json", metrics)
            write_json(folder / FINISHED, {"finished": now(), "weights_sha256": sha256(folder / WEIGHTS)})
    return Run.open(folder)


class _Trainer:
    """The state of one training: network, optimiser, average, history."""

    def __init__(self, network: NetworkConfig, training: TrainingConfig, source: EpochSource, folder: Path) -> None:
        self.training, self.source, self.folder = training, source, folder
        self.history: list[dict[str, float]] = []
        self.done = 0
        found = find_checkpoint(folder / "checkpoints")
        if found:
            self.done, self.history = found[1]["epoch"], found[1]["history"]
            self.steps = found[1]["steps_per_epoch"]
        else:
            self.steps = max(1, len(source.get(0)[1]) // training.batch_size)
        self.model: ResidualNetwork = build_from_config(network, seed=training.seed)
        self.optimizer = _compile(self.model, training, self.steps * training.epochs)
        self.average = WeightAverage(self.model.weights, training.average)
        if found:
            groups, state = found
            where = str(folder / "checkpoints")
            restore(self.model.weights, groups["weights"], where)
            restore(self.optimizer.variables, groups["optimizer"], where)
            self.average.values, self.average.steps = groups["average"], state["average_steps"]

    def run(
        self, validation: Arrays | None, progress: bool, on_epoch: Callable[[dict[str, float]], None] | None
    ) -> dict[str, Any]:
        """Train what is left, leave the averaged weights in the network and return their metrics."""
        from tqdm.auto import tqdm

        epochs = self.training.epochs
        with tqdm(
            total=epochs * self.steps,
            initial=self.done * self.steps,
            disable=not progress,
            unit="step",
            mininterval=0.5,
        ) as bar:
            for epoch in range(self.done, epochs):
                bar.set_description(f"epoch {epoch + 1}/{epochs}")
                start, cpu = time.perf_counter(), time.process_time()
                row = {"epoch": epoch + 1, **self._train(epoch, bar)}
                if validation:
                    with self.average.applied():
                        judged = judge(self.model, *validation)
                    row |= {"val_loss": judged["loss"], "val_accuracy": judged["accuracy"]}
                    bar.set_postfix(loss=f"{row['loss']:.3f}", val_accuracy=f"{row['val_accuracy']:.3f}")
                row["seconds"] = round(time.perf_counter() - start, 2)
                row["cpu_seconds"] = round(time.process_time() - cpu, 2)
                self.history.append(row)
                self._save(epoch + 1)
                if on_epoch:
                    on_epoch(dict(row))
        write_history(self.folder, self.history)
        self.average.assign()
        metrics: dict[str, Any] = {"weights": f"running average, momentum {self.training.average}", "epochs": epochs}
        if validation:
            metrics["validation"] = judge(self.model, *validation)
        return metrics

    def _train(self, epoch: int, bar: Any) -> dict[str, float]:
        """Train one epoch and return its mean loss and accuracy."""
        x, y = self.source.get(epoch)
        size = min(self.training.batch_size, len(y))
        if len(y) // size < self.steps:
            raise RacnetError(
                f"Every epoch needs {self.steps} steps of {size} spectra. Received: {len(y)} spectra in epoch {epoch}."
            )
        rng = np.random.default_rng([self.training.seed, epoch])
        order = rng.permutation(len(y))
        _reseed(self.model, rng)
        targets = np.eye(self.model.output_shape[1], dtype=np.float32)
        losses, accuracies = [], []
        for step in range(self.steps):
            chosen = order[step * size : (step + 1) * size]
            logs = self.model.train_on_batch(x[chosen], targets[y[chosen]], return_dict=True)
            if not np.isfinite(logs["loss"]):
                raise RacnetError(
                    f"The loss is not finite any more in epoch {epoch + 1}, step {step + 1}. "
                    f"Start a new run with a lower learning rate. Received: {self.training.learning_rate}"
                )
            losses.append(float(logs["loss"]))
            accuracies.append(float(logs["accuracy"]))
            self.average.update()
            bar.update()
        return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(accuracies))}

    def _save(self, epoch: int) -> None:
        write_checkpoint(
            self.folder / "checkpoints",
            epoch,
            {
                "weights": self.model.weights,
                "optimizer": self.optimizer.variables,
                "average": self.average.values,
            },
            {"history": self.history, "steps_per_epoch": self.steps, "average_steps": self.average.steps},
        )
        write_history(self.folder, self.history)


def judge(model: ResidualNetwork, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Cross-entropy, accuracy and confusion table (rows: true class, columns: predicted) of a network."""
    probabilities = predict(model, x).astype(np.float64)
    found = probabilities.argmax(axis=1)
    confusion = np.zeros((probabilities.shape[1],) * 2, int)
    np.add.at(confusion, (y, found), 1)
    picked = probabilities[np.arange(len(y)), y]
    return {
        "spectra": len(y),
        "loss": float(-np.log(np.maximum(picked, 1e-12)).mean()),
        "accuracy": float((found == y).mean()),
        "confusion": confusion.tolist(),
    }


def _compile(model: ResidualNetwork, training: TrainingConfig, total_steps: int) -> Any:
    """Attach loss and optimiser to a network; return the optimiser with its variables made."""
    import keras

    warm_up = round(training.warm_up * total_steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else training.learning_rate,
        max(1, total_steps - warm_up),
        warmup_target=training.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing),
        metrics=["accuracy"],
        # XLA halves the speed of these convolutions on a CPU; JAX cannot do without.
        jit_compile=keras.backend.backend() == "jax",
    )
    optimizer.build(model.trainable_variables)
    return optimizer


def _reseed(model: ResidualNetwork, rng: np.random.Generator) -> None:
    """Start the random numbers of every dropout layer anew."""
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(rng.integers(2**31, size=2).astype(generator.state.dtype))
