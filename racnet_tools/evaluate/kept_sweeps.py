"""What presets say of the same simulated objects at many redshifts, kept in ``data/redshift/sweeps.npz``.

The file holds probabilities, and the redshifts that joint networks measure. The spectra behind them are simulated again
when somebody wants to see them: object `i` of a class is ``MovableObjects(kind, 1, seed=(SEED, i))``, the same on every
machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.accuracy import wilson_interval
from racnet_tools.files import atomic_path
from racnet_tools.resources import data_path

__all__ = ["SEED", "Binned", "Sweep", "keep_sweeps", "kept_sweeps"]

SEED = 82
_STEPS = 255  # of a probability, which is kept in a byte


@dataclass(frozen=True)
class Binned:
    """Accuracy in bins of the redshifts that objects have: borders (m + 1,), number right (m,) and number (m,)."""

    edges: np.ndarray
    right: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Sweep:
    """Probabilities that one preset gives the objects of one class at every redshift.

    Attributes
    ----------
    preset : str
    sha256 : str
        Of its network.
    classes : tuple of str
    kind : str
        True class.
    z : (m,) float64
    p : (n, m, k) uint8
        Probabilities in steps of 1/255.
    binned : Binned
        The paper's way: other objects, each at its own redshift.
    measured : (n, m) float32, optional
        Redshifts that the network measures; None where it measures none.
    """

    preset: str
    sha256: str
    classes: tuple[str, ...]
    kind: str
    z: np.ndarray
    p: np.ndarray
    binned: Binned
    measured: np.ndarray | None = None

    def given(self) -> np.ndarray:
        """Class given to each object at each redshift, (n, m) index of `classes`."""
        return self.p.argmax(axis=2)

    def accuracy(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Share of the objects given their class at each redshift, and its 95 % Wilson interval (lower, upper)."""
        right = (self.given() == self.classes.index(self.kind)).sum(axis=0)
        limits = np.array([wilson_interval(int(count), len(self.p)) for count in right])
        return right / len(self.p), limits[:, 0], limits[:, 1]


def keep_sweeps(sweeps: list[Sweep], path: Path, overwrite: bool = False) -> Path:
    """Write sweeps into one compressed file."""
    arrays: dict[str, np.ndarray] = {}
    about = []
    for i, one in enumerate(sweeps):
        about.append({"preset": one.preset, "sha256": one.sha256, "classes": list(one.classes), "kind": one.kind})
        arrays |= {f"z{i}": one.z, f"p{i}": one.p, f"edges{i}": one.binned.edges}
        arrays |= {f"right{i}": one.binned.right, f"n{i}": one.binned.n}
        if one.measured is not None:
            arrays[f"measured{i}"] = one.measured.astype(np.float32)
    with atomic_path(path, overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    return path


def kept_sweeps(networks: Mapping[str, str] | None = None) -> list[Sweep]:
    """The sweeps that ship.

    Parameters
    ----------
    networks : mapping of str to str, optional
        Preset to the SHA-256 of its network: those of other networks are left out.

    Raises
    ------
    RacnetError
        If the file cannot be understood.
    """
    path = data_path("redshift", "sweeps.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            return [
                Sweep(
                    **{**row, "classes": tuple(row["classes"])},
                    z=file[f"z{i}"],
                    p=file[f"p{i}"],
                    binned=Binned(file[f"edges{i}"], file[f"right{i}"], file[f"n{i}"]),
                    measured=file.get(f"measured{i}"),
                )
                for i, row in enumerate(about)
                if networks is None or networks.get(row["preset"]) == row["sha256"]
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RacnetError(f"{path}: expected kept sweeps; found {error!r}. Reinstall racnet-tools.") from error


def in_steps(p: np.ndarray) -> np.ndarray:
    """Probabilities in the steps of the file; the largest stays the largest."""
    steps = np.round(p * _STEPS).astype(np.int16)
    best = p.argmax(axis=-1)
    tied = steps.argmax(axis=-1) != best
    np.put_along_axis(steps, best[..., None], np.take_along_axis(steps, best[..., None], -1) + tied[..., None], -1)
    return np.clip(steps, 0, _STEPS).astype(np.uint8)
