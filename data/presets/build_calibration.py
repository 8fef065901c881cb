"""Measure how well presets are calibrated: ``python data/presets/build_calibration.py [NAME ...]``.

Writes ``calibration.json`` into each preset's folder, all presets' by default, from simulated spectra. Some 15 s a
preset on one core. To be run again whenever a network changes: that of other weights is not shown.
"""

import sys
from pathlib import Path

import numpy as np

from racnet_tools.evaluate import expected_calibration_error, reliability
from racnet_tools.evaluate.kept_calibration import KeptCalibration, keep_calibration
from racnet_tools.inference import load_preset
from racnet_tools.inference.engine import Engine
from racnet_tools.simulate import simulate

HERE = Path(__file__).resolve().parent
SPECTRA, SEED, BINS = 3000, 61, 20


def main(names: list[str]) -> None:
    """Measure the presets of these names."""
    for name in names or sorted(folder.parent.name for folder in HERE.glob("*/labels.json")):
        preset = load_preset(HERE / name)
        each = SPECTRA // len(preset.classes)
        spectra = simulate(dict.fromkeys(preset.classes, each), seed=SEED)
        truth = spectra.table["subclass" if preset.task != "class" and "STAR" not in preset.classes else "label"]
        y = np.array([preset.classes.index(str(label)) for label in truth])
        p = Engine(preset.model_bytes()).predict(preset.preprocessing(spectra))
        table = reliability(p, y, bins=BINS)
        bins = tuple(
            (float(row["low"]), float(row["high"]), round(float(row["accuracy"]) * int(row["n"])), int(row["n"]))
            for row in table
        )
        told = f"{len(spectra):,} simulated spectra, {each:,} of each class (seed {SEED}), none of them trained on"
        error = expected_calibration_error(p, y, bins=BINS)
        print(keep_calibration(KeptCalibration(preset.sha256, told, bins, error), preset.folder, overwrite=True))
        print(f"  right {np.mean(p.argmax(axis=1) == y):.4f}, calibration error {error:.4f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
