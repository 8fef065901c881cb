"""Redshift, dust and the intergalactic medium against known answers."""

import numpy as np
import pytest

from racnet_tools.simulate.scene import extinction_ccm89, observe, sodium_transmission
from racnet_tools.spectra import LAMOST_GRID

FIRST = -100  # pixel of the LAMOST grid at which the test templates start
N_TEMPLATE = LAMOST_GRID.n_pixels + 200


def gaussian(centre: float, sigma: float = 2.0) -> np.ndarray:
    """(1, n) template with a line at a pixel of the LAMOST grid."""
    pixels = FIRST + np.arange(N_TEMPLATE)
    return np.exp(-0.5 * ((pixels - centre) / sigma) ** 2).astype(np.float32)[None]


def centroid(flux: np.ndarray) -> float:
    return float((flux * np.arange(len(flux))).sum() / flux.sum())


def redshift_of(pixels: float) -> float:
    return 10 ** (LAMOST_GRID.step * pixels) - 1


def test_no_velocity_gives_the_templates_own_pixels(rng):
    template = rng.normal(1, 0.3, (3, N_TEMPLATE)).astype(np.float32)
    observed = observe(template, FIRST, np.array([2, 0]), np.zeros(2))
    assert np.array_equal(observed, template[[2, 0], -FIRST : -FIRST + LAMOST_GRID.n_pixels])


@pytest.mark.parametrize("pixels", [1, 37, -1, -80])
def test_a_whole_shift_moves_pixels_unchanged(pixels, rng):
    template = rng.normal(1, 0.3, (1, N_TEMPLATE)).astype(np.float32)
    observed = observe(template, FIRST, np.array([0]), np.array([redshift_of(pixels)]))[0]
    np.testing.assert_allclose(observed, template[0, -FIRST - pixels :][: LAMOST_GRID.n_pixels], atol=2e-6)


@pytest.mark.parametrize("pixels", [0.1, 0.5, 0.83, 12.25, -0.4, -57.6])
def test_a_fractional_shift_puts_a_line_on_its_pixel(pixels):
    observed = observe(gaussian(2000), FIRST, np.array([0]), np.array([redshift_of(pixels)]))[0]
    assert centroid(observed) == pytest.approx(2000 + pixels, abs=0.02)
    assert observed.sum() == pytest.approx(gaussian(2000).sum(), rel=1e-3)
    np.testing.assert_allclose(observed, gaussian(2000 + pixels)[0, -FIRST:][: LAMOST_GRID.n_pixels], atol=0.02)


@pytest.mark.parametrize("z", [0.0, 0.05, 0.2])
def test_h_alpha_lands_at_its_observed_wavelength(z):
    observed = observe(gaussian(LAMOST_GRID.pixel_of(6564.61)), FIRST, np.array([0]), np.array([z]))[0]
    assert centroid(observed) == pytest.approx(LAMOST_GRID.pixel_of(6564.61 * (1 + z)), abs=0.02)


def test_beyond_the_template_its_last_value_is_held():
    template = np.linspace(1, 2, N_TEMPLATE, dtype=np.float32)[None]
    red, blue = observe(template, FIRST, np.zeros(2, int), np.array([redshift_of(150), redshift_of(-150)]))
    assert (red[:50] == 1).all()
    assert (blue[-50:] == 2).all()
    assert red[53] > 1
    assert blue[-53] < 2


# Cardelli, Clayton & Mathis (1989), table 3: x = 1/lambda (1/micron) and A(lambda)/A(V) for R_V = 3.1. In B the
# paper's own polynomial differs from its table by 1 %: a(2.27) = b(2.27) = 1, so that E(B-V) closes.
@pytest.mark.parametrize(
    ("x", "ratio", "tolerance"),
    [(2.78, 1.569, 0.005), (2.27, 1.337, 0.015), (1.82, 1.0, 1e-6), (1.43, 0.751, 0.005), (1.11, 0.479, 0.01)],
    ids="UBVRI",
)
def test_extinction_is_the_published_one(x, ratio, tolerance):
    assert extinction_ccm89(np.array([1e4 / x]))[0] / 3.1 == pytest.approx(ratio, abs=tolerance)


@pytest.mark.parametrize("r_v", [2.5, 3.1, 5.0])
def test_extinction_of_v_is_r_v_and_that_of_b_one_more(r_v):
    b, v = extinction_ccm89(np.array([1e4 / 2.27, 1e4 / 1.82]), r_v)
    assert v == pytest.approx(r_v, rel=1e-9)
    assert b - v == pytest.approx(1.0, abs=1e-3)


def test_extinction_at_h_beta_and_h_alpha():
    """The values in common use for the Balmer decrement: k(H beta) = 3.61, k(H alpha) = 2.53."""
    np.testing.assert_allclose(extinction_ccm89(np.array([4862.69, 6564.61])), [3.61, 2.53], atol=0.01)


def test_extinction_falls_redward_and_is_held_outside_the_formula():
    curve = extinction_ccm89(LAMOST_GRID.wave)
    assert (np.diff(curve) <= 0).all()
    assert extinction_ccm89(np.array([9500.0]))[0] == extinction_ccm89(np.array([1e4 / 1.1]))[0]


def test_interstellar_sodium_has_the_width_that_its_dust_calls_for():
    """E(B-V) of 0.1 comes with 0.726 Angstrom, of 1 with 1.58 (Poznanski et al. 2012); none without dust."""
    for ebv, expected in ((0.1, 0.726), (1.0, 1.581), (0.0, 0.0)):
        near, transmission = sodium_transmission(np.full(400, ebv), np.random.default_rng(1))
        width = ((1 - transmission) * LAMOST_GRID.wave[near] * np.log(10) * 1e-4).sum(axis=1)
        assert np.median(width) == pytest.approx(expected, rel=0.06, abs=1e-6)
    wave = LAMOST_GRID.wave[near]
    depth = 1 - sodium_transmission(np.full(400, 0.5), np.random.default_rng(2))[1].mean(axis=0)
    assert wave[: len(depth)][depth.argmax()] == pytest.approx(5891.58, abs=1.4)  # D2 is the stronger
