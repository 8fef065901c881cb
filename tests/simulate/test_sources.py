"""What is drawn: stars by temperature, galaxies with lines at their redshift, quasars with broad ones."""

import numpy as np
import pytest

from racnet_tools.simulate import sources
from racnet_tools.simulate.scene import observe
from racnet_tools.simulate.sources import (
    _add_lines,
    _smooth,
    draw_galaxies,
    draw_quasars,
    draw_stars,
    stellar_type,
)
from racnet_tools.simulate.templates import stars
from racnet_tools.spectra import LAMOST_GRID

WAVE = LAMOST_GRID.wave


def at_rest(flux: np.ndarray, z: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Rest wavelengths and mean of the spectra that cover them, each over its own mean there."""
    rest = np.exp(np.arange(np.log(low), np.log(high), 2.3e-4))  # one pixel
    covers = (low * (1 + z) > WAVE[0]) & (high * (1 + z) < WAVE[-1])
    assert covers.sum() > 20
    rows = [np.interp(rest * (1 + one), WAVE, row) for one, row in zip(z[covers], flux[covers], strict=True)]
    return rest, np.mean([row / row.mean() for row in rows], axis=0)


@pytest.fixture(scope="module")
def some_galaxies():
    return draw_galaxies(400, np.random.default_rng(11))


@pytest.fixture(scope="module")
def some_quasars():
    return draw_quasars(400, np.random.default_rng(12))


@pytest.mark.parametrize(
    ("teff", "letter"),
    [
        (2500, "M"), (3849, "M"), (3850, "K"), (5049, "K"), (5050, "G"), (5772, "G"), (5850, "F"), (7199, "F"),
        (7200, "A"), (9790, "A"), (10000, "B"), (29999, "B"), (30000, "O"), (45000, "O"),
    ],
)  # fmt: skip
def test_stellar_type_by_temperature(teff, letter):
    assert stellar_type(np.array([teff]))[0] == letter


@pytest.mark.parametrize("letter", ["O", "B", "A", "F", "G", "K", "M"])
def test_stars_of_a_type_have_its_temperatures(letter):
    flux, columns = draw_stars(30, letter, np.random.default_rng(1))
    assert flux.shape == (30, LAMOST_GRID.n_pixels)
    assert (stellar_type(columns["teff"]) == letter).all()
    assert (columns["subclass"] == letter).all()


def test_a_star_is_its_template_at_its_velocity():
    flux, columns = draw_stars(5, None, np.random.default_rng(2))
    library = stars()
    index = np.array([int(name.removeprefix("star-")) for name in columns["template"]])
    assert np.array_equal(flux, observe(library.flux, library.first_pixel, index, columns["z"]))
    assert np.array_equal(columns["teff"], library.teff[index])
    assert np.abs(columns["z"]).max() <= 300 / 299792.458


def test_the_mixture_of_stars_has_every_type_and_mostly_f_and_g():
    _, columns = draw_stars(1500, None, np.random.default_rng(3))
    share = {letter: (columns["subclass"] == letter).mean() for letter in "OBAFGKM"}
    expected = {"O": 0.01, "B": 0.05, "A": 0.16, "F": 0.24, "G": 0.26, "K": 0.18, "M": 0.10}
    assert share == pytest.approx(expected, abs=0.04)
    assert min(share.values()) > 0


def test_temperatures_within_a_type_are_even():
    library = stars()
    own = library.teff[stellar_type(library.teff) == "F"]
    edges = np.linspace(np.log10(own.min()), np.log10(own.max()), 6)
    drawn = np.log10(draw_stars(1500, "F", np.random.default_rng(4))[1]["teff"])
    np.testing.assert_allclose(np.histogram(drawn, edges)[0] / 1500, 0.2, atol=0.06)
    crowd = np.histogram(np.log10(own), edges)[0] / len(own)
    assert np.abs(crowd - 0.2).max() > 0.1  # the library itself is not


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
    _add_lines(flux, np.full(n, z), np.full(n, 10.0), np.zeros(n, bool), np.random.default_rng(5))
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
    monkeypatch.setattr(sources, "forest_transmission", lambda wave, z, rng: np.ones_like(wave))
    clear, same = draw_quasars(60, np.random.default_rng(8))
    assert np.array_equal(columns["z"], same["z"])
    rest = WAVE[None] / (1 + columns["z"][:, None])
    assert np.array_equal(flux[rest > 1216], clear[rest > 1216])
    far = (columns["z"] > 2.4)[:, None] & (rest > 1050) & (rest < 1190)
    assert 0.5 < flux[far].sum() / clear[far].sum() < 0.9


def test_draws_repeat_with_their_seed():
    for draw in (draw_galaxies, draw_quasars, lambda n, rng: draw_stars(n, None, rng)):
        one, same, other = (draw(4, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
        assert one.tobytes() == same.tobytes()
        assert one.tobytes() != other.tobytes()
