"""Known pairs of air and vacuum wavelengths (NIST Atomic Spectra Database and the SDSS line list)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.spectra import air_to_vacuum, vacuum_to_air

# Name, air, vacuum; Angstrom. Na and Ca from NIST; [O III] and the Balmer lines as SDSS lists them.
PAIRS = [
    ("Ca II K", 3933.663, 3934.777),
    ("H beta", 4861.333, 4862.691),
    ("[O III]", 5006.843, 5008.240),
    ("Na D2", 5889.951, 5891.583),
    ("H alpha", 6562.80, 6564.61),
]


@pytest.mark.parametrize(("name", "air", "vacuum"), PAIRS)
def test_pairs_of_the_literature(name, air, vacuum):
    assert air_to_vacuum(air) == pytest.approx(vacuum, abs=0.012)
    assert vacuum_to_air(vacuum) == pytest.approx(air, abs=0.012)


@given(st.floats(2001.0, 25000.0))
def test_there_and_back(wave):
    assert vacuum_to_air(air_to_vacuum(wave)) == pytest.approx(wave, abs=1e-7)


def test_ultraviolet_is_vacuum_by_convention():
    np.testing.assert_array_equal(air_to_vacuum([912.0, 1215.67]), [912.0, 1215.67])
    np.testing.assert_array_equal(vacuum_to_air([912.0, 1215.67]), [912.0, 1215.67])
