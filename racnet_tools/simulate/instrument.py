"""What telescope, spectrographs and pipeline do to a spectrum: calibration, arms, sky, noise.

Templates of stars and galaxies have a resolution near LAMOST's (R about 1800) and get only what it lacks. Shape and
correlation of the noise come from ``data/noise/lamost_noise.npz``, statistics fitted to real LAMOST spectra, for the
first pipeline (DR1) and for the later ones.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from racnet_tools.resources import data_path
from racnet_tools.simulate.losses import lost_pixels
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["blue_snr", "broaden", "diffused", "distort", "draw_pipeline", "expose", "median_snr"]

N = LAMOST_GRID.n_pixels
WAVE = LAMOST_GRID.wave.astype(np.float32)
_PIXELS = np.arange(N)
_LEGENDRE = np.polynomial.legendre.legvander(np.linspace(-1, 1, N), 6)[:, 1:].T.astype(np.float32)
# Spread of the logarithmic calibration error by Legendre order: LAMOST calibrates fluxes relatively, with standard
# stars whose own reddening is not known (Du et al. 2016, ApJS 227, 27), so smooth shapes are not to be trusted. The
# ratios of 357 real spectra to the templates most like them scatter by 0.19, 0.07, 0.05, 0.04, 0.03, 0.03 (median
# absolute deviation, reddening included), with tails four times as wide.
_TILTS = np.array([0.13, 0.07, 0.045, 0.037, 0.024, 0.026], np.float32)
# Telluric bands (Angstrom): B, H2O, A, H2O, H2O; their correction leaves residuals.
_TELLURIC = ((6865, 6950), (7165, 7330), (7590, 7700), (8120, 8350), (8930, 9100))
_SNR_BANDS = {"u": (3700, 4000), "g": (4000, 5500), "r": (5500, 6900), "i": (6900, 8200), "z": (8200, 9100)}
_TEMPLATE_SIGMA = np.where(WAVE < 7410, 2.5 / 2.355 / WAVE, 1 / 2.355 / 2100) / np.float32(np.log(10) * 1e-4)  # pixels
_OXYGEN = slice(int(LAMOST_GRID.pixel_of(5578.9)) - 1, int(LAMOST_GRID.pixel_of(5578.9)) + 3)
_FIRST_PIPELINE = 0.25  # share of spectra reduced by it


@lru_cache(maxsize=1)
def _noise_statistics() -> dict[str, np.ndarray]:
    with np.load(data_path("noise", "lamost_noise.npz"), allow_pickle=False) as f:
        return dict(f)


def draw_pipeline(n: int, rng: np.random.Generator) -> np.ndarray:
    """Which spectra the first pipeline reduced; (n,) bool."""
    return rng.random(n) < _FIRST_PIPELINE


def _bump(centre: float, sigma: float) -> np.ndarray:
    return np.exp(-0.5 * ((WAVE - np.float32(centre)) / np.float32(sigma)) ** 2)


def broaden(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What the resolution of stellar templates is above LAMOST's, taken away.

    The templates have a full width at half maximum of 2.5 Angstrom up to 7410 Angstrom (MILES; Falcon-Barroso et al.
    2011, A&A 532, A95) and R of about 2100 beyond (MaStar; Yan et al. 2019, ApJ 883, 175). LAMOST's lines have a sigma
    of 1.05 pixels at every wavelength: 51 real spectra fit their templates best when these are widened by nothing from
    4300 to 5500 Angstrom and by 0.7 to 0.9 pixels from 5900 to 6800.

    Parameters
    ----------
    flux : (n, 3909) float32
    rng : Generator
        Each arm of a spectrum is a little sharper or less sharp than the next.

    Returns
    -------
    (n, 3909) float32
    """
    n = len(flux)
    arms = rng.normal(1.05, 0.1, (n, 2)).clip(0.7, 1.4).astype(np.float32)
    wanted = np.where(WAVE < 5800, arms[:, :1], arms[:, 1:])
    return diffused(flux, np.maximum(wanted**2 - _TEMPLATE_SIGMA**2, 0) / 4)


