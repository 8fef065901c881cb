"""SPARCL's client is stood in for by an object with its recorded protocol (sparclclient 1.3.1): find and retrieve."""

import uuid
from types import SimpleNamespace

import numpy as np
import pytest

from racnet_tools.archives import sparcl
from racnet_tools.archives.answers import FailedError
from racnet_tools.archives.journal import Journal
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.selection import Selection
from racnet_tools.errors import RacnetError
from racnet_tools.readers import identify, read, read_file
from racnet_tools.readers.desi_coadd import DESI_GRID


class Record(dict):
    """As sparclclient's: a dict whose keys are attributes too."""

    __getattr__ = dict.__getitem__


def record(i, label, release="SDSS-DR17", rng=None):
    rng = rng or np.random.default_rng(i)
    if release.startswith("DESI"):
        wave = 3600 + 0.8 * np.arange(7781)
    else:
        wave = 10 ** np.float32(3.58 + 1e-4 * np.arange(3827)).astype(np.float64)  # SPARCL's come of float32 loglam
    mask = np.zeros(len(wave), np.int64)
    mask[10] = 1 << (0 if release.startswith("DESI") else 24)
    mask[20] = 0 if release.startswith("DESI") else 1 << 3  # speaks of the whole fibre
    ivar = np.full(len(wave), 4.0)
    ivar[30] = 0
    return Record(
        sparcl_id=str(uuid.UUID(int=rng.integers(1, 1 << 62).item() | (i << 64))),
        specid=-6444647351317147648 + i,
        data_release=release,
        _dr=release,
        spectype=label,
        redshift=0.1 + i / 1000,
        redshift_err=1e-5,
        ra=10.0 + i,
        dec=-5.0 + i / 10,
        wavelength=wave,
        flux=1 + 0.01 * rng.standard_normal(len(wave)),
        ivar=ivar,
        mask=mask,
    )


class Client:
    """Has `n` spectra of each class; `trouble` exceptions are raised first, `lost` are found but not sent."""

    def __init__(self, release="SDSS-DR17", n=40, trouble=0, lost=()):
        labels = ["STAR", "GALAXY", "QSO"]
        self.data = [record(i, labels[i % 3], release) for i in range(3 * n)]
        self.all_datasets = {release, "BOSS-DR16", "SDSS-DR16"}
        self.trouble, self.lost = trouble, lost
        self.found, self.retrieved = [], []

    def find(self, outfields=None, *, constraints=None, limit=500):
        self._trouble()
        self.found.append((outfields, constraints, limit))
        core = {"sparcl_id", "specid", "data_release", "spectype", "redshift", "redshift_err", "ra", "dec"}
        assert set(outfields) <= core
        assert all(isinstance(values, list) for values in constraints.values())
        match = [
            Record({name: r[name] for name in [*outfields, "_dr"]})
            for r in self.data
            if r["spectype"] in constraints["spectype"] and r["data_release"] in constraints["data_release"]
        ]
        return SimpleNamespace(records=match[:limit], ids=[r["sparcl_id"] for r in match[:limit]])

    def retrieve(self, uuid_list, *, include="DEFAULT", dataset_list=None, limit=500):
        self._trouble()
        assert len(uuid_list) <= limit
        self.retrieved += uuid_list
        chosen = [r for r in self.data if r["sparcl_id"] in uuid_list and r["data_release"] in dataset_list]
        return SimpleNamespace(
            records=[
                Record({name: r[name] for name in [*include, "_dr"]})
                for r in reversed(chosen)
                if r["sparcl_id"] not in self.lost
            ]
        )

    def _trouble(self):
        if self.trouble:
            self.trouble -= 1
            raise ConnectionError("connection reset")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(sparcl, "Pace", lambda *args: Pace(1000, 0.001))


def download(client, folder, survey="sdss", release="dr17", scale=0.001, **options):
    selection = sparcl.find(client, survey, release, scale=scale)
    return selection, sparcl.download_sparcl(
        client, survey, release, selection, folder, pace=Pace(1000, 0.001), **options
    )


def test_what_comes_is_what_the_readers_read(tmp_path):
    client = Client()
    selection, summary = download(client, tmp_path / "out")
    assert selection.counts() == {"STAR": 10, "GALAXY": 10, "QSO": 10}
    assert (summary.n_fetched, summary.failed) == (30, [])
    by_id = {r["sparcl_id"]: r for r in client.data}
    for row in Selection.open(tmp_path / "out/selection.csv").rows:
        path = tmp_path / "out" / row["path"]
        spectra, original = read_file(path), by_id[row["obsid"]]
        assert identify(path) == "lamost_image"
        assert spectra.table["survey"][0] == "SDSS"
        assert spectra.table["label"][0] == row["label"] == original["spectype"]
        assert spectra.table["z"][0] == pytest.approx(original["redshift"])
        assert spectra.table["ra"][0] == pytest.approx(original["ra"])
        assert np.array_equal(spectra.flux[0], original["flux"].astype(np.float32))
        assert np.array_equal(spectra.ivar[0], original["ivar"].astype(np.float32))
        assert np.allclose(spectra.wave, original["wavelength"], rtol=2e-6, atol=0)
        assert np.flatnonzero(spectra.mask[0]).tolist() == [10, 30]
    assert len(read(tmp_path / "out")) == 30


