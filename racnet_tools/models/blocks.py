"""The residual block, with or without channel attention.

Features are (n, length, channels). Reference: Zou et al. 2020, PASP 132, 044503, section 2.5 (three convolutions and a
shortcut) and section 2.6 (attention).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from racnet_tools.models.config import NetworkConfig
from racnet_tools.models.layers import ChannelAttention


def seed_stream(seed: int) -> Iterator[int]:
    """Yield one seed after the other, so that each layer starts from numbers of its own."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))


def residual_block(features: Any, index: int, config: NetworkConfig, seeds: Iterator[int]) -> Any:
    """Apply block `index` (from 1) to features (n, length, channels); pooling is left to the caller.

    The last convolution before the sum has no ReLU of its own: it may then lower what the shortcut carries as well as
    raise it; the ReLU follows the sum. Weights start as in He et al. 2015, but for that last convolution, whose
    variance is divided by the number of blocks: without normalisation the features would otherwise grow tenfold over
    eight blocks and the softmax would start saturated. (With attention, whose channel weights start near 1/2, that is
    made up for.)

    Returns
    -------
    keras tensor
        (n, length, config.filters[index - 1]).
    """
    prefix, filters = f"block{index}", config.filters[index - 1]

    def convolution(inputs: Any, name: str, *, width: int, relu: bool, gain: float = 2.0) -> Any:
        outputs = keras.layers.Conv1D(
            filters,
            width,
            padding="same",
            kernel_initializer=keras.initializers.VarianceScaling(gain, seed=next(seeds)),
            name=f"{prefix}_{name}",
        )(inputs)
        if config.normalisation == "batch":
            outputs = keras.layers.BatchNormalization(name=f"{prefix}_{name}_normalisation")(outputs)
        return keras.layers.ReLU(name=f"{prefix}_{name}_relu")(outputs) if relu else outputs

    # --- Three convolutions
    width, last = config.kernel_size, 2.0 / len(config.filters)
    branch = convolution(features, "conv1", width=width, relu=True)
    branch = convolution(branch, "conv2", width=width, relu=True)
    if config.attention_convolution:
        branch = convolution(branch, "conv3", width=width, relu=True)
    else:
        branch = convolution(branch, "conv3", width=width, relu=False, gain=last)

    # --- Attention
    if config.attention:
        if config.attention_convolution:
            branch = convolution(branch, "attention_conv", width=width, relu=False, gain=4.0 * last)
        weights = ChannelAttention(
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)), name=f"{prefix}_attention"
        )(branch)
        repeated = keras.layers.Reshape((1, filters), name=f"{prefix}_attention_repeat")(weights)
        branch = keras.layers.Multiply(name=f"{prefix}_weighted")([branch, repeated])

    # --- Shortcut
    if config.shortcut == "projection" or features.shape[-1] != filters:
        features = convolution(features, "shortcut", width=1, relu=False, gain=1.0)
    total = keras.layers.Add(name=f"{prefix}_sum")([branch, features])
    return keras.layers.ReLU(name=f"{prefix}_output")(total)
