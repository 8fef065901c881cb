"""Resampling: exact where the phases agree, flux-conserving otherwise, with known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import LAMOST_GRID, LogLambdaGrid, SpectrumSet


def test_grid_is_lamosts():
    assert LAMOST_GRID.wave[0] == pytest.approx(3699.99, abs=0.01)
    assert LAMOST_GRID.wave[-1] == pytest.approx(9099.13, abs=0.01)
    assert LAMOST_GRID.pixel_of(LAMOST_GRID.wave[1234]) == pytest.approx(1234, abs=1e-6)


def test_equal_phase_is_sliced_bit_for_bit(rng):
    sdss = LogLambdaGrid(3.5500, 1e-4, 4600)
    wave = 10.0 ** (3.55 + 1e-4 * np.arange(4600)).astype(np.float32).astype(float)  # as SDSS stores it
    spectra = SpectrumSet(wave, rng.standard_normal((2, sdss.n_pixels)), np.full((2, sdss.n_pixels), 4.0))
    there = spectra.to_grid(LAMOST_GRID)
    np.testing.assert_array_equal(there.flux, spectra.flux[:, 182 : 182 + 3909])
    np.testing.assert_array_equal(there.ivar, spectra.ivar[:, 182 : 182 + 3909])


def test_short_spectrum_is_padded_and_masked(rng):
    wave = LAMOST_GRID.wave[10:3899]
    spectra = SpectrumSet(wave, rng.random((1, len(wave))) + 1)
    there = spectra.to_grid(LAMOST_GRID)
    assert there.mask[0, :10].all() and there.mask[0, 3899:].all() and not there.mask[0, 10:3899].any()
    assert (there.ivar[0, :10] == 0).all() and (there.flux[0, :10] == 0).all()


def test_flat_stays_flat_and_line_keeps_flux_and_place():
    wave = np.arange(3600.0, 9300.0, 0.8)
    line = np.exp(-0.5 * ((wave - 6564.61) / 3.0) ** 2)
    there = SpectrumSet(wave, np.stack([np.ones_like(wave), line])).to_grid(LAMOST_GRID)
    np.testing.assert_allclose(there.flux[0], 1.0, rtol=1e-6)
    peak = np.argmax(there.flux[1])
    assert peak == np.rint(LAMOST_GRID.pixel_of(6564.61))
    width = np.gradient(LAMOST_GRID.wave)
    assert (there.flux[1] * width).sum() == pytest.approx(3.0 * np.sqrt(2 * np.pi), rel=1e-4)


def test_variance_of_a_mean_of_equal_pixels():
    wave = 4000.0 + 0.1 * np.arange(30000)
    coarse = LogLambdaGrid(3.65, 1e-4, 1000)
    there = SpectrumSet(wave, np.ones((1, len(wave))), np.full((1, len(wave)), 1.0)).to_grid(coarse)
    pixels = np.gradient(coarse.wave) / 0.1  # a pixel is the mean of about ten old ones
    np.testing.assert_allclose(there.ivar[0], pixels, rtol=0.15)


def test_masked_pixel_masks_what_it_touches_only():
    wave = np.arange(3600.0, 9300.0, 0.8)
    mask = np.zeros((1, len(wave)), bool)
    bad = np.searchsorted(wave, 5000.0)
    mask[0, bad] = True
    there = SpectrumSet(wave, np.ones((1, len(wave))), mask=mask).to_grid(LAMOST_GRID)
    hit = LAMOST_GRID.wave[there.mask[0]]
    assert 1 <= len(hit) <= 3
    assert np.abs(hit - wave[bad]).max() < 2.0
    assert (there.ivar[0, there.mask[0]] == 0).all()


def test_agrees_with_specutils(rng):
    specutils = pytest.importorskip("specutils", reason="specutils is an optional package")
    import astropy.units as u
    from specutils.manipulation import FluxConservingResampler

    wave = np.linspace(4500, 4800, 300)
    flux = 1 + rng.random(300)
    grid = LogLambdaGrid(3.66, 1e-4, 150)
    reference = FluxConservingResampler()(
        specutils.Spectrum(flux=flux * u.one, spectral_axis=wave * u.AA), grid.wave * u.AA
    )
    ours = SpectrumSet(wave, flux).to_grid(grid)
    np.testing.assert_allclose(ours.flux[0], reference.flux.value, rtol=2e-5)


@settings(max_examples=30, deadline=None)
@given(step=st.floats(0.3, 3.0), start=st.floats(3500, 3699), seed=st.integers(0, 1000))
def test_integral_is_conserved(step, start, seed):
    wave = np.arange(start, 9200.0, step)
    knots = np.random.default_rng(seed).random(20)
    flux = np.interp(wave, np.linspace(start, 9200, 20), knots)
    there = SpectrumSet(wave, flux).to_grid(LAMOST_GRID)
    edges = np.concatenate([[LAMOST_GRID.wave[0]], 0.5 * (LAMOST_GRID.wave[1:] + LAMOST_GRID.wave[:-1])])
    reference = np.interp(LAMOST_GRID.wave, wave, flux)
    width = np.gradient(edges)
    good = ~there.mask[0]
    assert (there.flux[0] * width)[good].sum() == pytest.approx((reference * width)[good].sum(), rel=1e-3)


def test_no_overlap_is_refused():
    microns = SpectrumSet(np.linspace(0.37, 0.91, 100), np.ones(100))
    with pytest.raises(RacnetError, match="Are the units Angstrom"):
        microns.to_grid(LAMOST_GRID)


@pytest.mark.parametrize("numbers", [(np.nan, 1e-4, 10), (3.5, 0.0, 10), (3.5, 1e-4, 1)])
def test_absurd_grid_is_refused(numbers):
    with pytest.raises(RacnetError, match="A grid needs"):
        LogLambdaGrid(*numbers)
