"""Settings of a training: schedule, early stopping, class weights, precision, and runs from before they existed."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from test_fit import NETWORK, StoppedHereError, two_classes

from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.models import build_from_config, predict
from racnet_tools.training import Augmentation, TrainingConfig, fit
from racnet_tools.training.judging import judge
from racnet_tools.training.optimiser import compile_network, computing_in
from racnet_tools.training.run_folder import finished_as

STILL = dataclasses.replace(NETWORK, dropout=0.0)
NEW = ("schedule", "patience", "class_weights", "precision", "augmentation")


def made(**settings):
    return TrainingConfig(**{"epochs": 2, "batch_size": 16, "seed": 4, "learning_rate": 5e-3, **settings})


def leave_after(epoch):
    def leave(row):
        if row["epoch"] == epoch:
            raise StoppedHereError

    return leave


def rates(training, steps):
    model = build_from_config(NETWORK)
    optimizer = compile_network(model, training, steps)
    found = []
    for step in range(steps + 1):
        optimizer.iterations.assign(step)
        found.append(float(keras.ops.convert_to_numpy(optimizer.learning_rate)))
    return np.array(found)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_the_learning_rate_by_hand(schedule):
    found = rates(made(schedule=schedule, warm_up=0.2, learning_rate=0.01), 50)
    step = np.arange(51)
    after = 0.01 if schedule == "constant" else 0.005 * (1 + np.cos(np.pi * (step - 10) / 40))
    assert found == pytest.approx(np.where(step < 10, 0.01 * step / 10, after), abs=1e-7)


def test_early_stopping_keeps_the_best_and_a_resumed_run_decides_the_same(tmp_path):
    """Validation spectra with their labels exchanged: the better the training, the worse their loss."""
    x, y = two_classes(64, 9)
    validation = x, 1 - y
    training = made(epochs=9, patience=2, schedule="constant", learning_rate=3e-2, average=0.5)
    whole = fit(NETWORK, two_classes(160, 1), tmp_path / "a", training, validation=validation, progress=False)
    losses = [row["val_loss"] for row in whole.history]
    best = int(np.argmin(losses)) + 1
    assert whole.metrics["best_epoch"] == best and whole.metrics["epochs"] == len(losses) == best + 2 < 9
    assert judge(whole.model(), *validation)["loss"] == losses[best - 1] == whole.metrics["validation"]["loss"]
    for stop in (best, len(losses)):
        again = tmp_path / str(stop)
        with pytest.raises(StoppedHereError):
            fit(
                NETWORK,
                two_classes(160, 1),
                again,
                training,
                validation=validation,
                progress=False,
                on_epoch=leave_after(stop),
            )
        run = fit(NETWORK, two_classes(160, 1), again, training, validation=validation, progress=False)
        assert sha256(run.folder / "model.weights.h5") == sha256(whole.folder / "model.weights.h5")
        assert run.metrics == whole.metrics and len(run.history) == len(losses)


def test_without_a_validation_set_there_is_nothing_to_stop_by(tmp_path):
    with pytest.raises(RacnetError, match="patience needs a validation set"):
        fit(NETWORK, two_classes(64, 1), tmp_path / "run", made(patience=2), progress=False)
    assert not (tmp_path / "run").exists()


def test_class_weights_weight_the_loss(tmp_path):
    """A learning rate of next to nothing: the loss is the weighted cross-entropy of the fresh network."""
    x, y = two_classes(64, 1)
    keep = (y == 0) | (np.arange(64) % 3 == 0)
    x, y = x[keep][:32], y[keep][:32]
    counts = np.bincount(y)
    settings = {"epochs": 1, "batch_size": 32, "learning_rate": 1e-12, "label_smoothing": 0.0}
    probabilities = predict(build_from_config(STILL, seed=4), x)
    entropy = -np.log(probabilities[np.arange(32), y])
    for name, weights in (("balanced", 32 / (2 * counts)), ((0.25, 4.0), np.array([0.25, 4.0]))):
        training = made(class_weights=name, **settings)
        run = fit(STILL, (x, y), tmp_path / str(name), training, progress=False)
        assert run.history[0]["loss"] == pytest.approx((weights[y] * entropy).mean(), rel=1e-4)
    assert counts[0] != counts[1]


def test_weights_of_a_resumed_run_are_those_counted_first(tmp_path):
    """A function of the epoch is not asked for the first epoch again."""
    asked = []

    def data(epoch):
        asked.append(epoch)
        return two_classes(64, [1, epoch])

    training = made(class_weights="balanced")
    with pytest.raises(StoppedHereError):
        fit(NETWORK, data, tmp_path / "a", training, progress=False, on_epoch=leave_after(1))
    asked.clear()
    stopped = fit(NETWORK, data, tmp_path / "a", training, progress=False)
    assert asked == [1]
    whole = fit(NETWORK, data, tmp_path / "b", training, progress=False)
    assert sha256(stopped.folder / "model.weights.h5") == sha256(whole.folder / "model.weights.h5")


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_resumes_and_ends_in_float32(precision, tmp_path):
    with computing_in(precision):
        model = build_from_config(NETWORK)
    assert {layer.compute_dtype for layer in model.layers if "conv" in layer.name} == {precision.split("_")[1]}
    assert {str(variable.dtype) for variable in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    training, validation = made(precision=precision), two_classes(50, 9)
    whole = fit(NETWORK, two_classes(64, 1), tmp_path / "a", training, validation=validation, progress=False)
    assert judge(whole.model(), *validation) == whole.metrics["validation"]
    with pytest.raises(StoppedHereError):
        fit(
            NETWORK,
            two_classes(64, 1),
            tmp_path / "b",
            training,
            validation=validation,
            progress=False,
            on_epoch=leave_after(1),
        )
    run = fit(NETWORK, two_classes(64, 1), tmp_path / "b", training, validation=validation, progress=False)
    assert sha256(run.folder / "model.weights.h5") == sha256(whole.folder / "model.weights.h5")


def forget(folder):
    """Leave out of a run's configuration what did not exist in the version before."""
    config = json.loads((folder / "config.json").read_text())
    for name in NEW:
        del config["training"][name]
    (folder / "config.json").write_text(json.dumps(config))


