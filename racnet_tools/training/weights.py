"""Weights of a network in files: plain arrays, checked against the network before anything is changed.

A run keeps them in Keras' ``.weights.h5`` (HDF5, arrays only, byte-stable), a preset in its ONNX graph, from which
`load_onnx_weights` brings them back to Keras. No code is ever read from a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.files import atomic_path
from racnet_tools.models import build_from_config

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["load_onnx_weights", "load_weights", "save_weights"]


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


def load_onnx_weights(model: Network, graph: bytes, path: str | Path) -> None:
    """Give a network the weights that an ONNX graph holds, as `racnet_tools.training.export_onnx` wrote it.

    Matrices that were rounded to 8 bits come back rounded.

    Parameters
    ----------
    model
        A network of the same configuration.
    graph : bytes
        The ONNX graph.
    path
        Where it came from, for the error.

    Raises
    ------
    ReadError
        When the graph is damaged, or of another network.
    """
    import onnx
    from onnx import numpy_helper

    from racnet_tools.models.onnx_nodes import Nodes, translate

    expected = f"the {model.count_params()} weights of the network {model.name} in an ONNX graph of this toolkit"
    try:
        held = {item.name: numpy_helper.to_array(item) for item in onnx.load_from_string(graph).graph.initializer}
    except Exception as error:  # protobuf's own exceptions are not onnx's
        raise ReadError(path, expected=expected, found=f"{type(error).__name__}: {str(error)[:200]}") from error
    fresh = Nodes()
    translate(model, fresh)
    found: list[tuple[Any, np.ndarray]] = []
    for name, (variable, back) in fresh.weights.items():
        values = held.get(name)
        if values is None or values.shape != fresh.constants[name].shape:
            shape = "nothing" if values is None else f"shape {values.shape}"
            raise ReadError(path, expected=expected, found=f"{shape} where {name} should be")
        if values.dtype == np.int8:
            values = values * held[f"{name.removesuffix('.kernel')}.factors"]
        found.append((variable, back(values.astype(np.float32))))
    for variable, values in found:
        variable.assign(values)
