"""Layers that Keras does not have: the channel weights of the attention block.

Reference: Zou et al. 2020, PASP 132, 044503, equations 7 to 10.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="racnet_tools")
class ChannelAttention(keras.layers.Layer):
    """One weight between 0 and 1 for each channel, from its maximum and its mean over the pixels.

    Input (n, length, channels), output (n, channels). The two vectors are joined to one of 2 x channels (equation 9)
    and pass one fully connected layer with bias (equation 10). The paper leaves its activation open; the sigmoid is
    that of Hu et al. 2018, which the paper builds on.

    Parameters
    ----------
    kernel_initializer
        Initialiser of the fully connected layer's matrix (2 x channels, channels).
    **kwargs
        What every Keras layer takes (name, dtype, ...).
    """

    def __init__(self, kernel_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the matrix and the bias for inputs (n, length, channels)."""
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(f"the number of channels must be known. Received: input_shape={input_shape}")
        self.kernel = self.add_weight(
            name="kernel", shape=(2 * channels, channels), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Return the channel weights (n, channels) of features (n, length, channels)."""
        summary = ops.concatenate([ops.max(inputs, axis=1), ops.mean(inputs, axis=1)], axis=-1)
        return ops.sigmoid(ops.matmul(summary, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, channels)."""
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to make this layer again."""
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
