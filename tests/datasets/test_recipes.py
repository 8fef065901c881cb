"""Labels and recipes: which spectra belong to Data sets 1, 2 and 3, however surveys write their classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.datasets import RECIPES, Recipe, class_indices, one_hot, subtype_places
from racnet_tools.datasets.recipes import recipe
from racnet_tools.errors import RacnetError


def test_the_papers_data_sets():
    assert {name: r.classes for name, r in RECIPES.items()} == {
        "dataset1": ("STAR", "GALAXY", "QSO", "UNKNOWN"),
        "dataset2": ("STAR", "GALAXY", "QSO"),
        "dataset3": ("F", "G", "K"),
    }
    assert RECIPES["dataset1"].counts() == dict.fromkeys(("STAR", "GALAXY", "QSO", "UNKNOWN"), 10_000)
    assert RECIPES["dataset3"].counts(0.01) == {"F": 100, "G": 100, "K": 100}


def test_labels_in_any_case():
    labels = ["Star", "GALAXY", "qso", "Unknown", "", "Non", " STAR "]
    assert RECIPES["dataset1"].indices(labels, [""] * 7).tolist() == [0, 1, 2, 3, -1, -1, 0]
    assert RECIPES["dataset2"].indices(labels, ["G5"] * 7).tolist() == [0, 1, 2, -1, -1, -1, 0]


@pytest.mark.parametrize(
    ("subclass", "index"),
    [(text, 0) for text in ("F", "F0", "F9", "F5 (30743)", "F2V (33256)", "F2.5 III-IV", "F5e")]
    + [(text, 1) for text in ("G", "G5", "G0Va (143761)", "GIII")]
    + [(text, 2) for text in ("K", "K7", "K1IV (142091)", "K5:")]
    + [(text, -1) for text in ("A7V", "M0", "dM4", "gM0", "sdF5", "DoubleStar", "EM", "WD", "CV", "Carbon", "Non", "")]
    + [(text, -1) for text in ("Galaxy", "Flat", "K+M", "F/A", "G5V+M4", "f5", "STARFORMING", "Kstar", "FG")],
)
def test_spectral_types(subclass, index):
    assert RECIPES["dataset3"].indices(["STAR"], [subclass]).tolist() == [index]
    assert RECIPES["dataset3"].indices(["GALAXY"], [subclass]).tolist() == [-1]
    assert RECIPES["dataset3"].indices(["Unknown"], [subclass]).tolist() == [-1]


def test_recipes_that_make_no_sense_are_refused():
    with pytest.raises(RacnetError, match="dataset1, dataset2, dataset3"):
        recipe("dataset4")
    for scale in (0, -1, float("nan"), float("inf"), 0.0001):
        with pytest.raises(RacnetError, match="five spectra"):
            RECIPES["dataset1"].counts(scale)
    with pytest.raises(RacnetError, match="two classes"):
        Recipe("x", "x", ("A",))
    assert recipe(Recipe("x", "x", ("A", "M"), "spectral type", 50)).counts() == {"A": 50, "M": 50}


@given(st.lists(st.integers(0, 4)))
def test_one_hot_and_back(indices):
    code = one_hot(np.array(indices, dtype=int), 5)
    assert code.shape == (len(indices), 5) and code.dtype == np.float32
    assert (code.sum(axis=1) == 1).all() and code.argmax(axis=1).tolist() == indices


def test_bad_labels_are_refused():
    for wrong in ([3], [-1], [0.0]):
        with pytest.raises(RacnetError, match="class indices of 0 to 2"):
            one_hot(np.array(wrong), 3)
    assert class_indices(np.array(["B", "a"]), ("A", "B")).tolist() == [1, 0]


def test_subtypes_have_places_on_one_scale():
    names = ["O0", "G5", "A1IV", "dM3", "sdM1", "K0III", " F9 ", "Carbon", "DoubleStar", "EM", "WD", "", "Non"]
    nan = np.nan
    expected = [0, 45, 21, 63, 61, 50, 39, nan, nan, nan, nan, nan, nan]
    np.testing.assert_array_equal(subtype_places(names), expected)
