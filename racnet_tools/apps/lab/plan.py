"""What is to be trained: one checked table of choices, and the data sets that there are to choose from.

A plan is what a visitor may decide. Paths are none of it: data sets are named, and looked up among those found.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from racnet_tools.apps.settings import Settings
from racnet_tools.errors import RacnetError

__all__ = ["ATTENTIONS", "NETWORKS", "SCHEDULES", "SIMULATED", "Plan", "checked_name", "find_datasets"]

#: Simulated data: task of `racnet_tools.training.simulated` to its classes.
SIMULATED = {"class": ("STAR", "GALAXY", "QSO"), "stellar_type": ("A", "F", "G", "K", "M")}
#: Networks of `racnet_tools.models` with their titles, in the paper's order.
NETWORKS = {
    "fc": "FC network",
    "cnet": "C-Net",
    "sscnn": "1D SSCNN",
    "rcnet": "RC-Net",
    "racnet": "RAC-Net",
    "racmini": "RAC-Net mini",
}
#: Channel weights that RAC-Net can have.
ATTENTIONS = {
    "paper": "paper, eq. 7 to 11",
    "se": "SE (squeeze, excite)",
    "eca": "ECA (efficient)",
    "cbam": "CBAM",
    "none": "none (control)",
}
SCHEDULES = ("cosine", "constant")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LIMITS = {
    "size": (60, 20_000),
    "epochs": (1, 200),
    "batch_size": (8, 512),
    "patience": (1, 200),
    "seed": (0, 2**31 - 1),
}
_DEEPEST, _MOST = 4, 200


@dataclasses.dataclass(frozen=True)
class Plan:
    """A training as a visitor chose it.

    Parameters
    ----------
    name : str
        Of the run: small letters, digits, - and _; at most 40.
    data : str
        ``"class"`` or ``"stellar_type"`` for simulated spectra, else the name of a data set (`find_datasets`).
    size : int
        Spectra simulated for each epoch; a data set has as many as it has.
    network : str
        Of `NETWORKS`.
    attention : str
        Of `ATTENTIONS`; only RAC-Net has any.
    epochs, batch_size, learning_rate, schedule, patience, seed
        As for `racnet_tools.training.TrainingConfig`. The weights kept are always those of the lowest validation loss.
    augment : bool
        Whether spectra of a data set are changed a little in every epoch; simulated ones are new each time anyway.

    Raises
    ------
    RacnetError
        When a value is outside its range.
    """

    name: str
    data: str = "class"
    size: int = 600
    network: str = "racnet"
    attention: str = "paper"
    epochs: int = 8
    batch_size: int = 32
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    patience: int = 20
    augment: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        checked_name(self.name, "a run")
        if not isinstance(self.data, str) or not 0 < len(self.data) < 400:
            raise RacnetError(f"data: expected the name of a data set. Received: {self.data!r:.60}")
        for field, choices in (("network", NETWORKS), ("attention", ATTENTIONS), ("schedule", SCHEDULES)):
            if not isinstance(value := getattr(self, field), str) or value not in choices:
                raise RacnetError(f"{field}: expected one of {', '.join(choices)}. Received: {value!r:.60}")
        for field, (low, high) in _LIMITS.items():
            value = getattr(self, field)
            if type(value) is not int or not low <= value <= high:
                words = "spectra an epoch" if field == "size" else field.replace("_", " ")
                raise RacnetError(f"{words}: expected a whole number from {low} to {high:,}. Received: {value!r:.60}")
        rate = self.learning_rate
        if type(rate) not in (int, float) or not math.isfinite(rate) or not 1e-6 <= rate <= 0.5:
            raise RacnetError(f"learning rate: expected a number from 0.000001 to 0.5. Received: {rate!r:.60}")
        if type(self.augment) is not bool:
            raise RacnetError(f"augment: expected True or False. Received: {self.augment!r:.60}")
        if self.batch_size > self.size and self.data in SIMULATED:
            raise RacnetError(
                f"batch size: expected at most the {self.size} spectra of an epoch. Received: {self.batch_size}"
            )
        if self.augment and self.data in SIMULATED:
            raise RacnetError("augment: is for prepared data sets; simulated spectra are new ones in every epoch.")

    @property
    def simulated(self) -> bool:
        """Whether it trains on spectra simulated on the way."""
        return self.data in SIMULATED

    @property
    def title(self) -> str:
        """The network in words."""
        chosen = NETWORKS[self.network]
        return chosen if self.network != "racnet" or self.attention == "paper" else f"{chosen}, {self.attention}"

    @property
    def overrides(self) -> dict[str, Any]:
        """Settings of the network other than its own."""
        return {"attention": self.attention} if self.network == "racnet" and self.attention != "paper" else {}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Plan:
        """Undo `to_dict`; raises RacnetError for anything else."""
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, Mapping) or not set(values) <= known or "name" not in values:
            raise RacnetError(f"Expected a plan with {', '.join(sorted(known))}. Received: {values!r:.100}")
        return cls(**values)

    def python(self, dataset: Path | None = None, work: str = "runs") -> str:
        """The code that trains the same without the dashboard."""
        how: dict[str, Any] = {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
        }
        how |= {"schedule": self.schedule, "patience": self.patience, "seed": self.seed}
        settings = ", ".join(f"{key}={value!r}" for key, value in how.items())
        if self.augment:
            settings += ", augmentation=Augmentation()"
        folder = f"{work}/{self.name}"
        more = "".join(f", {key}={value!r}" for key, value in self.overrides.items())
        if not self.simulated:
            return (
                "from racnet_tools.datasets import DataSet\nfrom racnet_tools.models import network_config\n"
                f"from racnet_tools.training import {'Augmentation, ' * self.augment}TrainingConfig, fit\n\n"
                f"data = DataSet.open({str(dataset or self.data)!r})\n"
                f"network = network_config({self.network!r}, len(data.classes), data.store.n_pixels{more})\n"
                f"run = fit(network, data, {folder!r}, TrainingConfig({settings}))"
            )
        if not self.overrides:
            return (
                "from racnet_tools.training import TrainingConfig\n"
                "from racnet_tools.training.simulated import train_on_simulated\n\n"
                f"training = TrainingConfig({settings})\n"
                f"run = train_on_simulated({self.data!r}, {folder!r}, training, network={self.network!r}, "
                f"spectra_per_epoch={self.size})"
            )
        return (
            "from racnet_tools.models import network_config\nfrom racnet_tools.training import TrainingConfig, fit\n"
            "from racnet_tools.training.simulated import make_set, validation_size\n\n"
            f"network = network_config({self.network!r}, {len(SIMULATED[self.data])}{more})\n"
            "run = fit(\n    network,\n"
            f"    lambda epoch: make_set({self.data!r}, {self.size}, ({self.seed}, 0, epoch)),\n"
            f"    {folder!r},\n    TrainingConfig({settings}),\n"
            f"    validation=make_set({self.data!r}, validation_size({self.size}), ({self.seed}, 1, 0)),\n)"
        )


def checked_name(name: Any, of: str) -> str:
    """A name that is safe as a folder's; raises RacnetError for any other.

    Parameters
    ----------
    name : object
        What was asked for.
    of : str
        What it is the name of, with an article.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RacnetError(
            f"Expected a name of {of}: small letters, digits, - and _, at most 40, a letter or digit first. "
            f"Received: {name!r:.60}"
        )
    return name


def find_datasets(settings: Settings) -> dict[str, Path]:
    """Prepared data sets with a validation part below the folders of the settings, by name.

    A name is the path from there; hidden folders and links are passed over, and the search ends after four levels or
    200 data sets.
    """
    found: dict[str, Path] = {}
    for root in (settings.work / "datasets", settings.spectra):
        if root is None or not root.is_dir():
            continue
        for folder, below, files in os.walk(root):
            here = Path(folder)
            name = here.relative_to(root).as_posix()
            below[:] = sorted(one for one in below if one[0] != "." and not one.endswith(".zarr"))
            if "dataset.json" in files:
                below.clear()
                if _has_validation(here):
                    found.setdefault(here.name if name == "." else name, here)
            elif name.count("/") >= _DEEPEST - 1:
                below.clear()
            if len(found) >= _MOST:
                return found
    return {name: path for name, path in found.items() if name not in SIMULATED}


def _has_validation(folder: Path) -> bool:
    try:
        json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (folder / "validation.npy").is_file()
