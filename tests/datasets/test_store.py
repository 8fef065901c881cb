"""The store: what goes in comes out, also in another process, beside a writer, after a kill and after damage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.datasets import SpectrumStore, is_store
from racnet_tools.datasets.layout import CHUNK
from racnet_tools.datasets.log import LOG
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.spectra import LAMOST_GRID, LogLambdaGrid, SpectrumSet, concatenate

GRID = LogLambdaGrid(3.6, 1e-3, 12)


def some(n: int, seed: int = 0, grid: LogLambdaGrid = GRID, start: int = 0) -> SpectrumSet:
    rng = np.random.default_rng(seed)
    flux = rng.normal(1, 0.3, (n, grid.n_pixels)).astype(np.float32)
    rows = [{"spec_id": f"s{start + i}", "object_id": f"o{i}", "label": "STAR", "snr_g": 1.0 * i} for i in range(n)]
    mask = rng.random(flux.shape) < 0.2
    return SpectrumSet(grid.wave, flux, rng.random(flux.shape), mask, rows)


def same(a: SpectrumSet, b: SpectrumSet) -> bool:
    arrays = all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=name != "mask")
        for name in ("wave", "flux", "ivar", "mask")
    )
    names = set(a.table.colnames) | set(b.table.colnames)
    return arrays and all(a.table[name].tolist() == b.table[name].tolist() for name in names)


@pytest.fixture
def store(tmp_path) -> SpectrumStore:
    return SpectrumStore.create(tmp_path / "store.zarr", grid=GRID, provenance={"source": "test"})


def test_a_new_store_is_empty_and_says_what_it_is(store):
    again = SpectrumStore.open(store.path)
    assert is_store(store.path) and len(again) == 0 and again.grid == GRID
    assert again.provenance == {"source": "test"}
    assert again.verify() == []
    schema = json.loads((store.path / "zarr.json").read_text())["attributes"]
    assert schema["format"] == "racnet-spectra" and schema["version"] == 1 and schema["racnet"]
    flux = json.loads((store.path / "flux" / "zarr.json").read_text())
    assert flux["zarr_format"] == 3 and flux["attributes"]["units"] == "relative flux per Angstrom"


texts = st.text(max_size=20).filter(lambda text: not text.endswith("\x00"))  # numpy's text drops trailing zeros
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
rows = st.fixed_dictionaries(
    {"label": st.none() | texts, "path": st.none() | texts, "z": numbers, "teff": numbers, "note": st.none() | texts}
)


@settings(max_examples=12, deadline=None)
@given(parts=st.lists(st.lists(rows, min_size=1, max_size=4), min_size=1, max_size=3), data=st.data())
def test_what_goes_in_comes_out(tmp_path_factory, parts, data):
    store = SpectrumStore.create(tmp_path_factory.mktemp("h") / "s.zarr", grid=GRID)
    sets = []
    for part in parts:
        pixel = st.floats(width=32) | st.just(float("nan"))
        shape = (len(part), GRID.n_pixels)
        flux = np.array(data.draw(st.lists(pixel, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])))
        ivar = np.abs(flux[::-1])
        named = [{**row, "spec_id": f"{len(sets)}-{i}"} for i, row in enumerate(part)]
        sets.append(SpectrumSet(GRID.wave, flux.reshape(shape), ivar.reshape(shape), None, named))
        store.append(sets[-1])
    whole = concatenate(sets)
    opened = SpectrumStore.open(store.path)
    read = opened[:]
    for name in set(read.table.colnames) ^ set(whole.table.colnames):  # a column with nothing in it is not kept
        assert name in ("teff", "note") and all(value is None for value in whole.table[name].tolist())
        whole.table.remove_column(name)
    assert same(read, whole)
    assert opened.verify() == []


def test_rows_in_any_order(store):
    spectra = some(3 * CHUNK)
    store.append(spectra[:300])
    store.append(spectra[300:])
    chosen = np.array([700, 3, 3, 299, 300, 251, -1])
    for rows in (5, slice(200, 520), slice(None, None, -7), chosen, np.arange(750) % 5 == 0, []):
        assert same(store[rows], spectra[rows])
    for wrong in (750, [750], [-751], np.array([True]), [0.5]):
        with pytest.raises(IndexError):
            store[wrong]
    assert store.column("snr_g").tolist() == spectra.table["snr_g"].tolist()
    with pytest.raises(RacnetError, match="no column 'snr'"):
        store.column("snr")
    assert len(concatenate(store.iterate(200))) == 750


def test_columns_may_be_added_and_numbers_stay_numbers(store):
    store.append(some(3))
    more = some(2, start=3)
    more.table["teff"] = [5000, 6000]
    more.table["name"] = ["a", "b"]
    store.append(more)
    assert store.table()["teff"].tolist() == [None, None, None, 5000.0, 6000.0]
    assert store[[0, 4]].table["name"].tolist() == [None, "b"]
    assert SpectrumStore.open(store.path).verify() == []
    wrong = some(1)
    wrong.table["teff"] = ["hot"]
    with pytest.raises(RacnetError, match="'teff' holds numbers"):
        store.append(wrong)
    wrong.table["teff"] = [2**60]
    with pytest.raises(RacnetError, match="identifiers into text"):
        store.append(wrong)
    wrong.table.remove_column("teff")
    wrong.table["../x"] = [1.0]
    with pytest.raises(RacnetError, match="column names of letters"):
        store.append(wrong)
    assert len(SpectrumStore.open(store.path)) == 5


def test_other_wavelengths_are_resampled_and_meta_is_kept(store):
    wide = LogLambdaGrid(3.599, 1e-3, 20)
    spectra = some(2, grid=wide)
    spectra.meta["ivar"] = "not given"
    store.append(spectra)
    np.testing.assert_array_equal(store[:].flux, spectra.flux[:, 1:13])
    assert store[:].meta == {"ivar": "not given"}
    store.append(some(1, start=2))
    assert store[[0, 1]].meta == {"ivar": "not given"} and store[:].meta == {}


def test_odd_file_names_are_kept_readable(store):
    spectra = some(1)
    spectra.table["path"] = ["b\udcffd"]
    store.append(spectra)
    assert store.column("path").tolist() == ["b\\udcffd"]


def test_shuffled_batches_hold_everything_once(store):
    store.append(some(1100))
    once = [batch.table["spec_id"].tolist() for batch in store.shuffled(64, seed=1, buffer=2)]
    assert [len(batch) for batch in once] == [64] * 17 + [12]
    flat = [name for batch in once for name in batch]
    assert sorted(flat) == sorted(f"s{i}" for i in range(1100))
    assert flat != sorted(flat) and len({int(name[1:]) // CHUNK for name in flat[:64]}) == 2
    assert once == [batch.table["spec_id"].tolist() for batch in store.shuffled(64, seed=1, buffer=2)]
    other = [batch.table["spec_id"].tolist() for batch in store.shuffled(64, seed=1, epoch=1, buffer=2)]
    assert [name for batch in other for name in batch] != flat
    few = [name for batch in store.shuffled(64, seed=1, rows=np.array([900, 7])) for name in batch.table["spec_id"]]
    assert sorted(few) == ["s7", "s900"]


def run(code: str, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


def test_a_fresh_process_reads_the_same(store):
    store.append(some(CHUNK + 5))
    code = """if True:
        import sys, hashlib
        from racnet_tools.datasets import SpectrumStore
        store = SpectrumStore.open(sys.argv[1])
        print(len(store), hashlib.sha256(store[:].flux.tobytes()).hexdigest(), store.fingerprint, store.verify())
        print("pickle used" if "dill" in sys.modules else "")
    """
    import hashlib

    told = run(code, str(store.path)).stdout.split()
    assert told[:4] == ["255", hashlib.sha256(store[:].flux.tobytes()).hexdigest(), store.fingerprint, "[]"]


def test_nothing_on_disk_is_a_pickle(store):
    store.append(some(10))
    for path in store.path.rglob("*"):
        assert path.is_dir() or not path.read_bytes().startswith(b"\x80")
        assert path.is_dir() or (b"pickle" not in path.read_bytes() and b"object" not in path.read_bytes().split(b'"'))


def test_two_writers_are_refused_and_readers_are_not(store):
    store.append(some(10))
    with store.writing():
        store.append(some(10, start=10))
        beside = SpectrumStore.open(store.path)
        assert len(beside) == 20 and beside.verify() == []
        with pytest.raises(RacnetError, match=f"Process {os.getpid()} is writing"):
            beside.append(some(1))
        code = "import sys; from racnet_tools.datasets import SpectrumStore\n"
        code += "with SpectrumStore.open(sys.argv[1]).writing(): pass"
        assert f"Process {os.getpid()} is writing" in run(code, str(store.path)).stderr
        store.append(some(10, start=20))
        assert len(beside) == 20 and len(beside[:]) == 20
    beside = SpectrumStore.open(store.path)
    beside.append(some(1, start=30))
    assert len(beside) == 31


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_any_flipped_byte_is_found(store, rng):
    store.append(some(CHUNK + 30))
    store.append(some(40, start=CHUNK + 30))
    spectra = store[:]
    files = [path for path in sorted(store.path.rglob("*")) if path.is_file() and path.name != "writer.lock"]
    assert len(files) > 30
    for path in files:
        whole = path.read_bytes()
        for at in {len(whole) // 2, int(rng.integers(len(whole)))}:
            flipped = bytearray(whole)
            flipped[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            try:
                found = SpectrumStore.open(store.path).verify()
            except ReadError as error:
                found = [str(error)]
            if not found:  # such as a name in zarr.json that no reader looks at
                assert path.name == "zarr.json", f"{path.relative_to(store.path)}: byte {at}"
                assert same(SpectrumStore.open(store.path)[:], spectra)
        path.write_bytes(whole)
    assert SpectrumStore.open(store.path).verify() == []


def test_a_missing_chunk_is_found(store):
    store.append(some(CHUNK + 30))
    (store.path / "flux" / "c" / "1" / "0").unlink()
    assert "rows 0 to 279: the content is not what was written" in SpectrumStore.open(store.path).verify()[0]


def test_damage_is_told_when_it_is_read(store):
    store.append(some(20))
    chunk = store.path / "flux" / "c" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-9] + b"123456789")
    with pytest.raises(ReadError, match="undamaged store; found ValueError: Stored and computed checksum"):
        SpectrumStore.open(store.path)[3]


def test_a_torn_commit_did_not_happen(store):
    store.append(some(20))
    log = store.path / LOG
    before = log.read_bytes()
    store.append(some(30, start=20))
    log.write_bytes(log.read_bytes()[:-5])
    torn = SpectrumStore.open(store.path)
    assert len(torn) == 20 and torn.verify() == []
    torn.append(some(7, seed=9, start=20))
    assert len(SpectrumStore.open(store.path)) == 27 and SpectrumStore.open(store.path).verify() == []
    log.write_bytes(b"x" + before)
    with pytest.raises(ReadError, match="line 1 damaged"):
        SpectrumStore.open(store.path)


WRITER = """if True:
    import sys
    import numpy as np
    from racnet_tools.datasets import SpectrumStore
    from racnet_tools.spectra import SpectrumSet
    store = SpectrumStore.open(sys.argv[1])
    with store.writing():
        while True:
            n = len(store)
            flux = np.full((170, store.n_pixels), 1.0) * np.arange(n, n + 170)[:, None]
            rows = [{"spec_id": str(n + i)} for i in range(170)]
            store.append(SpectrumSet(store.grid.wave, flux, flux + 1, None, rows))
            print(len(store), flush=True)
