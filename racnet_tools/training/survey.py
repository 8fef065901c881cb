"""Training of the joint networks on simulated spectra of every redshift and signal-to-noise ratio.

As in `racnet_tools.training.simulated`, epoch e of a run with seed s is simulated from the seed (s, 0, e) and the
validation set from (s, 1, 0); what a preset's probabilities and limits are set on, from (s, 2, 0).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.models import predict
from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.measured import log_redshifts, measure_redshifts
from racnet_tools.models.quality import QUALITY_BITS, Limits
from racnet_tools.models.registry import origin
from racnet_tools.models.uncertainty import joint_ood_score
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.spectra.preprocess import CHANNELS
from racnet_tools.training.calibrated import apply_temperatures, fit_limits, fit_temperatures, joint_parts
from racnet_tools.training.fit import TrainingConfig
from racnet_tools.training.preset import save_preset
from racnet_tools.training.provenance import git_commit
from racnet_tools.training.run_folder import Run, write_json
from racnet_tools.training.simulated import ACCEPTED, accepting, fit_epochs
from racnet_tools.training.targets import joint_targets

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = [
    "CLASSES",
    "Ingredients",
    "joint_preprocessing",
    "make_joint_set",
    "renew_survey_preset",
    "save_survey_preset",
    "simulate_joint",
    "train_on_survey",
]

CLASSES = ("STAR", "GALAXY", "QSO")
#: Shares of an epoch. Rare stars are raised so that they are learnt.
SHARES = {
    "STAR": 0.25,
    "O": 0.01,
    "B": 0.02,
    "A": 0.04,
    "F": 0.06,
    "G": 0.06,
    "K": 0.04,
    "M": 0.03,
    "GALAXY": 0.20,
    "QSO": 0.19,
    "UNKNOWN": 0.10,
}
_OUTLIERS = 0.04  # share of UNKNOWN that is kept: a faint spectrum is of a class, if of one that is hard to tell
#: From the simulation's scale of subtypes (`racnet_tools.simulate.stars.stellar_subtype`) to LAMOST's, which is that of
#: its templates: fitted to the predictions of racnet-survey for 156 real stars of LAMOST later than DR1, those whose
#: identifier has an even CRC-32 (as for `STELLAR_BORDERS`); the other half and DR1 had no part in it.
#: ``benchmarks/fit_subtype_scale.py`` gives it.
SUBTYPE_SCALE = (
    (0.0, 0.0),
    (10.0, 10.0),
    (20.0, 20.0),
    (23.5, 22.5),
    (31.5, 30.0),
    (38.3, 35.5),
    (40.5, 40.0),
    (43.9, 43.5),
    (51.0, 50.0),
    (53.2, 54.5),
    (60.0, 60.0),
    (70.0, 70.0),
)
_TRAININGS = {
    "survey": """{training[epochs]} epochs of {data[spectra_per_epoch]} **simulated** spectra each, made afresh for
every epoch from the templates in `data/templates`: galaxies to redshift 1, quasars to 5, signal-to-noise ratios from 2
to 150, spread evenly; instruments more various than LAMOST's; seed {training[seed]}. No real survey spectrum was
trained on.""",
    "tuned": """A network trained on simulated spectra (racnet-survey), trained further for {training[epochs]} epochs of
{data[spectra_per_epoch]} spectra: {data[share]:.0%} of them {data[survey][spectra]} **real** spectra of LAMOST and SDSS
with the surveys' own labels, changed a little each time they are drawn, the rest simulated; seed {training[seed]}.""",
}
"""How a network was trained, by the kind of its data."""
_VALIDATION = 3000
_CALIBRATION = 12_000


@dataclasses.dataclass(frozen=True)
class Ingredients:
    """What the training spectra are made with; a study leaves out one after the other.

    Parameters
    ----------
    even : bool
        Redshifts and signal-to-noise ratios spread evenly instead of as a survey meets them.
    varied : bool
        Instruments more various than LAMOST.
    outliers : bool
        Spectra of no class, for which every class is to be as probable as the next (outlier exposure; Hendrycks et
        al. 2019, ICLR).
    """

    even: bool = True
    varied: bool = True
    outliers: bool = True


def joint_preprocessing(config: JointConfig) -> Preprocessing:
    """The preprocessing that a joint network needs: as many of the known channels as it takes."""
    return Preprocessing(channels=CHANNELS[: config.channels])


