import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import mcnemar
from racnet_tools.explain.ablation import ablate_blocks, ablate_channels, forced_logits
from racnet_tools.explain.check import log_odds
from racnet_tools.inference import Engine, load_preset, with_outputs


@pytest.fixture(scope="module")
def preset():
    return load_preset("racnet-class")


@pytest.fixture(scope="module")
def flux(preset):
    """Ten spectra: continua of different slopes, lines and noise."""
    rng = np.random.default_rng(5)
    x = np.linspace(-1, 1, 3909)
    flux = np.exp(np.linspace(-2, 2, 10)[:, None] * x) + 0.1 * rng.standard_normal((10, 3909))
    flux[::2, 1000:1030] += 2
    return (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def own(preset, flux):
    return Engine(with_outputs(preset.model_bytes(), ["logits"])).run(
        flux, ["logits", *(f"attention_{block}" for block in range(1, 9))]
    )


def test_nothing_forced_changes_nothing(preset, flux, own):
    np.testing.assert_allclose(forced_logits(preset, flux, {}), own[0], atol=1e-4)
    np.testing.assert_allclose(forced_logits(preset, flux, {3: np.full(32, np.nan)}), own[0], atol=1e-4)


def test_a_spectrum_with_its_own_weights_forced_is_unchanged(preset, flux, own):
    weights = {block: own[block][4] for block in range(1, 9)}
    found = forced_logits(preset, flux[4:6], weights)
    np.testing.assert_allclose(found[0], own[0][4], atol=1e-3)
    assert np.abs(found[1] - own[0][5]).max() > 1e-3


@pytest.mark.parametrize("block", [1, 4, 8])
def test_the_short_way_gives_what_forcing_in_the_whole_network_gives(preset, flux, own, block):
    y = np.arange(10) % 3
    table = ablate_channels(preset, flux, y, value=0.0, blocks=[block])
    size = preset.config["filters"][block - 1]
    assert list(table["channel"]) == list(range(size))
    for channel in (0, size - 1):
        one = np.full(size, np.nan)
        one[channel] = 0.0
        logits = forced_logits(preset, flux, {block: one})
        change = log_odds(logits, y) - log_odds(own[0], y)
        assert table["log_odds"][channel] == pytest.approx(change.mean(), abs=2e-4)
        assert table["flips"][channel] == (logits.argmax(axis=1) != own[0].argmax(axis=1)).sum()
        compared = mcnemar(y, logits.argmax(axis=1), own[0].argmax(axis=1))
        assert table["accuracy"][channel] == compared.difference
        assert table["p_value"][channel] == compared.p_value
    assert (table["lower"] <= table["log_odds"]).all()


def test_mean_weights_of_one_spectrum_are_its_own(preset, flux):
    table = ablate_channels(preset, flux[:1], [0], value="mean", blocks=[6, 8])
    np.testing.assert_allclose(table["log_odds"], 0, atol=1e-3)
    assert len(table) == 64 + 128
    np.testing.assert_allclose(ablate_blocks(preset, flux[:1], [0], values=["mean"])["log_odds"], 0, atol=1e-3)


def test_blocks_are_forced_one_by_one_and_all_at_once(preset, flux, own):
    y = own[0].argmax(axis=1)
    table = ablate_blocks(preset, flux, y)
    assert list(table["block"]) == [*range(9), *range(9)]
    assert list(table["forced"]) == ["mean"] * 9 + ["1.0"] * 9
    sizes = preset.config["filters"]
    for row, weights in (
        (table[0], {block: own[block].mean(axis=0) for block in range(1, 9)}),
        (table[11], {2: np.ones(sizes[1])}),
    ):
        logits = forced_logits(preset, flux, weights)
        assert row["log_odds"] == pytest.approx((log_odds(logits, y) - log_odds(own[0], y)).mean(), abs=1e-3)
        assert row["accuracy"] == pytest.approx(-row["flips"] / len(flux))  # agreement with the network itself


def test_what_cannot_be_forced_is_refused(preset, flux):
    y = np.zeros(10, int)
    with pytest.raises(RacnetError, match="attention"):
        ablate_blocks(load_preset("rcnet-dataset1"), flux, y)
    with pytest.raises(RacnetError, match="which has none"):
        ablate_channels(load_preset("rcnet-dataset1"), flux, y)
    with pytest.raises(RacnetError, match="blocks from 1 to 8"):
        ablate_channels(preset, flux, y, blocks=[9])
    with pytest.raises(RacnetError, match="each of 10 spectra"):
        ablate_channels(preset, flux, y[:3])
    with pytest.raises(RacnetError, match='a number or "mean"'):
        ablate_channels(preset, flux[:1], y[:1], value="median", blocks=[8])
    with pytest.raises(RacnetError, match="which have"):
        forced_logits(preset, flux, {1: np.ones(17)})
    with pytest.raises(RacnetError, match="classes from 0 to 2"):
        ablate_blocks(preset, flux[:1], [3], values=[0])
