"""A network run by ONNX Runtime: spectra in, class probabilities and channel attention out. No TensorFlow.

Small batches win on a CPU, because a batch's intermediate results then stay in its caches: of RAC-Net, batches of 8
and 16 cost least processor time (2.5 ms a spectrum on two AVX2 cores), 4 is within 3 % of them, 1 costs a quarter more,
32 a tenth. Every batch runs in one thread, and several batches run side by side, so that no thread pool inside the
runtime competes with another and results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.workers import available_threads

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["BATCH_SIZE", "Engine", "checked_flux", "open_session"]

#: Spectra in one pass through the network.
BATCH_SIZE = 8


def open_session(model: bytes) -> ort.InferenceSession:
    """A session of ONNX Runtime on the processor, in one thread.

    Raises
    ------
    RacnetError
        If the runtime cannot load the graph.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exception classes are not public
        raise RacnetError(f"The network cannot be loaded by ONNX Runtime {ort.__version__}: {error}") from error


def checked_flux(flux: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Spectra as an engine takes them, (n, n_pixels) or (n, n_pixels, channels) float32.

    Raises
    ------
    RacnetError
        If their shape is not `shape` or a value is not finite.
    """
    flux = np.ascontiguousarray(flux, dtype=np.float32)
    if flux.ndim < 1 or flux.shape[1:] != shape:
        raise RacnetError(f"Expected spectra of shape (n, {', '.join(map(str, shape))}). Received: {flux.shape}.")
    bad = np.flatnonzero(~np.isfinite(flux).all(axis=tuple(range(1, flux.ndim))))
    if len(bad):
        raise RacnetError(
            f"Expected finite fluxes. Received: NaN or infinity in {len(bad)} of {len(flux)} spectra, first in "
            f"number {bad[0]}. Apply the preset's preprocessing, which fills gaps."
        )
    return flux


class Engine:
    """A network ready to be evaluated; may be shared between threads.

    Parameters
    ----------
    model : bytes
        An ONNX graph with the input "flux", (n, n_pix) or (n, n_pix, n_channels) float32, and the outputs
        "probabilities", (n, n_classes), others such as "subtype", and "attention_1", "attention_2", ...
    batch_size : int, optional
        Spectra in one pass; results depend on it by less than 1e-6.
    threads : int, optional
        Batches evaluated at a time; all available processors by default.

    Attributes
    ----------
    input_shape : tuple of int
        Of one spectrum: (n_pix,), or (n_pix, n_channels) where there are several.
    n_classes : int
        Width of the probabilities.
    outputs : tuple of str
        Names of the outputs but attention, "probabilities" first.
    attention_channels : tuple of int
        Channels of each block with attention, in order; empty for a network without.

    Raises
    ------
    RacnetError
        If the graph is not such a network.
    """

    def __init__(self, model: bytes, batch_size: int | None = None, threads: int | None = None) -> None:
        self.batch_size = BATCH_SIZE if batch_size is None else int(batch_size)
        self.threads = available_threads() if threads is None else int(threads)
        if self.batch_size < 1 or self.threads < 1:
            raise RacnetError(f"Expected a batch size and threads of 1 or more. Received: {batch_size}, {threads}.")
        self._session = open_session(model)
        inputs = {item.name: item.shape for item in self._session.get_inputs()}
        outputs = {item.name: item.shape for item in self._session.get_outputs()}
        shape = inputs.get("flux", [])
        if list(inputs) != ["flux"] or len(shape) not in (2, 3) or "probabilities" not in outputs:
            raise RacnetError(
                'Expected a graph with the input "flux" (n, n_pix) and the output "probabilities". '
                f"Received inputs {inputs} and outputs {list(outputs)}."
            )
        self._shape = tuple(int(length) for length in shape[1:])
        self.input_shape = self._shape[:1] if self._shape[1:] == (1,) else self._shape
        self._attention = sorted(
            (name for name in outputs if name.startswith("attention_")), key=lambda name: (len(name), name)
        )
        self.attention_channels = tuple(int(outputs[name][1]) for name in self._attention)
        self.outputs = ("probabilities", *(name for name in outputs if name not in {"probabilities", *self._attention}))
        self.n_classes = int(outputs["probabilities"][1])

    def predict(self, flux: np.ndarray) -> np.ndarray:
        """Class probabilities.

        Parameters
        ----------
        flux : (n, n_pix) or (n, n_pix, n_channels) array
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
        return self.run(flux, ["probabilities"])[0]

    def predict_all(self, flux: np.ndarray) -> dict[str, np.ndarray]:
        """Every output but attention, by its name; for the rest as `predict`."""
        return dict(zip(self.outputs, self.run(flux, self.outputs), strict=True))

    def predict_with_attention(self, flux: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Class probabilities, and the channel weights of each attention block.

        Parameters
        ----------
        flux : (n, n_pix) or (n, n_pix, n_channels) array
            Preprocessed spectra.

        Returns
        -------
        probabilities : (n, n_classes) float32
        attention : list of (n, n_channels) float32
            In the order of the blocks; empty for a network without attention.

        Raises
        ------
        RacnetError
            If the width is wrong or a value is not finite.
        """
        probabilities, *attention = self.run(flux, ["probabilities", *self._attention])
        return probabilities, attention

    def run(
        self, flux: np.ndarray, outputs: Sequence[str], inputs: Mapping[str, np.ndarray] | None = None
    ) -> list[np.ndarray]:
        """Any outputs of the graph.

        Parameters
        ----------
        flux : (n, n_pix) or (n, n_pix, n_channels) array
            Preprocessed spectra.
        outputs : sequence of str
            Names of outputs; `racnet_tools.inference.graph.with_outputs` makes more of them.
        inputs : mapping of str to array, optional
            Further inputs, the same for all spectra; `racnet_tools.inference.graph.with_forced_attention` makes some.

        Returns
        -------
        list of float32 arrays
            (n, channels, length) for features, (n, ...) otherwise.

        Raises
        ------
        RacnetError
            If the width is wrong, a value is not finite, or there is no such output or input.
        """
        strange = {*outputs} - {item.name for item in self._session.get_outputs()}
        strange |= {*(inputs or {})} - {item.name for item in self._session.get_overridable_initializers()}
        if strange:
            raise RacnetError(f"The graph has no such outputs or inputs: {', '.join(sorted(strange))}.")
        flux = checked_flux(flux, self.input_shape)
        n = len(flux)
        if n == 0:  # the runtime's convolutions want at least one
            flux = np.zeros((1, *self.input_shape), np.float32)
        flux = flux.reshape(-1, *self._shape)
        further = {name: np.asarray(values, np.float32) for name, values in (inputs or {}).items()}

        def one(start: int) -> list[np.ndarray]:
            return self._session.run(list(outputs), {"flux": flux[start : start + self.batch_size], **further})

        starts = range(0, len(flux), self.batch_size)
        if self.threads == 1 or len(starts) == 1:
            parts = [one(start) for start in starts]
        else:
            with ThreadPoolExecutor(min(self.threads, len(starts))) as pool:
                parts = list(pool.map(one, starts))
        joined = [np.concatenate(arrays)[:n] for arrays in zip(*parts, strict=True)]
        return [array[:, :, 0] if array.ndim == 4 and array.shape[2] == 1 else array for array in joined]
