"""RAC-Net: RC-Net with channel attention in each block, 623,124 parameters for four classes (published: 0.623 million).

The attention block owns a convolution, and the mean and the maximum over the last pixels are joined before the fully
connected layer: of the designs that agree with the text, this one has the published number of parameters.
Reference: Zou et al. 2020, PASP 132, 044503, sections 2.6 and 3.3.
"""

from __future__ import annotations

from racnet_tools.models.residual_config import ResidualConfig

NAME, TITLE = "racnet", "RAC-Net"
PUBLISHED = True
CONFIG = ResidualConfig
SETTINGS = {"attention": "paper", "attention_convolution": True, "head": "average+max"}
"""What sets RAC-Net apart among the configurations of its family."""
