"""Export of a network to ONNX, with the channel weights of every attention block as further outputs.

Input ``flux`` (n, n_pixels) float32, of a joint network (n, n_pixels, channels); outputs ``probabilities`` (n,
n_classes), of a joint network ``subtype`` and ``redshift`` too, and, for a network with attention,
``attention_1`` ... ``attention_8`` (n, channels of the block). n is free. Inside, tensors are named like the Keras
layers, and what the softmax is taken of is ``logits``. The same weights always give the same bytes, on every backend
of Keras. Reference: https://onnx.ai, opset 17.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

OPSET, IR_VERSION = 17, 8


def export_onnx(model: Network, path: str | Path, *, rounded: bool = False, overwrite: bool = False) -> Path:
    """Write a network to an ONNX file.

    Parameters
    ----------
    model
        A network made by `racnet_tools.models.build`.
    path
        File to write, usually ``model.onnx``.
    rounded
        Whether the matrices of fully connected layers are kept in 8 bits, a quarter of the size: for networks whose
        convolutions end in a fully connected layer of millions of weights.
    overwrite
        Whether an existing file may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RacnetError
        When the file exists, or `racnet_tools.models.onnx_nodes` does not know a layer of the network.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from racnet_tools.models.onnx_nodes import Nodes, translate

    path, nodes = Path(path), Nodes(rounded)
    outputs = translate(model, nodes)

    def value(name: str, width: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])

    graph = helper.make_graph(
        nodes.nodes,
        model.name,
        [helper.make_tensor_value_info("flux", TensorProto.FLOAT, ["n", *model.network_config.input_shape])],
        [value(name, width) for name, width in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in nodes.constants.items()],
    )
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="racnet_tools",
        doc_string=f"racnet_tools network {model.name}",
    )
    onnx.checker.check_model(made, full_check=True)
    with atomic_path(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(made.SerializeToString(deterministic=True))
    return path
