"""Which quasars are drawn: broad lines, the forest, broad absorption, dust; look-alikes are joined."""

import numpy as np
import pytest
from rest_frame import WAVE, at_rest

from racnet_tools.simulate import quasars
from racnet_tools.simulate.outflows import broad_absorption, smc_extinction
from racnet_tools.simulate.quasars import draw_quasars


@pytest.fixture(scope="module")
def some_quasars():
    return draw_quasars(700, np.random.default_rng(12))


@pytest.fixture(scope="module")
def ordinary(some_quasars):
    flux, columns = some_quasars
    return flux[columns["subclass"] == ""], columns["z"][columns["subclass"] == ""]


def mean_level(flux: np.ndarray, z: np.ndarray, low: float, high: float) -> np.ndarray:
    rest = WAVE[None] / (1 + z)[:, None]
    inside = (rest > low) & (rest < high)
    return (flux * inside).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("line", "half", "tolerance"), [(1549.5, 60, 8), (1908.7, 60, 10), (2799.1, 90, 6)], ids=["C IV", "C III]", "Mg II"]
)
def test_quasars_have_broad_lines_at_their_redshift(line, half, tolerance, ordinary):
    rest, mean = at_rest(*ordinary, line - half, line + half)
    continuum = np.interp(rest, rest[[0, -1]], [mean[:20].mean(), mean[-20:].mean()])
    profile = mean / continuum - 1
    assert abs(rest[profile.argmax()] - line) < tolerance
    width = np.ptp(rest[profile > profile.max() / 2]) / line * 299792.458
    assert 2000 < width < 15000  # km/s, full width at half maximum


def test_quasars_have_broad_h_alpha(ordinary):
    flux, z = ordinary
    rest, mean = at_rest(flux, z, 6350, 6800)
    assert abs(rest[mean.argmax()] - 6564.61) < 5
    assert np.ptp(rest[mean > (mean.max() + mean.min()) / 2]) / 6564.61 * 299792.458 > 2000


def test_equivalent_widths_are_near_those_of_the_composite(ordinary):
    """Vanden Berk et al. (2001), table 2: C IV 24, Mg II 32, H beta 46 A; half to twice, as their windows differ."""
    for line, blue, red, half, expected in (
        (1549, (1440, 1480), (1690, 1710), 60, 24),
        (2799, (2690, 2720), (2890, 2920), 70, 32),
        (4862, (4740, 4780), (5060, 5090), 70, 46),
    ):
        rest, mean = at_rest(*ordinary, blue[0], red[1])
        ends = [mean[(rest > a) & (rest < b)].mean() for a, b in (blue, red)]
        near = np.abs(rest - line) < half
        continuum = np.interp(rest[near], [np.mean(blue), np.mean(red)], ends)
        width = ((mean[near] / continuum - 1) * np.gradient(rest)[near]).sum()
        assert 0.5 * expected < width < 2 * expected


def test_the_continuum_has_the_slope_of_the_composite(ordinary):
    """Vanden Berk et al. (2001): F_lambda goes as lambda^-1.54 from 1350 to 4230 Angstrom."""
    flux, z = ordinary
    use = (z > 3700 / 1440 - 1) & (z < 9099 / 2250 - 1)
    ratio = mean_level(flux[use], z[use], 1440, 1480) / mean_level(flux[use], z[use], 2190, 2240)
    assert np.median(np.log(ratio) / np.log(1460 / 2215)) == pytest.approx(-1.54, abs=0.35)


@pytest.mark.parametrize(("low", "high", "transmission"), [(2.55, 3.0, 0.79), (3.0, 3.5, 0.70), (3.5, 4.0, 0.58)])
def test_light_below_lyman_alpha_is_the_continuum_times_the_forests_mean(low, high, transmission, ordinary):
    """Mean transmission at the forest's own redshifts from Becker et al. (2013), continuum by the red side's slope."""
    flux, z = ordinary
    use = (z > low) & (z < high)
    assert use.sum() > 15
    forest, red, far = (mean_level(flux[use], z[use], *window) for window in ((1060, 1160), (1440, 1480), (1680, 1710)))
    slope = np.log(far / red) / np.log(1695 / 1460)
    ratio = forest / (red * (1216 / 1460) ** slope * (1110 / 1216) ** -0.55)
    assert np.median(ratio) == pytest.approx(transmission, rel=0.14)


