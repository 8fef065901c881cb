"""Classifiers that a user could run instead of a network, on the same input and with the same labels.

The nearest template (see `racnet_tools.evaluate.baselines_template`), and three on principal components: nearest
neighbours, logistic regression and boosted trees (LightGBM where it is installed, else scikit-learn's own). All but the
first need scikit-learn: ``pip install 'racnet-tools[reproduce]'``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.baselines_template import TemplateMatcher

__all__ = ["BASELINES", "Baseline", "PrincipalComponents", "make_baseline"]

#: Names of the baselines.
BASELINES = ("template", "knn", "logistic", "boosting")
_COMPONENTS = 50
_NEIGHBOURS = 5


class Baseline(Protocol):
    """What a baseline can do; `name` says in words what it is."""

    name: str

    def fit(self, x: np.ndarray, y: np.ndarray) -> Any:
        """Learn from network input (n, n_pixels) and class indices (n,)."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class indices (n,) of network input (n, n_pixels)."""


def make_baseline(name: str, classes: Sequence[str], *, seed: int = 0) -> Baseline:
    """A baseline by name, not yet fitted.

    Parameters
    ----------
    name : str
        One of `BASELINES`.
    classes : sequence of str
        Names of the classes, in the order of the labels.
    seed : int
        Of the principal components (a randomised method) and of the trees.

    Returns
    -------
    Baseline
        With ``name``, ``fit(x, y)`` and ``predict(x)``; those on principal components also ``predict_proba(x)``.

    Raises
    ------
    RacnetError
        If the name is unknown or scikit-learn is not installed.

    Examples
    --------
    >>> one = make_baseline("knn", ["STAR", "GALAXY"])
    >>> one.name
    '5 nearest neighbours on 50 principal components'
    """
    if name not in BASELINES:
        raise RacnetError(f"Expected one of {', '.join(BASELINES)}. Received: {name!r}.")
    return TemplateMatcher(classes) if name == "template" else PrincipalComponents(name, len(classes), seed=seed)


class PrincipalComponents:
    """A classifier of scikit-learn (or LightGBM) on 50 principal components of the network input.

    Parameters
    ----------
    method : str
        "knn", "logistic" or "boosting".
    n_classes : int
    seed : int

    Attributes
    ----------
    name : str
        Which classifier was used, in words.

    Raises
    ------
    RacnetError
        If scikit-learn is not installed.
    """

    def __init__(self, method: str, n_classes: int, *, seed: int = 0) -> None:
        if find_spec("sklearn") is None:
            raise RacnetError(
                f"The baseline {method!r} expects scikit-learn, which is not installed. "
                "Install it with: pip install 'racnet-tools[reproduce]'"
            )
        self.n_classes = n_classes
        self._method, self._seed = method, seed
        what = {
            "knn": f"{_NEIGHBOURS} nearest neighbours",
            "logistic": "logistic regression",
            "boosting": "boosted trees (LightGBM)" if find_spec("lightgbm") else "boosted trees (scikit-learn)",
        }
        self.name = f"{what[method]} on {_COMPONENTS} principal components"
        self._pipeline: Any = None

    @threadpool_limits.wrap(limits=1)
    def fit(self, x: np.ndarray, y: np.ndarray) -> PrincipalComponents:
        """Find components and classifier.

        Parameters
        ----------
        x : (n, n_pixels) float32
            Network input.
        y : (n,) int
            Class indices.

        Returns
        -------
        PrincipalComponents
            Itself.

        Raises
        ------
        RacnetError
            If the shapes do not fit or labels are not class indices.
        """
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline

        x, y = np.asarray(x), np.asarray(y)
        if x.ndim != 2 or y.shape != x.shape[:1] or len(x) < 2 or y.min() < 0 or y.max() >= self.n_classes:
            raise RacnetError(
                f"Expected x (n, n_pixels) and y (n,) from 0 to {self.n_classes - 1}, 2 spectra or more. "
                f"Received: shapes {x.shape} and {y.shape}."
            )
        components = PCA(min(_COMPONENTS, *x.shape), svd_solver="randomized", random_state=self._seed)
        self._pipeline = make_pipeline(components, *self._classifier(len(x)))
        self._pipeline.fit(x, y)
        return self

    def _classifier(self, n: int) -> list[Any]:
        """Steps after the components."""
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.preprocessing import StandardScaler

        if self._method == "knn":
            return [KNeighborsClassifier(min(_NEIGHBOURS, n))]
        if self._method == "logistic":
            return [StandardScaler(), LogisticRegression(max_iter=1000)]
        if find_spec("lightgbm"):
            from lightgbm import LGBMClassifier

            return [LGBMClassifier(random_state=self._seed, n_jobs=1, deterministic=True, verbosity=-1)]
        return [HistGradientBoostingClassifier(random_state=self._seed)]

    @threadpool_limits.wrap(limits=1)
    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_classes) of network input; 0 for a class that was not there to learn."""
        if self._pipeline is None:
            raise RacnetError("Expected a fitted baseline. Call fit(x, y) first.")
        found = self._pipeline.predict_proba(np.asarray(x))
        p = np.zeros((len(found), self.n_classes))
        p[:, self._pipeline.classes_] = found
        return p

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class indices (n,) of network input."""
        return self.predict_proba(x).argmax(axis=1)
