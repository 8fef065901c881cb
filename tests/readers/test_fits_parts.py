"""The FITS reader against astropy, and against headers that lie."""

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from racnet_tools.errors import ReadError
from racnet_tools.readers import read_file
from racnet_tools.readers.fits_parts import FitsParts, Header
from racnet_tools.readers.source import Source


def parts(data: bytes) -> FitsParts:
    return FitsParts(Source(Path("a.fits"), data, len(data)))


def written(*hdus) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    fits.HDUList(list(hdus)).writeto(buffer)
    return buffer.getvalue()


def edited(data: bytes, keyword: str, value: str, hdu_start: int = 0) -> bytes:
    at = data.index(keyword.ljust(8).encode() + b"= ", hdu_start)
    return data[:at] + f"{keyword:8s}= {value:>20s}".ljust(80).encode("latin-1") + data[at + 80 :]


@given(
    hnp.arrays(
        st.sampled_from(["u1", ">i2", ">i4", ">i8", ">f4", ">f8", ">u2", ">u4"]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=7),
    )
)
@settings(max_examples=60, deadline=None)
def test_images_equal_astropys(array):
    with np.errstate(all="ignore"):
        data = written(fits.PrimaryHDU(array))
        ours = parts(data).primary.image()
        assert ours.shape == array.shape
        assert np.array_equal(ours.astype(array.dtype), array, equal_nan=array.dtype.kind == "f")


@given(
    st.integers(1, 5).flatmap(
        lambda rows: st.tuples(
            hnp.arrays("f4", (rows, 3)),
            hnp.arrays("f8", rows),
            hnp.arrays("i8", rows),
            hnp.arrays("u4", rows),
            st.lists(
                st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=6), min_size=rows, max_size=rows
            ),
        )
    )
)
@settings(max_examples=40, deadline=None)
def test_table_columns_equal_those_written(columns):
    vectors, doubles, longs, unsigned, words = columns
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("vec", "3E", array=vectors),
            fits.Column("Name", "6A", array=words),
            fits.Column("dbl", "D", array=doubles),
            fits.Column("id", "K", array=longs),
            fits.Column("flag", "J", bzero=2**31, array=unsigned),
        ],
        name="things",
    )
    hdu = parts(written(fits.PrimaryHDU(), table)).hdu(1)
    assert hdu.name == "THINGS"
    assert np.array_equal(hdu.column("VEC"), vectors, equal_nan=True)
    assert np.array_equal(hdu.column("DBL")[:, 0], doubles, equal_nan=True)
    assert hdu.column("ID")[:, 0].tolist() == longs.tolist()
    assert hdu.column("FLAG")[:, 0].tolist() == unsigned.tolist()
    assert hdu.column("NAME").tolist() == [word.strip() for word in words]
    assert hdu.first("ID") == longs[0] and hdu.first("NOTHING") is None


def header(*cards: str) -> Header:
    return Header(b"".join(card.encode("latin-1").ljust(80) for card in cards))


def test_card_values():
    head = header(
        "A       =                  -12 / an integer",
        "B       = 1.5D-4",
        "C       = 'it''s / not a comment  '  / a comment",
        "D       =                    T",
        "E       = ''",
        "F       =                      / undefined",
        "G       = nonsense",
        "H       = '7       '",
        "A       = 99",
        "NOVALUE   12",
        "I       = 'never closed",
        "J       = .5",
        "K       = 1E999",
    )
    assert head.get("A") == -12 and isinstance(head.get("A"), int)
    assert head.get("B") == 1.5e-4
    assert head.get("C") == "it's / not a comment"
    assert head.get("D") is True
    assert head.get("E") == ""
    assert head.get("F", "default") == "default"
    assert head.get("G") is None
    assert head.number("H") == 7.0
    assert head.get("NOVALUE") is None
    assert head.text("I") == "never closed"
    assert head.get("J") == 0.5
    assert head.number("K") == np.inf
    assert head.number("D") is None
    assert "A" in head and "Z" not in head


