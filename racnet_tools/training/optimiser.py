"""Loss, optimiser and precision of a training, on any backend of Keras.

AdamW (Loshchilov & Hutter 2019) with warm-up, gradients clipped by their global norm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.training.settings import TrainingConfig

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["compile_network", "computing_in", "reseed"]

OUTPUT_WEIGHTS = {"probabilities": 1.0, "subtype": 0.3, "redshift": 0.3}
"""Weight of each output's cross-entropy in the loss of a joint network."""


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Layers made inside the ``with`` block compute in this precision: ``"float32"`` or Keras' name of a mixed one."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def compile_network(model: Network, training: TrainingConfig, total_steps: int) -> Any:
    """Attach loss and optimiser to a network; return the optimiser with its variables made."""
    import keras

    warm_up = round(training.warm_up * total_steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else training.learning_rate,
        max(1, total_steps - warm_up),
        alpha=1.0 if training.schedule == "constant" else 0.0,  # what it falls to
        warmup_target=training.learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay, global_clipnorm=training.clip_norm)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    loss: Any = keras.losses.CategoricalCrossentropy(label_smoothing=training.label_smoothing)
    metrics: list[Any] = ["accuracy"]
    if len(model.network_config.output_widths) > 1:
        loss = joint_loss(model.network_config.output_widths)
        metrics = [class_accuracy(model.network_config.n_classes)]
    model.compile(
        optimizer,
        loss,
        metrics=metrics,
        # XLA halves the speed of these convolutions on a CPU; JAX cannot do without.
        jit_compile=keras.backend.backend() == "jax",
    )
    model.optimizer.build(model.trainable_variables)  # in float16, Keras' wrapper that scales the loss
    return model.optimizer


def joint_loss(widths: Mapping[str, int]) -> Callable[[Any, Any], Any]:
    """Cross-entropy of each output that is joined, added with `OUTPUT_WEIGHTS`; targets of zeros add nothing."""
    from keras import ops

    def loss(targets: Any, found: Any) -> Any:
        total, start = 0.0, 0
        for name, width in widths.items():
            part = slice(start, start + width)
            entropy = -ops.sum(targets[:, part] * ops.log(found[:, part] + 1e-7), axis=1)
            total, start = total + OUTPUT_WEIGHTS[name] * entropy, start + width
        return total

    return loss


def class_accuracy(n_classes: int) -> Callable[[Any, Any], Any]:
    """Share of right classes among the spectra that have one; what has none counts as wrong."""
    from keras import ops

    def accuracy(targets: Any, found: Any) -> Any:
        wanted, given = (ops.argmax(array[:, :n_classes], axis=1) for array in (targets, found))
        return ops.cast(ops.equal(wanted, given), "float32")

    return accuracy


def reseed(model: Network, rng: np.random.Generator) -> None:
    """Start the random numbers of every dropout layer anew."""
    for layer in model.layers:
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(rng.integers(2**31, size=2).astype(generator.state.dtype))
