"""What a joint network says of a spectrum beside its class, in words: subtype, redshift, prediction set, quality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from racnet_tools.models.quality import QUALITY_BITS

__all__ = ["measured_words", "quality_words", "redshift_words", "set_words"]


def measured_words(row: Mapping[str, Any], coverage: float) -> dict[str, str]:
    """What a row of the catalogue says of the columns that only a joint network fills.

    Parameters
    ----------
    row : mapping of str to object
        Column to value, as `racnet_tools.inference.classifier.Classifier` gives them.
    coverage : float
        Of the prediction sets, `racnet_tools.models.quality.Limits.coverage`.

    Returns
    -------
    dict of str to str
        What is told ("subtype" of stars alone, "redshift", "prediction set", "quality") to the words.
    """
    said = {}
    if row["subtype"]:
        said["subtype"] = f"{row['subtype']} ± {row['subtype_error']:.1f} subtypes"
    said["redshift"] = redshift_words(row["z"], row["z_error"])
    said["prediction set"] = set_words(row["prediction_set"], coverage)
    said["quality"] = "; ".join(quality_words(row["quality"])) or "nothing to note"
    return said


def redshift_words(z: float, error: float) -> str:
    """A redshift and its error to two digits of the error, such as ``"0.08841 ± 0.00012"``."""
    places = int(np.clip(1 - np.floor(np.log10(max(error, 1e-9))), 2, 6))
    return f"{z:.{places}f} ± {error:.{places}f}"


def set_words(prediction_set: str, coverage: float) -> str:
    """The classes of a prediction set and what the set promises."""
    classes = " or ".join(prediction_set.split("|")) if prediction_set else "none is likely enough"
    return f"{classes} (made to hold the class of {coverage:.0%} of each class's spectra)"


def quality_words(quality: int) -> list[str]:
    """Meaning of each bit that is set in the column ``quality``; empty for 0."""
    return [meaning for bit, meaning in QUALITY_BITS.values() if int(quality) & bit]
