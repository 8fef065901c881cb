"""Weights back from ONNX graphs, also from rounded ones; graphs of other networks and damaged ones are refused."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.inference import Engine
from racnet_tools.models import build
from racnet_tools.training import export_onnx, load_onnx_weights


def test_rounded_matrices_come_back_as_the_runtime_uses_them(tmp_path):
    model = build("fc", n_classes=3, n_pixels=200, seed=1)
    whole, rounded = (export_onnx(model, tmp_path / f"{flag}.onnx", rounded=flag) for flag in (False, True))
    assert rounded.stat().st_size < 0.3 * whole.stat().st_size
    flux = np.random.default_rng(0).normal(1, 0.1, (5, 200)).astype(np.float32)
    again = build("fc", n_classes=3, n_pixels=200, seed=2)
    load_onnx_weights(again, rounded.read_bytes(), rounded)
    assert np.abs(np.asarray(again(flux)) - Engine(rounded.read_bytes()).predict(flux)).max() <= 1e-6
    for before, after in zip(model.get_weights(), again.get_weights(), strict=True):
        step = np.abs(before).max(axis=0) / 127 if before.ndim == 2 else np.zeros(1)
        assert (np.abs(before - after) <= 0.5001 * step).all()
    assert not np.array_equal(model.get_weights()[0], again.get_weights()[0])


def test_a_graph_of_another_network_changes_nothing(tmp_path):
    path = export_onnx(build("fc", n_classes=3, n_pixels=200), tmp_path / "model.onnx")
    other = build("fc", n_classes=4, n_pixels=200)
    before = other.get_weights()
    with pytest.raises(
        ReadError, match=r"shape \(128, 3\) where probabilities.*kernel should be|weights of the network"
    ):
        load_onnx_weights(other, path.read_bytes(), path)
    with pytest.raises(ReadError, match="weights of the network"):
        load_onnx_weights(other, b"damaged", path)
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))


def test_a_layer_without_translation_is_named(tmp_path, monkeypatch):
    from racnet_tools.models import onnx_nodes

    monkeypatch.delitem(onnx_nodes.TRANSLATIONS, "Dropout")
    with pytest.raises(RacnetError, match=r"Received: dropout1?, a Dropout"):
        export_onnx(build("fc", n_classes=3, n_pixels=200), tmp_path / "model.onnx")
