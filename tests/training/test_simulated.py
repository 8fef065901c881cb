"""Training on simulated spectra: seeds, thresholds, the preset, and the command."""

import json

import numpy as np
import pytest

from racnet_tools.cli import main
from racnet_tools.errors import RacnetError
from racnet_tools.inference import load_preset
from racnet_tools.models import build
from racnet_tools.spectra import LogLambdaGrid, Preprocessing
from racnet_tools.training import TrainingConfig, save_preset
from racnet_tools.training.simulated import make_set, reject_threshold, train_on_simulated


@pytest.mark.parametrize(("task", "n_classes"), [("class", 3), ("stellar_type", 5)])
def test_sets_are_balanced_and_depend_on_the_seed_alone(task, n_classes):
    x, y = make_set(task, 14, (1, 0, 2))
    assert x.shape == (15, 3909) and np.bincount(y).tolist() == [15 // n_classes] * n_classes
    assert np.allclose(np.linalg.norm(x, axis=1), 1, atol=1e-5)
    again, y_again = make_set(task, 14, (1, 0, 2))
    assert np.array_equal(x, again) and np.array_equal(y, y_again)
    assert not np.array_equal(x, make_set(task, 14, (1, 0, 3))[0])


def test_the_threshold_accepts_98_percent_of_the_right_ones():
    """Two classes: the score is the binary entropy in bits, so the threshold is known."""
    p = np.linspace(0.7, 0.9999, 100)
    entropy = np.sort(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))
    probabilities = np.stack([p, 1 - p], axis=1)
    threshold = reject_threshold(probabilities, np.zeros(100, int))
    assert threshold == pytest.approx(entropy[98], abs=1e-4) and (entropy <= threshold).sum() == 99
    wrong_as_well = np.concatenate([probabilities, [[0.5, 0.5]] * 50])
    assert reject_threshold(wrong_as_well, np.r_[np.zeros(100, int), np.ones(50, int)]) == threshold
    assert reject_threshold(probabilities, np.ones(100, int)) == 1.0


def test_the_command_trains_resumes_and_makes_a_preset(tmp_path, capsys):
    words = ["train", "--task", "class", "--network", "rcnet", "--epochs", "1", "--spectra-per-epoch", "24"]
    words += ["--batch-size", "12", "--seed", "3", "--output", str(tmp_path / "run")]
    assert main(words) == 0
    assert "simulated validation spectra right" in capsys.readouterr().out
    first = (tmp_path / "run" / "model.weights.h5").read_bytes()

    # Repeated with a preset wished for: the finished run is taken as it is
    assert main([*words, "--preset-output", str(tmp_path / "mine")]) == 0
    assert (tmp_path / "run" / "model.weights.h5").read_bytes() == first
    preset = load_preset(tmp_path / "mine")
    assert preset.classes == ("STAR", "GALAXY", "QSO") and 0 < preset.reject_threshold <= 1
    labels = json.loads((tmp_path / "mine" / "labels.json").read_text())
    assert labels["subclass_presets"] == {"STAR": "racnet-star"} and labels["task"] == "class"
    told = json.loads((tmp_path / "mine" / "provenance.json").read_text())
    assert told["run"]["data"]["kind"] == "simulated" and told["run"]["training"]["seed"] == 3
    assert told["parameters"] == 388_051 and set(told["sha256"]) >= {"model.onnx", "card.md"}
    card = (tmp_path / "mine" / "card.md").read_text()
    assert "**simulated** spectra" in card and "| GALAXY |" in card

    # Refusals: a preset in the way, another seed
    assert main([*words, "--preset-output", str(tmp_path / "mine")]) == 2
    assert "exists already" in capsys.readouterr().err
    words[words.index("--seed") + 1] = "4"
    assert main(words) == 1
    assert "training.seed is 3 there and 4 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--task", "planets"],
        ["--task", "class", "--epochs", "0"],
        ["--task", "class", "--learning-rate", "2"],
        ["--task", "class", "--seed", "-1"],
    ],
)
def test_wrong_usage_has_status_2(words, tmp_path):
    assert main(["train", *words, "--output", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_unknown_task_is_refused(tmp_path):
    with pytest.raises(RacnetError, match=r"one of \['class', 'stellar_type'\]. Received: task='planets'"):
        train_on_simulated("planets", tmp_path / "run", TrainingConfig(epochs=1))


LABELS = {"task": "class", "classes": ["STAR", "GALAXY", "QSO"], "reject_threshold": 0.5}


@pytest.fixture(scope="module")
def small_model():
    return build("racnet", 3, n_pixels=64, filters=(4,), dense_units=4)


GRID = Preprocessing(LogLambdaGrid(n_pixels=64))


def test_a_preset_is_replaced_only_when_asked_and_only_if_it_is_one(small_model, tmp_path):
    folder = save_preset(small_model, tmp_path / "p", labels=LABELS, preprocessing=GRID, card="first")
    with pytest.raises(RacnetError, match="pass overwrite=True"):
        save_preset(small_model, folder, labels=LABELS, preprocessing=GRID, card="second")
    assert (folder / "card.md").read_text() == "first\n"
    save_preset(small_model, folder, labels=LABELS, preprocessing=GRID, card="second", overwrite=True)
    assert (folder / "card.md").read_text() == "second\n"
    (tmp_path / "thesis").mkdir()
    with pytest.raises(RacnetError, match="is not a preset, so it is not replaced"):
        save_preset(small_model, tmp_path / "thesis", labels=LABELS, preprocessing=GRID, card="x", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p", "thesis"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"classes": ["STAR", "QSO"]}, "need the 3 classes of the network"),
        ({"classes": ["STAR", "QSO", "QSO"]}, "different words"),
        ({"classes": "ABC"}, "the 3 classes"),
        ({"reject_threshold": 1.5}, "Received: reject_threshold=1.5"),
        ({"reject_threshold": None}, "Received: reject_threshold=None"),
        ({"task": None}, "need a task"),
    ],
)
def test_labels_that_do_not_fit_are_refused(small_model, labels, message, tmp_path):
    with pytest.raises(RacnetError, match=message):
        save_preset(small_model, tmp_path / "p", labels={**LABELS, **labels}, preprocessing=GRID, card="x")
    assert not list(tmp_path.iterdir())


def test_a_grid_of_another_length_is_refused(small_model, tmp_path):
    with pytest.raises(RacnetError, match=r"64 pixels\. Received: 3909"):
        save_preset(small_model, tmp_path / "p", labels=LABELS, preprocessing=Preprocessing(), card="x")
