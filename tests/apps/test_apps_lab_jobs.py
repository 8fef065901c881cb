"""Trainings as folders and processes: who runs, who waits, what a reused process id is not, and what names may be."""

import contextlib
import json
import os
import subprocess
import sys
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.apps.lab import jobs as module
from racnet_tools.apps.lab.jobs import Jobs, is_alive
from racnet_tools.apps.lab.keep import keep_as_preset
from racnet_tools.apps.lab.plan import SIMULATED, Plan, find_datasets
from racnet_tools.apps.settings import Settings
from racnet_tools.errors import RacnetError


@pytest.fixture
def sleepers(monkeypatch):
    """In place of workers, processes that sleep."""
    started = []

    def spawn(folder, record, *task):
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        started.append(process)
        told = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
        module.write_json(folder / record, told)

    monkeypatch.setattr(module, "spawn", spawn)
    yield started
    for process in started:
        process.kill()
        process.wait()


def history(folder, n):
    (folder / "run").mkdir(exist_ok=True)
    lines = ["epoch,loss,accuracy,val_loss,val_accuracy,seconds"]
    lines += [f"{k},{1 / k},{1 - 0.5 / k},{abs(k - 3) + 0.5},{0.5 + 0.1 * k},2.0" for k in range(1, n + 1)]
    (folder / "run" / "history.csv").write_text("\n".join(lines) + "\n")


def test_the_classes_are_those_of_the_training():
    from racnet_tools.apps.lab.plan import NETWORKS
    from racnet_tools.models import NETWORKS as KNOWN
    from racnet_tools.training.simulated import TASKS

    assert {task: found.classes for task, found in TASKS.items()} == SIMULATED
    assert {name: found.TITLE for name, found in KNOWN.items()} == NETWORKS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../x"), ("name", ""), ("name", "A"), ("name", "a" * 41), ("name", None), ("name", ".hidden"),
        ("size", 59), ("size", 20_001), ("size", True), ("size", 600.0), ("epochs", 0), ("batch_size", 601),
        ("learning_rate", float("nan")), ("learning_rate", -1), ("learning_rate", "1"), ("network", "resnet"),
        ("network", []), ("attention", "all"), ("schedule", None), ("patience", 0), ("seed", -1), ("augment", True),
        ("augment", 1), ("data", ""), ("data", 3),
    ],
)  # fmt: skip
def test_a_plan_is_refused_for_a_wrong_value(field, value):
    with pytest.raises(RacnetError, match=r"(?i)expected|simulated spectra are new"):
        Plan(**{"name": "a", field: value})


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=5), max_size=4))
def test_a_plan_from_anything_is_a_plan_or_an_error(values):
    with contextlib.suppress(RacnetError):
        assert Plan.from_dict(values).name == values["name"]


@pytest.mark.parametrize("plan", [Plan("a"), Plan("a", attention="eca"), Plan("a", data="mine", augment=True)])
def test_a_plan_survives_and_its_python_is_python(plan):
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
    compile(plan.python(), "shown", "exec")


def test_the_python_of_a_plan_names_settings_that_there_are():
    from racnet_tools.training import TrainingConfig

    found = {}
    code = Plan("a", epochs=3, patience=2).python().partition("run = ")[0]
    exec(code, found)
    assert found["training"] == TrainingConfig(epochs=3, patience=2, batch_size=32)


def test_from_start_to_pause_to_resume(tmp_path, sleepers):
    jobs = Jobs(tmp_path)
    assert jobs.list() == []
    job = jobs.start(Plan("a"))
    assert (job.state, job.alive, job.done) == ("waiting", True, False)
    (job.folder / "phase").write_text("training")
    assert jobs.open("a").state == "running"
    with pytest.raises(RacnetError, match="already"):
        jobs.resume("a")
    with pytest.raises(RacnetError, match="another name"):
        jobs.start(Plan("a"))
    jobs.pause("a")
    assert jobs.open("a").wish == "pause"
    assert jobs.resume("a").wish == "", "a pause that has not happened is taken back"
    jobs.pause("a")
    sleepers[0].kill()
    sleepers[0].wait()
    assert jobs.open("a").state == "paused"
    with pytest.raises(RacnetError, match="Resume it"):
        jobs.stop("a")
    assert jobs.resume("a").alive
    assert len(sleepers) == 2
    with pytest.raises(RacnetError, match="no weights to keep"):
        jobs.stop("a")
    history(job.folder, 2)
    jobs.stop("a")
    assert jobs.open("a").wish == "stop"
    sleepers[1].kill()
    sleepers[1].wait()
    assert jobs.open("a").state == "interrupted"


