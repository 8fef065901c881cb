"""Presets whose answers are known: the class is the part of the spectrum (blue to red) that holds most of the light.

The network is one matrix product and a softmax, written as an ONNX graph by hand; nothing is trained.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from racnet_tools.readers import write_lamost
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet

CLASSES = ["STAR", "GALAXY", "QSO"]
TYPES = ["A", "F", "G", "K", "M"]
GAIN = 0.5


def band(k: int, n: int) -> slice:
    """Pixels of the k-th of n equal parts."""
    edges = np.linspace(0, LAMOST_GRID.n_pixels, n + 1).astype(int)
    return slice(edges[k], edges[k + 1])


def weights(n_classes: int) -> np.ndarray:
    matrix = np.zeros((LAMOST_GRID.n_pixels, n_classes), np.float32)
    for k in range(n_classes):
        matrix[band(k, n_classes), k] = GAIN
    return matrix


def graph(n_classes: int, three_axes: bool = False) -> bytes:
    n_pixels = LAMOST_GRID.n_pixels
    shape = ["n", n_pixels, 1] if three_axes else ["n", n_pixels]
    nodes = [
        helper.make_node("Reshape", ["flux", "flat"], ["x"]),
        helper.make_node("MatMul", ["x", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Sigmoid", ["logits"], ["attention_1"]),
    ]
    made = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("flux", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n_classes])
            for name in ("probabilities", "attention_1")
        ],
        [
            numpy_helper.from_array(weights(n_classes), "weights"),
            numpy_helper.from_array(np.array([-1, n_pixels], np.int64), "flat"),
        ],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_preset(folder: Path, classes: list[str], **labels) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph(len(classes)))
    contents = {
        "config": {"name": "tiny"},
        "preprocessing": Preprocessing().to_dict(),
        "labels": {"task": "class", "classes": classes, "reject_threshold": 0.9, **labels},
    }
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "card.md").write_text(f"# {folder.name}\n\nWritten by a test.\n")
    sign(folder)
    return folder


def sign(folder: Path) -> None:
    """State the checksums of a preset's files as they are now."""
    sums = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name != "provenance.json"}
    (folder / "provenance.json").write_text(
        json.dumps({"sha256": sums, "parameters": 11727, "accuracy_on_simulated_validation": 0.875})
    )


def write_presets(root: Path) -> Path:
    """`racnet-class` and its child `racnet-star` in `root`."""
    write_preset(root / "racnet-class", CLASSES, subclass_presets={"STAR": "racnet-star"})
    write_preset(root / "racnet-star", TYPES, task="stellar_type")
    return root


def spectrum_set(n: int, seed: int = 1) -> SpectrumSet:
    """Simulated spectra: STAR, GALAXY, QSO in turn, with a little noise."""
    rng = np.random.default_rng(seed)
    flux = 10 + rng.standard_normal((n, LAMOST_GRID.n_pixels))
    rows = []
    for i in range(n):
        flux[i, band(i % 3, 3)] += 90
        rows.append(
            {
                "spec_id": f"56001-TEST_{i // 250:02}_sp{i % 16 + 1:02}-{i % 250 + 1:03}",
                "survey": "SIMULATED",
                "label": CLASSES[i % 3],
                "z": 0.01 * i if i % 2 else None,
                "snr_g": 10.0 + i,
            }
        )
    return SpectrumSet(LAMOST_GRID.wave, flux, np.ones_like(flux), None, rows)


def write_files(folder: Path, n: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return write_lamost(spectrum_set(n), folder)