def test_look_alikes_are_joined():
    """In the overlap the two stretches of one quasar differ far less than those of two at random."""
    basis, library = quasars._basis(), quasars.quasars()
    overlap = slice(*np.searchsorted(quasars._REST, (2250, 2900)))
    rng = np.random.default_rng(2)
    uv, optical = quasars._pairs(np.full(300, 2.0), rng)

    def difference(a, b):
        gap = (
            library.uv_coefficients[a] @ basis.uv[:, overlap]
            - library.optical_coefficients[b] @ (basis.optical[:, overlap])
        )
        return np.median((gap - gap.mean(axis=1, keepdims=True)).std(axis=1))

    assert difference(uv, optical) < 0.5 * difference(uv, rng.permutation(optical))
    assert difference(uv, optical) < 0.05


def test_redshifts_and_kinds(some_quasars):
    flux, columns = some_quasars
    assert np.isfinite(flux).all()
    assert flux.min() >= 0
    z, kind = columns["z"], columns["subclass"]
    assert z.min() >= 0.05
    assert z.max() <= 5.0
    assert 0.1 < (z > 3).mean() < 0.35
    assert (kind == "BAL").mean() == pytest.approx(0.12, abs=0.04)
    assert 0.002 < (kind == "type2").mean() < 0.03
    assert z[kind == "type2"].max() < 0.8
    assert (kind == "reddened").mean() == pytest.approx(0.10, abs=0.04)


def test_reddened_quasars_are_redder(some_quasars):
    flux, columns = some_quasars
    z = columns["z"]
    use = (z > 0.7) & (z < 1.8)
    colour = mean_level(flux, z, 2200, 2400) / mean_level(flux, z, 3000, 3100)
    red, plain = (np.median(colour[use & (columns["subclass"] == k)]) for k in ("reddened", ""))
    assert red < 0.85 * plain


def test_broad_absorption_lies_blueward_of_c_iv(some_quasars):
    flux, columns = some_quasars
    z, kind = columns["z"], columns["subclass"]
    use = (z > 1.9) & (z < 4)
    trough = mean_level(flux[use], z[use], 1465, 1530) / mean_level(flux[use], z[use], 1600, 1640)
    assert np.median(trough[kind[use] == "BAL"]) < 0.85 * np.median(trough[kind[use] == ""])
    rest = 10 ** np.arange(3.0, 3.6, 2e-4)
    one = np.ones((8, len(rest)), np.float32)
    broad_absorption(one, rest, np.arange(1, 8), np.random.default_rng(3))
    assert (one[0] == 1).all()
    assert (one[1:].min(axis=1) < 0.8).all()
    assert (one[:, rest > 2800] == 1).all()
    absorbed = (one < 0.9).sum(axis=1) * 2e-4 * np.log(10) * 299792  # over all lines
    assert (absorbed[1:] > 2000).all()


def test_smc_dust_has_the_bars_values():
    """Gordon et al. (2003, ApJ 594, 279), SMC bar, R(V) 2.74: A(B)/E(B-V) 3.74; far ultraviolet (1500 A) about 14."""
    assert smc_extinction(np.array([5500.0]))[0] == pytest.approx(2.8, abs=0.15)
    assert smc_extinction(np.array([1500.0]))[0] == pytest.approx(13.5, abs=1.0)


def test_the_forest_dims_quasars_blueward_of_lyman_alpha_alone(monkeypatch):
    flux, columns = draw_quasars(60, np.random.default_rng(8))
    monkeypatch.setattr(quasars, "intergalactic_transmission", lambda z, rng: np.ones((len(z), len(WAVE))))
    clear, same = draw_quasars(60, np.random.default_rng(8))
    assert np.array_equal(columns["z"], same["z"])
    rest = WAVE[None] / (1 + columns["z"][:, None])
    np.testing.assert_allclose(flux[rest > 1350], clear[rest > 1350], rtol=1e-2)
    far = (columns["z"] > 2.4)[:, None] & (rest > 1050) & (rest < 1190)
    assert 0.3 < flux[far].sum() / clear[far].sum() < 0.9


def test_type_2_have_narrow_strong_oxygen_and_no_broad_lines():
    flux, columns = draw_quasars(4000, np.random.default_rng(5))
    of = (columns["subclass"] == "type2") & (columns["z"] < 0.75)
    rest, mean = at_rest(flux[of], columns["z"][of], 4750, 5050)
    assert abs(rest[mean.argmax()] - 5008.24) < 1.2
    assert mean.max() > 4 * np.median(mean)
    assert mean[np.abs(rest - 4900) < 6].mean() < 1.15 * mean[np.abs(rest - 4780) < 20].mean()  # H beta's broad wing
