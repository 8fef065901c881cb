"""Training: it learns, a run folder is never overwritten, and an interrupted run ends as an undisturbed one."""

import dataclasses
import json
import shutil
import threading

import keras
import numpy as np
import pytest

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import sha256
from racnet_tools.models import build_from_config, network_config, predict
from racnet_tools.training import Run, TrainingConfig, fit
from racnet_tools.training.average import WeightAverage

NETWORK = network_config("rcnet", 2, n_pixels=32, filters=(8,), dense_units=16, dropout=0.2)
TRAINING = TrainingConfig(epochs=3, batch_size=16, learning_rate=5e-3, seed=4)


def two_classes(n, seed):
    """Spectra with a line in absorption or in emission, anywhere: (n, 32) float32 and (n,) 0 or 1."""
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    x = 1 + 0.05 * rng.standard_normal((n, 32))
    x[np.arange(n), rng.integers(4, 28, n)] += np.where(y == 0, -0.6, 0.6)
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def epochs(epoch):
    return two_classes(64, [1, epoch])


class StoppedHereError(Exception):
    """Stands for a kill between two epochs."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return fit(
        NETWORK, epochs, tmp_path_factory.mktemp("run") / "a", TRAINING, validation=two_classes(50, 9), progress=False
    )


def test_a_line_is_learned(tmp_path):
    training = TrainingConfig(epochs=6, batch_size=16, learning_rate=3e-2, seed=5, average=0.9)
    run = fit(NETWORK, two_classes(320, 1), tmp_path / "run", training, validation=two_classes(50, 9), progress=False)
    assert run.metrics["validation"]["accuracy"] > 0.9
    x, y = two_classes(50, 9)
    found = predict(run.model(), x).argmax(axis=1)
    assert (found == y).mean() == run.metrics["validation"]["accuracy"]
    table = np.array(run.metrics["validation"]["confusion"])
    assert table[0, 1] == ((y == 0) & (found == 1)).sum()


def test_the_history_holds_means_over_the_epoch(tmp_path):
    """A learning rate of next to nothing: the epoch's loss and accuracy are those of the fresh network."""
    network = dataclasses.replace(NETWORK, dropout=0.0)
    training = TrainingConfig(epochs=1, batch_size=16, learning_rate=1e-12, seed=4, label_smoothing=0.0)
    x, y = two_classes(64, 1)
    run = fit(network, (x, y), tmp_path / "run", training, progress=False)
    probabilities = predict(build_from_config(network, seed=4), x)
    assert run.history[0]["loss"] == pytest.approx(-np.log(probabilities[np.arange(64), y]).mean(), rel=1e-4)
    assert run.history[0]["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == y).mean(), abs=1e-6)


def test_the_folder_tells_everything(undisturbed):
    folder = undisturbed.folder
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert names == {
        *("config.json", "provenance.json", "history.csv", "checkpoints", "model.weights.h5", "metrics.json"),
        "finished.json",
    }
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["epoch-00002.npz", "epoch-00003.npz"]
    config = json.loads((folder / "config.json").read_text())
    assert config["training"]["seed"] == 4 and config["network"]["n_pixels"] == 32
    (session,) = json.loads((folder / "provenance.json").read_text())["sessions"]
    assert {"keras", "numpy", "racnet_tools"} <= set(session["versions"])
    assert [row["epoch"] for row in undisturbed.history] == [1, 2, 3]
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} < set(undisturbed.history[0])
    again = Run.open(folder)
    assert again.history == undisturbed.history and again.metrics == undisturbed.metrics


