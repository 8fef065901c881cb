"""Layers of the joint networks: positions that features know, and redshift by correlation with learned templates."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="racnet_tools")
class PositionBias(keras.layers.Layer):
    """Add to features (n, length, channels) a learned number for each position and channel.

    Convolutions do the same everywhere: without it later layers could not tell one wavelength from another.
    """

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the numbers, from zero."""
        self.bias = self.add_weight(shape=tuple(input_shape[1:]), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Return features of the same shape."""
        return inputs + self.bias


@keras.saving.register_keras_serializable(package="racnet_tools")
class RedshiftCorrelation(keras.layers.Layer):
    """Correlate features with one learned template at every redshift.

    On a logarithmic grid a redshift shifts the spectrum (Tonry & Davis 1979, AJ 84, 1511). With features f (positions
    p, channels c), a template T on the positions at rest and a bias, the redshift of step b gets

        score_b = bias_b + sum_pc f_pc T_(p - b)c,

    so that a feature learned at one redshift is known at all others. The softmax of the scores is the output.

    Parameters
    ----------
    n_redshifts
        Steps b that are tried.
    """

    def __init__(self, n_redshifts: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_redshifts = n_redshifts

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make template and bias, from zero."""
        _, length, channels = input_shape
        self.template = self.add_weight(
            shape=(length + self.n_redshifts - 1, channels), initializer="zeros", name="template"
        )
        self.bias = self.add_weight(shape=(self.n_redshifts,), initializer="zeros", name="bias")

    def places(self) -> np.ndarray:
        """Row of the template for each position and redshift, (length, n_redshifts)."""
        length = self.template.shape[0] - self.n_redshifts + 1
        return np.arange(length)[:, None] - np.arange(self.n_redshifts) + self.n_redshifts - 1

    def call(self, inputs: Any) -> Any:
        """Return probabilities (n, n_redshifts)."""
        matrix = ops.take(self.template, self.places(), axis=0)  # (length, n_redshifts, channels)
        scores = ops.matmul(
            ops.reshape(inputs, (-1, inputs.shape[1] * inputs.shape[2])),
            ops.reshape(ops.transpose(matrix, (0, 2, 1)), (-1, self.n_redshifts)),
        )
        return ops.softmax(ops.cast(scores + self.bias, "float32"))

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int | None, int]:
        """Shape of the probabilities."""
        return (input_shape[0], self.n_redshifts)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as plain types."""
        return {**super().get_config(), "n_redshifts": self.n_redshifts}
