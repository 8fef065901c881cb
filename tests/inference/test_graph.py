"""Further outputs and forced channel weights, on a graph whose answers can be said beforehand."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Engine, with_forced_attention, with_outputs

N_PIXELS = 12


def graph(attention: bool = True) -> bytes:
    """Two channels, the spectrum and its negative, weighted by the sigmoid of their means; logits are their sums."""
    weighted = ["map", "column"] if attention else ["map", "one"]
    nodes = [
        helper.make_node("Unsqueeze", ["flux", "axes"], ["image"]),
        helper.make_node("Conv", ["image", "kernel"], ["map"], kernel_shape=[1, 1]),
        helper.make_node("ReduceMean", ["map"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Sigmoid", ["means"], ["attention_1"]),
        helper.make_node("Unsqueeze", ["attention_1", "last"], ["column"]),
        helper.make_node("Mul", weighted, ["block1_weighted"]),
        helper.make_node("ReduceSum", ["block1_weighted", "last"], ["logits"], keepdims=0),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {
        "axes": np.array([1, 2], np.int64),
        "last": np.array([2, 3], np.int64),
        "one": np.ones(1, np.float32),
        "kernel": np.array([1, -1], np.float32).reshape(2, 1, 1, 1),
    }
    outputs = ["probabilities", "attention_1"] if attention else ["probabilities"]
    made = helper.make_graph(
        nodes,
        "hand-made",
        [helper.make_tensor_value_info("flux", TensorProto.FLOAT, ["n", N_PIXELS])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture
def flux() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(20, N_PIXELS)).astype(np.float32)


def test_features_and_logits_by_name(flux: np.ndarray) -> None:
    engine = Engine(with_outputs(graph(), ["map", "logits", "map", "attention_1"]))
    found, logits, attention = engine.run(flux, ["map", "logits", "attention_1"])
    assert found.shape == (20, 2, N_PIXELS)
    assert np.array_equal(found, np.stack([flux, -flux], axis=1))
    assert np.allclose(logits, attention * found.sum(axis=2), atol=1e-5)
    assert np.array_equal(engine.predict(flux), Engine(graph()).predict(flux))


def test_a_name_that_is_not_there_is_refused_with_those_that_are(flux: np.ndarray) -> None:
    with pytest.raises(RacnetError, match=r"no tensor named block9_output.*block1_weighted"):
        with_outputs(graph(), ["block9_output"])
    with pytest.raises(RacnetError, match="no such outputs or inputs: logits"):
        Engine(graph()).run(flux, ["logits"])
    with pytest.raises(RacnetError, match="no such outputs or inputs: keep_1"):
        Engine(graph()).run(flux, ["probabilities"], {"keep_1": np.ones(2)})
    with pytest.raises(RacnetError, match="bytes that are none"):
        with_outputs(b"no graph", ["logits"])


def test_forced_weights_act_and_the_networks_own_are_still_told(flux: np.ndarray) -> None:
    engine = Engine(with_outputs(with_forced_attention(graph()), ["logits"]))
    free, attention = engine.run(flux, ["probabilities", "attention_1"])
    assert np.allclose(free, Engine(graph()).predict(flux), atol=1e-7)
    sums = np.stack([flux.sum(axis=1), -flux.sum(axis=1)], axis=1)

    forced = {"keep_1": np.array([0, 1]), "forced_1": np.array([0.25, 0])}
    logits, still = engine.run(flux, ["logits", "attention_1"], forced)
    assert np.allclose(logits, sums * np.stack([np.full(20, 0.25), attention[:, 1]], axis=1), atol=1e-5)
    assert np.array_equal(still, attention)


def test_a_network_without_attention_has_nothing_to_force() -> None:
    with pytest.raises(RacnetError, match="no attention"):
        with_forced_attention(graph(attention=False))


def test_an_output_is_taken_away_with_all_that_leads_to_it_alone():
    from racnet_tools.inference import load_preset
    from racnet_tools.inference.graph import without_outputs

    preset = load_preset("racnet-survey")
    less = preset.class_bytes()
    assert len(less) < 0.75 * len(preset.model_bytes())
    names = [item.name for item in onnx.load_from_string(less).graph.initializer]
    assert not [name for name in names if "redshift" in name or "subtype" in name]
    x = np.random.default_rng(1).random((2, *preset.preprocessing.shape)).astype(np.float32)
    whole, part = Engine(preset.model_bytes()), Engine(less)
    assert part.outputs == ("probabilities",) and part.attention_channels == whole.attention_channels
    for one, other in zip(whole.predict_with_attention(x)[1], part.predict_with_attention(x)[1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(whole.predict(x), part.predict(x), atol=1e-6)
    assert Engine(without_outputs(graph(), ["nothing"])).outputs == Engine(graph()).outputs
