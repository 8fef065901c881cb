"""Controls of the Spectrum inspector: which spectrum, which redshift, what is shown.

Each control hands what the browser says to a callback that checks it (`InspectorModel`), and is set back to what holds.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as w

from racnet_tools.apps.frame import Notice
from racnet_tools.apps.inspector.lines import LINE_SETS, clickable
from racnet_tools.apps.inspector.model import InspectorModel
from racnet_tools.apps.inspector.view_state import SMOOTHEST
from racnet_tools.apps.widgets.plot_view import Z_RANGE
from racnet_tools.errors import RacnetError

__all__ = ["Navigation", "RedshiftControls", "ViewControls"]

_LONGEST = 31  # characters of a name that the column shows
_PAGE = 100  # spectra whose names the page holds at a time

_SWITCHES = {
    "errors": "± 1 σ",
    "masked": "masked",
    "telluric": "telluric",
    "sky": "sky lines",
    "attention": "attention",
    "occlusion": "occlusion",
}


class Setting:
    """Tells changes that Python makes to its controls from those of the visitor."""

    busy = False

    def __enter__(self) -> None:
        self.busy = True

    def __exit__(self, *_: object) -> None:
        self.busy = False


class Navigation(w.VBox):
    """The list of spectra with next, previous and a search.

    Parameters
    ----------
    model : InspectorModel
    notice : Notice
    go : callable
        ``go(index)`` when the visitor wants another spectrum.
    """

    def __init__(self, model: InspectorModel, notice: Notice, go: Callable[[int], None]) -> None:
        self._model, self._go, self._setting = model, go, Setting()
        self._seen: tuple[Any, ...] = ()
        wide = w.Layout(flex="1 1 0", width="auto")
        self.previous = w.Button(description="◂ Previous", tooltip="Key: arrow left", layout=wide)
        self.next = w.Button(description="Next ▸", tooltip="Key: arrow right", layout=wide)
        self.previous.on_click(notice.guard(lambda _: go(model.index - 1)))
        self.next.on_click(notice.guard(lambda _: go(model.index + 1)))
        self._place = w.HTML()
        self._list = w.Select(rows=6, layout=w.Layout(width="100%"))
        self._list.observe(notice.guard(self._picked), "index")
        self._find = w.Text(
            description="Go to", placeholder="number or part of a name", continuous_update=False,
            layout=w.Layout(width="100%"),
        )  # fmt: skip
        self._find.observe(notice.guard(self._searched), "value")
        super().__init__([self._place, w.HBox([self.previous, self.next]), self._list, self._find])
        self.add_class("rn-card")
        self.refresh()

    def refresh(self) -> None:
        """Show where the model is."""
        model, n = self._model, len(self._model.spectra)
        first = model.index // _PAGE * _PAGE
        part = range(first, min(first + _PAGE, n))
        page = (id(model.spectra), getattr(model.spectra, "revision", 0), first)
        with self._setting:
            if page != self._seen:
                self._seen = page
                self._list.options = [(f"{i + 1}  {_tail(model.spectra.label(i))}", i) for i in part]
            if n:
                self._list.index = model.index - first
            self._find.value = ""
        more = f" (listed: {first + 1} to {part[-1] + 1})" if n > _PAGE else ""
        where = f"<b>{model.index + 1:,} of {n:,}</b>{more}" if n else "<b>No spectra.</b> Open others below."
        self._place.value = f"{escape(model.spectra.name)}: {where}"
        self.previous.disabled, self.next.disabled = model.index <= 0, model.index >= n - 1

    def _picked(self, change: Any) -> None:
        if self._setting.busy:
            return
        first = self._model.index // _PAGE * _PAGE
        index = change["new"]
        if index is None:
            return
        try:
            self._go(first + int(index))
        finally:
            self.refresh()

    def _searched(self, change: Any) -> None:
        if self._setting.busy or not str(change["new"]).strip():
            return
        self._go(self._model.search(str(change["new"])))


def _tail(label: str) -> str:
    """The end of a long name, which tells it from the others."""
    return label if len(label) <= _LONGEST else "…" + label[1 - _LONGEST :]


class RedshiftControls(w.VBox):
    """The redshift of the lines: typed, the header's, the network's, or by clicking where a line is.

    Parameters
    ----------
    model : InspectorModel
    notice : Notice
    changed : callable
        ``changed(z)`` with what the visitor typed, to be checked.
    """

    def __init__(self, model: InspectorModel, notice: Notice, changed: Callable[[Any], None]) -> None:
        self._model, self._notice, self._setting = model, notice, Setting()
        low, high = Z_RANGE
        self.typed = w.FloatText(
            description="Redshift z", step=0.0005, layout=w.Layout(width="100%"), continuous_update=False,
            tooltip=f"{low:g} to {high:g}; drag the lines in the plot for the same",
        )  # fmt: skip
        self.typed.observe(notice.guard(lambda change: self._typed(change["new"], changed)), "value")
        wide = w.Layout(flex="1 1 auto", width="auto", padding="0 6px")
        self._header = w.Button(description="Header", tooltip="The redshift in the spectrum's header", layout=wide)
        self._network = w.Button(description="Network", tooltip="The redshift that the network measures", layout=wide)
        self._zero = w.Button(description="z = 0", layout=wide)
        self._header.on_click(notice.guard(lambda _: changed(self._from_header())))
        self._network.on_click(notice.guard(lambda _: changed(self._from_network())))
        self._zero.on_click(notice.guard(lambda _: changed(0.0)))
        self._line = w.Dropdown(
            options=list(clickable()), value="H-alpha (6565)", description="I see", layout=w.Layout(width="100%")
        )
        self._line.observe(notice.guard(lambda _: self._named()), "value")
        self._chosen = "H-alpha (6565)"
        self.clicking = w.ToggleButton(description="Click it in the plot", layout=w.Layout(width="100%"))
        self.clicking.observe(notice.guard(lambda _: self._mode()), "value")
        super().__init__([self.typed, w.HBox([self._header, self._network, self._zero]), self._line, self.clicking])
        self.add_class("rn-card")

    def refresh(self) -> None:
        """Show the model's redshift."""
        with self._setting:
            self.typed.value = round(self._model.z, 6)
        self._header.disabled = self._model.shown.fact("z") is None
        self._network.disabled = self._measured() is None

    def placed(self, wave: float) -> float | None:
        """The redshift that follows from a click in the plot, None while nobody wants one."""
        if self.clicking.value is not True:
            return None
        z = self._model.redshift_from(self._chosen, wave)
        self.clicking.value = False
        return z

    def _typed(self, value: Any, changed: Callable[[Any], None]) -> None:
        if self._setting.busy:
            return
        try:
            changed(value)
        finally:
            self.refresh()

    def _from_header(self) -> float:
        z = self._model.shown.fact("z")
        if z is None:
            raise RacnetError("The header of this spectrum gives no redshift. Type one, or click a line.")
        return float(z)

    def _measured(self) -> float | None:
        verdict = self._model.shown.verdict
        return None if verdict is None else verdict.z

    def _from_network(self) -> float:
        z = self._measured()
        if z is None:
            raise RacnetError("This network measures no redshift. Choose racnet-survey, which does.")
        return z

    def _named(self) -> None:
        if self._line.value not in clickable():
            raise RacnetError(
                f"Expected a line among {', '.join(clickable())}. Received: {str(self._line.value)[:40]!r}."
            )
        self._chosen = self._line.value

    def _mode(self) -> None:
        if self.clicking.value is True:
            self._notice.info(f"Click where {self._chosen} is in the plot; the strongest feature nearby is taken.")
        else:
            self._notice.clear()


