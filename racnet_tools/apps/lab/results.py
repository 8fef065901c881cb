"""What a training reached: the confusion matrix of its validation spectra, and the spectra behind each cell."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from racnet_tools.apps.frame import Notice, Quiet
from racnet_tools.apps.lab.jobs import Job
from racnet_tools.apps.lab.words import nothing_yet
from racnet_tools.apps.widgets import Click, PlotView
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.plots.interactive_training import confusion_cells

__all__ = ["ResultsPanel", "ValidationResult"]

_LISTED = 200


class ValidationResult:
    """What the weights kept say of the validation spectra.

    Parameters
    ----------
    job : Job
        A training that is over.

    Attributes
    ----------
    classes : tuple of str
    probabilities : (n, k) array
    truth : (n,) int array
        True class indices.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        path = job.folder / "validation.npz"
        if not path.is_file():
            raise RacnetError(
                f"{job.name} is {job.state}: there is a confusion matrix when it has finished or was stopped."
            )
        try:
            with np.load(path, allow_pickle=False) as kept:
                self.classes = tuple(str(name) for name in kept["classes"])
                self.probabilities, self.truth, self.wave = kept["probabilities"], kept["y"], kept["wave"]
                self.about = {name: kept[name] for name in ("subclass", "z", "snr_r")}
        except (OSError, ValueError, KeyError) as error:
            raise ReadError(path, expected="probabilities and classes", found=str(error)) from error
        k = len(self.classes)
        if self.probabilities.shape != (len(self.truth), k) or not np.isin(self.truth, np.arange(k)).all():
            raise ReadError(path, expected=f"(n, {k}) probabilities", found=f"{self.probabilities.shape}")

    @property
    def confusion(self) -> np.ndarray:
        """Counts (k, k): rows true classes, columns what was said."""
        table = np.zeros((len(self.classes),) * 2, int)
        np.add.at(table, (self.truth, self.probabilities.argmax(axis=1)), 1)
        return table

    def behind(self, true: int, said: int) -> np.ndarray:
        """Numbers of the spectra behind a cell, the most confident first."""
        k = len(self.classes)
        if not (0 <= true < k and 0 <= said < k):
            raise RacnetError(f"Expected a cell of the {k} by {k} classes. Received: {true}, {said}")
        found = np.flatnonzero((self.truth == true) & (self.probabilities.argmax(axis=1) == said))
        found = found[found < len(self.about["z"])]  # those whose spectra are kept
        return found[np.argsort(-self.probabilities[found, said], kind="stable")]

    def flux(self, number: int) -> np.ndarray:
        """Flux (n_pix,) of a validation spectrum; NaN in bad pixels."""
        path = self.job.folder / "validation_flux.npy"
        try:
            kept = np.load(path, mmap_mode="r", allow_pickle=False)
            return np.array(kept[number], np.float32)
        except (OSError, ValueError, IndexError) as error:
            raise ReadError(path, expected=f"spectrum {number + 1}", found=str(error)) from error

    def words(self, number: int) -> str:
        """Type, redshift and S/N of a validation spectrum, as far as known."""
        parts = [str(self.about["subclass"][number])]
        for column, name in (("z", "z"), ("snr_r", "S/N r")):
            value = float(self.about[column][number])
            if np.isfinite(value):
                parts.append(f"{name} {value:.3g}")
        return ", ".join(part for part in parts if part)


