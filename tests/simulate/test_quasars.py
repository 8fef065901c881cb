"""Which quasars are drawn: broad lines, the forest, the Lyman limit."""

import numpy as np
import pytest
from rest_frame import WAVE, at_rest

from racnet_tools.simulate import quasars
from racnet_tools.simulate.quasars import draw_quasars


@pytest.fixture(scope="module")
def some_quasars():
    return draw_quasars(400, np.random.default_rng(12))


@pytest.mark.parametrize(
    ("line", "half", "tolerance"), [(1549.5, 60, 8), (1908.7, 60, 10), (2799.1, 90, 6)], ids=["C IV", "C III]", "Mg II"]
)
def test_quasars_have_broad_lines_at_their_redshift(line, half, tolerance, some_quasars):
    flux, columns = some_quasars
    rest, mean = at_rest(flux, columns["z"], line - half, line + half)
    continuum = np.interp(rest, rest[[0, -1]], [mean[:20].mean(), mean[-20:].mean()])
    profile = mean / continuum - 1
    assert abs(rest[profile.argmax()] - line) < tolerance
    width = np.ptp(rest[profile > profile.max() / 2]) / line * 299792.458
    assert 2000 < width < 15000  # km/s, full width at half maximum


def test_quasars_have_broad_h_alpha(some_quasars):
    flux, columns = some_quasars
    rest, mean = at_rest(flux, columns["z"], 6350, 6800)
    assert abs(rest[mean.argmax()] - 6564.61) < 5
    assert np.ptp(rest[mean > (mean.max() + mean.min()) / 2]) / 6564.61 * 299792.458 > 2000


def test_quasars_are_dark_beyond_the_lyman_limit(some_quasars):
    flux, columns = some_quasars
    assert np.isfinite(flux).all()
    assert columns["z"].min() >= 0.05
    assert columns["z"].max() <= 4.6
    rest = WAVE[None] / (1 + columns["z"][:, None])
    assert (rest < 911.75).any()
    assert not flux[rest < 911.75].any()


def test_the_forest_dims_quasars_blueward_of_lyman_alpha_alone(monkeypatch):
    flux, columns = draw_quasars(60, np.random.default_rng(8))
    monkeypatch.setattr(quasars, "forest_transmission", lambda wave, z, rng: np.ones_like(wave))
    clear, same = draw_quasars(60, np.random.default_rng(8))
    assert np.array_equal(columns["z"], same["z"])
    rest = WAVE[None] / (1 + columns["z"][:, None])
    assert np.array_equal(flux[rest > 1216], clear[rest > 1216])
    far = (columns["z"] > 2.4)[:, None] & (rest > 1050) & (rest < 1190)
    assert 0.5 < flux[far].sum() / clear[far].sum() < 0.9
