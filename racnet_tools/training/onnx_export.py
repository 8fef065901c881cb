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
    from racnet_tools.models.network import Network

OPSET = 17


def export_onnx(model: Network, path: str | Path, *, overwrite: bool = False) -> Path:
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
    _fuse(graph)
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


def _fuse(model: Any) -> None:
    """Let each ReLU follow its convolution directly, so that the runtime computes the two as one (1.1 times as fast).

    The converter makes a one-dimensional convolution of a two-dimensional one and drops the added axis before the ReLU
    only to add it again after; where that is so, the two steps go. The results stay the same to the last bit.
    """
    graph = model.graph
    source = {name: node for node in graph.node for name in node.output}
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    for relu in [node for node in graph.node if node.op_type == "Relu"]:
        squeeze = source.get(relu.input[0])
        unsqueezed = users.get(relu.output[0], [])
        if squeeze is None or squeeze.op_type != "Squeeze" or len(users[squeeze.output[0]]) > 1:
            continue
        if not unsqueezed or any(node.op_type != "Unsqueeze" for node in unsqueezed):
            continue
        relu.input[0] = squeeze.input[0]
        for node in unsqueezed:
            for user in users[node.output[0]]:
                user.input[:] = [relu.output[0] if name == node.output[0] else name for name in user.input]
            graph.node.remove(node)
        graph.node.remove(squeeze)
        stale = [info for info in graph.value_info if info.name == relu.output[0]]
        for info in stale:  # its shape has an axis more now
            graph.value_info.remove(info)


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
