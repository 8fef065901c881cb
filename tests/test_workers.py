"""Work in processes and on a Dask cluster: the same results, and what happens when workers die."""

import os
import threading
import time

import pytest

from racnet_tools import workers
from racnet_tools.datasets import fill_simulated, ingest
from racnet_tools.errors import RacnetError
from racnet_tools.readers import write_lamost
from racnet_tools.simulate import simulate
from racnet_tools.workers import in_order, workforce

COUNTS = {"STAR": 600, "QSO": 500}


def slowly(seconds):
    time.sleep(seconds)
    return -seconds


def deadly(task):
    if task == "poison":
        os._exit(1)
    return task


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="the extra `scale` is not installed")
    options = {"processes": False, "dashboard_address": None, "scheduler_port": 0, "protocol": "tcp"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as made:
        yield made.scheduler_address


def test_results_come_in_order_and_tasks_are_taken_as_needed(cluster):
    taken = []

    def tasks():
        for seconds in (0.3, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0):
            taken.append(seconds)
            yield seconds

    with workforce(scheduler=cluster) as (executor, n):
        assert n == 2
        found = in_order(executor, slowly, tasks(), ahead=2)
        assert next(found) == (0.3, -0.3)
        assert len(taken) <= 4
        assert [result for _, result in found] == [-0.0, -0.1, -0.0, -0.0, -0.0, -0.0]


def test_a_simulated_survey_is_the_same_wherever_it_is_made(cluster, tmp_path):
    here = fill_simulated(tmp_path / "here", COUNTS, seed=2)
    there = fill_simulated(tmp_path / "there", COUNTS, seed=2, scheduler=cluster)
    assert there.fingerprint == here.fingerprint
    assert len(there) == 1100


def test_files_read_by_many_make_the_same_store(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("racnet_tools.datasets.fill._BLOCK", 20)
    files = write_lamost(simulate({"STAR": 70}, seed=1), tmp_path, "image5", suffix=".fits")
    files[33].write_bytes(b"SIMPLE  = broken")
    here, refused = ingest(tmp_path / "here", files)
    there, refused_there = ingest(tmp_path / "there", files, scheduler=cluster)
    assert there.fingerprint == here.fingerprint
    assert [error.path for error in refused] == [error.path for error in refused_there] == [str(files[33])]
    assert len(there) == 69
    again, refused = ingest(tmp_path / "there", [*files, files[0]], scheduler=cluster)
    assert again.fingerprint == here.fingerprint
    assert len(refused) == 1


def test_a_process_that_dies_is_an_error_that_says_what_to_do():
    with pytest.raises(RacnetError, match=r"A worker process died.*What is done is kept"), workforce(2) as (pool, n):
        list(in_order(pool, deadly, ["fine", "poison", "fine"], n))


def test_a_scheduler_that_goes_away_is_an_error_that_says_what_to_do(monkeypatch):
    distributed = pytest.importorskip("distributed", reason="the extra `scale` is not installed")
    options = {"processes": False, "dashboard_address": None, "scheduler_port": 0, "protocol": "tcp"}
    made = distributed.LocalCluster(n_workers=1, threads_per_worker=1, **options)
    monkeypatch.setattr(workers, "_GRACE", 1.0)
    begun = time.monotonic()
    with (
        pytest.raises(RacnetError, match="The Dask scheduler went away"),
        workforce(scheduler=made.scheduler_address) as (executor, n),
    ):
        for number, _ in enumerate(in_order(executor, slowly, [0.05] * 2000, n)):
            if number == 2:
                threading.Thread(target=made.close).start()
    assert time.monotonic() - begun < 40


def environment(name):
    return os.environ.get(name)


def test_workers_have_one_thread_of_blas_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with workforce(2) as (executor, _):
        assert executor.submit(environment, "OPENBLAS_NUM_THREADS").result() == "1"
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    with workforce(2) as (executor, _):
        assert executor.submit(environment, "OPENBLAS_NUM_THREADS").result() == "3"
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"
