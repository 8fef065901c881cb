"""Augmentation: each change is of the size it says, follows the spectrum's errors, and depends on the seed alone."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.training import Augmentation
from racnet_tools.training.augmentation import augmented

NONE = {"noise": 0.0, "shift": 0, "tilt": 0.0, "gap": 0}
N = 300


def spectra(n=N, n_pixels=400):
    wave = LAMOST_GRID.wave[:n_pixels]
    flux = 3 + np.sin(np.arange(n_pixels) / 9) * np.ones((n, 1))
    return SpectrumSet(wave, flux, np.full(flux.shape, 25.0))


def change(given, epoch=0, seed=5, **how):
    n = len(given)
    return augmented(given, np.arange(n), np.zeros(n, int), Augmentation(**{**NONE, **how}), seed=seed, epoch=epoch)


def test_nothing_asked_for_changes_nothing():
    given = spectra(3)
    found = change(given)
    assert np.array_equal(found.flux, given.flux) and np.array_equal(found.ivar, given.ivar)
    assert np.array_equal(found.mask, given.mask)


def test_noise_follows_the_errors():
    """Standard deviation a / sqrt(25) with a even between 0 and 0.8, and what is left of the ivar says so."""
    given = spectra()
    found = change(given, noise=0.8)
    a = (found.flux - given.flux).std(axis=1) * 5
    assert a.max() < 0.9 and a.mean() == pytest.approx(0.4, abs=0.05)
    assert found.ivar[:, 0] == pytest.approx(25 / (1 + a**2), rel=0.12)
    assert ((found.flux - given.flux) / a[:, None]).mean() == pytest.approx(0, abs=0.01)


def test_noise_is_larger_where_the_errors_are():
    given = spectra(50)
    given.ivar[:, 200:] = 1.0
    left, right = np.split(change(given, noise=0.8).flux - given.flux, 2, axis=1)
    assert right.std() / left.std() == pytest.approx(5, rel=0.05)


def test_bad_and_zero_pixels_get_no_noise():
    given = spectra(4)
    given.flux[:, 7] = 0
    given = SpectrumSet(given.wave, given.flux, np.where(np.arange(400) == 9, 0, given.ivar))
    found = change(given, noise=0.8)
    assert (found.flux[:, 7] == 0).all() and found.mask[:, 9].all() and np.isfinite(found.flux).all()


def test_shifts_are_whole_pixels_with_nothing_at_the_edge():
    given = spectra()
    found = change(given, shift=2)
    seen = set()
    for was, now, bad in zip(given.flux, found.flux, found.mask, strict=True):
        (k,) = (k for k in range(-2, 3) if np.array_equal(now[5:-5], np.roll(was, k)[5:-5]))
        seen.add(k)
        edge = np.arange(400) < k if k > 0 else np.arange(400) >= 400 + k
        assert np.array_equal(bad, edge)
    assert seen == {-2, -1, 0, 1, 2}


def test_tilts_are_smooth_and_small_and_keep_the_signal_to_noise():
    given = spectra()
    found = change(given, tilt=0.2)
    factor = found.flux / given.flux
    assert 0.6 <= factor.min() < 0.7 and 1.3 < factor.max() <= 1.4
    assert np.abs(np.diff(factor, n=3, axis=1)).max() < 1e-5
    assert np.allclose(found.flux * np.sqrt(found.ivar), given.flux * 5, rtol=1e-4)


def test_gaps_are_two_stretches():
    found = change(spectra(), gap=30)
    for bad in found.mask:
        edges = np.diff(np.concatenate([[0], bad, [0]]).astype(int))
        lengths = np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)
        assert len(lengths) <= 2 and lengths.sum() <= 60
    assert found.mask.any(axis=1).mean() > 0.9 and (found.ivar[found.mask] == 0).all()


def test_the_last_good_pixels_are_never_lost():
    given = spectra(200)
    given = SpectrumSet(given.wave, given.flux, np.where(np.arange(400) == 200, given.ivar, 0))
    found = change(given, shift=3, gap=390)
    assert (~found.mask).any(axis=1).all()
    Preprocessing()(found)


def test_the_same_seed_epoch_and_spectrum_change_alike_whatever_else_is_in_the_batch():
    given, rows = spectra(6), np.array([11, 4, 7, 2, 9, 30])
    all_of_them = Augmentation()
    whole = augmented(given, rows, np.zeros(6, int), all_of_them, seed=1, epoch=2)
    part = augmented(given[[4, 1]], rows[[4, 1]], np.zeros(2, int), all_of_them, seed=1, epoch=2)
    assert np.array_equal(whole.flux[[4, 1]], part.flux) and np.array_equal(whole.mask[[4, 1]], part.mask)
    for other in ({"seed": 2, "epoch": 2}, {"seed": 1, "epoch": 3}):
        assert not np.array_equal(augmented(given, rows, np.zeros(6, int), all_of_them, **other).flux, whole.flux)
    copies = augmented(given, rows, np.ones(6, int), all_of_them, seed=1, epoch=2)
    assert not np.array_equal(copies.flux, whole.flux)
    assert np.array_equal(given.flux, spectra(6).flux)  # the given ones are as they were


@pytest.mark.parametrize(
    "how", [{"noise": -1.0}, {"noise": float("nan")}, {"tilt": 0.5}, {"shift": 1.5}, {"gap": -1}, {"shift": True}]
)
def test_bad_settings_are_refused(how):
    (name,) = how
    with pytest.raises(RacnetError, match=f"Received: {name}="):
        Augmentation(**how)
