"""The engines that compute a network's probabilities, by name, and the choice among them by a self-test.

| name | computes in | agrees with onnxruntime within |
|---|---|---|
| onnxruntime | float32 | – (it is the reference, and always there) |
| openvino | float32 | 1e-4 |
| openvino-bf16 | bfloat16, and in float32 where the class is not clear | 1e-2 |

"auto" is the one that costs least processor time here, among those that agree, for each network, on a set of spectra
made for the purpose: the shipped samples and the means of every two of them, whose classes are as unclear as can be.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import combinations
from typing import Protocol

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.engine import Engine
from racnet_tools.inference.openvino_engine import OpenVinoEngine
from racnet_tools.inference.presets import Preset

__all__ = ["AUTO", "DEFAULT", "ENGINES", "Predictor", "choose_engine", "make_engine"]

DEFAULT, AUTO = "onnxruntime", "auto"
#: Name to the largest difference of a probability from `DEFAULT` that is accepted.
ENGINES: Mapping[str, float] = {"onnxruntime": 0.0, "openvino": 1e-4, "openvino-bf16": 1e-2}
#: Spectra in one pass that cost least: of networks that look at every pixel, and of those that begin with a stride.
_BATCH_SIZES = {"onnxruntime": (8, 16), "openvino": (4, 16), "openvino-bf16": (16, 16)}


class Predictor(Protocol):
    """What every engine offers."""

    batch_size: int
    input_shape: tuple[int, ...]
    n_classes: int
    outputs: tuple[str, ...]

    def predict(self, flux: np.ndarray) -> np.ndarray:
        """Class probabilities (n, n_classes) float32 of preprocessed spectra (n, ...)."""

    def predict_all(self, flux: np.ndarray) -> dict[str, np.ndarray]:
        """Every output but attention, by its name; each (n, ...) float32."""


def make_engine(name: str, preset: Preset, batch_size: int | None = None, threads: int | None = None) -> Predictor:
    """A preset's network on an engine.

    Parameters
    ----------
    name : str
        One of `ENGINES`.
    preset : Preset
    batch_size : int, optional
        Spectra in one pass; by default what was measured to be quickest with that engine.
    threads : int, optional
        Batches evaluated at a time by one call, for ONNX Runtime.

    Raises
    ------
    RacnetError
        If there is no such engine here, or the network does not fit the preset.
    """
    if name not in ENGINES:
        raise RacnetError(f"Expected an engine: {', '.join(ENGINES)} or {AUTO}. Received: {name!r}.")
    if batch_size is None:
        batch_size = _BATCH_SIZES[name][bool(preset.config.get("stem"))]
    engine: Predictor
    if name == DEFAULT:
        engine = Engine(preset.model_bytes(), batch_size, threads)
    else:
        engine = OpenVinoEngine(preset.model_bytes(), batch_size, bfloat16=name.endswith("bf16"))
    expected = (preset.preprocessing.shape, len(preset.classes))
    if (engine.input_shape, engine.n_classes) != expected:
        raise RacnetError(
            f"Preset {preset.folder}: expected a network for spectra of shape {expected[0]} and {expected[1]} classes "
            f"(preprocessing.json, labels.json); model.onnx has {engine.input_shape} and {engine.n_classes}."
        )
    return engine


def choose_engine(preset: Preset, batch_size: int | None = None) -> str:
    """The engine that "auto" stands for, for one network on this machine.

    Parameters
    ----------
    preset : Preset
    batch_size : int, optional
        As for `make_engine`.

    Returns
    -------
    str
        One of `ENGINES`.
    """
    flux = _test_spectra(preset)
    costs: dict[str, float] = {}
    reference: np.ndarray | None = None
    for name, tolerance in ENGINES.items():
        try:
            engine = make_engine(name, preset, batch_size, threads=1)
        except RacnetError:  # not installed, or not for this processor
            continue
        found = engine.predict(flux)
        reference = found if reference is None else reference
        if agrees(found, reference, tolerance):
            costs[name] = min(_cost(engine, flux) for _ in range(2))
    return min(costs, key=lambda name: costs[name])


def agrees(found: np.ndarray, reference: np.ndarray, tolerance: float) -> bool:
    """Whether probabilities differ by `tolerance` at most and name the same classes."""
    same = found.argmax(axis=1) == reference.argmax(axis=1)
    return bool(np.abs(found - reference).max() <= tolerance and same.all())


def _cost(engine: Predictor, flux: np.ndarray) -> float:
    start = time.process_time()
    engine.predict(flux)
    return time.process_time() - start


def _test_spectra(preset: Preset) -> np.ndarray:
    from racnet_tools.readers import read
    from racnet_tools.resources import data_path

    samples = preset.preprocessing(read(data_path("samples")))
    mixed = np.stack([(a + b) / 2 for a, b in combinations(samples, 2)])
    if mixed.ndim == 2:
        mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.concatenate([samples, mixed])
