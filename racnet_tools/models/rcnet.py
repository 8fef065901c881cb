"""RC-Net: eight residual blocks without attention, 388,180 parameters for four classes (published: 0.388 million).

Reference: Zou et al. 2020, PASP 132, 044503, sections 2.5 and 3.2.
"""

from __future__ import annotations

from racnet_tools.models.residual_config import ResidualConfig

NAME, TITLE = "rcnet", "RC-Net"
PUBLISHED = True
CONFIG = ResidualConfig
SETTINGS = {"attention": "none", "attention_convolution": False, "head": "average"}
"""What sets RC-Net apart among the configurations of its family."""
