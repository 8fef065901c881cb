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
    redshift_error : float
        Factor from the spread of a redshift's peak to its standard deviation.
    subtype_scale : tuple of (float, float)
        Points of the line from the network's scale of subtypes to the survey's.
    """

    coverage: float
    in_set: Mapping[str, float]
    redshift_confidence: float
    redshift_error: float
    subtype_scale: tuple[tuple[float, float], ...]

    @classmethod
    def from_dict(cls, values: Any, classes: Sequence[str]) -> Limits | None:
        """Undo `dataclasses.asdict`; None when that is not what it is."""
        single = ("coverage", "redshift_confidence", "redshift_error")
        if not isinstance(values, dict) or set(values) != {*single, "in_set", "subtype_scale"}:
            return None
        scale = values["subtype_scale"]
        if not isinstance(values["in_set"], dict) or not isinstance(scale, list) or len(scale) < 2:
            return None
        if not all(isinstance(point, list) and len(point) == 2 for point in scale):
            return None
        numbers = [
            *values["in_set"].values(),
            *(values[name] for name in single),
            *(one for point in scale for one in point),
        ]
        if set(values["in_set"]) != set(classes) or any(type(one) not in (int, float) or one < 0 for one in numbers):
            return None
        if not all(a < c and b < d for (a, b), (c, d) in pairwise(scale)):
            return None
        return cls(**{**values, "subtype_scale": tuple((float(a), float(b)) for a, b in scale)})


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
