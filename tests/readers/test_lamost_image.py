"""LAMOST images of five rows: what is read, and each refusal by its words."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from survey_files import LINE, lamost_file, lamost_set, line_position

from racnet_tools.errors import ReadError
from racnet_tools.readers import identify, read_file

LAYOUTS = ["image5_sub", "image5"]


def change(path, edit):
    """Apply `edit(header, data)`, which may return new data, to the primary HDU."""
    with fits.open(path) as hdus:
        header, data = hdus[0].header.copy(), hdus[0].data.copy()
    changed = edit(header, data)
    fits.PrimaryHDU(data if changed is None else changed, header).writeto(path, overwrite=True)
    return path


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path)
    assert caught.value.path == str(path)
    return caught.value.reason


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_values_are_those_of_the_file(tmp_path, layout, suffix):
    path = lamost_file(tmp_path, layout, suffix)
    spectra = read_file(path)
    assert identify(path) == "lamost_image"
    with fits.open(path) as hdus:
        header, data = hdus[0].header, hdus[0].data
        assert np.array_equal(spectra.flux[0], data[0]) and np.array_equal(spectra.ivar[0], data[1])
        formula = 10 ** (header["COEFF0"] + header["COEFF1"] * np.arange(data.shape[1]))
    assert np.abs(spectra.wave - formula).max() < 1e-9
    assert spectra.flux.dtype == np.float32 and spectra.wave.dtype == np.float64
    assert np.flatnonzero(spectra.mask[0]).tolist() == [500, 501, 502, 510, 511]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_line_lands_on_its_wavelength(tmp_path, layout):
    spectra = read_file(lamost_file(tmp_path, layout))
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.2


def test_the_row_of_the_table(tmp_path):
    row = read_file(lamost_file(tmp_path)).table[0]
    assert row["spec_id"] == "55862-GAC_105N29_B1_sp06-003"
    assert row["object_id"] == "J063715.90+271356.5"
    assert (row["survey"], row["label"], row["subclass"]) == ("LAMOST", "STAR", "G5")
    assert row["z"] == -7.138e-05 and row["z_err"] == 1.5e-05
    assert row["snr_r"] == 99.0, "DR1's cap is a lower limit, not a null"
    assert row["snr_z"] is np.ma.masked
    assert (row["ra"], row["dec"]) == (99.316263, 27.23237)


def test_identifiers_come_from_the_header_not_the_file_name(tmp_path):
    path = lamost_file(tmp_path).rename(tmp_path / "spec-11111-X_sp01-001.fits")
    assert read_file(path).table["spec_id"][0] == "55862-GAC_105N29_B1_sp06-003"

    def text_fibre(header, data):
        header["FIBERID"] = "3"  # DR2 writes text

    assert read_file(change(path, text_fibre)).table["spec_id"][0] == "55862-GAC_105N29_B1_sp06-003"


def test_nulls_and_unknown_classes(tmp_path):
    def nulls(header, data):
        header["CLASS"], header["SUBCLASS"] = "Unknown", "Non"
        header["Z"] = header["Z_ERR"] = header["SNRI"] = -9999.0
        header["SNRG"] = -999.0

    row = read_file(change(lamost_file(tmp_path), nulls)).table[0]
    assert row["label"] == "UNKNOWN"
    for name in ("subclass", "z", "z_err", "snr_i", "snr_g"):
        assert row[name] is np.ma.masked, name


@pytest.mark.parametrize(
    ("bands", "numbers", "expected"),
    [
        ("ugriz", [16.76, 15.65, 15.27, 15.14, 15.09], 15.27),
        ("gri", [15.93, 15.32, 15.17], 15.32),
        ("GRI", [15.93, 15.32, 15.17], 15.32),
        ("ugriz", [16.76, 15.65, 99.0, 15.14, 15.09], None),
        ("gbprp", [12.74, 13.01, 12.33], None),
        ("BR1R2I", [12.73, 12.73, 12.52, 12.45], None),
        ("fibermagr", [20.78, 17.29, 17.64, 24.21, 16.49], None),
        ("", [20.0], None),
    ],
)
def test_r_magnitude_is_that_of_the_band_of_its_letter(tmp_path, bands, numbers, expected):
    def edit(header, data):
        header["MAGTYPE"] = bands
        for k, number in enumerate(numbers, start=1):
            header[f"MAG{k}"] = number

    found = read_file(change(lamost_file(tmp_path), edit)).table["mag_r"][0]
    assert found is np.ma.masked if expected is None else found == expected


def test_r_magnitude_of_pan_starrs(tmp_path):
    def edit(header, data):
        header["MAG_PS_R"] = 17.87

    assert read_file(change(lamost_file(tmp_path), edit)).table["mag_r"][0] == 17.87


def test_class_in_any_case_and_absent(tmp_path):
    path = lamost_file(tmp_path)

    def lower(header, data):
        header["CLASS"] = "galaxy"

    def none(header, data):
        del header["CLASS"]

    assert read_file(change(path, lower)).table["label"][0] == "GALAXY"
    assert read_file(change(path, none)).table["label"][0] is np.ma.masked


def test_object_without_designation_is_named_by_its_position(tmp_path):
    def without(header, data):
        del header["DESIG"]

    assert read_file(change(lamost_file(tmp_path), without)).table["object_id"][0] == "J063715.90+271356.5"


def test_float64_files_and_any_length(tmp_path):
    def double(header, data):
        return data[:, :3749].astype(np.float64)

    path = change(lamost_file(tmp_path), double)
    spectra = read_file(path)
    assert spectra.flux.shape == (1, 3749) and spectra.flux.dtype == np.float32


def test_not_finite_and_negative_values_are_masked(tmp_path):
    def damage(header, data):
        data[0, 10], data[0, 11], data[1, 12], data[1, 13] = np.nan, np.inf, np.nan, -1

    spectra = read_file(change(lamost_file(tmp_path), damage))
    assert spectra.mask[0, 10:14].all()
    assert (spectra.ivar >= 0).all() and np.isfinite(spectra.ivar).all()


def test_latin1_header_is_read(tmp_path):
    path = lamost_file(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"GuoShouJing Telescope", b"GuoShouJing T\xe9lescope"[:21]))
    assert b"T\xe9l" in path.read_bytes()
    assert read_file(path).table["survey"][0] == "LAMOST"


def _delete(keyword):
    def edit(header, data):
        del header[keyword]

    return edit


def _set(keyword, value):
    def edit(header, data):
        header[keyword] = value

    return edit


def _fill(row, value):
    def edit(header, data):
        data[row] = value

    return edit


def _rows(n):
    return lambda header, data: data[:n]


def _columns(n):
    return lambda header, data: data[:, :n]


@pytest.mark.parametrize(
    "edit, words",
    [
        (_delete("COEFF0"), "no usable COEFF0"),
        (_delete("COEFF1"), "no usable COEFF1"),
        (_set("COEFF0", "none"), "no usable COEFF0"),
        (_set("COEFF0", 0.0), "COEFF0 = 0"),
        (_set("COEFF0", 3.99), "the last would be at"),
        (_set("COEFF0", 3.5684), "agree with COEFF0"),
        (_set("COEFF1", 1.0), "COEFF1 = 1"),
        (_set("COEFF1", -1e-4), "COEFF1 = -0.0001"),
        (_set("COEFF1", 1.01e-4), "agree with COEFF0"),
        (_fill(0, 0), "zero in every pixel"),
        (_fill(0, np.nan), "no finite value at all"),
        (_fill(1, 0), "without information"),
        (_fill(1, -1), "without information"),
        (_rows(4), "4 rows of 3909 pixels"),
        (_columns(20), "20 pixels"),
        (_delete("EXTEN0"), "EXTEN0 = 'Flux Inverse Wavelength"),
        (_set("EXTEN0", "Flux Wavelength Inverse Andmask Ormask"), "which says what the rows are"),
    ],
)
def test_refusals(tmp_path, edit, words):
    assert words in reason(change(lamost_file(tmp_path), edit))


def test_dr1_header_whose_dispersion_was_changed(tmp_path):
    path = change(lamost_file(tmp_path, "image5_sub"), _set("COEFF0", 3.57))
    assert "COEFF0 and CRVAL1 to agree" in reason(path)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("keep", [2000, 2880, 5000, 50_000, 80_000])
def test_truncated_files(tmp_path, layout, keep):
    path = lamost_file(tmp_path, layout)
    data = path.read_bytes()
    end = data.index(b"END" + b" " * 77)
    path.write_bytes(data[:keep])
    assert ("an END card" if keep <= end else "bytes of data in HDU 0") in reason(path)
    packed = tmp_path / "b.fits.gz"
    packed.write_bytes(gzip.compress(data)[: keep // 4])
    assert "one that ends early" in reason(packed)


def test_ten_gigabytes_declared_in_a_small_file(tmp_path):
    path = lamost_file(tmp_path)
    data = path.read_bytes()[:5760]
    at = data.index(b"NAXIS1  =")
    path.write_bytes(data[:at] + f"NAXIS1  = {500_000_000:20d}".ljust(80).encode() + data[at + 80 :])
    assert "500000000 pixels" in reason(path)


def test_an_image_is_refused_as_one(tmp_path):
    fits.PrimaryHDU(np.ones((64, 48), np.int16)).writeto(tmp_path / "a.fits")
    assert "a FITS image of 48 x 64 pixels" in reason(tmp_path / "a.fits")


def test_an_empty_fits_file(tmp_path):
    fits.PrimaryHDU().writeto(tmp_path / "a.fits")
    assert "nothing but an empty primary header" in reason(tmp_path / "a.fits")


def test_medium_resolution_is_refused_by_name(tmp_path):
    columns = [fits.Column(n, "E", array=np.ones(200)) for n in ("FLUX", "IVAR", "LOGLAM", "ANDMASK", "ORMASK")]
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "LAMOST"
    tables = [fits.BinTableHDU.from_columns(columns, name=name) for name in ("COADD_B", "COADD_R", "B-84454650")]
    fits.HDUList([primary, *tables]).writeto(tmp_path / "a.fits")
    assert "found a medium-resolution one (tables COADD_B, COADD_R" in reason(tmp_path / "a.fits")


@pytest.mark.parametrize("survey", ["SIMULATED", "SDSS"])
def test_a_file_that_is_not_lamosts_says_so(tmp_path, survey):
    path = lamost_file(tmp_path, survey=survey, spec_id="sim-000012")
    row = read_file(path).table[0]
    assert (row["survey"], row["spec_id"]) == (survey, "sim-000012")
    assert "TELESCOP" not in fits.getheader(path)


def test_lamost_set_is_on_the_grid():
    assert lamost_set(3749).wave[0] == pytest.approx(10**3.5682)
