"""The graphs of the shipped presets are what their weights give, to the last byte."""

import json

import pytest

from racnet_tools.inference import load_preset
from racnet_tools.models import NetworkConfig, build_from_config
from racnet_tools.resources import data_path
from racnet_tools.training import export_onnx, load_weights

SHIPPED = sorted(path.name for path in data_path("presets").iterdir() if (path / "labels.json").is_file())


@pytest.mark.parametrize("name", SHIPPED)
def test_graph_is_the_export_of_the_weights(name, tmp_path):
    preset = load_preset(data_path("presets") / name)
    config = NetworkConfig.from_dict(json.loads((preset.folder / "config.json").read_text()))
    model = build_from_config(config)
    load_weights(model, preset.folder / "model.weights.h5")
    export_onnx(model, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == preset.model_bytes()
