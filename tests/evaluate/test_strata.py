import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import accuracy_against, quantile_edges, subclass_errors, wilson_interval


def test_accuracy_against_a_value_of_a_case_made_by_hand():
    value = [1.0, 5.0, 9.9, 10.0, 30.0, np.nan, -1.0]
    table = accuracy_against(value, [0] * 7, [0, 1, 0, 1, 0, 0, 0], [0, 10, 20, 25, 30])
    assert table.colnames == ["low", "high", "n", "right", "accuracy", "lower", "upper"]
    assert [tuple(row) for row in table] == [
        pytest.approx((0, 10, 3, 2, 2 / 3, *wilson_interval(2, 3))),
        pytest.approx((10, 20, 1, 0, 0.0, *wilson_interval(0, 1))),
        pytest.approx((25, 30, 1, 1, 1.0, *wilson_interval(1, 1))),
    ]
    assert table.meta == {"missing": 1, "outside": 1}


def test_masked_values_are_missing_and_open_ends_hold_all():
    value = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    table = accuracy_against(value, [0, 0, 0], [0, 0, 1], [-np.inf, 2, np.inf])
    assert table["n"].tolist() == [1, 1] and table["right"].tolist() == [1, 0]
    assert table.meta == {"missing": 1, "outside": 0}


def test_no_spectrum_with_a_value_leaves_an_empty_table():
    table = accuracy_against([np.nan], [0], [0], [0, 1])
    assert len(table) == 0 and "accuracy" in table.colnames


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 60), bins=st.integers(1, 8), steps=st.sampled_from([2, 5, None]))
def test_bins_by_quantiles_hold_every_spectrum_once(seed, n, bins, steps):
    rng = np.random.default_rng(seed)
    value = rng.normal(size=n) if steps is None else rng.integers(0, steps, n).astype(float)
    y, predicted = rng.integers(0, 2, n), rng.integers(0, 2, n)
    edges = quantile_edges(value, bins)
    assert (np.diff(edges) > 0).all() and edges[0] == value.min() and edges[-1] >= value.max()
    table = accuracy_against(value, y, predicted, edges)
    assert (sum(table["n"]), sum(table["right"])) == (n, (y == predicted).sum())


def test_quantile_edges_of_even_values_and_of_repeated_ones():
    assert quantile_edges([*np.arange(9.0), np.nan], 4).tolist() == [0, 2, 4, 6, 8]
    assert quantile_edges([1, 1, 1, 1, 2], 3).tolist() == [1, 2]
    with pytest.raises(RacnetError, match="Received: 0 and 3 bins"):
        quantile_edges([np.nan], 3)
    with pytest.raises(RacnetError, match="0 bins"):
        quantile_edges([1.0], 0)


def test_subtypes_are_read_from_the_usual_notations_and_go_from_hot_to_cool():
    names = [
        "K3III",
        "G2V",
        "F5",
        "F5 (30743)",
        "G2.5",
        " F0",
        "dM4",
        "A0p",
        "WD",
        "",
        "sdM1",
        "K",
        "F05",
        "STARFORMING",
    ]
    n = len(names)
    table = subclass_errors(names, [0] * n, [0] * n, ["F", "G", "K", "M"])
    assert [(row["subclass"], row["n"]) for row in table] == [("F0", 1), ("F5", 2), ("G2", 2), ("K3", 1), ("M4", 1)]
    assert table.meta["missing"] == 7


def test_accuracy_and_steps_to_the_next_class_for_each_subtype():
    names = ["F0", "F9", "F9", "G0", "G4", "G5", "G9", "K0", "K9"]
    y = [0, 0, 0, 1, 1, 1, 1, 2, 2]
    table = subclass_errors(names, y, [0, 0, 1, 1, 1, 1, 1, 1, 2], ["F", "G", "K"])
    assert table.colnames == ["subclass", "n", "right", "accuracy", "lower", "upper", "steps"]
    assert table["steps"].tolist() == [9, 0, 0, 4, 4, 0, 0, 9]
    assert table["right"].tolist() == [1, 1, 1, 1, 1, 1, 0, 1]
    assert tuple(table[1])[1:6] == pytest.approx((2, 1, 0.5, *wilson_interval(1, 2)))


def test_classes_without_neighbours_have_no_steps_and_masked_types_are_missing():
    names = np.ma.array(["A5", "G5", "K0"], mask=[False, False, True])
    table = subclass_errors(names, [0, 1, 1], [0, 1, 1], ["A", "G", "QSO"])
    assert table["subclass"].tolist() == ["A5", "G5"]
    assert table["steps"].mask.all()
    assert table.meta["missing"] == 1


def test_no_subtype_at_all_leaves_an_empty_table():
    table = subclass_errors(["", "WD"], [0, 0], [0, 0], ["F", "G"])
    assert len(table) == 0 and table.meta["missing"] == 2


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(RacnetError, match="value for each of 2"):
        accuracy_against([1.0], [0, 0], [0, 0], [0, 1])
    for edges in ([1, 0], [0, 0], [0], [0, np.nan, 1], [[0, 1]]):
        with pytest.raises(RacnetError, match="increasing borders"):
            accuracy_against([1.0], [0], [0], edges)
    with pytest.raises(RacnetError, match="class indices"):
        accuracy_against([], [], [], [0, 1])
    with pytest.raises(RacnetError, match="subclass for each of 2"):
        subclass_errors(["F5"], [0, 0], [0, 0], ["F"])
    with pytest.raises(RacnetError, match="classes STAR, QSO"):
        subclass_errors(["F5"], [0], [0], ["STAR", "QSO"])
    with pytest.raises(RacnetError, match="highest index 3"):
        subclass_errors(["F5"], [3], [0], ["F", "G"])