def test_a_reused_process_id_is_not_the_training(tmp_path):
    told = {"pid": os.getpid(), "started": psutil.Process().create_time()}
    (tmp_path / "process.json").write_text(json.dumps(told))
    assert is_alive(tmp_path)
    (tmp_path / "process.json").write_text(json.dumps(told | {"started": told["started"] - 60}))
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "started": 1}', '{"pid": -1, "started": 1}'])
def test_a_damaged_record_is_no_process(tmp_path, text):
    (tmp_path / "process.json").write_text(text)
    assert not is_alive(tmp_path)


def test_a_dead_child_is_no_process(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    told = {"pid": process.pid, "started": psutil.Process(process.pid).create_time()}
    (tmp_path / "process.json").write_text(json.dumps(told))
    deadline = time.monotonic() + 30
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(tmp_path)
    process.wait()


def test_first_come_first_served_and_not_too_many(tmp_path, sleepers, monkeypatch):
    monkeypatch.setattr(module, "WAITING_AT_MOST", 2)
    jobs = Jobs(tmp_path)
    for name in "abc":
        jobs.start(Plan(name))
    assert [jobs.ahead(jobs.open(name)) for name in "abc"] == [0, 1, 2]
    assert [job.name for job in jobs.list()] == ["c", "b", "a"]
    with pytest.raises(RacnetError, match="no more may wait"):
        jobs.start(Plan("d"))


def test_a_failed_one_says_why_and_can_be_tried_again(tmp_path, sleepers):
    jobs = Jobs(tmp_path)
    job = jobs.start(Plan("a"))
    sleepers[0].kill()
    sleepers[0].wait()
    module.write_json(job.folder / "ended.json", {"how": "failed", "reason": "The loss is not finite"})
    assert (jobs.open("a").state, jobs.open("a").reason) == ("failed", "The loss is not finite")
    assert jobs.resume("a").alive


def test_strange_folders_are_passed_over(tmp_path):
    for name, text in (("x", "no json"), ("y", "{}"), ("Z", '{"plan": {"name": "Z"}}'), ("w", '{"plan": {"name": 3}}')):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "plan.json").write_text(text)
    assert Jobs(tmp_path).list() == []
    for name in ("nothing", "..", "/etc", None, 7):
        with pytest.raises(RacnetError):
            Jobs(tmp_path).open(name)


def test_a_plan_needs_its_data_set(tmp_path):
    with pytest.raises(RacnetError, match="a data set that there is"):
        Jobs(tmp_path).start(Plan("a", data="mine"))


def test_data_sets_are_found_where_they_may_be_opened(tmp_path):
    root, elsewhere = tmp_path / "spectra", tmp_path / "elsewhere"
    for folder in (root / "a", root / "deep" / "b", root / ".hidden", elsewhere / "c", root / "without"):
        folder.mkdir(parents=True)
        (folder / "dataset.json").write_text("{}")
        if folder.name != "without":
            (folder / "validation.npy").write_bytes(b"")
    (root / "link").symlink_to(elsewhere)
    found = find_datasets(Settings(spectra=root, work=tmp_path / "work"))
    assert found == {"a": root / "a", "deep/b": root / "deep" / "b"}
    assert find_datasets(Settings(work=tmp_path / "work")) == {}


def test_no_preset_over_another(tmp_path, sleepers):
    jobs = Jobs(tmp_path)
    job = jobs.start(Plan("a"))
    with pytest.raises(RacnetError, match="when it has finished"):
        keep_as_preset(job, "mine", tmp_path)
    sleepers[0].kill()
    sleepers[0].wait()
    module.write_json(job.folder / "ended.json", {"how": "finished"})
    (tmp_path / "presets" / "mine").mkdir(parents=True)
    for name, said in (("racnet-class", "already"), ("mine", "already"), ("../x", "small letters"), (None, "name")):
        with pytest.raises(RacnetError, match=said):
            keep_as_preset(jobs.open("a"), name, tmp_path)
