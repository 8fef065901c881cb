"""A two-sample test of simulated against real spectra: how well a classifier tells which is which.

An area under the ROC curve (AUC) of 0.5 means that it cannot, 1 that it always can (Friedman 2003, SLAC-PUB-10325;
Lopez-Paz and Oquab 2017, ICLR). Needs scikit-learn, which is part of the extra ``dev``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.realism_features import Features
from racnet_tools.evaluate.rejection import auc
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

__all__ = ["Auc", "TwoSample", "match", "measured_snr", "tell_apart", "two_sample_test"]

_R_BAND = slice(*np.searchsorted(LAMOST_GRID.wave, (5500.0, 6900.0)))


@dataclass(frozen=True)
class Auc:
    """An AUC with its 95 % interval, from bootstrap samples of whole groups."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def _interval(positive: np.ndarray, score: np.ndarray, group: np.ndarray, seed: int, samples: int = 400) -> Auc:
    rng = np.random.default_rng(seed)
    names, member = np.unique(group, return_inverse=True)
    rows = [np.flatnonzero(member == k) for k in range(len(names))]
    found = []
    for _ in range(samples):
        drawn = np.concatenate([rows[k] for k in rng.integers(0, len(names), len(names))])
        found.append(auc(positive[drawn], score[drawn]))
    low, high = np.nanpercentile(found, (2.5, 97.5))
    return Auc(auc(positive, score), float(low), float(high))


def measured_snr(spectra: SpectrumSet) -> np.ndarray:
    """Median signal-to-noise ratio per pixel on 5500-6900 Angstrom over pixels with information, (n,), at least 0.1."""
    ratio = np.where(spectra.mask[:, _R_BAND], np.nan, (spectra.flux * np.sqrt(spectra.ivar))[:, _R_BAND])
    empty = np.isnan(ratio).all(axis=1)
    ratio[empty] = 0
    return np.maximum(np.nanmedian(ratio, axis=1), 0.1)


def match(kind: np.ndarray, snr: np.ndarray, other_kind: np.ndarray, other_snr: np.ndarray, each: int) -> np.ndarray:
    """Partners of equal kind and nearest signal-to-noise ratio, without replacement.

    Parameters
    ----------
    kind, snr : (n,) arrays
        Of the spectra that need partners.
    other_kind, other_snr : (m,) arrays
        Of the candidates.
    each : int
        Partners for every spectrum.

    Returns
    -------
    (n, each) int array
        Numbers of candidates; the brightest choose first (candidates are scarcest there).

    Raises
    ------
    RacnetError
        If a kind has too few candidates.
    """
    partner = np.empty((len(kind), each), int)
    other_log, free = np.log(other_snr), np.ones(len(other_snr), bool)
    for name in np.unique(kind):
        wanted = np.flatnonzero(kind == name)
        if (found := int((other_kind == name).sum())) < each * len(wanted):
            raise RacnetError(f"Expected {each * len(wanted)} candidates or more of kind {name}. Received: {found}.")
        for turn in range(each):
            for row in wanted[np.argsort(-snr[wanted])]:
                candidates = np.flatnonzero(free & (other_kind == name))
                best = candidates[np.argmin(np.abs(other_log[candidates] - np.log(snr[row])))]
                partner[row, turn] = best
                free[best] = False
    return partner


def _scikit_learn() -> Any:
    try:
        import sklearn.ensemble
        import sklearn.linear_model
    except ImportError as error:
        raise RacnetError(
            "The two-sample test needs scikit-learn, which is not installed. Install it: pip install scikit-learn"
        ) from error
    return sklearn


