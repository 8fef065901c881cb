"""Inspections as files: any comment in any script comes back from every format; formulas stay text."""

import csv
import gzip
import io
import re

import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from racnet_tools.apps.inspection.export import (
    FORMATS,
    decode,
    encode,
    read_inspections,
    to_table,
    write_table,
)
from racnet_tools.apps.inspection.record import FLAGS, Inspection, clean_text
from racnet_tools.errors import RacnetError

TIME = "2026-11-23T13:05:09.123Z"
HARD = [
    "", "=1+1", "'=1", "-5", "+a", "@x", "＝1", "a,b;c", '"', "''", "a\n#b", "#x", "a\n\nb\t c", "\\n", "\\u0041", "--",
    "nan", "None", "N/A", "0", "1e5", "True", "<b>&amp;]]>", "العربية שלום", "𝄞🙂👩‍👩‍👧", "多い", "a\u00a0b", "\ufeffx",
    "\x7f y", "%s",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(HARD),
    st.text(max_size=60),
    st.text(alphabet="=+-@'\",;#\\\n\t \r|<&>%{}uU0nN", max_size=12),
)
records = st.builds(
    Inspection,
    key=texts.filter(lambda text: clean_text(text) != ""),
    inspector=st.sampled_from(["Anna", "-Ben", "李", "=O'Hara", "0"]),
    time=st.just(TIME),
    quality=st.none() | st.integers(0, 4),
    label=st.sampled_from(["", "STAR", "QSO", "=A", "M"]),
    z=st.none() | st.floats(-0.99, 99.0),
    flags=st.lists(st.sampled_from(list(FLAGS))).map(tuple),
    comment=texts,
    network=st.sampled_from(["", "GALAXY"]),
)


def record(**values) -> Inspection:
    return Inspection(**{"key": "spec-1", "inspector": "Anna", "time": TIME, **values})


@pytest.mark.parametrize("ending", FORMATS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(records, max_size=4))
@example(rows=[record(comment=text, key=text or "k") for text in HARD])
@example(rows=[])
@example(rows=[record(comment="x\n" * 25_000)])
def test_every_inspection_comes_back(ending, rows):
    assert read_inspections(f"x{ending}", write_table(to_table(rows), ending)) == rows


@settings(deadline=None)
@given(st.text())
def test_ascii_for_any_text(text):
    assert encode(text).isascii()
    assert decode(encode(text)) == text


def test_no_cell_of_a_csv_begins_a_formula():
    rows = [record(comment=text, key=f"k{i}", label="=A") for i, text in enumerate(HARD)]
    rows.append(record(z=-0.001))
    table = list(csv.DictReader(io.StringIO(write_table(to_table(rows), ".csv").decode(), newline="")))
    assert table[-1]["z"] == "-0.001"  # a number stays one
    assert not [cell for row in table for name, cell in row.items() if name != "z" and cell[:1] in tuple("=+-@＝")]


def test_astropy_alone_reads_the_files_and_finds_out_what_columns_mean(tmp_path):
    rows = [record(quality=3, z=0.5, comment="多\nx"), record(key="b")]
    data = write_table(to_table(rows), ".fits")
    (tmp_path / "x.fits").write_bytes(data)
    with fits.open(tmp_path / "x.fits") as opened:
        assert opened[1].header["TEXTCODE"] == "backslash"
        assert "hexadecimal digits" in str(opened[1].header["COMMENT"])
    table = Table.read(tmp_path / "x.fits")
    assert list(table["comment"].filled("")) == ["\\u591a\\nx", ""]
    assert table["quality"].mask.tolist() == [False, True]
    (tmp_path / "x.ecsv").write_bytes(write_table(to_table(rows), ".ecsv"))
    table = Table.read(tmp_path / "x.ecsv")
    assert table["comment"][0] == "多\\nx"
    assert "4 certain" in table["quality"].description
    (tmp_path / "x.vot").write_bytes(write_table(to_table(rows), ".vot"))
    assert "4 certain" in Table.read(tmp_path / "x.vot", format="votable")["quality"].description


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.txt", b"", "ending in"),
        ("x.csv", b"", "exports it"),
        ("x.csv", b"\xff\xfe", "exports it"),
        ("x.csv", b"a,b\n1,2\n", "columns key, inspector and time"),
        ("x.csv", b"a,b\n1\n", "not every row"),
        ("x.csv", b"key,inspector,time,quality\na,b,2026-11-23T13:05:09Z,9\n", "Row 1: Expected a quality"),
        ("x.csv", b"key,inspector,time,quality\na,b,2026-11-23T13:05:09Z,x\n", "Expected numbers"),
        ("x.fits", b"SIMPLE", "exports it"),
        ("x.vot", b"<x>", "exports it"),
        ("x.ecsv", b"# %ECSV 1.0", "exports it"),
    ],
)
def test_what_is_no_export_is_refused_in_words(name, data, said):
    with pytest.raises(RacnetError, match=said):
        read_inspections(name, data)


