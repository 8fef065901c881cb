import numpy as np
import pytest
from scipy.stats import special_ortho_group

from racnet_tools.errors import RacnetError
from racnet_tools.explain.variants import compare_attention, kernel_alignment, match_channels


def test_alignment_is_blind_to_rotation_shift_and_scale_only(rng):
    a = rng.standard_normal((40, 6))
    turned = 3 * a @ special_ortho_group.rvs(6, random_state=1) + 7
    assert kernel_alignment(a, turned) == pytest.approx(1)
    assert kernel_alignment(a, a[:, :1]) < 0.9


def test_alignment_of_what_is_unrelated_is_zero_on_average(rng):
    # The biased measure would be near 0.8 here: more channels than spectra.
    found = [kernel_alignment(rng.standard_normal((20, 64)), rng.standard_normal((20, 64))) for _ in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200)


def test_alignment_within_classes_of_what_is_unrelated_is_zero_on_average_for_few_spectra_too(rng):
    y = np.repeat([0, 1, 2, 3], 6)
    means = 3 * rng.standard_normal((4, 64))
    found = [
        kernel_alignment(means[y] + rng.standard_normal((24, 64)), means[y] + rng.standard_normal((24, 64)), y)
        for _ in range(200)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(200)


def test_alignment_approaches_the_closed_form_for_many_spectra(rng):
    a = rng.standard_normal((3000, 2))
    b = a * [1.0, 2.0]  # covariances: sum over i, j of cov(a_i, b_j)^2, over the norms of the covariance matrices
    assert kernel_alignment(a, b) == pytest.approx(5 / np.sqrt(2 * 17), abs=0.02)


def test_shuffled_channels_are_found_again(rng):
    a = rng.random((30, 8))
    order = rng.permutation(8)
    of_a, of_b = match_channels(a, np.exp(a[:, order]))
    np.testing.assert_array_equal(order[of_b], of_a)
    assert len(match_channels(a, a[:, :5])[0]) == 5


def test_same_network_with_other_order_of_channels_agrees_and_an_unrelated_one_does_not(rng):
    y = np.repeat([0, 1, 2], 20)
    a = [rng.random((60, 8)) + 0.3 * y[:, None] * rng.standard_normal(8), rng.random((60, 16))]
    shuffled = [block[:, rng.permutation(block.shape[1])] for block in a]
    other = [rng.random((60, 8)), rng.random((60, 16))]
    table = compare_attention({"a": a, "again": shuffled, "other": other}, y, seed=1, permutations=99)
    assert list(table["block"]) == [0, 1, 2] * 3
    same = table[(table["a"] == "a") & (table["b"] == "again")]
    np.testing.assert_allclose(same["alignment"], 1)
    np.testing.assert_allclose(same["alignment_within"], 1)
    np.testing.assert_allclose(same["matched"], 1)
    np.testing.assert_allclose(same["profile"], 1)
    assert (same["p_value"] == 0.01).all()
    assert (np.abs(same["matched_chance"][[0, 2]]) < 0.5).all()
    unlike = table[table["b"] == "other"]
    assert (np.abs(unlike["matched"]) < 0.3).all()
    assert (np.abs(unlike["alignment_within"]) < 0.3).all()
    assert (unlike["p_within"] > 0.01).all()


def test_networks_that_share_the_classes_alone_agree_in_the_classes_alone():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1, 2], 40)
    means = 2 * rng.standard_normal((3, 8))
    networks = {name: [means[y][:, rng.permutation(8)] + rng.standard_normal((120, 8))] for name in "ab"}
    row = compare_attention(networks, y, permutations=99)[1]
    assert row["alignment"] > 0.4
    assert row["p_value"] == 0.01
    assert abs(row["alignment_within"]) < 0.15
    assert row["p_within"] > 0.02
    assert row["matched"] == pytest.approx(row["matched_chance"], abs=0.15)
    assert row["profile"] > 0.8


def test_what_cannot_be_compared_is_refused(rng):
    y = np.zeros(8, int)
    with pytest.raises(RacnetError, match="two networks or more"):
        compare_attention({"a": [rng.random((8, 2))]}, y)
    with pytest.raises(RacnetError, match="8 spectra, 2 blocks"):
        compare_attention({"a": [rng.random((8, 2))], "b": [rng.random((8, 2))] * 2}, y)
    with pytest.raises(RacnetError, match="four spectra or more of each class"):
        compare_attention({"a": [rng.random((8, 2))], "b": [rng.random((8, 2))]}, [0] * 7 + [1])
    with pytest.raises(RacnetError, match="same four spectra"):
        kernel_alignment(rng.random((3, 2)), rng.random((3, 2)))
