"""Numbers that describe a spectrum for the test of simulated against real: one table of features a view.

All work on spectra on the LAMOST grid. Views: ``pixels`` (gap-filled, unit norm, as networks see them), ``continuum``
(heavily smoothed), ``fine`` (flux over its running median), ``noise`` (residuals over the stated noise), ``ivar``
(shape of the stated noise) and ``gaps`` (lost pixels). Features are float64, NaN where nothing could be measured.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet

__all__ = [
    "VIEWS",
    "Features",
    "autocorrelation",
    "features",
    "noise_autocorrelation",
    "principal_components",
    "running_median",
]

Features = dict[str, np.ndarray]
_WAVE = LAMOST_GRID.wave
_EDGES = [3700, 3850, 4000, 4250, 4500, 4800, 5100, 5400, 5700, 5950]
_EDGES += [6250, 6550, 6900, 7250, 7600, 8000, 8400, 8750, 9000, 9100]
_BANDS = [slice(*np.searchsorted(_WAVE, pair)) for pair in pairwise(_EDGES)]
_BAND_NAMES = [str(low) for low in _EDGES[:-1]]
# Strong night-sky lines and telluric bands (vacuum, Angstrom; Osterbrock et al. 1996, PASP 108, 277) with half widths.
_SKY = {"5579": 5, "5892": 6, "6302": 4, "6366": 4, "6880": 15, "7610": 25, "7717": 6, "8346": 6, "8401": 6}
_SKY |= {"8829": 6, "8888": 6}
_BLOCK = 21


def running_median(flux: np.ndarray, blocks: int = 5) -> np.ndarray:
    """Median over a window of ``blocks * 21`` pixels, interpolated between blocks of 21; (n, n_pix) to (n, n_pix)."""
    n_blocks = flux.shape[1] // _BLOCK
    short = np.median(flux[:, : n_blocks * _BLOCK].reshape(len(flux), n_blocks, _BLOCK), axis=2)
    half = blocks // 2
    padded = np.pad(short, ((0, 0), (half, half)), mode="edge")
    short = np.median(np.lib.stride_tricks.sliding_window_view(padded, blocks, axis=1), axis=2)
    centres = np.arange(n_blocks) * _BLOCK + _BLOCK // 2
    pixels = np.arange(flux.shape[1])
    return np.stack([np.interp(pixels, centres, row) for row in short])


def principal_components(values: np.ndarray, n: int, name: str) -> Features:
    """Scores on the first `n` principal components of the rows, in units of each component's spread."""
    centred = values - values.mean(axis=0)
    size, vectors = np.linalg.eigh(centred @ centred.T)
    scores = vectors[:, ::-1][:, :n] * np.sqrt(len(values))
    return {f"{name} component {k + 1}": scores[:, k] for k in range(scores.shape[1]) if size[::-1][k] > 0}


