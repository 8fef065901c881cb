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
