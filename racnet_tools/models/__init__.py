"""The networks: a configuration is turned into a Keras 3 model with named layers.

Reference: Zou, Zhu, Xu & Luo 2020, PASP 132, 044503. The networks here are consistent with that paper's text and with
its printed parameter counts; its text leaves several choices open, so they are not claimed to be the same networks.

Importing this package does not import Keras: that happens at the first call of `build`.
"""

import os

# With oneDNN these networks train 1.5 times as fast, but a run that was killed and resumed no longer ends with the
# same bytes as an undisturbed one; who prefers the speed sets the variable to 1.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

from racnet_tools.models.config import NetworkConfig
from racnet_tools.models.measured import log_redshifts, measure_redshifts, measure_subtypes
from racnet_tools.models.plain_config import PlainConfig
from racnet_tools.models.predict import check_input, predict
from racnet_tools.models.quality import QUALITY_BITS
from racnet_tools.models.registry import NETWORKS, build, build_from_config, network_config
from racnet_tools.models.residual_config import ResidualConfig

__all__ = [
    "NETWORKS",
    "QUALITY_BITS",
    "NetworkConfig",
    "PlainConfig",
    "ResidualConfig",
    "build",
    "build_from_config",
    "check_input",
    "log_redshifts",
    "measure_redshifts",
    "measure_subtypes",
    "network_config",
    "predict",
]
