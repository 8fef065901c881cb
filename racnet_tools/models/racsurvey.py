"""RAC-Net survey: class, stellar subtype and redshift from flux, contrast and quality, at an eighth of RAC-Net's cost.

Four of RAC-Net's blocks after a strided convolution, as RAC-Net mini, so attention is read in the same way. Not from
the paper; how it was made and what each part brings is in ``docs/beyond.md``.
Reference of the blocks: Zou et al. 2020, PASP 132, 044503, sections 2.5 and 2.6.
"""

from __future__ import annotations

from racnet_tools.models.joint_config import JointConfig

NAME, TITLE = "racsurvey", "RAC-Net survey"
PUBLISHED = False
CONFIG = JointConfig
SETTINGS = {
    "attention": "paper",
    "attention_convolution": True,
    "stem": (16, 8, 4),
    "filters": (16, 32, 64, 128),
    "pool_size": 4,
    "dense_units": 160,
    "dropout": 0.3,
}
"""What sets it apart among the configurations of its family."""
