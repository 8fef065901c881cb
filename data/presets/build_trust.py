"""Run the trust checks of presets on simulated spectra: ``python data/presets/build_trust.py [NAME ...]``.

Writes ``trust.json`` into each preset's folder, all presets' by default, and prints the table. Needs TensorFlow for the
gradients; some minutes a preset on one core. To be run again whenever a network changes: results of other
weights are not shown.
"""

import sys
from pathlib import Path

from racnet_tools.explain.check import checks_table
from racnet_tools.explain.methods import trust_of
from racnet_tools.explain.trust import keep_trust
from racnet_tools.inference import load_preset
from racnet_tools.simulate import simulate

HERE = Path(__file__).resolve().parent
METHODS = ("occlusion", "integrated-gradients")
COMPARED = ("sscnn-dataset1",)
"""Occlusion alone: the gradients of 1D SSCNN would take an hour."""
SPECTRA, SEED = 30, 20


def main(names: list[str]) -> None:
    """Check the presets of these names."""
    for name in names or sorted(folder.parent.name for folder in HERE.glob("*/labels.json")):
        preset = load_preset(HERE / name)
        each = SPECTRA // len(preset.classes)
        spectra = simulate(dict.fromkeys(preset.classes, each), seed=SEED)
        told = f"{len(spectra)} simulated spectra, {each} of each class"
        trust = trust_of(preset, preset.preprocessing(spectra), METHODS[:1] if name in COMPARED else METHODS, told)
        print(keep_trust(trust, preset.folder, overwrite=True))
        table = checks_table(trust.checks)
        table["name", "method", "value", "lower", "upper", "control", "n", "verdict"].pprint(-1, -1)
        print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
