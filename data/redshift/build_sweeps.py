"""Move simulated objects through redshift and keep what presets say: ``python data/redshift/build_sweeps.py``.

Writes ``sweeps.npz`` beside this file, some 15 minutes on one core. To be run again whenever a network changes: sweeps
of other weights are not shown. For each class 80 objects (seeds (82, 0) to (82, 79)) at every redshift of a grid; and,
as in the paper's Figure 8, 800 others (seed (83, 0)) at the redshifts that the simulation draws for them.
"""

import sys
from pathlib import Path

import numpy as np

from racnet_tools.evaluate import accuracy_against
from racnet_tools.evaluate.kept_sweeps import SEED, Binned, Sweep, in_steps, keep_sweeps
from racnet_tools.inference import load_preset
from racnet_tools.inference.engine import Engine
from racnet_tools.reproduce.redshift import EDGES, GRIDS
from racnet_tools.simulate import MovableObjects, simulate
from racnet_tools.spectra import concatenate

HERE = Path(__file__).resolve().parent
PRESETS = ("racnet-class", "racnet-dataset1", "racnet-dataset2", "rcnet-dataset1", "cnet-dataset1", "sscnn-dataset1")
OBJECTS, OTHERS = 80, 800


def main() -> None:
    """Simulate once, let every preset judge."""
    presets = [load_preset(name) for name in PRESETS]
    engines = [Engine(preset.model_bytes()) for preset in presets]
    sweeps = []
    for kind, z in GRIDS.items():
        p: list[list[np.ndarray]] = [[] for _ in presets]
        for i in range(OBJECTS):
            moved = MovableObjects(kind, 1, seed=(SEED, i))
            spectra = concatenate([moved.at(one) for one in z])
            for found, preset, engine in zip(p, presets, engines, strict=True):
                found.append(in_steps(engine.predict(preset.preprocessing(spectra))))
            print(kind, i, end="\r", file=sys.stderr, flush=True)
        others = simulate({kind: OTHERS}, seed=(SEED + 1, 0))
        own = np.asarray(others.table["z"], float)
        for found, preset, engine in zip(p, presets, engines, strict=True):
            given = engine.predict(preset.preprocessing(others)).argmax(axis=1)
            truth = np.full(OTHERS, preset.classes.index(kind))
            edges = EDGES[kind]
            table = accuracy_against(own, truth, given, edges)
            place = np.searchsorted(edges, np.asarray(table["low"]))
            right, n = np.zeros((2, len(edges) - 1), np.int64)
            right[place], n[place] = table["right"], table["n"]
            binned = Binned(edges, right, n)
            sweeps.append(Sweep(preset.name, preset.sha256, preset.classes, kind, z, np.stack(found), binned))
    path = keep_sweeps(sweeps, HERE / "sweeps.npz", overwrite=True)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
