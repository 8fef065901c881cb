"""How accuracy depends on a quantity, such as S/N or redshift: in bins, and for the same objects moved through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from racnet_tools.plots.figure import Figure
from racnet_tools.plots.marks import mark_lines
from racnet_tools.plots.prepared import bins, required, spans_decades, sweep
from racnet_tools.plots.style import COLUMN, PRINT, as_written, series

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["binned_accuracy", "redshift_sweep"]


@rc_context(PRINT)
def binned_accuracy(tables: Mapping[str, Columns], *, xlabel: str) -> Figure:
    """Draw accuracy in bins of a quantity, with intervals above and the numbers of objects below.

    Parameters
    ----------
    tables : mapping of str to table
        Label, such as a class or a network, and a row a bin: ``low``, ``high``, ``n``, ``accuracy``, ``lower``,
        ``upper`` (of its 95 % interval). An open outermost bin (infinite edge) is drawn as wide as its neighbour.
    xlabel : str
        The quantity and its unit.

    Returns
    -------
    matplotlib.figure.Figure
        Column width; a logarithmic axis where positive edges span a factor of 20. Empty bins stay empty.
    """
    required(tables, "table")
    logarithmic = spans_decades(list(tables.values()))
    figure = Figure(figsize=(COLUMN, 3.2 + 0.14 * len(tables)), layout="constrained")
    ax, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    for number, (label, table) in enumerate(tables.items()):
        found, style = bins(table, logarithmic), series(number)
        place = found.dodged(number, len(tables))
        widths = [place - found.low, found.high - place]
        ax.errorbar(
            place,
            100 * found.accuracy,
            xerr=widths,
            yerr=100 * found.errors,
            fmt=style.marker,
            color=style.colour,
            capsize=0,
            elinewidth=0.9,
            label=as_written(label),
        )
        x, n = found.steps
        below.plot(x, n, color=style.colour, lw=1, ls=style.dashes)
        below.fill_between(x, n, color=style.colour, alpha=0.12, lw=0)
    if logarithmic:
        ax.set_xscale("log")
        below.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        below.xaxis.set_major_formatter(ScalarFormatter())
        below.xaxis.set_minor_formatter(NullFormatter())
    low, high = ax.get_ylim()
    ax.set_ylim(low, min(high, 100 + 0.04 * (100 - low)))  # room for the markers at 100, no more
    ax.set_ylabel("accuracy / %")
    below.set_ylim(bottom=0)
    below.set_ylabel("objects")
    below.set_xlabel(as_written(xlabel))
    if len(tables) > 1:
        figure.legend(loc="outside lower center", ncols=min(len(tables), 3))
    return figure


@rc_context(PRINT)
def redshift_sweep(
    z: np.ndarray,
    p: np.ndarray,
    classes: Sequence[str],
    *,
    true: str,
    title: str = "",
    lines: Sequence[tuple[float, str]] = (),
) -> Figure:
    """Draw what becomes of the class probabilities when the same objects are moved through redshift.

    Parameters
    ----------
    z : (n_z,) array
        Redshifts.
    p : (n_objects, n_z, n_classes) array
        Class probabilities; an object with a probability that is not finite is left out at that redshift.
    classes : sequence of str
        Names of the classes.
    true : str
        The class that the objects are of.
    title : str
        Written above.
    lines : sequence of (float, str)
        Redshifts to mark, such as those at which a spectral line leaves or enters the window, and what to write.

    Returns
    -------
    matplotlib.figure.Figure
        Column width. Above, the median probability of each class and the 16th to 84th percentile as a band; below,
        the share of objects still given the true class, with its 95 % Wilson interval.
    """
    found = sweep(z, p, classes, true)
    figure = Figure(figsize=(COLUMN, 4.2 + (0.5 if lines else 0)), layout="constrained")
    ax, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for number, name in enumerate(classes):
        style = series(number)
        low, middle, high = found.percentiles[:, :, number]
        ax.fill_between(found.z, low, high, color=style.colour, alpha=0.18, lw=0)
        ax.plot(found.z, middle, color=style.colour, ls=style.dashes, label=as_written(name))
    style = series(list(classes).index(true))
    below.fill_between(found.z, 100 * found.lower, 100 * found.upper, color=style.colour, alpha=0.25, lw=0)
    below.plot(found.z, 100 * found.kept, color=style.colour)
    ax.set_xlim(found.z[0], found.z[-1])
    ax.set_ylim(-0.02, 1.02)
    ax.set_ylabel("class probability")
    below.set_ylim(-2, 102)
    below.set_ylabel(f"classified as {as_written(true)} / %")
    below.set_xlabel("redshift z")
    mark_lines((ax, below), lines)
    figure.suptitle(as_written(title), fontsize=8, x=0.02, ha="left")
    figure.legend(loc="outside lower center", ncols=min(len(classes), 4))
    return figure
