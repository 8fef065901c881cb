"""Calibration errors, noise and lost pixels against what is asked for."""

import numpy as np
import pytest

from racnet_tools.resources import data_path
from racnet_tools.simulate.instrument import _noise, broaden, distort, draw_pipeline, expose, median_snr
from racnet_tools.spectra import LAMOST_GRID

N = LAMOST_GRID.n_pixels
FIRST, LATER = np.ones(900, bool), np.zeros(900, bool)  # reduced by the first pipeline, or not


class Faultless:
    """Stands in for a generator: every error it draws is zero."""

    def chisquare(self, df, size):
        return np.full(size, float(df))

    def standard_normal(self, size, dtype=float):
        return np.zeros(size, dtype)

    def normal(self, mean, spread, size):
        return np.full(size, -np.inf)  # of a logarithm

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


def test_template_lines_get_the_width_of_lamosts(rng):
    """A line of the templates' width, 2.5 Angstrom in full at half maximum, comes out with a sigma of 1.05 pixels."""
    for wave in (4600.0, 6600.0, 7200.0):
        place = float(LAMOST_GRID.pixel_of(wave))
        width = 2.5 / 2.355 / (wave * np.log(10) * 1e-4)
        line = np.exp(-0.5 * ((np.arange(N) - place) / width) ** 2).astype(np.float32)
        out = broaden(np.tile(line, (300, 1)), rng)
        offset = np.arange(N) - place
        sigma = np.sqrt((out * offset**2).sum(axis=1) / out.sum(axis=1))
        np.testing.assert_allclose(out.sum(axis=1), line.sum(), rtol=2e-3)
        assert np.median(sigma) == pytest.approx(1.05, abs=0.05)
        assert sigma.min() >= width * 0.99
    np.testing.assert_allclose(broaden(np.ones((2, N), np.float32), rng), 1, rtol=1e-6)


def test_a_faultless_calibration_changes_the_scale_alone():
    flux = sun_like(2) * np.array([[3.0], [0.2]], np.float32)
    np.testing.assert_allclose(distort(flux, Faultless()), sun_like(2), rtol=1e-5)


def test_calibration_errors_are_smooth_and_of_the_stated_size(rng):
    out = distort(np.ones((900, N), np.float32), rng)
    np.testing.assert_allclose(np.median(out, axis=1), 1, rtol=0.05)  # short of the falling red ends
    colour = np.log(out[:, -260:-60].mean(axis=1) / out[:, :200].mean(axis=1))  # short of the falling red ends
    # The odd Legendre orders differ in sign at the ends, and the arms may be off by twice a step; half of Student's t
    # with 4 degrees of freedom lies within 0.741 of its scale.
    expected = 2 * np.sqrt(0.13**2 + 0.045**2 + 0.024**2 + 0.015**2)
    assert np.median(np.abs(colour)) == pytest.approx(0.741 * expected, rel=0.2)
    assert np.abs(colour).max() > 3 * expected  # wide tails
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
    out = distort(np.ones((1000, N), np.float32), np.random.default_rng(5))
    middle, low, high = np.searchsorted(LAMOST_GRID.wave, (5820, 5300, 6300))
    excess = out[:, middle] / np.sqrt(out[:, low] * out[:, high]) - 1
    assert 0.01 < np.median(np.abs(excess)) < 0.04
    assert excess.min() < -0.08
    assert excess.max() > 0.1


def test_distort_makes_no_nan_of_an_empty_spectrum(rng):
    assert np.isfinite(distort(np.zeros((3, N), np.float32), rng)).all()


@pytest.mark.parametrize(("snr", "tolerance"), [(4.0, 0.4), (20.0, 0.1), (120.0, 0.1)])
def test_the_wanted_signal_to_noise_is_obtained(snr, tolerance, rng):
    """Of the noiseless flux within 3 %; a faint one's measured median is a little more: S/N is skew over pixels."""
    clean = sun_like(80)
    flux, ivar, mask = expose(clean, np.full(80, snr), LATER[:80], rng)
    whole = mask.mean(axis=1) < 0.01  # the median is over all pixels, before some are lost
    clean, flux, ivar, mask = clean[whole], flux[whole], ivar[whole], mask[whole]
    measure = lambda values: [np.median(v[~m]) for v, m in zip(values * np.sqrt(ivar), mask, strict=True)]  # noqa: E731
    np.testing.assert_allclose(measure(clean), snr, rtol=0.03)
    np.testing.assert_allclose(measure(flux), snr, rtol=tolerance)


def test_third_differences_scatter_as_those_of_real_spectra(rng):
    """The file says by how much, whatever the correlation of neighbours."""
    clean = np.ones((300, N), np.float32)
    flux, ivar, mask = expose(clean, np.full(300, 15.0), LATER[:300], rng)
    with np.load(data_path("noise", "lamost_noise.npz"), allow_pickle=False) as f:
        scale = f["scale"]
    for low, high in ((4450, 4650), (6620, 6750), (8700, 8800)):
        window = slice(*np.searchsorted(LAMOST_GRID.wave, (low, high)))
        whole = ~mask[:, window].any(axis=1)
        sigma = 1 / np.sqrt(ivar[whole, window])
        expected = np.sqrt(sigma[:, :-3] ** 2 + 9 * sigma[:, 1:-2] ** 2 + 9 * sigma[:, 2:-1] ** 2 + sigma[:, 3:] ** 2)
        found = 1.4826 * np.median(np.abs(np.diff(flux[whole, window], 3, axis=1)) / expected)
        assert found == pytest.approx(np.median(scale[window]), rel=0.06)


