"""What a network reaches: cross-entropy, accuracy and confusion table, of arrays or of a part of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets import DataSet
from racnet_tools.models import predict

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["judge", "predict_part", "scores"]

_BATCH = 128


def scores(probabilities: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Judge class probabilities.

    Parameters
    ----------
    probabilities : (n, n_classes) array
    y : (n,) array
        True class indices.

    Returns
    -------
    dict
        ``spectra``, ``loss`` (mean cross-entropy), ``accuracy``, ``confusion`` (rows: true class, columns: predicted).
    """
    probabilities = probabilities.astype(np.float64)
    found = probabilities.argmax(axis=1)
    confusion = np.zeros((probabilities.shape[1],) * 2, int)
    np.add.at(confusion, (y, found), 1)
    picked = probabilities[np.arange(len(y)), y]
    return {
        "spectra": len(y),
        "loss": float(-np.log(np.maximum(picked, 1e-12)).mean()),
        "accuracy": float((found == y).mean()),
        "confusion": confusion.tolist(),
    }


def judge(model: Network, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """`scores` of a network on spectra in memory, and class indices (n,) or the targets of a joint network.

    Of a joint network the classes are judged, of the spectra that have one (a target above one half).
    """
    probabilities, n_classes = predict(model, x), model.network_config.n_classes
    if y.ndim == 2:
        known = y[:, :n_classes].max(axis=1) > 0.5
        probabilities, y = probabilities[known, :n_classes], y[known, :n_classes].argmax(axis=1)
    return scores(probabilities, y)


def predict_part(model: Network, data: DataSet, part: str) -> tuple[np.ndarray, np.ndarray]:
    """What a network says of a part of a data set, which is read in pieces.

    Parameters
    ----------
    model : keras.Model
        As `racnet_tools.training.Run.model` gives it.
    data : DataSet
    part : str
        ``"train"``, ``"validation"`` or ``"test"``.

    Returns
    -------
    p : (n, n_classes) float32
        Class probabilities, in the order of the data set's index.
    y : (n,) int64
        True class indices.
    """
    found = [predict(model, x, batch_size=_BATCH) for x, _ in data.batches(part, _BATCH, shuffle=False)]
    return np.concatenate(found), data.index[part][:, 2]
