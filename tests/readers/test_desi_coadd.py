"""DESI coadds: three arms joined."""

import numpy as np
import pytest
from survey_files import ARMS, LINE, desi_arms, desi_coadd, line_position

from racnet_tools.errors import ReadError
from racnet_tools.readers import desi_coadd as desi_module
from racnet_tools.readers import identify, read, read_file
from racnet_tools.readers import source as source_module
from racnet_tools.readers.desi_coadd import DESI_GRID
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.spectra.resample import phase_offset


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        read_file(path)
    return caught.value.reason


@pytest.mark.parametrize("compressed", [True, False])
def test_one_row_a_fibre(tmp_path, compressed):
    path = desi_coadd(tmp_path / "x.fits", compressed=compressed)
    spectra = read_file(path)
    assert identify(path) == "desi_coadd"
    assert spectra.flux.shape == (3, DESI_GRID.n_pixels)
    assert spectra.table["spec_id"].tolist() == [str(39627652591521181 + i) for i in range(3)]
    assert spectra.table["ra"].tolist() == pytest.approx([10.0, 10.1, 10.2])
    assert spectra.table["label"].mask.all() and spectra.table["z"].mask.all()
    assert (spectra.table["snr_g"][0], spectra.table["snr_r"][0], spectra.table["snr_z"][0]) == (5, 6, 7)
    assert set(spectra.table["survey"]) == {"DESI"}


def test_a_line_lands_on_its_wavelength(tmp_path):
    spectra = read_file(desi_coadd(tmp_path / "x.fits"))
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.02


def test_flux_is_conserved(tmp_path):
    spectra = read_file(desi_coadd(tmp_path / "x.fits"))
    near = np.abs(spectra.wave - LINE) < 40
    integral = ((spectra.flux[0] - 100.0) * np.gradient(spectra.wave))[near].sum()
    assert integral == pytest.approx(200 * 4 * np.sqrt(2 * np.pi), rel=1e-3)


def test_the_grid_is_in_phase_with_lamosts():
    assert phase_offset(LAMOST_GRID.wave, DESI_GRID) == 119


def test_overlaps_are_weighted_by_ivar(tmp_path):
    arms = desi_arms(1, flux=lambda wave: np.full(len(wave), 10.0))
    arms["R"]["FLUX"][:] = 40.0
    arms["R"]["IVAR"][:] = 8.0  # twice B's
    spectra = read_file(desi_coadd(tmp_path / "x.fits", 1, arms))
    at = {name: np.searchsorted(spectra.wave, w) for name, w in (("B", 5000), ("BR", 5780), ("R", 7000), ("Z", 9000))}
    assert spectra.flux[0, at["B"]] == pytest.approx(10) and spectra.flux[0, at["R"]] == pytest.approx(40)
    assert spectra.flux[0, at["BR"]] == pytest.approx((10 + 2 * 40) / 3, rel=1e-5)
    assert spectra.ivar[0, at["BR"]] == pytest.approx(
        spectra.ivar[0, at["BR"] - 60] + spectra.ivar[0, at["BR"] + 60], rel=0.05
    )


def test_a_pixel_bad_in_one_arm_is_taken_from_the_other(tmp_path):
    arms = desi_arms(1, flux=lambda wave: np.full(len(wave), 10.0))
    blue = arms["B"]["WAVELENGTH"]
    arms["B"]["FLUX"][:, blue > 5760] = 1e6
    arms["B"]["MASK"][:, blue > 5760] = 4
    arms["B"]["MASK"][:, (blue > 5000) & (blue < 5004)] = 4
    spectra = read_file(desi_coadd(tmp_path / "x.fits", 1, arms))
    assert not spectra.mask[0, np.searchsorted(spectra.wave, 5790)]
    assert spectra.flux[0, np.searchsorted(spectra.wave, 5790)] == pytest.approx(10)
    assert spectra.mask[0, np.searchsorted(spectra.wave, 5002)]


def test_many_fibres_are_joined_piece_by_piece(tmp_path, monkeypatch):
    path = desi_coadd(tmp_path / "x.fits", 5)
    whole = read_file(path)
    monkeypatch.setattr(desi_module, "_PIECE", 2)
    pieces = read_file(path)
    assert np.array_equal(pieces.flux, whole.flux) and np.array_equal(pieces.ivar, whole.ivar)
    monkeypatch.setattr(desi_module, "_MAX_FIBRES", 4)
    assert "at most 4 fibres; found 5" in reason(path)


def test_broken_fibres_are_kept_and_masked(tmp_path):
    arms = desi_arms(2)
    for arm in ARMS:
        arms[arm]["IVAR"][1] = 0
    spectra = read_file(desi_coadd(tmp_path / "x.fits", 2, arms))
    assert not spectra.mask[0].all() and spectra.mask[1].all()


def test_several_files_come_on_the_lamost_grid(tmp_path):
    desi_coadd(tmp_path / "a.fits", 1)
    arms = desi_coadd(tmp_path / "b.fits", 2)
    with pytest.raises(ReadError, match=r"spec_id '39627652591521181' of .*a\.fits"):
        read([tmp_path / "a.fits", arms])
    assert read([tmp_path / "a.fits", arms], on_error="skip").flux.shape == (1, 3909)


def test_missing_arm(tmp_path):
    arms = desi_arms(1)
    del arms["R"]
    assert "no R_WAVELENGTH and no R_FLUX and no R_IVAR" in reason(desi_coadd(tmp_path / "x.fits", 1, arms))


def test_arm_of_another_shape(tmp_path):
    arms = desi_arms(2)
    arms["Z"]["IVAR"] = arms["Z"]["IVAR"][:, :-3]
    assert "Z_FLUX and Z_IVAR of 2 x N" in reason(desi_coadd(tmp_path / "x.fits", 2, arms))


def test_no_information_at_all(tmp_path):
    arms = desi_arms(2)
    for arm in ARMS:
        arms[arm]["IVAR"][:] = 0
    assert "the file holds no information" in reason(desi_coadd(tmp_path / "x.fits", 2, arms)).lower()


def test_a_file_too_large_for_memory_is_read_in_pieces(tmp_path, monkeypatch):
    path = desi_coadd(tmp_path / "x.fits")
    whole = read_file(path)
    monkeypatch.setattr(source_module, "MAX_BYTES", 100_000)
    assert np.array_equal(read_file(path).flux, whole.flux)
