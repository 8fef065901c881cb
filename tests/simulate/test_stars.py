"""Which stars are drawn: types by temperature, velocities, mixtures."""

import numpy as np
import pytest

from racnet_tools.simulate.scene import observe
from racnet_tools.simulate.stars import draw_stars, stellar_type
from racnet_tools.simulate.templates import stars
from racnet_tools.spectra import LAMOST_GRID


@pytest.mark.parametrize(
    ("teff", "letter"),
    [
        (2500, "M"), (3849, "M"), (3850, "K"), (4889, "K"), (4890, "G"), (5772, "G"), (5980, "F"), (7499, "F"),
        (7500, "A"), (9790, "A"), (10000, "B"), (29999, "B"), (30000, "O"), (45000, "O"),
    ],
)  # fmt: skip
def test_stellar_type_by_temperature(teff, letter):
    assert stellar_type(np.array([teff]))[0] == letter


@pytest.mark.parametrize("letter", ["O", "B", "A", "F", "G", "K", "M"])
def test_stars_of_a_type_have_its_temperatures(letter):
    flux, columns = draw_stars(30, letter, np.random.default_rng(1))
    assert flux.shape == (30, LAMOST_GRID.n_pixels)
    assert (stellar_type(columns["teff"], columns["feh"]) == letter).all()
    assert (columns["subclass"] == letter).all()


def test_a_star_is_a_mixture_of_two_alike_at_its_velocity():
    flux, columns = draw_stars(60, None, np.random.default_rng(2))
    library = stars()
    pairs = np.array([name.split("-")[1:] for name in columns["template"]], int)
    apart = np.log10(library.teff[pairs[:, 0]] / library.teff[pairs[:, 1]])
    assert np.abs(apart).max() < 0.04
    assert (pairs[:, 0] != pairs[:, 1]).mean() > 0.7
    ends = np.sort(library.teff[pairs], axis=1)
    assert ((ends[:, 0] - 0.1 <= columns["teff"]) & (columns["teff"] <= ends[:, 1] + 0.1)).all()
    alone = pairs[:, 0] == pairs[:, 1]
    own = observe(library.flux, library.first_pixel, pairs[alone, 0], columns["z"][alone])
    np.testing.assert_allclose(flux[alone], own, rtol=1e-4, atol=1e-5)
    assert np.abs(columns["z"]).max() <= 300 / 299792.458


def test_metal_poor_stars_have_an_earlier_type():
    assert stellar_type(np.array([5800.0, 5800.0]), np.array([0.0, -0.8])).tolist() == ["G", "F"]
    assert stellar_type(np.array([7100.0, 7100.0]), np.array([0.0, -0.8])).tolist() == ["F", "A"]


def test_the_mixture_of_stars_has_every_type_and_mostly_f_and_g():
    _, columns = draw_stars(1500, None, np.random.default_rng(3))
    share = {letter: (columns["subclass"] == letter).mean() for letter in "OBAFGKM"}
    expected = {"O": 0.01, "B": 0.04, "A": 0.12, "F": 0.25, "G": 0.28, "K": 0.20, "M": 0.10}
    assert share == pytest.approx(expected, abs=0.04)
    assert min(share.values()) > 0


def test_temperatures_run_on_across_the_border_of_f_and_g():
    """Otherwise a network learns the border of the training set's density instead of the spectra's."""
    many = [draw_stars(3000, letter, np.random.default_rng(4))[1] for letter in "FG"]
    near = [(np.abs(one["teff"] - 5980 - 270 * one["feh"].clip(-2.5, 0.5)) < 150).mean() for one in many]
    assert 0.4 < near[0] / near[1] < 2.5
    crowd = np.histogram(np.concatenate([one["teff"] for one in many]), [5000, 5600, 6200, 6800])[0]
    assert crowd[1] > crowd[0]
    assert crowd[1] > 1.25 * crowd[2]
