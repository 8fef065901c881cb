"""Making a preset of a run, in the work folder, by a process of its own."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as w

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.lab.jobs import Job, is_alive, spawn
from racnet_tools.apps.lab.plan import checked_name
from racnet_tools.apps.settings import Settings
from racnet_tools.errors import RacnetError

__all__ = ["KeepPanel", "keep_as_preset"]


def keep_as_preset(job: Job, name: Any, work: Path) -> None:
    """Begin to make a preset of a run that is over; ``preset.json`` in the run's folder tells when it is made.

    Parameters
    ----------
    job : Job
    name : str
        Of the preset; neither that of a shipped one nor of one that is there.
    work : Path
        The work folder.

    Raises
    ------
    RacnetError
        When the run has no weights, or the name is taken.
    """
    from racnet_tools.inference import available_presets

    checked_name(name, "a preset")
    if not job.done:
        raise RacnetError(f"{job.name} is {job.state}: it becomes a preset when it has finished or was stopped.")
    if name in available_presets() or (work / "presets" / name).exists():
        raise RacnetError(f"There is a preset named {name} already, and it is not replaced. Choose another name.")
    if is_alive(job.folder, "keeping.json"):
        raise RacnetError(f"A preset of {job.name} is being made already. Wait for it.")
    (job.folder / "preset.json").unlink(missing_ok=True)
    spawn(job.folder, "keeping.json", "preset", name)


class KeepPanel(w.VBox):
    """A name and a button.

    Parameters
    ----------
    settings : Settings
    notice : Notice
    python : ShowPython
    """

    def __init__(self, settings: Settings, notice: Notice, python: ShowPython) -> None:
        self._settings, self._python = settings, python
        self._job: Job | None = None
        self._name = w.Text(description="Name", placeholder="my-preset")
        self._button = w.Button(description="Save as a preset", layout=w.Layout(width="auto"))
        self._said = w.HTML()
        self._button.on_click(notice.guard(lambda _: self._clicked()))
        super().__init__([w.HBox([self._name, self._button], layout=w.Layout(flex_flow="row wrap")), self._said])

    def show(self, job: Job | None) -> None:
        """Offer to keep this run."""
        self._job = job
        self.look()

    def look(self) -> None:
        """Say how far it is."""
        job = self._job
        if job is None or not job.done:
            self._say("A run becomes a preset when it has finished or was stopped.", False)
            return
        try:
            made = json.loads((job.folder / "preset.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            made = {}
        if is_alive(job.folder, "keeping.json"):
            self._say(f"Making a preset of {job.name}: the network is written for ONNX Runtime ...", False)
        elif made.get("error"):
            self._say(f"No preset was made of {job.name}: {made['error']}")
        elif made.get("folder"):
            self._say(f"{job.name} is kept as the preset {made.get('name')}, in {made['folder']}.")
        else:
            self._say(f"{job.name} can be kept as a preset: its network, preprocessing, labels and model card.")

    def _clicked(self) -> None:
        if self._job is None:
            raise RacnetError("Choose a run that has finished or was stopped first.")
        name = self._name.value
        keep_as_preset(self._job, name, self._settings.work)
        what, call = "prepared import save_dataset_preset", "save_dataset_preset(run, data, "
        if self._job.plan.simulated:
            what, call = "simulated import save_simulated_preset", "save_simulated_preset(run, "
        self._python.say(
            "Save as a preset and use it",
            f"import racnet_tools\nfrom racnet_tools.training import Run\nfrom racnet_tools.training.{what}\n\n"
            f"run = Run.open('runs/{self._job.name}/run')\n{call}'presets/{name}')\n"
            f"table = racnet_tools.classify('spectra/', preset='presets/{name}')",
        )
        self.look()

    def _say(self, text: str, ready: bool = True) -> None:
        told = f'<div role="status">{escape(text)}</div>'
        if self._said.value != told:
            self._said.value = told
        if self._button.disabled == ready:
            self._button.disabled = not ready
