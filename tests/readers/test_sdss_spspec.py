"""SDSS DR7 spSpec files."""

import numpy as np
import pytest
from astropy.io import fits
from survey_files import LINE, line_position, sdss_spspec

from racnet_tools.errors import ReadError
from racnet_tools.readers import identify, read_file


def test_values_are_those_of_the_file(tmp_path):
    path = sdss_spspec(tmp_path / "x.fit")
    spectra = read_file(path)
    assert identify(path) == "sdss_spspec"
    with fits.open(path) as hdus:
        assert np.array_equal(spectra.flux[0], hdus[0].data[0])
    assert spectra.wave[0] == pytest.approx(10**3.5797, abs=1e-9)
    assert abs(line_position(spectra.wave, spectra.flux[0]) - LINE) < 0.2
    assert (spectra.ivar[0, 5:] == 4.0).all() and (spectra.ivar[0, :5] == 0).all()


def test_emission_line_flags_do_not_mask(tmp_path):
    mask = read_file(sdss_spspec(tmp_path / "x.fit")).mask[0]
    assert np.flatnonzero(mask).tolist() == [*range(5), *range(50, 60)]


@pytest.mark.parametrize(
    "number, label", [(0, "UNKNOWN"), (1, "STAR"), (2, "GALAXY"), (3, "QSO"), (4, "QSO"), (6, "STAR")]
)
def test_classes(tmp_path, number, label):
    row = read_file(sdss_spspec(tmp_path / "x.fit", spec_class=number)).table[0]
    assert row["label"] == label
    assert row["spec_id"] == "0271-51883-0171" and row["z"] == 0.0651 and row["snr_u"] is np.ma.masked


def test_sky_has_no_label(tmp_path):
    assert read_file(sdss_spspec(tmp_path / "x.fit", spec_class=5)).table["label"][0] is np.ma.masked


def test_rows_of_another_meaning_are_refused(tmp_path):
    path = sdss_spspec(tmp_path / "x.fit")
    fits.setval(path, "ARRAY3", value="CONTINUUM")
    with pytest.raises(ReadError, match="ARRAY3 = 'ERROR'"):
        read_file(path)
