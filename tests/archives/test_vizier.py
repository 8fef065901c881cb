"""VizieR is stood in for by a document in the form of its answer (V/164), or by an object in the client's place."""

import sys

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from racnet_tools.archives import vizier
from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.archives.selection import choose
from racnet_tools.errors import RacnetError

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE ID="yCat_5164" name="V/164"><TABLE ID="V_164_dr5" name="V/164/dr5">
<FIELD name="ObsID" datatype="int" ucd="meta.id;meta.main"/>
<FIELD name="RAJ2000" datatype="double" unit="deg"/>
<FIELD name="DEJ2000" datatype="double" unit="deg"/>
<FIELD name="snrg" datatype="float"/>
<FIELD name="Class" datatype="char" arraysize="8*"/>
<FIELD name="SubClass" datatype="char" arraysize="16*"/>
<FIELD name="z" datatype="double"/>
<FIELD name="e_z" datatype="float"/>
<DATA><TABLEDATA>
<TR><TD>101001</TD><TD>332.2</TD><TD>-2.06</TD><TD>4.9</TD><TD>STAR</TD><TD>K1</TD><TD>0.0001</TD><TD></TD></TR>
<TR><TD>101002</TD><TD>332.3</TD><TD>-2.07</TD><TD></TD><TD>Unknown</TD><TD>Non</TD><TD></TD><TD></TD></TR>
</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>
"""


@pytest.fixture
def server(monkeypatch):
    """astroquery itself, with its requests answered by that document."""
    from astroquery.vizier import VizierClass

    sent = []

    def answer(self, method, url, data=None, params=None, **kwargs):
        sent.append(data or params)
        content = ANSWER.encode()
        return type("Response", (), {"content": content, "text": ANSWER, "status_code": 200, "url": url})()

    monkeypatch.setattr(VizierClass, "_request", answer)
    return sent


def test_astroquery_asks_and_we_understand(server):
    table = vizier.query_catalogue("dr5", "UNKNOWN", max_rows=50)
    assert list(table["obsid"]) == ["101002"]  # the document has another class too
    assert list(table["class"]) == ["Unknown"]
    assert table["z_err"].mask.all()
    asked = str(server[0])
    assert "V/164/dr5" in asked
    assert "Class" in asked
    assert "Unknown" in asked
    assert "50" in asked


def test_near_a_position(server):
    assert len(vizier.query_catalogue("dr7", position=(332.2, -2.06), radius=0.5)) == 2
    asked = str(server[0])
    assert "V/156/dr7lrs" in asked
    assert "332.2" in asked


def test_saved_rows_are_a_catalogue(server, tmp_path):
    path = tmp_path / "c.csv"
    vizier.save_catalogue(vizier.query_catalogue(), path)
    chosen = choose(read_catalogue(path), "dataset1")
    assert chosen.counts() == {"STAR": 1, "GALAXY": 0, "QSO": 0, "UNKNOWN": 1}
    star = next(row for row in chosen.rows if row["label"] == "STAR")
    assert (star["subclass"], star["z"], star["z_err"], star["snr_g"]) == ("K1", "0.0001", "", "4.9")
    with pytest.raises(RacnetError, match="exists already"):
        vizier.save_catalogue(vizier.query_catalogue(), path)


def test_bars_in_values_do_not_shift_columns(tmp_path):
    vizier.save_catalogue(Table({"obsid": ["1", "2"], "class": ["a|b", "c\nd"]}), tmp_path / "c.csv")
    pieces = list(read_catalogue(tmp_path / "c.csv"))
    assert pieces[0]["class"].to_pylist() == ["a/b", "c d"]


class Fake:
    def __init__(self, answer):
        self.answer = answer

    def query_constraints(self, **filters):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_nothing_found():
    table = vizier.query_catalogue(vizier=Fake([]))
    assert len(table) == 0
    assert "obsid" in table.colnames


def test_another_table_is_refused():
    with pytest.raises(RacnetError, match="Expected the columns ObsID and Class"):
        vizier.query_catalogue(vizier=Fake([Table({"a": MaskedColumn(np.arange(3))})]))


def test_a_server_in_trouble():
    with pytest.raises(RacnetError, match=r"VizieR does not answer as it should .TimeoutError"):
        vizier.query_catalogue(vizier=Fake(TimeoutError("slow")))


@pytest.mark.parametrize(("release", "label"), [("dr9", None), ("dr5", "star"), ("dr5", "Unknown")])
def test_what_vizier_does_not_have(release, label):
    with pytest.raises(RacnetError, match="Expected a"):
        vizier.query_catalogue(release, label)


def test_a_missing_astroquery_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "astroquery.vizier", None)
    with pytest.raises(RacnetError, match=r"pip install 'racnet-tools\[survey\]'"):
        vizier.query_catalogue()
