"""What each ingredient of racnet-survey brings: python benchmarks/survey_ablation.py RUNS [--seeds 2] [--real FOLDER]

Networks without one ingredient at a time are trained on the same simulated spectra, 10 epochs of 12,000, a twelfth of
the preset's training; RUNS keeps runs and spectra (4 GB), and finished runs are not repeated. Each takes three minutes
on a core. FOLDER holds survey_spectra.npz as for accuracy_on_real_spectra.py: no network is chosen by it.
"""

import argparse
import os
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from accuracy_on_real_spectra import FGK, sdss_of
from fit_subtype_scale import IDENTITY, fit_scale, letters_of, mapped, typed_stars

from racnet_tools.evaluate import auroc
from racnet_tools.models import network_config, predict
from racnet_tools.models.measured import log_redshifts, measure_redshifts, measure_subtypes
from racnet_tools.models.uncertainty import joint_ood_score
from racnet_tools.reproduce.beyond import strangers
from racnet_tools.simulate import redshift_sweep, simulate
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.training import TrainingConfig
from racnet_tools.training.calibrated import joint_parts
from racnet_tools.training.survey import (
    CLASSES,
    Ingredients,
    joint_preprocessing,
    make_joint_set,
    train_on_survey,
)

VARIANTS: dict[str, tuple[dict, Ingredients]] = {
    "base": ({}, Ingredients()),
    "flux": ({"channels": 1}, Ingredients()),
    "uneven": ({}, Ingredients(even=False)),
    "plain": ({}, Ingredients(varied=False)),
    "nooutliers": ({}, Ingredients(outliers=False)),
    "noatt": ({"attention": "none"}, Ingredients()),
}
TITLES = {
    "base": "everything",
    "flux": "flux alone, without contrast and quality",
    "uneven": "redshifts and S/N as a survey meets them",
    "plain": "LAMOST's instrument alone",
    "nooutliers": "no spectra of no class",
    "noatt": "no channel attention",
}
EPOCHS, SPECTRA = 10, 12_000


def kept(folder: Path):
    """`make_joint_set`, whose spectra are the same for every seed of a training and are kept in a folder."""

    def make(config, n, seed, ingredients):
        told = "".join(str(int(value)) for value in (ingredients.even, ingredients.varied, ingredients.outliers))
        path = folder / f"{n}-{'-'.join(map(str, seed[1:]))}-{told}.npz"
        if not path.exists():
            x, y = make_joint_set(network_config("racsurvey", 3), n, (77, *seed[1:]), ingredients)
            folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(".new.npz")
            np.savez(beside, x=x.astype(np.float16), y=y.astype(np.float16))
            beside.replace(path)
        with np.load(path) as f:
            return f["x"][:, :, : config.channels].astype(np.float32), f["y"].astype(np.float32)

    return make


def asking(runs):
    """Function from spectra to the outputs of runs by their names: of several, an ensemble, their means."""
    models = [run.model() for run in runs]
    config = runs[0].network_config
    prepare = joint_preprocessing(config)

    def ask(spectra):
        x = prepare(spectra).reshape(len(spectra), *config.input_shape)
        return joint_parts(np.mean([predict(model, x) for model in models], axis=0), config)

    return ask


def judged(runs, real) -> dict[str, str]:
    """What a network reaches, or the ensemble of several."""
    ask, config = asking(runs), runs[0].network_config

    def score(found):
        confidence = measure_redshifts(found["redshift"], log_redshifts(config, LAMOST_GRID)).confidence
        return joint_ood_score(found["probabilities"], confidence)

    def right(found, label):
        return np.array(CLASSES)[found["probabilities"].argmax(axis=1)] == label

    even = simulate(dict.fromkeys(CLASSES, 600), seed=(902, 1), even=True)
    label = np.asarray(even.table["label"].astype(str))
    known = ask(even)
    told = {"all z and S/N": f"{right(known, label).mean():.2%}"}
    for kind, z in (("GALAXY", 0.0), ("QSO", 4.0)):
        moved = redshift_sweep(kind, [z], 200, seed=(902, 2))
        told[f"{kind} at z = {z:g}"] = f"{right(ask(moved), kind).mean():.1%}"
    far = label != "STAR"
    measured = measure_redshifts(known["redshift"], log_redshifts(config, LAMOST_GRID))
    z = np.asarray(even.table["z"], float)
    limit = np.where(label == "QSO", 0.05, 0.003)
    told["wrong z"] = f"{(np.abs(measured.z - z) / (1 + z) > limit)[far].mean():.2%}"
    strange = np.concatenate([score(ask(part)) for part in strangers(60, (902, 3)).values()])
    values = np.concatenate([score(known), strange])
    told["AUROC of strangers"] = f"{auroc(values, np.repeat([False, True], [len(even), len(strange)])).value:.3f}"
    if real is not None:
        sdss, (stars, about) = real
        found = right(ask(sdss), np.asarray(sdss.table["label"].astype(str)))
        told["real SDSS"] = f"{found.sum()}/{len(found)}"
        told |= types(ask(stars)["subtype"], about)
    return told


def types(subtype: np.ndarray, about: dict[str, np.ndarray]) -> dict[str, str]:
    """Types of real stars later than DR1; the scale of each half is fitted on the other half."""
    ours = measure_subtypes(subtype, IDENTITY).place
    found = np.full(len(ours), np.nan)
    for half in (about["even"], ~about["even"]):
        fitted = ~half & ~about["dr1"]
        found[half] = mapped(fit_scale(ours[fitted], about["place"][fitted]), ours[half])
    later = ~about["dr1"]
    right, some = letters_of(found) == about["kind"], np.isin(about["kind"], FGK) & later
    off = np.median(np.abs(found - about["place"])[later])
    return {"real F/G/K": f"{right[some].sum()}/{some.sum()}", "subtypes off": f"{off:.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=[*VARIANTS], help="these networks alone")
    parser.add_argument("--finished", action="store_true", help="report the finished runs alone")
    args = parser.parse_args()
    real = None
    if args.real:
        sdss = sdss_of(args.real / "survey_spectra.npz")
        real = sdss[np.flatnonzero((~sdss.mask).sum(axis=1) > sdss.n_pixels / 2)], typed_stars(args.real)
    header = None
    done: dict[str, list] = {}

    def tell(title, seed, told):
        nonlocal header
        if header is None:
            header = ["trained with", "seed", *told]
            print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        print(f"| {title} | {seed} | " + " | ".join(told.values()) + " |", flush=True)

    for seed in range(1, args.seeds + 1):
        for name in args.only:
            settings, ingredients = VARIANTS[name]
            folder = args.runs / f"{name}-{seed}"
            if args.finished and not (folder / "finished.json").exists():
                continue
            run = train_on_survey(
                network_config("racsurvey", 3, **settings),
                folder,
                TrainingConfig(epochs=EPOCHS, batch_size=64, seed=seed, learning_rate=1e-3),
                spectra_per_epoch=SPECTRA,
                ingredients=ingredients,
                make=kept(args.runs / "pool"),
            )
            done.setdefault(name, []).append(run)
            tell(TITLES[name], seed, judged([run], real))
    for name, runs in done.items():
        for n in range(2, len(runs) + 1):
            tell(f"{TITLES[name]}, ensemble of {n}", f"1 to {n}", judged(runs[:n], real))


if __name__ == "__main__":
    main()
