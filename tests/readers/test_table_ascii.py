"""Spectra as text."""

import gzip

import numpy as np
import pytest
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from survey_files import LINE, line_position, text_table

from racnet_tools.errors import ReadError
from racnet_tools.readers import identify, read_file
from racnet_tools.spectra import vacuum_to_air

WAVE = np.linspace(4000, 5000, 300)
FLUX = np.linspace(1, 2, 300)


def write(path, header, *columns, delimiter=" "):
    lines = [delimiter.join(repr(float(v)) for v in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([header, *lines] if header else lines), encoding="utf-8")
    return path


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path)
    return caught.value.reason


@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ";", "|", ", ", "   "])
@pytest.mark.parametrize("names", [False, True])
def test_delimiters(tmp_path, delimiter, names):
    header = delimiter.join(["wave", "flux", "ivar"]) if names else ""
    path = text_table(tmp_path / "x.txt", delimiter, header)
    spectra = read_file(path)
    assert identify(path) == "table_ascii"
    assert spectra.flux.shape == (1, 400) and spectra.wave[0] == 6400.0
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.2
    assert (spectra.ivar == 1).all() and not spectra.mask.any()


def test_two_columns_without_ivar(tmp_path):
    spectra = read_file(write(tmp_path / "x.dat", "", WAVE, FLUX))
    assert spectra.meta["ivar"] == "not given" and (spectra.ivar == 1).all()


@pytest.mark.parametrize("name, expected", [("ivar", 4.0), ("error", 1 / 16), ("sigma", 1 / 16), ("flux_err", 1 / 16)])
def test_third_column_by_name(tmp_path, name, expected):
    spectra = read_file(
        write(tmp_path / "x.csv", f"Wavelength,Flux,{name}", WAVE, FLUX, np.full(300, 4.0), delimiter=",")
    )
    assert np.allclose(spectra.ivar, expected) and "ivar" not in spectra.meta


def test_third_column_without_names_is_an_error(tmp_path):
    assert np.allclose(read_file(write(tmp_path / "x.dat", "", WAVE, FLUX, np.full(300, 4.0))).ivar, 1 / 16)


def test_columns_in_another_order_and_others_between(tmp_path):
    path = write(tmp_path / "x.csv", "model,FLUX,Wave", FLUX * 9, FLUX, WAVE, delimiter=",")
    assert np.allclose(read_file(path).flux, FLUX) and np.allclose(read_file(path).wave, WAVE)


def test_names_in_a_comment(tmp_path):
    path = write(tmp_path / "x.dat", "# flux wave", FLUX, WAVE)
    assert np.allclose(read_file(path).wave, WAVE)


def test_air_wavelengths_become_vacuum(tmp_path):
    path = write(tmp_path / "x.dat", "wave_air flux", vacuum_to_air(WAVE), FLUX)
    assert np.abs(read_file(path).wave - WAVE).max() < 1e-6


def test_logarithms(tmp_path):
    assert np.allclose(read_file(write(tmp_path / "x.dat", "loglam flux", np.log10(WAVE), FLUX)).wave, WAVE)


@pytest.mark.parametrize("header", ["wavelength[nm],flux", "wavelength (nm),flux"])
def test_unit_in_the_name(tmp_path, header):
    assert np.allclose(read_file(write(tmp_path / "x.csv", header, WAVE / 10, FLUX, delimiter=",")).wave, WAVE)


@pytest.mark.parametrize("unit, factor", [("Angstrom", 1.0), ("nm", 10.0), ("um", 1e4)])
@pytest.mark.parametrize("delimiter", [" ", ","])
def test_ecsv_that_astropy_wrote(tmp_path, unit, factor, delimiter):
    table = Table({"wave": WAVE / factor, "flux": FLUX, "error": np.full(300, 0.5)}, units={"wave": unit})
    table.meta["comments"] = ["a note: 1 2 3"]
    table.write(tmp_path / "x.ecsv", format="ascii.ecsv", delimiter=delimiter)
    spectra = read_file(tmp_path / "x.ecsv")
    assert np.allclose(spectra.wave, WAVE) and np.allclose(spectra.flux, FLUX) and np.allclose(spectra.ivar, 4)


def test_missing_values_mask_the_pixel(tmp_path):
    lines = ["wave,flux,ivar", *(f"{w},{f},1" for w, f in zip(WAVE, FLUX, strict=True))]
    lines[5], lines[9] = f"{WAVE[4]},,1", f"{WAVE[8]},nan,1"
    (tmp_path / "x.csv").write_text("\n".join(lines))
    assert np.flatnonzero(read_file(tmp_path / "x.csv").mask[0]).tolist() == [4, 8]


def test_falling_wavelengths_are_turned(tmp_path):
    spectra = read_file(write(tmp_path / "x.dat", "", WAVE[::-1], FLUX[::-1]))
    assert np.allclose(spectra.wave, WAVE) and np.allclose(spectra.flux, FLUX)


def test_the_row_of_the_table(tmp_path):
    path = write(tmp_path / "my star.csv", "wave,flux", WAVE, FLUX, delimiter=",")
    row = read_file(path).table[0]
    assert (row["spec_id"], row["survey"], row["path"]) == ("my star", "ASCII", str(path))
    assert row["label"] is np.ma.masked
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert read_file(tmp_path / "b.csv.gz").table["spec_id"][0] == "b"


@pytest.mark.parametrize(
    "text, words",
    [
        ("hello\nworld\n" * 100, "text without columns of numbers"),
        ("wave flux\n1 2\n", "at least 100 lines of numbers; found 1"),
        ("a,b\n" + "4000,1\n" * 200, "columns a, b"),
        ("wave,flux\n" + "4000,1\n" * 200, "only rise, or only fall"),
        ("<!DOCTYPE html><html>not found</html>", "a web page"),
        ("\x00\x01binary" * 50, "binary data"),
        ("wave[keV],flux\n" + "".join(f"{4000 + i},1\n" for i in range(200)), "the unit 'kev'"),
    ],
)
def test_refusals(tmp_path, text, words):
    (tmp_path / "x.txt").write_text(text)
    assert words in reason(tmp_path / "x.txt")


def test_line_with_another_number_of_fields_is_named(tmp_path):
    path = write(tmp_path / "x.csv", "wave,flux", WAVE, FLUX, delimiter=",")
    path.write_text(path.read_text().replace("\n4200", "\n7,4200", 1).replace("\n4103", "\n4103,", 1))
    assert "2 fields in every line; found 3 in line" in reason(path)


def test_word_among_the_numbers_is_named(tmp_path):
    path = write(tmp_path / "x.csv", "wave,flux", WAVE, FLUX, delimiter=",")
    lines = path.read_text().splitlines()
    lines[42] = "4140.1,bright"
    path.write_text("\n".join(lines))
    assert "a number for the flux; found 'bright' in line 43" in reason(path)


@pytest.mark.parametrize("factor", [1e-4, 0.1, 100])
def test_wavelengths_in_other_units_are_refused_with_advice(tmp_path, factor):
    assert "Convert them to Angstrom" in reason(write(tmp_path / "x.dat", "", WAVE * factor, FLUX))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000) | st.text(max_size=2000).map(str.encode))
def test_any_bytes_are_refused_or_read(tmp_path, data):
    (tmp_path / "x").write_bytes(b"wave flux\n" + data)
    with pytest.raises(ReadError):
        read_file(tmp_path / "x")
