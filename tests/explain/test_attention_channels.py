import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import spectrum_attention
from racnet_tools.explain.channels import (
    attention_profile,
    channel_profiles,
    excited_most,
    receptive_field,
    receptive_fields_table,
)
from racnet_tools.inference import Engine, load_preset, with_forced_attention, with_outputs


@pytest.fixture(scope="module")
def preset():
    return load_preset("racnet-class")


@pytest.fixture(scope="module")
def flux():
    rng = np.random.default_rng(3)
    return ((1 + 0.3 * rng.standard_normal((8, 3909))) / 62.5).astype(np.float32)


@pytest.fixture(scope="module")
def held(preset):
    """The network with all channel weights at one half, whatever the spectrum."""
    names = [f"block{block}_weighted" for block in range(1, 9)]
    engine = Engine(with_outputs(with_forced_attention(preset.model_bytes()), names))
    sizes = preset.config["filters"]
    inputs = {f"keep_{b}": np.zeros(size, np.float32) for b, size in enumerate(sizes, 1)}
    inputs |= {f"forced_{b}": np.full(size, 0.5, np.float32) for b, size in enumerate(sizes, 1)}
    return lambda flux: engine.run(flux, names, inputs)


def test_fields_by_hand(preset):
    # Four convolutions of three pixels in each block, poolings by two: 1 + 8; 9 + 1 + 8 * 2; 26 - 16 + 16 ...
    table = receptive_fields_table(preset)
    assert list(table["pixels"]) == [9, 26, 60, 128, 264, 536, 1080, 2168]
    assert list(table["step"]) == [1, 2, 4, 8, 16, 32, 64, 128]
    assert list(table["length"]) == [3909, 1954, 977, 488, 244, 122, 61, 30]
    assert table["velocity"][0] == pytest.approx(9 * 69.03, abs=0.1)
    assert receptive_field(preset.config, 2).seen_by(0) == (-12, 13)


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_changed_pixels_reach_exactly_the_fields_that_hold_them(held, flux, preset, block):
    field = receptive_field(preset.config, block)
    pixel = 1700
    changed = flux[:, None].repeat(3, axis=1)
    changed[:, 1, pixel] += 0.5
    changed[:, 2, pixel] -= 0.5
    found = held(changed.reshape(-1, 3909))[block - 1]
    found = found.reshape(len(flux), 3, *found.shape[1:])
    reached = np.flatnonzero((found[:, 1:] != found[:, :1]).any(axis=(0, 1, 2)))
    ends = np.array([field.seen_by(i) for i in range(field.length)])
    expected = np.flatnonzero((ends[:, 0] <= pixel) & (pixel <= ends[:, 1]))
    assert set(reached) <= set(expected)
    # Rectifiers and maxima hide some of the outermost pixels from these few spectra.
    assert len(reached) >= len(expected) - 2
    if block == 1:
        assert set(reached) == set(expected)


def test_nothing_outside_reaches_the_widest_block(held, flux, preset):
    field = receptive_field(preset.config, 8)
    position = 20
    first, last = field.seen_by(position)
    assert (first, last) == (63 + 128 * 20 - 1083, 63 + 128 * 20 + 1084)
    changed = flux[:1].copy()
    changed[:, :first] = 0
    changed[:, last + 1 :] = 0
    np.testing.assert_array_equal(held(flux[:1])[7][0, :, position], held(changed)[7][0, :, position])


def test_through_its_own_attention_every_pixel_reaches_every_other(preset, flux):
    engine = Engine(with_outputs(preset.model_bytes(), ["block1_weighted"]))
    changed = flux[:1].copy()
    changed[:, 100:400] *= 2
    before, after = (engine.run(one, ["block1_weighted"])[0] for one in (flux[:1], changed))
    assert (before != after)[0].any(axis=0)[3000:].mean() > 0.99


def test_channel_profile_is_attention_times_activation(preset, flux):
    engine = Engine(with_outputs(preset.model_bytes(), ["block1_attention_conv"]))
    activation = engine.run(flux[:2], ["block1_attention_conv"])[0]
    weights = spectrum_attention(preset, flux[:2])[1][0]
    expected = weights[:, :, None] * np.abs(activation)
    np.testing.assert_allclose(channel_profiles(preset, flux[:2], 1), expected, rtol=1e-4, atol=1e-6)
    assert channel_profiles(preset, flux[:2], 6).shape == (2, 64, 3909)


