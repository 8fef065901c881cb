"""How a training went: learning curves and the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

__all__ = ["confusion", "history"]


def history(epochs: Mapping[str, Sequence[float]]) -> Figure:
    """Draw loss and accuracy against the epoch.

    Parameters
    ----------
    epochs : mapping
        Columns ``loss``, ``accuracy`` and, where there was a validation, ``val_loss``, ``val_accuracy``; a value
        an epoch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for ax, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for column, label, marker in ((name, "training", "o"), (f"val_{name}", "validation", "s")):
            if column in epochs:
                values = np.asarray(epochs[column], dtype=float)
                ax.plot(np.arange(1, len(values) + 1), values, marker=marker, ms=3, lw=1.2, label=label)
        ax.set_xlabel("epoch")
        ax.set_ylabel(name)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False, fontsize=8)
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str], *, title: str = "") -> Figure:
    """Draw a confusion matrix with counts and row percentages.

    Parameters
    ----------
    counts : (k, k) int array
        Rows are the true classes, columns the predicted ones.
    classes : sequence of str
        Their k names, in order.
    title : str
        Written above.

    Returns
    -------
    matplotlib.figure.Figure
    """
    counts = np.asarray(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(1.6 + 0.85 * len(classes), 1.3 + 0.7 * len(classes)), layout="constrained")
    ax = figure.subplots()
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), n in np.ndenumerate(counts):
        colour = "white" if share[i, j] > 0.5 else "#222222"
        ax.text(j, i, f"{n}\n{share[i, j]:.0%}", ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(range(len(classes)), classes, fontsize=8)
    ax.set_yticks(range(len(classes)), classes, fontsize=8)
    ax.set_xlabel("classified as")
    ax.set_ylabel("true class")
    ax.set_title(title, fontsize=9, loc="left")
    return figure
