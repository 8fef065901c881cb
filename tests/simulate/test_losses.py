"""Which pixels are lost, against the numbers stated."""

import numpy as np

from racnet_tools.simulate.losses import lost_pixels
from racnet_tools.spectra import LAMOST_GRID

N = LAMOST_GRID.n_pixels
WAVE = LAMOST_GRID.wave


def drawn(first: bool, snr: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    return lost_pixels(np.full(1500, first), np.full(1500, snr), np.full(1500, snr / 3), np.random.default_rng(6))


def test_the_first_pipeline_loses_the_a_band_the_red_end_and_blue_holes():
    mask, zero = drawn(True)
    a_band = mask[:, (WAVE > 7585) & (WAVE < 7665)].all(axis=1)
    assert a_band.mean() > 0.995
    assert (mask[:, -6:]).all()
    assert 0.3 < mask[:, 10:15].all(axis=1).mean() < 0.5  # 35 % begin late
    join = mask[:, (WAVE > 5720) & (WAVE < 5725)].all(axis=1)
    assert 0.08 < join.mean() < 0.2
    holes = (np.diff(mask[:, :1500].astype(int), axis=1) == 1).sum(axis=1)
    assert 6 < np.median(holes) < 16
    assert not zero.any()


def test_later_pipelines_lose_little():
    mask, zero = drawn(False)
    assert 0.93 < (~mask[:, 0]).mean() < 0.99
    assert np.median(mask.mean(axis=1)) < 0.001
    assert 0.6 < zero.any(axis=1).mean() < 0.75
    length = zero.sum(axis=1)[zero.any(axis=1)]
    assert 5 < np.median(length) < 12
    assert not (zero & mask).any()


def test_faint_spectra_lose_more():
    bright, faint = (drawn(False, snr)[0].mean() for snr in (40.0, 5.0))
    assert faint > 1.15 * bright


def test_the_first_pipeline_loses_the_blue_of_red_stars():
    rng = np.random.default_rng(6)
    red, blue = (lost_pixels(np.ones(800, bool), np.full(800, 30.0), np.full(800, s), rng)[0] for s in (1.5, 20.0))
    assert red[:, :700].mean() > 2 * blue[:, :700].mean()


def test_something_is_always_left():
    mask, _ = lost_pixels(np.arange(4000) % 2 == 0, np.full(4000, 3.0), np.ones(4000), np.random.default_rng(9))
    assert not mask.all(axis=1).any()
