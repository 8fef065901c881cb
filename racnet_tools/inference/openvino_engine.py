"""A network run by OpenVINO, on processors where it is quicker than ONNX Runtime: class probabilities alone.

In float32 it agrees with ONNX Runtime to 1e-5. In bfloat16, for which new server processors have units of their own, a
pass costs a third, but probabilities near a border between classes are off by up to 0.1. So each spectrum whose class
is not clear there is computed again in float32: what is kept of bfloat16 has a probability of `CLEAR` or more, where an
error of the logits hardly moves it (dp = p (1 - p) dlogit).

Every batch has the same shape, the last one filled up, and a stream of computation has one thread, so that results do
not depend on the number of threads. Reference: https://docs.openvino.ai, CPU device, inference precision.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.engine import checked_flux

__all__ = ["CLEAR", "OpenVinoEngine"]

#: Probability of the best class from which a result of bfloat16 is kept.
CLEAR = 0.97
_BATCH_SIZE = 16  # the cheapest measured, of 4 to 64
_AGAIN = 4  # of a few spectra that are computed again: what fills up a batch is computed too
# OpenVINO 2026.4 now and then waited for ever when two threads of a process asked at a time.
_ONE_AT_A_TIME = threading.Lock()


class OpenVinoEngine:
    """A network ready to be evaluated; may be shared between threads.

    Parameters
    ----------
    model : bytes
        An ONNX graph, as for `racnet_tools.inference.Engine`.
    batch_size : int, optional
        Spectra in one pass.
    bfloat16 : bool
        Whether spectra of a clear class are computed in bfloat16.

    Attributes
    ----------
    n_pixels, n_classes : int
        Width of the input and of the probabilities.

    Raises
    ------
    RacnetError
        If OpenVINO is not installed, the graph is no such network, or the processor has no bfloat16.
    """

    def __init__(self, model: bytes, batch_size: int | None = None, *, bfloat16: bool = False) -> None:
        try:
            import openvino
        except ImportError as error:
            raise RacnetError("The engine openvino is not installed: pip install 'racnet-tools[fast]'.") from error
        self.batch_size = _BATCH_SIZE if batch_size is None else int(batch_size)
        if self.batch_size < 1:
            raise RacnetError(f"Expected a batch size of 1 or more. Received: {batch_size}.")
        core = openvino.Core()
        if bfloat16 and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise RacnetError("This processor does not compute in bfloat16: choose the engine openvino.")
        try:
            graph = core.read_model(model)
            shape = graph.input("flux").partial_shape
            one = tuple(shape[axis].get_length() for axis in range(1, len(shape)))
            self.input_shape = one[:1] if one[1:] == (1,) else one
            names = [name for output in graph.outputs for name in output.names if not name.startswith("attention_")]
            self.outputs = ("probabilities", *(name for name in names if name != "probabilities"))
            self.n_classes = graph.output("probabilities").partial_shape[1].get_length()
            whole, few = (self.batch_size, *one), (min(_AGAIN, self.batch_size), *one)
            passes = [("bf16", whole), ("f32", few)] if bfloat16 else [("f32", whole)]
            self._passes = [_Passes(core, graph, precision, shape) for precision, shape in passes]
        except RuntimeError as error:
            raise RacnetError(f"The network cannot be loaded by OpenVINO: {error}") from error

    def predict(self, flux: np.ndarray) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        flux : (n, n_pix) array
            Preprocessed spectra.

        Returns
        -------
        (n, n_classes) float32
            Each row sums to 1.

        Raises
        ------
        RacnetError
            If the width is wrong or a value is not finite.
        """
        return self._run(flux, self.outputs[:1])["probabilities"]

    def predict_all(self, flux: np.ndarray) -> dict[str, np.ndarray]:
        """Every output but attention, by its name; for the rest as `predict`."""
        return self._run(flux, self.outputs)

    def _run(self, flux: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        flux = checked_flux(flux, self.input_shape)
        first, *again = self._passes
        found = first(flux, names)
        for exact in again:
            unclear = np.flatnonzero(found["probabilities"].max(axis=1) < CLEAR)
            for name, values in exact(flux[unclear], names).items():
                found[name][unclear] = values
        return found


class _Passes:
    """A graph compiled for one precision and one shape (batch, ...) of its input; one thread at a time."""

    def __init__(self, core: Any, graph: Any, precision: str, shape: tuple[int, ...]) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # processes side by side would be pinned to the same processor
        }
        graph.reshape({"flux": list(shape)})
        self._shape = shape
        self._request = core.compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, flux: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Outputs of (n, ...) spectra, a batch at a time."""
        shape = self._shape
        parts = {name: [np.zeros((0, self._request.get_tensor(name).shape[1]), np.float32)] for name in names}
        for start in range(0, len(flux), shape[0]):
            batch = flux[start : start + shape[0]]
            n = len(batch)
            if n < shape[0]:
                batch = np.concatenate([batch, np.zeros((shape[0] - n, *flux.shape[1:]), np.float32)])
            with _ONE_AT_A_TIME:
                found = self._request.infer({"flux": batch.reshape(shape)})
                for name, part in parts.items():
                    part.append(found[name][:n].copy())
        return {name: np.concatenate(part) for name, part in parts.items()}