@pytest.mark.parametrize("stop", [1, 3])
def test_a_stopped_run_ends_with_the_same_bytes(undisturbed, tmp_path, stop):
    def leave(row):
        if row["epoch"] == stop:
            raise StoppedHereError

    arguments = NETWORK, epochs, tmp_path / "run", TRAINING
    with pytest.raises(StoppedHereError):
        fit(*arguments, validation=two_classes(50, 9), progress=False, on_epoch=leave)
    run = fit(*arguments, validation=two_classes(50, 9), progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(undisturbed.folder / "model.weights.h5")
    assert run.metrics == undisturbed.metrics
    for mine, theirs in zip(run.history, undisturbed.history, strict=True):
        assert {**mine, "seconds": 0, "cpu_seconds": 0} == {**theirs, "seconds": 0, "cpu_seconds": 0}


def test_a_stop_inside_an_epoch_repeats_that_epoch(undisturbed, tmp_path):
    def breaks(epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return epochs(epoch)

    with pytest.raises(KeyboardInterrupt):
        fit(NETWORK, breaks, tmp_path / "run", TRAINING, validation=two_classes(50, 9), progress=False)
    run = fit(NETWORK, epochs, tmp_path / "run", TRAINING, validation=two_classes(50, 9), progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(undisturbed.folder / "model.weights.h5")


def test_a_damaged_last_checkpoint_costs_one_epoch(undisturbed, tmp_path):
    def leave(row):
        if row["epoch"] == 2:
            raise StoppedHereError

    arguments = NETWORK, epochs, tmp_path / "run", TRAINING
    with pytest.raises(StoppedHereError):
        fit(*arguments, validation=two_classes(50, 9), progress=False, on_epoch=leave)
    last = tmp_path / "run" / "checkpoints" / "epoch-00002.npz"
    last.write_bytes(last.read_bytes()[:2000])
    (tmp_path / "run" / ".writing-left.npz").write_bytes(b"half")
    run = fit(*arguments, validation=two_classes(50, 9), progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(undisturbed.folder / "model.weights.h5")
    assert not list(run.folder.glob(".writing-*"))


def test_a_finished_run_is_not_overwritten(undisturbed):
    before = {path: path.stat().st_mtime_ns for path in undisturbed.folder.rglob("*")}
    with pytest.raises(RacnetError, match="holds a finished run and is not overwritten"):
        fit(NETWORK, epochs, undisturbed.folder, TRAINING, validation=two_classes(50, 9), progress=False)
    assert {path: path.stat().st_mtime_ns for path in undisturbed.folder.rglob("*")} == before


def test_other_settings_are_refused_by_name(tmp_path):
    def leave(row):
        raise StoppedHereError

    with pytest.raises(StoppedHereError):
        fit(NETWORK, epochs, tmp_path / "run", TRAINING, description={"simulated": 1}, progress=False, on_epoch=leave)
    with pytest.raises(RacnetError, match=r"data.simulated is 1 there and 2 here"):
        fit(NETWORK, epochs, tmp_path / "run", TRAINING, description={"simulated": 2}, progress=False)
    with pytest.raises(RacnetError, match=r"training.epochs is 3 there and 4 here"):
        longer = TrainingConfig(epochs=4, batch_size=16, learning_rate=5e-3, seed=4)
        fit(NETWORK, epochs, tmp_path / "run", longer, description={"simulated": 1}, progress=False)
    with pytest.raises(RacnetError, match="resume=True"):
        fit(NETWORK, epochs, tmp_path / "run", TRAINING, description={"simulated": 1}, progress=False, resume=False)
    with pytest.raises(ReadError, match=r"no finished\.json"):
        Run.open(tmp_path / "run")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RacnetError, match=r"not the folder of a run: it holds thesis.tex"):
        fit(NETWORK, epochs, tmp_path, TRAINING, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_two_processes_do_not_share_a_run(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    folder = tmp_path / "run"
    folder.mkdir()
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RacnetError, match="Another process is working on"):
            fit(NETWORK, epochs, folder, TRAINING, progress=False)


def test_changed_weights_are_noticed(undisturbed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(undisturbed.folder, copy)
    data = bytearray((copy / "model.weights.h5").read_bytes())
    data[-9] ^= 1
    (copy / "model.weights.h5").write_bytes(data)
    with pytest.raises(ReadError, match="expected sha256"):
        Run.open(copy).model()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, y: (np.where(np.arange(32) == 3, np.nan, x), y), "the training set: 160 of 160 spectra have pixels"),
        (lambda x, y: (x[:, :31], y), r"Received: shape \(160, 31\)"),
        (lambda x, y: (x, y[:-1]), r"Received: int64 of shape \(159,\)"),
        (lambda x, y: (x, y.astype(float)), "Received: float64"),
        (lambda x, y: (x, y + 1), "must be 0 to 1. Received: 1 to 2"),
        (lambda x, y: (x[:0], y[:0]), "has no spectra"),
        (lambda x, y: x, "must be two arrays"),
    ],
)
def test_data_that_do_not_fit_are_refused_before_a_folder_is_made(spoil, message, tmp_path):
    with pytest.raises(RacnetError, match=message):
        fit(NETWORK, spoil(*two_classes(160, 1)), tmp_path / "run", TRAINING, progress=False)
    assert not (tmp_path / "run").exists()


def test_an_epoch_that_is_too_short_is_refused(tmp_path):
    with pytest.raises(RacnetError, match=r"needs 4 steps of 16 spectra. Received: 40 spectra in epoch 1"):
        fit(NETWORK, lambda epoch: two_classes(64 - 24 * epoch, epoch), tmp_path / "run", TRAINING, progress=False)


def test_epochs_are_asked_for_once_in_order_and_in_a_thread(tmp_path):
    asked = []

    def data(epoch):
        asked.append((epoch, threading.current_thread() is threading.main_thread()))
        return epochs(epoch)

    fit(NETWORK, data, tmp_path / "run", TRAINING, progress=False)
    assert asked == [(0, False), (1, False), (2, False)]


@pytest.mark.parametrize(
    "settings", [{"epochs": 0}, {"seed": -1}, {"learning_rate": 0.0}, {"average": 1.0}, {"batch_size": 2.5}]
)
def test_bad_training_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(RacnetError, match=f"Received: {name}="):
        TrainingConfig(**{"epochs": 3, **settings})


def test_the_average_of_a_ramp():
    """Momentum is min(0.9, (1 + t)/(10 + t)): a ramp 1, 2, 3 averages by hand."""

    variable = keras.Variable(np.zeros(2, np.float32))
    average = WeightAverage([variable], 0.9)
    expected = 0.0
    for step in range(3):
        variable.assign(np.full(2, step + 1, np.float32))
        average.update()
        momentum = min(0.9, (1 + step) / (10 + step))
        expected = momentum * expected + (1 - momentum) * (step + 1)
    assert np.allclose(average.values[0], expected)
    with average.applied():
        assert np.allclose(keras.ops.convert_to_numpy(variable), expected)
    assert np.array_equal(keras.ops.convert_to_numpy(variable), [3, 3])


def test_no_averaging_keeps_the_last_weights():
    variable = keras.Variable([1.0])
    average = WeightAverage([variable], 0.0)
    variable.assign([7.0])
    average.update()
    assert average.values[0] == pytest.approx([7.0])
