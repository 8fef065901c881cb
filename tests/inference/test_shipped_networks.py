"""Shipped presets in Keras: the same network as in ONNX Runtime, and their graph is the export of it."""

import numpy as np
import pytest

from racnet_tools.inference import Engine, load_preset
from racnet_tools.resources import data_path
from racnet_tools.training import export_onnx

SHIPPED = sorted(path.name for path in data_path("presets").iterdir() if (path / "labels.json").is_file())


@pytest.mark.parametrize("name", SHIPPED)
def test_keras_and_onnx_are_the_same_network(name, tmp_path):
    preset = load_preset(data_path("presets") / name)
    model, graph = preset.network(), preset.model_bytes()
    assert model.count_params() == preset.provenance["parameters"]
    flux = 1 + 0.1 * np.random.default_rng(1).standard_normal((3, *preset.preprocessing.shape))
    flux = (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)
    found = np.concatenate(list(Engine(graph).predict_all(flux).values()), axis=1)
    assert np.abs(np.asarray(model(flux, training=False)) - found).max() <= 1e-5
    if b".factors" not in graph:  # a rounded matrix is rounded anew
        export_onnx(model, tmp_path / "model.onnx")
        assert (tmp_path / "model.onnx").read_bytes() == graph
