"""What an attribution of a spectrum is: how much each pixel speaks for a class.

The score explained is the log-odds of the class, ``logit_target - logsumexp(other logits)``: the natural logarithm of
p / (1 - p), which still tells the evidence apart where the probability is 1 to all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.baseline import BASELINE_NAME

if TYPE_CHECKING:
    from racnet_tools.inference.presets import Preset

__all__ = ["UNIT", "Attribution", "attribution_of", "completeness_error", "pick_targets"]

#: Unit of what is attributed.
UNIT = "log-odds"


@dataclass(frozen=True)
class Attribution:
    """How much each pixel of spectra speaks for a class.

    Parameters
    ----------
    values : (n, n_pix) float32
        Positive where the pixel speaks for `target`.
    wave : (n_pix,) array
        Vacuum wavelengths, Angstrom.
    flux : (n, n_pix) array
        As the network saw it.
    baseline : (n, n_pix) array
        What stands for "nothing there": the continuum.
    target : (n,) int array
        Index of the class explained.
    classes : tuple of str
    probabilities : (n, k) array
    method : str
        "occlusion", "integrated gradients", "SmoothGrad", "Grad-CAM of block 5", ...
    baseline_name : str
        What the baseline is, for people.
    unit : str
        Of the sum of `values` over pixels.
    completeness_error : (n,) array, optional
        ``|sum(values) - d| / |d|`` with d the difference of the scores of flux and baseline; None where a method does
        not claim that its values add up to it.

    Raises
    ------
    RacnetError
        If the shapes do not fit together.
    """

    values: np.ndarray
    wave: np.ndarray
    flux: np.ndarray
    baseline: np.ndarray
    target: np.ndarray
    classes: tuple[str, ...]
    probabilities: np.ndarray
    method: str
    baseline_name: str
    unit: str = UNIT
    completeness_error: np.ndarray | None = None

    def __post_init__(self) -> None:
        n, n_pix = np.shape(self.flux)
        expected = {
            "values": (n, n_pix),
            "wave": (n_pix,),
            "baseline": (n, n_pix),
            "target": (n,),
            "probabilities": (n, len(self.classes)),
        }
        found = {name: np.shape(getattr(self, name)) for name in expected}
        if self.completeness_error is not None:
            expected["completeness_error"], found["completeness_error"] = (n,), np.shape(self.completeness_error)
        if wrong := [name for name in expected if found[name] != expected[name]]:
            told = "; ".join(f"{name} of shape {expected[name]}, received {found[name]}" for name in wrong)
            raise RacnetError(f"An attribution of {n} spectra of {n_pix} pixels has {told}.")

    def __len__(self) -> int:
        return len(self.flux)

    def __getitem__(self, rows: slice) -> Attribution:
        """The attribution of some of the spectra."""
        error = self.completeness_error
        return Attribution(
            values=self.values[rows],
            wave=self.wave,
            flux=self.flux[rows],
            baseline=self.baseline[rows],
            target=self.target[rows],
            classes=self.classes,
            probabilities=self.probabilities[rows],
            method=self.method,
            baseline_name=self.baseline_name,
            unit=self.unit,
            completeness_error=None if error is None else error[rows],
        )


def attribution_of(
    preset: Preset,
    flux: np.ndarray,
    baseline: np.ndarray,
    target: np.ndarray,
    probabilities: np.ndarray,
    values: np.ndarray,
    method: str,
    error: np.ndarray | None,
    unit: str = UNIT,
) -> Attribution:
    """An attribution for the classes and wavelengths of a preset, against the continuum; see `Attribution`."""
    return Attribution(
        values=values,
        wave=preset.preprocessing.grid.wave,
        flux=flux,
        baseline=baseline,
        target=target,
        classes=preset.classes,
        probabilities=probabilities,
        method=method,
        baseline_name=BASELINE_NAME,
        unit=unit,
        completeness_error=error,
    )


def pick_targets(probabilities: np.ndarray, classes: tuple[str, ...], target: str | np.ndarray | None) -> np.ndarray:
    """Class index to explain for each spectrum.

    Parameters
    ----------
    probabilities : (n, k) array
    classes : tuple of str
    target : str, (n,) int array or None
        A class for all, an index for each, or the most probable class of each.

    Returns
    -------
    (n,) int array

    Raises
    ------
    RacnetError
        If there is no such class, or not one index for each spectrum.
    """
    n = len(probabilities)
    if target is None:
        return probabilities.argmax(axis=1)
    if isinstance(target, str):
        if target not in classes:
            raise RacnetError(f"Expected a class among {', '.join(classes)}. Received: {target!r}.")
        return np.full(n, classes.index(target))
    chosen = np.asarray(target)
    if chosen.shape != (n,) or chosen.dtype.kind not in "iu" or ((chosen < 0) | (chosen >= len(classes))).any():
        raise RacnetError(f"Expected {n} class indices from 0 to {len(classes) - 1}. Received: {target!r}.")
    return chosen


def completeness_error(values: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """How far an attribution's sum is from what it should explain.

    Parameters
    ----------
    values : (n, n_pix) array
    difference : (n,) array
        Score of the flux minus score of the baseline.

    Returns
    -------
    (n,) float64
        ``|sum(values) - difference| / |difference|``; infinite or NaN where there is no difference to explain.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(values.sum(axis=1, dtype=np.float64) - difference) / np.abs(difference)
