import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import accuracy, accuracy_by, confusion_table, wilson_interval


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Published values: Newcombe 1998 (Statist. Med. 17, 857), Table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_has_the_published_values(successes, n, low, high):
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_stays_within_0_and_1_and_knows_nothing_from_nothing():
    assert wilson_interval(20, 20)[1] == 1.0
    assert np.isnan(wilson_interval(0, 0)).all()
    with pytest.raises(RacnetError, match="Received: 3, 2"):
        wilson_interval(3, 2)


def test_accuracy_counts_agreement_and_a_missing_prediction_as_wrong():
    share = accuracy(["A", "F", "G", "G"], np.ma.array(["A", "F", "K", "G"], mask=[False, False, False, True]))
    assert (share.successes, share.n, share.value) == (2, 4, 0.5)
    assert str(share) == "50.0% (15.0% to 85.0%, 2 of 4)"


def test_accuracy_refuses_unequal_lengths_and_missing_truth():
    with pytest.raises(RacnetError, match="one length"):
        accuracy(["A"], ["A", "F"])
    with pytest.raises(RacnetError, match="1 have none"):
        accuracy(np.ma.array(["A", "F"], mask=[True, False]), ["A", "F"])


def test_accuracy_by_group():
    table = accuracy_by(["A", "A", "F"], ["A", "F", "F"], ["x", "x", "y"])
    assert [tuple(row)[:4] for row in table] == [("x", 2, 1, 0.5), ("y", 1, 1, 1.0)]
    assert table["low"][0] == pytest.approx(wilson_interval(1, 2)[0])
    with pytest.raises(RacnetError, match="a group for each"):
        accuracy_by(["A"], ["A"], ["x", "y"])


def test_confusion_table_has_true_rows_and_predicted_columns():
    table = confusion_table(["A", "A", "A", "F"], ["A", "F", "F", "F"], ["A", "F", "G"])
    assert table.colnames == ["true", "A", "F", "G", "n", "completeness"]
    assert [list(row)[1:5] for row in table] == [[1, 2, 0, 3], [0, 1, 0, 1], [0, 0, 0, 0]]
    assert table["completeness"][0] == pytest.approx(1 / 3)
    assert table.meta["purity"]["F"] == pytest.approx(1 / 3)
    assert np.isnan(table.meta["purity"]["G"])


def test_confusion_table_shows_missing_predictions_and_refuses_unknown_labels():
    table = confusion_table(["A", "F"], np.ma.array(["A", "F"], mask=[False, True]))
    assert table["none"].tolist() == [0, 1]
    with pytest.raises(RacnetError, match="Received: Z"):
        confusion_table(["A"], ["Z"], ["A", "F"])
