"""What light does before it reaches the telescope: redshift, interstellar dust and gas.

Spectra are flux densities per Angstrom on log-wavelength pixels of 1e-4 dex, so a redshift is a shift of
``log10(1 + z) / 1e-4`` pixels and keeps the shape; the overall scale does not matter to a survey calibrated relatively.
"""

from __future__ import annotations

import numpy as np

from racnet_tools.spectra import LAMOST_GRID

__all__ = ["extinction_ccm89", "observe", "sodium_transmission"]

C_KM_S = 299792.458


def observe(flux: np.ndarray, first_pixel: int, index: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Templates moved by redshift onto the LAMOST grid, by cubic interpolation between pixels.

    Parameters
    ----------
    flux : (n_templates, n_pix) float32
        At rest.
    first_pixel : int
        Pixel of the LAMOST grid at which the templates start.
    index : (n,) int
        Template of each spectrum.
    z : (n,) float
        Redshifts.

    Returns
    -------
    (n, 3909) float32
        Beyond the template the nearest value is held.
    """
    shift = np.log10(1 + z) / LAMOST_GRID.step
    whole = np.floor(shift).astype(np.int64)
    t = (1 - (shift - whole)).astype(np.float32)
    weights = np.stack(  # Catmull & Rom (1974); t = 0 and 1 give the template's own pixels
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            0.5 * (t**3 - t**2),
        ],
        axis=1,
    )
    n_pixels, last = LAMOST_GRID.n_pixels, flux.shape[1] - 1
    observed = np.empty((len(index), n_pixels), np.float32)
    for row, (template, begin) in enumerate(zip(index, -whole - 2 - first_pixel, strict=True)):
        if begin >= 0 and begin + n_pixels + 3 <= flux.shape[1]:
            stretch = flux[template, begin : begin + n_pixels + 3]
        else:
            stretch = flux[template, np.clip(np.arange(begin, begin + n_pixels + 3), 0, last)]
        observed[row] = np.convolve(stretch, weights[row, ::-1], "valid")
    return observed


def extinction_ccm89(wave: np.ndarray, r_v: float = 3.1) -> np.ndarray:
    """Extinction A(lambda) / E(B-V) of Cardelli, Clayton & Mathis (1989, ApJ 345, 245) in the optical.

    Parameters
    ----------
    wave : array
        Wavelength, Angstrom; clipped to the optical formula's range, 3030 to 9091 Angstrom.
    r_v : float
        A(V) / E(B-V).

    Returns
    -------
    ndarray
        Magnitudes per magnitude of E(B-V).
    """
    y = np.clip(1e4 / np.asarray(wave, dtype=np.float64), 1.1, 3.3) - 1.82
    a = np.polynomial.polynomial.polyval(y, [1, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999])
    b = np.polynomial.polynomial.polyval(y, [0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002])
    return r_v * a + b


def sodium_transmission(ebv: np.ndarray, rng: np.random.Generator) -> tuple[slice, np.ndarray]:
    """Transmission of interstellar Na I D1 and D2, which comes with dust.

    The equivalent width of both together follows log10 E(B-V) = 1.17 EW / Angstrom - 1.85 (Poznanski et al. 2012, MNRAS
    426, 1465, Eq. 9), scattered by a quarter; D2 has 0.6 of it. The gas moves by some 20 km/s.

    Parameters
    ----------
    ebv : (n,) array
        E(B-V), mag.
    rng : Generator

    Returns
    -------
    slice
        Pixels of the LAMOST grid concerned.
    (n, k) float32
        Transmission there, at LAMOST's resolution.
    """
    n = len(ebv)
    width = np.maximum((np.log10(np.maximum(ebv, 1e-4)) + 1.85) / 1.17, 0) * np.exp(0.25 * rng.standard_normal(n))
    place = LAMOST_GRID.pixel_of(np.array([5891.58, 5897.56])) + rng.normal(0, 20, (n, 1)) / 69.0  # km/s a pixel
    pixels = np.arange(int(place.min()) - 7, int(place.max()) + 8)
    depth = np.zeros((n, len(pixels)))
    for line, share in enumerate((0.6, 0.4)):
        profile = np.exp(-0.5 * ((pixels - place[:, line, None]) / 1.05) ** 2) / (np.sqrt(2 * np.pi) * 1.05)
        depth += (share * width / 1.357)[:, None] * profile  # 1.357 Angstrom a pixel
    return slice(int(pixels[0]), int(pixels[-1]) + 1), (1 - depth.clip(0, 0.95)).astype(np.float32)
