"""A data set of spectra of 32 pixels with a line in absorption (STAR) or in emission (QSO, the rarer)."""

import numpy as np

from racnet_tools.datasets import DataSet, Recipe, SpectrumStore, prepare
from racnet_tools.spectra import LogLambdaGrid, SpectrumSet

GRID = LogLambdaGrid(3.6, 1e-3, 32)
RECIPE = Recipe("lines", "Lines", ("STAR", "QSO"), per_class=200)


def spectra(n, seed=1):
    rng = np.random.default_rng(seed)
    emits = rng.random(n) < 0.3
    flux = 5 + 0.25 * rng.standard_normal((n, 32))
    flux[np.arange(n), rng.integers(4, 28, n)] += np.where(emits, 3, -3)
    rows = [
        {"spec_id": f"s{i}", "object_id": f"o{i}", "survey": "TEST", "label": "QSO" if e else "STAR"}
        for i, e in enumerate(emits)
    ]
    return SpectrumSet(GRID.wave, flux, np.full(flux.shape, 16.0), None, rows)


def tiny_data(folder, n=600, validation=0.1) -> DataSet:
    """Make ``s.zarr`` and the data set ``data`` in a folder, and open it."""
    store = SpectrumStore.create(folder / "s.zarr", grid=GRID)
    store.append(spectra(n))
    return DataSet.open(prepare(store, RECIPE, seed=3, validation=validation).save(folder / "data"))
