"""Stores, spectra and catalogues in a real S3-compatible server on this machine."""

import logging
import platform

import numpy as np
import pytest

from racnet_tools.datasets import DataSet, SpectrumStore, fill_simulated, ingest, prepare
from racnet_tools.datasets import log as log_module
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import any_path
from racnet_tools.inference import classify_to_file
from racnet_tools.readers import find_files, read_file, write_lamost
from racnet_tools.simulate import simulate

pytest.importorskip("s3fs", reason="the extra `scale` is not installed")
server = pytest.importorskip("moto.server", reason="moto's server is not installed")

COUNTS = {"STAR": 30, "GALAXY": 15, "QSO": 15}


@pytest.fixture(scope="module")
def storage():
    """A bucket; credentials and address are in the environment, as they would be for a user."""
    import fsspec

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    patch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "never-to-be-kept",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        patch.setenv(name, value)
    fsspec.filesystem("s3").mkdir("survey")
    yield "s3://survey"
    patch.undo()
    running.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_lamost(simulate(COUNTS, seed=3), tmp_path_factory.mktemp("files"), "image5", suffix=".fits.gz")


@pytest.fixture(scope="module")
def uploaded(storage, files):
    for file in files:
        any_path(f"{storage}/night/{file.name}").write_bytes(file.read_bytes())
    return f"{storage}/night"


def test_a_store_is_the_same_there_as_here(storage, tmp_path):
    here = fill_simulated(tmp_path / "here.zarr", COUNTS, seed=5)
    there = fill_simulated(f"{storage}/there.zarr", COUNTS, seed=5)
    assert len(there) == 60
    assert [block.sha256 for block in there.blocks] == [block.sha256 for block in here.blocks]
    assert there.verify() == []
    again = SpectrumStore.open(f"{storage}/there.zarr")
    np.testing.assert_array_equal(again[[50, 3]].flux, here[[50, 3]].flux)
    prepare(again, "dataset2", scale=0.002, seed=1).save(tmp_path / "data")
    assert str(DataSet.open(tmp_path / "data").store.path) == f"{storage}/there.zarr"
    with pytest.raises(RacnetError, match="exists already"):
        SpectrumStore.create(f"{storage}/there.zarr")


def test_its_log_goes_on_in_further_objects(storage, monkeypatch):
    monkeypatch.setattr(log_module, "_LINES", 2)
    store = SpectrumStore.create(f"{storage}/long.zarr")
    for seed in range(4):
        store.append(simulate({"STAR": 2}, seed=seed))
    assert [
        (storage and any_path(f"{storage}/long.zarr") / name).exists()
        for name in ("commits.jsonl", "commits-0001.jsonl", "commits-0002.jsonl", "commits-0003.jsonl")
    ] == [True, True, True, False]
    again = SpectrumStore.open(f"{storage}/long.zarr")
    assert len(again) == 8 and again.fingerprint == store.fingerprint
    again.append(simulate({"STAR": 2}, seed=9))
    assert len(SpectrumStore.open(f"{storage}/long.zarr")) == 10
    assert again.verify() == []


def test_a_second_writer_is_kept_out_and_a_dead_one_is_not_waited_for(storage):
    path = f"{storage}/locked.zarr"
    store = SpectrumStore.create(path)
    with store.writing(), pytest.raises(RacnetError, match="is writing to"), SpectrumStore.open(path).writing():
        pass
    lock = any_path(path) / "writer.lock"
    assert not lock.exists()
    lock.write_text("elsewhere 17")
    with pytest.raises(RacnetError, match=r"if it was killed, delete s3://survey/locked\.zarr/writer\.lock"):
        store.append(simulate({"STAR": 1}, seed=1))
    lock.write_text(f"{platform.node()} 4194305")  # beyond the largest process number
    store.append(simulate({"STAR": 1}, seed=1))
    assert len(store) == 1


def test_spectra_are_found_and_read_there(uploaded, files):
    found = list(find_files(uploaded))
    assert [str(name) for name in found] == [f"{uploaded}/{file.name}" for file in files]
    assert [str(name) for name in find_files(f"{uploaded}/*-00000[12].fits.gz")] == [str(name) for name in found[1:3]]
    there, here = read_file(found[7]), read_file(files[7])
    np.testing.assert_array_equal(there.flux, here.flux)
    assert there.table["path"][0] == f"{uploaded}/{files[7].name}"


def test_a_list_of_them_goes_into_a_store_and_nothing_is_kept_of_the_credentials(storage, uploaded, tmp_path):
    (tmp_path / "list.txt").write_text(f"{uploaded}/*.fits.gz\n{uploaded}/missing.fits\n")
    store, refused = ingest(f"{storage}/read.zarr", find_files(f"@{tmp_path / 'list.txt'}"), workers=2)
    assert len(store) == 60
    assert [error.path for error in refused] == [f"{uploaded}/missing.fits"]
    kept = b"".join(path.read_bytes() for path in any_path(f"{storage}/read.zarr").rglob("*") if path.is_file())
    assert b"never-to-be-kept" not in kept


def test_a_catalogue_is_written_there(storage, uploaded, files, tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)
    summary = classify_to_file(find_files(uploaded), f"{storage}/catalogue.parquet")
    assert summary.n_spectra == 60
    classify_to_file(files, tmp_path / "here.parquet")
    there, here = pq.read_table(f"{storage}/catalogue.parquet"), pq.read_table(tmp_path / "here.parquet")
    assert there.drop(["path"]).equals(here.drop(["path"]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.parquet"]
    with pytest.raises(RacnetError, match="not overwritten"):
        classify_to_file(files, f"{storage}/catalogue.parquet")


@pytest.mark.parametrize("name", ["http://169.254.169.254/latest", "ftp://host/x.fits", "s3n://a/b"])
def test_other_addresses_are_not_followed(name):
    assert list(find_files(name)) == [name]
    with pytest.raises(ReadError, match=r"an address of s3, gs, gcs, abfs, memory, file"):
        read_file(name)
