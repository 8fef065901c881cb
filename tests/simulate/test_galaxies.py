"""Which galaxies are drawn: kinds, breaks, nebular lines at their redshift."""

import numpy as np
import pytest
from rest_frame import WAVE, at_rest

from racnet_tools.simulate.galaxies import _smooth, draw_galaxies
from racnet_tools.simulate.nebular import add_lines
from racnet_tools.spectra import LAMOST_GRID


@pytest.fixture(scope="module")
def some_galaxies():
    return draw_galaxies(400, np.random.default_rng(11))


def test_velocity_dispersion_widens_a_line_by_its_sigma():
    line = np.zeros((3, LAMOST_GRID.n_pixels), np.float32)
    line[:, 2000] = 1
    sigma = np.array([100.0, 200.0, 280.0])
    smooth = _smooth(line, sigma)
    offset = np.arange(LAMOST_GRID.n_pixels) - 2000
    np.testing.assert_allclose(smooth.sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(np.sqrt((smooth * offset**2).sum(axis=1)) * 69.03, sigma, rtol=0.03)


@pytest.mark.parametrize("z", [0.0, 0.1, 0.3])
def test_nebular_lines_have_the_wanted_equivalent_width_and_place(z):
    n = 300
    continuum = (WAVE / 4862.69) ** 3
    flux = np.tile(continuum.astype(np.float32), (n, 1))
    add_lines(flux, np.full(n, z), np.full(n, 10.0), np.zeros(n, bool), np.random.default_rng(5))
    added = np.median((flux - continuum.astype(np.float32)) * np.gradient(WAVE), axis=0)
    near = np.abs(WAVE - 4862.69 * (1 + z)) < 12
    assert added[near].sum() == pytest.approx(10 * (1 + z) * (1 + z) ** 3, rel=0.15)  # lines scatter by 0.35 in ln
    assert (WAVE * added)[near].sum() / added[near].sum() == pytest.approx(4862.69 * (1 + z), abs=0.3)
    alpha = np.abs(WAVE - 6564.61 * (1 + z)) < 12
    assert 2.4 < added[alpha].sum() / added[near].sum() < 4.2  # 2.86 and some dust
    quiet = np.abs(WAVE - 5300 * (1 + z)) < 100
    assert not added[quiet].any()


def test_starbursts_have_h_alpha_at_their_redshift(some_galaxies):
    flux, columns = some_galaxies
    of = (columns["subclass"] == "starburst") & (columns["z"] < 0.37)
    rest, mean = at_rest(flux[of], columns["z"][of], 6500, 6620)
    assert abs(rest[mean.argmax()] - 6564.61) < 1.5  # one pixel
    assert mean.max() > 2
    rest, mean = at_rest(flux[of], columns["z"][of], 4980, 5030)
    assert abs(rest[mean.argmax()] - 5008.24) < 1.2


def test_active_nuclei_have_strong_oxygen_and_quiescent_galaxies_a_break(some_galaxies):
    flux, columns = some_galaxies
    kind, z = columns["subclass"], columns["z"]
    strength = {}
    for name in ("active", "starforming"):
        of = kind == name
        oxygen, beta = (at_rest(flux[of], z[of], line - 30, line + 30)[1].max() - 1 for line in (5008.24, 4862.69))
        strength[name] = oxygen / beta
    assert strength["active"] > 2 * strength["starforming"]
    jump = {}
    for name in ("quiescent", "starburst"):
        rest, mean = at_rest(flux[kind == name], z[kind == name], 3840, 4110)
        jump[name] = mean[rest > 4000].mean() / mean[rest < 3950].mean()
    assert jump["quiescent"] > 1.25 > jump["starburst"] + 0.1


def test_galaxies_stay_within_their_redshifts_and_kinds(some_galaxies):
    flux, columns = some_galaxies
    assert np.isfinite(flux).all()
    assert columns["z"].min() >= 0.0005
    assert columns["z"].max() <= 0.68
    share = [(columns["subclass"] == k).mean() for k in ("quiescent", "starforming", "starburst", "active")]
    np.testing.assert_allclose(share, [0.42, 0.33, 0.12, 0.13], atol=0.08)
