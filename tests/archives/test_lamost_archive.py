import gzip
import json

import httpx
import pytest
from lamost_server import CONE, Server

from racnet_tools.archives.addresses import LamostAddresses
from racnet_tools.archives.lamost import Lamost, cache_folder
from racnet_tools.archives.large_file import fetch_large
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.votable import read_votable
from racnet_tools.errors import RacnetError


@pytest.fixture
def lamost(server):
    with Lamost(LamostAddresses("dr5", server=server.url)) as archive:
        yield archive


@pytest.mark.parametrize(
    ("release", "style", "spectrum", "catalogue"),
    [
        (
            "dr5",
            "openapi",
            "https://www.lamost.org/openapi/dr5/v3/lrs/spectrum/fits?obsid=101001",
            "https://www.lamost.org/openapi/dr5/v3/catalog?name=dr5_v3.csv.gz",
        ),
        (
            "DR5/v3",
            "pages",
            "https://dr5.lamost.org/v3/spectrum/fits/101001",
            "https://dr5.lamost.org/v3/catdl?name=dr5_v3.csv.gz",
        ),
        (
            "dr10/v2.0",
            "pages",
            "https://www.lamost.org/dr10/v2.0/spectrum/fits/101001",
            "https://www.lamost.org/dr10/v2.0/catdl?name=dr10_v2.0_LRS_catalogue.csv.gz",
        ),
        (
            "dr7",
            "openapi",
            "https://www.lamost.org/openapi/dr7/v2.0/lrs/spectrum/fits?obsid=101001",
            "https://www.lamost.org/openapi/dr7/v2.0/catalog?name=dr7_v2.0_LRS_catalogue.csv.gz",
        ),
    ],
)
def test_addresses(release, style, spectrum, catalogue):
    addresses = LamostAddresses(release, style)
    assert (addresses.spectrum(101001), addresses.catalogue) == (spectrum, catalogue)
    assert addresses.registry == "https://www.lamost.org/openapi/dr_versions"


@pytest.mark.parametrize("release", ["", "5", "dr", "dr5v3", "dr99", "dr5/3", "dr5/../x", "dr5/v3/x"])
def test_what_is_no_release(release):
    with pytest.raises(RacnetError, match=r"release|version"):
        LamostAddresses(release)


@pytest.mark.parametrize("server", ["", "mirror", "ftp://a", "https://", "https://user:pw@a", "https://a?b=c"])
def test_what_is_no_server(server):
    with pytest.raises(RacnetError, match="Expected a server"):
        LamostAddresses(server=server)


def test_an_obsid_cannot_change_the_address():
    assert LamostAddresses().spectrum("1&token=x").endswith("obsid=1%26token%3Dx")


def test_releases_are_the_servers(lamost):
    assert [(one.name, one.version, one.public) for one in lamost.releases()] == [
        ("dr5", "v3", True),
        ("dr12", "v1.0", False),
    ]


@pytest.mark.parametrize("answer", [[], {"versions": [{}]}, {"versions": 3}, {"error": "denied"}])
def test_another_answer_is_refused(server, lamost, answer):
    server.registry = answer
    with pytest.raises(RacnetError, match="Expected a list of releases"):
        lamost.releases()


def test_cone_search(server, lamost):
    table = lamost.cone_search(10.5, 41.0, 0.1)
    assert table.colnames == ["obsid", "obsdate", "planid", "ra", "class"]
    assert list(table["obsid"]) == ["101001", "101002"]
    assert list(table["obsdate"]) == ["2011-10-24"] * 2
    assert table["ra"].unit == "deg"
    assert "ra=10.5000000&dec=41.0000000&sr=0.1000000" in server.seen[-1][0]
    with pytest.raises(RacnetError, match="Expected ra"):
        lamost.cone_search(400, 0, 1)


@pytest.mark.parametrize(
    "text",
    [
        CONE,
        CONE.replace('datatype="date"', 'datatype="date" arraysize="10"'),
        CONE.replace('datatype="date"', "arraysize='*' datatype = 'date' width=\"10\""),
        CONE.replace('datatype="date"', 'datatype="datetime"'),
        CONE.replace('datatype="date"', 'datatype="char" arraysize="*"'),
        CONE.replace("catalogue_", ""),
        "\ufeff" + CONE,
    ],
)
def test_dates_are_text(text):
    table = read_votable(text.encode())
    assert list(table["obsdate"]) == ["2011-10-24"] * 2
    assert list(table["obsid"]) == ["101001", "101002"]


def test_the_trap_is_real():
    """astropy still refuses the server's own document: when it no longer does, `read_votable` can be simpler."""
    from io import BytesIO

    from astropy.io import votable

    with pytest.raises(Exception, match="E06"):
        votable.parse(BytesIO(CONE.encode()), verify="exception")