def test_what_is_asked_for(tmp_path):
    client = Client()
    sparcl.find(client, "sdss", "dr17", scale=0.0005)
    assert client.found[1] == (
        ["sparcl_id", "specid", "data_release", "spectype", "redshift", "redshift_err", "ra", "dec"],
        {"spectype": ["GALAXY"], "data_release": ["SDSS-DR17"], "specprimary": [1], "redshift_warning": [0]},
        20,
    )


def test_desi_comes_on_the_desi_readers_grid(tmp_path):
    client = Client("DESI-DR1")
    selection, summary = download(client, tmp_path / "out", "desi", "dr1", scale=0.0001)
    assert summary.n_fetched == 3
    spectra = read_file(tmp_path / "out" / selection.rows[0]["path"])
    assert spectra.table["survey"][0] == "DESI"
    assert np.allclose(spectra.wave, DESI_GRID.wave, rtol=1e-9)
    inside = slice(100, -100)
    assert abs(np.median(spectra.flux[0][inside]) - 1) < 0.01
    assert spectra.mask[0][inside].sum() == 0


def test_the_choice_depends_on_the_seed_alone():
    client = Client()
    first = sparcl.find(client, "sdss", "dr17", scale=0.001, seed=1)
    client.data.reverse()
    again = sparcl.find(client, "sdss", "dr17", scale=0.001, seed=1)
    other = sparcl.find(client, "sdss", "dr17", scale=0.001, seed=2)
    assert first.rows == again.rows
    assert {row["obsid"] for row in first.rows} != {row["obsid"] for row in other.rows}


def test_fewer_than_wanted_are_all_taken():
    found = sparcl.find(Client(n=4), "sdss", "dr17", scale=0.001)
    assert found.counts() == {"STAR": 4, "GALAXY": 4, "QSO": 4} == found.available


def test_a_second_run_fetches_the_rest_alone(tmp_path):
    client = Client()
    selection = sparcl.find(client, "sdss", "dr17", scale=0.001)
    client.lost = [selection.rows[3]["obsid"]]
    _, summary = download(client, tmp_path / "out")
    assert [(key, reason) for key, _, reason in summary.failed] == [
        (client.lost[0], "SPARCL found it, but did not send it")
    ]
    assert (tmp_path / "out/failed.csv").exists()
    client.lost, client.retrieved = [], []
    _, summary = download(client, tmp_path / "out")
    assert (summary.n_before, summary.n_fetched) == (29, 1)
    assert client.retrieved == [selection.rows[3]["obsid"]]
    assert not (tmp_path / "out/failed.csv").exists()
    assert len(Journal.entries(tmp_path / "out")) == 30


def test_killed_between_two_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(sparcl, "CHUNK", 4)
    client = Client()
    done = []

    def stop(files, size):
        done.append(files)
        if len(done) == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(client, tmp_path / "out", progress=stop)
    assert len(client.retrieved) == 12
    _, summary = download(client, tmp_path / "out")
    assert (summary.n_before, summary.n_fetched) == (10, 20)


def test_trouble_that_passes(tmp_path):
    client = Client(trouble=2)
    assert download(client, tmp_path / "out")[1].n_fetched == 30
    client = Client(trouble=99)
    with pytest.raises(RacnetError, match=r"SPARCL does not answer as it should .ConnectionError"):
        sparcl.find(client, "sdss", "dr17")


@pytest.mark.parametrize(
    ("survey", "release", "recipe", "told"),
    [
        ("sdss", "dr17", "dataset1", "SPARCL has no UNKNOWN"),
        ("sdss", "dr17", "dataset3", "SPARCL has no F, G, K"),
        ("sdss", "dr99", "dataset2", r"Expected a release of SDSS that SPARCL has \(dr16, dr17\)"),
        ("desi", "edr", "dataset2", "does not have DESI-EDR now"),
    ],
)
def test_what_it_cannot_serve(survey, release, recipe, told):
    with pytest.raises(RacnetError, match=told):
        sparcl.find(Client(), survey, release, recipe=recipe)


@pytest.mark.parametrize(
    "change",
    [
        {"flux": [1.0, 2.0]},
        {"wavelength": None},
        {"wavelength": np.linspace(3800, 9200, 3827)},
        {"wavelength": np.zeros(3827)},
        {"mask": "x"},
        {"ra": None},
    ],
)
def test_records_that_are_no_spectrum(change):
    with pytest.raises(FailedError):
        sparcl.to_spectrum({**record(1, "STAR"), **change})