def test_text_that_is_not_ascii_is_kept_and_control_characters_are_not():
    assert header("OBSERVER= 'Å. Ångström'").text("OBSERVER") == "Å. Ångström"
    assert header("OBSERVER= 'a\x07\x1b[31mb'").text("OBSERVER") == "a??[31mb"


def refusal(data: bytes) -> str:
    with pytest.raises(ReadError) as caught:
        for hdu in parts(data).hdus():
            hdu.image() if hdu.kind == "IMAGE" else [hdu.column(name) for name in hdu.columns]
    return caught.value.reason


IMAGE = written(fits.PrimaryHDU(np.ones((5, 40), np.float32)))
TABLE = written(
    fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("FLUX", "40E", array=np.ones((1, 40)))], name="COADD")
)


def test_not_fits():
    assert "does not begin with 'SIMPLE" in refusal(b"hello" * 1000)


@pytest.mark.parametrize(
    "keyword, value, words",
    [
        ("NAXIS1", "2500000000", "bytes of data in HDU 0"),
        ("NAXIS1", "-40", "not negative"),
        ("NAXIS1", "4.5", "a whole number for NAXIS1"),
        ("NAXIS1", "T", "a whole number for NAXIS1"),
        ("BITPIX", "7", "BITPIX of 8, 16"),
        ("NAXIS", "500", "NAXIS from 0 to 9"),
        ("NAXIS", "3", "a whole number for NAXIS3"),
    ],
)
def test_image_headers_that_lie(keyword, value, words):
    assert words in refusal(edited(IMAGE, keyword, value))


@pytest.mark.parametrize(
    "keyword, value, words",
    [
        ("NAXIS1", "2500000000", "rows of 160 bytes"),
        ("NAXIS2", "2500000000", "bytes of data in HDU 1 (COADD)"),
        ("PCOUNT", "-5", "PCOUNT >= 0"),
        ("TFIELDS", "5000", "TFIELDS from 0 to 999"),
        ("TFORM1", "'40Y     '", "a column format in TFORM1"),
        ("TFORM1", "'999999999E'", "rows of 3999999996 bytes"),
        ("TFORM1", "'20P     '", "numbers or text in column FLUX"),
    ],
)
def test_table_headers_that_lie(keyword, value, words):
    assert words in refusal(edited(TABLE, keyword, value, 2880))


def test_data_cut_short_says_how_much_is_there():
    assert "expected 800 bytes of data in HDU 0" in refusal(IMAGE[: 2880 + 300])
    assert "found 300" in refusal(IMAGE[: 2880 + 300])


def test_missing_padding_after_the_last_data_is_no_fault():
    assert parts(IMAGE[: 2880 + 800]).primary.image().shape == (5, 40)


def test_large_files_are_not_read_into_memory(tmp_path):
    """A file that really is as long as its header says, on disk mostly holes."""
    size = 3_000_000_000
    image = edited(IMAGE, "NAXIS1", str(size // 20))
    for name, data, words in [
        ("image", image, "150000000 x 5 pixels"),
        ("table", wide_table(size), "at most 512 MB of data in HDU 1 (COADD)"),
    ]:
        with (tmp_path / name).open("wb") as file:
            file.write(data)
            file.truncate(size + 20_000)
        with pytest.raises(ReadError) as caught:
            read_file(tmp_path / name)
        assert words in caught.value.reason


def wide_table(size: int) -> bytes:
    columns = [fits.Column(name, "40E", array=np.ones((1, 40))) for name in ("FLUX", "IVAR", "WAVELENGTH")]
    data = written(fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="COADD"))
    for i in (1, 2, 3):
        data = edited(data, f"TFORM{i}", f"'{size // 12}E'", 2880)
    return edited(data, "NAXIS1", str(size // 12 * 12), 2880)


def test_header_without_end():
    assert "an END card" in refusal(IMAGE.replace(b"END     ", b"COMMENT "))


def test_what_follows_the_last_extension_is_ignored():
    assert len(parts(TABLE + b"some trailer" * 300).hdus()) == 2
