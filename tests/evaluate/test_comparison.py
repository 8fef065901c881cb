import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, t

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import compare_all, mcnemar, spread


def paired(both, only_a, only_b, none):
    """True classes (all 0) and two predictions with these counts."""
    a = np.repeat([0, 0, 1, 1], [both, only_a, only_b, none])
    b = np.repeat([0, 1, 0, 1], [both, only_a, only_b, none])
    return np.zeros(len(a), int), a, b


@pytest.mark.parametrize(
    ("counts", "lower", "upper"),
    # Newcombe 1998 (Statist. Med. 17, 2635), Table III, method 10.
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((18, 14, 0, 18), 0.1441, 0.3963),
        ((1, 97, 1, 1), 0.8736, 0.9850),
        ((0, 30, 0, 0), 0.8395, 1.0),
        ((54, 0, 0, 0), -0.0664, 0.0664),
        ((30, 0, 0, 24), -0.0358, 0.0358),
    ],
)
def test_interval_of_the_difference_has_the_published_values(counts, lower, upper):
    found = mcnemar(*paired(*counts))
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=1e-4)


def test_p_value_is_the_exact_tail_of_the_binomial():
    found = mcnemar(*paired(5, 1, 7, 3))
    assert (found.only_a, found.only_b) == (1, 7)
    assert found.p_value == pytest.approx(2 * binom.cdf(1, 8, 0.5))
    assert found.difference == pytest.approx(-6 / 16)
    assert str(found).startswith("-37.5% (-") and str(found).endswith("right alone 1 and 7, p = 0.07)")


def test_equal_classifiers_do_not_differ_and_the_interval_has_a_width_only_if_the_truth_may_differ():
    found = mcnemar(*paired(8, 0, 0, 2))
    assert (found.p_value, found.difference) == (1.0, 0.0)
    assert found.lower == pytest.approx(-found.upper) and found.upper > 0
    assert mcnemar(*paired(0, 4, 4, 0)).p_value == 1.0


def test_interval_covers_the_true_difference_as_often_as_it_says():
    rng = np.random.default_rng(8)
    share = (0.7, 0.15, 0.08, 0.07)
    found = [mcnemar(*paired(*counts)) for counts in rng.multinomial(120, share, 400)]
    covered = np.mean([one.lower <= 0.07 <= one.upper for one in found])
    assert 0.92 < covered < 0.985


@settings(max_examples=60, deadline=None)
@given(counts=st.tuples(*[st.integers(0, 12)] * 4).filter(any))
def test_the_other_way_round_everything_is_turned(counts):
    y, a, b = paired(*counts)
    found, turned = mcnemar(y, a, b), mcnemar(y, b, a)
    assert -1 <= found.lower <= found.difference <= found.upper <= 1
    assert found.difference == pytest.approx((a == y).mean() - (b == y).mean())
    assert (turned.only_a, turned.only_b) == (found.only_b, found.only_a)
    assert turned.p_value == pytest.approx(found.p_value)
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower))


def test_compare_all_has_every_pair_once_and_corrects_for_their_number():
    y = np.zeros(40, int)
    predicted = {name: np.repeat([0, 1], [n, 40 - n]) for name, n in (("one", 40), ("two", 34), ("three", 30))}
    table = compare_all(predicted, y)
    assert [(row["a"], row["b"]) for row in table] == [("one", "two"), ("one", "three"), ("two", "three")]
    assert table.colnames[2:] == ["only_a", "only_b", "difference", "lower", "upper", "p_value", "p_holm"]
    p = [2 * 0.5**6, 2 * 0.5**10, 2 * 0.5**4]
    assert table["p_value"].tolist() == pytest.approx(p)
    assert table["p_holm"].tolist() == pytest.approx([2 * p[0], 3 * p[1], p[2]])
    assert table["difference"].tolist() == pytest.approx([0.15, 0.25, 0.1])


def test_corrected_p_values_never_fall_and_stay_within_1():
    place = np.arange(20)
    predicted = {"all": place < 0, "two": place < 6, "three": place >= 14}
    table = compare_all({name: wrong.astype(int) for name, wrong in predicted.items()}, np.zeros(20, int))
    assert table["p_value"].tolist() == pytest.approx([2 * 0.5**6, 2 * 0.5**6, 1])
    assert table["p_holm"].tolist() == pytest.approx([6 * 0.5**6, 6 * 0.5**6, 1])


def test_spread_of_seeds_in_closed_form():
    found = spread([0.90, 0.92, 0.94])
    assert (found.n, found.mean, found.std) == pytest.approx((3, 0.92, 0.02))
    half = t.ppf(0.975, 2) * 0.02 / np.sqrt(3)
    assert (found.lower, found.upper) == pytest.approx((0.92 - half, 0.92 + half))
    assert half == pytest.approx(4.303 * 0.02 / np.sqrt(3), rel=1e-4)
    assert str(found) == "0.9200 ± 0.0200 (0.8703 to 0.9697, 3 seeds)"


def test_one_seed_has_no_spread_and_says_so():
    found = spread([0.9])
    assert (found.n, found.mean, found.std, found.lower, found.upper) == (1, 0.9, None, None, None)
    assert str(found) == "0.9000 (one seed)"


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(RacnetError, match=r"predicted_b for each of 2 spectra of y. Received: 1"):
        mcnemar([0, 1], [0, 1], [0])
    with pytest.raises(RacnetError, match="Expected predicted_a to be class indices"):
        mcnemar([0, 1], [0.5, np.nan], [0, 1])
    with pytest.raises(RacnetError, match="class indices"):
        mcnemar([], [], [])
    with pytest.raises(RacnetError, match="Received: only"):
        compare_all({"only": [0]}, [0])
    with pytest.raises(RacnetError, match="Received: none"):
        compare_all({}, [0])
    for values in ([], [np.nan], [[0.9]]):
        with pytest.raises(RacnetError, match="Received"):
            spread(values)
