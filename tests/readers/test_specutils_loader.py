"""LAMOST files through specutils."""

import subprocess
import sys

import numpy as np
import pytest
from survey_files import lamost_file, sdss_spec

from racnet_tools.errors import ReadError
from racnet_tools.readers import read_file

specutils = pytest.importorskip("specutils")


@pytest.fixture(scope="module", autouse=True)
def loader():
    from racnet_tools.readers import specutils_loader

    return specutils_loader


@pytest.mark.parametrize("layout", ["image5_sub", "image5", "coadd"])
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
@pytest.mark.parametrize("how", [{"format": "LAMOST LRS"}, {}])
def test_read(tmp_path, layout, suffix, how):
    path = lamost_file(tmp_path, layout, suffix)
    spectrum, ours = specutils.Spectrum.read(path, **how), read_file(path)
    assert np.array_equal(spectrum.flux.value, ours.flux[0])
    assert np.array_equal(spectrum.spectral_axis.to_value("Angstrom"), ours.wave)
    assert np.array_equal(spectrum.uncertainty.array, ours.ivar[0])
    assert np.array_equal(spectrum.mask, ours.mask[0])
    assert spectrum.meta["spec_id"] == "55862-GAC_105N29_B1_sp06-003" and spectrum.meta["snr_z"] is None


def test_list_of_spectra(tmp_path):
    assert len(specutils.SpectrumList.read(str(lamost_file(tmp_path)), format="LAMOST LRS")) == 1


def test_other_files_are_not_taken_for_lamosts(tmp_path, loader):
    path = sdss_spec(tmp_path / "spec-0266-51602-0007.fits")
    assert not loader.identify_lamost("read", str(path), None)
    assert not loader.identify_lamost("write", str(path), None)
    assert not loader.identify_lamost("read", str(tmp_path / "gone"), None)
    with pytest.raises(ReadError, match="expected a LAMOST low-resolution spectrum"):
        specutils.Spectrum.read(path, format="LAMOST LRS")


def test_the_toolkit_does_not_import_it():
    code = "import sys, racnet_tools.readers; sys.exit('specutils' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
