import numpy as np
import pytest
from scipy import stats

from racnet_tools.errors import RacnetError
from racnet_tools.explain.separation import benjamini_hochberg, epsilon_squared, separation, trend


def test_adjusted_p_values_are_those_of_scipy(rng):
    p = rng.random(30) ** 3
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p, method="bh"))


def test_no_test_does_not_count():
    np.testing.assert_allclose(benjamini_hochberg([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])


def test_effect_is_one_apart_and_zero_by_chance(rng):
    y = np.repeat([0, 1, 2], 40)
    noise = rng.standard_normal((120, 400))
    np.testing.assert_allclose(epsilon_squared(np.stack([y, 5 - 2.0 * y], axis=1), y), 1)
    assert abs(epsilon_squared(noise, y).mean()) < 0.003  # unbiased: eta squared would be 2 / 119 = 0.017
    assert np.isnan(epsilon_squared(np.full((120, 1), 0.3), y)).all()


def test_effect_follows_from_the_f_statistic(rng):
    y = np.repeat([0, 1, 2], [20, 30, 10])
    values = rng.standard_normal((60, 1)) + y[:, None]
    f = stats.f_oneway(*[values[y == c, 0] for c in range(3)]).statistic
    eta = 2 * f / (2 * f + 57)
    np.testing.assert_allclose(epsilon_squared(values, y), 1 - (1 - eta) * 59 / 57)


def test_separating_channels_come_first_and_chance_is_not_believed(rng):
    y = rng.integers(0, 3, 150)
    weights = [0.5 + 0.1 * rng.standard_normal((150, 16)), 0.5 + 0.1 * rng.standard_normal((150, 200))]
    weights[0][:, 3] += 0.2 * (y == 2)
    weights[1][:, 7] -= 0.1 * (y == 0)
    table = separation(weights, y, ["STAR", "GALAXY", "QSO"], seed=1)
    assert [(row["block"], row["channel"]) for row in table[:2]] == [(1, 3), (2, 7)]
    assert table["highest"][0] == "QSO"
    assert table["lowest"][1] == "STAR"
    assert table["difference"][0] == pytest.approx(0.2, abs=0.06)
    assert (table["p_adjusted"] < 0.05).sum() <= 4
    assert (table["p_adjusted"][:2] < 0.1).all()
    assert (table["p_value"] < 0.05).sum() > 4  # without control some of 216 pass by chance
    assert (table["lower"][:2] > 0).all()


def test_p_values_are_uniform_where_there_is_nothing(rng):
    y = np.repeat([0, 1], 20)
    table = separation([rng.random((40, 400))], y, "ab", seed=2, permutations=199, resamples=10)
    assert stats.kstest(np.array(table["p_value"]) - rng.random(400) / 200, "uniform").pvalue > 0.001


def test_intervals_hold_the_true_effect_as_often_as_they_say(rng):
    # Two classes half a unit from the mean on either side of noise of one: 1/4 of 5/4 of the variance is between them.
    y = np.repeat([0, 1], 60)
    values = rng.standard_normal((120, 500)) + (y - 0.5)[:, None]
    table = separation([values], y, "ab", seed=3, permutations=1, resamples=400)
    held = ((table["lower"] <= 0.2) & (table["upper"] >= 0.2)).mean()
    assert 0.90 <= held <= 0.98


def test_constant_channels_come_last_without_a_verdict(rng):
    table = separation([np.c_[np.full(20, 0.5), rng.random(20)]], np.repeat([0, 1], 10), "ab", permutations=19)
    assert table["channel"][-1] == 0
    assert np.isnan(table["effect"][-1])
    assert np.isnan(table["p_adjusted"][-1])


def test_same_seed_same_table(rng):
    weights, y = [rng.random((30, 5))], np.repeat([0, 1, 2], 10)
    a, b = (separation(weights, y, "abc", seed=4, permutations=50, resamples=50) for _ in range(2))
    assert all((a[name] == b[name]).all() for name in a.colnames)


def test_a_channel_that_follows_redshift_is_found(rng):
    z = rng.random(80)
    weights = [rng.random((80, 6))]
    weights[0][:, 4] = 1 / (1 + np.exp(-5 * z))
    z[3] = np.nan
    table = trend(weights, z)
    assert table["channel"][0] == 4
    assert table["correlation"][0] == pytest.approx(1)
    assert table["n"][0] == 79
    assert table["p_adjusted"][0] < 1e-6 < table["p_adjusted"][1]


def test_what_cannot_be_compared_is_refused(rng):
    with pytest.raises(RacnetError, match="two classes"):
        separation([rng.random((5, 2))], np.zeros(5, int), ["a", "b"])
    with pytest.raises(RacnetError, match="one of 2 classes"):
        separation([rng.random((5, 2))], np.arange(5), ["a", "b"])
    with pytest.raises(RacnetError, match="four or more"):
        trend([rng.random((5, 2))], [1, 2, 3, np.nan, np.nan])
