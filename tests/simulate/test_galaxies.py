"""Which galaxies are drawn: kinds, breaks, nebular lines at their redshift and in the right ratios."""

import numpy as np
import pytest
from rest_frame import WAVE, at_rest

from racnet_tools.simulate.galaxies import KINDS, _smooth, draw_galaxies
from racnet_tools.simulate.nebular import LINES, add_lines, calzetti, line_ratios
from racnet_tools.spectra import LAMOST_GRID

NAMES = list(LINES)


@pytest.fixture(scope="module")
def some_galaxies():
    return draw_galaxies(700, np.random.default_rng(11))


def diagnostics(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Log [N II]/H alpha and log [O III]/H beta (Baldwin, Phillips & Terlevich 1981)."""
    ratios = line_ratios(np.full(2000, kind), np.random.default_rng(3))
    of = {name: ratios[:, number] for number, name in enumerate(NAMES)}
    return np.log10(of["[NII]b"] / of["Halpha"]), np.log10(of["[OIII]b"] / of["Hbeta"])


@pytest.mark.parametrize("kind", ["starforming", "starburst"])
def test_star_formation_lies_below_the_line_of_kauffmann(kind):
    """Kauffmann et al. (2003, MNRAS 346, 1055)."""
    n2, o3 = diagnostics(kind)
    assert (o3 < 0.61 / (n2 - 0.05) + 1.3).all()
    assert np.corrcoef(n2, o3)[0, 1] < -0.8  # metallicity runs along it


def test_starbursts_are_poorer_in_metals():
    assert np.median(diagnostics("starburst")[0]) < np.median(diagnostics("starforming")[0]) - 0.2


@pytest.mark.parametrize("kind", ["seyfert2", "liner"])
def test_nuclei_lie_above_the_line_of_kewley(kind):
    """Kewley et al. (2001) for nearly all, and Kauffmann et al. (2003) for every one."""
    n2, o3 = diagnostics(kind)
    above = (n2 > 0.3) | (o3 > 0.61 / (np.minimum(n2, 0.4) - 0.47) + 1.19)
    assert above.mean() > (0.97 if kind == "seyfert2" else 0.75)
    assert ((n2 > 0) | (o3 > 0.61 / (np.minimum(n2, 0) - 0.05) + 1.3)).all()
    divide = 1.05 * n2 + 0.45  # Schawinski et al. (2007)
    assert (o3 > divide).all() == (kind == "seyfert2")
    assert (o3 < divide).all() == (kind == "liner")


def test_doublets_have_the_ratios_of_atomic_physics():
    ratios = dict(zip(NAMES, line_ratios(np.full(9, "starforming"), np.random.default_rng(1)).T, strict=True))
    np.testing.assert_allclose(ratios["[OIII]b"] / ratios["[OIII]a"], 2.98, rtol=0.01)
    np.testing.assert_allclose(ratios["[NII]b"] / ratios["[NII]a"], 3.05, rtol=0.01)
    np.testing.assert_allclose(ratios["Halpha"], 2.86)
    assert ((ratios["[SII]a"] / ratios["[SII]b"] > 0.44) & (ratios["[SII]a"] / ratios["[SII]b"] < 1.44)).all()


def test_attenuation_is_calzettis():
    """k(V) = R(V) = 4.05, and k(H beta) - k(H alpha) = 1.27 in common use."""
    assert calzetti(np.array(5500.0)) == pytest.approx(4.05, abs=0.02)
    assert calzetti(np.array(4861.3)) - calzetti(np.array(6562.8)) == pytest.approx(1.27, abs=0.02)


@pytest.mark.parametrize("sigma", [100.0, 200.0, 280.0])
def test_velocity_dispersion_widens_a_line_by_its_sigma(sigma):
    line = np.zeros((2, LAMOST_GRID.n_pixels), np.float32)
    line[:, 2000] = 1
    smooth = _smooth(line, np.full(2, sigma))[0]
    offset = np.arange(LAMOST_GRID.n_pixels) - 2000
    assert smooth.sum() == pytest.approx(1, abs=1e-4)
    assert np.sqrt((smooth * offset**2).sum()) * 69.03 == pytest.approx(sigma, rel=0.03)
    flat = _smooth(np.ones((1, LAMOST_GRID.n_pixels), np.float32), np.array([sigma]))
    np.testing.assert_allclose(flat, 1, rtol=1e-5)  # up to the edges


@pytest.mark.parametrize("z", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("dust", [0.0, 0.3])
def test_nebular_lines_have_the_wanted_flux_place_width_and_decrement(z, dust):
    n = 4
    flux = np.zeros((n, LAMOST_GRID.n_pixels), np.float32)
    ratios = np.zeros((n, len(NAMES)))
    ratios[:, NAMES.index("Hbeta")], ratios[:, NAMES.index("Halpha")] = 1, 2.86
    add_lines(flux, np.full(n, z), np.full(n, 10.0), ratios, np.full(n, 100.0), np.full(n, dust))
    step = np.gradient(WAVE)
    near, alpha = (np.abs(WAVE - line * (1 + z)) < 25 for line in (4862.69, 6564.61))
    assert (flux[0] * step)[near].sum() == pytest.approx(10, rel=0.01)
    centre = (WAVE * flux[0])[near].sum() / flux[0][near].sum()
    assert centre == pytest.approx(4862.69 * (1 + z), abs=0.1)
    width = np.sqrt(((WAVE - centre) ** 2 * flux[0])[near].sum() / flux[0][near].sum()) / centre * 299792.458
    assert width == pytest.approx(np.hypot(100, 71), rel=0.03)
    assert (flux[0] * step)[alpha].sum() / 10 == pytest.approx(2.86 * 10 ** (0.4 * 1.27 * dust), rel=0.02)
    assert not flux[:, ~near & ~alpha].any()


def test_starbursts_have_h_alpha_at_their_redshift(some_galaxies):
    flux, columns = some_galaxies
    of = (columns["subclass"] == "starburst") & (columns["z"] < 0.37)
    rest, mean = at_rest(flux[of], columns["z"][of], 6500, 6620)
    assert abs(rest[mean.argmax()] - 6564.61) < 1.5  # one pixel
    assert mean.max() > 2
    rest, mean = at_rest(flux[of], columns["z"][of], 4980, 5030)
    assert abs(rest[mean.argmax()] - 5008.24) < 1.2


def test_seyferts_have_strong_oxygen_and_quiescent_galaxies_a_break(some_galaxies):
    flux, columns = some_galaxies
    kind, z = columns["subclass"], columns["z"]
    strength = {}
    for name in ("seyfert2", "starforming"):
        of = (kind == name) & (z < 0.75)
        rest, mean = at_rest(flux[of], z[of], 4980, 5030)
        strength[name] = mean.max() / np.median(mean)
    assert strength["seyfert2"] > 1.5 * strength["starforming"]
    jump = {}
    for name in ("quiescent", "starburst"):
        rest, mean = at_rest(flux[kind == name], z[kind == name], 3840, 4110)
        jump[name] = mean[rest > 4000].mean() / mean[rest < 3950].mean()
    assert jump["quiescent"] > 1.5
    assert jump["starburst"] < 1.25


def test_galaxies_stay_within_their_redshifts_and_kinds(some_galaxies):
    flux, columns = some_galaxies
    assert np.isfinite(flux).all()
    assert flux.min() >= 0
    assert columns["z"].min() >= 0.0005
    assert columns["z"].max() <= 1.0
    assert 0.07 < np.median(columns["z"]) < 0.2
    assert (columns["z"] > 0.7).mean() > 0.05
    share = [(columns["subclass"] == k).mean() for k in KINDS]
    np.testing.assert_allclose(share, list(KINDS.values()), atol=0.06)
