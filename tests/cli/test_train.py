"""racnet train on a prepared data set: run, resume, test part with intervals, preset, and wrong usage."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tiny_data import GRID, tiny_data

from racnet_tools.cli import main
from racnet_tools.evaluate import wilson_interval
from racnet_tools.inference import load_preset
from racnet_tools.models import NETWORKS, predict
from racnet_tools.training import Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    data = tiny_data(folder)
    return folder / "data", data


@pytest.fixture
def words(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ["train", str(folder[0]), "--network", "fc", "--epochs", "2", "--batch-size", "32", "--output", "run"]


def test_a_data_set_is_trained_on_judged_and_made_a_preset_of(folder, words, tmp_path, capsys):
    data = folder[1]
    more = ["--patience", "3", "--balanced", "--augment", "--preset-output", "mine"]
    assert main([*words, *more]) == 0
    shown = capsys.readouterr()
    assert "epoch 2: loss" in shown.err and "%|" not in shown.err  # lines, no bars: this is no terminal

    run = Run.open("run")
    assert run.config["training"]["patience"] == 3 and run.config["training"]["class_weights"] == "balanced"
    assert run.config["training"]["augmentation"]["shift"] == 3
    x, y = data.arrays("test")
    right = predict(run.model(), x).argmax(axis=1) == y
    low, high = wilson_interval(int(right.sum()), len(y))
    line = f"{right.mean():.1%} ({low:.1%} to {high:.1%}, {right.sum()} of {len(y)}) are classified right"
    card = (tmp_path / "mine" / "card.md").read_text()
    assert line in shown.out and line in card
    stars = right[y == 0]
    assert f"| STAR | {stars.mean():.1%} (" in card and f"{stars.sum()} of {len(stars)}) |" in card
    assert data.store.fingerprint in card and "simulated" not in card
    assert f"| QSO | {data.counts('train')['QSO']} | {data.copies('train')['QSO']} |" in card

    preset = load_preset(tmp_path / "mine")
    assert preset.classes == ("STAR", "QSO") and 0 < preset.reject_threshold <= 1
    assert json.loads((tmp_path / "mine" / "preprocessing.json").read_text())["grid"] == GRID.to_dict()
    told = json.loads((tmp_path / "mine" / "provenance.json").read_text())
    assert np.trace(told["test"]["confusion"]) == right.sum() and told["run"]["data"]["kind"] == "dataset"

    # Again: the finished run is taken as it is, and another one is refused
    before = (tmp_path / "run" / "model.weights.h5").read_bytes()
    assert main([*words, *more[:-2]]) == 0
    assert (tmp_path / "run" / "model.weights.h5").read_bytes() == before and line in capsys.readouterr().out
    assert main(words) == 1
    assert "training.patience is 3 there and None here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--task", "class"], "one of the two"),
        (["--spectra-per-epoch", "100"], "--spectra-per-epoch is for simulated spectra"),
        (["--network", "resnet"], "invalid choice: 'resnet'"),
        (["--precision", "float16"], "invalid choice"),
        (["--patience", "0"], "whole number of 1 or more"),
        (["--seed", "-1"], "must not be negative"),
    ],
)
def test_wrong_usage_has_status_2(words, more, message, tmp_path, capsys):
    assert main([*words, *more]) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_a_data_set_or_a_task_is_needed(tmp_path, capsys):
    assert main(["train", "--output", str(tmp_path / "run")]) == 2
    assert "one of the two" in capsys.readouterr().err
    assert main(["train", "--task", "class", "--augment", "--output", str(tmp_path / "run")]) == 2
    assert main(["train", str(tmp_path), "--output", str(tmp_path / "run")]) == 1
    assert "dataset.json" in capsys.readouterr().err


def test_every_network_can_be_chosen(capsys):
    assert main(["train", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert ", ".join(NETWORKS) in told


@pytest.mark.slow
def test_fast_is_set_before_tensorflow_is_imported_and_says_what_is_lost(words, tmp_path):
    """In a process of its own: TensorFlow reads the variable once."""
    pytest.importorskip("tensorflow")
    code = "import sys; from racnet_tools.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--epochs", "1", "--fast"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "not the same to the last byte" in done.stderr
    sessions = json.loads((tmp_path / "run" / "provenance.json").read_text())["sessions"]
    assert sessions[0]["onednn"] is True
