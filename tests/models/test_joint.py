"""Joint networks: known answers of the redshift correlation, outputs, ONNX, and what is refused."""

import keras
import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Engine
from racnet_tools.models import build, build_from_config, check_input, network_config, predict
from racnet_tools.models.config import ConfigError, NetworkConfig
from racnet_tools.models.correlation import RedshiftCorrelation
from racnet_tools.models.joint_config import JointConfig


def tiny(**settings):
    own = {"filters": (4, 6), "stem": (4, 8, 4), "dense_units": 8, "redshift_block": 1, "redshift_channels": 3}
    return network_config("racsurvey", 3, 640, **{**own, "n_redshifts": 40, "pool_size": 4, **settings})


def test_counts_of_the_network_as_it_is_shipped():
    config = network_config("racsurvey", 3)
    model = build_from_config(config)
    assert model.count_params() == 618_771 < 1_000_000
    assert config.output_widths == {"probabilities": 3, "subtype": 70, "redshift": 490}
    assert 13.9e6 < config.multiply_adds() < 14.1e6
    assert NetworkConfig.from_dict(config.to_dict()) == config
    # 16 pixels of the grid for each step: the last redshift is just beyond 5
    last = (config.n_redshifts - 1 + config.first_redshift) * config.redshift_step * 1e-4
    assert 5.0 < 10**last - 1 < 5.1


def test_a_moved_spectrum_has_its_peak_at_the_redshift_it_was_moved_by():
    rng = np.random.default_rng(1)
    layer = RedshiftCorrelation(30)
    at_rest = rng.random((60 + 29, 2)).astype(np.float32)
    windows = np.stack([at_rest[29 - b : 89 - b] for b in range(30)])  # the pixels that a window sees at each redshift
    layer.build((None, 60, 2))
    layer.template.assign(at_rest - at_rest.mean())
    energy = ((windows - at_rest.mean()) ** 2).sum(axis=(1, 2)) / 2
    layer.bias.assign(-energy)  # then the score is that of least squares
    found = np.asarray(layer(windows - at_rest.mean()))
    assert (found.argmax(axis=1) == np.arange(30)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)


def test_outputs_are_probabilities_each_and_onnx_gives_the_same(tmp_path):
    from racnet_tools.training import export_onnx
    from racnet_tools.training.weights import load_onnx_weights

    model = build_from_config(tiny(), seed=3)
    rng = np.random.default_rng(2)
    for variable in model.weights:  # the position bias and the template begin at zero
        if "template" in variable.path or "position_bias" in variable.path:
            variable.assign(rng.standard_normal(variable.shape).astype(np.float32))
    x = rng.standard_normal((5, 640, 3)).astype(np.float32)
    joined = predict(model, x)
    graph = export_onnx(model, tmp_path / "model.onnx").read_bytes()
    engine = Engine(graph)
    found = engine.predict_all(x)
    assert engine.input_shape == (640, 3) and engine.attention_channels == (4, 6)
    for name, part in zip(("probabilities", "subtype", "redshift"), np.split(joined, [3, 73], axis=1), strict=True):
        np.testing.assert_allclose(part.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(found[name], part, atol=1e-5)
    again = build_from_config(tiny(), seed=4)
    load_onnx_weights(again, graph, "model.onnx")
    np.testing.assert_array_equal(predict(again, x), joined)


def test_features_before_the_position_bias_move_with_the_spectrum():
    model = build_from_config(tiny(attention="none"), seed=3)  # channel weights look at all positions
    inner = keras.Model(model.input, model.get_layer("redshift_evidence").output)
    x = np.zeros((2, 640, 3), np.float32)
    x[0, 300:310], x[1, 308:318] = 1, 1
    here, moved = np.asarray(inner(x))
    np.testing.assert_allclose(here[40:120], moved[42:122], atol=1e-6)
    assert np.abs(here - here[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"redshift_block": 3}, "one of 2 blocks"), ({"first_redshift": 1}, "0 or a little less"), ({"channels": 0}, "1")],
)
def test_impossible_configurations_are_refused(settings, told):
    with pytest.raises(ConfigError, match=told):
        tiny(**settings)


def test_input_of_another_shape_is_refused():
    with pytest.raises(RacnetError, match=r"\(n, 640, 3\)\. Received: shape \(2, 640\)"):
        check_input(np.zeros((2, 640)), tiny().input_shape)
    assert isinstance(tiny(), JointConfig) and build("racsurvey", 3).network_config.channels == 3
