"""What real spectra can do for racnet-survey: python benchmarks/real_sky_study.py FOLDER RUNS [--preset OUTPUT]

FOLDER holds real spectra as for accuracy_on_real_spectra.py; RUNS keeps the trainings, and finished ones are not
repeated. All begin with racnet-survey and train it further, three epochs of 12,000 spectra:

* simulated spectra alone, as a control;
* simulated spectra of which 40 % have the noise and the coverage of real SDSS spectra (their inverse variances);
* self-training: real spectra without their labels, which are to get what racnet-survey says of them unaltered; each
  half of the objects is judged by the network that saw the other half;
* fine-tuning on real spectra with their labels: each half of the objects is judged by the network that saw the other
  half; then each source by a network that saw none of its objects.

Normalisation at test time needs no training: the last features of all real spectra of a class are given the mean and
the spread that those of simulated spectra of the class have. With --preset, a network fine-tuned on all real spectra
is written there as a preset; what it reaches on real spectra is what the networks of the last points reach.
"""

import argparse
import os
import zlib
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from accuracy_on_real_spectra import CLASSES, TYPES, read_all, sdss_of, stellar_type
from survey_ablation import kept, types

from racnet_tools.datasets import subtype_places
from racnet_tools.inference import load_preset
from racnet_tools.models import predict
from racnet_tools.models.measured import CATASTROPHIC, log_redshifts, measure_redshifts
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet, concatenate
from racnet_tools.training import TrainingConfig
from racnet_tools.training.calibrated import joint_parts
from racnet_tools.training.survey import Ingredients, joint_preprocessing, save_survey_preset, simulate_joint
from racnet_tools.training.targets import joint_targets
from racnet_tools.training.tuning import tune_on_spectra

TRAINING = TrainingConfig(epochs=3, batch_size=64, seed=1, learning_rate=3e-4)
SHARE = 0.25
REMARKS = Path(__file__).resolve().parents[1] / "data" / "presets" / "on_real_spectra_tuned.md"
FOLDS = (("ccf_lrs", "csepreghy"), ("astrospectro", "picca"), ("pylasp", "gasnet3"))
"""Sources that a network of the fine-tuning does not see; another sees none of the rest."""


class Sky:
    """All labelled real spectra, on the LAMOST grid."""

    def __init__(self, folder: Path) -> None:
        lamost, source, dr1 = read_all(folder / "lamost")
        with np.load(folder / "survey_spectra.npz", allow_pickle=False) as f:
            rows = (f["survey"] == "SDSS") & np.isin(f["label"], CLASSES)
            sdss_source = f["source"][rows]
        sdss = sdss_of(folder / "survey_spectra.npz")
        enough = np.flatnonzero((~sdss.mask).sum(axis=1) > sdss.n_pixels / 2)
        spectra = concatenate([lamost, sdss[enough]])
        self.is_sdss = np.arange(len(spectra)) >= len(lamost)
        self.source = np.concatenate([source, sdss_source[enough]])
        self.dr1 = np.concatenate([dr1, np.zeros(len(enough), bool)])
        named = np.isin(np.asarray(spectra.table["label"].filled("")), CLASSES)
        rows = np.flatnonzero(named)
        self.spectra = spectra[rows]
        self.is_sdss, self.source, self.dr1 = self.is_sdss[rows], self.source[rows], self.dr1[rows]
        self.label = np.asarray(self.spectra.table["label"].filled("")).astype(str)
        self.subclass = np.asarray(self.spectra.table["subclass"].filled("")).astype(str)
        self.object = np.array([f"{a}{b}" for a, b in zip(self.is_sdss, self.spectra.table["object_id"], strict=True)])
        self.even = np.array([zlib.crc32(name.encode()) % 2 == 0 for name in self.object])

    def part(self, rows: np.ndarray) -> SpectrumSet:
        """Spectra to train on; subtypes of DR1, which has other borders, are left out."""
        table = [
            {"label": self.label[i], "subclass": "" if self.dr1[i] else self.subclass[i], "z": self.redshift[i]}
            for i in rows
        ]
        taken = self.spectra[rows]
        return SpectrumSet(taken.wave, taken.flux, taken.ivar, taken.mask, table)

    @property
    def redshift(self) -> np.ndarray:
        """(n,), NaN where the survey gives none."""
        return np.ma.filled(np.ma.asarray(self.spectra.table["z"]).astype(float), np.nan)

    def others(self, rows: np.ndarray) -> np.ndarray:
        """Spectra of other objects than those of `rows`."""
        return np.flatnonzero(~np.isin(self.object, self.object[rows]))

    def judge(self, outputs: np.ndarray, config) -> list[str]:
        """What is right of SDSS, of S/N of 5 or more, redshifts that are wrong, and types of LAMOST later than DR1."""
        found = joint_parts(outputs, config)
        right = np.array(CLASSES)[found["probabilities"].argmax(axis=1)] == self.label
        bright = self.is_sdss & (self.spectra.median_snr() >= 5)
        told = [f"{right[where].sum()}/{where.sum()}" for where in (self.is_sdss, bright)]
        z = measure_redshifts(found["redshift"], log_redshifts(config, LAMOST_GRID)).z
        off = np.abs(z - self.redshift) / (1 + self.redshift)
        for name, limit in CATASTROPHIC.items():
            where = self.is_sdss & (self.label == name)
            told.append(f"{(off[where] > limit).sum()}/{where.sum()}")
        kind = np.array([stellar_type(one) for one in self.subclass])
        typed = ~self.is_sdss & (self.label == "STAR") & np.isin(kind, TYPES)
        about = {
            "kind": kind[typed],
            "dr1": self.dr1[typed],
            "even": self.even[typed],
            "place": subtype_places(self.subclass[typed]) + 0.5,
        }
        return [*told, *types(found["subtype"][typed], about).values()]


