"""Calibration errors, noise and lost pixels against what is asked for."""

import numpy as np
import pytest

from racnet_tools.resources import data_path
from racnet_tools.simulate.instrument import distort, expose, median_snr
from racnet_tools.spectra import LAMOST_GRID

N = LAMOST_GRID.n_pixels


class Faultless:
    """Stands in for a generator: every error it draws is zero."""

    def gamma(self, shape, scale, size):
        return np.ones(size)

    def standard_normal(self, size, dtype=float):
        return np.zeros(size, dtype)

    def standard_t(self, df, size):
        return np.zeros(size)

    def uniform(self, low, high, size):
        return np.full(size, (low + high) / 2)

    def random(self, size):
        return np.ones(size)  # no rare event happens


def sun_like(n: int) -> np.ndarray:
    """(n, 3909) smooth continuum with median 1."""
    flux = np.exp(-0.5 * ((LAMOST_GRID.wave - 5500) / 2500) ** 2).astype(np.float32)
    return np.tile(flux / np.median(flux), (n, 1))


def test_a_faultless_calibration_changes_the_scale_alone():
    flux = sun_like(2) * np.array([[3.0], [0.2]], np.float32)
    np.testing.assert_allclose(distort(flux, Faultless()), sun_like(2), rtol=1e-5)


def test_calibration_errors_are_smooth_and_of_the_stated_size(rng):
    flux = np.ones((600, N), np.float32)
    out = distort(flux, rng)
    np.testing.assert_allclose(np.median(out, axis=1), 1, rtol=0.4)
    usual = np.isclose(np.median(out, axis=1), 1, rtol=1e-5)  # nothing was left over where the arms join
    assert 0.6 < usual.mean() < 0.95
    colour = np.log(out[:, -260:-60].mean(axis=1) / out[:, :200].mean(axis=1))  # short of the falling red ends
    # The odd Legendre orders differ in sign at the ends; the strength has mean square 1.5.
    expected = 2 * np.sqrt(1.5 * (0.33**2 + 0.075**2 + 0.04**2))
    assert np.std(colour) == pytest.approx(expected, rel=0.25)
    quiet = slice(*np.searchsorted(LAMOST_GRID.wave, (6300, 6800)))  # neither join nor telluric band
    assert np.abs(np.diff(np.log(out[:, quiet]), axis=1)).max() < 0.01


def test_arms_may_not_meet_between_5700_and_5950_angstrom(rng):
    out = distort(np.ones((400, N), np.float32), rng)[:, :3800]
    second = np.abs(np.diff(np.log(out), 2, axis=1)).mean(axis=0)
    join = slice(*np.searchsorted(LAMOST_GRID.wave, (5700, 5950)))
    beside = slice(*np.searchsorted(LAMOST_GRID.wave, (5000, 5400)))
    assert second[join].mean() > 3 * second[beside].mean()


def test_red_ends_fall_in_a_fifth_of_the_spectra(rng):
    out = distort(np.ones((1000, N), np.float32), rng)
    fall = out[:, -1] / out[:, np.searchsorted(LAMOST_GRID.wave, 8990)]
    assert 0.08 < (fall < 0.6).mean() < 0.2
    assert fall.min() < 0


def test_the_joining_of_the_arms_leaves_light_over_or_takes_it_away():
    flux = np.ones((1000, N), np.float32)
    out = distort(flux, np.random.default_rng(5))
    middle, low, high = np.searchsorted(LAMOST_GRID.wave, (5800, 5300, 6300))
    excess = out[:, middle] / np.sqrt(out[:, low] * out[:, high]) - 1
    assert 0.03 < (np.abs(excess) > 0.1).mean() < 0.2
    assert excess.min() < -0.1 < 0.2 < excess.max()


def test_distort_makes_no_nan_of_an_empty_spectrum(rng):
    assert np.isfinite(distort(np.zeros((3, N), np.float32), rng)).all()


@pytest.mark.parametrize(("snr", "tolerance"), [(4.0, 0.4), (20.0, 0.1), (120.0, 0.1)])
def test_the_wanted_signal_to_noise_is_obtained(snr, tolerance, rng):
    """Of the noiseless flux within 3 %; a faint one's measured median is a little more: S/N is skew over pixels."""
    clean = sun_like(60)
    flux, ivar, mask = expose(clean, np.full(60, snr), rng)
    whole = mask.mean(axis=1) < 0.01  # the median is over all pixels, before some are lost
    clean, flux, ivar, mask = clean[whole], flux[whole], ivar[whole], mask[whole]
    measure = lambda values: [np.median(v[~m]) for v, m in zip(values * np.sqrt(ivar), mask, strict=True)]  # noqa: E731
    np.testing.assert_allclose(measure(clean), snr, rtol=0.03)
    np.testing.assert_allclose(measure(flux), snr, rtol=tolerance)


