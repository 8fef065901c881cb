"""`TrainingLab`: the training lab as a widget."""

from __future__ import annotations

import asyncio
from typing import Any

import ipywidgets as w

from racnet_tools.apps.frame import Frame, Lazy, Notice, Quiet, ShowPython
from racnet_tools.apps.lab.compare import ComparePanel
from racnet_tools.apps.lab.form import PlanForm
from racnet_tools.apps.lab.jobs import Job, Jobs
from racnet_tools.apps.lab.keep import KeepPanel
from racnet_tools.apps.lab.plan import find_datasets
from racnet_tools.apps.lab.preparation import PreparationPanel
from racnet_tools.apps.lab.results import ResultsPanel
from racnet_tools.apps.lab.words import line, said_curves, status
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.widgets import Address, PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_training import live_curves

__all__ = ["TrainingLab"]

_EVERY = 1.5  # seconds between two looks at the trainings


class TrainingLab(Frame):
    """Train networks on simulated or prepared spectra, watch, pause and compare them, and keep them as presets.

    Every training is a process of its own: it goes on when the page is closed, and another page shows it too.

    Parameters
    ----------
    settings : Settings, optional
        From the environment by default.

    Examples
    --------
    >>> TrainingLab()  # doctest: +SKIP
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.jobs = Jobs(self.settings.work)
        self.notice, self.python, self.address = Notice(), ShowPython(), Address()
        self.chosen: str | None = None
        self._listed: list[Job] = []
        self._seen: Any = None
        self._drawn: Any = None
        self._quiet = Quiet()
        guard = self.notice.guard

        self._datasets = find_datasets(self.settings)
        self._form = PlanForm(self._datasets)
        self._name = w.Text(description="Name", layout=w.Layout(width="auto"))
        self._name.style.description_width = "108px"
        self._train = w.Button(description="Train", button_style="primary")
        self._runs = w.Select(rows=6, tooltip="Runs on this server", layout=w.Layout(width="auto"))
        self._pause = w.Button(description="Pause", layout=w.Layout(width="auto"))
        self._resume = w.Button(description="Resume", layout=w.Layout(width="auto"))
        self._stop = w.Button(description="Stop, keep the best", layout=w.Layout(width="auto"))
        self._status = w.HTML()
        self._curves = PlotView(height=470)
        self._results: ResultsPanel | None = None
        self._compared: ComparePanel | None = None
        self._keep: KeepPanel | None = None

        self._train.on_click(guard(lambda _: self.start()))
        self._pause.on_click(guard(lambda _: self._told(self.jobs.pause)))
        self._resume.on_click(guard(lambda _: self._told(self.jobs.resume)))
        self._stop.on_click(guard(lambda _: self._told(self.jobs.stop)))
        self._runs.observe(guard(lambda change: self._run_chosen(change["new"])), "index")
        self._sections = {
            "steps": Lazy("Preprocessing step by step", self._made_steps, self.notice),
            "results": Lazy("Confusion matrix, and the spectra behind it", self._made_results, self.notice),
            "compare": Lazy("Compare runs", self._made_compare, self.notice),
            "keep": Lazy("Save as a preset", self._made_keep, self.notice),
        }
        buttons = w.HBox([self._pause, self._resume, self._stop], layout=w.Layout(flex_flow="row wrap"))
        runs = w.VBox([w.HTML("<b>Runs on this server</b> (choose one)"), self._runs, buttons])
        new = w.VBox([w.HTML("<b>New training</b>"), self._form, self._name, self._train])
        for card in (runs, new, self._status):
            card.add_class("rn-card")
        self.look()
        self._sections["steps"].unfold(not self._listed)
        super().__init__(
            "Training lab",
            controls=[new, runs],
            main=[self._status, self._curves, *self._sections.values()],
            notice=self.notice,
            python=self.python,
            address=self.address,
        )
        self.address.on_arrive(guard(self.apply_address))
        self._watch = self._watching()

    # What the visitor does

    def start(self) -> None:
        """Start the training that the form describes, or let it wait for its turn."""
        given = self._name.value
        name = given if isinstance(given, str) and given else self.jobs.new_name(str(self._form.plan("new").network))
        plan = self._form.plan(name)
        self._ready()
        job = self.jobs.start(plan, self._datasets.get(plan.data))
        self._set_name("")
        self.python.say(f"Train {plan.name}", plan.python(job.dataset))
        self.choose(plan.name)
        ahead = self.jobs.ahead(job)
        waits = f"It waits behind {ahead} other{'s' * (ahead != 1)}." if ahead else "It begins now."
        self.notice.info(
            f"{plan.name} is asked for. {waits} It goes on when this page is closed; any page of this server shows it."
        )

    def choose(self, name: str | None) -> None:
        """Show a run.

        Raises
        ------
        RacnetError
            When there is none of that name.
        """
        if name is not None:
            self.jobs.open(name)
        self.chosen = name
        self._seen = self._drawn = None
        self.look()

    @property
    def job(self) -> Job | None:
        """The run that is shown."""
        return next((job for job in self._listed if job.name == self.chosen), None)

    def address_state(self) -> dict[str, str]:
        """What a link needs to show the same view."""
        state = self._form.address_state()
        if self.chosen:
            state["run"] = self.chosen
        if opened := [name for name, section in self._sections.items() if section.opened]:
            state["show"] = ",".join(opened)
        if self._compared is not None and self._compared.chosen:
            state["compare"] = ",".join(self._compared.chosen)
        return state

    def apply_address(self, state: dict[str, str]) -> None:
        """Show the view of a link; what is wrong in it is told, the rest is applied."""
        wrong = self._form.apply_address(state)
        if "run" in state:
            try:
                self.choose(state["run"])
            except RacnetError as error:
                wrong.append(f"run: {error}")
        if "show" in state:
            wanted = {name for name in state["show"].split(",") if name}
            if unknown := wanted - set(self._sections):
                wrong.append(f"show: expected some of {', '.join(self._sections)}. Received: {sorted(unknown)}")
            for name, section in self._sections.items():
                section.unfold(name in wanted)
        if "compare" in state:
            self._sections["compare"].unfold()
            if self._compared is not None:
                try:
                    self._compared.choose(state["compare"].split(","))
                except RacnetError as error:
                    wrong.append(f"compare: {error}")
        if wrong:
            self.notice.error("The link was followed in part.\n" + "\n".join(wrong))
        self.address.put(self.address_state())

    # What the page shows

    def look(self) -> None:
        """Look at the trainings and show what has changed."""
        self._listed = self.jobs.list()
        if self.job is None:
            self.chosen = self._listed[0].name if self._listed else None
        seen = [(job.name, job.state, job.phase, job.wish, len(job.history), job.reason) for job in self._listed]
        if self._keep is not None:
            self._keep.look()
        if (seen, self.chosen) == self._seen:
            return
        self._seen = (seen, self.chosen)
        with self._quiet:
            self._runs.options = [line(job) for job in self._listed] or ["none yet"]
            names = [job.name for job in self._listed]
            self._runs.index = names.index(self.chosen) if self.chosen in names else None
        self._refresh()

    def close(self) -> None:
        """Stop looking, and close the widget; trainings go on."""
        if self._watch is not None:
            self._watch.cancel()
        super().close()

    def _refresh(self) -> None:
        job = self.job
        self._status.value = status(job, self.jobs.ahead(job) if job is not None and job.state == "waiting" else 0)
        ends = bool(job and job.alive and job.wish)
        self._pause.disabled = job is None or not job.alive or ends
        self._resume.disabled = job is None or job.done or (job.alive and job.wish != "pause")
        self._stop.disabled = job is None or job.done or not job.history or (job.wish == "stop" and job.alive)
        shown = job is not None and bool(job.history)
        self._curves.layout.display = "" if shown else "none"
        key = (job.name, len(job.history)) if job is not None else None
        if shown and key != self._drawn:
            assert job is not None
            self._curves.show(live_curves({job.name: job.history}, epochs=job.plan.epochs), said_curves(job))
        if key != self._drawn or (self._results is not None and self._results.result is None):
            self._drawn = key
            if self._results is not None:
                self._shown_results()
        if self._keep is not None:
            self._keep.show(job)
        if self._compared is not None:
            self._compared.show(self._listed)
        self.address.put(self.address_state())

    def _made_steps(self) -> w.Widget:
        return PreparationPanel(self.notice, self.python)

    def _made_results(self) -> w.Widget:
        self._results = ResultsPanel(self.notice)
        self._shown_results()
        return self._results

    def _shown_results(self) -> None:
        assert self._results is not None
        self._results.show(self.job)
        if self._results.result is not None:
            self.python.say(
                "Confusion matrix (rows true classes)",
                "from racnet_tools.training import Run\n\n"
                f"Run.open('runs/{self.chosen}/run').metrics['validation']['confusion']",
            )

    def _made_compare(self) -> w.Widget:
        self._compared = ComparePanel(self.jobs, self.notice, self.python)
        self._compared.show(self._listed)
        return self._compared

    def _made_keep(self) -> w.Widget:
        self._keep = KeepPanel(self.settings, self.notice, self.python)
        self._keep.show(self.job)
        return self._keep

    def _told(self, act: Any) -> None:
        if self.chosen is None:
            raise RacnetError("There is no run yet. Choose above and press Train.")
        act(self.chosen)
        self.notice.clear()
        job = self.jobs.open(self.chosen)
        self.python.say(f"Go on with {job.name} (the same call resumes)", job.plan.python(job.dataset))
        self.look()

    def _run_chosen(self, place: Any) -> None:
        if self._quiet or not self._listed:
            return
        if type(place) is not int or not 0 <= place < len(self._listed):
            raise RacnetError(f"Expected a run from 1 to {len(self._listed)}. Received: {place!r:.60}")
        self.choose(self._listed[place].name)

    def _set_name(self, name: str) -> None:
        self._name.value = name
        self._name.placeholder = self.jobs.new_name("racnet")

    def _ready(self) -> None:
        """Say at once what the worker would find out in a minute."""
        from importlib.util import find_spec

        if find_spec("keras") is None:
            raise RacnetError("Training needs Keras and TensorFlow on the server: pip install 'racnet-tools[train]'.")

    def _watching(self) -> asyncio.Task[None] | None:
        """Look again and again while the widget lives; without a running loop (in a script) nothing is watched."""
        try:
            return asyncio.get_running_loop().create_task(self._look_again())
        except RuntimeError:
            return None

    async def _look_again(self) -> None:
        guarded = self.notice.guard(self.look)
        while self.comm is not None:
            await asyncio.sleep(_EVERY)
            guarded()