@pytest.mark.parametrize("data", [b"", b"<html>", b"obsid,ra\n1,2", CONE[:600].encode(), b"<VOTABLE></VOTABLE>"])
def test_what_is_no_votable(data):
    with pytest.raises(RacnetError, match="VOTable"):
        read_votable(data)


def test_a_server_that_cannot_be_reached():
    with Lamost(LamostAddresses(server="http://127.0.0.1:9")) as lamost, pytest.raises(RacnetError, match="cannot be"):
        lamost.releases()


# -- large files

CATALOGUE = gzip.compress(("obsid|class\n" + "".join(f"{i * 7919 % 999983}|STAR\n" for i in range(60000))).encode())


def large(server, path, **options):
    with Lamost(LamostAddresses("dr5", server=server.url)) as lamost:
        return fetch_large(lamost.addresses.catalogue, path, lamost.client, pace=Pace(1000, 0.01), **options)


@pytest.fixture
def catalogue_server(bodies):
    with Server(bodies, {"dr5_v3.csv.gz": CATALOGUE}) as running:
        yield running


def test_the_catalogue_is_fetched_once_and_kept(catalogue_server):
    with Lamost(LamostAddresses("dr5", server=catalogue_server.url)) as lamost:
        seen = []
        path = lamost.catalogue(progress=lambda there, total: seen.append((there, total)))
        assert path.parent == cache_folder()
        assert path.read_bytes() == CATALOGUE
        assert seen[-1] == (len(CATALOGUE), len(CATALOGUE))
        assert lamost.catalogue() == path
    assert len(catalogue_server.seen) == 1
    assert [p.name for p in path.parent.iterdir()] == ["dr5_v3.csv.gz"]


def test_a_cut_catalogue_goes_on_where_it_was_cut(catalogue_server, tmp_path):
    catalogue_server.cuts = [50_000, 0, 70_000, 1]
    assert large(catalogue_server, tmp_path / "c.csv.gz").read_bytes() == CATALOGUE
    assert catalogue_server.catalogue_bytes == len(CATALOGUE)
    ranges = [headers.get("Range") for _, headers in catalogue_server.seen]
    assert ranges[0] is None
    assert len(ranges) == 5


def test_a_later_run_goes_on_too(catalogue_server, tmp_path):
    catalogue_server.cuts = [40_000] + [0] * 20
    with pytest.raises(RacnetError, match="What came is kept"):
        large(catalogue_server, tmp_path / "c.csv.gz", attempts=3)
    assert not (tmp_path / "c.csv.gz").exists()
    catalogue_server.cuts = []
    assert large(catalogue_server, tmp_path / "c.csv.gz").read_bytes() == CATALOGUE
    assert catalogue_server.catalogue_bytes == len(CATALOGUE)
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == ["c.csv.gz"]


def test_a_new_version_starts_afresh(catalogue_server, tmp_path):
    catalogue_server.cuts = [40_000] + [0] * 20
    with pytest.raises(RacnetError):
        large(catalogue_server, tmp_path / "c.csv.gz", attempts=2)
    catalogue_server.cuts, catalogue_server.etag = [], '"v2"'
    other = gzip.compress(b"obsid|class\n1|QSO\n")
    catalogue_server.catalogues["dr5_v3.csv.gz"] = other
    assert large(catalogue_server, tmp_path / "c.csv.gz").read_bytes() == other


def test_damage_is_noticed(catalogue_server, tmp_path):
    catalogue_server.catalogues["dr5_v3.csv.gz"] = CATALOGUE[:-20]
    with pytest.raises(RacnetError, match="not whole gzip"):
        large(catalogue_server, tmp_path / "c.csv.gz", attempts=2)
    assert not (tmp_path / "c.csv.gz").exists()


def test_no_such_catalogue(server, tmp_path):
    with pytest.raises(RacnetError, match=r"cannot be had from 127.0.0.1.*404"):
        large(server, tmp_path / "c.csv.gz")
    assert len(server.seen) == 1


def test_a_page_is_no_catalogue(tmp_path):
    transport = httpx.MockTransport(lambda request: httpx.Response(200, html="<html>Log in</html>"))
    with Lamost(transport=transport) as lamost, pytest.raises(RacnetError, match="a web page instead"):
        lamost.catalogue(tmp_path)


def test_the_registrys_recorded_form():
    answer = json.dumps({"versions": [{"dr_version": "dr10", "sub_version": "v2.0", "public_status": "public"}]})
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=answer))
    with Lamost(transport=transport) as lamost:
        assert lamost.releases()[0].name == "dr10"
