"""RAC-Net mini: RAC-Net at a sixth of the operations and half the parameters (317,987 for three classes).

A strided convolution takes four pixels at once (276 km/s), and four blocks pool by four where RAC-Net has eight that
pool by two, so that few channels meet many pixels. The blocks are RAC-Net's own, so attention is read in the same way.
Not from the paper; how it was chosen and what it loses is in ``docs/speed.md``.
Reference of the blocks: Zou et al. 2020, PASP 132, 044503, sections 2.5 and 2.6.
"""

from __future__ import annotations

from racnet_tools.models.residual_config import ResidualConfig

NAME, TITLE = "racmini", "RAC-Net mini"
PUBLISHED = False
CONFIG = ResidualConfig
SETTINGS = {
    "attention": "paper",
    "attention_convolution": True,
    "head": "average+max",
    "stem": (16, 8, 4),
    "filters": (16, 32, 64, 128),
    "pool_size": 4,
}
"""What sets it apart among the configurations of its family."""
