"""How trainings went: learning curves of one run or of several, and confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from racnet_tools.plots.figure import Figure
from racnet_tools.plots.prepared import columns, curves, required, row_shares
from racnet_tools.plots.style import COLUMN, GREY, PAGE, PRINT, as_written, series

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["confusion", "confusions", "history", "learning_curves"]


def history(epochs: Columns) -> Figure:
    """Draw loss and accuracy against the epoch.

    Parameters
    ----------
    epochs : mapping of columns, Table or sequence of rows
        A training's history, such as `racnet_tools.training.Run.history`: ``loss``, ``accuracy`` and, where there was
        a validation, ``val_loss``, ``val_accuracy`` of each epoch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    found = columns(epochs, ("loss", "accuracy"), ("val_loss", "val_accuracy"))
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for ax, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for column, label, marker in ((name, "training", "o"), (f"val_{name}", "validation", "s")):
            if column in found:
                values = np.asarray(found[column], dtype=float)
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
    counts, share = row_shares(counts, classes)
    figure = Figure(figsize=(1.6 + 0.85 * len(classes), 1.3 + 0.7 * len(classes)), layout="constrained")
    ax = figure.subplots()
    _matrix(ax, counts, share, classes, 8)
    ax.set_xlabel("classified as")
    ax.set_ylabel("true class")
    ax.set_title(as_written(title), fontsize=9, loc="left")
    return figure


@rc_context(PRINT)
def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> Figure:
    """Draw the confusion matrices of several networks beside each other.

    Parameters
    ----------
    matrices : mapping of str to (k, k) int array
        Name of each network and its counts; rows are the true classes, columns the predicted ones.
    classes : sequence of str
        Their k names, in order.

    Returns
    -------
    matplotlib.figure.Figure
        Page width; as many panels a row as stay readable.
    """
    required(matrices, "matrix")
    side = 0.46 * len(classes) + 0.25
    across = int(np.clip(PAGE / side, 1, len(matrices)))
    down = -(-len(matrices) // across)
    across = -(-len(matrices) // down)
    figure = Figure(figsize=(max(across * side + 0.6, COLUMN), down * (side + 0.25) + 0.35), layout="constrained")
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, (name, given) in zip(axes, matrices.items(), strict=False):
        _matrix(ax, *row_shares(given, classes), classes, 6)
        ax.tick_params(axis="x", labelrotation=30 if max(map(len, classes)) > 3 else 0)
        ax.set_title(as_written(name))
    for ax in axes[len(matrices) :]:
        ax.set_axis_off()
    for ax in axes[max(len(matrices) - across, 0) : len(matrices)]:
        ax.tick_params(axis="x", labelbottom=True)
    figure.supxlabel("classified as", fontsize=8)
    figure.supylabel("true class", fontsize=8)
    return figure


def _matrix(ax: Axes, counts: np.ndarray, share: np.ndarray, classes: Sequence[str], size: float) -> None:
    names = [as_written(name) for name in classes]
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (i, j), n in np.ndenumerate(counts):
        colour = "white" if share[i, j] > 0.5 else "#222222"
        ax.text(j, i, f"{n}\n{share[i, j]:.0%}", ha="center", va="center", fontsize=size, color=colour)
    ax.set_xticks(range(len(classes)), names, fontsize=size)
    ax.set_yticks(range(len(classes)), names, fontsize=size)


@rc_context(PRINT)
def learning_curves(runs: Mapping[str, Columns]) -> Figure:
    """Draw loss and accuracy of several trainings against the epoch.

    Parameters
    ----------
    runs : mapping of str to history
        Label of each run, and its columns (or rows, one an epoch) loss, accuracy, val_loss, val_accuracy; those that
        are there are drawn. Epochs count from 1 unless there is a column epoch.

    Returns
    -------
    matplotlib.figure.Figure
        Column width: loss above, accuracy below; dashed on training data, solid with markers on validation data.
    """
    required(runs, "run")
    figure = Figure(figsize=(COLUMN, 3.9 + 0.16 * (len(runs) + 1) // 2), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    handles = []
    for number, (label, run) in enumerate(runs.items()):
        style = series(number)
        for ax, quantity in zip(axes, ("loss", "accuracy"), strict=True):
            for curve in curves(run, quantity):
                solid = curve.part == "validation"
                ax.plot(
                    curve.epoch,
                    curve.value,
                    color=style.colour,
                    lw=1.2 if solid else 0.9,
                    ls="-" if solid else "--",
                    marker=style.marker if solid else None,
                    ms=3,
                    markevery=max(len(curve.epoch) // 12, 1),
                )
        handles.append(Line2D([], [], color=style.colour, marker=style.marker, ms=3, label=as_written(label)))
    for ax, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        ax.set_ylabel(quantity)
    axes[0].set_ylim(bottom=0)
    axes[1].set_xlabel("epoch")
    axes[1].xaxis.get_major_locator().set_params(integer=True)
    handles.append(Line2D([], [], color=GREY, label="validation"))
    handles.append(Line2D([], [], color=GREY, lw=0.9, ls="--", label="training"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
