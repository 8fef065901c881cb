"""What UNKNOWN is made of."""

import numpy as np
import pytest

from racnet_tools.simulate import simulate
from racnet_tools.simulate.unknown import _CITY, _SKY, UNKNOWN_KINDS, _lines, _splice, draw_unknown
from racnet_tools.spectra import LAMOST_GRID

WAVE = LAMOST_GRID.wave


@pytest.fixture(scope="module")
def drawn():
    return draw_unknown(1200, np.random.default_rng(3))


def test_every_kind_has_its_share(drawn):
    kinds, numbers = np.unique(drawn[1]["subclass"], return_counts=True)
    share = dict(zip(kinds.tolist(), (numbers / 1200).tolist(), strict=True))
    assert share == pytest.approx(UNKNOWN_KINDS, abs=0.05)
    assert sum(UNKNOWN_KINDS.values()) == pytest.approx(1)


def test_faint_ones_are_faint_and_all_are_finite(drawn):
    flux, columns, snr = drawn
    faint = columns["subclass"] == "faint"
    assert snr[faint].max() <= 3
    assert snr[~faint].min() >= 3
    assert np.isfinite(flux).all()


@pytest.mark.parametrize(("lines", "vacuum"), [(_CITY, 4359.56), (_CITY, 5462.27), (_SKY, 5578.89), (_SKY, 6302.05)])
def test_lines_lie_at_their_vacuum_wavelengths(lines, vacuum):
    mean = np.mean([np.abs(_lines(lines, np.random.default_rng(k))) for k in range(30)], axis=0)
    near = np.abs(WAVE - vacuum) < 8
    assert (WAVE[near] * mean[near]).sum() / mean[near].sum() == pytest.approx(vacuum, abs=0.3)


def test_spliced_arms_stand_on_different_levels():
    out = _splice(np.ones((300, LAMOST_GRID.n_pixels), np.float32), np.random.default_rng(4))
    blue, red = out[:, (WAVE > 5500) & (WAVE < 5690)].mean(axis=1), out[:, WAVE > 5960].mean(axis=1)
    assert (np.abs(np.log(np.maximum(blue, 1e-3) / red)) > 0.2).mean() > 0.8


def test_simulated_unknowns_say_their_kind():
    table = simulate({"UNKNOWN": 40, "STAR": 5}, seed=2).table
    unknown = table["label"] == "UNKNOWN"
    assert unknown.sum() == 40
    assert set(table["subclass"][unknown]) <= set(UNKNOWN_KINDS)
    assert np.ma.getmaskarray(table["teff"])[unknown].all()
