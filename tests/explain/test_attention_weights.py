import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import (
    attention_against,
    attention_by,
    attention_table,
    channel_numbers,
    joined_weights,
    spectrum_attention,
)
from racnet_tools.inference import Engine, load_preset


@pytest.fixture
def weights(rng):
    return [rng.random((6, 2)), rng.random((6, 3))]


def test_a_row_for_each_spectrum_and_channel(weights):
    table = attention_table(weights, [f"s{i}" for i in range(6)])
    assert table.colnames == ["spectrum", "block", "channel", "weight"]
    assert len(table) == 6 * 5
    row = table[(table["spectrum"] == "s4") & (table["block"] == 2) & (table["channel"] == 1)]
    np.testing.assert_allclose(row["weight"], weights[1][4, 1], rtol=1e-6)


def test_columns_of_joined_weights_are_numbered(weights):
    blocks, channels = channel_numbers(weights)
    joined = joined_weights(weights)
    for column, (block, channel) in enumerate(zip(blocks, channels, strict=True)):
        np.testing.assert_array_equal(joined[:, column], weights[block - 1][:, channel])


def test_means_of_classes_with_student_interval(weights):
    table = attention_by(weights, ["a", "a", "b", "a", "b", "c"])
    assert sorted(set(table["group"])) == ["a", "b", "c"]
    row = table[(table["group"] == "a") & (table["block"] == 1) & (table["channel"] == 1)][0]
    inside = weights[0][[0, 1, 3], 1]
    half = 4.302653 * inside.std(ddof=1) / np.sqrt(3)  # Student's t, 2 degrees of freedom
    np.testing.assert_allclose(
        [row["n"], row["mean"], row["lower"], row["upper"]],
        [3, inside.mean(), inside.mean() - half, inside.mean() + half],
        rtol=1e-6,
    )
    assert np.isnan(table[table["group"] == "c"]["lower"]).all()


def test_bins_hold_their_lower_edge_and_the_last_its_upper(weights):
    value = np.ma.masked_array([0.0, 1.0, 2.0, np.nan, 5.0, 1.5], mask=[0, 0, 0, 0, 0, 1])
    table = attention_against(weights, value, [0, 1, 2])
    assert [int(n) for n in table["n"][[0, 5]]] == [1, 2]
    np.testing.assert_allclose(table["mean"][5:7], weights[0][[1, 2]].mean(axis=0))


def test_what_does_not_fit_is_refused(weights):
    with pytest.raises(RacnetError, match="no block"):
        joined_weights([])
    with pytest.raises(RacnetError, match="a name for each of 6"):
        attention_table(weights, ["one"])
    with pytest.raises(RacnetError, match="rising"):
        attention_against(weights, np.zeros(6), [1, 1])
    with pytest.raises(RacnetError, match="none in there"):
        attention_against(weights, np.zeros(6), [1, 2])
    with pytest.raises(RacnetError, match="a group for each"):
        attention_by(weights, ["a"])


def test_weights_are_those_of_the_engine_and_networks_without_are_refused(rng):
    preset = load_preset("racnet-class")
    flux = rng.normal(1, 0.1, (2, 3909)).astype(np.float32) / 62.5
    probabilities, weights = spectrum_attention(preset, flux)
    assert [block.shape for block in weights] == [(2, c) for c in preset.config["filters"]]
    np.testing.assert_allclose(probabilities, Engine(preset.model_bytes()).predict(flux), atol=1e-6)
    with pytest.raises(RacnetError, match="has none"):
        spectrum_attention(load_preset("rcnet-dataset1"), flux)