def test_the_scatter_is_what_ivar_says_within_a_quarter(rng):
    clean = sun_like(150)
    flux, ivar, mask = expose(clean, np.full(150, 15.0), rng)
    pull = np.where(mask, np.nan, (flux - clean) * np.sqrt(ivar))
    low, median, high = np.nanpercentile(pull, [15.87, 50, 84.13], axis=1)
    width = (high - low) / 2  # not moved by the few pixels that cosmic rays hit
    assert 0.76 < width.min() < 0.9
    assert 1.12 < width.max() < 1.32
    assert np.abs(median).max() < 0.12


def test_sky_lines_and_the_blue_end_are_noisier(rng):
    _, ivar, mask = expose(np.ones((200, N), np.float32), np.full(200, 20.0), rng)
    with np.errstate(divide="ignore"):
        sigma = np.nanmedian(np.where(mask, np.nan, 1 / np.sqrt(ivar)), axis=0)
    at = lambda wave: sigma[int(LAMOST_GRID.pixel_of(wave))]  # noqa: E731
    assert at(5578.9) > 1.5 * at(5540)  # [O I] 5577 of the night sky, vacuum
    assert at(3720) > 3 * at(6700)


def test_bright_spectra_are_noisier_where_there_is_more_light():
    """Only the share limited by its own photons, so on the average over many."""
    flux = np.ones((300, N), np.float32)
    flux[:, 2000:] = 4
    flat = expose(np.ones_like(flux), np.full(300, 50.0), np.random.default_rng(3))[1]
    step = expose(flux, np.full(300, 50.0), np.random.default_rng(3))[1]
    known = (flat > 0) & (step > 0)
    ratio = np.sqrt(np.divide(flat, step, out=np.full(flat.shape, np.nan), where=known))
    ratio = np.nanmean(ratio[:, 2300:2900], axis=1) / np.nanmean(ratio[:, 1200:1700], axis=1)
    ratio = ratio[np.isfinite(ratio)]
    assert 1.0 <= ratio.min() < 1.1
    assert 1.8 < ratio.max() <= 2.01


def test_lost_pixels_hold_nothing_and_are_as_many_as_stated(rng):
    flux, ivar, mask = expose(np.ones((800, N), np.float32), np.full(800, 20.0), rng)
    assert not flux[mask].any()
    assert not ivar[mask].any()
    assert (ivar[~mask] > 0).all()
    assert np.isfinite(flux).all()
    begin, end = mask.argmin(axis=1), mask[:, ::-1].argmin(axis=1)
    first = begin > 200  # stated: a quarter lose all below 3930-4180 Angstrom, as in LAMOST's first release
    assert 0.2 < first.mean() < 0.3
    assert begin.max() <= LAMOST_GRID.pixel_of(4180) + 1
    assert (end[first] > 5).all()
    assert 0.35 < mask[first][:, int(LAMOST_GRID.pixel_of(5825))].mean() < 0.85  # the join
    assert 0.5 < mask[first][:, int(LAMOST_GRID.pixel_of(7630))].mean() < 0.85  # the A band
    later = ~first
    assert np.percentile(begin[later], 98.5) < 30  # stated: up to 29 pixels in 30 % of the others
    assert 0.22 < (begin[later] > 0).mean() < 0.37
    assert np.percentile(end[later], 99) < 160  # stated: up to 20, in a tenth of the spectra up to 159
    assert 0.03 < (end[later] > 20).mean() < 0.15
    assert mask[later].mean() < 0.02
    inner = mask[later][:, 30:-160].any(axis=1).mean()
    assert 0.18 < inner < 0.32  # dead stretches in a quarter


def test_cosmic_rays_are_spikes_upward(rng):
    flux, ivar, _ = expose(np.ones((300, N), np.float32), np.full(300, 20.0), rng)
    pull = (flux - 1) * np.sqrt(ivar)
    pull[ivar == 0] = 0
    assert 0.2 < (pull.max(axis=1) > 8).mean() < 0.35
    assert pull.min() > -8


def test_median_snr_by_band():
    flux, ivar = np.full((2, N), 2.0), np.full((2, N), 25.0)
    flux[1] = -1
    red = LAMOST_GRID.wave > 8200
    ivar[0, red] = 100
    bands = median_snr(flux, ivar)
    assert {name: value.tolist() for name, value in bands.items()} == {
        "snr_u": [10, 0], "snr_g": [10, 0], "snr_r": [10, 0], "snr_i": [10, 0], "snr_z": [20, 0],
    }  # fmt: skip


def test_the_noise_file_holds_what_the_readme_says():
    with np.load(data_path("noise", "lamost_noise.npz"), allow_pickle=False) as f:
        assert f["mean"].shape == (N,)
        assert f["components"].shape == (6, N)
        assert int(f["n_spectra"]) == 278
        assert (np.diff(f["spread"]) < 0).all()
        np.testing.assert_allclose(f["components"] @ f["components"].T, np.eye(6), atol=1e-4)
        assert abs(np.median(f["mean"])) < 0.05
