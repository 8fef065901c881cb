"""Changes to a network's ONNX graph: outputs more or fewer, and attention weights that can be forced.

The tensors of a preset's graph are named like the layers of the Keras network (``block3_output``, ``block3_conv1``;
``logits`` is what the softmax is taken of), so that a look inside needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import onnx

__all__ = ["with_forced_attention", "with_outputs", "without_outputs"]


def with_outputs(model: bytes, names: Sequence[str]) -> bytes:
    """Make tensors inside a graph outputs of it, after those that it has.

    Parameters
    ----------
    model : bytes
        The ONNX graph, as `racnet_tools.inference.Preset.model_bytes` gives it.
    names : sequence of str
        Tensors: features such as ``block3_output``, (n, channels, length) from `Engine.run`, or ``logits``,
        (n, n_classes). Those that are outputs already are passed over.

    Returns
    -------
    bytes
        The new graph.

    Raises
    ------
    RacnetError
        If the graph has no such tensor.
    """
    from onnx import TensorProto, helper

    loaded = _load(model)
    made = {name for node in loaded.graph.node for name in node.output}
    strange = [name for name in names if name not in made]
    if strange:
        near = sorted(name for name in made if "." not in name and "/" not in name)
        raise RacnetError(
            f"The network has no tensor named {', '.join(strange)}. Named like its layers are: {', '.join(near[:80])}. "
            "(A preset written before tensors had these names must be written again.)"
        )
    there = {value.name for value in loaded.graph.output}
    for name in dict.fromkeys(names):
        if name not in there:
            loaded.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return loaded.SerializeToString(deterministic=True)


def without_outputs(model: bytes, names: Sequence[str]) -> bytes:
    """Take outputs away from a graph, and all that leads to them alone.

    Parameters
    ----------
    model : bytes
        The ONNX graph.
    names : sequence of str
        Outputs that nobody asks for; those that the graph does not have are passed over.

    Returns
    -------
    bytes
        The new graph, which takes less memory where it is loaded.
    """
    loaded = _load(model)
    graph = loaded.graph
    needed = {value.name for value in graph.output if value.name not in names}
    _drop(graph.output, lambda value: value.name in needed)
    # Against the order of computation: what leads to a node is known when the node is met
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
    _drop(graph.node, lambda node: not needed.isdisjoint(node.output))
    _drop(graph.initializer, lambda item: item.name in needed)
    return loaded.SerializeToString(deterministic=True)


def with_forced_attention(model: bytes) -> bytes:
    """Make a graph whose channel weights can be set from outside.

    The weights a (n, channels) of block k act as ``a * keep_k + forced_k``, two further inputs of shape (channels,)
    that are 1 and 0 where nothing is said; the outputs ``attention_k`` still tell a.

    Parameters
    ----------
    model : bytes
        The ONNX graph of a network with attention.

    Returns
    -------
    bytes
        The new graph, for `Engine.run` with `inputs`.

    Raises
    ------
    RacnetError
        If the network has no attention.
    """
    from onnx import TensorProto, helper, numpy_helper

    loaded = _load(model)
    graph = loaded.graph
    weights = [value for value in graph.output if value.name.startswith("attention_")]
    if not weights:
        raise RacnetError("Only a network with attention has channel weights to force; this one has no attention.")
    for value in weights:
        name, number = value.name, value.name.removeprefix("attention_")
        channels = value.type.tensor_type.shape.dim[1].dim_value
        place = next(index for index, node in enumerate(graph.node) if name in node.output)
        for node in graph.node:
            node.input[:] = [f"{name}.forced" if used == name else used for used in node.input]
        graph.node.insert(place + 1, helper.make_node("Mul", [name, f"keep_{number}"], [f"{name}.kept"]))
        graph.node.insert(place + 2, helper.make_node("Add", [f"{name}.kept", f"forced_{number}"], [f"{name}.forced"]))
        for put, default in ((f"keep_{number}", np.ones), (f"forced_{number}", np.zeros)):
            graph.input.append(helper.make_tensor_value_info(put, TensorProto.FLOAT, [channels]))
            graph.initializer.append(numpy_helper.from_array(default(channels, np.float32), put))
    return loaded.SerializeToString(deterministic=True)


def _drop(field: Any, stays: Callable[[Any], bool]) -> None:
    """Take away, in place, what does not stay."""
    for place in reversed(range(len(field))):
        if not stays(field[place]):
            del field[place]


def _load(model: bytes) -> onnx.ModelProto:
    import onnx

    try:
        return onnx.load_from_string(model)
    except Exception as error:  # protobuf's own exceptions are not onnx's
        raise RacnetError(f"Expected an ONNX graph. Received {len(model)} bytes that are none: {error}") from error
