"""The Lyman forest and limits against published numbers."""

import numpy as np
import pytest

from racnet_tools.simulate import igm
from racnet_tools.simulate.igm import intergalactic_transmission, mean_depth
from racnet_tools.spectra import LAMOST_GRID


@pytest.mark.parametrize(("z", "transmission"), [(2.2, 0.85), (3.0, 0.68), (4.0, 0.42)])
def test_mean_transmission_is_the_measured_one(z, transmission):
    """Becker et al. (2013), table 2, and Faucher-Giguere et al. (2008)."""
    assert np.exp(-mean_depth(z)) == pytest.approx(transmission, abs=0.03)


@pytest.mark.parametrize("z", [2.6, 3.2, 4.2])
def test_the_forest_has_its_mean_transmission(z):
    """Over many lines of sight; damped systems take away a few per cent more."""
    through = intergalactic_transmission(np.full(250, z), np.random.default_rng(4))
    rest = LAMOST_GRID.wave / (1 + z)
    at = (rest > 1060) & (rest < 1160)
    expected = np.exp(-mean_depth(LAMOST_GRID.wave[at] / 1215.67 - 1)).mean()
    assert 0.9 * expected < through[:, at].mean() < 1.02 * expected
    assert 0.15 < through[:, at].std() / through[:, at].mean() < 0.8


def test_it_spares_the_red_and_darkens_beyond_the_limit():
    z = np.array([0.3, 2.5, 3.5, 4.8] * 20)
    through = intergalactic_transmission(z, np.random.default_rng(2))
    rest = LAMOST_GRID.wave[None] / (1 + z)[:, None]
    assert through.dtype == np.float32
    assert through.min() >= 0
    assert through.max() <= 1 + 1e-5
    assert (through[z == 0.3] == 1).all()
    assert np.median(through[rest > 1240]) == 1
    high = z == 4.8
    assert through[high][rest[high] < 800].mean() < 0.05
    assert through[high][(rest[high] > 1050) & (rest[high] < 1190)].mean() > 0.1


def test_it_repeats_with_its_seed():
    one, same, other = (intergalactic_transmission(np.array([3.0]), np.random.default_rng(k)) for k in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_limit_system_drawn_below_redshift_zero_absorbs_nothing_of_its_own():
    class Far:
        def exponential(self, scale):
            return 30.0

        def lognormal(self, mean, sigma):
            return 5.0

    through = np.ones(LAMOST_GRID.n_pixels, np.float32)
    igm._limit(through, 3.2, Far())
    assert np.isfinite(through).all()
    end = np.searchsorted(LAMOST_GRID.wave, 911.75 * 4.2)
    np.testing.assert_allclose(through[:end], np.exp(-8 * (1 - LAMOST_GRID.wave[:end] / (911.75 * 4.2))), rtol=1e-3)
    assert (through[end:] == 1).all()
