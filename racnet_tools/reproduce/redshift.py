"""Figure 8 of the paper, both ways: accuracy in bins of redshift, and the same objects moved through redshift.

Reference: Zou et al. 2020, PASP 132, 044503, section 3.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from racnet_tools.datasets import DataSet
from racnet_tools.evaluate import accuracy_against
from racnet_tools.models import predict
from racnet_tools.reproduce.kept import kept
from racnet_tools.reproduce.runs import Trained
from racnet_tools.simulate import redshift_sweep
from racnet_tools.spectra import Preprocessing

__all__ = ["LINES", "Sweep", "binned", "sweeps"]

EDGES = {
    "STAR": np.array([-0.002, -0.0006, -0.0003, -0.0001, 0.0001, 0.0003, 0.0006, 0.002]),
    "GALAXY": np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0001]),
    "QSO": np.array([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5.0001]),
}
"""Bins of redshift."""

GRIDS = {
    "STAR": np.concatenate(
        [np.linspace(-0.01, -0.0025, 7), np.linspace(-0.002, 0.002, 17), np.linspace(0.0025, 0.01, 7)]
    ),
    "GALAXY": np.linspace(0, 1, 41),
    "QSO": np.linspace(0, 5, 51),
}
"""Redshifts that objects are moved to; stars to the paper's +-0.002 and beyond."""

LINES = {
    "STAR": [],
    "GALAXY": [(9099 / 6564.6 - 1, "H\N{GREEK SMALL LETTER ALPHA} leaves"), (9099 / 5008.2 - 1, "[O III] leaves")],
    "QSO": [
        (9099 / 6564.6 - 1, "H\N{GREEK SMALL LETTER ALPHA} leaves"),
        (3700 / 1549.1 - 1, "C IV enters"),
        (3700 / 1215.7 - 1, "Ly\N{GREEK SMALL LETTER ALPHA} enters"),
    ],
}
"""Redshifts at which strong lines leave or enter 3700 to 9099 Angstrom (vacuum wavelengths in Angstrom)."""


def binned(trained: Trained, data: DataSet) -> dict[str, Table]:
    """Accuracy of each class in bins of redshift, on the test part: the paper's Figure 8.

    Returns
    -------
    dict of str to Table
        Class to the table of `racnet_tools.evaluate.accuracy_against`.
    """
    rows = data.index["test"][:, 0]
    z = np.asarray(data.store.column("z"))[rows].astype(float)
    found = {}
    for k, name in enumerate(data.classes):
        here = trained.y == k
        edges = EDGES.get(name, EDGES["STAR"])
        if name != "UNKNOWN" and here.any():
            found[name] = accuracy_against(z[here], trained.y[here], trained.predicted[here], edges)
    return found


@dataclass(frozen=True)
class Sweep:
    """Probabilities of the same objects at several redshifts.

    Attributes
    ----------
    kind : str
        Class of the objects.
    classes : tuple of str
        Of the network.
    z : (n_z,) array
    p : (n_objects, n_z, n_classes) array
    """

    kind: str
    classes: tuple[str, ...]
    z: np.ndarray
    p: np.ndarray

    def kept(self) -> np.ndarray:
        """Objects that are still given their class, (n_z,) int."""
        return (self.p.argmax(axis=2) == self.classes.index(self.kind)).sum(axis=0)


def sweeps(trained: Trained, n_objects: int, folder: Path) -> list[Sweep]:
    """Move simulated objects of every class of a network through redshift and let it classify them.

    Parameters
    ----------
    trained : Trained
    n_objects : int
        Of each class.
    folder : Path
        Where results are kept: a finished sweep is not made again.
    """
    classes = tuple(trained.run.config["data"]["recipe"]["classes"])
    model = cache(trained.run.model)  # built for the first sweep that is missing
    found = []
    for kind in classes:
        if kind == "UNKNOWN":
            continue
        z = GRIDS.get(kind, GRIDS["STAR"])
        path = folder / f"sweep-{kind}-{n_objects}-{trained.run.folder.name}-{trained.experiment.dataset}.npz"
        stored = kept(path, partial(_moved, model, kind, z, n_objects))
        found.append(Sweep(kind, classes, stored["z"], stored["p"]))
    return found


def _moved(model: Callable[[], Any], kind: str, z: np.ndarray, n_objects: int) -> dict[str, np.ndarray]:
    """The arrays of `Sweep`."""
    pieces = []
    for start in range(0, n_objects, 20):  # bounded memory
        spectra = redshift_sweep(kind, z, min(20, n_objects - start), seed=(8, start))
        p = predict(model(), Preprocessing()(spectra))
        pieces.append(p.reshape(-1, len(z), p.shape[1]))
    return {"p": np.concatenate(pieces), "z": z}
