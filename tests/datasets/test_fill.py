"""Filling stores: byte for byte the same for one seed, whatever the workers and the kills; files read once."""

import hashlib
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from racnet_tools.datasets import SpectrumStore, fill_simulated, ingest, is_store
from racnet_tools.errors import RacnetError
from racnet_tools.readers import find_files, write_lamost
from racnet_tools.simulate import simulate

COUNTS = {"STAR": 700, "QSO": 430}


def content(folder: Path) -> dict[str, str]:
    """SHA-256 of every file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


WORDS = [sys.executable, "-m", "racnet_tools.cli", "simulate", "--counts", "STAR=700,QSO=430", "--seed", "7"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> SpectrumStore:
    path = tmp_path_factory.mktemp("fill") / "one.zarr"
    subprocess.run([*WORDS, "--output", str(path)], check=True)
    return SpectrumStore.open(path)


def test_what_was_asked_for_is_there(undisturbed):
    labels = undisturbed.column("label")
    assert {name: int((labels == name).sum()) for name in COUNTS} == COUNTS
    assert len(np.unique(undisturbed.column("spec_id"))) == 1130 == len(undisturbed)
    assert undisturbed.provenance["seed"] == 7 and undisturbed.verify() == []


def test_two_workers_make_the_same_bytes(undisturbed, tmp_path):
    path = tmp_path / "two.zarr"
    subprocess.run([*WORDS, "--output", str(path), "--workers", "2"], check=True)
    assert content(path) == content(undisturbed.path)


def test_a_killed_run_goes_on_to_the_same_bytes(undisturbed, tmp_path):
    path = tmp_path / "killed.zarr"
    for blocks in (1, 2):  # that are committed when it is killed, at the least
        process = subprocess.Popen([*WORDS, "--output", str(path)])
        while process.poll() is None and not (is_store(path) and len(SpectrumStore.open(path).blocks) >= blocks):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert SpectrumStore.open(path).verify() == []
    subprocess.run([*WORDS, "--output", str(path)], check=True)
    assert content(path) == content(undisturbed.path)


def test_a_finished_run_is_left_as_it_is(undisturbed):
    before = {path: path.stat().st_mtime_ns for path in (undisturbed.path / "flux").rglob("*")}
    told = []
    assert len(fill_simulated(undisturbed.path, COUNTS, seed=7, progress=told.append)) == 1130
    assert before == {path: path.stat().st_mtime_ns for path in (undisturbed.path / "flux").rglob("*")}
    assert told == [1130]


def test_other_settings_are_refused(undisturbed, tmp_path):
    with pytest.raises(RacnetError, match="seed was 7, is 8"):
        fill_simulated(undisturbed.path, COUNTS, seed=8)
    with pytest.raises(RacnetError, match="counts was"):
        fill_simulated(undisturbed.path, {"STAR": 3}, seed=7)
    with pytest.raises(RacnetError, match="no store of spectra"):
        fill_simulated(tmp_path, COUNTS, seed=7)
    for counts, seed, workers in (({"COMET": 3}, 1, 1), ({"STAR": 0}, 1, 1), ({"STAR": 3}, -1, 1), ({"STAR": 3}, 1, 0)):
        with pytest.raises(RacnetError, match="Expected"):
            fill_simulated(tmp_path / "s.zarr", counts, seed=seed, workers=workers)
    assert not (tmp_path / "s.zarr").exists()


@pytest.fixture
def files(tmp_path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    write_lamost(simulate({"STAR": 6, "GALAXY": 3}, seed=2), folder)
    (folder / "broken.fits").write_bytes(b"SIMPLE")
    return folder


def test_files_are_read_once(files, tmp_path):
    store, refused = ingest(tmp_path / "s.zarr", find_files(files))
    assert len(store) == 9 and [Path(error.path).name for error in refused] == ["broken.fits"]
    assert store.verify() == []
    first = store.fingerprint
    told = []
    store, refused = ingest(tmp_path / "s.zarr", find_files(files), told.append)
    assert store.fingerprint == first and len(refused) == 1 and sum(told) == 10
    write_lamost(simulate({"STAR": 2}, seed=3), files)
    store, refused = ingest(tmp_path / "s.zarr", find_files(files))
    assert len(store) == 11 and len(refused) == 1


def test_repeats_and_dark_spectra_are_refused(files, tmp_path):
    store, _ = ingest(tmp_path / "s.zarr", find_files(files))
    copy = tmp_path / "again"
    copy.mkdir()
    one = next(files.glob("spec*"))
    shutil.copy(one, copy / one.name)
    dark = simulate({"STAR": 1}, seed=5)
    dark.flux[:] = 0
    write_lamost(dark, copy)
    store, refused = ingest(tmp_path / "s.zarr", find_files(copy))
    assert len(store) == 9
    assert sorted(error.found.split(" of ")[0].split("'")[0] for error in refused) == [
        "the spec_id ",
        "zero in every pixel",
    ]
