"""C-Net: eight convolutions with RAC-Net's filters and max-pooling, then a fully connected layer (Table 2).

2,752,916 parameters for four classes (published: 2.89 million; eight convolutions and one layer of 128 neurons give
no 2.89 million with any pooling). The poolings, by 2, 2, 2 and 3, follow each second convolution. Reference: Zou et al.
2020, PASP 132, 044503, section 3.1.
"""

from __future__ import annotations

from racnet_tools.models.plain_config import PlainConfig

NAME, TITLE = "cnet", "C-Net"
PUBLISHED = True
CONFIG = PlainConfig
SETTINGS = {"filters": (16, 16, 32, 32, 64, 64, 128, 128), "pool_sizes": (1, 2, 1, 2, 1, 2, 1, 3)}
"""What sets C-Net apart among the configurations of its family."""
