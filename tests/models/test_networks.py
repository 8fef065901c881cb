"""The networks and the attention variants: parameter counts, and everything a network must pass."""

import numpy as np
import pytest
from network_checks import check_files, check_network, spectra

from racnet_tools.errors import RacnetError
from racnet_tools.models import NETWORKS, build, build_from_config, network_config, predict
from racnet_tools.models.attention import CHANNEL_LAYERS, PositionGate
from racnet_tools.models.residual_config import ATTENTIONS

SMALL = {"n_pixels": 64, "filters": (4, 4, 8), "dense_units": 8}


# Parameters for three and for four classes. RC-Net's and RAC-Net's are the published 0.388 and 0.623 million; those of
# C-Net and 1D SSCNN are this toolkit's (published: 2.89 and 5.18 million). Operations for four classes.
COUNTS = {
    "fc": (2_166_531, 2_166_660, 2_165_760),
    "cnet": (2_752_787, 2_752_916, 68_835_824),
    "sscnn": (8_115_395, 8_116_420, 316_204_032),
    "rcnet": (388_051, 388_180, 48_186_176),
    "racnet": (622_995, 623_124, 66_263_104),
    "racmini": (317_987, 318_116, 11_406_592),
}


def test_every_network_has_its_counts():
    assert list(COUNTS) == list(NETWORKS), "a new network needs its exact counts here"


@pytest.mark.parametrize("name", list(NETWORKS))
def test_networks(name):
    three, four, operations = COUNTS[name]
    check_network(network_config(name, 4), four)
    assert build(name, 3).count_params() == three
    assert network_config(name, 4).multiply_adds() == operations


def test_files_of_racnet_in_a_fresh_process(tmp_path):
    check_files(network_config("racnet", 3), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(NETWORKS))
def test_files_of_every_network_in_a_fresh_process(name, tmp_path):
    check_files(network_config(name, 4), tmp_path)


ATTENTION_COUNTS = {"none": 535_604, "paper": 623_124, "se": 542_012, "eca": 535_632, "cbam": 542_132}


def test_every_attention_has_its_count():
    assert list(ATTENTION_COUNTS) == list(ATTENTIONS), "a new attention needs its exact count here"


@pytest.mark.parametrize("attention", ["none", "se", "eca", "cbam"])
def test_attention_variants_on_the_same_slot(attention):
    assert network_config("racnet", 4, attention=attention).attention_convolution
    assert build("racnet", 4, attention=attention).count_params() == ATTENTION_COUNTS[attention]
    small = network_config("racnet", 3, **SMALL, attention=attention)
    check_network(small, build_from_config(small).count_params())


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["none", "se", "eca", "cbam"])
def test_files_of_attention_variants(attention, tmp_path):
    check_files(network_config("racnet", 3, **SMALL, attention=attention), tmp_path)


def features(n, length, channels, seed=0):
    return np.random.default_rng(seed).normal(size=(n, length, channels)).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_squeeze_and_excitation_is_its_equation():
    x, layer = features(2, 9, 32), CHANNEL_LAYERS["se"](name="a")
    found = np.asarray(layer(x))
    squeeze, b1, excite, b2 = layer.get_weights()
    assert squeeze.shape == (32, 4)  # 32 / 16 = 2, but four at least
    assert not np.array_equal(squeeze.ravel(), excite.ravel())
    expected = sigmoid(np.maximum(x.mean(1) @ squeeze + b1, 0) @ excite + b2)
    assert np.allclose(found, expected, atol=1e-6)


def test_efficient_attention_slides_over_the_channels():
    x, layer = features(2, 9, 128), CHANNEL_LAYERS["eca"](name="a")
    found = np.asarray(layer(x))
    kernel = layer.get_weights()[0].ravel()
    assert kernel.size == 5  # log2(128) = 7: (7 + 1) / 2 = 4, to the next odd number
    expected = [sigmoid(np.convolve(row, kernel[::-1], "same")) for row in x.mean(1)]
    assert np.allclose(found, expected, atol=1e-6)


def test_cbam_weights_channels_then_positions():
    x, channel, gate = features(2, 20, 16), CHANNEL_LAYERS["cbam"](name="a"), PositionGate(name="b")
    found = np.asarray(channel(x))
    squeeze, b1, excite, b2 = channel.get_weights()

    def perceptron(v):
        return np.maximum(v @ squeeze + b1, 0) @ excite + b2

    assert np.allclose(found, sigmoid(perceptron(x.mean(1)) + perceptron(x.max(1))), atol=1e-6)
    weights = np.asarray(gate(x))
    kernel, bias = gate.get_weights()
    joined = np.pad(np.stack([x.max(2), x.mean(2)], -1), ((0, 0), (3, 3), (0, 0)))
    expected = [sigmoid((joined[:, k : k + 7] * kernel[None, :, :, 0]).sum((1, 2)) + bias[0]) for k in range(20)]
    assert weights.shape == (2, 20, 1) and np.allclose(weights[:, :, 0].T, expected, atol=1e-6)
    block = build("racnet", 3, **SMALL, attention="cbam")
    assert block.get_layer("block1_position").input is block.get_layer("block1_weighted").output


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

    for name, attention in (("rcnet", "none"), *(("racnet", attention) for attention in ATTENTIONS)):
        model = build(name, 3, seed=11, attention=attention)
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
