"""White dwarfs have broad Balmer lines or none, carbon stars the Swan bands."""

import numpy as np
import pytest
from rest_frame import WAVE

from racnet_tools.simulate.compact import draw_compact
from racnet_tools.simulate.templates import compact


def level(flux: np.ndarray, low: float, high: float) -> np.ndarray:
    return flux[:, slice(*np.searchsorted(WAVE, (low, high)))].mean(axis=1)


def test_the_templates():
    library = compact()
    assert library.flux.shape == (4, 3998)
    assert library.first_pixel == -58
    assert library.kind.tolist() == ["WD", "WD", "Carbon", "Carbon"]
    assert np.isfinite(library.flux).all()


def test_white_dwarfs_have_broad_balmer_lines_or_none():
    flux, columns = draw_compact(400, "WD", np.random.default_rng(1))
    assert np.isfinite(flux).all()
    assert flux.min() > 0
    assert set(columns["subclass"]) == {"WD"}
    h_beta = level(flux, 4842, 4882) / (0.5 * (level(flux, 4690, 4730) + level(flux, 5000, 5040)))
    of = columns["template"] == "compact-DA"
    assert of.mean() == pytest.approx(0.8, abs=0.06)
    assert np.median(h_beta[of]) < 0.85
    assert h_beta[columns["template"] == "compact-DC"] == pytest.approx(1, abs=0.01)
    wing = level(flux, 4835, 4845) / (0.5 * (level(flux, 4690, 4730) + level(flux, 5000, 5040)))
    assert np.median(wing[of]) < 0.95  # 1,300 km/s from the centre


def test_carbon_stars_have_swan_bands():
    flux, columns = draw_compact(200, "Carbon", np.random.default_rng(1))
    assert set(columns["subclass"]) == {"Carbon"}
    assert np.isnan(columns["teff"]).all()
    blue, red = level(flux, 5120, 5160), level(flux, 5175, 5215)  # the band head at 5165 Angstrom shades to the blue
    assert np.median(blue / red) < 0.85
    assert (blue / red).max() < 1


def test_they_repeat_with_their_seed():
    one, same, other = (draw_compact(5, None, np.random.default_rng(k))[0] for k in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()
