import argparse
import sys

import numpy as np
import pytest
from tiny_preset import graph, write_presets

from racnet_tools.cli import classify
from racnet_tools.errors import RacnetError
from racnet_tools.inference import Classifier, Engine, classify_to_file, engines, load_preset
from racnet_tools.inference.engines import ENGINES, agrees, choose_engine, make_engine
from racnet_tools.inference.openvino_engine import CLEAR, OpenVinoEngine
from racnet_tools.readers import read
from racnet_tools.resources import data_path

pytest.importorskip("openvino", reason="the extra `fast` is not installed")


@pytest.fixture(scope="module")
def preset():
    return load_preset("racnet-star")


@pytest.fixture(scope="module")
def flux(preset):
    return engines._test_spectra(preset)


@pytest.fixture(scope="module")
def reference(preset, flux):
    return Engine(preset.model_bytes()).predict(flux)


def has_bfloat16():
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(), reason="this processor does not compute in bfloat16")


def test_openvino_gives_the_probabilities_of_onnx_runtime(preset, flux, reference):
    found = make_engine("openvino", preset).predict(flux)
    assert found.dtype == np.float32
    assert np.abs(found - reference).max() <= 1e-5
    assert agrees(found, reference, ENGINES["openvino"])


def test_a_spectrum_has_the_same_result_alone_and_among_others(preset, flux):
    engine = make_engine("openvino", preset, batch_size=16)
    together = engine.predict(flux[:21])
    np.testing.assert_array_equal(np.concatenate([engine.predict(flux[i : i + 1]) for i in range(21)]), together)
    assert engine.predict(flux[:0]).shape == (0, len(preset.classes))


def test_batches_are_what_costs_least_unless_another_size_is_wanted(preset):
    strided = load_preset("racmini-class")
    assert [make_engine(name, preset).batch_size for name in ("onnxruntime", "openvino")] == [8, 4]
    assert [make_engine(name, strided).batch_size for name in ("onnxruntime", "openvino")] == [16, 16]
    assert make_engine("openvino", strided, 3).batch_size == 3


@needs_bfloat16
def test_few_unclear_spectra_are_computed_again_alike_in_any_company(preset, flux):
    engine = make_engine("openvino-bf16", preset)
    together = engine.predict(flux[:21])
    np.testing.assert_array_equal(np.concatenate([engine.predict(flux[i : i + 1]) for i in range(21)]), together)


@needs_bfloat16
def test_in_bfloat16_unclear_spectra_are_computed_in_float32(preset, flux, reference):
    found = make_engine("openvino-bf16", preset).predict(flux)
    exact = make_engine("openvino", preset).predict(flux)
    redone = (found == exact).all(axis=1)
    assert 0 < redone.sum() < len(flux)  # some are clear, some are not
    assert found[~redone].max(axis=1).min() >= CLEAR
    assert agrees(found, reference, ENGINES["openvino-bf16"])


def test_probabilities_that_are_off_or_name_another_class_do_not_agree():
    p = np.array([[0.6, 0.4], [0.1, 0.9]], np.float32)
    assert agrees(p + 0.009, p, 0.01)
    assert not agrees(p + 0.011, p, 0.01)
    assert not agrees(np.array([[0.499, 0.501]]), np.array([[0.501, 0.499]]), 0.01)


def test_auto_passes_over_what_disagrees_and_takes_the_cheapest(preset, monkeypatch):
    class Wrong(OpenVinoEngine):
        def predict(self, flux):
            return np.roll(super().predict(flux), 1, axis=1)

    monkeypatch.setattr(engines, "_cost", lambda engine, flux: 2.0 if isinstance(engine, Engine) else 1.0)
    assert choose_engine(preset) == "openvino"
    monkeypatch.setattr(engines, "OpenVinoEngine", Wrong)
    assert choose_engine(preset) == "onnxruntime"


def test_a_graph_with_three_axes_works_too(rng):
    x = rng.normal(1, 0.3, (5, 3909)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found = OpenVinoEngine(graph(5, three_axes=True)).predict(x)
    np.testing.assert_allclose(found, Engine(graph(5, three_axes=True)).predict(x), atol=1e-5)


def test_an_unknown_engine_or_one_that_is_not_installed_is_an_error(preset, monkeypatch):
    with pytest.raises(RacnetError, match="Received: 'tensorrt'"):
        make_engine("tensorrt", preset)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(RacnetError, match=r"racnet-tools\[fast\]"):
        make_engine("openvino", preset)
    assert choose_engine(preset) == "onnxruntime"


def test_the_command_offers_all_engines():
    parser = argparse.ArgumentParser()
    classify.add_arguments(parser)
    (action,) = (action for action in parser._actions if action.dest == "engine")
    assert set(action.choices) == {*ENGINES, engines.AUTO}


def test_a_run_that_began_with_auto_goes_on_with_the_engines_it_chose(tmp_path, monkeypatch):
    preset = write_presets(tmp_path) / "racnet-class"
    chosen = []

    def choose(one, batch_size):
        chosen.append(one.name)
        return "openvino" if len(chosen) <= 2 else "onnxruntime"

    monkeypatch.setattr("racnet_tools.inference.classifier.choose_engine", choose)

    def stop(n_files):
        raise KeyboardInterrupt

    files = sorted(data_path("samples").glob("*.gz"))[:2]
    with pytest.raises(KeyboardInterrupt):
        classify_to_file(files, tmp_path / "out.ecsv", preset, engine="auto", progress=stop)
    classify_to_file(files, tmp_path / "out.ecsv", preset, engine="auto", resume=True)
    assert chosen == ["racnet-class", "racnet-star"]
    text = (tmp_path / "out.ecsv").read_text()
    assert "engine racnet-class: openvino" in text
    assert "engine racnet-star: openvino" in text


def test_classes_are_the_same_whatever_the_engine():
    spectra = read(data_path("samples"))
    rows = {name: Classifier("racnet-class", engine=name).rows(spectra) for name in ("onnxruntime", "openvino")}
    label = [column.name for column in Classifier("racnet-class").columns].index("label")
    assert [row[label] for row in rows["onnxruntime"]] == [row[label] for row in rows["openvino"]]
