"""The process of a training: the queue in front of it, and one real training killed, paused, stopped and kept."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from racnet_tools.apps.lab import worker
from racnet_tools.apps.lab.jobs import Jobs, spawn, write_json
from racnet_tools.apps.lab.keep import keep_as_preset
from racnet_tools.apps.lab.plan import Plan
from racnet_tools.apps.lab.results import ValidationResult
from racnet_tools.files import locked


def asked(work, name, when):
    folder = work / "runs" / name
    folder.mkdir(parents=True)
    write_json(folder / "plan.json", {"plan": Plan(name).to_dict(), "asked": when})
    return folder


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(worker, "_LOOK", 0.02)


def test_a_free_place_is_taken_and_a_taken_one_waited_for(tmp_path, quick):
    folder = asked(tmp_path, "a", 1.0)
    with locked(tmp_path / "runs" / ".place-0"):
        (folder / "wish").write_text("pause")
        assert worker._turn(folder) is None, "told to leave the queue"
        (folder / "wish").unlink()
    place = worker._turn(folder)
    assert place is not None
    place.close()


def test_who_asked_first_goes_first(tmp_path, quick, monkeypatch):
    first, second = asked(tmp_path, "a", 1.0), asked(tmp_path, "b", 2.0)
    told = {"pid": os.getpid(), "started": psutil.Process().create_time()}
    write_json(first / "process.json", told)
    looks = []

    def sleep(_):
        looks.append(1)
        if len(looks) == 3:
            (first / "process.json").unlink()

    monkeypatch.setattr(worker.time, "sleep", sleep)
    worker._turn(second).close()
    assert len(looks) == 3


def test_a_failure_is_told_on_the_page(tmp_path, quick, monkeypatch):
    folder = asked(tmp_path, "a", 1.0)

    def fails(_):
        raise ValueError("no <good>")

    monkeypatch.setattr(worker, "_train", fails)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    assert worker.main([str(folder), "train"]) == 1
    job = Jobs(tmp_path).open("a")
    assert (job.state, job.reason) == ("failed", "ValueError: no <good>")


def test_a_worker_outlives_who_started_it_and_waits_lightly(tmp_path):
    """Started by a process that ends at once, it waits for its place with neither TensorFlow nor widgets."""
    folder = asked(tmp_path, "a", 1.0)
    place = locked(tmp_path / "runs" / ".place-0")
    code = "import sys; from pathlib import Path; from racnet_tools.apps.lab.jobs import spawn\n"
    code += "spawn(Path(sys.argv[1]), 'process.json', 'train')"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    (folder / "phase").write_text("waiting")
    jobs = Jobs(tmp_path)
    assert jobs.open("a").state == "waiting"
    process = psutil.Process(json.loads((folder / "process.json").read_text())["pid"])
    try:
        assert os.getsid(process.pid) == process.pid
        time.sleep(1.5)
        loaded = " ".join(one.path for one in process.memory_maps()) if hasattr(process, "memory_maps") else ""
        assert "tensorflow" not in loaded
        jobs.pause("a")
        process.wait(30)
        assert jobs.open("a").state == "paused"
    finally:
        place.close()
        if process.is_running():
            process.kill()


@pytest.mark.slow
def test_a_real_training_killed_paused_stopped_and_kept(tmp_path):
    from racnet_tools.inference import Engine, load_preset

    jobs = Jobs(tmp_path)
    jobs.start(Plan("a", size=60, epochs=60, batch_size=8, network="fc"))

    def until(condition, seconds=240):
        deadline = time.monotonic() + seconds
        while not condition(jobs.open("a")):
            assert time.monotonic() < deadline, (jobs.open("a"), (tmp_path / "runs" / "a" / "worker.log").read_text())
            time.sleep(0.05)
        return jobs.open("a")

    until(lambda job: len(job.history) >= 2)
    told = json.loads((tmp_path / "runs" / "a" / "process.json").read_text())
    os.kill(told["pid"], signal.SIGKILL)
    job = until(lambda job: not job.alive)
    assert job.state == "interrupted"
    done = len(job.history)
    jobs.resume("a")
    until(lambda job: len(job.history) > done)
    jobs.pause("a")
    job = until(lambda job: not job.alive)
    assert job.state == "paused"
    assert len(job.history) < 60
    assert [row["epoch"] for row in job.history] == list(range(1, len(job.history) + 1))
    jobs.stop("a")
    job = until(lambda job: not job.alive)
    assert job.state == "stopped"
    best = min(row["val_loss"] for row in job.history)
    assert job.metrics["validation"]["loss"] == pytest.approx(best, rel=1e-3)
    result = ValidationResult(job)
    assert result.confusion.tolist() == job.metrics["validation"]["confusion"]
    assert len(result.flux(0)) == 3909
    keep_as_preset(job, "mine", tmp_path)
    until(lambda job: (job.folder / "preset.json").is_file())
    preset = load_preset(tmp_path / "presets" / "mine")
    assert preset.classes == result.classes
    x = np.random.default_rng(1).random((2, 3909), np.float32)
    np.testing.assert_allclose(Engine(preset.model_bytes()).run(x, ["probabilities"])[0].sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_real_training_on_a_prepared_data_set(tmp_path):
    pytest.importorskip("zarr")
    from tiny_data import tiny_data

    data = tiny_data(tmp_path)
    jobs = Jobs(tmp_path)
    jobs.start(Plan("a", data="data", epochs=2, batch_size=16, network="fc", augment=True), tmp_path / "data")
    deadline = time.monotonic() + 240
    while jobs.open("a").alive and time.monotonic() < deadline:
        time.sleep(0.1)
    job = jobs.open("a")
    assert job.state == "finished", job.reason
    result = ValidationResult(job)
    assert result.classes == data.classes
    assert len(result.truth) == data.size("validation")
    one = data.spectra("validation", slice(0, 1))
    np.testing.assert_allclose(result.flux(0), one.flux[0], rtol=1e-5)
    keep_as_preset(job, "mine", tmp_path)
    while not (job.folder / "preset.json").is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "error" not in json.loads((job.folder / "preset.json").read_text())


def test_spawn_records_the_process(tmp_path):
    spawn(tmp_path, "keeping.json", "preset", "x")
    told = json.loads((tmp_path / "keeping.json").read_text())
    process = psutil.Process(told["pid"])
    assert process.create_time() == pytest.approx(told["started"], abs=0.05)
    process.kill()
