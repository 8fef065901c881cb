"""The residual network: scaled input, residual blocks with pooling, fully connected head.

Input ``flux`` (n, n_pixels) float32, output ``probabilities`` (n, n_classes). Keras 3, any backend.
Reference: Zou et al. 2020, PASP 132, 044503, section 3.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from racnet_tools.models.blocks import residual_block, seed_stream
from racnet_tools.models.config import ConfigError, NetworkConfig


@keras.saving.register_keras_serializable(package="racnet_tools")
class ResidualNetwork(keras.Model):
    """A network of residual blocks, with or without attention, from one configuration.

    Parameters
    ----------
    network_config
        The configuration.
    seed
        Seed of the fresh weights and of dropout.

    Attributes
    ----------
    network_config : NetworkConfig
        The configuration it was built from.
    """

    def __init__(self, network_config: NetworkConfig, *, seed: int = 0) -> None:
        config = network_config
        if not isinstance(config, NetworkConfig):
            raise ConfigError(f"a network is built from a NetworkConfig. Received: {config!r}")
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
            raise ConfigError(f"seed must be a non-negative integer. Received: seed={seed!r}")
        seeds = seed_stream(int(seed))

        # --- Input
        flux = keras.Input((config.n_pixels,), name="flux", dtype="float32")
        features = keras.layers.Rescaling(config.scale, name="input_scale")(flux)
        features = keras.layers.Reshape((config.n_pixels, 1), name="input_channel")(features)

        # --- Residual blocks
        pooling = {"max": keras.layers.MaxPooling1D, "average": keras.layers.AveragePooling1D}[config.pooling]
        for index in range(1, len(config.filters) + 1):
            features = residual_block(features, index, config, seeds)
            features = pooling(config.pool_size, name=f"block{index}_pool")(features)

        # --- Head
        summary = keras.layers.GlobalAveragePooling1D(name="global_average")(features)
        if config.head == "average+max":
            maximum = keras.layers.GlobalMaxPooling1D(name="global_max")(features)
            summary = keras.layers.Concatenate(name="global_features")([summary, maximum])
        hidden = keras.layers.Dense(
            config.dense_units,
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            name="dense",
        )(summary)
        hidden = keras.layers.Dropout(config.dropout, seed=next(seeds), name="dropout")(hidden)
        probabilities = keras.layers.Dense(
            config.n_classes,
            activation="softmax",
            kernel_initializer=keras.initializers.VarianceScaling(0.1, seed=next(seeds)),
            name="probabilities",
        )(hidden)

        super().__init__(inputs=flux, outputs=probabilities, name=config.name)
        self.network_config = config

    def attention_layers(self) -> list[str]:
        """Names of the attention layers, whose outputs are the channel weights (n, channels) of each block."""
        count = len(self.network_config.filters) if self.network_config.attention else 0
        return [f"block{index}_attention" for index in range(1, count + 1)]

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as plain types."""
        return {"network_config": self.network_config.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> ResidualNetwork:
        """Build the network again, with fresh weights, from what `get_config` returned."""
        del custom_objects
        return cls(NetworkConfig.from_dict(config["network_config"]))
