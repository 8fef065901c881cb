"""RC-Net and RAC-Net: published parameter counts, and everything a network must pass."""

import numpy as np
import pytest
from network_checks import check_files, check_network, spectra

from racnet_tools.errors import RacnetError
from racnet_tools.models import build, build_from_config, network_config, predict

SMALL = {"n_pixels": 64, "filters": (4, 4, 8), "dense_units": 8}


@pytest.mark.parametrize(
    ("name", "n_classes", "count"),
    [("rcnet", 4, 388_180), ("rcnet", 3, 388_051), ("racnet", 4, 623_124), ("racnet", 3, 622_995)],
)
def test_parameter_counts_of_the_paper(name, n_classes, count):
    assert build(name, n_classes).count_params() == count


def test_racnet_and_its_files_in_a_fresh_process(tmp_path):
    config = network_config("racnet", 3)
    check_network(config, 622_995)
    check_files(config, tmp_path)


@pytest.mark.slow
def test_rcnet_and_its_files_in_a_fresh_process(tmp_path):
    config = network_config("rcnet", 4)
    check_network(config, 388_180)
    check_files(config, tmp_path)


# 4-4-8 filters: convolutions 16 + 52 + 52, 52 x 3, 104 + 200 x 2; shortcuts 8, 40 (20 in block 2)
VARIANTS = [
    ({}, 16 + 52 + 52 + 156 + 104 + 400 + 48 + 304 + 208 + 136 + 27),
    (
        {"pooling": "average", "head": "average", "attention_convolution": False, "shortcut": "projection"},
        16 + 52 + 52 + 156 + 104 + 400 + 48 + 20 + 208 + 72 + 27,
    ),
]


@pytest.mark.parametrize(("overrides", "count"), VARIANTS)
def test_variants(overrides, count):
    check_network(network_config("racnet", 3, **{**SMALL, **overrides}), count)


@pytest.mark.slow
@pytest.mark.parametrize(("overrides", "count"), VARIANTS)
def test_files_of_variants(overrides, count, tmp_path):
    check_files(network_config("racnet", 3, **{**SMALL, **overrides}), tmp_path)


def test_batch_normalisation_adds_its_weights():
    plain, normalised = (build("rcnet", 3, **SMALL, normalisation=kind) for kind in ("none", "batch"))
    convolutions = 3 * (4 + 4 + 8) + 4 + 8
    assert normalised.count_params() - plain.count_params() == 4 * convolutions


def test_multiply_adds_of_a_tiny_network_counted_by_hand():
    config = network_config("racnet", 2, n_pixels=8, filters=(2,), dense_units=4)
    # 8 pixels x (3 x 1 x 2 + 3 x 3 x 2 x 2 + shortcut 1 x 2), attention 4 x 2, dense 4 x 4, output 4 x 2
    assert config.multiply_adds() == 8 * (6 + 36 + 2) + 8 + 16 + 8
    assert network_config("racnet", 3).multiply_adds() == 66_262_976


def test_attention_weights_are_what_the_equations_say():
    model = build("racnet", 3, **SMALL, seed=3)
    import keras

    names = ["block2_attention_conv", "block2_attention", "block2_weighted"]
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    features, weights, weighted = probe.predict_on_batch(spectra(2, 64))
    kernel, bias = model.get_layer("block2_attention").get_weights()
    joined = np.concatenate([features.max(axis=1), features.mean(axis=1)], axis=1)  # equations 7 to 9
    expected = 1 / (1 + np.exp(-(joined @ kernel + bias)))  # equation 10
    assert np.allclose(weights, expected, atol=1e-6)
    assert np.allclose(weighted, features * expected[:, None, :], atol=1e-6)  # equation 11


def test_the_start_is_neither_saturated_nor_dead():
    """Fresh weights: near-even probabilities, features of the order of 1 in every block."""
    import keras

    for name in ("rcnet", "racnet"):
        model = build(name, 3, seed=11)
        outputs = [model.get_layer(f"block{index}_output").output for index in range(1, 9)]
        *features, probabilities = keras.Model(model.input, [*outputs, model.output]).predict_on_batch(spectra(3, 3909))
        sizes = [float(np.sqrt(np.mean(feature**2))) for feature in features]
        assert min(sizes) > 0.1 and max(sizes) < 5, sizes
        assert np.abs(probabilities - 1 / 3).max() < 0.15


def test_seeds_give_different_weights():
    first, second = (build("rcnet", 3, **SMALL, seed=seed).get_weights()[0] for seed in (1, 2))
    assert not np.array_equal(first, second)


def test_layers_start_from_different_numbers():
    model = build("rcnet", 3, **SMALL)
    first, second = (model.get_layer(name).get_weights()[0] for name in ("block2_conv1", "block2_conv2"))
    assert first.shape == second.shape and not np.array_equal(first, second)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_bad_pixel_is_refused_before_the_network(value):
    model = build("rcnet", 3, **SMALL)
    flux = spectra(5, 64)
    flux[3, 10] = value
    with pytest.raises(RacnetError, match=r"1 of 5 spectra have pixels that are not finite, the first at index 3"):
        predict(model, flux)


def test_predict_gives_the_same_in_pieces():
    model = build("racnet", 3, **SMALL)
    flux = spectra(7, 64)
    whole = predict(model, flux)
    assert whole.shape == (7, 3)
    assert np.allclose(predict(model, flux, batch_size=3), whole, atol=1e-6)
    assert predict(model, flux[:0]).shape == (0, 3)


def test_predict_refuses_another_length():
    with pytest.raises(RacnetError, match=r"\(n, 64\). Received: shape \(2, 63\)"):
        predict(build("rcnet", 3, **SMALL), spectra(2, 63))


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(RacnetError, match="Received: seed="):
        build_from_config(network_config("rcnet", 3, **SMALL), seed=seed)
