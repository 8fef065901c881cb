"""`NearestPanel`: which template or simulated spectrum the one on show looks like most."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as w
import numpy as np

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.widgets import PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.nearest import LEAST_PIXELS, Neighbour, nearest_spectra, nearest_templates
from racnet_tools.plots.interactive_nearest import compared_spectra
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

__all__ = ["WAYS", "NearestPanel"]

#: What a spectrum can be compared with: what the choice says, and its Python.
WAYS = {
    "with templates, at any redshift": "nearest_templates(x[0], good[0])",
    "with simulated spectra, by whole shape": 'nearest_spectra(x[0], good[0], by="shape")',
    "with simulated spectra, by lines alone": 'nearest_spectra(x[0], good[0], by="lines")',
}
_NOTHING = "Nothing to compare: the spectrum on show cannot be read. Go to another one."


class NearestPanel(w.VBox):
    """The nearest templates or simulated spectra, one of them drawn over the spectrum.

    Parameters
    ----------
    on_pick : callable
        ``on_pick(name, wave, flux)`` when the visitor asks for one of them on the page's main plot: Angstrom, and the
        units of the spectrum given to `show`.
    on_redshift : callable, optional
        ``on_redshift(z)`` when the visitor takes over its redshift; without it there is no such button.
    notice : Notice, optional
        Where errors are said.
    python : ShowPython, optional
        Where the Python of a comparison is said.
    """

    def __init__(
        self,
        on_pick: Callable[[str, np.ndarray, np.ndarray], None],
        on_redshift: Callable[[float], None] | None = None,
        notice: Notice | None = None,
        python: ShowPython | None = None,
    ) -> None:
        self._on_pick, self._on_redshift = on_pick, on_redshift
        self._notice, self._python = notice or Notice(), python
        self.found: list[Neighbour] = []
        self._way = next(iter(WAYS))
        self._flux: np.ndarray | None = None
        self._good = np.ones(LAMOST_GRID.n_pixels, bool)
        self._name, self._scale = "", 1.0
        self._ways = w.Dropdown(description="Compare", options=list(WAYS), layout=w.Layout(width="340px"))
        self._list = w.Select(
            description="Nearest", options=[], rows=5, layout=w.Layout(width="100%", max_width="640px")
        )
        self._draw = w.Button(description="Draw it over the spectrum", disabled=True, layout=w.Layout(width="auto"))
        self._take = w.Button(description="Take its redshift", disabled=True, layout=w.Layout(width="auto"))
        self._view = PlotView("No spectrum to compare yet.", height=260)
        guard = self._notice.guard
        self._ways.observe(guard(lambda _: self.choose(self._ways.value)), "value")
        self._list.observe(guard(lambda _: self._show_picked()), "index")
        self._draw.on_click(guard(lambda _: self._hand_over()))
        self._take.on_click(guard(lambda _: self._hand_redshift()))
        self._nothing = w.HTML()
        buttons = w.HBox([self._draw, *([self._take] if on_redshift is not None else [])])
        self._parts = (self._ways, self._list, buttons, self._view)
        self._own_notice = () if notice else (self._notice,)
        super().__init__()
        self.clear()

    def show(self, spectrum: SpectrumSet, flux: np.ndarray) -> None:
        """Compare another spectrum.

        Parameters
        ----------
        spectrum : SpectrumSet
            One, on its own wavelengths.
        flux : (3909,) array
            Its network input.
        """
        self._flux = np.asarray(flux, np.float32).reshape(-1)
        self._name = str(spectrum.column("spec_id")[0] or "spectrum")
        gridded = spectrum.to_grid(LAMOST_GRID)
        self._good = ~gridded.mask[0] & (gridded.flux[0] != 0)
        native = np.where(self._good, gridded.flux[0], 0)
        self._scale = float(native @ self._flux) / max(float(self._flux[self._good] @ self._flux[self._good]), 1e-30)
        if self._good.sum() < LEAST_PIXELS:
            self.clear(f"Nothing to compare: only {self._good.sum()} good pixels, and {LEAST_PIXELS} are needed.")
            return
        self._draw_comparison()
        self.children = (*self._parts, *self._own_notice)

    def clear(self, why: str = _NOTHING) -> None:
        """Forget the spectrum compared, as where the one on show cannot be read."""
        self._nothing.value = escape(why)
        self._flux, self.found = None, []
        self._draw.disabled = self._take.disabled = True
        self.children = (self._nothing, *self._own_notice)

    def choose(self, way: object) -> None:
        """Compare with something else; raises RacnetError if it is none of `WAYS`."""
        if way not in WAYS:
            raise RacnetError(f"Expected one of {'; '.join(WAYS)}. Received: {str(way)[:80]!r}.")
        self._way = str(way)
        self._draw_comparison()

    @property
    def picked(self) -> Neighbour:
        """The one that is drawn; raises RacnetError where there is none."""
        number = self._list.index
        if not isinstance(number, int) or not 0 <= number < len(self.found):
            raise RacnetError("Choose one of the nearest first.")
        return self.found[number]

    def _draw_comparison(self) -> None:
        if self._flux is None:
            return
        if self._way.startswith("with templates"):
            self.found = nearest_templates(self._flux, self._good)
        else:
            self.found = nearest_spectra(self._flux, self._good, by="lines" if "lines" in self._way else "shape")
        self._list.options = [f"{place}. {self._told(one)}" for place, one in enumerate(self.found, 1)]
        self._list.index = 0 if self.found else None
        self._draw.disabled = self._take.disabled = not self.found
        self._show_picked()
        if self._python is not None:
            self._python.say(
                "Nearest",
                "from racnet_tools.evaluate.nearest import nearest_spectra, nearest_templates\n"
                "from racnet_tools.spectra import LAMOST_GRID, Preprocessing\n\n"
                "x, good = Preprocessing()(spectra), ~spectra.to_grid(LAMOST_GRID).mask\n"
                f"nearest = {WAYS[self._way]}",
            )

    def _show_picked(self) -> None:
        if self._flux is None or not self.found or self._list.index is None:
            return
        one = self.picked
        wave, bins = LAMOST_GRID.wave[1::3], self._flux[: len(self._flux) // 3 * 3].reshape(-1, 3).mean(axis=1)
        flux, other = self._measured(wave, bins), self._measured(one.wave, one.flux)
        figure = compared_spectra(wave, flux, self._name, one.wave, other, one.name)
        others = "; ".join(self._told(other) for other in self.found if other is not one)
        self._view.show(
            figure,
            f"{self._name} and over it {self._told(one)}, from 3700 to 9099 Å. Next after it: {others or 'none'}.",
        )

    def _told(self, one: Neighbour) -> str:
        measure = "chi² per pixel" if self._way.startswith("with templates") else "correlation"
        return f"{one.name}, z = {one.z:.4f}, {measure} {one.value:.3g}"

    def _hand_over(self) -> None:
        one = self.picked
        self._on_pick(one.name, one.wave, self._measured(one.wave, one.flux) * self._scale)

    def _measured(self, wave: np.ndarray, flux: np.ndarray) -> np.ndarray:
        """Flux where the spectrum was measured, from its first good pixel to its last; NaN outside."""
        there = LAMOST_GRID.wave[self._good]
        return np.where((wave >= there[0]) & (wave <= there[-1]), flux, np.nan)

    def _hand_redshift(self) -> None:
        if self._on_redshift is not None:
            self._on_redshift(self.picked.z)