class ViewControls(w.VBox):
    """Smoothing, lines, shading, panels and the network.

    Parameters
    ----------
    model : InspectorModel
    notice : Notice
    choose : callable
        ``choose(**changes)`` with what the visitor wants, to be checked.
    """

    def __init__(self, model: InspectorModel, notice: Notice, choose: Callable[..., None]) -> None:
        from racnet_tools.inference.presets import available_presets

        self._model, self._choose, self._setting = model, choose, Setting()
        wide = w.Layout(width="100%")
        self.smooth = w.IntSlider(
            min=0, max=SMOOTHEST, description="Smooth", tooltip="standard deviation in pixels", layout=wide
        )
        self.lines = w.Dropdown(
            options=[(words, name) for name, words in LINE_SETS.items()], description="Lines", layout=wide
        )
        self.main = w.Checkbox(description="strong lines", indent=False, layout=w.Layout(width="auto"))
        self.switches = {
            name: w.Checkbox(description=words, indent=False, layout=w.Layout(width="auto"))
            for name, words in _SWITCHES.items()
        }
        self.preset = w.Dropdown(options=list(available_presets()), description="Network", layout=wide)
        self._options = {self.lines: list(self.lines.options), self.preset: list(self.preset.options)}
        self.whole = w.Button(description="Show all wavelengths", layout=wide)
        self.whole.on_click(notice.guard(lambda _: choose(zoom=None)))
        for name, control in self._controls().items():
            control.observe(notice.guard(lambda change, name=name: self._changed(name, change["new"])), "value")
        for box in (self.main, *self.switches.values()):
            box.style.description_width = "0"
            box.layout.height = "25px"
        boxes = w.GridBox(
            [*(self.switches[name] for name in ("errors", "masked", "telluric", "sky")), self.main],
            layout=w.Layout(grid_template_columns="50% 50%", width="100%"),
        )
        below = w.GridBox(
            [self.switches["attention"], self.switches["occlusion"]],
            layout=w.Layout(grid_template_columns="50% 50%", width="100%"),
        )
        words = w.Label("Panels below the spectrum:")
        super().__init__([self.smooth, self.lines, boxes, words, below, self.preset, self.whole])
        self.add_class("rn-card")
        self.refresh()

    def refresh(self) -> None:
        """Show the model's choices."""
        with self._setting:
            for control, options in self._options.items():
                if list(control.options) != options:  # a browser put others there
                    control.options = options
            for name, control in self._controls().items():
                control.value = getattr(self._model.state, name)
        self.whole.disabled = self._model.state.zoom is None

    def _controls(self) -> dict[str, w.Widget]:
        return {
            "smooth": self.smooth, "lines": self.lines, "main": self.main, "preset": self.preset, **self.switches,
        }  # fmt: skip

    def _changed(self, name: str, value: Any) -> None:
        if self._setting.busy:
            return
        try:
            self._choose(**{name: value})
        finally:
            self.refresh()
