"""Several inspectors: kappa of known examples, what is adopted and whose it is, conflicts; saved sessions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from racnet_tools.apps.inspection.export import FORMATS, read_table, write_table
from racnet_tools.apps.inspection.merge import cohen_kappa, fleiss_kappa, merge
from racnet_tools.apps.inspection.record import Inspection
from racnet_tools.apps.inspection.session import Session
from racnet_tools.errors import RacnetError, ReadError


def record(inspector, key="spec-1", time="2026-11-23T13:05:09.123Z", **values) -> Inspection:
    return Inspection(**{"key": key, "inspector": inspector, "time": time, "quality": 3, "network": "STAR", **values})


def test_fleiss_kappa_of_a_worked_example():
    # fourteen raters, ten subjects, five categories: kappa 0.210 (Wikipedia, "Fleiss' kappa")
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1), (7, 7, 0, 0, 0),
        (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    ratings = [[name for name, number in zip("abcde", row, strict=True) for _ in range(number)] for row in counts]
    assert fleiss_kappa(ratings) == pytest.approx(0.2099, abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_cohen_kappa_is_that_of_scikit_learn(pairs):
    first, second = map(list, zip(*pairs, strict=True))
    mine = cohen_kappa(first, second)
    if mine is None:
        assert len({*first, *second}) == 1
    else:
        assert mine == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_needs_something_to_compare():
    assert cohen_kappa([], []) is None
    assert fleiss_kappa([]) is None
    assert fleiss_kappa([["a", "a"]]) is None
    with pytest.raises(RacnetError, match="as many classes"):
        cohen_kappa(["a"], [])
    with pytest.raises(RacnetError, match="two or more classes"):
        fleiss_kappa([["a", "a"], ["a"]])


def test_the_class_of_most_is_adopted_from_the_surest():
    merged = merge(
        [
            record("Anna", label="QSO", quality=3, z=1.0, comment="lines", flags=("C",)),
            record("Ben", label="QSO", quality=4, z=1.001),
            record("李", label="", quality=4, z=0.0, comment="M dwarf", flags=("S",)),
        ]
    ).spectra[0]
    assert (merged.label, merged.by, merged.z, merged.quality) == ("QSO", "Ben", 1.001, pytest.approx(11 / 3))
    assert merged.conflicts == ("class", "redshift")
    row = merged.to_row()
    assert row["comment"] == "Anna: lines\n李: M dwarf"
    assert (row["flags"], row["inspectors"], row["n"]) == ("CS", "Anna, Ben, 李", 3)


def test_a_tie_is_left_open():
    merged = merge([record("Anna", label="QSO"), record("Ben", label="GALAXY")]).spectra[0]
    assert (merged.label, merged.by, merged.z, merged.conflicts) == ("", "", None, ("class",))


@pytest.mark.parametrize(
    ("one", "other", "conflicts"),
    [
        ({"z": 1.0}, {"z": 1.006}, ()),
        ({"z": 1.0}, {"z": 1.007}, ("redshift",)),
        ({"z": 1.0}, {}, ()),
        ({"quality": 4}, {"quality": 3}, ()),
        ({"quality": 4}, {"quality": 2}, ("quality",)),
        ({"label": "STAR"}, {}, ()),  # the network says so as well
    ],
)
def test_conflicts(one, other, conflicts):
    assert merge([record("Anna", **one), record("Ben", **other)]).spectra[0].conflicts == conflicts


def test_agreement_of_three():
    said = {"Anna": "SSGGQQ", "Ben": "SSGGQS", "Cem": "SSGSQQ"}
    records = [
        record(name, key=f"k{i}", label=letter) for name, letters in said.items() for i, letter in enumerate(letters)
    ]
    records += [record("Anna", key="alone"), record("Ben", key="not done", quality=None)]
    found = merge(records)
    assert (found.inspectors, found.shared, found.agreed) == (("Anna", "Ben", "Cem"), 6, 4)
    assert [one.key for one in found.conflicts] == ["k3", "k5"]
    assert found.pairs["Anna", "Ben"] == (6, pytest.approx(cohen_kappa_score(list("SSGGQQ"), list("SSGGQS"))))
    assert 0.5 < found.fleiss < 0.8
    assert len(found.spectra) == 7
    assert merge([]).fleiss is None


def test_the_latest_of_one_person_counts():
    late, early = record("Anna", quality=1, time="2026-11-24T00:00:00Z"), record("Anna", quality=4)
    assert merge([late, early]).spectra[0].quality == 1


@pytest.mark.parametrize("ending", FORMATS)
def test_merged_inspections_come_back_from_every_format(ending):
    table = merge([record("Anna", comment="=多\nx", z=0.1), record("Ben", label="QSO", comment="# y")]).to_table()
    back = read_table(f"x{ending}", write_table(table, ending))
    assert back.colnames == table.colnames
    assert str(back["comment"][0]) == "Anna: =多\nx\nBen: # y"
    assert float(back["quality"][0]) == 3


def test_a_session_comes_back():
    session = Session({"open": "samples", "z": "0.1"}, (record("Anna", comment="多\n🙂"), record("Ben", z=0.5)))
    assert Session.from_bytes("x.json", session.to_bytes()) == session
    assert Session.from_bytes("x.json", Session().to_bytes()) == Session()


GOOD = {"format": "racnet session 1", "state": {}, "inspections": []}


@pytest.mark.parametrize(
    "values",
    [
        [], {}, "x", {**GOOD, "format": "other"}, {**GOOD, "state": []}, {**GOOD, "inspections": {}},
        {**GOOD, "state": {"a": 1}}, {**GOOD, "state": {"a": "x" * 2001}}, {**GOOD, "inspections": [1]},
        {**GOOD, "inspections": [{"key": "a", "inspector": "b", "time": "c"}]},
        {**GOOD, "inspections": [{**record("Anna").to_dict(), "more": 1}]},
        {**GOOD, "inspections": [{**record("Anna").to_dict(), "z": float("nan")}]},
        {**GOOD, "state": {str(i): "" for i in range(61)}},
    ],
)  # fmt: skip
def test_what_is_no_session_is_refused(values):
    with pytest.raises(ReadError, match="expected a saved session"):
        Session.from_bytes("x.json", json.dumps(values).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_json_are_refused(data):
    with pytest.raises(ReadError, match="expected a saved session"):
        Session.from_bytes("x.json", data)