def test_runs_from_before_a_setting_existed_are_recognised(tmp_path):
    data = two_classes(64, 1)
    with pytest.raises(StoppedHereError):
        fit(NETWORK, data, tmp_path / "run", made(), progress=False, on_epoch=leave_after(1))
    forget(tmp_path / "run")
    with pytest.raises(RacnetError, match=r"training\.schedule is 'cosine' there and 'constant' here"):
        fit(NETWORK, data, tmp_path / "run", made(schedule="constant"), progress=False)
    run = fit(NETWORK, data, tmp_path / "run", made(), progress=False)
    assert not set(NEW) & set(run.config["training"])
    description = run.config["data"]
    assert finished_as(run.folder, NETWORK, made(), description).metrics == run.metrics
    with pytest.raises(RacnetError, match=r"training\.precision is 'float32' there and 'mixed_float16' here"):
        finished_as(run.folder, NETWORK, made(precision="mixed_float16"), description)


def test_settings_come_back_from_json_as_they_were():
    training = made(class_weights=[1, 2], augmentation=Augmentation(shift=1), patience=3)
    stored = json.loads(json.dumps(training.to_dict()))
    assert stored == training.to_dict() and stored["augmentation"]["shift"] == 1
    stored["augmentation"] = Augmentation(**stored["augmentation"])
    assert TrainingConfig(**stored) == training


@pytest.mark.parametrize(
    "settings",
    [
        {"schedule": "linear"},
        {"patience": 0},
        {"precision": "float16"},
        {"class_weights": "equal"},
        {"class_weights": (1.0, 0.0)},
        {"class_weights": (1.0, float("nan"))},
        {"augmentation": {"shift": 2}},
    ],
)
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(RacnetError, match=f"Received: {name}="):
        made(**settings)


def test_settings_that_do_not_fit_the_data_are_refused(tmp_path):
    with pytest.raises(RacnetError, match=r"one number for each of 2 classes. Received: \(1.0, 2.0, 3.0\)"):
        fit(NETWORK, two_classes(64, 1), tmp_path / "run", made(class_weights=(1, 2, 3)), progress=False)
    with pytest.raises(RacnetError, match="augmentation works on spectra with their inverse variance"):
        fit(NETWORK, two_classes(64, 1), tmp_path / "run", made(augmentation=Augmentation()), progress=False)
    assert not (tmp_path / "run").exists()
