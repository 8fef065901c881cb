import gzip
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from process_memory import PEAK

from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.archives.selection import FIELDS, RECIPES, Recipe, Selection, choose, number
from racnet_tools.errors import RacnetError, ReadError

STARS = ["STAR|G5", "STAR|F0", "STAR|K7", "STAR|A5V", "STAR|dM2", "STAR|DoubleStar"]
KINDS = [*STARS, "GALAXY|Non", "QSO|Non", "Unknown|Non"]


def catalogue_text(n, seed=1):
    rng = random.Random(seed)
    weights = [30, 20, 20, 8, 6, 1, 3, 2, 10]
    kinds = rng.choices(KINDS, weights, k=n)
    lines = (f"{kind}|{rng.uniform(0, 1):.6f}|{rng.uniform(1, 90):.2f}" for kind in kinds)
    return ["obsid|class|subclass|z|snrg", *(f"{101001 + 3 * i}|{line}" for i, line in enumerate(lines))]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    path = tmp_path_factory.mktemp("c") / "c.csv.gz"
    path.write_bytes(gzip.compress("\n".join(catalogue_text(5000)).encode()))
    return path


def ids(selection):
    return [row["obsid"] for row in selection.rows]


def small(*labels, count=50, stellar=False):
    return Recipe(labels, count, stellar)


def test_the_papers_data_sets():
    assert RECIPES["dataset1"] == Recipe(("STAR", "GALAXY", "QSO", "UNKNOWN"), 10000)
    assert RECIPES["dataset2"].labels == ("STAR", "GALAXY", "QSO")
    assert RECIPES["dataset3"] == Recipe(("F", "G", "K"), 10000, stellar=True)


def test_classes(catalogue):
    chosen = choose(read_catalogue(catalogue), small("STAR", "GALAXY", "QSO", "UNKNOWN"))
    assert chosen.counts() == dict.fromkeys(("STAR", "GALAXY", "QSO", "UNKNOWN"), 50)
    assert chosen.n_rows == 5000
    there = {line.split("|")[0]: line.split("|") for line in catalogue_text(5000)[1:]}
    for row in chosen.rows:
        kind, subclass, z, snr = there[row["obsid"]][1:]
        assert (row["label"], row["z"], row["snr_g"]) == (kind.upper(), z, snr)
        assert row["subclass"] == ("" if subclass == "Non" else subclass)
    assert len(set(ids(chosen))) == 200
    assert sum(chosen.available.values()) == 5000


def test_stellar_types_are_those_of_a_letter_and_a_digit(catalogue):
    chosen = choose(read_catalogue(catalogue), "dataset3", scale=0.004)
    assert chosen.counts() == {"F": 40, "G": 40, "K": 40}
    assert {row["subclass"] for row in chosen.rows} == {"F0", "G5", "K7"}
    pieces = [
        {
            "obsid": pa.array([str(i) for i in range(8)]),
            "class": pa.array(["STAR", "star", "STAR", "STAR", "STAR", "STAR", "GALAXY", "STAR"]),
            "subclass": pa.array(["F5", "F9IV", "gF5", "F", "Fp", "dF2", "F5", " F2 "]),
        }
    ]
    assert sorted(ids(choose(pieces, "dataset3"))) == ["0", "1", "7"]


def test_fewer_than_wanted_are_all_taken(catalogue):
    chosen = choose(read_catalogue(catalogue), "dataset1")
    assert chosen.counts() == chosen.available
    assert chosen.wanted["QSO"] == 10000 > chosen.available["QSO"] > 0


def test_no_unknown_in_the_catalogue():
    chosen = choose([{"obsid": pa.array(["1"]), "class": pa.array(["STAR"])}], "dataset1")
    assert chosen.counts() == {"STAR": 1, "GALAXY": 0, "QSO": 0, "UNKNOWN": 0}


