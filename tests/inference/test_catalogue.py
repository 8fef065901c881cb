import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from racnet_tools.errors import RacnetError
from racnet_tools.inference import catalogue
from racnet_tools.inference.catalogue import FORMATS, rows_to_catalogue, write_catalogue, write_errors
from racnet_tools.inference.classifier import Column, printable

COLUMNS = (
    Column("spec_id", str, "identifier"),
    Column("path", str, "file"),
    Column("p", float, "probability"),
    Column("subclass", str, "type"),
    Column("rejected", bool, "rejected"),
    Column("z", float, "redshift"),
)
ROWS = [
    ["001234567890123456789", '/data/a b,"c".fits', 0.123457, "G", False, -0.001],
    ["s2", "/data/é/λ.fits", 1.0, None, True, None],
    ["=1+1", "-x.fits", 1e-6, "K", False, 1234.5],
    ["s4 <&>", "@y.fits", 0.5, None, True, 0.1 + 0.2],
    ["s5", "z.fits", 0.0, "M", False, None],
]
META = {"racnet": "0.1.0", "preset racnet-class": "ab" * 32}


def read_back(path):
    """The rows as a program of the format's own reads them, None where missing."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        return [list(row.values()) for row in table.to_pylist()], {
            k.decode(): v.decode() for k, v in table.schema.metadata.items()
        }
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert header == [c.name for c in COLUMNS]
        kinds = {str: str, float: float, bool: {"True": True, "False": False}.get}
        return [[kinds[c.kind](v) if v else None for c, v in zip(COLUMNS, row, strict=True)] for row in rows], {}
    table = Table.read(path, format={".ecsv": "ascii.ecsv", ".vot": "votable", ".fits": "fits"}[path.suffix])
    rows = [[None if v is np.ma.masked or str(v) == "" else v for v in row] for row in table]
    return rows, dict(table.meta)


@pytest.mark.parametrize("extension", FORMATS)
def test_round_trip(tmp_path, extension, monkeypatch):
    monkeypatch.setattr(catalogue, "_BLOCK", 2)  # several blocks, the last not full
    path = tmp_path / f"c{extension}"
    write_catalogue(path, lambda: iter(ROWS), COLUMNS, META)
    rows, meta = read_back(path)
    expected = [list(row) for row in ROWS]
    if extension == ".fits":
        expected[1][1] = r"/data/\xe9/\u03bb.fits"
    if extension == ".csv":
        expected[2][0], expected[2][1], expected[3][1] = "'=1+1", "'-x.fits", "'@y.fits"
    assert rows == expected
    if extension != ".csv":
        assert "0.1.0" in str(meta)
        assert "ab" * 32 in ("".join(meta["HISTORY"]) if extension == ".fits" else str(meta))


@pytest.mark.parametrize("extension", FORMATS)
def test_a_catalogue_without_rows_keeps_its_columns(tmp_path, extension):
    path = tmp_path / f"c{extension}"
    write_catalogue(path, lambda: iter([]), COLUMNS, META)
    assert read_back(path)[0] == []


@pytest.mark.parametrize("extension", FORMATS)
def test_equal_rows_give_equal_bytes_and_blocks_do_not_show(tmp_path, extension, monkeypatch):
    for name, block in (("a", 4096), ("b", 4096), ("c", 2)):
        monkeypatch.setattr(catalogue, "_BLOCK", block)
        write_catalogue(tmp_path / f"{name}{extension}", lambda: iter(ROWS), COLUMNS, META)
    a, b, c = ((tmp_path / f"{name}{extension}").read_bytes() for name in "abc")
    assert a == b
    if extension != ".parquet":  # a block is a row group there
        assert a == c


def test_fits_is_valid_and_typed(tmp_path):
    write_catalogue(tmp_path / "c.fits", lambda: iter(ROWS), COLUMNS, META)
    with fits.open(tmp_path / "c.fits", checksum=True) as hdus:
        hdus.verify("exception")
        assert hdus["CATALOGUE"].columns.formats == ["21A", "22A", "D", "1A", "L", "D"]
    assert (tmp_path / "c.fits").stat().st_size % 2880 == 0


def test_text_stays_text_where_the_format_knows_types(tmp_path):
    for extension in (".ecsv", ".fits", ".vot", ".parquet"):
        write_catalogue(tmp_path / f"c{extension}", lambda: iter(ROWS[:1]), COLUMNS)
        assert read_back(tmp_path / f"c{extension}")[0][0][0] == "001234567890123456789"


def test_the_table_masks_what_is_missing():
    table = rows_to_catalogue(ROWS, COLUMNS, META)
    assert table["subclass"].mask.tolist() == [False, True, False, True, False]
    assert table["rejected"].dtype == bool
    assert table.meta == META


def test_writers_refuse_what_exists_and_formats_they_do_not_know(tmp_path):
    path = tmp_path / "c.csv"
    write_catalogue(path, lambda: iter(ROWS), COLUMNS)
    before = path.read_bytes()
    with pytest.raises(RacnetError, match="exists already"):
        write_catalogue(path, lambda: iter([]), COLUMNS)
    assert path.read_bytes() == before
    with pytest.raises(RacnetError, match=r"expected \.csv, \.ecsv, \.fits, \.vot, \.parquet\. Received: 'c\.xlsx'"):
        write_catalogue("c.xlsx", lambda: iter([]), COLUMNS)


def test_errors_table_cannot_carry_formulas(tmp_path):
    write_errors(tmp_path / "e.csv", [("=cmd|'/c calc'!A1", "empty"), ("b, c", "found 'x'")])
    with (tmp_path / "e.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["path", "reason"], ["'=cmd|'/c calc'!A1", "empty"], ["b, c", "found 'x'"]]


def test_printable_shows_what_formats_cannot_hold():
    assert printable("a\tb\udc80é") == "a\\tb\\udc80é"
