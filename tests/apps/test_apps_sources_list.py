"""Lists of spectra: read when looked at, neighbours ahead, refusals that leave the rest, files of several spectra."""

import time

import numpy as np
import pytest

from racnet_tools.apps.sources import Item, SpectrumList, open_samples, spectrum_list
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers import find_files, read_file
from racnet_tools.readers.record import Record
from racnet_tools.resources import data_path


def record(n: int = 1, pixels: int = 200) -> Record:
    wave = np.linspace(4000.0, 5000.0, pixels)
    flux = np.tile(np.arange(1.0, n + 1)[:, None], pixels).astype(np.float32)
    rows = [{"spec_id": f"t{row}", "object_id": f"o{row}"} for row in range(n)]
    return Record(wave, flux, np.ones_like(flux), np.zeros(flux.shape, bool), rows)


@pytest.fixture
def made(monkeypatch):
    """A list of names whose 'files' are records made up by name; counts how often each is read."""
    reads: dict[str, int] = {}

    def read(path):
        name = path.name
        reads[name] = reads.get(name, 0) + 1
        if name.startswith("bad"):
            raise ReadError(f"/secret/place/{name}", expected="a spectrum", found="rubbish", advice="Leave it out.")
        return record(int(name.partition("x")[2] or 1))

    monkeypatch.setattr(spectrum_list, "read_record", read)

    def make(*names: str, **more) -> SpectrumList:
        from pathlib import Path

        return SpectrumList("made", [Item(name, f"label {name}", name) for name in names], Path, python="", **more)

    make.reads = reads
    return make


def settle(spectra: SpectrumList) -> None:
    """Wait for what is read ahead."""
    for _ in range(200):
        if all(future.done() for future in spectra._cache.values()):
            return
        time.sleep(0.005)
    raise AssertionError("reading ahead does not end")


def test_samples_are_what_the_readers_read():
    spectra = open_samples()
    files = list(find_files(data_path("samples")))
    assert len(spectra) == len(files) == 15
    assert spectra.name == "15 shipped samples"
    assert spectra.address == {"open": "samples"}
    for place in (0, 6, 14):
        one, plain = spectra.load(place), read_file(files[place])
        assert len(one) == 1
        assert one.flux.tobytes() == plain.flux.tobytes()
        assert one.wave.tobytes() == plain.wave.tobytes()
        assert one.column("label") == plain.column("label")
        assert files[place].name.startswith(spectra.key(place))
    namespace: dict = {}
    exec(spectra.python, namespace)  # the Python that the page shows
    assert len(namespace["spectra"]) == 15


def test_neighbours_are_read_ahead_and_nothing_twice(made):
    spectra = made("a", "b", "c", "d", "e")
    spectra.load(1)
    settle(spectra)
    assert made.reads == {"a": 1, "b": 1, "c": 1, "d": 1}
    spectra.load(2)
    settle(spectra)
    assert made.reads == dict.fromkeys("abcde", 1)


def test_what_was_looked_at_longest_ago_is_forgotten(made, monkeypatch):
    one = spectrum_list._bytes(_done(record()))
    monkeypatch.setattr(spectrum_list, "KEPT", 3 * one)
    monkeypatch.setattr(spectrum_list, "_AHEAD", ())
    spectra = made("a", "b", "c", "d")
    for place in range(4):
        spectra.load(place)
    assert list(spectra._cache) == ["b", "c", "d"]


def _done(result):
    future: spectrum_list.Future = spectrum_list.Future()
    future.set_result(result)
    return future


def test_a_refused_file_is_named_without_its_place_and_the_list_goes_on(made):
    spectra = made("a", "bad", "c")
    with pytest.raises(ReadError, match=r"^label bad: expected a spectrum; found rubbish\. Leave it out\.$"):
        spectra.load(1)
    with pytest.raises(ReadError):
        spectra.load(1)
    assert spectra.refused == [("label bad", "expected a spectrum; found rubbish. Leave it out.")]
    assert made.reads["bad"] >= 2  # it may have been mended meanwhile
    assert spectra.load(2).column("spec_id") == ["t0"]


def test_a_place_outside_the_list_is_refused(made):
    for place in (-1, 2):
        with pytest.raises(RacnetError, match="from 1 to 2"):
            made("a", "b").load(place)


def test_a_file_of_several_spectra_becomes_one_item_each(made):
    spectra = made("a", "coaddx3", "c")
    assert spectra.find("coaddx3#t2") == 3  # as a link to it does, in a new session
    assert [spectra.key(i) for i in range(len(spectra))] == ["a", "coaddx3#t0", "coaddx3#t1", "coaddx3#t2", "c"]
    assert spectra.revision == 1
    assert [float(spectra.load(i).flux[0, 0]) for i in range(1, 4)] == [1.0, 2.0, 3.0]
    assert spectra.find("c") == 4
    assert spectra.find("coaddx3#t9") is None
    assert spectra.find("nothing") is None
    assert spectra.revision == 1


def test_a_catalogue_may_mean_one_spectrum_of_a_file(made):
    from pathlib import Path

    made()  # the made-up reader
    items = [Item("k", "second", "filex3", spec_id="t1"), Item("l", "stranger", "filex3", spec_id="t7")]
    spectra = SpectrumList("made", items, Path, python="")
    assert spectra.load(0).column("spec_id") == ["t1"]
    with pytest.raises(ReadError, match="expected the spectrum t7"):
        spectra.load(1)
    assert len(spectra) == 2


def test_keys_are_unique(made):
    spectra = made("a", "a", "b")
    assert [spectra.key(i) for i in range(3)] == ["a", "a (2)", "b"]
    assert spectra.find("a (2)") == 1


def test_one_that_is_slow_to_come_holds_up_no_other(made, monkeypatch):
    """A jump to a spectrum that waits for its turn behind a slow one reads it at once."""
    import threading

    go = threading.Event()
    plain = spectrum_list.read_record

    def slow(path):
        if path.name == "slow":
            go.wait(5)
        return plain(path)

    monkeypatch.setattr(spectrum_list, "read_record", slow)
    spectra = made("a", "slow", "b")
    spectra.load(0)
    start = time.perf_counter()
    spectra.load(2)
    assert time.perf_counter() - start < 1
    go.set()
    assert len(spectra.load(1)) == 1
    spectra.close()