def test_neighbouring_pixels_share_noise_and_others_do_not(rng):
    noise = _noise(2000, LATER[:1].repeat(2000), rng)
    correlation = [np.mean(noise[:, 1000 : 2000 - lag] * noise[:, 1000 + lag : 2000]) for lag in range(4)]
    correlation = np.array(correlation[1:]) / correlation[0]
    assert 0.04 < correlation[0] < 0.08  # 2 a / (1 + 2 a^2) over a of 0 to 0.06
    assert abs(correlation[1]) < 0.02
    assert abs(correlation[2]) < 0.01


def test_sky_lines_and_the_blue_end_are_noisier(rng):
    _, ivar, mask = expose(np.ones((200, N), np.float32), np.full(200, 20.0), LATER[:200], rng)
    with np.errstate(divide="ignore"):
        sigma = np.nanmedian(np.where(mask, np.nan, 1 / np.sqrt(ivar)), axis=0)
    at = lambda wave: sigma[int(LAMOST_GRID.pixel_of(wave))]  # noqa: E731
    assert at(5578.9) > 1.5 * at(5540)  # [O I] 5577 of the night sky, vacuum
    assert at(3720) > 3 * at(6700)


def test_spectra_are_noisier_where_there_is_more_light():
    """By flux to a power of 0 to 0.35: the share of noise that is the object's own photons differs."""
    flux = np.ones((300, N), np.float32)
    flux[:, 2000:] = 4
    flat = expose(np.ones_like(flux), np.full(300, 50.0), LATER[:300], np.random.default_rng(3))[1]
    step = expose(flux, np.full(300, 50.0), LATER[:300], np.random.default_rng(3))[1]
    known = (flat > 0) & (step > 0)
    ratio = np.sqrt(np.where(known, flat, 1) / np.where(known, step, 1))
    ratio = np.median(ratio[:, 2300:2900], axis=1) / np.median(ratio[:, 1200:1700], axis=1)
    assert 0.9 < ratio.min() < 1.05
    assert 1.45 < ratio.max() < 1.1 * 4**0.35


def test_the_first_pipeline_raises_the_noise_in_strong_lines(rng):
    flux = np.ones((200, N), np.float32)
    flux[:, 1995:2006] = 0.3
    for first, low, high in ((FIRST, 1.3, 3.5), (LATER, 0.6, 1.05)):
        ivar = expose(flux, np.full(200, 50.0), first[:200], np.random.default_rng(3))[1]
        sigma = np.nanmedian(1 / np.sqrt(np.where(ivar > 0, ivar, np.nan)), axis=0)
        assert low < sigma[2000] / sigma[1970] < high


def test_lost_pixels_have_no_information(rng):
    first = draw_pipeline(400, rng)
    flux, ivar, mask = expose(np.ones((400, N), np.float32), np.full(400, 20.0), first, rng)
    emptied = np.array([not one[lost].any() for one, lost in zip(flux, mask, strict=True)])
    assert 0.4 < emptied.mean() < 0.75  # half keep the flux of lost pixels, as many real files do
    assert not ivar[mask].any()
    assert (ivar[~mask] > 0).all()
    assert np.isfinite(flux).all()
    zero = (flux == 0) & ~mask  # at the red end of the later ones
    assert not zero[first].any()
    assert 0.6 < zero[~first].any(axis=1).mean() < 0.8
    assert LAMOST_GRID.wave[np.flatnonzero(zero.any(axis=0))[0]] > 8500
    assert 0.18 < first.mean() < 0.32


def test_cosmic_rays_are_spikes_upward(rng):
    flux, ivar, _ = expose(np.ones((300, N), np.float32), np.full(300, 20.0), LATER[:300], rng)
    pull = (flux - 1) * np.sqrt(ivar)
    pull[(ivar == 0) | (flux == 0)] = 0
    high, low = (pull.max(axis=1) > 15).mean(), (pull.min(axis=1) < -15).mean()
    assert 0.15 < high < 0.4  # in three tenths of the spectra
    assert low < 0.1


def test_median_snr_by_band():
    flux, ivar = np.full((2, N), 2.0), np.full((2, N), 25.0)
    flux[1] = -1
    ivar[0, LAMOST_GRID.wave > 8200] = 100
    ivar[0, (LAMOST_GRID.wave > 5500) & (LAMOST_GRID.wave < 6100)] = 0  # pixels without information do not count
    ivar[1, LAMOST_GRID.wave < 4000] = 0
    bands = median_snr(flux, ivar)
    assert np.isnan(bands["snr_u"][1])
    bands["snr_u"][1] = 0
    assert {name: value.tolist() for name, value in bands.items()} == {
        "snr_u": [10, 0], "snr_g": [10, 0], "snr_r": [10, 0], "snr_i": [10, 0], "snr_z": [20, 0],
    }  # fmt: skip


def test_the_noise_file_holds_what_the_readme_says():
    with np.load(data_path("noise", "lamost_noise.npz"), allow_pickle=False) as f:
        assert f["scale"].shape == (N,)
        for era, n in (("dr1", 81), ("later", 224)):
            assert f[f"{era}_mean"].shape == f[f"{era}_rough"].shape == f[f"{era}_wavy"].shape == (N,)
            assert f[f"{era}_components"].shape == (8, N)
            assert int(f[f"{era}_n"]) == n
            assert (np.diff(f[f"{era}_spread"]) < 0).all()
            components = f[f"{era}_components"]
            np.testing.assert_allclose(components @ components.T, np.eye(8), atol=1e-4)
            assert abs(np.median(f[f"{era}_mean"])) < 0.05
