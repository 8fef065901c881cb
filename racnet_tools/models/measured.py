"""What the further outputs of a joint network say: stellar subtypes and redshifts, each with an error.

Both are probabilities on an ordered scale: of a redshift the highest peak counts, of a subtype the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from racnet_tools.models.joint_config import JointConfig
from racnet_tools.spectra.grid import LogLambdaGrid

__all__ = ["CATASTROPHIC", "LETTERS", "Redshifts", "Subtypes", "log_redshifts", "measure_redshifts", "measure_subtypes"]

CATASTROPHIC = {"GALAXY": 0.003, "QSO": 0.05}
"""|dz| / (1 + z) beyond which a redshift is wrong."""
LETTERS = "OBAFGKM"
_NEAR_REDSHIFT = 3  # steps on each side of the peak: 3,300 km/s in all


class Subtypes(NamedTuple):
    """Stellar subtypes of n spectra, if they are stars."""

    letter: np.ndarray
    """(n,) str: the spectral type."""
    confidence: np.ndarray
    """(n,): its probability."""
    name: np.ndarray
    """(n,) str: type and tenth, such as F5."""
    place: np.ndarray
    """(n,): on the scale of `racnet_tools.simulate.stars.stellar_subtype`, O0 is 0 and M9 69."""
    error: np.ndarray
    """(n,): about its standard deviation, in subtypes."""


class Redshifts(NamedTuple):
    """Redshifts of n spectra."""

    z: np.ndarray
    """(n,)."""
    error: np.ndarray
    """(n,): standard deviation of z within the peak."""
    confidence: np.ndarray
    """(n,): probability of the peak, 0 to 1."""


def log_redshifts(config: JointConfig, grid: LogLambdaGrid) -> np.ndarray:
    """ln(1 + z) of the redshifts that a network tries, (n_redshifts,)."""
    steps = config.first_redshift + np.arange(config.n_redshifts)
    return steps * config.redshift_step * grid.step * np.log(10)


def measure_redshifts(probabilities: np.ndarray, tried: np.ndarray) -> Redshifts:
    """Mean and spread of the highest peak.

    Parameters
    ----------
    probabilities : (n, n_redshifts) array
    tried : (n_redshifts,) array
        ln(1 + z), evenly spaced, from `log_redshifts`.
    """
    mean, spread, share = _peaks(probabilities, tried, _NEAR_REDSHIFT)
    return Redshifts(np.expm1(mean), np.exp(mean) * spread, share)


def measure_subtypes(probabilities: np.ndarray, scale: Sequence[tuple[float, float]]) -> Subtypes:
    """Median subtype, with half the width of the middle 68 % as its error.

    Parameters
    ----------
    probabilities : (n, n_subtypes) array
        Of O0, O1, ... M9.
    scale : sequence of (float, float)
        Points of an increasing line from the network's scale to the survey's, of which both go from 0 to n_subtypes.
    """
    edges = np.arange(probabilities.shape[1] + 1.0)
    ours, theirs = np.array(scale, float).T
    # A tiny rise makes the sum strictly increasing, as the inverse needs it
    summed = np.cumsum(probabilities, axis=1, dtype=np.float64) + 1e-9 * edges[1:]
    summed = np.concatenate([np.zeros((len(summed), 1)), summed / summed[:, -1:]], axis=1)
    quantiles = np.array([np.interp((0.16, 0.5, 0.84), row, edges) for row in summed]).reshape(-1, 3)
    low, place, high = np.interp(quantiles, ours, theirs).T
    place = np.minimum(place, np.nextafter(edges[-1], 0))
    letter = (place // 10).astype(int)
    of_bin = np.interp(edges[:-1] + 0.5, ours, theirs) // 10
    confidence = (probabilities * (of_bin == letter[:, None])).sum(axis=1)
    letters = np.array(list(LETTERS))[letter]
    name = np.char.add(letters, (place - 10 * letter).astype(int).astype(str))
    return Subtypes(letters, np.minimum(confidence, 1), name, place, (high - low) / 2)


def _peaks(probabilities: np.ndarray, scale: np.ndarray, near: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and standard deviation of the highest peak on a scale, and its share; each (n,)."""
    peak = probabilities.argmax(axis=1)
    places = peak[:, None] + np.arange(-near, near + 1)
    inside = (places >= 0) & (places < len(scale))
    places = np.clip(places, 0, len(scale) - 1)
    weights = np.take_along_axis(probabilities, places, axis=1).astype(np.float64) * inside
    share = weights.sum(axis=1)
    weights /= share[:, None]
    mean = (weights * scale[places]).sum(axis=1)
    spread = np.sqrt((weights * (scale[places] - mean[:, None]) ** 2).sum(axis=1))
    return mean, spread, share
