"""The choices of a new training as widgets; what they hold is checked when a plan is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as w

from racnet_tools.apps.lab.plan import ATTENTIONS, NETWORKS, SCHEDULES, Plan
from racnet_tools.errors import RacnetError

__all__ = ["PlanForm"]

_SIMULATED = {"class": "Simulated: 3 classes", "stellar_type": "Simulated: star types"}
#: Key in the address to field of the plan, with how text becomes its value.
_IN_ADDRESS: dict[str, tuple[str, Any]] = {
    "data": ("data", str),
    "size": ("size", int),
    "network": ("network", str),
    "attention": ("attention", str),
    "epochs": ("epochs", int),
    "batch": ("batch_size", int),
    "rate": ("learning_rate", float),
    "schedule": ("schedule", str),
    "patience": ("patience", int),
    "seed": ("seed", int),
}


class PlanForm(w.VBox):
    """The choices of a new training.

    Parameters
    ----------
    datasets : iterable of str
        Names of the prepared data sets.
    """

    def __init__(self, datasets: Mapping[str, Any]) -> None:
        first = Plan("new")
        self.datasets = tuple(datasets)
        wide = w.Layout(width="auto")
        options = [(words, task) for task, words in _SIMULATED.items()] + [(name, name) for name in self.datasets]
        schedules = [("cosine: falls to zero", "cosine"), ("constant", "constant")]
        self._fields: dict[str, w.Widget] = {
            "data": w.Dropdown(description="Data set", options=options, value=first.data),
            "size": w.BoundedIntText(description="Spectra/epoch", value=first.size, min=60, max=20_000, step=60),
            "network": w.Dropdown(description="Network", options=[(t, n) for n, t in NETWORKS.items()], value="racnet"),
            "attention": w.Dropdown(description="Attention", options=[(t, n) for n, t in ATTENTIONS.items()]),
            "learning_rate": w.FloatText(description="Learning rate", value=first.learning_rate, step=0.0005),
            "schedule": w.Dropdown(description="Schedule", options=schedules, value=SCHEDULES[0]),
            "batch_size": w.BoundedIntText(description="Batch size", value=first.batch_size, min=8, max=512),
            "epochs": w.BoundedIntText(description="Epochs", value=first.epochs, min=1, max=200),
            "patience": w.BoundedIntText(description="Patience", value=first.patience, min=1, max=200),
            "seed": w.BoundedIntText(description="Seed", value=first.seed, min=0, max=2**31 - 1),
            "augment": w.Checkbox(description="Augment (prepared data sets)", value=False, indent=False),
        }
        for field in self._fields.values():
            field.layout = wide
            field.style.description_width = "108px"
        self._fields["patience"].tooltip = "Epochs without a lower validation loss after which training ends"
        more = w.HTML("<small><b>Optimiser</b> AdamW with warm-up; the best epoch's weights are kept.</small>")
        names = list(self._fields)
        fields = [self._fields[name] for name in names]
        super().__init__([*fields[:4], more, *fields[4:]])
        for name in ("data", "network"):
            self._fields[name].observe(lambda _: self._adapt(), "value")
        self._adapt()

    def plan(self, name: str) -> Plan:
        """The plan that the choices make, under the name of a run.

        Raises
        ------
        RacnetError
            When a value is outside its range.
        """
        values = {field: widget.value for field, widget in self._fields.items()}
        if values["data"] not in (*_SIMULATED, *self.datasets):
            raise RacnetError(f"data set: expected one of the list. Received: {values['data']!r:.60}")
        if values["data"] in _SIMULATED:
            values["augment"] = False
        if values["network"] != "racnet":
            values["attention"] = "paper"  # has no meaning there
        return Plan(name, **values)

    def address_state(self) -> dict[str, str]:
        """The choices that differ from those that a new page has."""
        first, state = Plan("new"), {}
        for key, (field, _) in _IN_ADDRESS.items():
            value = self._fields[field].value
            if value != getattr(first, field):
                state[key] = f"{value:g}" if isinstance(value, float) else str(value)
        return state

    def apply_address(self, state: Mapping[str, str]) -> list[str]:
        """Take the choices of a link; returns what was wrong with them."""
        wrong = []
        for key, (field, kind) in _IN_ADDRESS.items():
            if key not in state:
                continue
            try:
                value = kind(state[key])
                if field == "data":
                    if value not in (*_SIMULATED, *self.datasets):
                        raise RacnetError(
                            f"expected one of {', '.join((*_SIMULATED, *self.datasets))}. Received: {value!r:.60}"
                        )
                elif field == "batch_size":
                    Plan("new", size=20_000, batch_size=value)
                elif field == "size":
                    Plan("new", size=value, batch_size=8)
                else:
                    Plan("new", **{field: value})
                self._fields[field].value = value
            except RacnetError as error:
                wrong.append(f"{key}: {error}")
            except ValueError:
                wrong.append(f"{key}: expected a number. Received: {state[key]!r:.60}")
        return wrong

    def _adapt(self) -> None:
        """Let only what has a meaning be chosen."""
        simulated = self._fields["data"].value in _SIMULATED
        self._fields["size"].disabled = not simulated
        self._fields["augment"].disabled = simulated
        self._fields["attention"].disabled = self._fields["network"].value != "racnet"
