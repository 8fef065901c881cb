"""Weights of a network in files: plain arrays, checked against the network before anything is changed.

The format is Keras' ``.weights.h5`` (HDF5, arrays only, byte-stable); no code is ever read from a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.errors import ReadError
from racnet_tools.files import atomic_path
from racnet_tools.models import build_from_config

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["load_weights", "save_weights"]


def save_weights(model: Network, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write the weights of a network to a ``.weights.h5`` file, without the optimiser's variables.

    Raises
    ------
    RacnetError
        When the file exists and `overwrite` is false.
    """
    path = Path(path)
    plain = build_from_config(model.network_config)  # a network that was trained would save its optimiser too
    plain.set_weights(model.get_weights())
    with atomic_path(path, overwrite=overwrite) as temporary:
        plain.save_weights(temporary)
    return path


def load_weights(model: Network, path: str | Path) -> None:
    """Read the weights of a network from a ``.weights.h5`` file.

    Raises
    ------
    ReadError
        When the file is missing, damaged, or of another network.
    """
    path = Path(path)
    expected = f"the {model.count_params()} weights of the network {model.name} in a .weights.h5 file"
    if not path.is_file():
        raise ReadError(path, expected=expected, found="no such file")
    try:
        model.load_weights(path)
    except Exception as error:  # Keras and h5py raise many kinds, none of them documented
        raise ReadError(path, expected=expected, found=f"{type(error).__name__}: {str(error)[:200]}") from error
