"""The paper's published numbers (``data/paper/published.json``) and its slips.

Reference: Zou, Zhu, Xu & Luo 2020, PASP 132, 044503.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from racnet_tools.resources import data_path

__all__ = ["SLIPS", "published"]

SLIPS = (
    "The paper prints the one-hot code 0100 for two classes.",
    "Its equation 1 is the L2 norm, although the text speaks of scaling to 0..1.",
    "Its headline of 98.92 % is for three classes (Data set 2); with UNKNOWN (Data set 1) it is 93.52 %.",
    "The mean of C-Net's four classes in Table 2 is 89.00 %; the average printed beside them is 88.75 %.",
    "It does not say whether the classes were filled up before or after the split; copies of one spectrum in both "
    "parts would make test accuracies too high. Here spectra are split first, by object.",
    "Its Figure 8 is said to be for Data set 3 (F, G and K stars), but its discussion is of galaxies and quasars.",
    "Channel attention has no axis of position: that it makes the network look at certain bands does not follow.",
)
"""What a reader who compares should know."""


@cache
def published() -> dict[str, Any]:
    """Tables 2 to 4: ``accuracy`` and ``by_class`` by network and data set, ``parameters``, ``sizes``, ``source``."""
    return json.loads((data_path("paper") / "published.json").read_text(encoding="utf-8"))
