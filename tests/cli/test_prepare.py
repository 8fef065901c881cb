"""racnet prepare: of a store or of files, said what was done, finished ones left alone, refused inputs listed."""

import csv

import pytest

from racnet_tools.cli import main
from racnet_tools.datasets import DataSet, fill_simulated
from racnet_tools.readers import write_lamost
from racnet_tools.simulate import simulate


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return str(
        fill_simulated(tmp_path_factory.mktemp("p") / "s.zarr", {"STAR": 150, "GALAXY": 30, "QSO": 60}, seed=2).path
    )


def test_a_store(store, tmp_path, capsys):
    words = [
        "prepare",
        store,
        "--recipe",
        "dataset2",
        "--scale",
        "0.006",
        "--seed",
        "1",
        "--output",
        str(tmp_path / "d"),
    ]
    assert main([*words, "--describe"]) == 0
    told = capsys.readouterr().out
    assert "STAR       48 train, 12 test; sampled down from 150" in told
    assert "the store has 30 of 60" in told and "are noisy copies" in told
    assert "Data set 2: stars, galaxies and quasars\n====" in told and "Known limits" in told
    data = DataSet.open(tmp_path / "d")
    assert data.counts("train") == {"STAR": 48, "GALAXY": 48, "QSO": 48}
    assert main(words) == 0
    assert "is finished already" in capsys.readouterr().out
    assert main([*words, "--seed", "2"]) == 2
    assert "holds another data set" in capsys.readouterr().err
    assert main(["prepare", str(tmp_path / "d"), "--describe"]) == 0
    assert capsys.readouterr().out == f"{data.card()}\n"


def test_dry_run_writes_nothing(store, tmp_path, capsys):
    words = ["prepare", store, "--recipe", "dataset2", "--scale", "0.006", "--output", str(tmp_path / "d"), "--dry-run"]
    assert main(words) == 0
    assert "would be prepared:\n  STAR       48 train" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    write_lamost(simulate({"F": 12, "G": 12, "K": 12, "A": 3}, seed=4), folder)
    return folder


def test_files(files, tmp_path, capsys):
    (files / "no.fits").write_bytes(b"nothing")
    out = tmp_path / "d"
    words = [
        "prepare",
        str(files),
        "--recipe",
        "dataset3",
        "--scale",
        "0.001",
        "--output",
        str(out),
        "--validation",
        "0.1",
    ]
    assert main([*words, "--dry-run"]) == 0
    assert "40 files would be read" in capsys.readouterr().out and not out.exists()
    assert main(words) == 3
    assert "refused    1 inputs" in capsys.readouterr().out
    with (tmp_path / "d.errors.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [str(files / "no.fits")] and "expected" in rows[0]["reason"]
    data = DataSet.open(out)
    assert len(data.store) == 39 and data.counts("train") == {"F": 7, "G": 7, "K": 7}
    assert set(data.parts) == {"train", "test", "validation"}
    out.rename(tmp_path / "elsewhere")  # the store travels with the folder
    assert DataSet.open(tmp_path / "elsewhere").arrays("train")[0].shape == (21, 3909)


def test_files_without_a_class_are_said(files, tmp_path, capsys):
    assert (
        main(["prepare", str(files), "--recipe", "dataset1", "--scale", "0.001", "--output", str(tmp_path / "d")]) == 1
    )
    assert "0 spectra of class GALAXY" in capsys.readouterr().err
    # What was read is not read again for another recipe.
    assert (
        main(["prepare", str(files), "--recipe", "dataset3", "--scale", "0.001", "--output", str(tmp_path / "d")]) == 0
    )


def test_nothing_readable(tmp_path, capsys):
    assert main(["prepare", str(tmp_path / "no"), "--recipe", "dataset3", "--output", str(tmp_path / "d")]) == 1
    assert "None of 1 files could be read" in capsys.readouterr().err
    assert (tmp_path / "d.errors.csv").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--output", "d"],
        ["--recipe", "dataset2"],
        ["--recipe", "dataset9", "--output", "d"],
        ["--recipe", "dataset2", "--output", "d", "--scale", "nan"],
        ["--recipe", "dataset2", "--output", "d", "--balance", "smote"],
        ["other.fits", "--recipe", "dataset2", "--output", "d"],
        ["--recipe", "dataset2", "--output", "no/d", "--scale", "0.001"],
    ],
)
def test_wrong_usage(words, store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", store, *words]) in ((1,) if "no/d" in words else (2,))
    assert capsys.readouterr().err and not list(tmp_path.iterdir())


def test_help_has_examples(capsys):
    assert main(["prepare", "--help"]) == 0
    assert "racnet prepare survey.zarr --recipe dataset1" in capsys.readouterr().out
