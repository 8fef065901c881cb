"""1D SSCNN, the network of Liu et al. 2019 (MNRAS 483, 4774) that the paper compares with (Table 3).

Two convolutions of 64 channels and two of 32, 16 pixels wide, each pair followed by a pooling by 4, then 1,024
neurons: the layers as other papers describe them. They do not give the published 5.18 million parameters (8.1 million
here), so this network stands for the design, not for its exact size.
"""

from __future__ import annotations

from racnet_tools.models.plain_config import PlainConfig

NAME, TITLE = "sscnn", "1D SSCNN"
PUBLISHED = True
CONFIG = PlainConfig
SETTINGS = {"filters": (64, 64, 32, 32), "kernel_size": 16, "pool_sizes": (1, 4, 1, 4), "dense_units": (1024,)}
"""What sets 1D SSCNN apart among the configurations of its family."""
