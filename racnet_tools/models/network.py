"""The Keras model of every network: scaled input, the body of its family, fully connected head.

Input ``flux`` (n, n_pixels) float32, output ``probabilities`` (n, n_classes); joint networks take (n, n_pixels,
channels) and give all their outputs, joined. Keras 3, any backend.
Reference: Zou et al. 2020, PASP 132, 044503, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from racnet_tools.models.blocks import residual_body
from racnet_tools.models.config import ConfigError, NetworkConfig
from racnet_tools.models.joint import joint_body, redshift_output
from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.plain import plain_body

BODIES: dict[str, Any] = {"residual": residual_body, "plain": plain_body, "joint": joint_body}
"""What comes between input and head, for each family of configurations."""


@keras.saving.register_keras_serializable(package="racnet_tools")
class Network(keras.Model):
    """A network, from one configuration.

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

        # --- Input and body
        flux = keras.Input(config.input_shape, name="flux", dtype="float32")
        if isinstance(config, JointConfig):  # further channels are of order 1 as they are
            scale: Any = [config.scale, *[1.0] * (config.input_shape[1] - 1)]
            features = keras.layers.Rescaling(scale, name="input_scale")(flux)
            hidden, correlated = BODIES[config.family](features, config, seeds)
        else:
            features = keras.layers.Rescaling(config.scale, name="input_scale")(flux)
            features = keras.layers.Reshape((config.n_pixels, 1), name="input_channel")(features)
            hidden = BODIES[config.family](features, config, seeds)

        # --- Head
        for index, units in enumerate(config.hidden_units, start=1):
            number = str(index) if len(config.hidden_units) > 1 else ""
            hidden = keras.layers.Dense(
                units,
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                name=f"dense{number}",
            )(hidden)
            hidden = keras.layers.Dropout(config.dropout, seed=next(seeds), name=f"dropout{number}")(hidden)

        def softmax(units: int, name: str) -> Any:
            return keras.layers.Dense(
                units,
                activation="softmax",
                kernel_initializer=keras.initializers.VarianceScaling(0.1, seed=next(seeds)),
                dtype="float32",  # whatever the precision of the rest
                name=name,
            )(hidden)

        outputs = softmax(config.n_classes, "probabilities")
        if isinstance(config, JointConfig):
            parts = [outputs, softmax(config.n_subtypes, "subtype"), redshift_output(correlated, config, seeds)]
            outputs = keras.layers.Concatenate(name="joint", dtype="float32")(parts)

        super().__init__(inputs=flux, outputs=outputs, name=config.name)
        self.network_config = config

    def attention_layers(self) -> list[str]:
        """Names of the layers whose outputs are the channel weights (n, channels) of each block."""
        return self._numbered("attention")

    def position_layers(self) -> list[str]:
        """Names of the layers whose outputs are the position weights (n, length, 1) of each block: CBAM's alone."""
        return self._numbered("position")

    def _numbered(self, part: str) -> list[str]:
        return [layer.name for layer in self.layers if layer.name.endswith(f"_{part}")]

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as plain types."""
        return {"network_config": self.network_config.to_dict()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Network:
        """Build the network again, with fresh weights, from what `get_config` returned."""
        del custom_objects
        return cls(NetworkConfig.from_dict(config["network_config"]))


def seed_stream(seed: int) -> Iterator[int]:
    """Yield one seed after the other, so that each layer starts from numbers of its own."""
    generator = np.random.default_rng(seed)
    while True:
        yield int(generator.integers(2**31))
