"""State and numbers of the Spectrum inspector, without a widget: which spectrum, how it is shown, what it is called."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.apps.inspector.lines import clickable, marked, shades
from racnet_tools.apps.inspector.network import Network, Verdict, network
from racnet_tools.apps.inspector.view_state import ViewState, checked_redshift
from racnet_tools.apps.sources.spectrum_list import SpectrumList
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_spectrum import Occluded, SpectrumPicture, spectrum_panels

if TYPE_CHECKING:
    from racnet_tools.explain.attribution import Attribution
    from racnet_tools.spectra.lines import Line
from racnet_tools.spectra import SpectrumSet

__all__ = ["InspectorModel", "Shown", "smoothed"]

_KEPT = 8  # judged spectra that are remembered, so that going back costs nothing
_SNAP = 10  # pixels around a click within which the feature is looked for


@dataclass
class Shown:
    """A spectrum on show and what is known of it.

    Attributes
    ----------
    key, label : str
    spectrum : SpectrumSet or None
        A set of one; None where its file was refused.
    flux : (n_pix,) float64
        NaN where there is none.
    sigma : (n_pix,) float64 or None
        Standard errors, NaN where there is no information; None where the file gives none at all.
    prepared : (1, n) or (1, n, n_channels) float32, or None
        Network input.
    verdict : Verdict or None
    refused : str
        Why there is no spectrum, or no verdict.
    """

    key: str
    label: str
    spectrum: SpectrumSet | None = None
    flux: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sigma: np.ndarray | None = None
    prepared: np.ndarray | None = None
    verdict: Verdict | None = None
    refused: str = ""
    attention: tuple[np.ndarray, np.ndarray] | None = None
    occlusion: Attribution | None = None

    @property
    def wave(self) -> np.ndarray:
        """Wavelengths, Angstrom."""
        return self.spectrum.wave if self.spectrum is not None else np.zeros(0)

    def fact(self, name: str) -> Any:
        """A value of the spectrum's header, None where it is missing."""
        return self.spectrum.column(name)[0] if self.spectrum is not None else None