def simulate_joint(n: int, seed: Sequence[int], ingredients: Ingredients = Ingredients()) -> SpectrumSet:
    """Simulate about `n` spectra in the shares of an epoch; the number is the same for every seed."""
    counts = {name: max(1, round(n * share)) for name, share in SHARES.items()}
    if not ingredients.outliers:
        del counts["UNKNOWN"]
    spectra = simulate(counts, seed=seed, even=ingredients.even, varied=ingredients.varied)
    kinds = np.array([(str(row["label"]), str(row["subclass"])) for row in spectra.table])
    unknown = kinds[:, 0] == "UNKNOWN"
    unwanted = np.flatnonzero(unknown)[np.argsort(kinds[unknown, 1] == "faint", kind="stable")][round(n * _OUTLIERS) :]
    return spectra[np.setdiff1d(np.arange(len(spectra)), unwanted)]


def make_joint_set(
    config: JointConfig, n: int, seed: Sequence[int], ingredients: Ingredients = Ingredients()
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate about `n` spectra as input of a joint network, with its targets.

    Returns
    -------
    (n, n_pixels, channels) float32, (n, n_outputs) float32
    """
    spectra = simulate_joint(n, seed, ingredients)
    x = joint_preprocessing(config)(spectra).reshape(len(spectra), *config.input_shape)
    return x, joint_targets(spectra.table, config, CLASSES)


def train_on_survey(
    config: JointConfig,
    run_folder: str | Path,
    training: TrainingConfig,
    *,
    spectra_per_epoch: int = 20_000,
    ingredients: Ingredients = Ingredients(),
    progress: bool = True,
    device: str | Sequence[str] | None = None,
    make: Callable[..., tuple[np.ndarray, np.ndarray]] = make_joint_set,
) -> Run:
    """Train a joint network on simulated spectra.

    Parameters
    ----------
    config : JointConfig
        The network.
    run_folder : str or Path
        Folder of the run; an unfinished one of the same settings is gone on with, a finished one is returned as it is.
    training : TrainingConfig
        How to train; its seed is the simulation's too.
    spectra_per_epoch : int
        Number of spectra that are simulated for each epoch.
    ingredients : Ingredients
        What they are made with.
    progress, device
        As for `racnet_tools.training.fit`.
    make : callable
        What makes the spectra, given the arguments of `make_joint_set`: a study that trains several networks on the
        same spectra keeps them.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    RacnetError
        When the configuration is of another family, or the folder holds something else.
    """
    if not isinstance(config, JointConfig) or config.n_classes != len(CLASSES):
        raise RacnetError(f"Expected the configuration of a joint network for {CLASSES}. Received: {config!r}")
    return fit_epochs(
        config,
        run_folder,
        training,
        {"kind": "survey", "spectra_per_epoch": spectra_per_epoch, **dataclasses.asdict(ingredients)},
        lambda seed: make(config, spectra_per_epoch, seed, ingredients),
        lambda seed: make(config, min(_VALIDATION, spectra_per_epoch), seed, Ingredients()),
        progress=progress,
        device=device,
    )


def save_survey_preset(
    run: Run, folder: str | Path, *, remarks: str = "", spectra: int = _CALIBRATION, overwrite: bool = False
) -> Path:
    """Make a preset of a run of `train_on_survey` or `tune_on_spectra`, with calibrated probabilities and limits.

    Parameters
    ----------
    run : Run
        The finished run.
    folder : str or Path
        The preset to write.
    remarks : str
        Markdown that the model card ends with.
    spectra : int
        Simulated spectra on which temperatures and limits are set.
    overwrite : bool
        Whether an existing preset may be replaced.

    Raises
    ------
    RacnetError
        When the folder exists and `overwrite` is false, or the run is another kind of run.
    """
    config = run.network_config
    if not isinstance(config, JointConfig) or run.config["data"].get("kind") not in _TRAININGS:
        raise RacnetError(f"{run.folder} was not trained by train_on_survey or tune_on_spectra: use save_preset.")
    model, told = run.model(), {"run": run.provenance(), "metrics": run.metrics}
    known, x = _calibration_set(config, told, spectra)
    targets = joint_parts(joint_targets(known.table, config, CLASSES), config)
    temperatures = fit_temperatures(joint_parts(predict(model, x), config), targets)
    apply_temperatures(model, temperatures)
    told["temperatures"] = {name: round(value, 4) for name, value in temperatures.items()}
    labels, card = _described(model, Path(folder).name, known, x, told, remarks)
    return save_preset(
        model,
        folder,
        labels=labels,
        preprocessing=joint_preprocessing(config),
        card=card,
        provenance={**told, "accuracy_on_simulated_validation": run.metrics["validation"]["accuracy"]},
        overwrite=overwrite,
    )


def renew_survey_preset(
    model: Network,
    provenance: Mapping[str, Any],
    folder: str | Path,
    *,
    remarks: str = "",
    spectra: int = _CALIBRATION,
) -> None:
    """Set limits and card of a joint preset anew, as `save_survey_preset` sets them; the network stays as it is.

    Parameters
    ----------
    model
        The preset's network (`racnet_tools.inference.Preset.network`).
    provenance : mapping
        The preset's: how the network was trained, and the checksums of its files.
    folder : str or Path
        The preset.
    remarks, spectra
        As for `save_survey_preset`.
    """
    known, x = _calibration_set(model.network_config, provenance, spectra)
    labels, card = _described(model, Path(folder).name, known, x, provenance, remarks)
    write_json(Path(folder) / "labels.json", labels)
    (Path(folder) / "card.md").write_text(card, encoding="utf-8")
    renewed = {name: sha256(Path(folder) / name) for name in ("card.md", "labels.json")}
    told = {**provenance, "git_commit": git_commit(), "sha256": {**provenance["sha256"], **renewed}}
    write_json(Path(folder) / "provenance.json", told)


def _calibration_set(config: Any, told: Mapping[str, Any], spectra: int) -> tuple[SpectrumSet, np.ndarray]:
    """Simulated spectra that no training saw, and what they are to the network."""
    seed = told["run"]["training"]["seed"]
    known = simulate_joint(spectra, (seed, 2, 0), Ingredients(outliers=False))
    return known, joint_preprocessing(config)(known).reshape(len(known), *config.input_shape)


def _described(
    model: Network, name: str, known: SpectrumSet, x: np.ndarray, told: Mapping[str, Any], remarks: str
) -> tuple[dict[str, Any], str]:
    """What ``labels.json`` and ``card.md`` of a calibrated network hold; limits come from simulated spectra `known`."""
    config: Any = model.network_config
    found = joint_parts(predict(model, x), config)
    label, z = np.array(known.table["label"].astype(str)), np.asarray(known.table["z"], float)
    limits = fit_limits(found, label, z, known.median_snr(), config, CLASSES, SUBTYPE_SCALE)
    right = np.array(CLASSES)[found["probabilities"].argmax(axis=1)] == label
    confidence = measure_redshifts(found["redshift"], log_redshifts(config, LAMOST_GRID)).confidence
    threshold = accepting(joint_ood_score(found["probabilities"], confidence)[right])
    labels = {
        "task": "class",
        "classes": list(CLASSES),
        "reject_threshold": threshold,
        "limits": dataclasses.asdict(limits),
    }
    return labels, f"{_card(told, config.name, name, threshold, limits, len(known))}\n\n{remarks.rstrip()}\n"


def _card(told: Mapping[str, Any], network: str, name: str, threshold: float, limits: Limits, spectra: int) -> str:
    judged, training, data = told["metrics"]["validation"], told["run"]["training"], told["run"]["data"]
    how = _TRAININGS[data["kind"]].format(training=training, data=data)
    return f"""# {name}

Tells stars, galaxies and quasars apart from one low-resolution optical spectrum, and gives stars a subtype from O0 to
M9 and everything a redshift, each with an error. Takes flux, contrast to the continuum and signal-to-noise ratio of
every pixel.
Network: {origin(network)}

## Training

{how}
The line that turns the network's scale of subtypes into LAMOST's was fitted to 156 real stars
(`SUBTYPE_SCALE` in `racnet_tools.training.survey`).

## On simulated validation spectra

{judged["accuracy"]:.1%} of {judged["spectra"]} are classified right, at all redshifts and signal-to-noise ratios. They
share their templates, but no noise, redshift or reddening, with the training spectra: expect less on real ones.

## What it says of its limits

Probabilities, prediction sets and thresholds were set on {spectra} other simulated spectra.

* `rejected` means an `ood_score`, 1 - (1 - entropy over its maximum) (probability of the redshift's peak), above
  {threshold}, which {ACCEPTED:.0%} of the rightly classified simulated spectra do not exceed.
* `prediction_set` holds the true class of {limits.coverage:.0%} of each class's simulated spectra. On real spectra the
  share is measured, not promised: see below.
* `quality` is a sum of bits: {", ".join(f"{bit} {name} ({meaning})" for name, (bit, meaning) in QUALITY_BITS.items())}.
* `z_error` is the spread of the highest peak times a factor for class and S/N, so that 68 % of the right redshifts lie
  within it; whether the peak is the right one is the business of the bit REDSHIFT_UNSURE (confidence below
  {limits.redshift_confidence}).
* Other kinds of spectra than those listed get one of these classes, or are rejected."""
