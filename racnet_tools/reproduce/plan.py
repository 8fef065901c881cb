"""Which networks are trained on which data sets for which table, how long, and what that costs.

Reference: Zou et al. 2020, PASP 132, 044503, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from racnet_tools.errors import RacnetError
from racnet_tools.models import NETWORKS, NetworkConfig, network_config
from racnet_tools.models.residual_config import ATTENTIONS

__all__ = ["ABLATION", "TARGETS", "Experiment", "config_of", "experiments", "schedule", "title_of"]

_ALL = ("dataset1", "dataset2", "dataset3")
ABLATION = tuple(f"racnet_{attention}" for attention in ATTENTIONS if attention != "paper")
"""RAC-Net with another attention, or none, in the same place."""

TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "table2": (("fc", "cnet"), ("dataset1",)),
    "table3": (("cnet", "sscnn", "rcnet"), _ALL),
    "table4": (("cnet", "sscnn", "rcnet", "racnet"), _ALL),
    "ablation": (("racnet", *ABLATION), ("dataset1",)),
    "figure8": (("racnet",), ("dataset2", "dataset3")),
}
"""Networks and data sets of each table or figure of the paper, and of the ablation of its attention."""


@dataclass(frozen=True)
class Experiment:
    """One training: a network on a data set, from one seed."""

    dataset: str
    network: str
    seed: int

    def __str__(self) -> str:
        return f"{title_of(self.network)} on {self.dataset}, seed {self.seed}"


def experiments(targets: Sequence[str], seeds: int, only: Sequence[str] = ()) -> list[Experiment]:
    """The trainings that some tables need, each once; all of the first seed first, quick networks before slow ones.

    Parameters
    ----------
    targets : sequence of str
        Of `TARGETS`, or ``"all"``.
    seeds : int
        Trainings of each network on each data set.
    only : sequence of str, optional
        Networks to restrict them to.

    Raises
    ------
    RacnetError
        If a target or a network is unknown, or nothing is left.
    """
    names = list(TARGETS) if "all" in targets else list(targets)
    strange = [name for name in names if name not in TARGETS]
    known = (*NETWORKS, *ABLATION)
    if strange or not names or seeds < 1 or any(name not in known for name in only):
        raise RacnetError(
            f"Expected targets among {', '.join((*TARGETS, 'all'))}, one seed or more and networks among "
            f"{', '.join(known)}. Received: {', '.join(targets)}; {seeds}; {', '.join(only)}."
        )
    pairs = {(dataset, network) for name in names for network in TARGETS[name][0] for dataset in TARGETS[name][1]}
    wanted = [pair for pair in pairs if not only or pair[1] in only]
    if not wanted:
        raise RacnetError(f"{', '.join(names)} need none of the networks {', '.join(only)}.")
    wanted.sort(key=lambda pair: (config_of(pair[1], 3).multiply_adds(), known.index(pair[1]), pair[0]))
    return [Experiment(dataset, network, seed) for seed in range(seeds) for dataset, network in wanted]


def config_of(network: str, n_classes: int, n_pixels: int = 3909) -> NetworkConfig:
    """Configuration of a network of the list, or of RAC-Net with another attention (``racnet_se``, ...)."""
    name, _, attention = network.partition("_")
    changed: dict[str, Any] = {"attention": attention} if attention else {}
    return network_config(name, n_classes, n_pixels, **changed)


def title_of(network: str) -> str:
    """What people call a network."""
    name, _, attention = network.partition("_")
    words = {"": "", "none": " without weights", "se": " with SE", "eca": " with ECA", "cbam": " with CBAM"}
    return NETWORKS[name].TITLE + words[attention]


def schedule(scale: float) -> tuple[int, int]:
    """Epochs and batch size for a data set of so many times the paper's size.

    The paper says neither. Eight epochs of batches of 64 at scale 1; smaller sets are seen more often, in smaller
    batches, so that a network is still changed a thousand times or so. Fixed before any result was seen.
    """
    epochs = min(30, max(8, round(8 * scale**-0.3)))
    batch = 64 if scale >= 0.5 else 32 if scale >= 0.1 else 16
    return epochs, batch


def epochs_within(seconds: float, cost_of_epoch: float, most: int) -> int:
    """Epochs, from 1 to `most`, that the time left allows when an epoch of everything costs so many seconds."""
    return max(1, min(most, math.floor(seconds / cost_of_epoch))) if cost_of_epoch > 0 else most


def side_by_side(costs: Sequence[float], workers: int) -> float:
    """Time until all jobs are done that `workers` begin in this order, each when one of them is free."""
    free = [0.0] * workers
    for cost in costs:
        k = free.index(min(free))
        free[k] += cost
    return max(free)
