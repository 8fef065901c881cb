"""What a spectrum looks like most: templates at any redshift, and spectra of a small simulated set.

This is for a look beside a classification, so it is quick and small (a few milliseconds a spectrum, 20 MB): both come
ready from ``data/nearest``, made by ``build_nearest.py`` there. Templates are compared as `TemplateMatcher` does, lines
over the continuum, but they are a choice of its stars (98 of 1,139) in bins of two pixels: its redshifts are finer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy import fft

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.baselines_template import _STRENGTH, _features, _gain, _relative, _vertex
from racnet_tools.resources import data_path
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["COMPARED_BINS", "LEAST_PIXELS", "TEMPLATE_BINS", "Neighbour", "nearest_spectra", "nearest_templates"]

#: Pixels that are averaged in templates and in spectra of the comparison set.
TEMPLATE_BINS, COMPARED_BINS = 2, 3
#: Measured pixels that are needed.
LEAST_PIXELS = 300
_END = 60  # measured pixels at an end that say how high to go on from it
_CLASSES = ("STAR", "GALAXY", "QSO")


@dataclass(frozen=True)
class Neighbour:
    """A template or spectrum like the one in question.

    Attributes
    ----------
    name, label : str
        What it is, such as "G star, 5780 K", and its class.
    z : float
        The redshift at which a template fits, or a simulated spectrum's own.
    value : float
        Chi-square per pixel of a template (1 where noise alone is left), correlation of a spectrum (1 for the same).
    wave, flux : (n_bins,) arrays
        To be drawn over the spectrum: Angstrom, vacuum; the scale of the spectrum's network input.
    """

    name: str
    label: str
    z: float
    value: float
    wave: np.ndarray
    flux: np.ndarray


@dataclass(frozen=True)
class _Templates:
    """Templates of one class: lines over continuum, (k, length) bins, of which `before` lie before the window."""

    ratio: np.ndarray
    before: int
    names: np.ndarray
    transformed: np.ndarray
    squared: np.ndarray
    length: int


@dataclass(frozen=True)
class _Compared:
    flux: np.ndarray  # (n, 1303)
    lines: np.ndarray  # the same over its continuum
    names: np.ndarray
    labels: np.ndarray
    z: np.ndarray


def nearest_templates(x: np.ndarray, good: np.ndarray | None = None) -> list[Neighbour]:
    """The best template of each class for one spectrum, the best class first.

    Stars are tried at redshifts from -0.002 to 0.002, galaxies from 0 to 1, quasars from 0 to 5.

    Parameters
    ----------
    x : (3909,) array
        Network input: flux on the LAMOST grid, gaps filled, at any scale.
    good : (3909,) bool array, optional
        Pixels that were measured; what fills the others does not count. All by default.

    Returns
    -------
    list of Neighbour

    Raises
    ------
    RacnetError
        If the spectrum is not on the LAMOST grid.
    """
    x, good = _checked(x, good)
    ratio, weight = _features(x)
    weight = weight * good
    _, smooth = _relative(x)
    count = LAMOST_GRID.n_pixels // TEMPLATE_BINS
    weighted, summed = (_binned(rows, TEMPLATE_BINS)[0] * TEMPLATE_BINS for rows in (ratio * weight, weight))
    total = float((weight * ratio**2).sum())
    found = []
    for label in _CLASSES:
        templates = _templates(label)
        cross, square = (
            fft.irfft(own * np.conj(fft.rfft(rows, templates.length)), templates.length, axis=1)
            for own, rows in ((templates.transformed, weighted), (templates.squared, summed))
        )
        places = slice(0, templates.ratio.shape[1] - count + 1)
        cross, square = cross[:, places], np.maximum(square[:, places], 1e-6)
        score = _gain(cross, square, _STRENGTH)
        which, at = np.unravel_index(score.argmax(), score.shape)
        strength = float(np.clip(cross[which, at] / square[which, at], *_STRENGTH))
        near = score[which, max(at - 1, 0) : at + 2]
        shift = templates.before - (at + (_vertex(near) if len(near) == 3 else 0.0))
        drawn = 1 + strength * templates.ratio[which, at : at + count].astype(np.float32)
        found.append(
            Neighbour(
                name=str(templates.names[which]),
                label=label,
                z=float(10 ** (shift * TEMPLATE_BINS * LAMOST_GRID.step) - 1),
                value=max(total - float(score[which, at]), 0.0) / max(int(good.sum()), 1),
                wave=_wave(TEMPLATE_BINS),
                flux=_binned(smooth, TEMPLATE_BINS)[0] * drawn,
            )
        )
    return sorted(found, key=lambda one: one.value)


def nearest_spectra(
    x: np.ndarray, good: np.ndarray | None = None, *, by: Literal["shape", "lines"] = "shape", n: int = 5
) -> list[Neighbour]:
    """The spectra of the simulated comparison set that correlate best with one spectrum.

    Parameters
    ----------
    x : (3909,) array
        Network input.
    good : (3909,) bool array, optional
        Pixels that were measured; bins without one do not count. All by default.
    by : {"shape", "lines"}
        The whole spectrum, or what is left when it is divided by its continuum.
    n : int
        How many.

    Returns
    -------
    list of Neighbour
        The best first.

    Raises
    ------
    RacnetError
        If the spectrum is not on the LAMOST grid, or `by` is neither.
    """
    if by not in ("shape", "lines"):
        raise RacnetError(f"Expected by='shape' or 'lines'. Received: {by!r}.")
    x, good = _checked(x, good)
    compared = _compared()
    binned = _binned(x, COMPARED_BINS)
    known = _binned(good[None].astype(np.float32), COMPARED_BINS)[0] > 0
    mine = (binned if by == "shape" else _binned(_relative(x)[0], COMPARED_BINS))[:, known]
    value = _standard((compared.flux if by == "shape" else compared.lines)[:, known]) @ _standard(mine)[0]
    order = np.argsort(-value, kind="stable")[:n]
    level = compared.flux[order][:, known]
    scale = (level @ binned[0, known]) / np.maximum((level**2).sum(axis=1), 1e-30)
    return [
        Neighbour(
            name=str(compared.names[row]),
            label=str(compared.labels[row]),
            z=float(compared.z[row]),
            value=float(value[row]),
            wave=_wave(COMPARED_BINS),
            flux=compared.flux[row] * factor,
        )
        for row, factor in zip(order, scale, strict=True)
    ]


def _checked(x: np.ndarray, good: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The spectrum (1, 3909), level where its ends were not measured, and the pixels that count."""
    x = np.asarray(x, np.float32)
    good = np.ones(x.shape, bool) if good is None else np.asarray(good, bool)
    if x.shape != (LAMOST_GRID.n_pixels,) or x.shape != good.shape or not np.isfinite(x).all():
        raise RacnetError(
            f"Expected one spectrum of {LAMOST_GRID.n_pixels} finite pixels on the LAMOST grid. Received: shape "
            f"{x.shape}. Apply the preset's preprocessing."
        )
    there = np.flatnonzero(good)
    if len(there) < LEAST_PIXELS:
        raise RacnetError(f"Expected {LEAST_PIXELS} pixels that were measured or more. Received: {len(there)}.")
    x = x.copy()  # the ends repeat a single pixel's value, which may be anything
    x[: there[0]] = np.median(x[there[:_END]])
    x[there[-1] + 1 :] = np.median(x[there[-_END:]])
    return x[None], good


