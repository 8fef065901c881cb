"""The whole way from data to report on very few spectra: what is kept, resumed, judged and written."""

import json
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from racnet_tools.cli import main
from racnet_tools.datasets import DataSet, fill_simulated
from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import wilson_interval
from racnet_tools.reproduce import Experiment, reproduce
from racnet_tools.reproduce.runs import find, train_all

TINY = {"scale": 0.003, "networks": ["fc"], "progress": False}


@pytest.fixture(scope="module", autouse=True)
def three_epochs():
    """Few epochs: what is tested here is the way, not the accuracy. (Commands run in other processes take all.)"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("racnet_tools.reproduce.runs.schedule", lambda scale: (3, 16))
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce") / "tiny"
    said = []
    return reproduce(folder, ["table2"], say=said.append, **TINY), said


def test_results_are_those_of_the_predictions(made):
    found = made[0]
    row = found.results["networks"][0]
    data = DataSet.open(found.folder / "data" / "dataset1")
    stored = np.load(found.folder / "runs/dataset1/fc/epochs3-seed0/predictions.npz")
    assert np.array_equal(stored["y"], data.index["test"][:, 2])
    right = stored["p"].argmax(axis=1) == stored["y"]
    assert row["accuracy"] == pytest.approx(right.mean()) and row["seeds"] == [row["accuracy"]]
    assert (row["lower"], row["upper"]) == pytest.approx(wilson_interval(right.sum(), len(right)))
    assert np.sum(row["confusion"]) == len(right) and np.trace(row["confusion"]) == right.sum()
    assert row["published"] == 0.7713 and row["published_by_class"]["UNKNOWN"] == 0.4817
    assert row["flops"] == 2 * 2_165_760 and row["parameters"] == 2_166_660 and row["spread"] is None
    for name, part in row["by_class"].items():
        here = stored["y"] == data.classes.index(name)
        assert part["accuracy"] == pytest.approx(right[here].mean()) and part["n"] == here.sum()
    assert json.loads((found.folder / "results.json").read_text()) == json.loads(json.dumps(found.results))


def test_the_report_says_what_it_must(made):
    folder = made[0].folder

    class Text(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found, self.code = [], False

        def handle_starttag(self, tag, attributes):
            self.code = tag in ("script", "style")

        def handle_endtag(self, tag):
            self.code = False

        def handle_data(self, data):
            self.found += [] if self.code else [data]

    reader = Text()
    reader.feed((folder / "report.html").read_text())
    both = (" ".join(reader.found), (folder / "report.md").read_text().replace("\\", ""))
    for text in both:
        for needed in (
            "Table 2",
            "77.13 %",
            "FC network",
            "simulated",
            f"UNKNOWN {made[0].results['data']['dataset1']['counts']['train']['UNKNOWN']}",
            "Wilson",
            "copies of one spectrum",
        ):
            assert needed in text, needed
        assert "None" not in text and "nan" not in text.lower().split()


def test_a_second_call_trains_nothing_and_gives_the_same(made):
    found = made[0]
    weights = found.folder / "runs/dataset1/fc/epochs3-seed0/model.weights.h5"
    before = weights.stat().st_mtime_ns
    said = []
    again = reproduce(found.folder, ["table2"], say=said.append, **TINY)
    assert weights.stat().st_mtime_ns == before and not any("FC network on" in line for line in said)
    for part in ("networks", "calibration", "rejection", "strata", "data"):
        assert again.results[part] == found.results[part]


def test_another_scale_or_a_strange_folder_is_refused(made, tmp_path):
    with pytest.raises(RacnetError, match="other settings"):
        reproduce(made[0].folder, ["table2"], scale=0.004, networks=["fc"])
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(RacnetError, match="is no reproduction"):
        reproduce(tmp_path, ["table2"], **TINY)
    with pytest.raises(RacnetError, match="budget of more than 0"):
        reproduce(tmp_path / "new", ["table2"], budget_minutes=0, **TINY)


def test_a_run_on_other_data_is_refused(made):
    data = DataSet.open(made[0].folder / "data" / "dataset1")
    data.settings["seed"] = 5
    with pytest.raises(RacnetError, match="was trained on other data"):
        find(made[0].folder, Experiment("dataset1", "fc", 0), data)


def test_a_deadline_leaves_a_training_that_the_next_call_finishes(made, tmp_path):
    data = {"dataset1": DataSet.open(made[0].folder / "data" / "dataset1")}
    wanted = [Experiment("dataset1", "fc", seed) for seed in (0, 1)]
    missing = train_all(tmp_path, wanted, data, 0.003, deadline=time.time() - 1, progress=False)
    assert len(missing) == 2 and find(tmp_path, wanted[0], data["dataset1"]) is None
    assert train_all(tmp_path, wanted, data, 0.003, deadline=time.time() + 600, progress=False) == []
    assert find(tmp_path, wanted[1], data["dataset1"]).epochs == 3


def test_networks_side_by_side(made, tmp_path):
    """In two processes the seeds differ, every training ends, and one seed gives what it gives in this process."""
    data = {"dataset1": DataSet.open(made[0].folder / "data" / "dataset1")}
    wanted = [Experiment("dataset1", "fc", seed) for seed in (0, 1)]
    said = []
    late = time.time() + 600
    assert train_all(tmp_path, wanted, data, 0.003, deadline=late, workers=2, say=said.append, progress=False) == []
    first, second = (find(tmp_path, one, data["dataset1"]) for one in wanted)
    assert not np.allclose(first.p, second.p) and first.epochs == 3 and "2 trainings" in said[0]
    here = np.load(made[0].folder / "runs/dataset1/fc/epochs3-seed0/predictions.npz")
    assert np.allclose(first.p, here["p"], atol=1e-3)


def test_the_command_refuses_what_it_cannot_do(capsys):
    assert main(["reproduce", "table9", "--output", "x"]) == 2
    assert main(["reproduce", "--scale", "0"]) == 2
    assert main(["reproduce", "--budget", "-1"]) == 2
    assert "table4" in capsys.readouterr().err


def test_a_store_of_one_s_own(tmp_path):
    """A class with too few spectra is filled up with copies, in the training part alone, and the report says so."""
    fill_simulated(tmp_path / "mine.zarr", {"STAR": 40, "GALAXY": 40, "QSO": 15, "UNKNOWN": 40}, seed=3)
    found = reproduce(tmp_path / "made", ["table2"], data=str(tmp_path / "mine.zarr"), **TINY)
    told = found.results["data"]["dataset1"]
    data = DataSet.open(tmp_path / "made/data/dataset1")
    assert told["copies"]["QSO"] == data.copies("train")["QSO"] > 0 and not data.index["test"][:, 1].any()
    assert not (tmp_path / "made/classes.zarr").exists()
    with pytest.raises(RacnetError):
        reproduce(tmp_path / "other", ["table2"], data=str(tmp_path / "nothing.zarr"), **TINY)


@pytest.mark.slow
def test_killed_anywhere_it_ends_with_the_same_numbers(tmp_path):
    command = [sys.executable, "-m", "racnet_tools.cli", "reproduce", "table2", "--scale", "0.003", "--networks", "fc"]
    rng = np.random.default_rng(1)
    for _ in range(4):
        process = subprocess.Popen(
            [*command, "--output", str(tmp_path / "killed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(1, 15))
        process.send_signal(signal.SIGKILL)
        process.wait()
    for name in ("killed", "undisturbed"):
        subprocess.run([*command, "--output", str(tmp_path / name)], check=True, capture_output=True)
    killed, undisturbed = (
        json.loads((tmp_path / name / "results.json").read_text()) for name in ("killed", "undisturbed")
    )
    for part in ("calibration", "rejection", "strata", "data"):
        assert killed[part] == undisturbed[part]
    one, other = (made["networks"][0] for made in (killed, undisturbed))
    for name in ("accuracy", "by_class", "confusion", "epochs", "parameters"):
        assert one[name] == other[name]
    assert [row["loss"] for row in one["history"]] == [row["loss"] for row in other["history"]]


@pytest.mark.slow
def test_everything_on_few_spectra(tmp_path):
    found = reproduce(
        tmp_path / "all", ["all"], scale=0.003, networks=["racnet", "fc"], budget_minutes=6, progress=False
    )
    assert not found.missing
    sweeps = found.results["redshift_sweeps"]
    assert {one["kind"] for one in sweeps["dataset2"]} == {"STAR", "GALAXY", "QSO"}
    assert {one["kind"] for one in sweeps["dataset3"]} == {"F", "G", "K"}
    assert all(max(one["kept"]) <= one["n"] for made in sweeps.values() for one in made)
    assert len(found.results["baselines"]) == 12 and len(found.results["strangers"]) == 4
    assert (found.folder / "report_figures").is_dir()
