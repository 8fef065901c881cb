"""Simulation for training: redshifts and signal-to-noise ratios spread evenly, instruments more various."""

import numpy as np
import pytest

from racnet_tools.simulate import simulate
from racnet_tools.simulate.stars import stellar_subtype, stellar_type
from racnet_tools.simulate.variation import vary_exposure, vary_light


def test_every_redshift_and_signal_to_noise_ratio_is_there():
    spectra = simulate({"GALAXY": 300, "QSO": 300}, seed=5, even=True)
    label, z = np.asarray(spectra.table["label"]), np.asarray(spectra.table["z"], float)
    assert (np.histogram(z[label == "QSO"], np.arange(6))[0] > 25).all()
    assert (np.histogram(z[label == "GALAXY"], np.linspace(0, 1, 6))[0] > 10).all()
    assert (z[label == "GALAXY"] < 0.02).sum() > 20
    assert (np.histogram(spectra.median_snr(), [1, 4, 10, 30, 200])[0] > 60).all()


def test_without_it_nothing_changes():
    one, two = simulate({"QSO": 5}, seed=5), simulate({"QSO": 5}, seed=5, even=False, varied=False)
    np.testing.assert_array_equal(one.flux, two.flux)


def test_what_another_detector_loses_is_masked_and_has_no_information():
    spectra = simulate({"STAR": 200}, seed=6, even=True, varied=True)
    assert np.isfinite(spectra.flux).all() and (spectra.ivar[spectra.mask] == 0).all()
    plain = simulate({"STAR": 200}, seed=6, even=True)
    assert spectra.mask[:, :100].mean() > plain.mask[:, :100].mean() + 0.1


def test_other_optics_keep_the_level_and_widen_lines():
    flux = np.ones((400, 3909), np.float32)
    flux[:, 2000] = 2
    varied = vary_light(flux, np.random.default_rng(1))
    np.testing.assert_allclose(np.median(varied, axis=1), 1, atol=1e-5)
    line = varied[:, 1990:2011] - varied[:, 1980:1981]
    assert (line[:, 10] < 0.9 * varied[:, 1980]).mean() == pytest.approx(0.4, abs=0.15)  # half, of them some by little
    flux, ivar, mask = vary_exposure(flux, flux.copy(), flux > 3, np.random.default_rng(1))
    assert mask.any() and (flux[mask] == 0).all() and (ivar[mask] == 0).all() and (ivar[~mask] > 0).all()


def test_subtypes_agree_with_letters():
    rng = np.random.default_rng(2)
    teff, feh = rng.uniform(2500, 49_000, 3000), rng.uniform(-2.4, 0.5, 3000)
    place = stellar_subtype(teff, feh)
    assert (np.array(list("OBAFGKM"))[(place // 10).astype(int)] == stellar_type(teff, feh)).all()
    assert np.isnan(stellar_subtype(np.array([np.nan]))).all()
    np.testing.assert_allclose(stellar_subtype(np.array([50_000.0, 10_000, 7_500, 2_000])), [0, 20, 30, 70], atol=1e-9)
