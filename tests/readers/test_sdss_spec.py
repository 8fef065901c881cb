"""SDSS spec files, in both variants of the catalogue row."""

import numpy as np
import pytest
from astropy.io import fits
from survey_files import LINE, line_position, sdss_spec

from racnet_tools.errors import ReadError
from racnet_tools.readers import identify, read_file
from racnet_tools.readers.sdss_spec import spec_id
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.spectra.resample import phase_offset

KINDS = ["SPALL", "SPECOBJ"]


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path)
    return caught.value.reason


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_file(tmp_path, kind):
    path = sdss_spec(tmp_path / "x.fits", kind)
    spectra = read_file(path)
    assert identify(path) == "sdss_spec"
    with fits.open(path) as hdus:
        data = hdus[1].data
        assert np.array_equal(spectra.flux[0], data["flux"]) and np.array_equal(spectra.ivar[0], data["ivar"])
        assert np.abs(spectra.wave - 10.0 ** data["loglam"].astype(float)).max() < 0.01
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.2


def test_wavelengths_are_on_the_grid_exactly_not_where_coeff0_says(tmp_path):
    path = sdss_spec(tmp_path / "x.fits", "SPECOBJ")
    assert fits.getheader(path)["COEFF0"] == pytest.approx(3.5496)
    wave = read_file(path).wave
    assert np.abs(np.log10(wave) - (3.5526 + 1e-4 * np.arange(len(wave)))).max() < 1e-12
    assert phase_offset(wave, LAMOST_GRID) == -156


def test_pixel_flags_mask_and_flags_of_the_whole_fibre_do_not(tmp_path):
    mask = read_file(sdss_spec(tmp_path / "x.fits")).mask[0]
    assert np.flatnonzero(mask).tolist() == [*range(20, 30), *range(100, 110)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_of_the_table(tmp_path, kind):
    row = read_file(sdss_spec(tmp_path / "x.fits", kind)).table[0]
    assert row["spec_id"] == "0266-51602-0007"
    assert row["object_id"] == "J100024.00-021200.0"
    assert (row["survey"], row["label"], row["subclass"]) == ("SDSS", "GALAXY", "STARFORMING BROADLINE")
    assert row["z"] == pytest.approx(0.25) and row["snr_r"] == 20.5 and row["snr_z"] is np.ma.masked
    assert row["mag_r"] == pytest.approx(17.5)  # 22.5 - 2.5 log10(100 nanomaggies)


def test_identifiers_are_text_with_all_digits():
    assert spec_id(266, 51602, 7) == "0266-51602-0007"
    assert spec_id(10656, 58163, 1000) == "10656-58163-1000"
    assert spec_id(None, 51602, 7) is None and spec_id(float("nan"), 1, 1) is None


def test_a_damaged_exposure_does_not_matter(tmp_path):
    path = sdss_spec(tmp_path / "x.fits")
    whole = read_file(path)
    path.write_bytes(path.read_bytes()[:-5000])
    assert np.array_equal(read_file(path).flux, whole.flux)


def test_a_file_without_catalogue_row_has_no_label(tmp_path):
    path = sdss_spec(tmp_path / "x.fits")
    with fits.open(path) as hdus:
        fits.HDUList([hdus[0].copy(), hdus[1].copy()]).writeto(tmp_path / "y.fits")
    row = read_file(tmp_path / "y.fits").table[0]
    assert row["spec_id"] == "0266-51602-0007" and row["label"] is np.ma.masked and row["z"] is np.ma.masked


def with_loglam(path, values):
    with fits.open(path) as hdus:
        hdus[1].data["loglam"][:] = values(hdus[1].data["loglam"])
        hdus.writeto(path.with_name("y.fits"))
    return path.with_name("y.fits")


@pytest.mark.parametrize(
    "values, words",
    [
        (lambda lam: lam + 4e-5, "in steps of 1e-4 on multiples of 1e-4"),
        (lambda lam: lam[::-1], "in steps of 1e-4"),
        (lambda lam: 10**lam, "in steps of 1e-4"),
        (lambda lam: lam - 1.0, "COEFF0 from 3.3 to 4.0"),
        (lambda lam: np.nan, "a finite loglam in every row"),
    ],
)
def test_other_wavelengths_are_refused(tmp_path, values, words):
    assert words in reason(with_loglam(sdss_spec(tmp_path / "x.fits"), values))


def test_cut_short(tmp_path):
    path = sdss_spec(tmp_path / "x.fits")
    path.write_bytes(path.read_bytes()[:40_000])
    assert "bytes of data in HDU 1 (COADD)" in reason(path)