class ResultsPanel(w.VBox):
    """Confusion matrix of a training; a click on a cell lists its spectra, and a choice shows one.

    Parameters
    ----------
    notice : Notice
    """

    def __init__(self, notice: Notice) -> None:
        self.result: ValidationResult | None = None
        self._behind = np.zeros(0, int)
        self._quiet = Quiet()
        self._text = w.HTML()
        self._matrix, self._view = PlotView(height=350), PlotView(height=330)
        self._true = w.Dropdown(description="True class")
        self._said = w.Dropdown(description="Said")
        self._open = w.Button(description="Open the spectra of this cell", layout=w.Layout(width="auto"))
        self._list = w.Select(description="Spectra", rows=9, layout=w.Layout(width="auto"))
        self._matrix.on_click(notice.guard(self._clicked))
        self._open.on_click(notice.guard(lambda _: self._asked()))
        self._list.observe(notice.guard(lambda change: self.show_spectrum(change["new"])), "index")
        cell = w.HBox([self._true, self._said, self._open], layout=w.Layout(flex_flow="row wrap"))
        self._behind_box = w.VBox([self._list, self._view], layout=w.Layout(display="none"))
        self._rest = w.VBox([self._matrix, cell, self._behind_box])
        super().__init__([self._text, self._rest])

    def show(self, job: Job | None) -> None:
        """Show the results of a training, or say when there will be any."""
        self.result = None
        self._behind_box.layout.display = "none"
        self._rest.layout.display = "none"
        if job is None:
            self._text.value = nothing_yet("No run yet. Choose data and network, and press Train.")
            return
        if not (job.folder / "validation.npz").is_file():
            when = "It has not finished yet." if job.alive else "Resume it, or stop it to keep what it has reached."
            self._text.value = nothing_yet(f"No confusion matrix of {job.name} yet. {when}")
            return
        from racnet_tools.evaluate import accuracy

        self.result = result = ValidationResult(job)
        table, classes = result.confusion, result.classes
        share = accuracy(result.truth, result.probabilities.argmax(axis=1))
        kind = "simulated validation spectra" if job.plan.simulated else "validation spectra"
        self._text.value = (
            f"<b>{escape(job.name)}</b>: {escape(str(share))} of the {kind} are right. "
            "Click a cell, or choose one below, to open the spectra behind it."
        )
        rows = "; ".join(
            f"true {classes[i]}: " + ", ".join(f"{table[i, k]} said {classes[k]}" for k in range(len(classes)))
            for i in range(len(classes))
        )
        self._matrix.height = 110 + 64 * len(classes)
        self._matrix.show(confusion_cells(table, classes), f"Confusion matrix of {job.name}, {share} right. {rows}.")
        self._true.options = self._said.options = list(classes)
        off = table - np.diag(np.diag(table))
        worst = np.unravel_index(int(off.argmax()), off.shape)
        self._true.index, self._said.index = int(worst[0]), int(worst[1])
        self._rest.layout.display = ""

    def open_cell(self, true: int, said: int) -> None:
        """List the spectra of a cell and show the first.

        Raises
        ------
        RacnetError
            When there is no such cell, or nothing in it.
        """
        if self.result is None:
            raise RacnetError("Choose a run that has finished or was stopped first.")
        found = self.result.behind(true, said)[:_LISTED]
        classes = self.result.classes
        if not len(found):
            raise RacnetError(f"No {classes[true]} was said to be {classes[said]}. Choose a cell with spectra in it.")
        self._behind = found
        p = self.result.probabilities[found, said]
        with self._quiet:
            self._true.index, self._said.index = true, said
            self._list.options = [
                f"{n + 1}: {share:.3f}, {self.result.words(n)}" for n, share in zip(found, p, strict=True)
            ]
            self._list.index = 0
        self._behind_box.layout.display = ""
        self.show_spectrum(0)

    def show_spectrum(self, place: Any) -> None:
        """Show one spectrum of the list, by its place."""
        if self._quiet or self.result is None:
            return
        if type(place) is not int or not 0 <= place < len(self._behind):
            raise RacnetError(f"Expected a spectrum from 1 to {len(self._behind)}. Received: {place!r:.60}")
        from racnet_tools.plots.interactive_spectrum import SpectrumPicture, spectrum_panels

        number = int(self._behind[place])
        wave, flux = self.result.wave, self.result.flux(number)
        bad = ~np.isfinite(flux)
        if bad.all():
            raise RacnetError("This spectrum has no good pixel to show.")
        classes, p = self.result.classes, self.result.probabilities[number]
        said = ", ".join(f"{name} {share:.3f}" for name, share in zip(classes, p, strict=True))
        picture = SpectrumPicture(wave=wave, flux=flux, bad=bad, name=f"{self.result.job.name} {number}")
        true = classes[self.result.truth[number]]
        reach = f"from {wave[0]:.0f} to {wave[-1]:.0f} Å"
        told = f"Flux of validation spectrum {number + 1}, a {true}, {reach}. {said}."
        self._view.show(spectrum_panels(picture, 260), told)

    def _clicked(self, click: Click) -> None:
        if len(click.point) == 2:
            self.open_cell(*click.point)

    def _asked(self) -> None:
        true, said = self._true.index, self._said.index
        if type(true) is not int or type(said) is not int:
            raise RacnetError("Choose a true class and what was said first.")
        self.open_cell(true, said)
