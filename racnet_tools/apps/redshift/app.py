"""`RedshiftExplorer`: the redshift explorer as a widget."""

from __future__ import annotations

from typing import Any

import ipywidgets as w
import numpy as np

from racnet_tools.apps.frame import Frame, Lazy, Notice, Quiet, ShowPython
from racnet_tools.apps.redshift import words
from racnet_tools.apps.redshift.model import KINDS, RedshiftModel
from racnet_tools.apps.widgets import Address, Click, Keyboard, PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_redshift import accuracy_curves, binned_bars, measured_redshifts, object_curves

__all__ = ["RedshiftExplorer"]


class RedshiftExplorer(Frame):
    """Drag a simulated object through redshift; see which networks follow and what redshift is measured.

    Points of the curves open the objects behind them.

    Examples
    --------
    >>> RedshiftExplorer()  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self.model = RedshiftModel()
        self.notice, self.python = Notice(), ShowPython()
        self.address = Address()
        self._quiet = Quiet()
        self._found: list[tuple[int, str, float]] = []
        guard = self.notice.guard

        self._kind = w.ToggleButtons(description="Class", options=list(KINDS), style={"button_width": "82px"})
        self._object = w.BoundedIntText(description="Object", min=1, max=self.model.objects)
        self._z = w.FloatText(description="Redshift z", step=0.001)
        self._slider = w.FloatSlider(description="Move", readout=False, step=0.001)
        self._drawn = w.Button(description="To its own redshift", layout=w.Layout(width="auto"))
        self._networks = [w.Checkbox(description=name, indent=False) for name in self.model.presets]
        self._behind = w.Select(description="Objects", rows=8, layout=w.Layout(display="none", width="auto"))
        self._behind_title = w.HTML()
        self._verdicts, self._window = w.HTML(), w.HTML()
        for box in (self._verdicts, self._window):
            box.add_class("rn-card")
        self._spectrum = PlotView(height=330)
        self._curves, self._along = PlotView(height=300), PlotView(height=260)
        self._measured = PlotView(height=300)
        self._bars: PlotView | None = None

        self._kind.observe(guard(lambda change: self._kind_chosen(change["new"])), "value")
        self._object.observe(guard(lambda change: self._object_chosen(change["new"])), "value")
        self._z.observe(guard(lambda change: self._moved(change["new"])), "value")
        self._slider.observe(guard(lambda change: self._moved(change["new"])), "value")
        self._drawn.on_click(guard(lambda _: self._moved(self.model.drawn_z)))
        for box in self._networks:
            box.observe(guard(lambda _: self._networks_chosen()), "value")
        self._behind.observe(guard(lambda change: self._behind_chosen(change["new"])), "index")
        self._spectrum.on_redshift(guard(lambda z, done: self._moved(float(np.clip(z, *self.model.limits)))))
        self._curves.on_click(guard(self._point_clicked))
        for view in (self._along, self._measured):
            view.on_place(guard(lambda z: self._moved(float(np.clip(z, *self.model.limits)))))

        keyboard = Keyboard(
            {
                "ArrowRight": ("to higher redshift", guard(lambda: self._step(1))),
                "ArrowLeft": ("to lower redshift", guard(lambda: self._step(-1))),
                "ArrowDown": ("next object", guard(lambda: self._next(1))),
                "ArrowUp": ("previous object", guard(lambda: self._next(-1))),
                "s": ("stars", guard(lambda: self._kind_chosen("STAR"))),
                "g": ("galaxies", guard(lambda: self._kind_chosen("GALAXY"))),
                "q": ("quasars", guard(lambda: self._kind_chosen("QSO"))),
                "o": ("to the object's own redshift", guard(lambda: self._moved(self.model.drawn_z))),
            }
        )
        networks = w.VBox([w.HTML("<b>Networks</b> (the first is shown in detail)"), *self._networks])
        about = w.HTML("<small>All objects here are simulated. Accuracy is that of the sweeps that ship.</small>")
        cards = [
            w.VBox([self._kind, self._object, self._z, self._slider, self._drawn]),
            networks,
            w.VBox([self._behind_title, self._behind]),
        ]
        for card in cards:
            card.add_class("rn-card")
        self._refresh_all()
        super().__init__(
            "Redshift explorer",
            controls=[*cards, about],
            main=[
                self._spectrum,
                self._verdicts,
                self._window,
                self._measured,
                self._along,
                self._curves,
                Lazy("Accuracy in bins of redshift, beside the paper's Figure 8", self._figure_8, self.notice),
            ],
            notice=self.notice,
            python=self.python,
            address=self.address,
            keyboard=keyboard,
        )
        self.address.on_arrive(guard(self.apply_address))
        self.address.put(self.address_state())

    def address_state(self) -> dict[str, str]:
        """What a link needs to show the same view."""
        return {
            "class": self.model.kind,
            "object": str(self.model.number + 1),
            "z": f"{self.model.z:.5g}",
            "networks": ",".join(self.model.shown),
        }

    def apply_address(self, state: dict[str, str]) -> None:
        """Show the view of a link; what is wrong in it is told, the rest is applied."""
        wrong = []
        steps = (
            ("networks", lambda text: self.model.show(text.split(","))),
            ("class", self.model.choose_kind),
            ("object", lambda text: self.model.choose_object(int(text) - 1 if text.isdigit() else text)),
            ("z", self.model.set_z),
        )
        for key, apply in steps:
            if key in state:
                try:
                    apply(state[key])
                except RacnetError as error:
                    wrong.append(f"{key}: {error}")
        self._refresh_all()
        if wrong:
            self.notice.error("The link was followed in part.\n" + "\n".join(wrong))

    # What the visitor does

    def _kind_chosen(self, kind: Any) -> None:
        if not self._quiet:
            self.model.choose_kind(kind)
            self._hide_behind()
            self._refresh_all()

    def _object_chosen(self, number: Any) -> None:
        if not self._quiet:
            self.model.choose_object(number - 1 if type(number) is int else number)
            self._refresh_object()

    def _next(self, by: int) -> None:
        number = self.model.number + by
        if 0 <= number < self.model.objects:
            self.model.choose_object(number)
            self._refresh_object()

    def _step(self, by: int) -> None:
        low, high = self.model.limits
        self._moved(float(np.clip(self.model.z + by * self.model.step, low, high)))

    def _moved(self, z: Any) -> None:
        if not self._quiet:
            self.model.set_z(z)
            self._refresh_z()

    def _networks_chosen(self) -> None:
        if not self._quiet:
            chosen = [name for name, box in zip(self.model.presets, self._networks, strict=True) if box.value is True]
            try:
                self.model.show(chosen)
            finally:
                self._hide_behind()
                self._refresh_all()

    def _point_clicked(self, click: Click) -> None:
        preset = self.model.shown[click.trace // 2]
        place = click.point[0]
        self._found = self.model.objects_at(preset, place)
        z = self.model.z_at(preset, place)
        wrong = sum(label != self.model.kind for _, label, _ in self._found)
        self._behind_title.value = (
            f"<b>{preset} at z = {z:.4g}</b>: {wrong} of {len(self._found)} not given as {self.model.kind}. "
            "Choose one to see it there."
        )
        self._found_z = z
        mark = {True: "✓", False: "✗"}
        with self._quiet:
            self._behind.options = [
                f"{mark[label == self.model.kind]} {number + 1}: {label} {p:.2f}" for number, label, p in self._found
            ]
            self._behind.index = None
        self._behind.layout.display = ""

    def _behind_chosen(self, place: Any) -> None:
        if not self._quiet and type(place) is int and 0 <= place < len(self._found):
            self.model.choose_object(self._found[place][0])
            self.model.set_z(self._found_z)
            self._refresh_object()

    def _hide_behind(self) -> None:
        self._found = []
        self._behind.layout.display = "none"
        self._behind_title.value = "<b>Objects behind a point</b><br>Click a point of the accuracy curves."

    # What the page shows

    def _refresh_all(self) -> None:
        if not self._found:
            self._hide_behind()
        with self._quiet:
            low, high = self.model.limits
            self._object.max = self.model.objects
            self._slider.min, self._slider.max = min(low, self._slider.min), max(high, self._slider.max)
            self._slider.min, self._slider.max, self._slider.step = low, high, (high - low) / 500
            self._kind.value = self.model.kind
            for name, box in zip(self.model.presets, self._networks, strict=True):
                box.value = name in self.model.shown
        curves = accuracy_curves(self.model.curves(), kind=self.model.kind, z=self.model.z)
        self._curves.show(curves, words.said_curves(self.model))
        if self._bars is not None:
            self._draw_bars()
        self._refresh_object()

    def _refresh_object(self) -> None:
        first = self.model.shown[0]
        z, p = self.model.along()
        figure = object_curves(z, p, self.model.classes(first), self.model.z, name=first)
        told = (
            f"Probabilities that {first} gives this object at redshifts {z[0]:.3g} to {z[-1]:.3g}; click to move there."
        )
        self._along.show(figure, told)
        rest, names = self.model.lines()
        self._spectrum.redshift(rest, names, self.model.z)
        self._refresh_z()

    def _refresh_z(self) -> None:
        with self._quiet:
            self._z.value, self._slider.value = round(self.model.z, 6), self.model.z
            self._object.value = self.model.number + 1
        self._spectrum.show(_spectrum_figure(self.model), words.said_spectrum(self.model))
        self._spectrum.z = self.model.z
        measured = self.model.measured()
        self._measured.layout.display = "none" if measured is None else ""
        if measured is not None:
            self._measured.show(measured_redshifts(measured), words.said_measured(self.model))
        self._verdicts.value, self._window.value = words.verdicts(self.model), words.window(self.model)
        at = {"shapes": [_now(self.model.z)]}
        self._curves.relayout(at)
        self._along.relayout(at)
        self.python.say("Simulate this object at this redshift and classify it", words.python_of(self.model))
        self.address.put(self.address_state())

    def _figure_8(self) -> w.Widget:
        self._bars = PlotView(height=320)
        self._draw_bars()
        return w.VBox([self._bars, w.HTML(words.PAPER)])

    def _draw_bars(self) -> None:
        assert self._bars is not None
        edges, shares, n = self.model.binned()
        self._bars.show(binned_bars(edges, shares, n, kind=self.model.kind), words.said_binned(self.model))


def _spectrum_figure(model: RedshiftModel) -> dict[str, Any]:
    spectrum = model.spectrum
    flux = np.where(spectrum.mask[0], np.nan, spectrum.flux[0])
    low, high = np.nanpercentile(flux, (0.3, 99.7))
    room = 0.12 * (high - low) or 1.0
    line = {"type": "scatter", "mode": "lines", "x": np.round(spectrum.wave, 2), "y": flux, "name": "flux"}
    drawn = {"line": {"color": "#222222", "width": 0.8}, "hovertemplate": "%{x:.1f} Å: %{y:.4~g}<extra></extra>"}
    return {
        "data": [line | drawn],
        "layout": {
            "margin": {"l": 62, "r": 14, "t": 20, "b": 44},
            "xaxis": {"title": {"text": "vacuum wavelength / Å", "standoff": 6}, "showgrid": False, "showline": True,
                      "ticks": "outside", "range": [float(spectrum.wave[0]), float(spectrum.wave[-1])]},
            "yaxis": {"title": {"text": "flux (simulated)", "standoff": 6}, "range": [low - room, high + room],
                      "showline": True, "ticks": "outside"},
            "showlegend": False,
            "uirevision": "wavelength",
        },
    }  # fmt: skip


def _now(z: float) -> dict[str, Any]:
    line = {"color": "#6b7280", "width": 1.4, "dash": "dot"}
    return {"type": "line", "x0": z, "x1": z, "y0": 0, "y1": 1, "yref": "paper", "line": line}
