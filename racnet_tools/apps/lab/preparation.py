"""What happens to a spectrum before a network sees it, step by step: preprocessing and augmentation."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as w
import numpy as np

from racnet_tools.apps.frame import Notice, Quiet, ShowPython
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.apps.widgets import PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.interactive_preparation import Step, preparation_steps
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.spectra.preprocess import fill_gaps

__all__ = ["PreparationPanel", "preparation"]

_EPOCHS = 20  # that augmentation can be looked at in


def preparation(spectrum: SpectrumSet, epoch: int) -> list[Step]:
    """The steps from a spectrum as read to what a network gets in training.

    Parameters
    ----------
    spectrum : SpectrumSet
        One spectrum on any grid.
    epoch : int
        Epoch, from 1, whose augmentation is shown.

    Returns
    -------
    list of Step
        Raw, resampled, masked and filled, normalised, augmented.

    Raises
    ------
    RacnetError
        When there is no such epoch, or the spectrum has no good pixel.
    """
    from racnet_tools.training.augmentation import Augmentation, augmented

    if type(epoch) is not int or not 1 <= epoch <= _EPOCHS:
        raise RacnetError(f"epoch: expected a whole number from 1 to {_EPOCHS}. Received: {epoch!r:.60}")
    prepare = Preprocessing()
    gridded = spectrum.to_grid(LAMOST_GRID)
    bad = (gridded.mask | (gridded.flux == 0))[0]
    filled = fill_gaps(gridded.flux, bad[None])[0]
    normal = prepare(spectrum)[0]
    one = np.zeros(1, int)
    changed = prepare(augmented(gridded, one, one, Augmentation(), seed=0, epoch=epoch))[0]
    wave, n = LAMOST_GRID.wave, LAMOST_GRID.n_pixels
    return [
        Step(f"1 Raw: {spectrum.n_pixels:,} pixels as read", spectrum.wave, spectrum.flux[0]),
        Step(f"2 Resampled: {n:,} pixels of LAMOST's grid", wave, np.where(gridded.mask[0], np.nan, gridded.flux[0])),
        Step(f"3 Masked: {int(bad.sum()):,} bad pixels, filled by a straight line (red)", wave, filled, bad),
        Step("4 Normalised: divided by its Euclidean norm", wave, normal),
        Step(f"5 Augmented: noise, shift, tilt and gaps of epoch {epoch}; before in red", wave, changed, None, normal),
    ]


class PreparationPanel(w.VBox):
    """A spectrum of the shipped samples after each step.

    Parameters
    ----------
    notice : Notice
    python : ShowPython
    """

    def __init__(self, notice: Notice, python: ShowPython) -> None:
        self.samples = open_samples()
        self.place, self.epoch = 0, 1
        self._python, self._quiet = python, Quiet()
        self._view = PlotView(height=722)
        names = [self.samples.label(i) for i in range(len(self.samples))]
        self._sample = w.Dropdown(description="Spectrum", options=names, index=0, layout=w.Layout(width="380px"))
        self._epoch = w.BoundedIntText(description="Epoch", value=1, min=1, max=_EPOCHS, layout=w.Layout(width="170px"))
        self._sample.observe(notice.guard(lambda change: self.choose(change["new"], self.epoch)), "index")
        self._epoch.observe(notice.guard(lambda change: self.choose(self.place, change["new"])), "value")
        row = w.HBox([self._sample, self._epoch], layout=w.Layout(flex_flow="row wrap"))
        super().__init__([row, self._view])
        self.choose(0, 1)

    def choose(self, place: Any, epoch: Any) -> None:
        """Show a sample, by its place in the list, in an epoch.

        Raises
        ------
        RacnetError
            When there is no such sample or epoch.
        """
        if self._quiet:
            return
        try:
            if type(place) is not int or not 0 <= place < len(self.samples):
                raise RacnetError(f"Expected a spectrum from 1 to {len(self.samples)}. Received: {place!r:.60}")
            spectrum = self.samples.load(place)
            steps = preparation(spectrum, epoch)
            self.place, self.epoch = place, epoch
        finally:
            with self._quiet:
                self._sample.index, self._epoch.value = self.place, self.epoch
        bad = int(steps[2].marked.sum()) if steps[2].marked is not None else 0
        apart = float(np.std(steps[4].values - steps[3].values))
        told = (
            f"{self.samples.label(place)} in five steps, one below the other: raw with {spectrum.n_pixels} pixels from "
            f"{spectrum.wave[0]:.0f} to {spectrum.wave[-1]:.0f} Å; resampled to {LAMOST_GRID.n_pixels} pixels; "
            f"{bad} bad pixels filled; normalised to values up to {steps[3].values.max():.3g}; "
            f"augmented as in epoch {epoch}, where it differs by {apart:.2g} (standard deviation)."
        )
        self._view.show(preparation_steps(steps), escape(told, quote=False))
        self._python.say(
            "Prepare and augment a spectrum",
            "import numpy as np\nimport racnet_tools\nfrom racnet_tools.resources import data_path\n"
            "from racnet_tools.spectra import LAMOST_GRID, Preprocessing\n"
            "from racnet_tools.training.augmentation import Augmentation, augmented\n\n"
            f'spectra = racnet_tools.read(data_path("samples"))[{place}:{place + 1}].to_grid(LAMOST_GRID)\n'
            "x = Preprocessing()(spectra)\none = np.zeros(1, int)\n"
            f"changed = Preprocessing()(augmented(spectra, one, one, Augmentation(), seed=0, epoch={epoch}))",
        )