def _folds(group: np.ndarray, positive: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Fold of every row; groups stay whole, and every fold has its part of the groups of positive and other rows."""
    _, member = np.unique(group, return_inverse=True)
    share = np.bincount(member, weights=positive) / np.bincount(member)
    order = np.random.default_rng(seed).permutation(len(share))
    order = order[np.argsort(share[order], kind="stable")]
    fold = np.empty(len(share), int)
    fold[order] = np.arange(len(share)) % n
    return fold[member]


def _matrix(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    values = np.stack(list(columns.values()), axis=1)
    return np.where(np.isfinite(values), values, np.nan)


def _importance(model: Any, x: np.ndarray, positive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permutation importance: loss of the mean margin (score of positives less that of negatives), each feature."""
    exchanged = np.repeat(x[None], x.shape[1], axis=0)
    for j in range(x.shape[1]):
        exchanged[j, :, j] = rng.permutation(x[:, j])
    score = model.decision_function(np.concatenate([exchanged.reshape(-1, x.shape[1]), x]))
    sign = np.where(positive, 1.0 / max(positive.sum(), 1), -1.0 / max((~positive).sum(), 1))
    margin = score.reshape(-1, len(x)) @ sign
    return (margin[-1] - margin[:-1]) / max(abs(margin[-1]), 1e-9)


def tell_apart(
    columns: Mapping[str, np.ndarray],
    positive: np.ndarray,
    group: np.ndarray,
    *,
    seed: int,
    linear: bool = False,
    importance: bool = False,
) -> tuple[np.ndarray, dict[str, float]]:
    """Cross-validated scores of a classifier that tells positive rows from the others.

    Parameters
    ----------
    columns : mapping of str to (n,) array
        Features; NaN where missing.
    positive : (n,) bool array
        What is to be told.
    group : (n,) array
        Rows of one group are never on both sides of a fold.
    seed : int
        For folds and classifier.
    linear : bool
        Logistic regression on standardised features in place of gradient boosting on trees.
    importance : bool
        Measure the importance of each feature too (boosting only).

    Returns
    -------
    score : (n,) float64
        Of rows when they were not trained on.
    importance : dict of str to float
        Loss of mean margin on the test rows when one feature's values are exchanged among them, as a share of the
        whole margin; 0 where it was not asked for.

    Raises
    ------
    RacnetError
        If scikit-learn is not there.
    """
    sklearn = _scikit_learn()
    x, names = _matrix(columns), list(columns)
    fold = _folds(group, positive, 5, seed)
    score = np.empty(len(x))
    rng = np.random.default_rng(seed)
    loss = np.zeros(len(names))
    for k in range(5):
        train, test = fold != k, fold == k
        if linear:
            middle = np.nan_to_num(np.nanmedian(np.where(np.isnan(x[train]).all(0), 0, x[train]), axis=0))
            filled = np.where(np.isnan(x), middle, x)
            mean, spread = filled[train].mean(axis=0), filled[train].std(axis=0) + 1e-9
            filled = np.clip((filled - mean) / spread, -8, 8)
            model = sklearn.linear_model.LogisticRegression(C=0.1, max_iter=300, class_weight="balanced")
            model.fit(filled[train], positive[train])
            score[test] = model.decision_function(filled[test])
            continue
        model = sklearn.ensemble.HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.1, max_leaf_nodes=8, min_samples_leaf=10, l2_regularization=1.0,
            max_features=0.4, early_stopping=False, random_state=seed,
        )  # fmt: skip
        model.fit(x[train], positive[train])
        score[test] = model.decision_function(x[test])
        if importance:
            loss += _importance(model, x[test], positive[test], rng) / 5
    return score, dict(zip(names, loss.tolist(), strict=True))


@dataclass
class TwoSample:
    """What the test found.

    Attributes
    ----------
    boosted, linear : dict of str to Auc
        By view, and "all" for all of them together; gradient boosting and logistic regression.
    by_kind : dict of str to Auc
        Of "all" (boosted), within each kind.
    telling : list of (str, float, float, float, float)
        Features by how well each alone tells: name, AUC of the feature alone (above 0.5: simulated values are higher),
        median of real, median of simulated, share of the margin of "all" that is lost without it.
    score : (n,) float64
        Score of "all" of every row, higher for simulated.
    """

    boosted: dict[str, Auc] = field(default_factory=dict)
    linear: dict[str, Auc] = field(default_factory=dict)
    by_kind: dict[str, Auc] = field(default_factory=dict)
    telling: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    score: np.ndarray = field(default_factory=lambda: np.empty(0))


def two_sample_test(
    measured: Mapping[str, Features],
    simulated: np.ndarray,
    group: np.ndarray,
    kind: np.ndarray | None = None,
    *,
    seed: int,
) -> TwoSample:
    """Test whether simulated spectra can be told from real ones.

    Both should be matched in kind and signal-to-noise ratio (`match`), else the difference in those is what is found.

    Parameters
    ----------
    measured : mapping of str to mapping of str to (n,) array
        Views and their features, as `features` gives them for both sides together.
    simulated : (n,) bool array
        Which rows are simulated.
    group : (n,) array
        The object of a row; for a simulated spectrum that of the real one it was matched to.
    kind : (n,) array of str, optional
        Spectral types, for the AUC within each.
    seed : int
        For folds, classifiers and bootstrap samples.

    Returns
    -------
    TwoSample
    """
    positive = np.asarray(simulated, bool)
    together: Features = {f"{view}: {name}": v for view, columns in measured.items() for name, v in columns.items()}
    result = TwoSample()
    importance: dict[str, float] = {}
    for view, columns in {**measured, "all": together}.items():
        score, importance = tell_apart(columns, positive, group, seed=seed, importance=view == "all")
        result.score, result.boosted[view] = score, _interval(positive, score, group, seed)
        linear, _ = tell_apart(columns, positive, group, seed=seed, linear=True)
        result.linear[view] = _interval(positive, linear, group, seed)
    for name in np.unique(kind) if kind is not None else ():
        where = kind == name
        result.by_kind[str(name)] = _interval(positive[where], result.score[where], group[where], seed)
    for name, values in together.items():
        sides = [side[np.isfinite(side)] for side in (values[~positive], values[positive])]
        low, high = (float(np.median(side)) if len(side) else float("nan") for side in sides)
        result.telling.append((name, auc(positive, values), low, high, importance[name]))
    result.telling.sort(key=lambda row: -abs(row[1] - 0.5) if np.isfinite(row[1]) else 0.0)
    return result
