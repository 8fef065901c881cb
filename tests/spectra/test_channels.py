"""Preprocessing into several channels: known answers, and what is refused."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.spectra.channels import CHANNELS, flux_of, running_mean, with_flux
from racnet_tools.spectra.preprocess import fill_gaps

ALL = Preprocessing(channels=CHANNELS)


def spectrum(flux, ivar=None, mask=None):
    flux = np.atleast_2d(np.asarray(flux, np.float32))
    ivar = np.full(flux.shape, 4, np.float32) if ivar is None else ivar
    mask = np.zeros(flux.shape, bool) if mask is None else mask
    return SpectrumSet(LAMOST_GRID.wave, flux, np.where(mask, 0, ivar), mask, [{"spec_id": "a"}])


def test_a_flat_spectrum_has_no_contrast_and_the_quality_of_its_signal_to_noise():
    x = ALL(spectrum(np.full(3909, 5.0)))
    assert x.shape == (1, 3909, 3) == (1, *ALL.shape) and x.dtype == np.float32
    np.testing.assert_allclose(x[0, :, 0], 3909**-0.5, rtol=1e-5)
    np.testing.assert_allclose(x[0, :, 1], 0, atol=1e-5)
    np.testing.assert_allclose(x[0, :, 2], np.log1p(5 * 2), rtol=1e-5)


def test_the_scale_of_the_flux_changes_nothing():
    spectra = simulate({"STAR": 3, "QSO": 3}, seed=1)
    bright = SpectrumSet(spectra.wave, spectra.flux * 100, spectra.ivar / 1e4, spectra.mask, spectra.table)
    np.testing.assert_allclose(ALL(bright), ALL(spectra), atol=2e-4)


def test_a_slope_leaves_hardly_a_trace_in_the_contrast():
    wave = LAMOST_GRID.wave
    flat, sloped = (ALL(spectrum(1 + 0.5 * np.exp(-0.5 * ((np.arange(3909) - 2000) / 3) ** 2) * 1)) for _ in range(2))
    line = 1 + 0.5 * np.exp(-0.5 * ((np.arange(3909) - 2000) / 3) ** 2)
    sloped = ALL(spectrum(line * (wave / 5500) ** -2))
    near = slice(1900, 2100)
    np.testing.assert_allclose(sloped[0, near, 1], flat[0, near, 1], atol=0.01)
    assert flat[0, 2000, 1] == pytest.approx(0.5, abs=0.02)


def test_bad_pixels_have_no_quality():
    mask = np.zeros((1, 3909), bool)
    mask[0, 100:200] = True
    x = ALL(spectrum(np.ones(3909), mask=mask))
    assert (x[0, 100:200, 2] == 0).all() and (x[0, 200:, 2] > 0).all()
    np.testing.assert_allclose(x[0, 100:200, 1], 0, atol=1e-5)  # the gap is filled


def test_descriptions_of_both_kinds_come_back():
    assert Preprocessing.from_dict(ALL.to_dict()) == ALL
    assert "channels" not in Preprocessing().to_dict() and Preprocessing().shape == (3909,)
    with pytest.raises(RacnetError, match="begin with flux"):
        Preprocessing(channels=("quality",))
    with pytest.raises(RacnetError, match="begin with flux"):
        Preprocessing.from_dict({**ALL.to_dict(), "channels": ["flux", "colour"]})


def test_the_running_mean_is_that_of_the_pixels_that_are_there():
    rng = np.random.default_rng(1)
    rows = rng.random((2, 30)).astype(np.float32)
    found = running_mean(rows, 7)
    for pixel in range(30):
        wanted = rows[:, max(0, pixel - 3) : pixel + 4].mean(axis=1)
        np.testing.assert_allclose(found[:, pixel], wanted, rtol=1e-5)


def test_a_changed_flux_gives_the_channels_of_a_spectrum_so_changed():
    spectra = simulate({"STAR": 2, "GALAXY": 2, "QSO": 2}, seed=3)
    x = ALL(spectra)
    np.testing.assert_allclose(with_flux(x, flux_of(x)), x, rtol=1e-4, atol=1e-5)
    assert (with_flux(x, 2 * flux_of(x))[:, :, 2][x[:, :, 2] == 0] == 0).all()  # what is bad stays bad
    bad = spectra.mask | (spectra.flux == 0)
    whole = SpectrumSet(spectra.wave, fill_gaps(spectra.flux, bad), np.full(x.shape[:2], 4), None, spectra.table)
    factor = np.linspace(0.8, 1.3, 3909, dtype=np.float32) * (1 + 0.5 * (np.arange(3909) // 40 == 30))
    x, wanted = ALL(whole), ALL(SpectrumSet(whole.wave, whole.flux * factor, whole.ivar, None, whole.table))
    found = with_flux(x, flux_of(x) * factor)
    norm = np.linalg.norm(flux_of(x) * factor, axis=1, keepdims=True)
    np.testing.assert_allclose(flux_of(found), flux_of(wanted) * norm, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[:, :, 1:], wanted[:, :, 1:], rtol=1e-3, atol=1e-4)


def test_one_spectrum_may_be_given_many_fluxes_and_the_flux_alone_is_itself():
    x = ALL(spectrum(np.full(3909, 5.0)))
    two = with_flux(x, np.stack([flux_of(x)[0], 2 * flux_of(x)[0]]))
    np.testing.assert_allclose(two[0], x[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(two[1, :, 2], np.log1p(2 * 5 * 2), rtol=1e-5)  # as much noise, twice the flux
    alone = Preprocessing()(spectrum(np.full(3909, 5.0)))
    assert flux_of(alone) is alone and np.array_equal(with_flux(alone, 2 * alone), 2 * alone)
    with pytest.raises(RacnetError, match="follow"):
        Preprocessing(channels=("flux", "quality"))
