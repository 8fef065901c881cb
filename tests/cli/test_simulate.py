"""racnet simulate: sizes first, then a store; the same command again changes nothing."""

import re
import signal
import subprocess
import sys

import pytest

from racnet_tools.cli import main
from racnet_tools.datasets import SpectrumStore


def test_dry_run_tells_sizes_and_writes_nothing(tmp_path, capsys):
    words = ["simulate", "--output", str(tmp_path / "s.zarr"), "--recipe", "dataset3", "--seed", "1", "--dry-run"]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "30000 spectra would be simulated" in told and "about 720 MB and " in told
    assert re.findall(r"([FGK]) +(\d+)", told) == [("F", "10000"), ("G", "10000"), ("K", "10000")]
    assert not list(tmp_path.iterdir())


def test_counts_and_again(tmp_path, capsys):
    words = ["simulate", "--output", str(tmp_path / "s.zarr"), "--counts", "star=4, QSO=3,A=2", "--seed", "5"]
    assert main(words) == 0
    assert re.search(r"s\.zarr: 9 simulated spectra \(\d+ s\)", capsys.readouterr().out)
    store = SpectrumStore.open(tmp_path / "s.zarr")
    assert sorted(store.column("label").tolist()) == ["QSO"] * 3 + ["STAR"] * 6
    before = store.fingerprint
    assert main(words) == 0
    assert "9 simulated spectra (0 simulated now" in capsys.readouterr().out
    assert SpectrumStore.open(tmp_path / "s.zarr").fingerprint == before
    assert main([*words[:-1], "6"]) == 1
    assert "seed was 5, is 6" in capsys.readouterr().err


def test_the_mix_of_the_survey(tmp_path):
    assert main(["simulate", "--output", str(tmp_path / "s.zarr"), "--spectra", "60"]) == 0
    labels = SpectrumStore.open(tmp_path / "s.zarr").column("label").tolist()
    assert len(labels) == 60 and labels.count("STAR") == 55


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--spectra", "10", "--recipe", "dataset1"],
        ["--spectra", "10", "--scale", "0.1"],
        ["--spectra", "0"],
        ["--recipe", "dataset9"],
        ["--recipe", "dataset1", "--scale", "0"],
        ["--counts", "STAR"],
        ["--counts", "STAR=1,star=2"],
        ["--counts", "COMET=1"],
        ["--counts", "STAR=1", "--seed", "-1"],
        ["--counts", "STAR=1", "--workers", "0"],
    ],
)
def test_wrong_usage(words, tmp_path, capsys):
    assert main(["simulate", "--output", str(tmp_path / "s.zarr"), *words]) == 2
    assert capsys.readouterr().err and not list(tmp_path.iterdir())


def test_help_has_examples(capsys):
    assert main(["simulate", "--help"]) == 0
    assert "racnet simulate --output survey.zarr --recipe dataset1" in capsys.readouterr().out


def test_interrupted_says_how_to_go_on(tmp_path):
    words = ["simulate", "--output", str(tmp_path / "s.zarr"), "--counts", "STAR=40000"]
    process = subprocess.Popen([sys.executable, "-m", "racnet_tools.cli", *words], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "s.zarr" / "writer.lock").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1 and "The same command goes on from what is in" in told
    assert SpectrumStore.open(tmp_path / "s.zarr").verify() == []
