"""Occlusion: how much less likely the class becomes when a stretch of the spectrum is replaced by its continuum.

The flux is replaced; what else a joint network is given of a pixel follows from it (`racnet_tools.spectra.channels`).
Needs ONNX Runtime alone. Reference: Zeiler & Fergus 2014, ECCV (arXiv:1311.2901), section 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution, attribution_of, completeness_error, pick_targets
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.check import Logits, log_odds
from racnet_tools.spectra.channels import flux_of, with_flux

if TYPE_CHECKING:
    from racnet_tools.inference import Preset

__all__ = [
    "STEP",
    "WIDTH",
    "hide",
    "logits_of",
    "occlude",
    "occlusion",
    "sliding_windows",
    "softmax",
]

WIDTH, STEP = 60, 20
"""Pixels of 69 km/s that are hidden at a time, and from one window to the next: 197 windows on LAMOST's grid."""

_PIECE = 512  # changed spectra that are held at a time


def logits_of(model: bytes, threads: int | None = None) -> Logits:
    """A function from network input to the logits of the classes (n, k), from a network's ONNX graph."""
    from racnet_tools.inference import Engine, with_outputs

    engine = Engine(with_outputs(model, ["logits"]), threads=threads)
    return lambda x: engine.run(x, ["logits"])[0]


def sliding_windows(n_pix: int, width: int = WIDTH, step: int = STEP) -> np.ndarray:
    """Windows (m, 2) of first pixel and pixel after the last, so that every pixel lies in equally many.

    Windows at the ends reach beyond the spectrum and are cut there.

    Raises
    ------
    RacnetError
        If the width is no multiple of the step, or either is not within 1 to `n_pix`.
    """
    if not (1 <= step <= width <= n_pix) or width % step:
        raise RacnetError(
            f"Expected a step of 1 pixel or more and a width that is a multiple of it, up to {n_pix}. "
            f"Received: width {width}, step {step}."
        )
    starts = np.arange(step - width, n_pix, step)
    return np.clip(np.stack([starts, starts + width], axis=1), 0, n_pix)


def hide(logits: Logits, x: np.ndarray, baseline: np.ndarray, target: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Fall of the log-odds of a class when a window is replaced by the baseline.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Network input.
    baseline : (n, n_pix) float32 array
        What the flux is replaced by.
    target : (n,) int array
        Class of each spectrum.
    windows : (m, 2) or (n, m, 2) int array
        First pixel, and pixel after the last, of windows for all spectra or of each spectrum; empty ones change
        nothing.

    Returns
    -------
    (n, m) float64
        Positive where the window speaks for the class.
    """
    windows = np.broadcast_to(windows, (len(x), *np.shape(windows)[-2:]))
    m = windows.shape[1]
    falls = np.empty((len(x), m))
    for i, flux in enumerate(flux_of(x)):
        one = x[i : i + 1]
        whole = log_odds(logits(one), target[i : i + 1])[0]
        for start in range(0, m, _PIECE):
            some = windows[i, start : start + _PIECE]
            changed = np.repeat(flux[None], len(some), axis=0)
            for row, (a, b) in zip(changed, some, strict=True):
                row[a:b] = baseline[i, a:b]
            scores = log_odds(logits(with_flux(one, changed)), np.full(len(some), target[i]))
            falls[i, start : start + len(some)] = whole - scores
    return falls


def occlusion(
    logits: Logits,
    x: np.ndarray,
    target: np.ndarray,
    baseline: np.ndarray | None = None,
    *,
    width: int = WIDTH,
    step: int = STEP,
) -> np.ndarray:
    """Attribution of every pixel from sliding windows.

    A window's fall of the log-odds is shared equally by its pixels; a pixel gets the mean of its windows.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Network input.
    target : (n,) int array
    baseline : (n, n_pix) float32 array, optional
        The continuum by default.
    width, step : int
        Pixels.

    Returns
    -------
    (n, n_pix) float32
        Log-odds per pixel.
    """
    x = np.asarray(x, np.float32)
    n, n_pix = x.shape[:2]
    windows = sliding_windows(n_pix, width, step)
    falls = hide(logits, x, continuum(flux_of(x)) if baseline is None else baseline, target, windows)
    values, count = np.zeros((n, n_pix)), np.zeros(n_pix)
    for (a, b), fall in zip(windows, falls.T, strict=True):
        values[:, a:b] += fall[:, None] / (b - a)
        count[a:b] += 1
    return (values / count).astype(np.float32)


def occlude(
    preset: Preset,
    x: np.ndarray,
    target: str | np.ndarray | None = None,
    *,
    width: int = WIDTH,
    step: int = STEP,
    logits: Logits | None = None,
) -> Attribution:
    """Explain what a preset says of spectra, by occlusion.

    Parameters
    ----------
    preset : Preset
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Preprocessed spectra.
    target : str or (n,) int array, optional
        Class to explain, by name for all or by index for each; that which the network gives by default.
    width, step : int
        Pixels hidden at a time and from one window to the next.
    logits : callable, optional
        `logits_of` the preset's graph, to load it once for many calls.

    Returns
    -------
    Attribution

    Raises
    ------
    RacnetError
        If shapes, class or windows do not fit.
    """
    ask = logits_of(preset.class_bytes()) if logits is None else logits
    x = np.asarray(x, np.float32)
    said = ask(x)
    chosen = pick_targets(said, preset.classes, target)
    flux = flux_of(x)
    baseline = continuum(flux)
    values = occlusion(ask, x, chosen, baseline, width=width, step=step)
    change = log_odds(said, chosen) - log_odds(ask(with_flux(x, baseline)), chosen)
    error = completeness_error(values, change)
    method = f"occlusion, {width} pixels"
    return attribution_of(preset, flux, baseline, chosen, softmax(said), values, method, error)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of logits."""
    from scipy.special import softmax as of

    return np.asarray(of(logits, axis=1), np.float32)
