"""Which quasars a survey meets, at LAMOST's pixels and without noise."""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.nebular import add_lines
from racnet_tools.simulate.scene import C_KM_S, forest_transmission
from racnet_tools.simulate.templates import quasars
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["draw_quasars"]


def draw_quasars(n: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Quasars: two stretches of principal components joined, a red end with broad H alpha, the Lyman-alpha forest."""
    library = quasars()
    z = np.where(rng.random(n) < 0.65, rng.uniform(0.1, 3.0, n), rng.gamma(4.0, 0.4, n)).clip(0.05, 4.6)
    step = 2e-4
    log_rest = np.arange(np.log10(650.0), np.log10(8700.0), step)
    rest = 10**log_rest
    uv_index = rng.integers(0, len(library.uv_coefficients), n)
    optical_index = rng.integers(0, len(library.optical_coefficients), n)
    uv = _components(library.uv_wave, library.uv_components, library.uv_coefficients[uv_index], rest)
    optical = _components(
        library.optical_wave, library.optical_components, library.optical_coefficients[optical_index], rest
    )
    overlap = (rest > 2250) & (rest < 2900)
    uv += (optical[:, overlap] - uv[:, overlap]).mean(axis=1, keepdims=True)
    fade = np.clip((rest - 2250) / 650, 0, 1)
    log_flux = uv * (1 - fade) + optical * fade
    blue, red = rest < library.uv_wave[0] + 5, rest > library.optical_wave[-1] - 5
    slope = rng.normal(-1.2, 0.4, (n, 1))  # F_lambda; Vanden Berk et al. (2001, AJ 122, 549) redward, bluer in the UV
    anchor_red = log_flux[:, np.flatnonzero(~red)[-40:]].mean(axis=1, keepdims=True)
    anchor_blue = log_flux[:, np.flatnonzero(~blue)[0] + np.arange(3)].mean(axis=1, keepdims=True)
    log_flux = np.where(red, anchor_red + slope * np.log(rest / library.optical_wave[-1]), log_flux)
    log_flux = np.where(blue, anchor_blue - 0.35 + rng.normal(-1.0, 0.5, (n, 1)) * np.log(rest / 1200.0), log_flux)
    flux = np.exp(np.clip(log_flux - np.median(log_flux, axis=1, keepdims=True), -6, 6))
    _add_broad(flux, rest, rng)
    observed = _sample(flux, log_rest, z)
    narrow = rng.exponential(6, n) * (z < 0.9)
    add_lines(observed, z, narrow * 0.12, np.ones(n, bool), rng)
    lyman = LAMOST_GRID.wave[None] / (1 + z)[:, None]
    observed *= forest_transmission(lyman, z, rng)
    return observed, {
        "z": z,
        "template": np.array([f"quasar-{a}-{b}" for a, b in zip(uv_index, optical_index, strict=True)]),
    }


def _components(wave, components, coefficients, rest) -> np.ndarray:
    inside = np.clip(rest, wave[0], wave[-1])
    curves = np.array([np.interp(inside, wave, curve) for curve in components])
    return coefficients @ curves


def _add_broad(flux: np.ndarray, rest: np.ndarray, rng: np.random.Generator) -> None:
    """Broad H alpha and He I beyond the components, and narrow [N II] lost in it: equivalent widths of Vanden Berk."""
    sigma = rng.uniform(1200, 3500, len(flux)) / C_KM_S
    red = rest > 5150
    for centre, ew, spread in ((6564.6, 195.0, 0.35), (5877.2, 5.0, 0.5)):
        width = sigma * centre
        profile = np.exp(-0.5 * ((rest[red] - centre) / width[:, None]) ** 2) / (np.sqrt(2 * np.pi) * width[:, None])
        flux[:, red] *= 1 + (ew * np.exp(spread * rng.standard_normal(len(flux))))[:, None] * profile


def _sample(flux: np.ndarray, log_rest: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Quasar spectra at the pixels of the LAMOST grid (their components are coarser than it, so linear will do)."""
    log_wave = np.log10(LAMOST_GRID.wave)
    rows = [np.interp(log_wave - np.log10(1 + one), log_rest, row) for one, row in zip(z, flux, strict=True)]
    return np.array(rows, np.float32)