class InspectorModel:
    """Which spectrum is on show and how.

    Parameters
    ----------
    spectra : SpectrumList
    state : ViewState, optional

    Attributes
    ----------
    spectra : SpectrumList
    index : int
        Place of the spectrum on show.
    shown : Shown
    z : float
        Redshift of the lines.
    state : ViewState
    """

    def __init__(self, spectra: SpectrumList, state: ViewState | None = None) -> None:
        self.state = state or ViewState()
        self.spectra = spectra
        self.index = 0
        self.z = 0.0
        self.shown = Shown("", "")
        self.overlays: list[tuple[str, np.ndarray, np.ndarray]] = []
        self._redshifts: dict[str, float] = {}
        self._known: OrderedDict[tuple[str, str], Shown] = OrderedDict()
        self._network: Network | None = None
        self._figures = count()

    # Which spectrum

    def open(self, spectra: SpectrumList) -> None:
        """Go to the first spectrum of another list."""
        self._known.clear()
        self._redshifts.clear()
        self.spectra = spectra
        self.go(0)

    def place_of(self, key: str) -> int:
        """Place of the spectrum with a key; raises RacnetError if the list lacks it."""
        place = self.spectra.find(key)
        if place is None:
            raise RacnetError(f"Expected a spectrum of {self.spectra.name}. Received: {key[:80]!r}, which it lacks.")
        return place

    def go(self, index: int) -> Shown:
        """Show a spectrum by its place; a file that is refused is shown as such.

        Raises
        ------
        RacnetError
            If there is no such place.
        """
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(self.spectra):
            n = len(self.spectra)
            expected = f"a spectrum from 1 to {n}" if n else "a list with spectra; this one is empty: open another"
            raise RacnetError(
                f"Expected {expected}. Received: {str(index + 1 if isinstance(index, int) else index)[:40]}."
            )
        self.overlays = []
        spectrum, reason = None, ""
        try:
            spectrum = self.spectra.load(index)
        except RacnetError as error:
            reason = str(error)
        self.index = index  # only now: a file of several spectra has become several entries
        self.shown = self._look(self.spectra.key(index), self.spectra.label(index), spectrum, reason)
        verdict = self.shown.verdict
        measured = self._within(verdict.z if verdict is not None else None, 0.0)
        self.z = self._redshifts.get(self.shown.key, self._within(self.shown.fact("z"), measured))
        return self.shown

    def step(self, by: int) -> Shown:
        """Show the next (1) or the previous (-1) spectrum.

        Raises
        ------
        RacnetError
            At the end of the list.
        """
        if not 0 <= self.index + by < len(self.spectra):
            raise RacnetError(f"This is the {'last' if by > 0 else 'first'} of {len(self.spectra)} spectra.")
        return self.go(self.index + by)

    def search(self, text: str) -> int:
        """Place of a spectrum by its number from 1, or by a part of its name, from the next one on.

        Raises
        ------
        RacnetError
            If there is none.
        """
        wanted, n = text.strip().lower(), len(self.spectra)
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 and 1 <= int(wanted) <= n:
            return int(wanted) - 1
        for step in range(1, n + 1):
            place = (self.index + step) % n
            if wanted and wanted in self.spectra.label(place).lower():
                return place
        raise RacnetError(f"Expected a number from 1 to {n} or a part of a name. Received: {text[:60]!r}.")

    # How it is shown

    def choose(self, **changes: Any) -> None:
        """Change the view; see `ViewState.changed`."""
        changed = self.state.changed(**changes)
        if changed.preset != self.state.preset:
            loaded = network(changed.preset)  # before the change: a preset that cannot be loaded changes nothing
            self.state, self._network = changed, loaded
            if self.shown.spectrum is not None:
                self.shown = self._look(self.shown.key, self.shown.label, self.shown.spectrum, "")
        self.state = changed

    def set_redshift(self, z: Any) -> float:
        """Set the redshift of the lines.

        Raises
        ------
        RacnetError
            If it is no number in the range.
        """
        self.z = checked_redshift(z)
        self._redshifts[self.shown.key] = self.z
        return self.z

    def redshift_from(self, name: str, wave: float) -> float:
        """Set the redshift by which a line lies at a place that was clicked, drawn to the feature nearby.

        Parameters
        ----------
        name : str
            Of `lines.clickable`.
        wave : float
            Angstrom.
        """
        if name not in clickable():
            raise RacnetError(f"Expected a line among {', '.join(clickable())}. Received: {str(name)[:40]!r}.")
        return self.set_redshift(self._feature(wave) / clickable()[name].wave - 1.0)

    @property
    def network(self) -> Network:
        """The network that judges."""
        if self._network is None:
            self._network = network(self.state.preset)
        return self._network

    @property
    def lines(self) -> tuple[Line, ...]:
        """Lines that are marked, at rest."""
        if self.state.lines == "none" or self.shown.spectrum is None:
            return ()
        verdict = self.shown.verdict
        return marked(self.state.lines, verdict.label if verdict else "", self.state.main)

    @property
    def lines_inside(self) -> list[tuple[str, float]]:
        """Names of the marked lines in view and where they lie."""
        low, high = self.state.zoom or (self.shown.wave[0], self.shown.wave[-1]) if len(self.shown.wave) else (0, 0)
        places = [(line.name, line.wave * (1 + self.z)) for line in self.lines]
        return [(name, place) for name, place in places if low <= place <= high]

    # Figures

    def figure(self) -> dict[str, Any]:
        """The spectrum and the panels below it, for `PlotView.show`."""
        shown, state = self.shown, self.state
        if shown.spectrum is None:
            told = "This spectrum cannot be shown: the message above says why. The list goes on."
            return _nothing(told if shown.refused else "There is no spectrum to show: open others.")
        smooth = sigma = None
        bad = shown.spectrum.mask[0]
        if state.smooth:
            smooth, sigma = smoothed(shown.flux, shown.spectrum.ivar[0], bad, state.smooth)
            sigma = sigma if shown.sigma is not None else None
        else:
            sigma = shown.sigma
        attention = self.attention() if state.attention and shown.prepared is not None else None
        occluded = None
        if state.occlusion and shown.verdict is not None:
            found = shown.occlusion
            occluded = Occluded(escape(shown.verdict.label, quote=False))
            if found is not None:
                occluded = Occluded(occluded.target, found.wave, found.values[0])
        picture = SpectrumPicture(
            wave=shown.wave,
            flux=shown.flux,
            bad=bad if state.masked else np.zeros_like(bad),
            smooth=smooth,
            sigma=sigma if state.errors else None,
            overlays=[(escape(name, quote=False), wave, flux) for name, wave, flux in self.overlays],
            shades=shades(state.telluric, state.sky, float(shown.wave[0]), float(shown.wave[-1])),
            attention=None if attention is None else attention[0],
            attention_wave=None if attention is None else attention[1],
            occluded=occluded,
            zoom=self.zoom_inside(),
            name=f"{shown.key} {next(self._figures)}",
        )
        return spectrum_panels(picture)

    def zoom_inside(self) -> tuple[float, float] | None:
        """The zoom, None where it would show nothing of this spectrum."""
        zoom, wave = self.state.zoom, self.shown.wave
        if zoom is None or not len(wave) or zoom[1] <= wave[0] or zoom[0] >= wave[-1]:
            return None
        return zoom

    def attention(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Attention map and its wavelengths; None where the network has no attention."""
        shown = self.shown
        if shown.attention is None and shown.prepared is not None and self.network.has_attention:
            shown.attention = self.network.attention_map(shown.prepared)
        return shown.attention

    def occlude(self, shown: Shown) -> None:
        """Compute the occlusion of a spectrum that is or was on show; takes some 0.4 s, may run in a thread."""
        if shown.occlusion is None and shown.prepared is not None and shown.verdict is not None:
            shown.occlusion = network(shown.verdict.preset).occlude(shown.prepared)

    def overlay(self, name: str, wave: np.ndarray, flux: np.ndarray) -> None:
        """Draw another spectrum over the one on show, scaled to it; an empty one takes it away."""
        self.overlays = []
        if not len(wave) or self.shown.spectrum is None:
            return
        own = np.interp(wave, self.shown.wave, np.nan_to_num(self.shown.flux), left=np.nan, right=np.nan)
        known = np.isfinite(own) & np.isfinite(flux)
        below = float((flux[known] ** 2).sum())
        scale = float((own[known] * flux[known]).sum()) / below if below > 0 else 1.0
        self.overlays = [(name, np.asarray(wave), scale * np.asarray(flux))]

    # Inside

    def _look(self, key: str, label: str, spectrum: SpectrumSet | None, reason: str) -> Shown:
        if spectrum is None:
            return Shown(key, label, refused=reason)
        known = self._known.get((key, self.state.preset))
        if known is not None:
            self._known.move_to_end((key, self.state.preset))
            return known
        flux = spectrum.flux[0].astype(float)
        flux[~np.isfinite(flux)] = np.nan
        flux[flux == 0] = np.nan  # exactly zero is what pipelines write where they have none
        sigma = None
        if spectrum.meta.get("ivar") != "not given":
            with np.errstate(divide="ignore"):
                sigma = 1 / np.sqrt(spectrum.ivar[0].astype(float))
            sigma[spectrum.mask[0]] = np.nan
        shown = Shown(key, label, spectrum, flux, sigma)
        try:
            shown.prepared = self.network.prepare(spectrum)
            shown.verdict = self.network.judge(spectrum, shown.prepared)
        except RacnetError as error:
            shown.refused = str(error)
        self._known[key, self.state.preset] = shown
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return shown

    @staticmethod
    def _within(z: Any, otherwise: float) -> float:
        try:
            return checked_redshift(z)
        except RacnetError:
            return otherwise

    def _feature(self, wave: float) -> float:
        """Where the strongest peak or dip near a wavelength lies."""
        shown = self.shown
        if shown.spectrum is None:
            raise RacnetError("There is no spectrum on show to click in. Open another one.")
        if not shown.wave[0] <= wave <= shown.wave[-1]:
            raise RacnetError(
                f"Expected a click from {shown.wave[0]:.0f} to {shown.wave[-1]:.0f} Angstrom. Received: {wave:.0f}."
            )
        smooth, _ = smoothed(shown.flux, shown.spectrum.ivar[0], shown.spectrum.mask[0], 2)
        middle = int(np.searchsorted(shown.wave, wave))
        near = slice(max(middle - _SNAP, 0), middle + _SNAP + 1)
        around = smooth[max(middle - 60, 0) : middle + 60]
        if not np.isfinite(smooth[near]).any():
            return float(wave)
        away = np.abs(smooth[near] - np.nanmedian(around))
        return float(shown.wave[near][int(np.nanargmax(away))])


def smoothed(flux: np.ndarray, ivar: np.ndarray, bad: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Flux smoothed by a Gaussian, each pixel weighted by its inverse variance; bad ones have no weight.

    Parameters
    ----------
    flux, ivar : (n_pix,) arrays
    bad : (n_pix,) bool array
    width : float
        Standard deviation, pixels.

    Returns
    -------
    smooth, sigma : (n_pix,) float64
        NaN where no good pixel is near; `sigma` is the standard error for independent pixels.
    """
    reach = min(int(np.ceil(4 * width)), (len(flux) - 1) // 2)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    good = ~bad & np.isfinite(flux)
    weight = np.where(good, ivar, 0).astype(float)
    scale = weight.max() or 1.0
    # A hundredth of the typical weight at least: one very good pixel shall not stand for all its neighbours.
    if good.any():
        weight = np.where(good, np.clip(weight, None, 100 * np.median(weight[good])), 0)
    total = np.convolve(weight, kernel, mode="same")
    above = np.convolve(weight * np.where(good, flux, 0), kernel, mode="same")
    spread = np.convolve(weight, kernel**2, mode="same")
    with np.errstate(divide="ignore", invalid="ignore"):
        known = total > 1e-9 * scale * kernel.sum()
        return np.where(known, above / total, np.nan), np.where(known, np.sqrt(spread) / total, np.nan)


def _nothing(text: str) -> dict[str, Any]:
    """An empty figure that says why it is."""
    note = {"text": text, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.55, "showarrow": False}
    axis = {"visible": False, "range": [0, 1]}
    return {"data": [], "layout": {"xaxis": axis, "yaxis": axis, "annotations": [note], "height": 330}}
