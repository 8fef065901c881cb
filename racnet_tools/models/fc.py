"""The FC network: fully connected layers alone, what a convolutional network is compared with (Table 2).

The paper takes its figures from Zou et al. 2019 and says neither how many layers that network has nor how wide they
are; this one, three layers of 512, 256 and 128 neurons, is this toolkit's. Reference: Zou et al. 2020, PASP 132,
044503, section 3.1.
"""

from __future__ import annotations

from racnet_tools.models.plain_config import PlainConfig

NAME, TITLE = "fc", "FC network"
PUBLISHED = True
CONFIG = PlainConfig
SETTINGS = {"dense_units": (512, 256, 128)}
"""What sets the FC network apart among the configurations of its family."""
