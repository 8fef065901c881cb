"""The body of the residual networks: blocks with or without attention, and what is left of the pixels at the end.

Features are (n, length, channels). Reference: Zou et al. 2020, PASP 132, 044503, section 2.5 (three convolutions and a
shortcut) and section 2.6 (attention).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from racnet_tools.models.attention import CHANNEL_LAYERS, PositionGate
from racnet_tools.models.residual_config import ResidualConfig


def residual_body(features: Any, config: ResidualConfig, seeds: Iterator[int]) -> Any:
    """Turn a scaled spectrum (n, n_pixels, 1) into the features (n, config.n_features) of the head."""
    features = stem(features, config, seeds)
    for index in range(1, len(config.filters) + 1):
        features = residual_block(features, index, config, seeds)
        features = pooling(config)(config.pool_size, name=f"block{index}_pool")(features)
    summary = keras.layers.GlobalAveragePooling1D(name="global_average")(features)
    if config.head == "average+max":
        maximum = keras.layers.GlobalMaxPooling1D(name="global_max")(features)
        summary = keras.layers.Concatenate(name="global_features")([summary, maximum])
    return summary


def stem(features: Any, config: ResidualConfig, seeds: Iterator[int]) -> Any:
    """Apply the convolution before the blocks, if there is one."""
    if not config.stem:
        return features
    channels, width, stride = config.stem
    return keras.layers.Conv1D(
        channels,
        width,
        strides=stride,
        padding="same",
        activation="relu",
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        name="stem",
    )(features)


def pooling(config: ResidualConfig) -> type[keras.layers.Layer]:
    """The kind of layer that pools after each block."""
    return {"max": keras.layers.MaxPooling1D, "average": keras.layers.AveragePooling1D}[config.pooling]


def residual_block(features: Any, index: int, config: ResidualConfig, seeds: Iterator[int]) -> Any:
    """Apply block `index` (from 1) to features (n, length, channels); pooling is left to the caller.

    The last convolution before the sum has no ReLU of its own: it may then lower what the shortcut carries as well as
    raise it; the ReLU follows the sum. Weights start as in He et al. 2015, but for that last convolution, whose
    variance is divided by the number of blocks: without normalisation the features would otherwise grow tenfold over
    eight blocks and the softmax would start saturated. (With attention, whose weights start near 1/2, that is made up
    for.)

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

    # --- Three convolutions, and the attention block's own
    width, gates = config.kernel_size, {"none": 0, "cbam": 2}.get(config.attention, 1)
    last = 2.0 / len(config.filters) * 4.0**gates
    branch = convolution(features, "conv1", width=width, relu=True)
    branch = convolution(branch, "conv2", width=width, relu=True)
    if config.attention_convolution:
        branch = convolution(branch, "conv3", width=width, relu=True)
        branch = convolution(branch, "attention_conv", width=width, relu=False, gain=last)
    else:
        branch = convolution(branch, "conv3", width=width, relu=False, gain=last)

    # --- Attention
    if config.attention != "none":
        weights = CHANNEL_LAYERS[config.attention](
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)), name=f"{prefix}_attention"
        )(branch)
        repeated = keras.layers.Reshape((1, filters), name=f"{prefix}_attention_repeat")(weights)
        branch = keras.layers.Multiply(name=f"{prefix}_weighted")([branch, repeated])
    if config.attention == "cbam":
        gate = PositionGate(
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)), name=f"{prefix}_position"
        )(branch)
        branch = keras.layers.Multiply(name=f"{prefix}_gated")([branch, gate])

    # --- Shortcut
    if config.shortcut == "projection" or features.shape[-1] != filters:
        features = convolution(features, "shortcut", width=1, relu=False, gain=1.0)
    total = keras.layers.Add(name=f"{prefix}_sum")([branch, features])
    return keras.layers.ReLU(name=f"{prefix}_output")(total)
