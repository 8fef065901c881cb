"""Checkpoints: everything that the next epoch depends on, in one ``.npz`` file of plain arrays.

A checkpoint holds the weights, the optimiser's variables, the running average of the weights, the number of epochs done
and the history so far. It is written beside and renamed, so a kill leaves the previous one whole; two are kept.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.files import atomic_path

__all__ = ["find_checkpoint", "read_checkpoint", "write_checkpoint"]

KEPT = 2


def write_checkpoint(folder: Path, epoch: int, groups: dict[str, list[Any]], state: dict[str, Any]) -> Path:
    """Write the checkpoint of `epoch` finished epochs and delete all but the last two.

    Parameters
    ----------
    folder : Path
        Where checkpoints lie.
    epoch : int
        Number of finished epochs.
    groups : dict of str to list of arrays
        Arrays or Keras variables by group.
    state : dict
        Plain values, stored as JSON.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"epoch-{epoch:05d}.npz"
    arrays = {
        f"{group}/{index:04d}": _plain(value) for group, values in groups.items() for index, value in enumerate(values)
    }
    arrays["state"] = np.frombuffer(json.dumps({**state, "epoch": epoch}).encode(), np.uint8)
    with atomic_path(path, overwrite=True) as temporary:
        np.savez(temporary, **arrays)  # type: ignore[arg-type]
    for old in sorted(folder.glob("epoch-*.npz"))[:-KEPT]:
        old.unlink()
    return path


def read_checkpoint(path: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    """Read what `write_checkpoint` wrote: groups of arrays, and the plain values with ``epoch``.

    Raises
    ------
    ReadError
        When the file is damaged.
    """
    groups: dict[str, list[np.ndarray]] = {}
    try:
        with np.load(path, allow_pickle=False) as stored:
            state = json.loads(stored["state"].tobytes())
            for name in sorted(set(stored.files) - {"state"}):
                groups.setdefault(name.split("/")[0], []).append(stored[name])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ReadError(path, expected="a checkpoint of this toolkit", found=str(error)) from error
    return groups, state


def find_checkpoint(folder: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]] | None:
    """Read the last whole checkpoint of a folder; None when there is none."""
    for path in sorted(folder.glob("epoch-*.npz"), reverse=True):
        try:
            return read_checkpoint(path)
        except ReadError:
            continue  # the one before is whole: training repeats one epoch
    return None


def restore(variables: list[Any], values: list[np.ndarray], what: str) -> None:
    """Assign stored values to variables of the same number and shapes.

    Raises
    ------
    ReadError
        When they do not fit.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    found = [value.shape for value in values]
    if shapes != found:
        raise ReadError(
            what, expected=f"{len(shapes)} arrays of this network", found=f"{len(found)} that do not fit it"
        )
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _plain(value: Any) -> np.ndarray:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(value))
