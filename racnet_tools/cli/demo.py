"""A tour of the toolkit in a few minutes, on simulated spectra, ending in one page with pictures.

It simulates a teaching-size set, trains a RAC-Net on it for a few epochs, evaluates it on unseen spectra, looks
at the channel attention of one spectrum, and classifies the sample files of the toolkit with the shipped preset. The
training can be interrupted and goes on when the command is repeated. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError

EXAMPLE = "racnet demo --output demo_output"

_CLASSES = ("STAR", "GALAXY", "QSO")
_PER_CLASS = 800
_HELD_OUT_PER_CLASS = 150
_EPOCHS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "--output", type=Path, default=Path("demo_output"), metavar="FOLDER", help="default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the simulation and the training (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Run the tour and say where its page is."""
    from racnet_tools.plots import Page

    start = time.monotonic()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on the processor are none of the user's
    folder: Path = args.output
    if folder.exists() and any(folder.iterdir()) and not (folder / "network").is_dir():
        raise RacnetError(f"{folder} holds something else than a demo. Choose another folder with --output.")
    folder.mkdir(parents=True, exist_ok=True)
    page = Page("RAC-Net toolkit: what the demo did")
    page.text(
        "Spectra in sections 1 to 4 are simulated from templates of real objects, with LAMOST's sampling, resolution "
        "and noise. The network of sections 2 to 4 was trained for a few epochs to show how it is done; the shipped "
        "presets of section 5 were trained for longer."
    )
    spectra, held_out = _simulate(page, args.seed)
    trained = _train(page, folder, spectra, args.seed)
    engine, x = _evaluate(page, folder, trained, held_out)
    _attend(page, engine, x, held_out)
    _classify_samples(page, folder)
    page.heading("What to try next")
    page.commands(_NEXT)
    page.save(folder / "report.html", overwrite=True)
    print(f"\nDone in {time.monotonic() - start:.0f} s. Open {(folder / 'report.html').resolve()} in a browser.\n")
    print("What to try next:")
    for command, what in _NEXT:
        print(f"  {command:<72} {what}")
    return 0


_NEXT = (
    ("racnet classify YOUR_FOLDER --output catalogue.csv", "your own LAMOST, SDSS or DESI files"),
    ("racnet info FILE", "what a file holds"),
    ("racnet presets racnet-class", "what the shipped network can and cannot do"),
    ("racnet train --task stellar_type --output runs/a --preset-output my-preset", "a network of your own"),
)


def _say(text: str) -> None:
    print(f"\n== {text}", file=sys.stderr, flush=True)


def _simulate(page: Any, seed: int) -> tuple[Any, Any]:
    from racnet_tools.plots import spectrum
    from racnet_tools.simulate import simulate
    from racnet_tools.spectra import concatenate

    _say("1. Simulating spectra")
    # Two seeds of one stream: the held-out spectra share no noise, redshift or reddening with the others.
    spectra = simulate(dict.fromkeys(_CLASSES, _PER_CLASS), seed=(seed, 0))
    held_out = simulate(dict.fromkeys(_CLASSES, _HELD_OUT_PER_CLASS), seed=(seed, 1))
    page.heading("1. Simulated spectra")
    summary = concatenate([spectra, held_out]).summary()
    page.table(summary.colnames, list(summary.iterrows()))
    bright = np.asarray(held_out.table["snr_g"].filled(0)) > 15
    for label in _CLASSES:
        index = int(np.flatnonzero(bright & (np.asarray(held_out.table["label"]) == label))[0])
        z = float(held_out.table["z"][index])
        page.figure(
            spectrum(held_out, index, lines_of=label, z=z), f"A simulated {label} at z = {z:.4f}, lines marked."
        )
    return spectra, held_out


def _xy(spectra: Any) -> tuple[np.ndarray, np.ndarray]:
    from racnet_tools.spectra import Preprocessing

    return Preprocessing()(spectra), np.array([_CLASSES.index(label) for label in spectra.table["label"]])