def autocorrelation(values: np.ndarray, good: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelation of each row at lags 0 to `lags`, over pairs of good pixels.

    Parameters
    ----------
    values : (n, n_pix) array
        Of mean zero.
    good : (n, n_pix) bool array
        Pixels to use.
    lags : int
        Largest lag in pixels.

    Returns
    -------
    (n, lags + 1) float64
        1 at lag 0; NaN where a row has no good pixel.
    """
    used = np.where(good, values, 0.0)
    columns = []
    with np.errstate(invalid="ignore", divide="ignore"):
        power = (used**2).sum(axis=1) / good.sum(axis=1)
        for lag in range(lags + 1):
            stop = used.shape[1] - lag
            pairs = (good[:, :stop] & good[:, lag:]).sum(axis=1)
            columns.append((used[:, :stop] * used[:, lag:]).sum(axis=1) / pairs / power)
    return np.stack(columns, axis=1)


def _good(spectra: SpectrumSet) -> np.ndarray:
    return ~(spectra.mask | (spectra.flux == 0) | ~(spectra.ivar > 0))


def _quantile(values: np.ndarray, good: np.ndarray, q: float) -> np.ndarray:
    """A quantile of every row's good pixels (the nearest below, without interpolation); NaN for fewer than 5."""
    ordered = np.sort(np.where(good, values, np.inf), axis=1)
    count = good.sum(axis=1)
    place = np.maximum(((count - 1) * q).astype(int), 0)
    return np.where(count >= 5, ordered[np.arange(len(ordered)), place], np.nan)


def _median(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    return _quantile(values, good, 0.5)


def _mean(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    count = good.sum(axis=1)
    return np.where(count >= 2, np.where(good, values, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _spread(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    middle = _mean(values, good)
    return np.sqrt(_mean((values - middle[:, None]) ** 2, good))


def _bands(values: np.ndarray, good: np.ndarray, measure: Callable[..., np.ndarray], name: str) -> Features:
    bands = zip(_BAND_NAMES, _BANDS, strict=True)
    return {f"{name} {label}": measure(values[:, band], good[:, band]) for label, band in bands}


def _pixels(spectra: SpectrumSet) -> Features:
    return principal_components(Preprocessing()(spectra), 30, "pixels")


def _continuum(spectra: SpectrumSet) -> Features:
    level = running_median(Preprocessing()(spectra), 9)
    level /= np.median(level, axis=1, keepdims=True)
    good = _good(spectra)
    found = principal_components(level[:, ::20], 15, "continuum")
    found |= _bands(level, good, _median, "level")
    log = np.log(np.maximum(level[:, ::100], 0.02))
    found["bends of the continuum"] = np.abs(np.diff(log, 2, axis=1)).mean(axis=1)
    found["step at the join"] = log[:, 19] - log[:, 20]  # 5730 and 5860 Angstrom
    return found


def _fine(spectra: SpectrumSet) -> Features:
    flux = Preprocessing()(spectra)
    level = running_median(flux)
    good = _good(spectra) & (level > 0.1 * np.median(level, axis=1, keepdims=True))
    ratio = np.where(good, np.clip(flux / np.where(good, level, 1), -1, 3), 1.0)
    found = principal_components(ratio - 1, 30, "fine")
    found |= _bands(ratio, good, _spread, "scatter")
    found |= _bands(ratio, good, lambda v, ok: _quantile(v, ok, 0.05), "lines (5 %)")
    found |= _bands(ratio, good, lambda v, ok: _quantile(v, ok, 0.95), "peaks (95 %)")
    for place, half in _SKY.items():
        band = slice(*np.searchsorted(_WAVE, (float(place) - half, float(place) + half)))
        found[f"sky residue {place}"] = _mean(ratio[:, band], good[:, band])
    return found


def _noise(spectra: SpectrumSet) -> Features:
    good = _good(spectra)
    sigma = 1 / np.sqrt(np.where(good, spectra.ivar, 1.0).astype(float))
    flux = Preprocessing()(spectra).astype(float)
    scale = _scale(spectra, flux, good)
    flux *= scale[:, None]
    short = flux - (np.roll(flux, 3, 1) + np.roll(flux, -3, 1)) / 2
    steady = good & np.roll(good, 3, 1) & np.roll(good, -3, 1)
    steady[:, :4] = steady[:, -4:] = False
    residual = np.clip((flux - running_median(flux, 1)) / sigma, -6, 6)
    found: Features = {}
    for name, band in (("all", slice(0, 3909)), ("blue", slice(0, 1900)), ("red", slice(2100, 3909))):
        curve = autocorrelation(residual[:, band], steady[:, band], 5)
        found |= {f"autocorrelation {name} lag {lag}": curve[:, lag] for lag in range(1, 6)}
    variance = sigma**2
    second = np.zeros(flux.shape)
    second[:, 1:-1] = flux[:, :-2] - 2 * flux[:, 1:-1] + flux[:, 2:]
    second[:, 1:-1] /= np.sqrt(variance[:, :-2] + 4 * variance[:, 1:-1] + variance[:, 2:])
    near = good & np.roll(good, 1, 1) & np.roll(good, -1, 1)
    near[:, :2] = near[:, -2:] = False
    found |= _bands(np.log10(np.abs(second) + 1e-6), near, _median, "log pixel-to-pixel noise over stated")
    apart = short / (sigma * np.sqrt(1.5))
    found |= _bands(np.log10(np.abs(apart) + 1e-6), steady, _median, "log 3-pixel noise over stated")
    size = np.where(near, np.abs(second), 0.0)
    typical = _median(size, near) * 1.4826
    for limit in (4, 8):
        found[f"pixels beyond {limit} times the typical scatter"] = _mean(size > limit * typical[:, None], near)
    found["beyond 4 stated sigma"] = _mean(size > 4, near)
    found["largest outlier"] = np.log10(size.max(axis=1) / typical)
    return found


def noise_autocorrelation(spectra: SpectrumSet, lags: int = 10) -> np.ndarray:
    """Autocorrelation of the flux less its median over 21 pixels, over the stated noise; (n, lags + 1).

    That median takes part of the noise with it, so white noise comes out slightly negative, not 0.
    """
    good = _good(spectra)
    flux = Preprocessing()(spectra).astype(float)
    scale = _scale(spectra, flux, good)[:, None]
    residual = (flux - running_median(flux, 1)) * scale * np.sqrt(spectra.ivar)
    return autocorrelation(np.clip(residual, -6, 6), good, lags)


def _scale(spectra: SpectrumSet, flux: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Factor from the unit-norm flux back to the flux of the survey."""
    top = np.einsum("ij,ij->i", np.where(good, spectra.flux, 0), flux)
    return top / np.einsum("ij,ij->i", np.where(good, flux, 0), flux)


def _ivar(spectra: SpectrumSet) -> Features:
    good = _good(spectra)
    with np.errstate(divide="ignore"):
        log = np.log10(spectra.ivar.astype(float))
    middle = np.array([np.median(row[ok]) if ok.any() else np.nan for row, ok in zip(log, good, strict=True)])
    pixels = np.arange(log.shape[1])
    filled = np.stack([np.interp(pixels, pixels[ok], row[ok]) for row, ok in zip(log, good, strict=True)])
    filled -= middle[:, None]
    level = running_median(filled, 3)
    found = principal_components(filled[:, ::4], 20, "ivar")
    found |= _bands(filled, good, _median, "log ivar")
    steps = np.abs(np.diff(filled, axis=1, prepend=np.nan))
    both = good & np.roll(good, 1, 1)
    found |= _bands(np.log10(steps + 1e-6), both, _median, "roughness of log ivar")
    found |= _bands(filled - level, good, _spread, "structure of log ivar")
    found["equal neighbours in ivar"] = np.where(both, steps == 0, 0).sum(axis=1) / both.sum(axis=1)
    signal = np.log10(np.maximum(Preprocessing()(spectra), 1e-5))
    signal = (signal - running_median(signal, 3)) * good
    noise = (filled - level) * good
    with np.errstate(invalid="ignore"):
        for name, band in (("blue", slice(200, 1850)), ("red", slice(2100, 3700))):
            a, b = signal[:, band], noise[:, band]
            found[f"correlation of flux and ivar {name}"] = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    for place, half in _SKY.items():
        band = slice(*np.searchsorted(_WAVE, (float(place) - half, float(place) + half)))
        found[f"sky line in log ivar {place}"] = (filled - level)[:, band].min(axis=1)
    found["join of the arms in log ivar"] = level[:, 1800] - level[:, 2080]  # 5600 and 5973 Angstrom
    return found


def _gaps(spectra: SpectrumSet) -> Features:
    lost = spectra.mask | ~(spectra.ivar > 0)
    found = {f"lost share {name}": lost[:, band].mean(axis=1) for name, band in zip(_BAND_NAMES, _BANDS, strict=True)}
    n = lost.shape[1]
    inside, zero_inside = lost.copy(), (spectra.flux == 0) & ~lost
    first, last = np.argmax(~lost, axis=1), n - 1 - np.argmax(~lost[:, ::-1], axis=1)
    pixels = np.arange(n)
    inside &= (pixels > first[:, None]) & (pixels < last[:, None])
    starts = (inside[:, 1:] & ~inside[:, :-1]).sum(axis=1)
    found |= {"first good pixel": first, "last good pixel": last, "gaps": starts, "pixels in gaps": inside.sum(axis=1)}
    found["mean length of gaps"] = inside.sum(axis=1) / np.maximum(starts, 1)
    found["zeros that are not lost"] = zero_inside.sum(axis=1)
    found["zeros that are not lost, red end"] = zero_inside[:, -200:].sum(axis=1)
    found["lost pixels with flux"] = (lost & (spectra.flux != 0)).sum(axis=1)
    found["negative pixels"] = ((spectra.flux < 0) & ~lost).mean(axis=1)
    return {name: np.asarray(values, float) for name, values in found.items()}


#: How each view is measured.
VIEWS: dict[str, Callable[[SpectrumSet], Features]] = {
    "pixels": _pixels,
    "continuum": _continuum,
    "fine": _fine,
    "noise": _noise,
    "ivar": _ivar,
    "gaps": _gaps,
}


def features(spectra: SpectrumSet) -> dict[str, Features]:
    """Measure every view.

    Parameters
    ----------
    spectra : SpectrumSet
        On the LAMOST grid; principal components are those of this set, so give both sides of a comparison together.

    Returns
    -------
    dict of str to dict of str to (n,) float64
        View, feature, value of every spectrum.
    """
    gridded = spectra.to_grid(LAMOST_GRID)
    return {name: measure(gridded) for name, measure in VIEWS.items()}