def with_sdss_noise(sky: Sky):
    """`make_joint_set`, with noise and coverage of SDSS spectra laid over 40 % of the spectra."""
    sdss = sky.spectra[np.flatnonzero(sky.is_sdss)]
    good = ~sdss.mask
    sigma = np.where(good, 1 / np.sqrt(np.maximum(sdss.ivar, 1e-30)), 0)
    shape = sigma / np.array([np.median(row[ok]) for row, ok in zip(sigma, good, strict=True)])[:, None]

    def make(config, n, seed, ingredients):
        spectra = simulate_joint(n, seed, ingredients)
        rng = np.random.default_rng((*seed, 8))
        rows = np.flatnonzero(rng.random(len(spectra)) < 0.4)
        taken = rng.integers(0, len(shape), len(rows))
        snr = np.exp(rng.uniform(np.log(2), np.log(60), (len(rows), 1)))
        flux, ivar, mask = spectra.flux.copy(), spectra.ivar.copy(), spectra.mask.copy()
        added = np.median(np.abs(flux[rows]), axis=1, keepdims=True) / snr * shape[taken]
        flux[rows] += (added * rng.standard_normal(added.shape)).astype(np.float32)
        variance = np.where(ivar[rows] > 0, 1 / np.maximum(ivar[rows], 1e-30), 0) + added**2
        mask[rows] |= ~good[taken]
        ivar[rows] = np.where(mask[rows] | (ivar[rows] <= 0), 0, 1 / np.maximum(variance, 1e-30))
        flux[mask] = 0
        changed = SpectrumSet(spectra.wave, flux, ivar, mask, spectra.table)
        x = joint_preprocessing(config)(changed).reshape(len(spectra), *config.input_shape)
        return x, joint_targets(spectra.table, config, CLASSES)

    return make


def aligned(model, x: np.ndarray, pool: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Outputs for `x` with its last features brought to the mean and spread of simulated ones, class by class."""
    import keras

    body = keras.Model(model.input, model.get_layer("features").output)
    head = {name: model.get_layer(name) for name in ("dense", "probabilities", "subtype")}
    simulated, y = pool
    ours, theirs = body.predict(x, verbose=0), body.predict(simulated, verbose=0)
    outputs = np.asarray(predict(model, x))
    given, true = outputs[:, :3].argmax(axis=1), np.where(y[:, :3].max(axis=1) > 0.5, y[:, :3].argmax(axis=1), -1)
    for k in range(3):
        here, there = given == k, true == k
        mean, spread = theirs[there].mean(axis=0), theirs[there].std(axis=0)
        ours[here] = (ours[here] - ours[here].mean(axis=0)) / (ours[here].std(axis=0) + 1e-3) * (spread + 1e-3) + mean
    hidden = head["dense"](ours)
    parts = [np.asarray(head[name](hidden)) for name in ("probabilities", "subtype")]
    return np.concatenate([*parts, outputs[:, 73:]], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--pool", type=Path, help="folder of simulated spectra, shared with survey_ablation.py")
    parser.add_argument("--preset", type=Path, metavar="OUTPUT", help="where to write a network fine-tuned on all")
    args = parser.parse_args()
    sky, preset = Sky(args.folder), load_preset("racnet-survey")
    start, config = preset.network(), preset.joint
    x = joint_preprocessing(config)(sky.spectra).reshape(-1, *config.input_shape)
    make = kept(args.pool or args.runs / "pool")
    header = ["racnet-survey", "SDSS", "S/N 5", "z GALAXY wrong", "z QSO wrong", "F/G/K", "subtypes off"]
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))

    def tell(title: str, outputs: np.ndarray) -> None:
        print(f"| {title} | " + " | ".join(sky.judge(outputs, config)) + " |", flush=True)

    def train(name: str, rows: np.ndarray, share: float = SHARE, **more):
        more = {"make": make, **more}
        return tune_on_spectra(start, sky.part(rows), args.runs / name, TRAINING, share=share, **more)

    def tuned(name: str, rows: np.ndarray, **more) -> np.ndarray:
        return np.asarray(predict(train(name, rows, **more).model(), x))

    everything = np.arange(len(sky.label))
    own = np.asarray(predict(start, x))
    tell("as it is", own)
    tell("features normalised at test time", aligned(start, x, make(config, 3000, (1, 1, 0), Ingredients())))
    tell("trained further, simulated spectra alone", tuned("control", everything, share=0.0))
    tell("the same, 40 % with the noise of SDSS", tuned("noise", everything, share=0.0, make=with_sdss_noise(sky)))
    for name, title in (("self", "self-training, other objects"), ("half", "fine-tuned on other objects")):
        outputs = own.copy()
        for half in (True, False):
            judged = np.flatnonzero(sky.even == half)
            others = sky.others(judged)
            told = {"targets": own[others]} if name == "self" else {}
            outputs[judged] = tuned(f"{name}-{half}", others, **told)[judged]
        tell(title, outputs)
    outputs = own.copy()
    left = everything[~np.isin(sky.source, sum(FOLDS, ()))]
    for sources in (*FOLDS, None):
        judged = np.flatnonzero(np.isin(sky.source, sources)) if sources else left
        outputs[judged] = tuned(f"without-{sources[0] if sources else 'the-rest'}", sky.others(judged))[judged]
    tell("fine-tuned on other sources", outputs)
    if args.preset:
        remarks = REMARKS.read_text(encoding="utf-8")
        print(save_survey_preset(train("everything", everything), args.preset, remarks=remarks, overwrite=True))


if __name__ == "__main__":
    main()
