"""A trained joint network made honest: calibrated probabilities, and the limits that go into its preset.

Everything is set on simulated spectra that no training saw, none of it on real ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.measured import CATASTROPHIC, log_redshifts, measure_redshifts
from racnet_tools.models.quality import Limits, Points
from racnet_tools.spectra import LAMOST_GRID

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["apply_temperatures", "fit_limits", "fit_temperatures", "joint_parts"]

_UNSURE = 0.002  # share of wrong redshifts among those that pass as sure
_SNR_EDGES = (0.0, 3, 5, 10, 20, 50, np.inf)  # between which the factor of the redshift's error is measured
_FEWEST = 30  # redshifts that a factor is measured on
_LAYERS = {"probabilities": ("kernel", "bias"), "subtype": ("kernel", "bias"), "redshift": ("template", "bias")}


def joint_parts(joined: np.ndarray, config: JointConfig) -> dict[str, np.ndarray]:
    """The outputs of a joint network by their names, from what is joined (n, n_outputs)."""
    ends = np.cumsum(list(config.output_widths.values()))
    return dict(zip(config.output_widths, np.split(joined, ends[:-1], axis=1), strict=True))


def fit_temperatures(found: dict[str, np.ndarray], targets: dict[str, np.ndarray]) -> dict[str, float]:
    """Temperature of each output: of softmax(scores / T), that of the lowest cross-entropy (Guo et al. 2017, ICML).

    Parameters
    ----------
    found, targets : dict of str to (n, width) array
        Probabilities and what they should be; rows of zeros count for nothing.
    """
    temperatures = {}
    for name, wanted in targets.items():
        asked = wanted.sum(axis=1) > 0
        scores, wanted = np.log(np.maximum(found[name][asked], 1e-30)).astype(np.float64), wanted[asked]

        def entropy(log_t: float, scores: np.ndarray = scores, wanted: np.ndarray = wanted) -> float:
            cooled = scores / np.exp(log_t)
            cooled -= cooled.max(axis=1, keepdims=True)
            return float(-(wanted * (cooled - np.log(np.exp(cooled).sum(axis=1, keepdims=True)))).sum(axis=1).mean())

        temperatures[name] = float(np.exp(minimize_scalar(entropy, bounds=(-1.5, 1.5), method="bounded").x))
    return temperatures


def apply_temperatures(model: Network, temperatures: dict[str, float]) -> None:
    """Divide the scores of each output by its temperature, in the weights."""
    for name, temperature in temperatures.items():
        for part in _LAYERS[name]:
            variable = getattr(model.get_layer(name), part)
            variable.assign(variable / temperature)


def fit_limits(
    found: dict[str, np.ndarray],
    label: np.ndarray,
    z: np.ndarray,
    snr: np.ndarray,
    config: JointConfig,
    classes: tuple[str, ...],
    subtype_scale: Points,
) -> Limits:
    """Limits of a calibrated network.

    Parameters
    ----------
    found : dict of str to (n, width) array
        Its outputs.
    label, z, snr : (n,) array
        True class and redshift, median signal-to-noise ratio.
    config : JointConfig
    classes : tuple of str
        In the order of the outputs.
    subtype_scale : tuple of (float, float)
        As it is to stand there.
    """
    coverage = 0.99
    own = {name: found["probabilities"][label == name, k] for k, name in enumerate(classes)}
    # The rank of split conformal prediction: floor((n + 1) (1 - coverage)) from below
    in_set = {name: float(np.sort(p)[max(int((len(p) + 1) * (1 - coverage)), 1) - 1]) for name, p in own.items()}

    measured = measure_redshifts(found["redshift"], log_redshifts(config, LAMOST_GRID))
    far = label != "STAR"
    off = np.abs(measured.z - z) / (1 + z)
    wrong = off > np.array([CATASTROPHIC.get(name, np.inf) for name in label])
    order = np.flatnonzero(far)[np.argsort(-measured.confidence[far])]
    passing = np.flatnonzero(np.cumsum(wrong[order]) / np.arange(1, len(order) + 1) <= _UNSURE)
    least = float(measured.confidence[order][passing[-1]]) if len(passing) else 1.0  # of a network that knows none
    sure = ~wrong & (measured.confidence >= least)
    pulls = np.abs(measured.z - z) / measured.error
    return Limits(
        coverage=coverage,
        in_set={name: round(value, 6) for name, value in in_set.items()},
        redshift_confidence=round(least, 4),
        redshift_error={name: _factors(pulls, snr, sure & (label == name)) for name in classes},
        subtype_scale=subtype_scale,
    )


def _factors(pulls: np.ndarray, snr: np.ndarray, where: np.ndarray) -> Points:
    """Points (median S/N, 68.3 % quantile of the pulls), one for each range of S/N that has enough of them."""
    ranges = [where & (snr >= low) & (snr < high) for low, high in pairwise(_SNR_EDGES)]
    points = [
        (round(float(np.median(snr[here])), 2), round(float(np.quantile(pulls[here], 0.683)), 4))
        for here in ranges
        if here.sum() >= _FEWEST
    ]
    return tuple(points) or ((1.0, 1.0),)
