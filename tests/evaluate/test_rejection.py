import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import area_under_risk_coverage, auroc, risk_coverage, threshold_for_coverage

# The second of four is wrong; it shares its score with the third.
Y, PREDICTED, SCORE = [0, 1, 1, 0], [0, 0, 1, 0], [0.1, 0.5, 0.5, 0.9]


def scored(n=300, seed=0, levels=None):
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    score = rng.normal(positive * 0.8)
    return (np.round(score * levels) if levels else score), positive


def test_risk_coverage_of_a_case_made_by_hand_keeps_ties_together():
    table = risk_coverage(Y, PREDICTED, SCORE)
    assert table.colnames == ["coverage", "risk", "threshold"]
    assert [tuple(row) for row in table] == [
        pytest.approx((0.25, 0, 0.1)),
        pytest.approx((0.75, 1 / 3, 0.5)),
        pytest.approx((1.0, 0.25, 0.9)),
    ]


def test_area_under_risk_coverage_of_a_case_made_by_hand():
    assert area_under_risk_coverage(Y, PREDICTED, SCORE) == pytest.approx((0 + 2 / 3 + 1 / 4) / 4)


@pytest.mark.parametrize("wrong", [1, 7, 40])
def test_area_of_the_best_and_of_a_useless_score(wrong):
    n = 50
    predicted = np.repeat([0, 1], [n - wrong, wrong])
    best = sum(k / (n - wrong + k) for k in range(1, wrong + 1)) / n
    assert area_under_risk_coverage(np.zeros(n, int), predicted, np.arange(n)) == pytest.approx(best)
    assert area_under_risk_coverage(np.zeros(n, int), predicted, np.zeros(n)) == pytest.approx(wrong / n)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40))
def test_risk_with_all_spectra_is_the_error_and_the_order_of_rows_is_nothing(seed, n):
    rng = np.random.default_rng(seed)
    y, predicted, score = rng.integers(0, 3, n), rng.integers(0, 3, n), rng.integers(0, 8, n) / 8
    table = risk_coverage(y, predicted, score)
    assert table["coverage"][-1] == 1
    assert table["risk"][-1] == pytest.approx((y != predicted).mean())
    assert (np.diff(table["coverage"]) > 0).all()
    for coverage, risk, threshold in table:
        kept = score <= threshold
        assert (coverage, risk) == pytest.approx((kept.mean(), (y != predicted)[kept].mean()))
    order = rng.permutation(n)
    again = area_under_risk_coverage(y[order], predicted[order], score[order])
    assert again == pytest.approx(area_under_risk_coverage(y, predicted, score))


@pytest.mark.parametrize(("coverage", "threshold"), [(0.07, 7), (0.071, 8), (0.5, 50), (1.0, 100), (1e-6, 1)])
def test_threshold_keeps_the_share_that_was_asked_for(coverage, threshold):
    assert threshold_for_coverage(np.random.default_rng(1).permutation(100) + 1, coverage) == threshold


def test_threshold_keeps_more_rather_than_less_where_scores_are_equal():
    assert threshold_for_coverage([0.0, 0.2, 0.2, 0.2, 0.9], 0.4) == 0.2


@pytest.mark.parametrize("levels", [None, 1, 3])
def test_area_under_the_curve_is_that_of_scikit_learn(levels):
    score, positive = scored(levels=levels)
    found = auroc(score, positive)
    assert found.value == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    assert (found.n_positive, found.n_negative) == (positive.sum(), (~positive).sum())


@pytest.mark.parametrize("levels", [None, 2])
def test_interval_is_delongs_from_every_pair(levels):
    score, positive = scored(n=120, seed=4, levels=levels)
    difference = score[positive][:, None] - score[~positive]
    kernel = np.where(difference > 0, 1.0, np.where(difference == 0, 0.5, 0.0))
    m, n = kernel.shape
    half = norm.ppf(0.975) * np.sqrt(kernel.mean(axis=1).var(ddof=1) / m + kernel.mean(axis=0).var(ddof=1) / n)
    found = auroc(score, positive)
    assert (found.lower, found.upper) == pytest.approx((kernel.mean() - half, kernel.mean() + half))


def test_interval_covers_the_true_area_as_often_as_it_says():
    true = norm.cdf(0.8 / np.sqrt(2))
    intervals = [auroc(*scored(n=150, seed=seed)) for seed in range(300)]
    covered = np.mean([one.lower <= true <= one.upper for one in intervals])
    assert 0.91 < covered < 0.985


def test_complete_separation_has_an_interval_that_narrows_with_more_spectra():
    few, many = (auroc(np.arange(2 * n), np.arange(2 * n) >= n) for n in (5, 50))
    assert few.value == few.upper == many.upper == 1
    assert 0.5 < few.lower < many.lower < 1
    turned = auroc(-np.arange(10), np.arange(10) >= 5)
    assert (turned.value, turned.lower, turned.upper) == pytest.approx((0, 0, 1 - few.lower), abs=1e-9)


def test_one_spectrum_on_a_side_and_a_constant_score_leave_much_open():
    one = auroc([0.1, 0.2, 0.3, 0.4], [False, False, True, False])
    assert one.value == pytest.approx(2 / 3)
    assert one.lower < 0.3 and one.upper > 0.9
    constant = auroc(np.ones(40), np.arange(40) < 20)
    assert constant.value == 0.5
    assert constant.lower == pytest.approx(1 - constant.upper)
    assert 0.3 < constant.lower < 0.45


def test_area_is_undefined_without_one_of_the_sides():
    found = auroc([0.1, 0.2], [False, False])
    assert np.isnan([found.value, found.lower, found.upper]).all()
    assert str(found) == "undefined (0 against 2)"


def test_area_as_text():
    found = auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    assert str(found).startswith("0.750 (") and str(found).endswith(", 2 against 2)")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.sampled_from([None, 2]))
def test_area_depends_on_the_order_of_scores_alone(seed, levels):
    score, positive = scored(n=60, seed=seed, levels=levels)
    found = auroc(score, positive)
    assert auroc(np.exp(score) - 7, positive) == found
    turned = auroc(-score, positive)
    assert turned.value == pytest.approx(1 - found.value)
    assert turned.lower == pytest.approx(1 - found.upper)


def test_what_is_no_score_is_refused():
    with pytest.raises(RacnetError, match="Received: 1 that are not"):
        auroc([0.1, np.nan], [True, False])
    with pytest.raises(RacnetError, match="each of 2 spectra"):
        auroc([0.1, 0.2], [True])
    with pytest.raises(RacnetError, match="True or False"):
        auroc([0.1, 0.2], [0, 2])
    with pytest.raises(RacnetError, match="each of 4 spectra"):
        risk_coverage(Y, PREDICTED, SCORE[:3])
    with pytest.raises(RacnetError, match="each of 4 spectra of y"):
        area_under_risk_coverage(Y, PREDICTED[:3], SCORE)
    with pytest.raises(RacnetError, match="class indices"):
        risk_coverage([], [], [])
    with pytest.raises(RacnetError, match="at least one spectrum"):
        threshold_for_coverage([], 0.5)
    for coverage in (0.0, 1.1, np.nan):
        with pytest.raises(RacnetError, match="above 0, at most 1"):
            threshold_for_coverage([0.1], coverage)
