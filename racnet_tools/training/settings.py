"""How a network is trained: one frozen, checked table of settings, kept in the run folder's ``config.json``."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from racnet_tools.errors import RacnetError
from racnet_tools.training.augmentation import Augmentation

__all__ = ["PRECISIONS", "SCHEDULES", "TrainingConfig"]

SCHEDULES = ("cosine", "constant")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
        Number of epochs, the largest where `patience` is set.
    batch_size : int
        Spectra a step. What is left of an epoch after whole batches is not used (another order leaves out others).
    learning_rate : float
        Highest learning rate, reached after the warm-up.
    seed : int
        Seed of the first weights, of the order of spectra, of dropout and of augmentation.
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
    schedule : str
        ``"cosine"``: after the warm-up the learning rate falls to zero over the epochs; ``"constant"``: it stays.
    patience : int, optional
        Early stopping: training ends when the validation loss (unweighted, of the averaged weights) has not fallen
        below its lowest for this many epochs, and the weights of the lowest are the final ones. None: all epochs are
        trained, the last weights are final and the validation set influences nothing.
    class_weights : None, "balanced" or tuple of float
        Factor on the loss of each class's spectra: none; n / (n_classes n_class), counted in the training set; or one
        number a class. The history's loss is the weighted one.
    precision : str
        ``"float32"``, or Keras' ``"mixed_bfloat16"`` or ``"mixed_float16"``: weights stay float32, layers compute in
        16 bits. Meant for GPUs that have 16-bit units; a CPU without them only converts to and fro. No gain has been
        measured yet. What is judged and kept is the network in float32.
    augmentation : Augmentation, optional
        Changes of the training spectra on the fly; for a `racnet_tools.datasets.DataSet` only.

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
    schedule: str = "cosine"
    patience: int | None = None
    class_weights: str | tuple[float, ...] | None = None
    precision: str = "float32"
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0), ("patience", 1)):
            value = getattr(self, name)
            if name == "patience" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise RacnetError(f"{name} must be an integer of at least {least}. Received: {name}={value!r}")
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < float("inf"):
                raise RacnetError(f"{name} must be positive. Received: {name}={getattr(self, name)!r}")
        for name in ("warm_up", "weight_decay", "label_smoothing", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise RacnetError(f"{name} must be at least 0 and below 1. Received: {name}={getattr(self, name)!r}")
        for name, choices in (("schedule", SCHEDULES), ("precision", PRECISIONS)):
            if getattr(self, name) not in choices:
                raise RacnetError(f"{name} must be one of {choices}. Received: {name}={getattr(self, name)!r}")
        if self.augmentation is not None and not isinstance(self.augmentation, Augmentation):
            raise RacnetError(
                f"augmentation must be an Augmentation or None. Received: augmentation={self.augmentation!r}"
            )
        self._check_weights()

    def _check_weights(self) -> None:
        given = self.class_weights
        if given is None or given == "balanced":
            return
        if not isinstance(given, (tuple, list)) or not all(
            isinstance(weight, (int, float)) and not isinstance(weight, bool) and 0 < weight < math.inf
            for weight in given
        ):
            raise RacnetError(
                "class_weights must be None, 'balanced' or one positive number a class. "
                f"Received: class_weights={given!r}"
            )
        object.__setattr__(self, "class_weights", tuple(float(weight) for weight in given))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, just as they come back from JSON."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def completed(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from a ``config.json``; those that did not exist when it was written have their default."""
    return {**TrainingConfig(epochs=1).to_dict(), **stored}
