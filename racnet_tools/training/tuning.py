"""Fine-tuning of a joint network on spectra with a survey's own labels, among simulated ones.

In every epoch the survey's spectra are drawn anew, each class and each type of stars as often as the next, and changed
a little (`racnet_tools.training.augmentation`); the rest of the epoch is simulated, so that what the survey's spectra
do not show is not forgotten.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets import subtype_places
from racnet_tools.errors import RacnetError
from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.measured import LETTERS
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet
from racnet_tools.training.augmentation import Augmentation, augmented
from racnet_tools.training.data import fingerprint
from racnet_tools.training.settings import TrainingConfig
from racnet_tools.training.simulated import fit_epochs
from racnet_tools.training.survey import (
    CLASSES,
    SUBTYPE_SCALE,
    Ingredients,
    joint_preprocessing,
    make_joint_set,
)
from racnet_tools.training.targets import joint_targets

if TYPE_CHECKING:
    from racnet_tools.models.network import Network
    from racnet_tools.training.run_folder import Run

__all__ = ["survey_targets", "tune_on_spectra"]

AUGMENTATION = Augmentation(noise=1.5, shift=2, tilt=0.15, gap=60)


def survey_targets(table: Any, config: JointConfig, scale: Sequence[tuple[float, float]] = SUBTYPE_SCALE) -> np.ndarray:
    """Targets of a joint network from a survey's labels.

    Parameters
    ----------
    table : Table
        With label, subclass and z; what is missing or no subtype asks for nothing.
    config : JointConfig
        The network.
    scale : sequence of (float, float)
        Points of the line from the network's scale of subtypes to the survey's.

    Returns
    -------
    (n, n_outputs) float32
    """
    ours, theirs = np.array(scale, float).T
    place = np.interp(subtype_places(np.ma.filled(table["subclass"], "")) + 0.5, theirs, ours)
    star = np.array([str(label) for label in table["label"]]) == "STAR"
    return joint_targets(table, config, CLASSES, np.where(star, place, np.nan))


def tune_on_spectra(
    start: Network,
    spectra: SpectrumSet,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    targets: np.ndarray | None = None,
    share: float = 0.25,
    spectra_per_epoch: int = 12_000,
    make: Callable[..., tuple[np.ndarray, np.ndarray]] = make_joint_set,
    progress: bool = True,
) -> Run:
    """Train a trained joint network further, on a survey's spectra among simulated ones.

    Parameters
    ----------
    start : network
        The joint network to begin with.
    spectra : SpectrumSet
        Labelled STAR, GALAXY or QSO; others ask for nothing but that no class be likelier than the next.
    run_folder : str or Path
        Folder of the run; an unfinished one of the same settings is gone on with, a finished one is returned as it is.
    training : TrainingConfig
        How to train; its seed is the simulation's too.
    targets : (n, n_outputs) array, optional
        What the network is to say of `spectra`, instead of `survey_targets`.
    share : float
        Share of the spectra of an epoch that are the survey's.
    spectra_per_epoch : int
        Spectra of an epoch.
    make : callable
        What makes the simulated spectra, given the arguments of `make_joint_set`.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the network is no joint one or the share is not between 0 and 1.
    """
    config = start.network_config
    if not isinstance(config, JointConfig):
        raise RacnetError(f"Expected a joint network, such as racnet-survey's. Received: {config!r}")
    if not 0 <= share < 1:
        raise RacnetError(f"share must be a number from 0 to below 1. Received: share={share!r}")
    gridded = spectra.to_grid(LAMOST_GRID)
    wanted = survey_targets(spectra.table, config) if targets is None else targets
    prepare = joint_preprocessing(config)
    strata = _strata(spectra)

    def epoch(seed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        x, y = make(config, spectra_per_epoch, seed, Ingredients())
        n = round(share * len(y))
        if not n:
            return x, y
        rng = np.random.default_rng((*seed, 9))
        kinds = rng.choice(np.unique(strata), n)
        rows = np.array([rng.choice(np.flatnonzero(strata == kind)) for kind in kinds])
        drawn = augmented(gridded[rows], rows, np.arange(n), AUGMENTATION, seed=seed[0], epoch=seed[-1])
        kept = rng.permutation(len(y))[n:]
        real = prepare(drawn).reshape(n, *config.input_shape)
        return np.concatenate([x[kept], real]), np.concatenate([y[kept], wanted[rows]])

    told = {
        "kind": "tuned",
        "spectra_per_epoch": spectra_per_epoch,
        "share": share,
        "augmentation": dataclasses.asdict(AUGMENTATION),
        "survey": fingerprint((gridded.flux, wanted)),
    }
    return fit_epochs(
        config,
        run_folder,
        training,
        told,
        epoch,
        lambda seed: make(config, min(3000, spectra_per_epoch), seed, Ingredients()),
        progress=progress,
        start=start,
    )


def _strata(spectra: SpectrumSet) -> np.ndarray:
    """Class, and for stars the letter of the type, of each spectrum (n,) str."""
    label = np.array([str(one) for one in spectra.table["label"]])
    place = subtype_places(np.ma.filled(spectra.table["subclass"], ""))
    letter = np.array([LETTERS[int(one // 10)] if np.isfinite(one) else "" for one in place])
    return np.where(label == "STAR", np.char.add("STAR ", letter), label)
