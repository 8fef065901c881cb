"""`read`: many files together."""

import subprocess
import sys

import numpy as np
import pytest
from survey_files import desi_coadd, lamost_file, lamost_set, sdss_spec, sdss_spspec, text_table

import racnet_tools
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers import read, read_batches, write_lamost
from racnet_tools.readers.record import designation
from racnet_tools.spectra import LAMOST_GRID, concatenate


@pytest.fixture
def mixed(tmp_path):
    lamost_file(tmp_path, "coadd", n_pixels=3749)
    sdss_spec(tmp_path / "b.fits")
    sdss_spspec(tmp_path / "c.fit")
    desi_coadd(tmp_path / "d.fits")
    (tmp_path / "e.fits").write_text("no spectrum")
    return tmp_path


def test_a_lone_file_keeps_its_wavelengths(tmp_path):
    path = lamost_file(tmp_path, n_pixels=3749)
    assert racnet_tools.read(path).n_pixels == 3749
    assert racnet_tools.read(tmp_path).n_pixels == 3749


def test_several_files_come_on_the_lamost_grid_in_order(mixed):
    spectra = read(mixed, on_error="skip")
    assert spectra.wave is LAMOST_GRID.wave
    assert spectra.table["survey"].tolist() == ["LAMOST", "SDSS", "SDSS", "DESI", "DESI", "DESI"]
    line = np.searchsorted(LAMOST_GRID.wave, 6564.61)
    assert (spectra.flux[:, line - 1 : line + 2].max(axis=1) > 280).all()
    assert spectra.mask[0, 3749:].all() and (spectra.ivar[0, 3749:] == 0).all()
    [[path, reason]] = spectra.meta["refused"]
    assert path.endswith("e.fits") and "not FITS" in reason


def test_slices_are_exact(tmp_path):
    one, two = lamost_file(tmp_path, n_pixels=3800, spec_id="55862-B_sp01-001"), sdss_spec(tmp_path / "b.fits")
    spectra = read([one, two])
    assert np.array_equal(spectra.flux[0, :3800], read(one).flux[0])
    assert np.array_equal(spectra.flux[1], read(two).flux[0, 156 : 156 + 3909])


def test_refused_file_ends_the_reading_unless_told_otherwise(mixed):
    with pytest.raises(ReadError, match=r"e\.fits"):
        read(mixed)
    with pytest.raises(RacnetError, match="on_error"):
        read(mixed, on_error="ignore")


def test_nothing_readable(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.fits").write_text("no spectrum")
    with pytest.raises(ReadError, match=r"a\.fits"):
        read(tmp_path, on_error="skip")
    with pytest.raises(RacnetError, match="Received: none"):
        read([])


def test_two_files_of_one_spectrum(tmp_path):
    write_lamost(lamost_set(), tmp_path / "a.fits")
    write_lamost(lamost_set(), tmp_path / "b.fits.gz", "coadd")
    with pytest.raises(ReadError, match=r"b\.fits\.gz: .*spec_id '55862-GAC_105N29_B1_sp06-003' of .*a\.fits"):
        read(tmp_path)
    assert len(read(tmp_path, on_error="skip")) == 1
    assert len(read([tmp_path / "a.fits", tmp_path / "a.fits"])) == 1, "the same file twice is read once"


def test_duplicates_are_found_over_batches(tmp_path):
    files = [lamost_file(tmp_path, spec_id=f"55862-B_sp01-{i:03d}").rename(tmp_path / f"{i}.fits") for i in range(4)]
    copy = tmp_path / "9.fits"
    copy.write_bytes(files[0].read_bytes())
    batches = list(read_batches([*files, copy], size=2))
    assert [len(spectra) for spectra, _ in batches if spectra is not None] == [2, 2]
    assert [error.path for _, refused in batches for error in refused] == [str(copy)]


def test_repeated_visits_are_one_object(tmp_path):
    visits = [
        lamost_set(spec_id="55862-B_sp01-001", object_id="J063715.90+271356.5", ra=99.316263, dec=27.23237),
        lamost_set(spec_id="55900-C_sp01-009", object_id="J063715.92+271356.6", ra=99.316350, dec=27.23240),
        lamost_set(spec_id="55901-D_sp01-009", object_id="J063800.00+271356.6", ra=99.500000, dec=27.23240),
    ]
    write_lamost(concatenate(visits), tmp_path)
    assert read(tmp_path).table["object_id"].tolist() == ["J063715.90+271356.5"] * 2 + ["J063800.00+271356.6"]


def test_spectrum_outside_the_grid_is_refused(tmp_path):
    one = lamost_file(tmp_path)
    wave = np.linspace(15000, 16000, 300)
    far = tmp_path / "far.txt"
    far.write_text("\n".join(f"{w} 1.0" for w in wave))
    assert read(far).n_pixels == 300
    with pytest.raises(ReadError, match=r"a spectrum within 3700-9099 Angstrom; found 15000\.0 to 16000\.0"):
        read([one, far])


def test_sets_without_ivar_say_so(tmp_path):
    one = lamost_file(tmp_path)
    bare = tmp_path / "bare.txt"
    bare.write_text("\n".join(f"{w} 1.0" for w in np.linspace(4000, 5000, 300)))
    assert read(bare).meta["ivar"] == "not given"
    assert read([one, bare]).meta["ivar"] == "not given for some"
    assert "ivar" not in read([one, text_table(tmp_path / "c.txt")]).meta


def test_designations():
    assert designation(138.080956, 27.893459) == "J091219.42+275336.4"
    assert designation(99.316263, 27.23237) == "J063715.90+271356.5"
    assert designation(330.909453, -0.174710) == "J220338.26-001028.9"
    assert designation(0.0, -90.0) == "J000000.00-900000.0"
    assert designation(360.0, 0.0) == "J000000.00+000000.0"
    assert designation(None, 1.0) is None


def test_reading_a_file_imports_neither_astropys_fits_nor_specutils(tmp_path):
    path = lamost_file(tmp_path)
    code = (
        f"import sys, racnet_tools; racnet_tools.readers.read_file({str(path)!r}); "
        "bad = {'astropy.io.fits', 'specutils', 'tensorflow', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
