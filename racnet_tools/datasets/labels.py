"""Class names to indices and one-hot vectors (Zou et al. 2020, Sect. 2), and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from racnet_tools.errors import RacnetError

__all__ = ["class_indices", "one_hot", "subtype_places"]

_SUBTYPE = re.compile(r"^(?:sd|d|g|esd|usd)?([OBAFGKM])(\d)")


def class_indices(names: Sequence[str] | np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Index of each name in `classes`, upper and lower case alike; -1 where it is none of them.

    Examples
    --------
    >>> class_indices(["Unknown", "STAR", ""], ("STAR", "UNKNOWN")).tolist()
    [1, 0, -1]
    """
    index = {name.casefold(): k for k, name in enumerate(classes)}
    return np.array([index.get(str(name).strip().casefold(), -1) for name in names], dtype=np.int64)


def one_hot(indices: np.ndarray, n_classes: int) -> np.ndarray:
    """(n, n_classes) float32 with a 1 in each row.

    Raises
    ------
    RacnetError
        If an index is not one of 0 to n_classes - 1.

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    indices = np.asarray(indices)
    if indices.size and (indices.dtype.kind not in "iu" or indices.min() < 0 or indices.max() >= n_classes):
        raise RacnetError(f"Expected class indices of 0 to {n_classes - 1}. Received: {indices!r:.200}.")
    return np.eye(n_classes, dtype=np.float32)[indices.astype(np.int64)]


def subtype_places(names: Sequence[str] | np.ndarray) -> np.ndarray:
    """Place of stellar subtypes as surveys write them on one scale: O0 is 0, B0 10, ... M9 69.

    Luminosity classes and LAMOST's prefixes of M stars (dM, gM, sdM) are passed over.

    Examples
    --------
    >>> subtype_places(["G5", "A1IV", "dM3", "Carbon", "DoubleStar", ""]).tolist()
    [45.0, 21.0, 63.0, nan, nan, nan]
    """
    found = [_SUBTYPE.match(str(name).strip()) for name in names]
    return np.array(["OBAFGKM".index(one[1]) * 10.0 + int(one[2]) if one else np.nan for one in found], dtype=float)
