"""Planted evidence: whether an explanation finds a spectral line that alone decides the class.

A Gaussian line, in emission or absorption, is added to a spectrum at places drawn at random, stronger and stronger,
until the network gives another class whose odds have risen 20-fold. Nothing else of the flux is changed and it is not
normalised anew, so the line is the whole reason for the new class: take it away and the old class is back. An
explanation of the new class must peak there. The map of the same spectrum without the line tells how often it would
have peaked there anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import wilson_interval
from racnet_tools.explain.check import FEWEST, Check, Logits, Method, log_odds, verdict
from racnet_tools.spectra.channels import flux_of, with_flux

__all__ = ["FWHM", "PlantedLines", "injected_line", "peak_places", "plant_lines"]

FWHM = 15  # pixels of 69 km/s: about 1,000 km/s
_NEAR = 40  # pixels; a peak closer than this to the line's centre is at the line: by chance in 2 % of places
_PLACES = 16
_GAIN = 3.0  # log-odds: a factor of 20; below, a border case and no decision of the line's
_STRENGTHS = (-0.3, -0.6, -0.9, 0.3, 1.0, 3.0, 10.0)  # peak over continuum; below 0: absorption


@dataclass(frozen=True)
class PlantedLines:
    """Spectra whose class hangs on a line.

    Attributes
    ----------
    x, without : (m, n_pix) or (m, n_pix, n_channels) float32
        Network input with the line and without it.
    baseline : (m, n_pix) float32
        Continuum of each.
    target : (m,) int
        Class that the line makes of it.
    place : (m,) int
        Pixel of the line's centre.
    strength : (m,) float
        Peak of the line over the continuum, negative in absorption.
    index : (m,) int
        Which of the given spectra it is.
    """

    x: np.ndarray
    without: np.ndarray
    baseline: np.ndarray
    target: np.ndarray
    place: np.ndarray
    strength: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)


def plant_lines(logits: Logits, x: np.ndarray, baseline: np.ndarray, *, seed: int) -> PlantedLines:
    """Search each spectrum for the weakest line that decides its class.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n, n_pix) or (n, n_pix, n_channels) array
        Network input.
    baseline : (n, n_pix) array
        Continua of the spectra.
    seed : int
        Of the places tried: 16 a spectrum, each with three lines in absorption and four in emission.

    Returns
    -------
    PlantedLines
        Spectra whose class no line decides are left out.

    Raises
    ------
    RacnetError
        If the shapes differ.
    """
    if np.ndim(baseline) != 2 or np.shape(x)[:2] != np.shape(baseline):
        raise RacnetError(
            f"Expected network input and continua (n, n_pix) of the same spectra. Received: shapes {np.shape(x)} and "
            f"{np.shape(baseline)}."
        )
    rng = np.random.default_rng(seed)
    x = np.asarray(x, np.float32)
    n_pix = x.shape[1]
    original = logits(x)
    before = original.argmax(axis=1)
    pixels = np.arange(n_pix)
    found: list[tuple[int, int, float, int, np.ndarray]] = []
    for i, flux in enumerate(flux_of(x)):
        places = rng.integers(2 * FWHM, n_pix - 2 * FWHM, _PLACES)
        shapes = np.exp(-4 * np.log(2) * ((pixels - places[:, None]) / FWHM) ** 2) * baseline[i]
        for strength in sorted(_STRENGTHS, key=abs):
            tried = with_flux(x[i : i + 1], flux + strength * shapes)
            scores = logits(tried)
            given = scores.argmax(axis=1)
            gain = log_odds(scores, given) - log_odds(np.broadcast_to(original[i], scores.shape), given)
            best = int(np.where(given != before[i], gain, -np.inf).argmax())
            if given[best] != before[i] and gain[best] >= _GAIN:
                found.append((i, int(places[best]), strength, int(given[best]), tried[best]))
                break
    index = np.array([one[0] for one in found], dtype=int)
    return PlantedLines(
        x=np.array([one[4] for one in found], np.float32).reshape(-1, *x.shape[1:]),
        without=x[index],
        baseline=np.asarray(baseline, np.float32)[index],
        target=np.array([one[3] for one in found], dtype=int),
        place=np.array([one[1] for one in found], dtype=int),
        strength=np.array([one[2] for one in found], dtype=float),
        index=index,
    )


def peak_places(values: np.ndarray) -> np.ndarray:
    """Pixel where a map, smoothed to the width of a line, speaks most for its class; (n, n_pix) to (n,).

    Of a plateau, such as a window of occlusion, it is the middle.
    """
    smooth = uniform_filter1d(np.asarray(values, dtype=float), FWHM, axis=1, mode="nearest")
    level = smooth.max(axis=1, keepdims=True) - 1e-6 * np.ptp(smooth, axis=1, keepdims=True)
    return np.array([int(np.flatnonzero(row).mean()) for row in smooth >= level])


def injected_line(method: Method, lines: PlantedLines, name: str) -> Check:
    """Ask whether an explanation finds the planted lines.

    Parameters
    ----------
    method : callable
        (network input, target) to values (n, n_pix).
    lines : PlantedLines
    name : str
        Of the method.

    Returns
    -------
    Check
        Share of lines found: the peak of the map of the class that the line makes is within 40 pixels of its centre.
        Passed where it is more than a half. The control is the share of maps of the spectra without the line that
        peak there.
    """
    m = len(lines)
    hits = control = 0
    if m:
        hits = int((np.abs(peak_places(method(lines.x, lines.target)) - lines.place) < _NEAR).sum())
        control = int((np.abs(peak_places(method(lines.without, lines.target)) - lines.place) < _NEAR).sum())
    lower, upper = wilson_interval(hits, m) if m else (float("nan"), float("nan"))
    decided = verdict(lower, upper, 0.5, m)
    reading = (
        f"{hits} of {m} lines that alone decide the class are found at their place, "
        f"{control} where there is no line"
        + ("." if m >= FEWEST else f"; too few spectra changed class to decide (at least {FEWEST} are needed).")
    )
    return Check(
        "injected line",
        name,
        "share of lines found",
        hits / m if m else float("nan"),
        lower,
        upper,
        control / m if m else float("nan"),
        "same map without the line",
        m,
        decided,
        reading,
    )
