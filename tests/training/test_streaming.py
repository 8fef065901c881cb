"""Training straight from a data set: its batches, its memory, and the same bytes after kill and resume."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_data import tiny_data

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.models import network_config
from racnet_tools.training import Augmentation, TrainingConfig, fit
from racnet_tools.training.judging import judge, predict_part, scores
from racnet_tools.training.run_folder import finished_as
from racnet_tools.training.streaming import AHEAD, StreamSource, _ReadAhead

NETWORK = network_config("rcnet", 2, n_pixels=32, filters=(8,), dense_units=16, dropout=0.2)
EVERYTHING = {"patience": 5, "class_weights": "balanced", "augmentation": Augmentation(gap=3, shift=1)}
TRAINING = TrainingConfig(epochs=3, batch_size=16, learning_rate=5e-3, seed=4, **EVERYTHING)
PLAIN = TrainingConfig(epochs=2, batch_size=16, seed=4)

SCRIPT = """
import sys, time
sys.path[:0] = sys.argv[2:4]
from test_streaming import NETWORK, TRAINING
from racnet_tools.datasets import DataSet
from racnet_tools.training import fit
def wait(row):
    time.sleep(600)
fit(NETWORK, DataSet.open(sys.argv[4]), sys.argv[1], TRAINING, progress=False, on_epoch=wait)
"""


class StoppedHereError(Exception):
    """Stands for a kill between two epochs."""


def stop_at(epoch):
    def leave(row):
        if row["epoch"] == epoch:
            raise StoppedHereError

    return leave


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    tiny_data(folder)
    return folder / "data"


@pytest.fixture(scope="module")
def data(folder):
    return DataSet.open(folder)


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    return fit(NETWORK, data, tmp_path_factory.mktemp("run") / "a", TRAINING, progress=False)


def drawn(data, training, epoch, steps=None):
    with StreamSource(data, NETWORK, training) as source:
        batches = list(source.batches(epoch, steps or source.size() // training.batch_size, None))
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches]).argmax(axis=1)


def test_an_epoch_has_each_training_spectrum_once_with_its_class(data):
    x, y = drawn(data, TrainingConfig(epochs=1, batch_size=1, seed=4), 0, data.size("train"))
    whole, labels = data.arrays("train")
    order, expected = (np.lexsort(np.c_[values, label].T[::-1]) for values, label in ((x, y), (whole, labels)))
    assert np.array_equal(x[order], whole[expected]) and np.array_equal(y[order], labels[expected])


def test_the_order_depends_on_seed_and_epoch_alone(data):
    x, _ = drawn(data, PLAIN, 0)
    assert np.array_equal(x, drawn(data, PLAIN, 0)[0])
    other_seed = TrainingConfig(epochs=2, batch_size=16, seed=5)
    for other in (drawn(data, PLAIN, 1)[0], drawn(data, other_seed, 0)[0]):
        assert not np.array_equal(x, other)
    assert not np.array_equal(x, drawn(data, TRAINING, 0)[0])  # augmented


def test_no_more_is_read_than_waits(data):
    """However many batches there are, only so many are drawn before one is taken."""
    taken = []
    reader = _ReadAhead(taken.append(number) for number in range(1000))
    deadline = time.monotonic() + 5
    while len(taken) < AHEAD + 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert len(taken) == AHEAD + 1
    reader.close()
    assert not reader._thread.is_alive()


def test_what_fails_while_reading_ahead_is_told():
    def broken():
        yield 1
        raise RacnetError("the store is gone")

    reader = iter(_ReadAhead(broken()))
    assert next(reader) == 1
    with pytest.raises(RacnetError, match="the store is gone"):
        next(reader)


def test_the_parts_are_used_and_told(undisturbed, data):
    told = undisturbed.config
    assert told["data"]["fingerprint"] == data.store.fingerprint and told["data"]["kind"] == "dataset"
    assert told["validation"] == {"part": "validation", "spectra": data.size("validation")}
    assert undisturbed.metrics["validation"]["spectra"] == data.size("validation")
    expected = judge(undisturbed.model(), *data.arrays("validation"))
    found = scores(*predict_part(undisturbed.model(), data, "validation"))
    assert found == expected == undisturbed.metrics["validation"]


def test_a_stopped_run_ends_with_the_same_bytes(undisturbed, data, tmp_path):
    with pytest.raises(StoppedHereError):
        fit(NETWORK, data, tmp_path / "run", TRAINING, progress=False, on_epoch=stop_at(2))
    run = fit(NETWORK, data, tmp_path / "run", TRAINING, progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(undisturbed.folder / "model.weights.h5")
    assert run.metrics == undisturbed.metrics


def test_a_killed_run_ends_with_the_same_bytes(undisturbed, data, folder, tmp_path):
    here = Path(__file__).parent
    words = [sys.executable, "-c", SCRIPT, tmp_path / "run", here, here.parent, folder]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "run").glob("checkpoints/epoch-*.npz")):
        assert process.poll() is None, process.communicate()[1].decode()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    run = fit(NETWORK, data, tmp_path / "run", TRAINING, progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(undisturbed.folder / "model.weights.h5")
    assert (run.folder / "metrics.json").read_text() == (undisturbed.folder / "metrics.json").read_text()


def test_a_finished_run_is_found_by_its_data_set(undisturbed, data):
    assert finished_as(undisturbed.folder, NETWORK, TRAINING, data).metrics == undisturbed.metrics
    with pytest.raises(RacnetError, match=r"training\.batch_size is 16 there and 128 here"):
        finished_as(undisturbed.folder, NETWORK, TrainingConfig(epochs=3, **EVERYTHING), data)
    with pytest.raises(RacnetError, match=r"data\.order is"):
        finished_as(undisturbed.folder, NETWORK, TRAINING, data.description())


def test_a_run_on_the_same_data_from_memory_is_found_too(data, tmp_path):
    training = TrainingConfig(epochs=1, batch_size=64)
    fit(NETWORK, data.epochs("train"), tmp_path / "run", training, description=data.description(), progress=False)
    assert finished_as(tmp_path / "run", NETWORK, training, data) is not None
    assert finished_as(tmp_path / "run", NETWORK, training, data.description()) is not None


def test_a_network_of_another_shape_is_refused(data, tmp_path):
    with pytest.raises(RacnetError, match=r"2 classes \(STAR, QSO\) and 32 pixels. Received: 3 classes, 32 pixels"):
        fit(network_config("rcnet", 3, n_pixels=32, filters=(8,)), data, tmp_path / "run", PLAIN, progress=False)
    with pytest.raises(RacnetError, match="Received: 2 classes, 3909 pixels"):
        fit(network_config("rcnet", 2), data, tmp_path / "run", PLAIN, progress=False)
    assert not (tmp_path / "run").exists()