def test_profile_of_a_spectrum_sums_channels_and_blocks(preset, flux):
    profile = attention_profile(preset)
    found = profile(flux[:2], None)
    parts = [channel_profiles(preset, flux[:2], block).sum(axis=1) for block in range(1, 9)]
    expected = np.mean([part / part.mean(axis=1, keepdims=True) for part in parts], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    shuffled = profile(flux[:2], np.random.default_rng(1))
    assert np.abs(shuffled - found).max() > 0.01
    np.testing.assert_array_equal(shuffled, profile(flux[:2], np.random.default_rng(1)))


def test_stretches_that_excite_a_channel_are_where_it_is_most_active(preset, flux):
    found = excited_most(preset, flux, 2, 3, most=4)
    active = Engine(with_outputs(preset.model_bytes(), ["block2_weighted"])).run(flux, ["block2_weighted"])[0][:, 3]
    active = active[:, 6:-6]  # the fields of the others reach beyond the ends
    assert list(found.spectra) == list(np.argsort(-active.max(axis=1))[:4])
    np.testing.assert_array_equal(found.activation, np.sort(active.max(axis=1))[::-1][:4])
    position = active[found.spectra[0]].argmax() + 6
    assert found.pixel[0] == 2 * position + 0.5
    first = int(found.pixel[0] - 12.5)
    cut = flux[found.spectra[0], first : first + 26]
    np.testing.assert_allclose(found.stretches[0], cut / np.median(cut), rtol=1e-5)
    np.testing.assert_allclose(found.mean, found.stretches.mean(axis=0))
    assert found.velocity[[0, -1]] == pytest.approx([-12.5 * 69.03, 12.5 * 69.03], abs=0.1)
    wave = preset.preprocessing.grid.wave
    assert wave[int(found.pixel[0])] < found.wave[0] < wave[int(found.pixel[0]) + 1]


def test_what_has_no_attention_or_no_blocks_is_refused(preset, flux):
    plain = load_preset("rcnet-dataset1")
    for call in (
        lambda: attention_profile(plain),
        lambda: channel_profiles(plain, flux, 1),
        lambda: excited_most(plain, flux, 1, 0),
    ):
        with pytest.raises(RacnetError, match="which has none"):
            call()
    assert receptive_field(plain.config, 8).pixels < 2168  # fields it has: three convolutions a block
    with pytest.raises(RacnetError, match="from 1 to 8"):
        receptive_field(preset.config, 9)
    with pytest.raises(RacnetError, match="from 0 to 15"):
        excited_most(preset, flux, 1, 16)
    with pytest.raises(RacnetError, match="Expected a residual network"):
        receptive_field({"family": "plain", "name": "cnet", "n_classes": 3}, 1)


@pytest.mark.parametrize("block", [1, 2])
def test_fields_behind_a_strided_convolution_hold_the_changed_pixels(flux, block):
    preset = load_preset("racmini-class")
    name = f"block{block}_weighted"
    forced = {f"keep_{b}": np.zeros(size, np.float32) for b, size in enumerate(preset.config["filters"], 1)}
    forced |= {f"forced_{b}": np.full(size, 0.5, np.float32) for b, size in enumerate(preset.config["filters"], 1)}
    engine = Engine(with_outputs(with_forced_attention(preset.model_bytes()), [name]))
    field = receptive_field(preset.config, block)
    pixel = 1703
    changed = flux[:, None].repeat(3, axis=1)
    changed[:, 1, pixel] += 0.5
    changed[:, 2, pixel] -= 0.5
    (found,) = engine.run(changed.reshape(-1, 3909), [name], forced)
    assert found.shape[2] == field.length
    found = found.reshape(len(flux), 3, *found.shape[1:])
    reached = np.flatnonzero((found[:, 1:] != found[:, :1]).any(axis=(0, 1, 2)))
    ends = np.array([field.seen_by(i) for i in range(field.length)])
    expected = np.flatnonzero((ends[:, 0] <= pixel) & (pixel <= ends[:, 1]))
    assert set(reached) <= set(expected)
    assert len(reached) >= len(expected) - 1


def test_channels_of_every_block_go_onto_the_spectrum_behind_a_strided_convolution(flux):
    preset = load_preset("racmini-class")
    for block, channels in enumerate(preset.config["filters"], 1):
        assert channel_profiles(preset, flux[:2], block).shape == (2, channels, 3909)


def test_a_field_behind_a_strided_convolution_by_hand():
    # Eight pixels in steps of four, the first with three zeros before it; then four convolutions of three.
    field = receptive_field(load_preset("racmini-class").config, 1)
    assert (field.length, field.step, field.pixels) == (978, 4, 8 + 8 * 4)
    assert field.seen_by(10) == (40 - 3 - 16, 40 + 4 + 16)
