"""Attention layers: one weight for each channel, in four published ways, and CBAM's weight for each position.

All take features (n, length, channels). Channel weights are (n, channels), position weights (n, length, 1); all are
between 0 and 1 by a sigmoid. References are given with each layer.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from racnet_tools.models.residual_config import POSITION_KERNEL, neighbours, squeezed


class _Attention(keras.layers.Layer):
    """What the layers have in common: an initialiser, and features of known channels.

    Parameters
    ----------
    kernel_initializer
        Initialiser of the layer's matrices.
    **kwargs
        What every Keras layer takes (name, dtype, ...).
    """

    def __init__(self, kernel_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def _channels(self, input_shape: tuple[int | None, ...]) -> int:
        if input_shape[-1] is None:
            raise ValueError(f"the number of channels must be known. Received: input_shape={input_shape}")
        return input_shape[-1]

    def _matrix(self, name: str, *shape: int) -> Any:
        # A seeded initialiser gives the same numbers for the same shape: a copy of it goes on with its own.
        initializer = self.kernel_initializer.clone()
        if getattr(initializer, "seed", None) is not None and isinstance(initializer.seed, int):
            initializer.seed += len(self.weights)
        return self.add_weight(name=name, shape=shape, initializer=initializer)

    def _bias(self, name: str, size: int) -> Any:
        return self.add_weight(name=name, shape=(size,), initializer="zeros")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, channels)."""
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return what is needed to make this layer again."""
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="racnet_tools")
class ChannelAttention(_Attention):
    """The paper's channel weights, from each channel's maximum and its mean over the pixels.

    The two vectors are joined to one of 2 x channels (equation 9) and pass one fully connected layer with bias
    (equation 10). The paper leaves its activation open; the sigmoid is that of Hu et al. 2018, which the paper builds
    on. Reference: Zou et al. 2020, PASP 132, 044503, equations 7 to 10.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the matrix and the bias for inputs (n, length, channels)."""
        channels = self._channels(input_shape)
        self.kernel = self._matrix("kernel", 2 * channels, channels)
        self.bias = self._bias("bias", channels)

    def call(self, inputs: Any) -> Any:
        """Return the channel weights (n, channels) of features (n, length, channels)."""
        summary = ops.concatenate([ops.max(inputs, axis=1), ops.mean(inputs, axis=1)], axis=-1)
        return ops.sigmoid(ops.matmul(summary, self.kernel) + self.bias)


@keras.saving.register_keras_serializable(package="racnet_tools")
class SqueezeExcitation(_Attention):
    """Channel weights from each channel's mean, through a narrow layer and a wide one.

    Reference: Hu, Shen & Sun 2018, Squeeze-and-Excitation Networks (CVPR), equation 3; reduction 16, but never fewer
    than four neurons.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both matrices and biases for inputs (n, length, channels)."""
        channels = self._channels(input_shape)
        self.squeeze = self._matrix("squeeze", channels, squeezed(channels))
        self.squeeze_bias = self._bias("squeeze_bias", squeezed(channels))
        self.excite = self._matrix("excite", squeezed(channels), channels)
        self.excite_bias = self._bias("excite_bias", channels)

    def _perceptron(self, summary: Any) -> Any:
        hidden = ops.relu(ops.matmul(summary, self.squeeze) + self.squeeze_bias)
        return ops.matmul(hidden, self.excite) + self.excite_bias

    def call(self, inputs: Any) -> Any:
        """Return the channel weights (n, channels) of features (n, length, channels)."""
        return ops.sigmoid(self._perceptron(ops.mean(inputs, axis=1)))


@keras.saving.register_keras_serializable(package="racnet_tools")
class ConvolutionalChannelAttention(SqueezeExcitation):
    """CBAM's channel weights: mean and maximum pass the same two layers and are added.

    Reference: Woo, Park, Lee & Kweon 2018, CBAM (ECCV), equation 2.
    """

    def call(self, inputs: Any) -> Any:
        """Return the channel weights (n, channels) of features (n, length, channels)."""
        return ops.sigmoid(self._perceptron(ops.mean(inputs, axis=1)) + self._perceptron(ops.max(inputs, axis=1)))


@keras.saving.register_keras_serializable(package="racnet_tools")
class EfficientChannelAttention(_Attention):
    """Channel weights from each channel's mean and those of its neighbours: one small filter slides over the channels.

    Reference: Wang et al. 2020, ECA-Net (CVPR), equations 9 and 12.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the filter for inputs (n, length, channels)."""
        self.kernel = self._matrix("kernel", neighbours(self._channels(input_shape)), 1, 1)

    def call(self, inputs: Any) -> Any:
        """Return the channel weights (n, channels) of features (n, length, channels)."""
        means = ops.mean(inputs, axis=1)[:, :, None]
        return ops.sigmoid(ops.conv(means, self.kernel, padding="same", data_format="channels_last")[:, :, 0])


@keras.saving.register_keras_serializable(package="racnet_tools")
class PositionGate(_Attention):
    """CBAM's weight for each position, from the mean and the maximum over the channels around it.

    Reference: Woo, Park, Lee & Kweon 2018, CBAM (ECCV), equation 3, with a filter of seven pixels.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the filter and the bias."""
        self.kernel = self._matrix("kernel", POSITION_KERNEL, 2, 1)
        self.bias = self._bias("bias", 1)

    def call(self, inputs: Any) -> Any:
        """Return the position weights (n, length, 1) of features (n, length, channels)."""
        summary = ops.stack([ops.max(inputs, axis=2), ops.mean(inputs, axis=2)], axis=-1)
        return ops.sigmoid(ops.conv(summary, self.kernel, padding="same", data_format="channels_last") + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n, length, 1)."""
        return (*input_shape[:2], 1)


CHANNEL_LAYERS = {
    "paper": ChannelAttention,
    "se": SqueezeExcitation,
    "eca": EfficientChannelAttention,
    "cbam": ConvolutionalChannelAttention,
}
"""The layer of each attention of `racnet_tools.models.residual_config.ATTENTIONS`."""
