"""Gradients of the log-odds of a class, on every backend of Keras.

The score is logit_target - logsumexp(other logits) = ln(p / (1 - p)), which does not saturate where p is 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["score_gradient"]

Gradient = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@lru_cache(maxsize=8)  # the backend compiles each for seconds
def score_gradient(network: Network, layer: str | None = None) -> tuple[Gradient, Callable[[np.ndarray], np.ndarray]]:
    """Make the function that gives log-odds and their gradient.

    Parameters
    ----------
    network
        A network made by `racnet_tools.models.build`.
    layer : str, optional
        Name of the layer with respect to whose output the gradient is taken, such as ``block3_output``; every path
        through the network must pass it. Network input by default.

    Returns
    -------
    gradient : callable
        (x (n, ...), target (n,)) to score (n,) and gradient (n, ...), where x is network input, or the layer's output
        (n, length, channels).
    features : callable
        Network input, (n, n_pix) or (n, n_pix, n_channels), to x.

    Raises
    ------
    ValueError
        If there is no such layer.
    """
    import keras
    from keras import ops

    head = network.get_layer("probabilities")
    place = network.inputs[0] if layer is None else network.get_layer(layer).output
    before = None if layer is None else keras.Model(network.inputs[0], place)
    tail = keras.Model(place, head.input)

    def score(hidden: Any, target: Any) -> Any:
        logits = ops.matmul(hidden, head.kernel) + head.bias
        chosen = ops.one_hot(target, logits.shape[-1], dtype=logits.dtype)
        return ops.sum(logits * chosen, axis=1) - ops.logsumexp(logits - 1e30 * chosen, axis=1)

    ask = _BACKENDS[keras.backend.backend()](tail, score)

    def gradient(x: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return ask(np.ascontiguousarray(x, np.float32), np.asarray(target, np.int32))

    def features(flux: np.ndarray) -> np.ndarray:
        flux = np.ascontiguousarray(flux, np.float32)
        return flux if before is None else ops.convert_to_numpy(before(flux, training=False))

    return gradient, features


def _tensorflow(tail: Any, score: Callable[[Any, Any], Any]) -> Gradient:
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def both(x: Any, target: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = score(tail(x, training=False), target)
        return found, tape.gradient(found, x)

    def ask(x: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found, gradient = both(tf.constant(x), tf.constant(target))
        return found.numpy(), gradient.numpy()

    return ask


def _jax(tail: Any, score: Callable[[Any, Any], Any]) -> Gradient:
    import jax

    def total(x: Any, target: Any, weights: Any, others: Any) -> Any:
        hidden, _ = tail.stateless_call(weights, others, x, training=False)
        found = score(hidden, target)
        return found.sum(), found

    both = jax.jit(jax.value_and_grad(total, has_aux=True))

    def ask(x: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weights = [variable.value for variable in tail.trainable_variables]
        others = [variable.value for variable in tail.non_trainable_variables]
        (_, found), gradient = both(x, target, weights, others)
        return np.asarray(found), np.asarray(gradient)

    return ask


def _torch(tail: Any, score: Callable[[Any, Any], Any]) -> Gradient:
    import torch
    from keras import ops

    def ask(x: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = ops.convert_to_tensor(x).detach().requires_grad_(True)
        found = score(tail(at, training=False), ops.convert_to_tensor(target))
        (gradient,) = torch.autograd.grad(found.sum(), at)
        return found.detach().cpu().numpy(), gradient.cpu().numpy()

    return ask


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
