"""`Inspector`: the dashboard for looking at spectra, put together from its model, its controls and its panels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from racnet_tools.apps.frame import Frame, Lazy, Notice, ShowPython
from racnet_tools.apps.inspector.controls import Navigation, RedshiftControls, ViewControls
from racnet_tools.apps.inspector.model import InspectorModel, Shown
from racnet_tools.apps.inspector.of_set import of_set
from racnet_tools.apps.inspector.view_state import SMOOTHEST, ViewState
from racnet_tools.apps.inspector.words import described, facts_html, python_of, verdict_html
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.apps.sources.spectrum_list import SpectrumList
from racnet_tools.apps.widgets import Address, Click, Keyboard, PlotView
from racnet_tools.apps.widgets.plot_view import Z_RANGE
from racnet_tools.errors import RacnetError
from racnet_tools.spectra import SpectrumSet
from racnet_tools.spectra.channels import flux_of

if TYPE_CHECKING:
    import numpy as np

    from racnet_tools.apps.inspection import InspectionPanel
    from racnet_tools.apps.inspector.nearest_panel import NearestPanel
    from racnet_tools.apps.sources import SourcePanel

__all__ = ["Inspector"]

_AFTER_FIRST_PAINT = 2.0  # seconds
_PAUSE = 0.15  # seconds on a spectrum before what takes long is computed for it


class Inspector(Frame):
    """Look at spectra one after the other, mark lines, see what a network says and why, note what you think.

    Parameters
    ----------
    spectra : SpectrumList or SpectrumSet, optional
        What is open at first; the shipped samples by default.
    settings : Settings, optional
        What visitors may open; from the environment by default.

    Attributes
    ----------
    model : InspectorModel
        All state and numbers.

    Examples
    --------
    >>> from racnet_tools.apps import Inspector
    >>> Inspector()  # doctest: +SKIP
    >>> Inspector(racnet_tools.read("spectra/"))  # doctest: +SKIP
    """

    def __init__(self, spectra: SpectrumList | SpectrumSet | None = None, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.notice, self.python, self.address = Notice(), ShowPython(), Address()
        guard = self.notice.guard
        given = open_samples() if spectra is None else spectra
        self.model = InspectorModel(of_set(given) if isinstance(given, SpectrumSet) else given)
        self.view = PlotView(height=440)
        self._facts, self._verdict = w.HTML(), w.HTML()
        self.navigation = Navigation(self.model, self.notice, self.go)
        self.redshift = RedshiftControls(self.model, self.notice, self.set_redshift)
        self.controls = ViewControls(self.model, self.notice, self.choose)
        self.sources = Lazy("Open other spectra", self._build_sources, self.notice)
        self.inspection = Lazy("Visual inspection", self._build_inspection, self.notice)
        self.nearest = Lazy("Nearest spectra and templates", self._build_nearest, self.notice)
        self.keyboard = Keyboard(self._bindings())
        self._thread: ThreadPoolExecutor | None = None
        self._later: asyncio.TimerHandle | None = None
        self._arriving: Mapping[str, str] | None = None
        self._calibrated = False
        self._said: dict[str, str] = {}
        self.view.on_redshift(guard(self.set_redshift))
        self.view.on_place(guard(self._placed))
        self.view.on_click(guard(self._clicked))
        self.view.on_range(guard(self._zoomed))
        self.address.on_arrive(guard(self.apply_address))
        super().__init__(
            "Spectrum inspector",
            controls=[_beside(w.VBox([self.navigation, self.sources]), self.redshift, self.controls)],
            main=[self._facts, self.view, self._verdict, self.inspection, self.nearest],
            notice=self.notice,
            python=self.python,
            address=self.address,
            keyboard=self.keyboard,
        )
        guard(self._first)()
        self._after(_AFTER_FIRST_PAINT, self._calibrate)

    # What visitors do

    def go(self, index: int) -> None:
        """Show a spectrum of the list by its place."""
        self.notice.clear()
        with self._fetching():
            self.model.go(index)
        self._new_spectrum()

    def step(self, by: int) -> None:
        """Show the next (1) or the previous (-1) spectrum."""
        self.notice.clear()
        with self._fetching():
            self.model.step(by)
        self._new_spectrum()

    def show_list(self, spectra: SpectrumList) -> None:
        """Show another list of spectra."""
        self.notice.clear()
        arriving, self._arriving = self._arriving, None
        self.model.open(spectra)
        self._new_spectrum()
        if arriving is not None:
            self._apply(arriving)

    def set_redshift(self, z: Any, done: bool = True) -> None:
        """Move the lines."""
        self.view.z = self.model.set_redshift(z)
        self.redshift.refresh()
        self._facts.value = facts_html(self.model.shown, self.model.z)
        if done:
            self._told()
            panel = self._inspection_panel
            if panel is not None:
                panel.set_redshift(self.model.z)

    def choose(self, **changes: Any) -> None:
        """Change what is shown; see `ViewState`."""
        before = self.model.state
        if changes.get("preset", before.preset) != before.preset or changes.get("attention") is True:
            with self.notice.busy("Loading the network …"):
                self.model.choose(**changes)
                if self.model.state.attention:
                    self.model.attention()
        else:
            self.model.choose(**changes)
        self.controls.refresh()
        if self.model.state.preset != before.preset:
            self.redshift.refresh()
            self._facts.value = facts_html(self.model.shown, self.model.z)
            self._judged()
            self._draw_comparison()
        if self.model.state.attention and not self.model.network.has_attention:
            self.notice.info(f"The network {self.model.state.preset} has no channel attention: no heat map.")
        self._draw()
        self._occlude_soon()

    def address_state(self) -> dict[str, str]:
        """What a link has to hold to show the same."""
        model = self.model
        state = dict(model.spectra.address)
        if state and model.shown.key:
            state |= {"spectrum": model.shown.key, "z": f"{model.z:.6g}"}
        panel = self._inspection_panel
        return state | model.state.to_address() | (panel.address_state() if panel is not None else {})

    def apply_address(self, state: Mapping[str, str]) -> None:
        """Show what a link holds; what cannot be understood is said, the rest holds."""
        opened = {"open": "samples", **state}
        address = self.model.spectra.address
        if ("open" in state and any(opened.get(key) != value for key, value in address.items())) or not address:
            self._arriving = state
            self.sources.unfold()
            panel = self._source_panel
            if panel is None or not panel.open_address(dict(state)):
                self._arriving = None
            elif self._arriving is None:  # it is open; from an archive it comes later
                self.sources.unfold(False)
            return
        self._apply(state)

    def close(self) -> None:
        """Free what the dashboard holds."""
        self.model.spectra.close()
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
        super().close()

    # Inside

    def _fetching(self) -> AbstractContextManager[None]:
        """Says that an archive is asked; files at hand are there too soon for a word."""
        if self.model.spectra.address.get("open") in ("lamost", "sdss", "desi"):
            return self.notice.busy("Fetching the spectrum …")
        return nullcontext()

    def _judged(self) -> None:
        calibration = self.model.network.calibration if self._calibrated else None
        self._verdict.value = verdict_html(self.model.shown, calibration)

    def _calibrate(self) -> None:
        """Say from now on how often the network is right; what that needs takes 0.8 s to load, so not at first."""
        self._calibrated = True
        self._judged()

    def _first(self) -> None:
        self.model.go(0)
        self._new_spectrum()

    def _apply(self, state: Mapping[str, str]) -> None:
        wanted, problems = ViewState.from_address(state)
        model = self.model
        model.choose(**{name: getattr(wanted, name) for name in wanted.__dataclass_fields__})
        if "spectrum" in state:
            try:
                model.go(model.place_of(str(state["spectrum"])))
            except RacnetError as error:
                problems.append(f"spectrum: {error}")
        if "z" in state:
            try:
                model.set_redshift(state["z"])
            except RacnetError as error:
                problems.append(f"z: {error}")
        self.controls.refresh()
        self._new_spectrum()
        if "inspector" in state:
            self.inspection.unfold()
        if self._inspection_panel is not None:
            self._inspection_panel.apply_address(dict(state))
        if problems:
            self.notice.error("Not all of the address was understood; the rest is shown.\n" + "\n".join(problems))

    def _new_spectrum(self) -> None:
        """Everything that depends on which spectrum is on show."""
        model, shown = self.model, self.model.shown
        self.navigation.refresh()
        self.redshift.refresh()
        self._facts.value = facts_html(shown, model.z)
        self._judged()
        self._draw()
        if shown.spectrum is None:
            self.notice.error(shown.refused)
            if self._source_panel is not None:
                self._source_panel.refresh()
        panel = self._inspection_panel
        if panel is not None:
            self._inspect(panel)
        self._occlude_soon()
        self._draw_comparison()

    def _draw(self) -> None:
        model = self.model
        self.view.show(model.figure(), described(model))
        lines = model.lines
        self.view.redshift([line.wave for line in lines], [line.name for line in lines], model.z)
        self._told()

    def _told(self) -> None:
        """What the address, the text alternative and the shown Python say."""
        self.view.description = described(self.model)
        self.address.put(self.address_state())
        said = python_of(self.model)
        for action, code in reversed(said.items()):
            if self._said.get(action) != code:
                self.python.say(action, code)
        self._said = said

    def _placed(self, wave: float) -> None:
        z = self.redshift.placed(wave)
        if z is not None:
            self.set_redshift(z)
            self.notice.info(f"z = {z:.5f}")

    def _clicked(self, click: Click) -> None:
        if isinstance(click.x, float):
            self._placed(click.x)

    def _zoomed(self, limits: tuple[float, float] | None) -> None:
        self.model.choose(zoom=limits)
        self.controls.refresh()
        self._told()

    def _smooth(self, by: int) -> None:
        self.choose(smooth=min(max(self.model.state.smooth + by, 0), SMOOTHEST))

    def _shift(self, by: float) -> None:
        self.set_redshift(min(max(self.model.z + by, Z_RANGE[0]), Z_RANGE[1]))

    def _bindings(self) -> dict[str, tuple[str, Callable[[], None]]]:
        guard = self.notice.guard
        return {
            "ArrowRight": ("next spectrum", guard(lambda: self.step(1))),
            "ArrowLeft": ("previous spectrum", guard(lambda: self.step(-1))),
            "]": ("smooth more", guard(lambda: self._smooth(1))),
            "[": ("smooth less", guard(lambda: self._smooth(-1))),
            ".": ("redshift + 0.001", guard(lambda: self._shift(0.001))),
            ",": ("redshift - 0.001", guard(lambda: self._shift(-0.001))),
            ">": ("redshift + 0.05", guard(lambda: self._shift(0.05))),
            "<": ("redshift - 0.05", guard(lambda: self._shift(-0.05))),
            "=": ("show all wavelengths", guard(lambda: self.choose(zoom=None))),
        }

    # What takes long

    def _after(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle | None:
        """Call later; at once where no event loop runs, as in a script."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.notice.guard(call)()
            return None
        return loop.call_later(seconds, self.notice.guard(call))

    def _occlude_soon(self) -> None:
        if self.model.state.occlusion and self.model.shown.verdict is not None and self.model.shown.occlusion is None:
            if self._later is not None:  # for a spectrum that was passed over
                self._later.cancel()
            self._later = self._after(_PAUSE, self._occlude)

    def _occlude(self) -> None:
        shown = self.model.shown
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.model.occlude(shown)
            self._occluded(shown)
            return
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="racnet-occlusion")
        done = loop.run_in_executor(self._thread, self.model.occlude, shown)
        done.add_done_callback(self.notice.guard(lambda future: self._occluded(shown, future)))

    def _occluded(self, shown: Shown, future: asyncio.Future[None] | None = None) -> None:
        if future is not None:
            future.result()
        if shown is self.model.shown and self.model.state.occlusion:
            self._draw()

    def _draw_comparison(self) -> None:
        panel, shown = self._nearest_panel, self.model.shown
        if panel is None or not self.nearest.opened or shown.spectrum is None or shown.prepared is None:
            return
        panel.show(shown.spectrum, flux_of(shown.prepared)[0])

    # Panels that are built when first opened

    @property
    def _source_panel(self) -> SourcePanel | None:
        return self.sources.content  # type: ignore[return-value]

    @property
    def _inspection_panel(self) -> InspectionPanel | None:
        return self.inspection.content  # type: ignore[return-value]

    @property
    def _nearest_panel(self) -> NearestPanel | None:
        return self.nearest.content  # type: ignore[return-value]

    def _build_sources(self) -> w.Widget:
        from racnet_tools.apps.sources import SourcePanel

        return SourcePanel(self.settings, self.notice, self.python, self.show_list)

    def _build_inspection(self) -> w.Widget:
        from racnet_tools.apps.inspection import InspectionPanel

        classes = self.model.network.preset.classes
        panel = InspectionPanel(
            self.settings,
            self.notice,
            self.python,
            classes,
            lambda: self.step(1),
            on_go=lambda key: self.go(self.model.place_of(key)),
            state=self.address_state,
            on_session=self.apply_address,
        )
        self._inspect(panel)
        self.keyboard.bind({**panel.bindings(), **self._bindings()})
        return panel

    def _inspect(self, panel: InspectionPanel) -> None:
        shown, verdict = self.model.shown, self.model.shown.verdict
        panel.show(shown.key, z=self.model.z, label=verdict.label if verdict is not None else "")

    def _build_nearest(self) -> w.Widget:
        from racnet_tools.apps.inspector.nearest_panel import NearestPanel

        panel = NearestPanel(self._picked, self.set_redshift, self.notice, self.python)
        shown = self.model.shown
        if shown.spectrum is not None and shown.prepared is not None:
            panel.show(shown.spectrum, flux_of(shown.prepared)[0])
        return panel

    def _picked(self, name: str, wave: np.ndarray, flux: np.ndarray) -> None:
        self.model.overlay(name, wave, flux)
        self._draw()


def _beside(*cards: w.Widget) -> w.Box:
    """Cards one below the other in a narrow column, beside each other where a tablet puts the column over the plot."""
    for card in cards:
        card.layout.flex, card.layout.width = "1 1 225px", "auto"
        card.layout.min_width, card.layout.max_width = "0", "100%"
    return w.Box(cards, layout=w.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="8px", width="100%"))