def _train(page: Any, folder: Path, spectra: Any, seed: int) -> Any:
    from racnet_tools.models import network_config
    from racnet_tools.plots import history
    from racnet_tools.training import TrainingConfig, fit

    _say(f"2. Training a RAC-Net for {_EPOCHS} epochs")
    run_folder = folder / "network"
    if (run_folder / "finished.json").is_file():  # of an earlier demo: this one trains afresh
        shutil.rmtree(run_folder)
    part, check = spectra.split_by_object((0.9, 0.1), seed=seed)
    trained = fit(
        network_config("racnet", len(_CLASSES)),
        _xy(part),
        run_folder,
        TrainingConfig(epochs=_EPOCHS, batch_size=32, seed=seed),
        validation=_xy(check),
    )
    page.heading("2. Training")
    page.text(f"RAC-Net with {trained.model().count_params():,} parameters, {len(part)} spectra, {_EPOCHS} epochs.")
    names = trained.history[0].keys()
    curves = {name: [float(row[name]) for row in trained.history] for name in names}
    page.figure(history(curves), "Loss and accuracy after each epoch; the validation uses averaged weights.")
    return trained


def _evaluate(page: Any, folder: Path, trained: Any, held_out: Any) -> tuple[Any, np.ndarray]:
    from racnet_tools.evaluate import accuracy, confusion_table
    from racnet_tools.inference import Engine, load_preset
    from racnet_tools.plots import confusion
    from racnet_tools.spectra import Preprocessing
    from racnet_tools.training import save_preset

    _say("3. Evaluating it on spectra it has not seen")
    preset = save_preset(
        trained,
        folder / "preset",
        labels={"task": "class", "classes": list(_CLASSES), "reject_threshold": 1.0},
        preprocessing=Preprocessing(),
        card="# Demo network\n\nTrained for a few epochs on simulated spectra by `racnet demo`; for teaching only.",
        overwrite=True,
    )
    x, _ = _xy(held_out)
    engine = Engine(load_preset(preset).model_bytes())
    found = engine.predict(x).argmax(axis=1)
    truth, labels = held_out.table["label"], [_CLASSES[i] for i in found]
    share = accuracy(truth, labels)
    table = confusion_table(truth, labels, _CLASSES)
    page.heading("3. Evaluation")
    page.text(f"{share} of the simulated held-out spectra are classified right.")
    page.figure(
        confusion(np.stack([table[name] for name in _CLASSES], axis=1), _CLASSES), "Counts and shares per true class."
    )
    print(f"   accuracy on held-out simulated spectra: {share}", file=sys.stderr)
    return engine, x


def _attend(page: Any, engine: Any, x: np.ndarray, held_out: Any) -> None:
    from racnet_tools.plots import attention_map

    _say("4. Looking at the attention of one spectrum")
    one = held_out.column("label").index("QSO")
    probabilities, attention = engine.predict_with_attention(x[one : one + 1])
    page.heading("4. Channel attention")
    page.text(
        "Each of the eight blocks weights its channels between 0 and 1. A channel is a kind of feature wherever it "
        "occurs; it has no place on the wavelength axis, so this map does not show which bands matter."
    )
    chance = ", ".join(f"{name} {p:.3f}" for name, p in zip(_CLASSES, probabilities[0], strict=True))
    page.figure(attention_map(attention), f"Attention for the simulated QSO number {one}; probabilities: {chance}.")


def _classify_samples(page: Any, folder: Path) -> None:
    from racnet_tools.inference import classify
    from racnet_tools.plots import spectrum
    from racnet_tools.readers import read
    from racnet_tools.resources import data_path

    _say("5. Classifying the sample files with the shipped preset")
    spectra = read(data_path("samples"))
    table = classify(spectra)
    table.write(folder / "samples.csv", format="ascii.csv", overwrite=True)
    shown = ["label", "confidence", "subclass", "subclass_confidence", "rejected", "ood_score", "snr_r"]
    page.heading("5. The sample files, classified with the shipped preset")
    page.text(f"{len(table)} simulated spectra in LAMOST's three file layouts, read and classified from disk.")
    columns = zip(spectra.column("label"), spectra.column("subclass"), strict=True)
    given = [" ".join(filter(None, names)) for names in columns]
    page.table(
        ["file", "simulated as", *shown],
        [
            (Path(str(row["path"])).name, was, *(row[name] for name in shown))
            for row, was in zip(table, given, strict=True)
        ],
    )
    page.figure(spectrum(spectra, 0), f"{Path(str(table['path'][0])).name}, as it was read.")
    right = sum(str(row["label"]) == label for row, label in zip(table, spectra.table["label"], strict=True))
    print(f"   {right} of {len(table)} get the class they were simulated as", file=sys.stderr)
