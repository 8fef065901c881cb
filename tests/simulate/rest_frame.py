"""Spectra seen at rest, for the tests of galaxies and quasars."""

import numpy as np

from racnet_tools.spectra import LAMOST_GRID

WAVE = LAMOST_GRID.wave


def at_rest(flux: np.ndarray, z: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Rest wavelengths and mean of the spectra that cover them, each over its own mean there."""
    rest = np.exp(np.arange(np.log(low), np.log(high), 2.3e-4))  # one pixel
    covers = (low * (1 + z) > WAVE[0]) & (high * (1 + z) < WAVE[-1])
    assert covers.sum() > 20
    rows = [np.interp(rest * (1 + one), WAVE, row) for one, row in zip(z[covers], flux[covers], strict=True)]
    return rest, np.mean([row / row.mean() for row in rows], axis=0)
