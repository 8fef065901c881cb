"""Move objects through redshift and keep what presets say: ``python data/redshift/build_sweeps.py [NAME ...]``.

Writes ``sweeps.npz`` beside this file: of all presets by default, some 15 minutes on one core; of those named alone,
three minutes for one, and the others' sweeps stay as they are. To be run again whenever a network changes: sweeps of
other weights are not shown. For each class 80 simulated objects (seeds (82, 0) to (82, 79)) at every redshift of a
grid; and, as in the paper's Figure 8, 800 others (seed (83, 0)) at the redshifts that the simulation draws for them.
"""

import sys
from pathlib import Path

import numpy as np

from racnet_tools.evaluate import accuracy_against
from racnet_tools.evaluate.kept_sweeps import SEED, Binned, Sweep, in_steps, keep_sweeps, kept_sweeps
from racnet_tools.inference import Preset, load_preset
from racnet_tools.inference.engine import Engine
from racnet_tools.models.measured import log_redshifts, measure_redshifts
from racnet_tools.reproduce.redshift import EDGES, GRIDS
from racnet_tools.simulate import MovableObjects, simulate
from racnet_tools.spectra import SpectrumSet, concatenate

HERE = Path(__file__).resolve().parent
PRESETS = (
    "racnet-survey", "racnet-class", "racnet-dataset1", "racnet-dataset2", "rcnet-dataset1", "cnet-dataset1",
    "sscnn-dataset1",
)  # fmt: skip
OBJECTS, OTHERS = 80, 800


class Judge:
    """A preset that says class probabilities and, if it can, redshifts."""

    def __init__(self, preset: Preset) -> None:
        self.preset, self._engine = preset, Engine(preset.model_bytes())

    def __call__(self, spectra: SpectrumSet) -> tuple[np.ndarray, np.ndarray | None]:
        """Probabilities (m, k), and redshifts (m,) or None."""
        found = self._engine.predict_all(self.preset.preprocessing(spectra))
        joint = self.preset.joint
        if joint is None:
            return found["probabilities"], None
        tried = log_redshifts(joint, self.preset.preprocessing.grid)
        return found["probabilities"], measure_redshifts(found["redshift"], tried).z


def main(names: list[str]) -> None:
    """Simulate once, let every preset judge."""
    wanted = names or list(PRESETS)
    judges = [Judge(load_preset(name)) for name in wanted]
    sweeps = [one for one in kept_sweeps() if one.preset in PRESETS and one.preset not in wanted] if names else []
    for kind, z in GRIDS.items():
        said: list[list[tuple[np.ndarray, np.ndarray | None]]] = [[] for _ in judges]
        for i in range(OBJECTS):
            moved = MovableObjects(kind, 1, seed=(SEED, i))
            spectra = concatenate([moved.at(one) for one in z])
            for found, judge in zip(said, judges, strict=True):
                found.append(judge(spectra))
            print(kind, i, end="\r", file=sys.stderr, flush=True)
        others = simulate({kind: OTHERS}, seed=(SEED + 1, 0))
        for found, judge in zip(said, judges, strict=True):
            preset = judge.preset
            p = np.stack([in_steps(probabilities) for probabilities, _ in found])
            own = [redshifts for _, redshifts in found if redshifts is not None]
            binned = _binned(judge, others, kind)
            measured = np.stack(own) if own else None
            sweeps.append(Sweep(preset.name, preset.sha256, preset.classes, kind, z, p, binned, measured))
    sweeps.sort(key=lambda one: (list(GRIDS).index(one.kind), PRESETS.index(one.preset)))
    path = keep_sweeps(sweeps, HERE / "sweeps.npz", overwrite=True)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def _binned(judge: Judge, others: SpectrumSet, kind: str) -> Binned:
    """How many objects are given their class in bins of their own redshifts."""
    given = judge(others)[0].argmax(axis=1)
    truth = np.full(len(others), judge.preset.classes.index(kind))
    edges = EDGES[kind]
    table = accuracy_against(np.asarray(others.table["z"], float), truth, given, edges)
    place = np.searchsorted(edges, np.asarray(table["low"]))
    right, n = np.zeros((2, len(edges) - 1), np.int64)
    right[place], n[place] = table["right"], table["n"]
    return Binned(edges, right, n)


if __name__ == "__main__":
    main(sys.argv[1:])