def diffused(flux: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Flux (n, n_pix) whose pixels gave `share` to each neighbour, twice: 4 `share` pixels of variance are added."""
    for _ in range(2):
        beside = np.pad(flux, ((0, 0), (1, 1)), mode="edge")
        flux = flux + share * (beside[:, :-2] + beside[:, 2:] - 2 * flux)
    return flux


def distort(flux: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Relative flux calibration gone wrong: smooth tilts, a step where the arms join, telluric residuals.

    Parameters
    ----------
    flux : (n, 3909) float32
    rng : Generator

    Returns
    -------
    (n, 3909) float32
        Each with median 1 (in absolute value).
    """
    n = len(flux)
    strength = np.sqrt(4 / rng.chisquare(4, (n, 1))).clip(0, 5).astype(np.float32)
    log_error = (rng.standard_normal((n, 6), np.float32) * _TILTS * strength) @ _LEGENDRE
    join = rng.uniform(5700, 5950, n)
    step = (0.015 * rng.standard_t(3, n)).clip(-0.25, 0.25)
    width = rng.uniform(10, 120, n)  # Angstrom
    bump = (0.02 * rng.standard_t(3, n)).clip(-0.4, 0.6)  # light that the joining of the arms leaves over or takes away
    near = slice(*np.searchsorted(WAVE, (5400, 6250)))
    away = (WAVE[near] - join[:, None]) / width[:, None]
    log_error[:, near] += step[:, None] * np.tanh(away) + bump[:, None] * np.exp(-(away**2) / 2)
    log_error[:, : near.start] -= step[:, None]
    log_error[:, near.stop :] += step[:, None]
    for low, high in _TELLURIC:
        band = slice(*np.searchsorted(WAVE, (low, high)))
        depth = (0.012 * rng.standard_t(4, n)).clip(-0.2, 0.3).astype(np.float32)
        log_error[:, band] -= depth[:, None] * np.hanning(band.stop - band.start).astype(np.float32)
    red = slice(int(np.searchsorted(WAVE, 7700)), N)  # water vapour and sky lines leave ripples that grow to the end
    height = np.exp(rng.normal(np.log(0.08), 0.5, (n, 1))) * np.interp(WAVE[red], (7700, 8850, 9100), (0.04, 0.1, 1))
    log_error[:, red] += height * _ripple(n, N - red.start, 5, rng)
    flux = flux * np.exp(log_error)
    flux /= np.maximum(np.median(np.abs(flux), axis=1, keepdims=True), 1e-6)
    for row in np.flatnonzero(rng.random(n) < 0.25):  # the red end falls to nothing, or below
        flux[row] -= rng.uniform(0, 1.3) * flux[row] * (WAVE > 9000) * _bump(9110, rng.uniform(10, 60))
    return flux


def _sigma(flux: np.ndarray, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standard deviation of the noise up to a factor, as the pipeline states it; (n, 3909) float32."""
    statistics = _noise_statistics()
    log_sigma = np.empty_like(flux)
    for era, rows in (("dr1", np.flatnonzero(first)), ("later", np.flatnonzero(~first))):
        spread = statistics[f"{era}_spread"]
        coefficients = rng.laplace(0, np.sqrt(0.5), (len(rows), len(spread))).clip(-4, 4) * spread
        smooth, lines = _smooth_and_lines(era)
        # Wavelengths are heliocentric, so that lines of the sky move by the velocity of the Earth, up to 30 km/s.
        moved = lines - rng.uniform(-0.43, 0.43, (len(rows), 1)).astype(np.float32) * np.gradient(lines)
        lines = moved * rng.normal(1, 0.25, (len(rows), 1)).clip(0.2, 2).astype(np.float32)
        log_sigma[rows] = smooth + lines + coefficients @ statistics[f"{era}_components"]
        uneven = np.exp(rng.normal(-0.15, 0.55, (2, len(rows), 1))).astype(np.float32)
        log_sigma[rows] += uneven[0] * statistics[f"{era}_rough"] * rng.standard_normal((len(rows), N), np.float32)
        log_sigma[rows] += uneven[1] * statistics[f"{era}_wavy"] * _ripple(len(rows), N, 25, rng)
    sigma = np.exp(np.float32(np.log(10)) * np.clip(log_sigma, -1.5, 1.8))
    # Faint objects are limited by the sky, bright ones by their own photons.
    level = np.maximum(_running_mean(flux, 61), 0.05)
    sigma *= level ** rng.uniform(0, 0.35, (len(flux), 1)).astype(np.float32)
    # The first pipeline took strong lines for a misfit and raised the noise in them.
    rows = np.flatnonzero(first)
    depth = 1 - flux[rows] / level[rows]
    sigma[rows] *= 1 + rng.uniform(0, 5, (len(rows), 1)).astype(np.float32) * np.clip(depth - 0.1, 0, 1)
    return sigma


@lru_cache(maxsize=2)
def _smooth_and_lines(era: str) -> tuple[np.ndarray, np.ndarray]:
    """The mean run of log10 sigma, and the sky lines on it; each (3909,) float32."""
    mean = _noise_statistics()[f"{era}_mean"]
    smooth = np.minimum(mean, _running_mean(mean[None], 81)[0])
    smooth = _running_mean(smooth[None], 41)[0]
    return smooth, mean - smooth


def _ripple(n: int, n_pixels: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth random curves of unit variance: white noise under a triangle of full width 2 `width` pixels."""
    curves = rng.standard_normal((n, n_pixels), np.float32)
    return _running_mean(_running_mean(curves, width), width) * np.float32(np.sqrt(1.5 * width))


def _running_mean(rows: np.ndarray, width: int) -> np.ndarray:
    total = np.cumsum(np.pad(rows, ((0, 0), (width // 2 + 1, width // 2)), mode="edge"), axis=1, dtype=np.float64)
    return ((total[:, width:] - total[:, :-width]) / width).astype(np.float32)


def _noise(n: int, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise in units of the stated standard deviation: neighbouring pixels share some of it; (n, 3909) float32."""
    white = rng.standard_normal((n, N + 2), np.float32)
    share = np.empty((n, N), np.float32)  # of a pixel's noise with each neighbour
    blue = WAVE < 5800
    share[:, blue] = rng.uniform(0, 0.06, (n, 1))
    share[:, ~blue] = rng.uniform(0, 0.08, (n, 1)) + 0.12 * first[:, None]
    mixed = (white[:, 1:-1] + share * (white[:, :-2] + white[:, 2:])) / np.sqrt(1 + 2 * share**2)
    # `scale` was measured on third differences, which correlated noise has less of.
    rough = np.sqrt(20 - 60 * share + 52 * share**2) / np.sqrt(20 * (1 + 2 * share**2))
    level = np.exp(0.15 * rng.standard_normal((n, 1), np.float32))
    mixed[rng.random((n, N), np.float32) < 0.015] *= 3.5  # more large errors than a Gaussian has
    return mixed * (_noise_statistics()["scale"] / rough * level)


def expose(
    flux: np.ndarray, snr: np.ndarray, first: np.ndarray, rng: np.random.Generator, blue: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise and lost pixels.

    Parameters
    ----------
    flux : (n, 3909) float32
        With median 1.
    snr : (n,) array
        Median signal-to-noise ratio per pixel over the whole window.
    first : (n,) bool
        Whether the first pipeline reduced the spectrum.
    rng : Generator
    blue : (n,) array, optional
        Signal-to-noise ratio at the blue end by which pixels are lost; that of `flux` by default. With it given, what
        is drawn does not depend on `flux`: other spectra get the same noise, in units of their own, from the same rng.

    Returns
    -------
    flux, ivar : (n, 3909) float32
    mask : (n, 3909) bool
        True where a pixel has no information.
    """
    n = len(flux)
    sigma = _stated(flux, snr, first, rng)
    if blue is None:
        blue = _blue(flux, sigma)
    observed = flux + sigma * _noise(n, first, rng)
    for row in np.flatnonzero(rng.random(n) < 0.3):  # what cosmic rays and sky lines left
        for place in rng.integers(0, N - 4, rng.integers(1, 7)):
            observed[row, place : place + rng.integers(1, 5)] += sigma[row, place] * 15 * rng.standard_exponential()
    for row in np.flatnonzero(rng.random(n) < 0.3):  # the brightest line of the night sky, [O I] 5577
        observed[row, _OXYGEN] += sigma[row, _OXYGEN] * rng.normal(0, 12) * rng.random(_OXYGEN.stop - _OXYGEN.start)
    mask, zero = lost_pixels(first, snr, blue, rng)
    for row in np.flatnonzero(zero.any(axis=1)):  # the last pixels before the zeros run away; the zeros share one ivar
        edge = int(zero[row].argmax())
        observed[row, :edge] *= 1 + 0.12 * rng.standard_t(3) * np.exp((_PIXELS[:edge] - edge) / rng.uniform(3, 12))
        sigma[row, edge:] = sigma[row, edge]
    kept = rng.random((n, 1)) < 0.5  # LAMOST leaves the flux of lost pixels in many files
    observed[(mask & ~kept) | zero] = 0
    return observed.astype(np.float32), np.where(mask, 0, 1 / sigma**2).astype(np.float32), mask


def blue_snr(flux: np.ndarray, snr: np.ndarray, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signal-to-noise ratio (n,) at the blue end that `expose` would find, given the same."""
    return _blue(flux, _stated(flux, snr, first, rng))


def _stated(flux: np.ndarray, snr: np.ndarray, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The noise that the pipeline states, scaled to the wanted signal-to-noise ratio; (n, 3909) float32."""
    n = len(flux)
    sigma = _sigma(flux, first, rng)
    # Resampling gives some neighbours the same inverse variance.
    held = rng.random((n, N - 1), np.float32) < rng.exponential(0.03, (n, 1)).clip(0, 0.15)
    sigma[:, 1:] = np.where(held, sigma[:, :-1], sigma[:, 1:])
    return sigma * (np.median(np.maximum(flux, 0.02) / sigma, axis=1) / snr)[:, None].astype(np.float32)


def _blue(flux: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    return np.median(flux[:, :600] / sigma[:, :600], axis=1)


def median_snr(flux: np.ndarray, ivar: np.ndarray) -> dict[str, np.ndarray]:
    """Median signal-to-noise ratio per pixel in the bands u, g, r, i, z.

    Each is (n,), never negative, and NaN where a band has no information.
    """
    ratio = np.where(ivar > 0, flux * np.sqrt(ivar), np.nan)
    out = {}
    for name, band in _SNR_BANDS.items():
        part = ratio[:, slice(*np.searchsorted(WAVE, band))]
        part.sort(axis=1)  # NaN last
        known = np.isfinite(part).sum(axis=1)
        rows = np.arange(len(part))
        middle = 0.5 * (part[rows, np.maximum(known - 1, 0) // 2] + part[rows, known // 2 % part.shape[1]])
        out[f"snr_{name}"] = np.where(known > 0, np.maximum(middle, 0.0), np.nan)
    return out