def test_the_choice_depends_on_the_seed_alone(tmp_path, catalogue):
    lines = catalogue_text(5000)
    random.Random(3).shuffle(rest := lines[1:])
    (tmp_path / "other.csv").write_text("\ufeff" + "\n".join([lines[0], *rest]).replace("|", ","))
    first = choose(read_catalogue(catalogue), small("STAR", "QSO"), seed=4)
    other = choose(read_catalogue(tmp_path / "other.csv"), small("STAR", "QSO"), seed=4)
    assert first.rows == other.rows
    assert set(ids(first)) != set(ids(choose(read_catalogue(catalogue), small("STAR", "QSO"), seed=5)))
    assert set(ids(first)) != set(ids(choose(read_catalogue(catalogue), small("STAR", "QSO"), seed=-4)))


def test_a_known_choice():
    """The numbers are a promise: the same seed gives the same data set in later versions too."""
    numbers = [6569600216133421644, 10255041587097018824, 5154087477875674905]
    assert number(np.array([101001, 101002, 585216248], np.uint64), 0).tolist() == numbers


def test_a_smaller_scale_is_a_part_of_a_larger_one(catalogue):
    small_one = choose(read_catalogue(catalogue), "dataset2", scale=0.001, seed=2)
    larger = choose(read_catalogue(catalogue), "dataset2", scale=0.004, seed=2)
    assert set(ids(small_one)) < set(ids(larger))
    assert [obsid for obsid in ids(larger) if obsid in set(ids(small_one))] == ids(small_one)


def test_an_obsid_that_comes_twice_is_taken_once():
    piece = {"obsid": pa.array(["5", "6", "5"]), "class": pa.array(["STAR"] * 3)}
    assert sorted(ids(choose([piece, piece], "dataset2"))) == ["5", "6"]


def test_rows_without_a_number_are_passed_over():
    odd = ["", "-1", "1.5", "x", "٣", "²", "9" * 30, " 8 "]
    piece = {"obsid": pa.array(odd), "class": pa.array(["STAR"] * len(odd))}
    assert ids(choose([piece], "dataset2")) == ["8"]


def test_each_object_has_the_same_chance():
    piece = {"obsid": pa.array([str(i) for i in range(1000)]), "class": pa.array(["STAR"] * 1000)}
    taken = Counter(obsid for seed in range(200) for obsid in ids(choose([piece], small("STAR", count=100), seed=seed)))
    counts = np.array([taken[str(i)] for i in range(1000)])
    chi2 = ((counts - 20) ** 2 / (20 * 0.9)).sum()
    assert 1000 - 5 * np.sqrt(2000) < chi2 < 1000 + 5 * np.sqrt(2000)


def test_saved_and_opened(tmp_path, catalogue):
    chosen = choose(read_catalogue(catalogue), small("STAR", "GALAXY"))
    chosen.save(tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines()[0] == ",".join(FIELDS)
    back = Selection.open(tmp_path / "s.csv")
    assert [{k: v for k, v in row.items() if v} for row in back.rows] == [
        {k: v for k, v in row.items() if v} for row in chosen.rows
    ]
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ReadError):
        Selection.open(tmp_path / "t.csv")
    with pytest.raises(ReadError):
        Selection.open(tmp_path / "absent.csv")


@pytest.mark.parametrize(("recipe", "scale"), [("dataset9", 1), ("dataset1", 0), ("dataset1", float("nan"))])
def test_what_is_no_recipe(recipe, scale):
    with pytest.raises(RacnetError, match="Expected a"):
        choose([], recipe, scale=scale)


def test_types_need_the_column():
    with pytest.raises(RacnetError, match="subclass"):
        choose([{"obsid": pa.array(["1"]), "class": pa.array(["STAR"])}], "dataset3")


COUNT = (
    PEAK
    + """
import sys
from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.archives.selection import choose
n = choose(read_catalogue(sys.argv[1]), "dataset1", scale=0.05).n_rows
print(n, peak())
"""
)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_twenty_times_the_rows_need_no_more_memory(tmp_path):
    peaks = {}
    for n in (50_000, 1_000_000):
        path = tmp_path / f"{n}.csv"
        path.write_text("\n".join(catalogue_text(n)))
        command = [sys.executable, "-c", COUNT, str(path)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows, peaks[n] = map(float, out.split())
        assert rows == n
    assert peaks[1_000_000] < 1.25 * peaks[50_000] + 20_000 / 1024  # MB; the reader's buffers fill up
