"""Where a classifier fails: accuracy in bins of a measured value and for each spectral subtype."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate._checks import check_pair
from racnet_tools.evaluate.accuracy import Proportion

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["accuracy_against", "quantile_edges", "subclass_errors"]

_LETTERS = "OBAFGKM"
# G2V, K3III, F5 (a number), A0p, and dM4 and gM5, as LAMOST writes dwarfs and giants; no subdwarfs, no OB, no CV.
_SUBTYPE = re.compile(rf"[dg]?([{_LETTERS}])(\d)(?!\d)")


def accuracy_against(value: ArrayLike, y: ArrayLike, predicted: ArrayLike, edges: ArrayLike) -> Table:
    """Accuracy in bins of a value, such as signal-to-noise ratio, redshift or temperature.

    Parameters
    ----------
    value : (n,) array_like
        One for each spectrum; those that are masked or not finite are left out.
    y, predicted : (n,) array_like of int
        True and predicted classes.
    edges : (m + 1,) array_like
        Borders of the bins, increasing. A value on a border belongs to the bin above; the last border to the last bin.

    Returns
    -------
    Table
        Columns low, high (borders, unit of `value`), n, right, accuracy, lower, upper (95 % Wilson interval). Bins
        without spectra are left out. ``meta["missing"]`` is the number of spectra without a value, ``meta["outside"]``
        of those with one beyond the first or last border.

    Raises
    ------
    RacnetError
        If lengths differ, classes are no indices or the borders do not increase.
    """
    from astropy.table import Table

    truth, given = check_pair(y, predicted)
    values = _values(value)
    if values.shape != truth.shape:
        raise RacnetError(f"Expected a value for each of {len(truth)} spectra. Received: shape {values.shape}.")
    borders = np.asarray(edges, np.float64)
    if borders.ndim != 1 or len(borders) < 2 or not (borders[1:] > borders[:-1]).all():
        raise RacnetError(f"Expected two increasing borders or more. Received: {borders.tolist()}.")
    known = np.isfinite(values)
    inside = known & (values >= borders[0]) & (values <= borders[-1])
    place = np.minimum(np.searchsorted(borders, values, side="right") - 1, len(borders) - 2)
    rows = [
        (borders[k], borders[k + 1], *_share((truth == given)[inside & (place == k)])) for k in np.unique(place[inside])
    ]
    table = Table(rows=rows or None, names=("low", "high", "n", "right", "accuracy", "lower", "upper"))
    table.meta["missing"] = int((~known).sum())
    table.meta["outside"] = int((known & ~inside).sum())
    return _formatted(table)


def quantile_edges(value: ArrayLike, bins: int) -> np.ndarray:
    """Borders of bins that have about equally many spectra each, for `accuracy_against`.

    Parameters
    ----------
    value : (n,) array_like
        Values that are masked or not finite are left out.
    bins : int
        Number of bins wanted.

    Returns
    -------
    (m + 1,) float64 array
        Strictly increasing, from the smallest value to the largest; m is less than `bins` where values repeat so much
        that borders fall together.

    Raises
    ------
    RacnetError
        If there are no values, or less than one bin.
    """
    values = _values(value)
    values = values[np.isfinite(values)]
    if values.ndim != 1 or not values.size or bins < 1:
        raise RacnetError(
            f"Expected one finite value or more, and one bin or more. Received: {values.size} and {bins} bins."
        )
    edges = np.unique(np.quantile(values, np.arange(bins + 1) / bins))
    return edges if len(edges) > 1 else np.array([edges[0], np.nextafter(edges[0], np.inf)])


def subclass_errors(subclass: ArrayLike, y: ArrayLike, predicted: ArrayLike, classes: Sequence[str]) -> Table:
    """Accuracy for each MK subtype, and how near the subtype lies to another class.

    Types follow one another in temperature, so F9 and G0 differ hardly, and most errors should be there.

    Parameters
    ----------
    subclass : (n,) array_like of str
        Spectral types such as F5, G2V or K3III; what follows letter and digit is not used. Spectra without letter and
        digit (masked, WD, ...) and those of letters that are not in `classes` are left out.
    y, predicted : (n,) array_like of int
        True and predicted classes.
    classes : sequence of str
        Names of the classes; letters of O B A F G K M among them.

    Returns
    -------
    Table
        Columns subclass, n, right, accuracy, lower, upper (95 % Wilson interval), steps (subtypes between this one and
        the nearest border to a class that follows or precedes it: 0 for F9 and G0, 4 for F4 and F5; masked where there
        is no such class), from hot to cool. ``meta["missing"]`` is the number of spectra left out.

    Raises
    ------
    RacnetError
        If lengths differ, classes are no indices of `classes` or none of them is a letter of a type.
    """
    from astropy.table import MaskedColumn, Table

    truth, given = check_pair(y, predicted)
    texts = np.ma.filled(np.ma.asarray(subclass).astype(str), "")
    if texts.shape != truth.shape:
        raise RacnetError(f"Expected a subclass for each of {len(truth)} spectra. Received: shape {texts.shape}.")
    if max(truth.max(), given.max()) >= len(classes) or not set(classes) & set(_LETTERS):
        raise RacnetError(
            f"Expected indices of classes that are named by letters of {_LETTERS}. "
            f"Received: classes {', '.join(classes)}, highest index {max(truth.max(), given.max())}."
        )
    found = [_SUBTYPE.match(text.strip()) for text in texts]
    # Hot to cool, ten to a letter; -1 where there is no subtype.
    place = np.array(
        [10 * _LETTERS.index(one[1]) + int(one[2]) if one is not None and one[1] in classes else -1 for one in found]
    )
    borders = [10 * k for k in range(1, len(_LETTERS)) if {_LETTERS[k - 1], _LETTERS[k]} <= set(classes)]
    rows, steps = [], []
    for k in np.unique(place[place >= 0]):
        rows.append((f"{_LETTERS[k // 10]}{k % 10}", *_share((truth == given)[place == k])))
        beside = [
            border - k - 1 if k < border else k - border for border in borders if border // 10 - k // 10 in (0, 1)
        ]
        steps.append(min(beside, default=-1))
    table = Table(rows=rows or None, names=("subclass", "n", "right", "accuracy", "lower", "upper"))
    table["steps"] = MaskedColumn(steps, mask=np.array(steps, int) < 0, dtype=int)
    table.meta["missing"] = int((place < 0).sum())
    return _formatted(table)


def _values(value: ArrayLike) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(value).astype(np.float64), np.nan)


def _share(right: np.ndarray) -> tuple[int, int, float, float, float]:
    share = Proportion(int(right.sum()), len(right))
    return share.n, share.successes, share.value, *share.interval


def _formatted(table: Table) -> Table:
    for name in ("accuracy", "lower", "upper"):
        table[name].format = ".3f"
    return table
