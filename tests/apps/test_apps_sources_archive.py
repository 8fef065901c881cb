"""Objects of archives, from servers that are played: by identifier and position, kept, refused in words."""

import uuid
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
from lamost_server import Server

from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources import archive
from racnet_tools.apps.sources.archive import Query, open_archive, parse_object, sky_position
from racnet_tools.archives import LamostAddresses, token
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers import find_files
from racnet_tools.resources import data_path


@pytest.fixture(autouse=True)
def _no_token(monkeypatch):
    monkeypatch.delenv(token.VARIABLE, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def server():
    packed = [path for path in find_files(data_path("samples")) if path.suffix == ".gz"]
    with Server([path.read_bytes() for path in packed[:3]]) as running:
        yield running


def settings(folder, **more) -> Settings:
    return Settings(work=folder / "work", **more)


def lamost(server) -> dict:
    return {"addresses": LamostAddresses("dr5", server=server.url)}


def test_an_obsid_is_fetched_once_and_kept(server, tmp_path):
    query = Query("lamost", "dr5", "101001")
    spectra = open_archive(settings(tmp_path), query, **lamost(server))
    assert (len(spectra), spectra.key(0)) == (1, "LAMOST-101001")
    assert spectra.address == {"open": "lamost", "release": "dr5", "object": "101001"}
    assert len(spectra.load(0)) == 1
    again = open_archive(settings(tmp_path), Query.from_address(spectra.address), **lamost(server))
    assert again.load(0).flux.tobytes() == spectra.load(0).flux.tobytes()
    assert server.sent["101001"] == 1
    kept = list((tmp_path / "work").rglob("*"))
    assert [path.name for path in kept if path.is_file()] == ["101001.fits.gz"]  # nothing half done lies about


def test_a_position_lists_what_is_near_and_fetches_in_turn(server, tmp_path, monkeypatch):
    monkeypatch.setattr("racnet_tools.apps.sources.spectrum_list._AHEAD", ())
    query = Query("lamost", "dr5", "10.5 +41.2", 60)
    spectra = open_archive(settings(tmp_path), query, **lamost(server))
    assert [spectra.label(i) for i in range(2)] == ["obsid 101001 STAR", "obsid 101002 Unknown"]
    assert not server.sent
    spectra.load(1)
    assert dict(server.sent) == {"101002": 1}
    assert spectra.address == {"open": "lamost", "release": "dr5", "object": "10.500000 +41.200000", "radius": "60"}


@pytest.mark.parametrize(
    ("plan", "words"), [(404, "does not know this spectrum"), ("login", "Login"), ("page", "page")]
)
def test_what_the_server_says_instead_is_told(server, tmp_path, plan, words):
    server.plan["7"] = [plan] * 5
    with pytest.raises(ReadError, match=words) as refused:
        open_archive(settings(tmp_path), Query("lamost", "dr5", "7"), **lamost(server))
    assert "Check the identifier" in str(refused.value)


def test_without_a_network_it_says_so(tmp_path):
    def nowhere(request):
        raise httpx.ConnectError("no route to host", request=request)

    connection = {"transport": httpx.MockTransport(nowhere)}
    with pytest.raises(ReadError, match="the connection broke"):
        open_archive(settings(tmp_path), Query("lamost", "dr5", "7"), **connection)
    with pytest.raises(RacnetError, match=r"cannot be reached.*Check the network"):
        open_archive(settings(tmp_path), Query("lamost", "dr5", "10 20"), **connection)


def test_a_server_that_fetches_nothing_says_so(tmp_path):
    with pytest.raises(RacnetError, match="fetches nothing from archives"):
        open_archive(settings(tmp_path, archives=False), Query("lamost", "dr5", "7"))


class Sparcl:
    """As sparclclient, with one object of SDSS."""

    all_datasets = ("SDSS-DR17",)

    def __init__(self):
        self.asked = []
        wave = 10 ** (3.58 + 1e-4 * np.arange(3827))
        rng = np.random.default_rng(1)
        self.record = {
            "sparcl_id": str(uuid.UUID(int=7)), "specid": -64446, "data_release": "SDSS-DR17", "spectype": "QSO",
            "redshift": 1.5, "redshift_err": 1e-4, "ra": 10.0, "dec": -5.0, "wavelength": wave,
            "flux": 1 + 0.1 * rng.standard_normal(len(wave)), "ivar": np.full(len(wave), 4.0),
            "mask": np.zeros(len(wave), int),
        }  # fmt: skip

    def find(self, *, outfields, constraints, limit):
        self.asked.append(constraints)
        return SimpleNamespace(records=[{name: self.record[name] for name in outfields}])

    def retrieve(self, *, uuid_list, include, dataset_list, limit):
        return SimpleNamespace(records=[{name: self.record[name] for name in include}])


@pytest.mark.parametrize("text", ["-64446", str(uuid.UUID(int=7)), "10.0 -5.0"])
def test_sdss_comes_through_sparcl(tmp_path, text):
    client = Sparcl()
    spectra = open_archive(settings(tmp_path), Query("sdss", "dr17", text), client=client)
    one = spectra.load(0)
    assert one.column("label") == ["QSO"]
    assert one.column("survey") == ["SDSS"]
    assert np.allclose(one.wave, client.record["wavelength"], rtol=1e-5)
    assert spectra.label(0) == "-64446 QSO z=1.5000"
    again = Sparcl()
    again.retrieve = None  # type: ignore[method-assign]
    assert len(open_archive(settings(tmp_path), Query("sdss", "dr17", text), client=again).load(0)) == 1


def test_a_box_is_cut_to_the_circle(tmp_path):
    with pytest.raises(RacnetError, match=r"nothing there\. Try a larger radius"):
        open_archive(settings(tmp_path), Query("sdss", "dr17", "10.0014 -5.0014", 5.5), client=Sparcl())


def test_without_sparclclient_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sparcl.client", None)
    with pytest.raises(RacnetError, match="sparclclient"):
        open_archive(settings(tmp_path), Query("desi", "dr1", "10 -5"))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("10.684 +41.269", (10.684, 41.269)),
        ("10.684,41.269", (10.684, 41.269)),
        ("00:42:44.3 +41:16:09", (10.684583, 41.269167)),
        ("00h42m44.3s -41d16m09s", (10.684583, -41.269167)),
        ("J004244.30-001609.0", (10.684583, -0.269167)),
        ("360.0 0", None),
        ("10 91", None),
        ("00:60:00 +00:00:00", None),
        ("101001", None),
        ("NaN 1", None),
        ("", None),
        ("10 20; rm -rf", None),
    ],
)
def test_positions(text, position):
    assert sky_position(text) == position


@pytest.mark.parametrize(
    ("archive_name", "release", "text", "radius"),
    [
        ("lamost", "dr5", "", 5), ("lamost", "dr5", "-5", 5), ("lamost", "dr5", "../x", 5),
        ("lamost", "dr5", str(uuid.UUID(int=7)), 5), ("lamost", "dr99", "1", 5), ("vizier", "dr5", "1", 5),
        ("lamost", "dr5", "1 2", 0), ("lamost", "dr5", "1 2", float("nan")), ("lamost", "dr5", "1 2", 1e9),
        ("desi", "dr1", "9" * 30, 5), ("desi", "../..", "9", 5), ("sdss", "dr17", "'; --", 5),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(archive_name, release, text, radius):
    with pytest.raises(RacnetError, match=r"Expected.*Received"):
        Query(archive_name, release, text, radius)


def test_addresses_that_are_none():
    for state in ({}, {"open": "lamost"}, {"open": "lamost", "object": "1 2", "radius": "wide"}):
        with pytest.raises(RacnetError, match="Expected"):
            Query.from_address(state)
    assert parse_object("sdss", "-5") == (None, "-5")
    assert archive.ARCHIVES["lamost"][0] == archive.LAMOST_RELEASE
