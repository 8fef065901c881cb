"""A network run by OpenVINO, on processors where it is quicker than ONNX Runtime: class probabilities alone.

In float32 it agrees with ONNX Runtime to 1e-5. In bfloat16, for which new server processors have units of their own, a
pass costs a third, but probabilities near a border between classes are off by up to 0.1. So each spectrum whose class
is not clear there is computed again in float32: what is kept of bfloat16 has a probability of `CLEAR` or more, where an
error of the logits hardly moves it (dp = p (1 - p) dlogit).

Every batch has the same shape, the last one filled up, and a stream of computation has one thread, so that results do
not depend on the number of threads. Reference: https://docs.openvino.ai, CPU device, inference precision.
"""

from __future__ import annotations

import queue
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.engine import checked_flux
from racnet_tools.workers import available_threads

__all__ = ["CLEAR", "OpenVinoEngine"]

#: Probability of the best class from which a result of bfloat16 is kept.
CLEAR = 0.975
_BATCH_SIZE = 16  # the cheapest measured, of 4 to 64


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
            self.n_pixels = shape[1].get_length()
            self._shape = (self.batch_size, *(shape[axis].get_length() for axis in range(1, len(shape))))
            self.n_classes = graph.output("probabilities").partial_shape[1].get_length()
            graph.reshape({"flux": list(self._shape)})
            self._passes = [_Passes(core, graph, precision) for precision in (["bf16"] if bfloat16 else []) + ["f32"]]
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
        flux = checked_flux(flux, self.n_pixels)
        first, *again = self._passes
        probabilities = first(flux, self._shape)
        for exact in again:
            unclear = np.flatnonzero(probabilities.max(axis=1) < CLEAR)
            probabilities[unclear] = exact(flux[unclear], self._shape)
        return probabilities


class _Passes:
    """One compiled graph, and as many requests as there may be threads that ask."""

    def __init__(self, core: Any, graph: Any, precision: str) -> None:
        threads = available_threads()
        compiled = core.compile_model(
            graph,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": threads,  # one thread each
                "ENABLE_CPU_PINNING": False,  # processes side by side would be pinned to the same processors
            },
        )
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(threads):
            self._requests.put(compiled.create_infer_request())

    def __call__(self, flux: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Probabilities of (n, n_pixels) spectra, a batch of `shape` at a time."""
        request = self._requests.get()
        try:
            parts = []
            for start in range(0, len(flux), shape[0]):
                batch = flux[start : start + shape[0]]
                n = len(batch)
                if n < shape[0]:
                    batch = np.concatenate([batch, np.zeros((shape[0] - n, flux.shape[1]), np.float32)])
                result = request.infer({"flux": batch.reshape(shape)}, share_inputs=True)
                parts.append(result["probabilities"][:n].copy())
        finally:
            self._requests.put(request)
        width = request.get_tensor("probabilities").shape[1]
        return np.concatenate(parts) if parts else np.zeros((0, width), np.float32)
