"""Whether probabilities can be trusted: reliability diagrams and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib import rc_context

from racnet_tools.plots.figure import Figure
from racnet_tools.plots.prepared import columns, reliability_bins, required
from racnet_tools.plots.style import COLUMN, GREY, PRINT, as_written, series

if TYPE_CHECKING:
    from racnet_tools.plots.prepared import Columns

__all__ = ["reliability", "risk_coverage"]


@rc_context(PRINT)
def reliability(tables: Mapping[str, Columns]) -> Figure:
    """Draw accuracy against confidence, and how many objects have each confidence.

    Parameters
    ----------
    tables : mapping of str to table
        Label, such as "before temperature scaling", and a row a bin of confidence: ``low``, ``high``, ``n``,
        ``confidence`` (their mean), ``accuracy``, ``lower``, ``upper`` (of its 95 % interval).

    Returns
    -------
    matplotlib.figure.Figure
        Column width; on the dotted line confidence equals accuracy. Empty bins are left out.
    """
    required(tables, "table")
    figure = Figure(figsize=(COLUMN, 4.1), layout="constrained")
    ax, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    ax.plot([0, 1], [0, 1], ":", color=GREY, lw=0.9)
    for number, (label, table) in enumerate(tables.items()):
        found, style = reliability_bins(table), series(number)
        ax.errorbar(
            found.place,
            found.accuracy,
            yerr=found.errors,
            color=style.colour,
            marker=style.marker,
            ls=style.dashes,
            elinewidth=0.9,
            label=as_written(label),
        )
        for low, high, share in zip(found.low, found.high, found.n, strict=True):
            below.fill_between([low, high], share, 1e-9, color=style.colour, alpha=0.15, lw=0)
            below.plot([low, high], [share, share], color=style.colour, ls=style.dashes, solid_capstyle="butt")
    starts = [reliability_bins(table).low.min() for table in tables.values()]
    ax.set_xlim(max(min(starts) - 0.02, -0.02), 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_ylabel("accuracy")
    ax.legend(loc="upper left")
    below.set_yscale("log")
    smallest = min(reliability_bins(table).n.min() for table in tables.values())
    below.set_ylim(smallest / 2, 1.5)
    below.set_ylabel("share of objects")
    below.set_xlabel("confidence (probability of the chosen class)")
    return figure


@rc_context(PRINT)
def risk_coverage(tables: Mapping[str, Columns]) -> Figure:
    """Draw the share of wrong labels against the share of objects that are given one.

    Parameters
    ----------
    tables : mapping of str to table
        Label, and the columns ``coverage`` and ``risk`` (0 to 1), the objects accepted in order of their confidence.

    Returns
    -------
    matplotlib.figure.Figure
        Column width.
    """
    required(tables, "table")
    figure = Figure(figsize=(COLUMN, 2.6), layout="constrained")
    ax = figure.subplots()
    for number, (label, table) in enumerate(tables.items()):
        found, style = columns(table, ("coverage", "risk")), series(number)
        ax.plot(
            100 * found["coverage"], 100 * found["risk"], color=style.colour, ls=style.dashes, label=as_written(label)
        )
    ax.set_xlim(0, 100)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("coverage: objects given a label / %")
    ax.set_ylabel("risk: wrong among them / %")
    ax.legend(loc="upper left")
    return figure
