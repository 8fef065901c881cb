"""The body of the plain networks: convolutions with pooling, or the pixels themselves.

Reference: Zou et al. 2020, PASP 132, 044503, sections 2.4 and 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from racnet_tools.models.plain_config import PlainConfig


def plain_body(features: Any, config: PlainConfig, seeds: Iterator[int]) -> Any:
    """Turn a scaled spectrum (n, n_pixels, 1) into the features (n, config.n_features) of the head."""
    for index, (filters, size) in enumerate(zip(config.filters, config.pool_sizes, strict=True), start=1):
        features = keras.layers.Conv1D(
            filters,
            config.kernel_size,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            name=f"conv{index}",
        )(features)
        if size > 1:
            features = keras.layers.MaxPooling1D(size, name=f"pool{index}")(features)
    return keras.layers.Flatten(name="features")(features)