_VOTABLE = """<?xml version="1.0" encoding="utf-8"?><VOTABLE version="1.4"><RESOURCE><TABLE>
<FIELD name="key" datatype="char" arraysize="7"/><FIELD name="inspector" datatype="char" arraysize="7"/>
<FIELD name="time" datatype="char" arraysize="7"/><DATA>{}</DATA></TABLE></RESOURCE></VOTABLE>"""


@pytest.mark.parametrize(
    "wrap",
    [
        '<BINARY><STREAM href="{}"/></BINARY>',
        '<v:BINARY2 ><v:STREAM href="{}"/></v:BINARY2>',
        '<FITS extnum="1"><STREAM href="{}"/></FITS>',
    ],
)
def test_a_votable_reads_no_file_of_the_server(tmp_path, wrap):
    (tmp_path / "x").write_text("SECRET-SECRET-SECRET-")
    xml = _VOTABLE.format(wrap.format((tmp_path / "x").as_uri()))
    declared = xml.replace("utf-8", "utf-16").encode("utf-16")
    for data in (xml.encode(), declared, declared[2:], gzip.compress(xml.encode())):
        with pytest.raises(RacnetError, match="exports it") as refused:
            read_inspections("x.vot", data)
        assert "SECRET" not in str(refused.value)
    entity = (
        f'<?xml version="1.0"?><!DOCTYPE v [<!ENTITY e SYSTEM "{(tmp_path / "x").as_uri()}">]><VOTABLE>&e;</VOTABLE>'
    )
    with pytest.raises(RacnetError, match=re.escape("<!")):
        read_inspections("x.vot", entity.encode())


def test_an_ecsv_is_never_taken_for_the_name_of_a_file_or_an_address(tmp_path):
    path = tmp_path / "kept.ecsv"
    path.write_bytes(write_table(to_table([record()]), ".ecsv"))
    for text in (str(path), path.as_uri(), "# %ECSV 1.0", f"# %ECSV 1.0\\n{path}"):
        with pytest.raises(RacnetError, match="exports it"):
            read_inspections("x.ecsv", text.encode())


def test_a_votable_is_not_written_by_what_writes_past_its_memory(monkeypatch):
    def corrupting(*_):
        raise AssertionError("astropy's writer in C, see its issue 20419")

    monkeypatch.setattr("astropy.io.votable.tablewriter.write_tabledata", corrupting)
    assert b"broad" in write_table(to_table([record(comment="broad")]), ".vot")


@pytest.mark.parametrize("ending", FORMATS)
def test_nothing_is_unpacked(ending):
    packed = gzip.compress(write_table(to_table([record()]), ending))
    with pytest.raises(RacnetError, match="exports it"):
        read_inspections(f"x{ending}", packed)


def test_a_column_too_wide_for_fits_is_told(monkeypatch):
    monkeypatch.setattr("racnet_tools.apps.inspection.export._WIDEST", 1000)
    table = to_table([record(comment="x" * 600), record()])
    with pytest.raises(RacnetError, match="Take CSV"):
        write_table(table, ".fits")
    with pytest.raises(RacnetError, match=r"among \.csv"):
        write_table(table, ".xls")
