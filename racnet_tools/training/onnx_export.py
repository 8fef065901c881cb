"""Export of a network to ONNX, with the channel weights of every attention block as further outputs.

Input ``flux`` (n, n_pixels) float32; outputs ``probabilities`` (n, n_classes) and, for a network with attention,
``attention_1`` ... ``attention_8`` (n, channels of the block). n is free. Reference: https://onnx.ai, opset 17.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    from racnet_tools.models.network import ResidualNetwork

OPSET = 17


def export_onnx(model: ResidualNetwork, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a network to an ONNX file.

    Parameters
    ----------
    model
        A network made by `racnet_tools.models.build`.
    path
        File to write, usually ``model.onnx``.
    overwrite
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RacnetError
        When the file exists, or the exported graph does not have the outputs that were asked for.
    """
    import keras
    import numpy as np
    import onnx

    path = Path(path)
    attention = model.attention_layers()
    names = ["probabilities", *(f"attention_{index}" for index in range(1, len(attention) + 1))]
    probe = keras.Model(model.input, [model.output, *(model.get_layer(name).output for name in attention)])
    probe.predict_on_batch(np.zeros((1, model.network_config.n_pixels), np.float32))  # a never called model is refused

    with tempfile.TemporaryDirectory() as folder, _quiet():
        raw = Path(folder) / "raw.onnx"
        signature = [keras.layers.InputSpec(shape=(None, model.network_config.n_pixels), dtype="float32", name="flux")]
        probe.export(str(raw), format="onnx", verbose=False, input_signature=signature, opset_version=OPSET)
        graph = onnx.load(str(raw))
    _rename(graph, names)
    graph.doc_string = f"racnet_tools network {model.name}"
    onnx.checker.check_model(graph)
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
    return path


def _rename(model: Any, names: list[str]) -> None:
    """Give the graph's only input and its outputs their public names, and n as the name of the free dimension."""
    graph = model.graph
    if len(graph.input) != 1 or len(graph.output) != len(names):
        raise RacnetError(
            f"The exported graph should have 1 input and {len(names)} outputs. "
            f"Received: {len(graph.input)} and {len(graph.output)}"
        )
    new = {graph.input[0].name: "flux", **dict(zip((out.name for out in graph.output), names, strict=True))}
    for node in graph.node:
        for fields in (node.input, node.output):
            fields[:] = [new.get(name, name) for name in fields]
    for value in (*graph.input, *graph.output):
        value.name = new[value.name]
        value.type.tensor_type.shape.dim[0].dim_param = "n"


@contextlib.contextmanager
def _quiet() -> Any:
    """Keep the converters' own reports away from the user's terminal."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(previous)
