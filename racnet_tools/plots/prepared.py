"""What figures show, computed once for the printed and the interactive form: columns, bins, panels, sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.accuracy import wilson_interval

if TYPE_CHECKING:
    from astropy.table import Table

    Columns: TypeAlias = Table | Mapping[str, Sequence[Any] | np.ndarray] | Sequence[Mapping[str, Any]]

__all__ = [
    "Bins",
    "Curve",
    "Panel",
    "Sweep",
    "bins",
    "columns",
    "costs",
    "curves",
    "in_short",
    "marker_area",
    "panels",
    "reliability_bins",
    "required",
    "row_shares",
    "spans_decades",
    "spread",
    "sweep",
]


def columns(table: Columns, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Numbers of a table's columns; missing values become NaN.

    Parameters
    ----------
    table : Table, mapping of str to sequence, or sequence of mappings
        Columns, or rows; a value that a row lacks is missing.
    needed, optional : sequence of str
        Columns wanted; those of `optional` are left out where the table has none.

    Returns
    -------
    dict of str to (n,) float64 array

    Raises
    ------
    RacnetError
        If a needed column is missing, there is no row or the columns differ in length.
    """
    given = _as_columns(table)
    if lost := [name for name in needed if name not in given]:
        raise RacnetError(f"Expected the columns {', '.join(needed)}. Received none named {', '.join(lost)}.")
    found = {name: _floats(given[name]) for name in (*needed, *optional) if name in given}
    lengths = {len(values) for values in found.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise RacnetError(f"Expected columns of one length with at least one row. Received lengths {sorted(lengths)}.")
    return found


def _as_columns(table: Columns) -> dict[str, Any]:
    if hasattr(table, "colnames"):
        return {name: table[name] for name in table.colnames}
    if isinstance(table, Mapping):
        return dict(table)
    names = dict.fromkeys(name for row in table for name in row)
    return {name: [row.get(name) for row in table] for name in names}


def _floats(values: Any) -> np.ndarray:
    missing = [value is None or np.ma.is_masked(value) for value in values]
    return np.array([np.nan if lost else value for value, lost in zip(values, missing, strict=True)], dtype=float)


def required(shown: Mapping[str, Any], what: str) -> None:
    """Raise a `RacnetError` unless there is something to show."""
    if not len(shown):
        raise RacnetError(f"Expected at least one {what}. Received none.")


@dataclass(frozen=True)
class Curve:
    """One learning curve: `part` is "training" or "validation"; epochs count from 1."""

    part: str
    epoch: np.ndarray
    value: np.ndarray


def curves(history: Columns, quantity: str) -> list[Curve]:
    """Curves of a run for `quantity` ("loss" or "accuracy"); parts that were not measured are left out."""
    names = {"training": quantity, "validation": f"val_{quantity}"}
    found = columns(history, (), ("epoch", *names.values()))
    drawn = [(part, found[name]) for part, name in names.items() if name in found]
    return [Curve(part, found.get("epoch", np.arange(1.0, len(value) + 1)), value) for part, value in drawn]


def row_shares(counts: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Counts of a confusion matrix as an array, and their shares of each row (0 in a row without any)."""
    matrix = np.asarray(counts)
    if matrix.shape != (len(classes), len(classes)):
        raise RacnetError(f"Expected a matrix of {len(classes)} by {len(classes)} counts. Received: {matrix.shape}.")
    return matrix, matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


@dataclass(frozen=True)
class Bins:
    """Bins on an axis with what was found in each; `errors` are the lengths down and up, NaN in an empty bin."""

    low: np.ndarray
    high: np.ndarray
    place: np.ndarray
    n: np.ndarray
    accuracy: np.ndarray
    errors: np.ndarray

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Outline of the counts as steps: places and counts, down to 0 at both ends and between bins apart."""
        zero = np.zeros_like(self.n)
        x = np.stack([self.low, self.low, self.high, self.high], axis=1)
        return x.ravel(), np.stack([zero, self.n, self.n, zero], axis=1).ravel()

    def dodged(self, number: int, of: int) -> np.ndarray:
        """Places of series `number` of `of`, moved a little sideways so that intervals do not hide each other."""
        aside = 0.5 * ((number + 0.5) / of - 0.5)
        return self.place + aside * np.where(aside < 0, self.place - self.low, self.high - self.place)


def bins(table: Columns, logarithmic: bool = False) -> Bins:
    """Bins of a table with the columns low, high, n, accuracy, lower and upper.

    An open outermost bin (an edge at infinity) is drawn as wide as its neighbour.
    """
    found = columns(table, ("low", "high", "n", "accuracy", "lower", "upper"))
    low, high = found["low"].copy(), found["high"].copy()
    alone = len(low) == 1
    for k in np.flatnonzero(np.isinf(low)):
        low[k] = high[k] - 1 if alone else 2 * high[k] - high[k + 1]
    for k in np.flatnonzero(np.isinf(high)):
        if alone:
            high[k] = low[k] + 1
        else:
            high[k] = low[k] ** 2 / low[k - 1] if logarithmic else 2 * low[k] - low[k - 1]
    place = np.sqrt(low * high) if logarithmic else (low + high) / 2
    accuracy = np.where(found["n"] > 0, found["accuracy"], np.nan)
    return Bins(low, high, place, found["n"], accuracy, _errors(accuracy, found["lower"], found["upper"]))


def spans_decades(tables: Sequence[Columns]) -> bool:
    """Whether bins are to be drawn on a logarithmic axis: all edges above zero, over a factor of 20 or more."""
    edges = np.concatenate([value for table in tables for value in columns(table, ("low", "high")).values()])
    edges = edges[np.isfinite(edges)]
    return bool(edges.min() > 0 and edges.max() / edges.min() >= 20)


def reliability_bins(table: Columns) -> Bins:
    """Filled bins of a reliability table, placed at their mean confidence; `n` becomes the share of all objects."""
    found, confidence = bins(table), columns(table, ("confidence",))["confidence"]
    filled = found.n > 0
    share = found.n[filled] / max(found.n.sum(), 1)
    low, high, place = found.low[filled], found.high[filled], confidence[filled]
    return Bins(low, high, place, share, found.accuracy[filled], found.errors[:, filled])


def _errors(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    return np.maximum([value - lower, upper - value], 0)  # rounding may put a bound beyond the value; NaN stays


@dataclass(frozen=True)
class Panel:
    """Accuracies of networks on one data set; arrays hold a value for each of `networks`, NaN for none."""

    dataset: str
    networks: tuple[str, ...]
    accuracy: np.ndarray
    errors: np.ndarray
    published: np.ndarray
    seeds: tuple[np.ndarray, ...]

    @property
    def range(self) -> tuple[float, float]:
        """Limits of an axis that shows everything, with a margin; never beyond 0 and 1."""
        values = [self.accuracy - self.errors[0], self.accuracy + self.errors[1], self.published, *self.seeds]
        shown = np.concatenate([self.accuracy, *values])
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        margin = max(0.08 * (high - low), 0.002)
        return max(low - margin, 0.0), min(high + margin, 1.0 + margin)


def panels(rows: Columns) -> list[Panel]:
    """Group rows of networks by data set, networks in the order of their first appearance in every panel."""
    given = _as_columns(rows)
    if lost := [name for name in ("network", "dataset", "accuracy") if name not in given]:
        raise RacnetError(f"Expected rows with network, dataset and accuracy. Received none named {', '.join(lost)}.")
    n = len(given["network"])
    nothing = [None] * n
    names, sets = ([str(value) for value in given[name]] for name in ("network", "dataset"))
    accuracy, low, high, published = (
        _floats(given.get(name, nothing)) for name in ("accuracy", "lower", "upper", "published")
    )
    errors = np.where(np.isnan(accuracy), np.nan, np.nan_to_num(_errors(accuracy, low, high)))
    networks, found = tuple(dict.fromkeys(names)), []
    for dataset in dict.fromkeys(sets):
        at = {name: i for i, (name, member) in enumerate(zip(names, sets, strict=True)) if member == dataset}
        order = [at.get(name, -1) for name in networks]
        here = np.array([i >= 0 for i in order])
        seeds = [given.get("seeds", nothing)[i] if i >= 0 else None for i in order]
        found.append(
            Panel(
                dataset,
                networks,
                np.where(here, accuracy[order], np.nan),
                np.where(here, errors[:, order], np.nan),
                np.where(here, published[order], np.nan),
                tuple(_floats([] if values is None else values) for values in seeds),
            )
        )
    return found


def marker_area(parameters: np.ndarray) -> np.ndarray:
    """Area of markers in square points, as the root of the numbers of parameters; 100 for the largest."""
    return 100 * np.sqrt(np.asarray(parameters, dtype=float) / np.nanmax(parameters))


def in_short(number: float) -> str:
    """A count in thousands or millions, such as 623k or 2.9M."""
    return (
        f"{number / 1e6:.2g}M" if number >= 999_500 else f"{number / 1e3:.0f}k" if number >= 1000 else f"{number:.0f}"
    )


def costs(rows: Columns) -> tuple[list[str], dict[str, np.ndarray], np.ndarray]:
    """Names, numbers (operations, parameters, accuracy) and errors of networks, for accuracy against cost."""
    found = columns(rows, ("operations", "parameters", "accuracy"), ("lower", "upper"))
    value = found["accuracy"]
    errors = np.nan_to_num(_errors(value, found.get("lower", value), found.get("upper", value)))
    return [str(name) for name in _as_columns(rows)["network"]], found, errors


@dataclass(frozen=True)
class Sweep:
    """The same objects at several redshifts: probabilities' 16th, 50th and 84th percentiles and the share kept.

    `percentiles` is (3, n_z, n_classes); `kept`, `lower` and `upper` (share still given the true class and its 95 %
    Wilson interval) and `n` (objects with a finite probability) are (n_z,).
    """

    z: np.ndarray
    percentiles: np.ndarray
    kept: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    n: np.ndarray


def sweep(z: np.ndarray, p: np.ndarray, classes: Sequence[str], true: str) -> Sweep:
    """Summarise probabilities `p` (n_objects, n_z, n_classes) of objects moved through the redshifts `z` (n_z,)."""
    z, p = np.asarray(z, dtype=float), np.asarray(p, dtype=float)
    if p.ndim != 3 or p.shape[1:] != (len(z), len(classes)) or not p.size:
        raise RacnetError(f"Expected p of shape (objects, {len(z)}, {len(classes)}). Received: {p.shape}.")
    if true not in classes:
        raise RacnetError(f"Expected true among {', '.join(classes)}. Received: {true}.")
    order = np.argsort(z)
    z, p = z[order], p[:, order]
    known = np.isfinite(p).all(axis=2)
    n = known.sum(axis=0)
    right = (known & (np.nan_to_num(p).argmax(axis=2) == list(classes).index(true))).sum(axis=0)
    bounds = np.array([wilson_interval(int(k), int(m)) for k, m in zip(right, n, strict=True)])
    percentiles = np.full((3, len(z), len(classes)), np.nan)
    for k in np.flatnonzero(n):
        percentiles[:, k] = np.percentile(p[known[:, k], k], (16, 50, 84), axis=0)
    kept = np.divide(right, n, out=np.full(len(z), np.nan), where=n > 0)
    return Sweep(z, percentiles, kept, bounds[:, 0], bounds[:, 1], n)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Move labels at `places` (in rising order) as little as possible, to lie `gap` apart and from `low` to `high`."""
    from scipy.optimize import isotonic_regression  # takes 18 MB, which kernels of dashboards can do without

    steps = gap * np.arange(len(places))
    moved = isotonic_regression(np.asarray(places, dtype=float) - steps).x
    return np.clip(moved, low, max(high - gap * (len(places) - 1), low)) + steps
