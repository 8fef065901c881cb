import contextlib
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.errors import ReadError

HEADER = "obsid|designation|obsdate|lmjd|snru|snrg|class|subclass|z|z_err|ra|dec"
ROWS = [
    "101001|J0001|2011-10-24|55859|1.5|22.25|STAR|G5|0.0001|1e-05|1.0|2.0",
    "101002|J0002|2011-10-24|55859|0.5|-9999.0|Unknown|Non|-9999.0|-9999.0|3.0|-4.5",
]


def write(path, text, bom=True):
    data = (("\ufeff" if bom else "") + text).encode()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def rows_of(catalogue):
    return [
        dict(zip(piece, row, strict=True))
        for piece in catalogue
        for row in zip(*(column.to_pylist() for column in piece.values()), strict=True)
    ]


@pytest.mark.parametrize("name", ["c.csv", "c.csv.gz"])
@pytest.mark.parametrize("separator", ["|", ","])
@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_known_answer(tmp_path, name, separator, bom, end):
    text = end.join([HEADER, *ROWS, ""]).replace("|", separator)
    catalogue = read_catalogue(write(tmp_path / name, text, bom))
    assert rows_of(catalogue) == [
        {
            "obsid": "101001",
            "class": "STAR",
            "subclass": "G5",
            "z": "0.0001",
            "z_err": "1e-05",
            "snr_u": "1.5",
            "snr_g": "22.25",
            "ra": "1.0",
            "dec": "2.0",
        },
        {
            "obsid": "101002",
            "class": "Unknown",
            "subclass": "Non",
            "z": "-9999.0",
            "z_err": "-9999.0",
            "snr_u": "0.5",
            "snr_g": "-9999.0",
            "ra": "3.0",
            "dec": "-4.5",
        },
    ]
    assert (catalogue.n_rows, catalogue.n_bad) == (2, 0)
    assert len(rows_of(catalogue)) == 2  # once more from the start


@pytest.mark.parametrize(
    "header",
    [
        "combined_obsid|combined_class|combined_z",
        "catalogue_obsid|catalogue_class|catalogue_z",
        "ObsID|Class|z",
        '"obsid","class","z"',
    ],
)
def test_names_of_other_releases(tmp_path, header):
    separator = "|" if "|" in header else ","
    path = write(tmp_path / "c.csv", header + "\n" + separator.join(["7", "QSO", "1.5"]) + "\n")
    assert rows_of(read_catalogue(path)) == [{"obsid": "7", "class": "QSO", "z": "1.5"}]


def test_rows_with_other_columns_are_passed_over_and_counted(tmp_path):
    good = [f"{i}|STAR" for i in range(200)]
    path = write(tmp_path / "c.csv", "\n".join(["obsid|class", *good, "7|a|b", *good]) + "\n")
    catalogue = read_catalogue(path)
    assert len(rows_of(catalogue)) == 400
    assert catalogue.n_bad == 1


def test_too_many_of_them_are_refused(tmp_path):
    path = write(tmp_path / "c.csv", "obsid|class\n1|STAR\n2\n3|QSO\n")
    with pytest.raises(ReadError, match="1 of 3 rows"):
        rows_of(read_catalogue(path))


def test_a_quotation_mark_is_nothing_special_between_bars(tmp_path):
    path = write(tmp_path / "c.csv", 'obsid|tfrom|class\n1|"5 arcsec|STAR\n2|x"|QSO\n')
    assert [row["class"] for row in rows_of(read_catalogue(path))] == ["STAR", "QSO"]


@pytest.mark.parametrize("cut", [1, 9, 4000])
def test_a_catalogue_cut_short_is_refused(tmp_path, cut):
    text = "obsid|class\n" + "".join(f"{i * 7919 % 1000003}|STAR\n" for i in range(30000))
    path = write(tmp_path / "c.csv.gz", text)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ReadError, match=r"whole catalogue.*fetch it again"):
        rows_of(read_catalogue(path))


@pytest.mark.parametrize(
    "text",
    ["", "\n", "a|b\n1|2\n", "obsid,z\n1,2\n", "obsid|class|obsid\n", "<!DOCTYPE html><html>", "<?xml version='1.0'?>"],
)
def test_other_files_are_refused(tmp_path, text):
    with pytest.raises(ReadError):
        rows_of(read_catalogue(write(tmp_path / "c.csv", text)))


def test_no_file(tmp_path):
    with pytest.raises(ReadError):
        read_catalogue(tmp_path / "absent.csv")


def test_a_header_alone_is_an_empty_catalogue(tmp_path):
    assert rows_of(read_catalogue(write(tmp_path / "c.csv", "obsid|class\n"))) == []


word = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='|"'), max_size=12)
foreign = st.text(st.characters(exclude_characters='|\r\n"\x00', exclude_categories=("Cs",)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**12).map(str), word, foreign), min_size=1, max_size=30),
    packed=st.booleans(),
    bom=st.booleans(),
    order=st.permutations(["obsid", "class", "planid"]),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, rows, packed, bom, order):
    path = tmp_path_factory.mktemp("c") / ("c.csv.gz" if packed else "c.csv")
    table = [dict(zip(["obsid", "class", "planid"], row, strict=True)) for row in rows]
    text = "\n".join("|".join(line) for line in [order, *([row[name] for name in order] for row in table)]) + "\n"
    write(path, text, bom)
    got = rows_of(read_catalogue(path))
    assert got == [{"obsid": row["obsid"], "class": row["class"]} for row in table]


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=300), packed=st.booleans(), headed=st.booleans())
def test_whatever_comes_is_read_or_refused(tmp_path_factory, data, packed, headed):
    path = tmp_path_factory.mktemp("c") / "c.csv"
    data = b"obsid|class\n" + data if headed else data
    path.write_bytes(gzip.compress(data) if packed else data)
    with contextlib.suppress(ReadError):
        rows_of(read_catalogue(path))
