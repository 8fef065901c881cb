"""LAMOST one-row tables of vectors (DR9 and later)."""

import numpy as np
import pytest
from astropy.io import fits
from survey_files import LINE, lamost_file, line_position

from racnet_tools.errors import ReadError
from racnet_tools.readers import identify, read_file


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path)
    return caught.value.reason


def rewrite(path, edit_columns=None, edit_header=None):
    with fits.open(path) as hdus:
        header = hdus[0].header.copy()
        columns = {name: np.array(hdus[1].data[name]) for name in hdus[1].columns.names}
    if edit_columns:
        edit_columns(columns)
    if edit_header:
        edit_header(header)
    made = []
    for name, values in columns.items():
        made.append(fits.Column(name, "E" if values.ndim == 1 else f"{values.shape[1]}E", array=values))
    fits.HDUList([fits.PrimaryHDU(None, header), fits.BinTableHDU.from_columns(made, name="COADD")]).writeto(
        path, overwrite=True
    )
    return path


@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_values_are_those_of_the_file(tmp_path, suffix):
    path = lamost_file(tmp_path, "coadd", suffix, n_pixels=3902)
    spectra = read_file(path)
    assert identify(path) == "lamost_coadd"
    with fits.open(path) as hdus:
        data, header = hdus[1].data[0], hdus[0].header
        assert np.array_equal(spectra.flux[0], data["FLUX"]) and np.array_equal(spectra.ivar[0], data["IVAR"])
        single = data["WAVELENGTH"]
        formula = 10 ** (header["COEFF0"] + header["COEFF1"] * np.arange(len(single)))
    assert np.abs(spectra.wave - formula).max() < 1e-9
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.2
    assert spectra.mask.sum() == 5
    assert spectra.table["spec_id"][0] == "55862-GAC_105N29_B1_sp06-003"


def test_naxis1_of_the_primary_header_is_not_trusted(tmp_path):
    path = lamost_file(tmp_path, "coadd", n_pixels=3749)
    data = path.read_bytes()
    at = data.index(b"END" + b" " * 77)
    card = f"NAXIS1  = {3909:20d}".ljust(80).encode()
    path.write_bytes(data[:at] + card + data[at : at + 80] + data[at + 160 :])
    assert read_file(path).n_pixels == 3749


def test_several_rows(tmp_path):
    def double(columns):
        for name in columns:
            columns[name] = np.tile(columns[name], (2, 1))

    assert "expected one row in HDU 1 (COADD); found 2 rows" in reason(rewrite(lamost_file(tmp_path, "coadd"), double))


def test_vectors_of_different_length(tmp_path):
    def shorten(columns):
        columns["IVAR"] = columns["IVAR"][:, :-1]

    found = reason(rewrite(lamost_file(tmp_path, "coadd"), shorten))
    assert "columns of one length" in found and "FLUX 3909, IVAR 3908" in found


def test_zero_flux(tmp_path):
    found = reason(rewrite(lamost_file(tmp_path, "coadd"), lambda columns: columns["FLUX"].fill(0)))
    assert "zero in every pixel" in found


def test_missing_dispersion(tmp_path):
    found = reason(rewrite(lamost_file(tmp_path, "coadd"), None, lambda header: header.remove("COEFF0")))
    assert "no usable COEFF0" in found


def test_wavelengths_that_contradict_the_header(tmp_path):
    def shift(header):
        header["COEFF0"] = 3.6

    assert "agree with COEFF0" in reason(rewrite(lamost_file(tmp_path, "coadd"), None, shift))


def test_data_cut_short(tmp_path):
    path = lamost_file(tmp_path, "coadd")
    path.write_bytes(path.read_bytes()[:30_000])
    assert "bytes of data in HDU 1 (COADD)" in reason(path)
