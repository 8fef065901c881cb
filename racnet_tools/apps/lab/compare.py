"""Runs beside one another: their learning curves in one figure, and what they reach in a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets as w

from racnet_tools.apps.frame import Notice, Quiet, ShowPython
from racnet_tools.apps.lab.jobs import Job, Jobs
from racnet_tools.apps.lab.words import nothing_yet
from racnet_tools.apps.widgets import PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_training import live_curves

__all__ = ["ComparePanel", "comparison"]

_MOST = 6  # runs at a time: what colours and dashes can tell apart


def comparison(jobs: Sequence[Job]) -> list[dict[str, str]]:
    """One row a run: what was trained, epochs, seconds, and the accuracy with its 95 % Wilson interval."""
    from racnet_tools.evaluate import Proportion

    rows = []
    for job in jobs:
        reached = "after it has ended"
        judged = job.metrics.get("validation")
        if job.done and judged:
            right = round(judged["accuracy"] * judged["spectra"])
            reached = str(Proportion(right, judged["spectra"]))
        rows.append(
            {
                "run": job.name,
                "network": job.plan.title,
                "data": f"{job.plan.data}, {job.plan.size:,}" if job.plan.simulated else job.plan.data,
                "state": job.state,
                "epochs": f"{len(job.history)}/{job.plan.epochs}",
                "seconds": f"{sum(row.get('seconds', 0.0) for row in job.history):.0f}",
                "validation accuracy": reached,
            }
        )
    return rows


class ComparePanel(w.VBox):
    """A choice of runs, their curves and their numbers.

    Parameters
    ----------
    jobs : Jobs
    notice : Notice
    python : ShowPython
    """

    def __init__(self, jobs: Jobs, notice: Notice, python: ShowPython) -> None:
        self.chosen: tuple[str, ...] = ()
        self._jobs, self._python = jobs, python
        self._listed: list[Job] = []
        self._drawn: Any = None
        self._quiet = Quiet()
        self._choice = w.SelectMultiple(description="Runs", rows=5, layout=w.Layout(width="420px"))
        self._choice.observe(notice.guard(lambda change: self._indices(change["new"])), "index")
        self._table, self._view = w.HTML(), PlotView(height=500)
        hint = w.HTML("<small>Hold Ctrl or Shift to choose several, at most six.</small>")
        super().__init__([self._choice, hint, self._table, self._view])

    def show(self, listed: list[Job]) -> None:
        """Take the present runs; without a choice the latest three that have epochs are compared."""
        self._listed = [job for job in listed if job.history]
        names = [job.name for job in self._listed]
        self.chosen = tuple(name for name in self.chosen if name in names) or tuple(names[:3])
        with self._quiet:
            self._choice.options = names
            self._choice.index = tuple(names.index(name) for name in self.chosen)
        self._draw()

    def choose(self, names: Sequence[str]) -> None:
        """Compare these runs.

        Raises
        ------
        RacnetError
            When one is not there or has no epoch yet, or there are too many.
        """
        known = [job.name for job in self._listed]
        if not names or len(names) > _MOST or any(name not in known for name in names):
            listed = ", ".join(known) or "(none yet)"
            raise RacnetError(f"Expected one to {_MOST} of the runs {listed}. Received: {', '.join(names)[:100]}")
        self.chosen = tuple(dict.fromkeys(names))
        self.show(self._listed)

    def _indices(self, places: Any) -> None:
        if self._quiet:
            return
        if not isinstance(places, tuple | list) or not all(
            type(place) is int and 0 <= place < len(self._listed) for place in places
        ):
            raise RacnetError("Choose runs of the list.")
        self.choose([self._listed[place].name for place in places])

    def _draw(self) -> None:
        jobs = [job for name in self.chosen for job in self._listed if job.name == name]
        drawn = [(job.name, job.state, len(job.history)) for job in jobs]
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._view.layout.display = "" if jobs else "none"
        if not jobs:
            self._table.value = nothing_yet("Nothing to compare: no run has finished an epoch.")
            return
        rows = comparison(jobs)
        head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row.values()) + "</tr>" for row in rows)
        self._table.value = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        said = "; ".join(f"{row['run']} ({row['network']}) {row['validation accuracy']}" for row in rows)
        figure = live_curves({job.name: job.history for job in jobs})
        self._view.show(figure, f"Learning curves of {len(jobs)} runs. Validation accuracy: {said}.")
        folders = ", ".join(f"{job.name!r}: Run.open('runs/{job.name}/run').history" for job in jobs)
        self._python.say(
            "Compare runs",
            "from racnet_tools.plots import interactive\nfrom racnet_tools.training import Run\n\n"
            f"interactive.learning_curves({{{folders}}})",
        )
