"""The closed list of networks that can be built by name.

Architectures come from this list alone: nothing is unpickled, no code is taken from a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from racnet_tools.errors import RacnetError
from racnet_tools.models import cnet, fc, racmini, racnet, racsurvey, rcnet, sscnn
from racnet_tools.models.config import ConfigError, NetworkConfig

if TYPE_CHECKING:
    import keras

NETWORKS: dict[str, Any] = {module.NAME: module for module in (fc, cnet, sscnn, rcnet, racnet, racmini)}
"""The module of each network, by name, the paper's five in its order and then our own.

Each has NAME, TITLE, PUBLISHED (whether the paper has it), CONFIG (its family) and SETTINGS.
"""


JOINT_NETWORKS: dict[str, Any] = {racsurvey.NAME: racsurvey}
"""As `NETWORKS`, of the networks that give subtypes and redshifts too; `racnet_tools.training.survey` trains them."""


def origin(name: str) -> str:
    """Where a network of the list comes from, in a sentence for model cards."""
    module = {**NETWORKS, **JOINT_NETWORKS}[name]
    if module.PUBLISHED:
        return f"{name}, consistent with the text and the parameter counts of Zou et al. 2020 (PASP 132, 044503)."
    return f"{name}, {module.TITLE}: not from Zou et al. 2020, but made of the same blocks at less cost."


def network_config(name: str, n_classes: int, n_pixels: int = 3909, **overrides: Any) -> NetworkConfig:
    """Return the configuration of a network of the list.

    Parameters
    ----------
    name
        ``"fc"``, ``"cnet"``, ``"sscnn"``, ``"rcnet"``, ``"racnet"``, ``"racmini"`` or ``"racsurvey"``.
    n_classes
        Number of classes.
    n_pixels
        Number of pixels of a spectrum.
    **overrides
        Any other setting of the network's family (`ResidualConfig`, `PlainConfig`).

    Raises
    ------
    ConfigError
        When the name or a setting is not known, or a value is not allowed.
    """
    known = {**NETWORKS, **JOINT_NETWORKS}
    if name not in known:
        raise ConfigError(f"name must be one of {list(known)}. Received: name={name!r}")
    own = {"family": known[name].CONFIG.family, "name": name, "n_classes": n_classes, "n_pixels": n_pixels}
    return NetworkConfig.from_dict({**own, **known[name].SETTINGS, **overrides})


def build(name: str, n_classes: int, n_pixels: int = 3909, *, seed: int = 0, **overrides: Any) -> keras.Model:
    """Build a network of the list with fresh weights.

    Parameters
    ----------
    name
        ``"fc"``, ``"cnet"``, ``"sscnn"``, ``"rcnet"``, ``"racnet"``, ``"racmini"`` or ``"racsurvey"``.
    n_classes
        Number of classes.
    n_pixels
        Number of pixels of a spectrum.
    seed
        Seed of the weights and of dropout.
    **overrides
        Any other setting of the network's family (`ResidualConfig`, `PlainConfig`).

    Returns
    -------
    keras.Model
        Input ``flux`` (n, n_pixels), output ``probabilities`` (n, n_classes); the layers are named for probing
        (``block1_conv1``, ``block1_attention``, ...), and ``model.network_config`` is its configuration.

    Raises
    ------
    ConfigError
        When the name or a setting is not known, or a value is not allowed.
    """
    return build_from_config(network_config(name, n_classes, n_pixels, **overrides), seed=seed)


def build_from_config(config: NetworkConfig, *, seed: int = 0) -> keras.Model:
    """Build the network that a configuration describes, with fresh weights.

    Parameters
    ----------
    config
        The configuration.
    seed
        Seed of the weights and of dropout.

    Raises
    ------
    ConfigError
        When `config` is not a `NetworkConfig` or the seed is not a non-negative integer.
    RacnetError
        When Keras is not installed.
    """
    try:
        from racnet_tools.models.network import Network
    except ImportError as error:
        raise RacnetError(
            f"Building networks needs Keras and TensorFlow: pip install 'racnet-tools[train]'. ({error})"
        ) from error
    return Network(config, seed=seed)
