import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import log_loss

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import (
    apply_temperature,
    brier_score,
    calibration_interval,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    wilson_interval,
)


def drawn(n=20000, k=4, seed=3, sharper=1.0):
    """Probabilities whose logits are `sharper` times too large, and classes drawn by the true ones."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.normal(size=(n, k))
    y = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return softmax(sharper * logits, axis=1), y


# Ten spectra at 0.7, of which six are right, and four at 0.9, all right.
P = np.array([[0.7, 0.3]] * 10 + [[0.1, 0.9]] * 4)
Y = np.array([0] * 6 + [1] * 8)


def test_reliability_of_a_case_made_by_hand():
    table = reliability(P, Y, bins=4)
    assert table.colnames == ["low", "high", "n", "confidence", "accuracy", "lower", "upper"]
    assert [tuple(row) for row in table] == [
        pytest.approx((0.5, 0.75, 10, 0.7, 0.6, *wilson_interval(6, 10))),
        pytest.approx((0.75, 1.0, 4, 0.9, 1.0, *wilson_interval(4, 4))),
    ]


@pytest.mark.parametrize(("bins", "error"), [(4, (10 * 0.1 + 4 * 0.1) / 14), (1, abs(7 + 3.6 - 10) / 14)])
def test_expected_calibration_error_of_a_case_made_by_hand(bins, error):
    assert expected_calibration_error(P, Y, bins) == pytest.approx(error)


def test_a_probability_on_a_border_is_in_the_bin_below_it():
    assert [tuple(row)[:3] for row in reliability([[0.6, 0.4], [1.0, 0.0]], [0, 0], bins=5)] == [
        pytest.approx((0.4, 0.6, 1)),
        pytest.approx((0.8, 1.0, 1)),
    ]


def test_calibration_error_tells_calibrated_from_overconfident():
    assert expected_calibration_error(*drawn()) < 0.015
    assert expected_calibration_error(*drawn(sharper=3)) > 0.2


def test_calibration_interval_has_the_width_of_a_mean_where_one_bin_holds_all():
    p, y = np.tile([0.9, 0.1], (2000, 1)), np.repeat([0, 1], [1400, 600])
    lower, upper = calibration_interval(p, y, seed=0)
    assert expected_calibration_error(p, y) == pytest.approx(0.2)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 2000)
    assert (lower, upper) == pytest.approx((0.2 - half, 0.2 + half), abs=0.1 * half)


def test_calibration_interval_holds_the_error_and_is_reproducible():
    p, y = drawn(n=200)
    lower, upper = calibration_interval(p, y, seed=5)
    assert 0 <= lower <= expected_calibration_error(p, y) <= upper <= 1
    assert calibration_interval(p, y, seed=5) == (lower, upper)


def test_likelihood_is_that_of_scikit_learn_and_finite_for_an_impossible_class():
    p, y = drawn(n=500)
    assert negative_log_likelihood(p, y) == pytest.approx(log_loss(y, p))
    assert negative_log_likelihood(np.full((7, 5), 0.2), np.arange(7) % 5) == pytest.approx(np.log(5))
    assert negative_log_likelihood([[1.0, 0.0]], [1]) == pytest.approx(87.3, abs=0.1)


@pytest.mark.parametrize(
    ("p", "score"), [([1.0, 0.0, 0.0], 0.0), ([0.0, 1.0, 0.0], 2.0), ([1 / 3] * 3, 2 / 3), ([0.5, 0.3, 0.2], 0.38)]
)
def test_brier_score_in_closed_form(p, score):
    assert brier_score([p], [0]) == pytest.approx(score)


@pytest.mark.parametrize("sharper", [1.0, 3.0, 0.5])
def test_fitted_temperature_is_the_factor_of_the_logits(sharper):
    p, y = drawn(sharper=sharper)
    temperature = fit_temperature(p, y)
    assert temperature == pytest.approx(sharper, rel=0.04)
    cooled = apply_temperature(p, temperature)
    assert expected_calibration_error(cooled, y) < 0.015
    around = [negative_log_likelihood(apply_temperature(p, temperature * f), y) for f in (0.97, 1.0, 1.03)]
    assert around[1] == min(around)


def test_fitted_temperature_in_closed_form():
    # 0.7 for ten, six right: the logit ln(7/3) must become ln(6/4).
    assert fit_temperature(P[:10], Y[:10]) == pytest.approx(np.log(7 / 3) / np.log(1.5), rel=1e-4)


def test_temperature_is_at_an_end_where_all_are_right_and_1_where_nothing_can_be_known():
    assert fit_temperature([[0.7, 0.3], [0.2, 0.8]], [0, 1]) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature(np.full((4, 2), 0.5), [0, 1, 0, 0]) == 1.0


def test_temperature_of_saturated_single_precision():
    p = softmax(np.array([[60.0, 0.0, -60.0], [0.0, 2.0, 1.0]], np.float32), axis=1)
    cooled = apply_temperature(p, 20.0)
    assert cooled[0, 0] == pytest.approx(softmax([3.0, 0.0, -3.0])[0], abs=0.02)
    assert cooled[1] == pytest.approx(softmax([0.0, 0.1, 0.05]), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.1, 10), k=st.integers(2, 6))
def test_temperature_leaves_the_order_of_classes_and_the_sum(seed, temperature, k):
    p = np.random.default_rng(seed).dirichlet(np.ones(k), 20)
    warm = apply_temperature(p, temperature)
    assert warm.sum(axis=1) == pytest.approx(np.ones(20))
    assert (warm.argmax(axis=1) == p.argmax(axis=1)).all()
    assert apply_temperature(warm, 1 / temperature) == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize(
    ("p", "y", "message"),
    [
        ([0.5, 0.5], [0], r"Received: \(2,\)"),
        (np.empty((0, 2)), [], r"Received: \(0, 2\)"),
        ([[0.5, 0.6]], [0], "the sum 1.1"),
        ([[np.nan, 0.5]], [0], "1 other rows"),
        ([[1.5, -0.5]], [0], "not negative"),
        ([[0.5, 0.5]], [2], "highest index 2"),
        ([[0.5, 0.5]], [-1], "lowest -1"),
        ([[0.5, 0.5]], [0, 1], "for 1 spectra"),
        ([[0.5, 0.5]], [0.0], "float64"),
    ],
)
@pytest.mark.parametrize(
    "measure", [reliability, expected_calibration_error, negative_log_likelihood, brier_score, fit_temperature]
)
def test_what_is_no_probability_or_no_class_is_refused(measure, p, y, message):
    with pytest.raises(RacnetError, match=message):
        measure(p, y)


def test_bins_and_temperatures_that_make_no_sense_are_refused():
    with pytest.raises(RacnetError, match="Received: 0"):
        reliability(P, Y, bins=0)
    for temperature in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(RacnetError, match="temperature above 0"):
            apply_temperature(P, temperature)