"""


def test_killed_writers_leave_what_they_committed(tmp_path, rng):
    store = SpectrumStore.create(tmp_path / "s.zarr")
    committed = 0
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(store.path)], stdout=subprocess.PIPE, text=True)
        told = int(writer.stdout.readline())  # a first commit stands, however slow the machine
        assert told == committed + 170
        time.sleep(rng.uniform(0, 0.5))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        opened = SpectrumStore.open(store.path)
        assert len(opened) >= told and opened.verify() == []
        committed = len(opened)
        assert opened.column("spec_id").tolist() == [str(i) for i in range(committed)]
        np.testing.assert_array_equal(opened[:].flux[:, 7], np.arange(committed))
    opened.append(some(3, grid=LAMOST_GRID))
    assert SpectrumStore.open(store.path).verify() == []
    assert not list(store.path.rglob("*.partial"))


def test_refusals(tmp_path, store):
    with pytest.raises(RacnetError, match="exists already"):
        SpectrumStore.create(store.path)
    with pytest.raises(RacnetError, match="does not exist"):
        SpectrumStore.create(tmp_path / "no" / "s.zarr")
    with pytest.raises(ReadError, match=r"expected a store of spectra; found no commits\.jsonl"):
        SpectrumStore.open(tmp_path)
    assert not [path for path in Path(tmp_path).iterdir() if path.name.startswith(".writing")]


def test_without_zarr_the_way_to_get_it_is_told(tmp_path):
    code = """if True:
        import sys
        sys.modules["zarr"] = None
        from racnet_tools.datasets import RECIPES, SpectrumStore
        SpectrumStore.create(sys.argv[1])
    """
    assert "pip install 'racnet-tools[survey]'" in run(code, str(tmp_path / "s.zarr")).stderr


def test_any_zarr_reader_opens_it(store):
    import zarr

    spectra = some(5)
    store.append(spectra)
    group = zarr.open_group(store.path, mode="r")
    np.testing.assert_array_equal(group["flux"][:], spectra.flux)
    assert group["columns/label"][:].tolist() == ["STAR"] * 5
    assert group["columns/ra"].attrs["units"] == "deg"
