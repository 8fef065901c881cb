"""How often labels agree: accuracy with an interval, per group, and the table of confusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["Proportion", "accuracy", "accuracy_by", "accuracy_markdown", "confusion_table", "wilson_interval"]


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927, JASA 22, 209), good for small numbers and near 0 and 1.

    Parameters
    ----------
    successes, n : int
        Count and number of trials.
    confidence : float
        Probability that intervals made so cover the true proportion.

    Returns
    -------
    low, high : float
        From 0 to 1; NaN where `n` is 0.

    Raises
    ------
    RacnetError
        If the numbers are no count of trials.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not (0 <= successes <= n and 0 < confidence < 1):
        raise RacnetError(
            f"Expected 0 <= successes <= n, 0 < confidence < 1. Received: {successes}, {n}, {confidence}."
        )
    if n == 0:
        return float("nan"), float("nan")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = successes / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


@dataclass(frozen=True)
class Proportion:
    """A share of successes with its 95 % Wilson interval; ``str`` gives it in per cent."""

    successes: int
    n: int

    @property
    def value(self) -> float:
        """The share; NaN for no trials."""
        return self.successes / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound."""
        return wilson_interval(self.successes, self.n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.1%} ({low:.1%} to {high:.1%}, {self.successes} of {self.n})"


def accuracy(true: ArrayLike, predicted: ArrayLike) -> Proportion:
    """Share of labels that agree.

    Parameters
    ----------
    true, predicted : (n,) array_like of str
        A missing (masked) prediction counts as wrong; rows without a true label must be left out before.

    Returns
    -------
    Proportion

    Raises
    ------
    RacnetError
        If the lengths differ or a true label is missing.
    """
    truth, given = _labels(true, predicted)
    return Proportion(int((truth == given).sum()), len(truth))


def accuracy_by(true: ArrayLike, predicted: ArrayLike, groups: ArrayLike) -> Table:
    """Accuracy in each group, such as each survey, source or true class.

    Parameters
    ----------
    true, predicted : (n,) array_like of str
        As for `accuracy`.
    groups : (n,) array_like
        Group of each row.

    Returns
    -------
    Table
        Columns group, n, correct, accuracy, low, high (95 % Wilson interval); groups in sorted order.

    Raises
    ------
    RacnetError
        As `accuracy` does, and if `groups` has another length.
    """
    from astropy.table import Table

    truth, given = _labels(true, predicted)
    members = np.asarray(groups)
    if members.shape != truth.shape:
        raise RacnetError(f"Expected a group for each of {len(truth)} labels. Received: shape {members.shape}.")
    rows = []
    for group in np.unique(members):
        share = Proportion(int((truth == given)[members == group].sum()), int((members == group).sum()))
        rows.append((group, share.n, share.successes, share.value, *share.interval))
    table = Table(rows=rows or None, names=("group", "n", "correct", "accuracy", "low", "high"))
    for name in ("accuracy", "low", "high"):
        table[name].format = ".3f"
    return table


def confusion_table(true: ArrayLike, predicted: ArrayLike, classes: Sequence[str] | None = None) -> Table:
    """Counts of predicted labels (columns) for each true label (rows).

    Parameters
    ----------
    true, predicted : (n,) array_like of str
        As for `accuracy`; a missing prediction is counted in the column "none".
    classes : sequence of str, optional
        Order of the labels; those that occur, sorted, by default.

    Returns
    -------
    Table
        Columns true, one for each class, "none" where one is missing, n, completeness. ``meta["purity"]`` maps each
        class to the share of its predictions that are right.

    Raises
    ------
    RacnetError
        As `accuracy` does, and if a label is not in `classes`.
    """
    from astropy.table import Table

    truth, given = _labels(true, predicted)
    names = list(classes) if classes is not None else sorted({*truth, *given} - {""})
    strange = {*truth, *given} - {*names, ""}
    if strange:
        raise RacnetError(f"Expected labels among {', '.join(names)}. Received: {', '.join(sorted(strange))}.")
    columns = [*names, ""] if (given == "").any() else names
    counts = np.array([[int(((truth == t) & (given == p)).sum()) for p in columns] for t in names])
    counts = counts.reshape(len(names), len(columns))
    totals = counts.sum(axis=1)
    right = counts.diagonal()
    table = Table([names, *counts.T, totals], names=["true", *(name or "none" for name in columns), "n"])
    with np.errstate(invalid="ignore"):
        table["completeness"] = right / totals
        purity = right / counts.sum(axis=0)[: len(names)]
    table["completeness"].format = ".3f"
    table.meta["purity"] = dict(zip(names, purity.tolist(), strict=True))
    return table


def accuracy_markdown(y: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> str:
    """Accuracy of each class as a Markdown table, for model cards.

    Parameters
    ----------
    y, predicted : (n,) int arrays
        True and predicted class indices.
    classes : sequence of str

    Returns
    -------
    str
        A line a class: its name, and the share that is right with its interval.
    """
    lines = ["| class | right (95 % Wilson interval) |", "|---|---|"]
    for k, name in enumerate(classes):
        here = y == k
        share = Proportion(int((predicted[here] == k).sum()), int(here.sum()))
        lines.append(f"| {name} | {share if share.n else 'none in the test part'} |")
    return "\n".join(lines)


def _labels(true: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    truth, given = (np.ma.filled(np.ma.asarray(labels).astype(str), "") for labels in (true, predicted))
    if truth.ndim != 1 or truth.shape != given.shape:
        raise RacnetError(f"Expected two lists of labels of one length. Received: {truth.shape}, {given.shape}.")
    if (truth == "").any():
        raise RacnetError(f"Expected a true label in every row; {int((truth == '').sum())} have none. Leave them out.")
    return truth, given