def _binned(rows: np.ndarray, bins: int) -> np.ndarray:
    """Means of `bins` neighbours, (n, n_pix // bins); what is left over at the end is dropped."""
    count = rows.shape[1] // bins
    means: np.ndarray = rows[:, : count * bins].reshape(len(rows), count, bins).mean(axis=2)
    return means


def _wave(bins: int) -> np.ndarray:
    centre = np.arange(LAMOST_GRID.n_pixels // bins) * bins + (bins - 1) / 2
    wave: np.ndarray = 10 ** (LAMOST_GRID.start + LAMOST_GRID.step * centre)
    return wave


def _standard(rows: np.ndarray) -> np.ndarray:
    """Less their mean and of unit length, so that products are correlations."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.sqrt((centred**2).sum(axis=1, keepdims=True)), 1e-30)


@lru_cache(maxsize=len(_CLASSES))
def _templates(label: str) -> _Templates:
    with np.load(data_path("nearest", "templates.npz"), allow_pickle=False) as stored:
        ratio = stored[f"{label}_ratio"]
        before, names = int(stored[f"{label}_before"]), stored[f"{label}_names"]
    length = 1 << (ratio.shape[1] - 1).bit_length()  # what wraps around is not looked at
    wide = ratio.astype(np.float32)
    transformed, squared = (fft.rfft(rows, length, axis=1).astype(np.complex64) for rows in (wide, wide**2))
    return _Templates(ratio, before, names, transformed, squared, length)


@lru_cache(maxsize=1)
def _compared() -> _Compared:
    with np.load(data_path("nearest", "spectra.npz"), allow_pickle=False) as stored:
        flux = stored["flux"].astype(np.float32)
        names, labels, z = stored["names"], stored["labels"], stored["z"]
    lines = _binned(_relative(np.repeat(flux, COMPARED_BINS, axis=1))[0], COMPARED_BINS)
    return _Compared(flux, lines, names, labels, z)
