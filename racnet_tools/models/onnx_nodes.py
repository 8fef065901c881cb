"""What each kind of layer is in ONNX: the table that `racnet_tools.training.export_onnx` follows.

Features (n, length, channels) become (n, channels, 1, length): ONNX Runtime computes such maps, of images one pixel
high, in its blocked layout and joins convolution, sum and ReLU; true one-dimensional convolutions it does not. Tensors
are named like the layers they come from, so that any of them can be asked for by that name.

Reference: ONNX operators, opset 17, https://onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import keras

__all__ = ["TRANSLATIONS", "Nodes", "translate"]


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _kernel_to_onnx(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(2, 1, 0)[:, :, None, :]


def _kernel_to_keras(kernel: np.ndarray) -> np.ndarray:
    return kernel[:, :, 0, :].transpose(2, 1, 0)


class Nodes:
    """Nodes and constants of a graph that is being written; every tensor's name is said by the caller.

    Parameters
    ----------
    rounded : bool
        Whether the matrices of fully connected layers are kept in 8 bits: whole numbers from -127 to 127 times one
        factor for each neuron.

    Attributes
    ----------
    nodes, constants : list of NodeProto, dict of str to array
        What was written.
    weights : dict of str to tuple
        Name of each constant that holds weights: the Keras variable, and the function that turns the constant back.
    """

    def __init__(self, rounded: bool = False) -> None:
        self.rounded = rounded
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}
        self.weights: dict[str, tuple[Any, Callable[[np.ndarray], np.ndarray]]] = {}

    def add(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name, which is the node's too."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant and return its name."""
        self.constants[name] = np.ascontiguousarray(values, dtype=dtype)
        return name

    def weight(
        self,
        name: str,
        variable: Any,
        turned: Callable[[np.ndarray], np.ndarray] = _same,
        back: Callable[[np.ndarray], np.ndarray] = _same,
    ) -> str:
        """Add a Keras variable, `turned` to ONNX's order of axes, as a constant and return its name."""
        from keras import ops

        self.weights[name] = (variable, back)
        return self.constant(name, turned(np.asarray(ops.convert_to_numpy(variable), np.float32)))

    def convolution(self, source: str, kernel: Any, bias: Any, name: str, stride: int = 1, length: int = 1) -> str:
        """Convolve with a Keras kernel (width, in, out), zeros added as Keras' "same" does, the odd one at the end.

        With a stride the zeros depend on the input's `length`: they make ceil(length / stride) pixels.
        """
        width = kernel.shape[0]
        added = max((-(-length // stride) - 1) * stride + width - length, 0) if stride > 1 else width - 1
        before = added // 2
        inputs = [source, self.weight(f"{name}.kernel", kernel, _kernel_to_onnx, _kernel_to_keras)]
        if bias is not None:
            inputs.append(self.weight(f"{name}.bias", bias))
        pads = [0, before, 0, added - before]
        strides = {"strides": [1, stride]} if stride > 1 else {}
        return self.add("Conv", inputs, name, kernel_shape=[1, width], pads=pads, **strides)

    def dense(self, source: str, kernel: Any, bias: Any, name: str) -> str:
        """Multiply (n, in) by a Keras kernel (in, out) and add the bias."""
        matrix = self.weight(f"{name}.kernel", kernel)
        if self.rounded:
            values = self.constants[matrix]
            factors = np.maximum(np.abs(values).max(axis=0), np.finfo(np.float32).tiny) / 127
            self.constant(matrix, np.rint(values / factors), np.int8)
            factors = self.constant(f"{name}.factors", factors)
            # Not DequantizeLinear: the runtime may then round the features too
            matrix = self.add("Cast", [matrix], f"{name}.whole", to=1)
            matrix = self.add("Mul", [matrix, factors], f"{name}.matrix")
        return self.add("Gemm", [source, matrix, self.weight(f"{name}.bias", bias)], name)

    def summary(self, operator: str, source: str, name: str) -> str:
        """Reduce features to (n, channels) by ``GlobalAveragePool`` or ``GlobalMaxPool``."""
        return self.add("Flatten", [self.add(operator, [source], f"{name}.map")], name, axis=1)

    def activation(self, function: Any, source: str, name: str) -> str:
        """Apply a layer's own activation, known by its Keras name."""
        kind = getattr(function, "__name__", str(function))
        if kind not in _ACTIVATIONS:
            raise RacnetError(
                f"ONNX export knows the activations {', '.join(_ACTIVATIONS)}. Received: {kind} in {name}."
            )
        return self.add(_ACTIVATIONS[kind], [source], name, **({"axis": 1} if kind == "softmax" else {}))


_ACTIVATIONS = {"relu": "Relu", "softmax": "Softmax", "sigmoid": "Sigmoid"}


def _activated(to: Nodes, layer: Any, name: str, build: Callable[[str], str]) -> str:
    """What `build(name)` makes, followed by the layer's activation; before the class probabilities it is ``logits``."""
    kind = getattr(layer.activation, "__name__", "")
    if kind == "linear":
        return build(name)
    before = "logits" if name == "probabilities" else f"{name}.linear"
    return to.activation(layer.activation, build(before), name)


# --- Layers of Keras


def _rescaling(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    if np.any(np.asarray(layer.offset)):
        raise RacnetError(f"ONNX export knows Rescaling without offset. Received: {layer.offset} in {name}.")
    if len(layer.input.shape) == 2:
        return to.add("Mul", [inputs[0], to.constant(f"{name}.scale", layer.scale)], name)
    scaled = to.add("Mul", [inputs[0], to.constant(f"{name}.scale", layer.scale)], f"{name}.scaled")
    turned = to.add("Transpose", [scaled], f"{name}.transposed", perm=[0, 2, 1])
    return to.add("Unsqueeze", [turned, to.constant(f"{name}.axes", [2], np.int64)], name)


def _reshape(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    shape, rank = tuple(layer.target_shape), len(layer.input.shape)
    if rank == 2 and len(shape) == 2 and 1 in shape:  # a spectrum as one channel, or channel weights for every pixel
        axes = [1, 2] if shape[1] == 1 else [2, 3]
        return to.add("Unsqueeze", [inputs[0], to.constant(f"{name}.axes", axes, np.int64)], name)
    raise RacnetError(f"ONNX export knows Reshape to (length, 1) or (1, channels). Received: {shape} in {name}.")


def _convolution(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    if layer.padding != "same" or tuple(layer.dilation_rate) != (1,) or layer.groups != 1:
        raise RacnetError(f"ONNX export knows convolutions padded to the same length. Received: {name}.")
    bias = layer.bias if layer.use_bias else None
    stride, length = int(layer.strides[0]), layer.input.shape[1]
    return _activated(
        to, layer, name, lambda to_name: to.convolution(inputs[0], layer.kernel, bias, to_name, stride, length)
    )


def _batch_normalisation(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    constants = [to.weight(f"{name}.{part}", getattr(layer, part)) for part in parts]
    return to.add("BatchNormalization", [inputs[0], *constants], name, epsilon=float(layer.epsilon))


def _pooling(operator: str) -> Callable[..., str]:
    def pooling(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
        size, stride = int(layer.pool_size[0]), int(layer.strides[0])
        if layer.padding != "valid":
            raise RacnetError(f"ONNX export knows poolings without padding. Received: {layer.padding} in {name}.")
        return to.add(operator, inputs, name, kernel_shape=[1, size], strides=[1, stride])

    return pooling


def _global(operator: str) -> Callable[..., str]:
    return lambda to, layer, inputs, name: to.summary(operator, inputs[0], name)


def _plain(operator: str, **attributes: Any) -> Callable[..., str]:
    return lambda to, layer, inputs, name: to.add(operator, inputs, name, **attributes)


def _flatten(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    source = inputs[0]
    if len(layer.input.shape) == 3:  # Keras counts channels fastest
        source = to.add("Transpose", [source], f"{name}.transposed", perm=[0, 2, 3, 1])
    return to.add("Flatten", [source], name, axis=1)


def _dense(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    return _activated(to, layer, name, lambda to_name: to.dense(inputs[0], layer.kernel, layer.bias, to_name))


# --- Layers of racnet_tools.models.correlation


def _position_bias(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    bias = to.weight(f"{name}.bias", layer.bias, lambda values: values.T[None, :, None], lambda kept: kept[0, :, 0].T)
    return to.add("Add", [inputs[0], bias], name)


def _redshift_correlation(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    template = to.weight(f"{name}.template", layer.template, np.transpose, np.transpose)
    rows = to.constant(f"{name}.places", layer.places(), np.int64)  # the matrix is made when the graph is loaded
    matrix = to.add("Gather", [template, rows], f"{name}.shifted", axis=1)
    shape = to.constant(f"{name}.shape", [-1, layer.n_redshifts], np.int64)
    matrix = to.add("Reshape", [matrix, shape], f"{name}.matrix")
    flat = to.add("Flatten", [inputs[0]], f"{name}.flat", axis=1)
    scores = to.add("Gemm", [flat, matrix, to.weight(f"{name}.bias", layer.bias)], f"{name}.scores")
    return to.add("Softmax", [scores], name, axis=1)


# --- Attention layers of racnet_tools.models.attention


def _channel_attention(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    both = [to.summary(f"Global{kind}Pool", inputs[0], f"{name}.{kind.lower()}") for kind in ("Max", "Average")]
    summary = to.add("Concat", both, f"{name}.summary", axis=1)
    return to.add("Sigmoid", [to.dense(summary, layer.kernel, layer.bias, f"{name}.sum")], name)


def _perceptron(to: Nodes, layer: Any, summary: str, name: str) -> str:
    hidden = to.dense(summary, layer.squeeze, layer.squeeze_bias, f"{name}.squeezed")
    hidden = to.add("Relu", [hidden], f"{name}.squeezed_relu")
    return to.dense(hidden, layer.excite, layer.excite_bias, f"{name}.excited")


def _squeeze_excitation(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    mean = to.summary("GlobalAveragePool", inputs[0], f"{name}.average")
    return to.add("Sigmoid", [_perceptron(to, layer, mean, name)], name)


def _convolutional_attention(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    parts = []
    for kind in ("Average", "Max"):
        prefix = f"{name}.{kind.lower()}"
        parts.append(_perceptron(to, layer, to.summary(f"Global{kind}Pool", inputs[0], prefix), prefix))
    return to.add("Sigmoid", [to.add("Add", parts, f"{name}.sum")], name)


def _efficient_attention(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    mean = to.add("GlobalAveragePool", inputs, f"{name}.average")
    row = to.add("Transpose", [mean], f"{name}.row", perm=[0, 2, 3, 1])  # the channels take the place of the pixels
    weights = to.add("Sigmoid", [to.convolution(row, layer.kernel, None, f"{name}.sum")], f"{name}.sigmoid")
    return to.add("Flatten", [weights], name, axis=1)


def _position_gate(to: Nodes, layer: Any, inputs: list[str], name: str) -> str:
    both = [to.add(f"Reduce{kind}", inputs, f"{name}.{kind.lower()}", axes=[1], keepdims=1) for kind in ("Max", "Mean")]
    summary = to.add("Concat", both, f"{name}.summary", axis=1)
    summed = to.convolution(summary, layer.kernel, layer.bias, f"{name}.sum")
    return to.add("Sigmoid", [summed], name)


TRANSLATIONS: dict[str, Callable[[Nodes, keras.layers.Layer, list[str], str], str]] = {
    "Add": _plain("Add"),
    "AveragePooling1D": _pooling("AveragePool"),
    "BatchNormalization": _batch_normalisation,
    "ChannelAttention": _channel_attention,
    "Concatenate": _plain("Concat", axis=1),
    "Conv1D": _convolution,
    "ConvolutionalChannelAttention": _convolutional_attention,
    "Dense": _dense,
    "Dropout": lambda to, layer, inputs, name: inputs[0],
    "EfficientChannelAttention": _efficient_attention,
    "Flatten": _flatten,
    "GlobalAveragePooling1D": _global("GlobalAveragePool"),
    "GlobalMaxPooling1D": _global("GlobalMaxPool"),
    "MaxPooling1D": _pooling("MaxPool"),
    "Multiply": _plain("Mul"),
    "PositionBias": _position_bias,
    "PositionGate": _position_gate,
    "ReLU": _plain("Relu"),
    "RedshiftCorrelation": _redshift_correlation,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "SqueezeExcitation": _squeeze_excitation,
}
"""By the layer's class: a function of (`Nodes`, layer, names of its inputs, name of its output) that adds its nodes and
returns the name of its output. A new kind of layer needs one more entry."""


def translate(model: Any, nodes: Nodes) -> dict[str, int]:
    """Add every layer of a network to `nodes`; returns the outputs' names with their widths.

    Parameters
    ----------
    model
        A network made by `racnet_tools.models.build`, with the input ``flux``.
    nodes : Nodes
        Receives the nodes, the constants and where each weight belongs.

    Raises
    ------
    RacnetError
        When `TRANSLATIONS` does not know a layer, or not in this form.
    """
    attention = {layer: f"attention_{index}" for index, layer in enumerate(model.attention_layers(), start=1)}
    outputs = dict(model.network_config.output_widths)
    known = {id(model.inputs[0]): "flux"}
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer" or layer.name == "joint":  # outputs are joined for training alone
            continue
        if kind not in TRANSLATIONS:
            raise RacnetError(
                f"Expected layers of the kinds {', '.join(TRANSLATIONS)}. Received: {layer.name}, a {kind}. Say what "
                "it is in ONNX in racnet_tools.models.onnx_nodes.TRANSLATIONS."
            )
        inputs = [known[id(tensor)] for tensor in (layer.input if isinstance(layer.input, list) else [layer.input])]
        name = attention.get(layer.name, layer.name)
        known[id(layer.output)] = TRANSLATIONS[kind](nodes, layer, inputs, name)
        if layer.name in attention:
            outputs[name] = layer.output.shape[-1]
    return outputs
