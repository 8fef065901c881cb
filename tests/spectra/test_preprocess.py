"""What a network is fed: unit norm, no gaps, whatever the file lacked."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.spectra.preprocess import fill_gaps


def test_flat_spectrum_has_unit_norm():
    x = Preprocessing()(SpectrumSet(LAMOST_GRID.wave, np.full((2, 3909), 7.0)))
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, 1 / np.sqrt(3909), rtol=1e-6)


def test_scale_of_the_flux_does_not_matter(small_set):
    louder = SpectrumSet(small_set.wave, small_set.flux * 1e-17, small_set.ivar * 1e34)
    np.testing.assert_allclose(Preprocessing()(louder), Preprocessing()(small_set), rtol=1e-5)


def test_gaps_are_bridged_and_ends_extended():
    flux = np.linspace(1.0, 2.0, 3909)[None].copy()
    mask = np.zeros((1, 3909), bool)
    mask[0, :5] = mask[0, 100:120] = mask[0, -7:] = True
    broken = np.where(mask, 1e6, flux)
    x = Preprocessing()(SpectrumSet(LAMOST_GRID.wave, broken, np.ones((1, 3909)), mask))
    whole = Preprocessing()(SpectrumSet(LAMOST_GRID.wave, flux))
    np.testing.assert_allclose(x[0, 5:-7] / x[0, 5], whole[0, 5:-7] / whole[0, 5], rtol=1e-5)
    assert (x[0, :5] == x[0, 5]).all() and (x[0, -7:] == x[0, -8]).all()


def test_gaps_are_bridged_as_numpy_interpolates():
    rng = np.random.default_rng(3)
    flux, mask = rng.random((60, 40), np.float32), rng.random((60, 40)) < np.linspace(0, 1.1, 60)[:, None]
    mask[3, 0], mask[4, -1], mask[5, -1], mask[6, 0] = True, True, True, True  # gaps that meet at the ends of rows
    filled = fill_gaps(flux, mask)
    for row, bad, found in zip(flux, mask, filled, strict=True):
        pixels = np.arange(40)
        expected = row if bad.all() else np.where(bad, np.interp(pixels, pixels[~bad], row[~bad]), row)
        np.testing.assert_array_equal(found, expected.astype(np.float32))
    assert not np.shares_memory(filled, flux)


def test_exact_zeros_are_no_measurement():
    flux = np.full((1, 3909), 3.0)
    flux[0, -20:] = 0
    x = Preprocessing()(SpectrumSet(LAMOST_GRID.wave, flux, np.ones((1, 3909))))
    np.testing.assert_allclose(x, 1 / np.sqrt(3909), rtol=1e-6)


def test_nothing_to_normalise_is_refused():
    with pytest.raises(RacnetError, match="no flux on 3700-9099"):
        Preprocessing()(SpectrumSet(LAMOST_GRID.wave, np.zeros((1, 3909))))


def test_description_round_trip():
    description = Preprocessing().to_dict()
    assert Preprocessing.from_dict(description) == Preprocessing()
    with pytest.raises(RacnetError, match="up to date"):
        Preprocessing.from_dict({**description, "normalization": "minmax"})
    with pytest.raises(RacnetError, match="with a grid"):
        Preprocessing.from_dict({})
