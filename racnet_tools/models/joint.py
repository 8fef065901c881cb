"""Body and outputs of the joint networks: class, stellar subtype and redshift.

The outputs are joined into one (n, 3 + 70 + 490) for training; `JointConfig.output_widths` says where each begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from racnet_tools.models.blocks import pooling, residual_block, stem
from racnet_tools.models.correlation import PositionBias, RedshiftCorrelation
from racnet_tools.models.joint_config import JointConfig


def joint_body(features: Any, config: JointConfig, seeds: Iterator[int]) -> tuple[Any, Any]:
    """Turn a scaled spectrum (n, n_pixels, channels) into what classes and subtypes, and what redshifts come from.

    Blocks know the position of their features from the one after that whose output is correlated: before it, a line
    is to be the same line everywhere.
    """
    features = stem(features, config, seeds)
    correlated = None
    for index in range(1, len(config.filters) + 1):
        if index == config.redshift_block + 1:
            features = PositionBias(name="position_bias")(features)
        features = residual_block(features, index, config, seeds)
        if index == config.redshift_block:
            correlated = features
        if index < len(config.filters):
            features = pooling(config)(config.pool_size, name=f"block{index}_pool")(features)
    return keras.layers.Flatten(name="features")(features), correlated


def redshift_output(features: Any, config: JointConfig, seeds: Iterator[int]) -> Any:
    """Probabilities of the redshifts, (n, n_redshifts), from the features of a block."""
    evidence = keras.layers.Conv1D(
        config.redshift_channels,
        1,
        activation="relu",
        padding="same",
        kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
        name="redshift_evidence",
    )(features)
    return RedshiftCorrelation(config.n_redshifts, name="redshift", dtype="float32")(evidence)
