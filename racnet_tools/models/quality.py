"""What a joint preset knows of its own limits: prediction sets, and the bits of the column ``quality``.

Thresholds come from simulated spectra that no training saw, and lie in the preset's ``labels.json`` under ``limits``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["QUALITY_BITS", "Limits", "prediction_sets", "quality_bits"]

QUALITY_BITS = {
    "OUTLIER": (1, "rejected: unlike the spectra that the network knows"),
    "AMBIGUOUS": (2, "the prediction set does not hold exactly one class"),
    "LOW_SNR": (4, "median signal-to-noise ratio of the pixels below 5"),
    "GAPS": (8, "more than a tenth of the pixels are bad or not covered"),
    "SUBTYPE_UNSURE": (16, "a star whose subtype is not known to 3 subtypes"),
    "REDSHIFT_UNSURE": (32, "a galaxy or quasar whose redshift may be a wrong peak"),
}
"""Name to value and meaning of each bit; their sum is the column ``quality``, 0 when nothing is wrong."""
Points = tuple[tuple[float, float], ...]
"""Points (x, y) of a line, from left to right."""
LOW_SNR, MANY_GAPS, UNSURE_SUBTYPE = 5.0, 0.1, 3.0


@dataclass(frozen=True)
class Limits:
    """Thresholds of a joint preset.

    Attributes
    ----------
    coverage : float
        Share of each class's spectra whose prediction set holds it.
    in_set : dict of str to float
        Class to the smallest probability with which it is in the set.
    redshift_confidence : float
        Below it a redshift is unsure.
    redshift_error : dict of str to tuple of (float, float)
        Class to points (median S/N, factor from the spread of a redshift's peak to its standard deviation).
    subtype_scale : tuple of (float, float)
        Points of the line from the network's scale of subtypes to the survey's.
    """

    coverage: float
    in_set: Mapping[str, float]
    redshift_confidence: float
    redshift_error: Mapping[str, Points]
    subtype_scale: Points

    @classmethod
    def from_dict(cls, values: Any, classes: Sequence[str]) -> Limits | None:
        """Undo `dataclasses.asdict`; None when that is not what it is."""
        single, by_class = ("coverage", "redshift_confidence"), ("in_set", "redshift_error")
        if not isinstance(values, dict) or set(values) != {*single, *by_class, "subtype_scale"}:
            return None
        if any(not isinstance(values[name], dict) or set(values[name]) != set(classes) for name in by_class):
            return None
        if any(type(one) not in (int, float) or one < 0 for one in (values["coverage"], *values["in_set"].values())):
            return None
        if type(values["redshift_confidence"]) not in (int, float):
            return None
        scale = _points(values["subtype_scale"], least=2)
        errors = {name: _points(points, least=1) for name, points in values["redshift_error"].items()}
        if scale is None or not all(b < d for (_, b), (_, d) in pairwise(scale)) or None in errors.values():
            return None
        return cls(**{**values, "subtype_scale": scale, "redshift_error": errors})

    def redshift_factor(self, labels: Sequence[str] | np.ndarray, snr: np.ndarray) -> np.ndarray:
        """From the spread of a redshift's peak to its standard deviation, (n,), evenly in log S/N between the points.

        Parameters
        ----------
        labels : (n,) sequence of str
            Classes given.
        snr : (n,) array
            Median signal-to-noise ratios of the pixels.
        """
        factor, at = np.ones(len(labels)), np.log(np.maximum(snr, 0.1))
        for name, points in self.redshift_error.items():
            here = np.asarray(labels) == name
            of_snr, values = np.array(points).T
            factor[here] = np.interp(at[here], np.log(of_snr), values)
        return factor


def _points(values: Any, least: int) -> Points | None:
    """Points of a line from left to right as they come from JSON, none of them negative; None when they are not."""
    if not isinstance(values, list) or len(values) < least:
        return None
    if not all(isinstance(point, list) and len(point) == 2 for point in values):
        return None
    if any(type(one) not in (int, float) or one < 0 for point in values for one in point):
        return None
    if not all(a < c for (a, _), (c, _) in pairwise(values)):
        return None
    return tuple((float(a), float(b)) for a, b in values)


def prediction_sets(probabilities: np.ndarray, classes: Sequence[str], limits: Limits) -> list[str]:
    """Classes that cannot be excluded, such as ``"GALAXY|QSO"``, for each row of (n, n_classes); "" for none.

    Split conformal prediction, class by class (Sadinle, Lei & Wasserman 2019, JASA 114, 223): of new spectra like the
    simulated ones the share `Limits.coverage` of each class has it in its set.
    """
    inside = probabilities >= np.array([limits.in_set[name] for name in classes])
    return ["|".join(name for name, held in zip(classes, row, strict=True) if held) for row in inside]


def quality_bits(flags: Mapping[str, ArrayLike]) -> np.ndarray:
    """Sum of the bits whose flags (n,) are true; (n,) int."""
    return np.sum([QUALITY_BITS[name][0] * np.asarray(flag, int) for name, flag in flags.items()], axis=0)
