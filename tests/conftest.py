"""Fixtures shared by all tests."""

import os
from pathlib import Path

import numpy as np
import pytest

from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

# Several test processes share the machine: one thread each keeps them from fighting over the cores.
for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(scope="session")
def real_spectra() -> Path:
    """Folder of real survey files that are not part of the project; tests that need it skip without it."""
    folder = Path(os.environ.get("RACNET_REAL_SPECTRA", Path(__file__).parents[2] / "shared" / "real"))
    if not (folder / "lamost").is_dir():
        pytest.skip("no real spectra here (set RACNET_REAL_SPECTRA to a folder with lamost/ and sdss/)")
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20200401)


@pytest.fixture
def small_set(rng) -> SpectrumSet:
    """Six simulated spectra of four objects on the LAMOST grid."""
    flux = 1.0 + 0.05 * rng.standard_normal((6, LAMOST_GRID.n_pixels))
    rows = [
        {"spec_id": f"s{i}", "object_id": f"o{i % 4}", "survey": "SIMULATED", "label": label, "snr_g": 10.0 + i}
        for i, label in enumerate(["STAR", "STAR", "GALAXY", "QSO", "STAR", "STAR"])
    ]
    return SpectrumSet(LAMOST_GRID.wave, flux, np.full(flux.shape, 400.0), None, rows)
