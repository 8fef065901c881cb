"""Occlusion: how much less likely the class becomes when a stretch of the spectrum is replaced by its continuum.

Needs ONNX Runtime alone. Reference: Zeiler & Fergus 2014, ECCV (arXiv:1311.2901), section 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution, attribution_of, completeness_error, pick_targets
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.check import Logits, log_odds

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
    """A function (n, n_pix) to (n, k) that gives a network's logits, from its ONNX graph."""
    from racnet_tools.inference import Engine, with_outputs

    engine = Engine(with_outputs(model, ["logits"]), threads=threads)
    return lambda flux: engine.run(flux, ["logits"])[0]


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


def hide(logits: Logits, flux: np.ndarray, baseline: np.ndarray, target: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Fall of the log-odds of a class when a window is replaced by the baseline.

    Parameters
    ----------
    logits : callable
        (n, n_pix) to (n, k).
    flux, baseline : (n, n_pix) float32 arrays
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
    windows = np.broadcast_to(windows, (len(flux), *np.shape(windows)[-2:]))
    m = windows.shape[1]
    falls = np.empty((len(flux), m))
    for i, spectrum in enumerate(flux):
        whole = log_odds(logits(spectrum[None]), target[i : i + 1])[0]
        for start in range(0, m, _PIECE):
            some = windows[i, start : start + _PIECE]
            changed = np.repeat(spectrum[None], len(some), axis=0)
            for row, (a, b) in zip(changed, some, strict=True):
                row[a:b] = baseline[i, a:b]
            scores = log_odds(logits(changed), np.full(len(some), target[i]))
            falls[i, start : start + len(some)] = whole - scores
    return falls


def occlusion(
    logits: Logits,
    flux: np.ndarray,
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
        (n, n_pix) to (n, k).
    flux : (n, n_pix) float32 array
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
    flux = np.asarray(flux, np.float32)
    windows = sliding_windows(flux.shape[1], width, step)
    falls = hide(logits, flux, continuum(flux) if baseline is None else baseline, target, windows)
    values, count = np.zeros(flux.shape), np.zeros(flux.shape[1])
    for (a, b), fall in zip(windows, falls.T, strict=True):
        values[:, a:b] += fall[:, None] / (b - a)
        count[a:b] += 1
    return (values / count).astype(np.float32)


def occlude(
    preset: Preset,
    flux: np.ndarray,
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
    flux : (n, n_pix) float32 array
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
    ask = logits_of(preset.model_bytes()) if logits is None else logits
    flux = np.asarray(flux, np.float32)
    said = ask(flux)
    chosen = pick_targets(said, preset.classes, target)
    baseline = continuum(flux)
    values = occlusion(ask, flux, chosen, baseline, width=width, step=step)
    change = log_odds(said, chosen) - log_odds(ask(baseline), chosen)
    error = completeness_error(values, change)
    method = f"occlusion, {width} pixels"
    return attribution_of(preset, flux, baseline, chosen, softmax(said), values, method, error)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities (n, k) of logits."""
    from scipy.special import softmax as of

    return np.asarray(of(logits, axis=1), np.float32)
