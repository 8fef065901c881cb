import pytest
from lamost_server import CONE

from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.catalogue import open_file_or_catalogue
from racnet_tools.archives.votable import read_votable
from racnet_tools.errors import RacnetError
from racnet_tools.votables import refuse_elsewhere

STREAM = """<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE><TABLE>
<FIELD name="path" datatype="char" arraysize="7"/><DATA><BINARY>{}</BINARY></DATA></TABLE></RESOURCE></VOTABLE>"""
ROWS = [
    '<STREAM href="{}"/>',
    '<v:STREAM encoding="none"\n HREF = "{}"/>',
    '<STREAM\thref="{}"></STREAM>',
]


def hostile(address):
    yield from (STREAM.format(row.format(address)).encode() for row in ROWS)
    plain = STREAM.format(ROWS[0].format(address))
    for coding in ("utf-16", "utf-16-le", "utf-32", "cp037"):
        yield plain.replace("1.0", f'1.0" encoding="{coding}', 1).encode(coding)
    yield f'<!DOCTYPE v [<!ENTITY e SYSTEM "{address}">]><VOTABLE>&e;</VOTABLE>'.encode()
    yield CONE.replace("UTF-8", "cp037").encode()


def test_rows_that_stand_elsewhere_are_refused_before_they_are_fetched(tmp_path):
    (tmp_path / "secret").write_text("SECRET-")
    for i, data in enumerate(hostile((tmp_path / "secret").as_uri())):
        with pytest.raises(RacnetError, match="VOTable") as refused:
            read_votable(data)
        assert "SECRET" not in str(refused.value)
        name = f"list{i}.vot"
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RacnetError) as refused:
            open_file_or_catalogue(Settings(spectra=tmp_path), name)
        assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        CONE,
        CONE.replace("<DATA>", "<!-- a note with STREAM href --><DATA>"),
        CONE.replace("F5902", "<![CDATA[F<5902]]>", 1),
        '<VOTABLE><STREAM encoding="base64">AAAA</STREAM></VOTABLE>',
        CONE.replace("UTF-8", "ISO-8859-1"),
    ],
)
def test_rows_that_stand_in_the_document_are_taken(text):
    refuse_elsewhere(text.encode())
