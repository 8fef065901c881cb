"""Nebular emission lines of galaxies and active nuclei: their ratios, and adding them to spectra at LAMOST's pixels.

Star-forming regions lie along the sequence of log [O III]/H beta against log [N II]/H alpha of Kewley et al. (2013,
ApJ 774, 100), a sequence in metallicity (Pettini & Pagel 2004, MNRAS 348, L59); Seyfert 2 and LINER nuclei above the
line of Kewley et al. (2001, ApJ 556, 121), on either side of that of Schawinski et al. (2007, MNRAS 382, 1415).
Recombination lines follow case B (Osterbrock & Ferland 2006), and dust the law of Calzetti et al. (2000, ApJ 533, 682).
"""

from __future__ import annotations

import numpy as np

from racnet_tools.spectra import LAMOST_GRID, air_to_vacuum

__all__ = ["LINES", "add_lines", "calzetti", "line_ratios"]

#: Rest-frame air wavelengths, Angstrom.
LINES = {
    "MgII": 2797.9, "[NeV]": 3425.9, "[OII]a": 3726.03, "[OII]b": 3728.82, "H9": 3835.4, "[NeIII]": 3868.8,
    "H8": 3889.1, "Hepsilon": 3970.1, "Hdelta": 4101.7, "Hgamma": 4340.5, "[OIII]4363": 4363.2, "HeI4471": 4471.5,
    "HeII": 4685.7, "Hbeta": 4861.3, "[OIII]a": 4958.9, "[OIII]b": 5006.8, "[NI]": 5199.0, "HeI": 5875.6,
    "[OI]": 6300.3, "[OI]6364": 6363.8, "[NII]a": 6548.1, "Halpha": 6562.8, "[NII]b": 6583.5, "HeI6678": 6678.2,
    "[SII]a": 6716.4, "[SII]b": 6730.8, "HeI7065": 7065.2, "[ArIII]": 7135.8, "[OII]7325": 7325.0, "[SIII]": 9068.6,
}  # fmt: skip
_CASE_B = {"H9": 0.073, "H8": 0.105, "Hepsilon": 0.159, "Hdelta": 0.259, "Hgamma": 0.468, "Hbeta": 1.0}
_NAMES = list(LINES)
_WAVE = air_to_vacuum(np.array(list(LINES.values())))
_LSF = 71.0  # km/s, sigma at R = 1800
_PIXEL = 299792.458 * np.log(10) * LAMOST_GRID.step  # km/s


def calzetti(wave: np.ndarray) -> np.ndarray:
    """Attenuation A / E(B-V) in magnitudes at rest wavelengths in Angstrom (Calzetti et al. 2000, equation 4)."""
    inverse = 1e4 / np.maximum(np.asarray(wave, dtype=np.float64), 1200.0)
    red = 2.659 * (-1.857 + 1.040 * inverse) + 4.05
    blue = 2.659 * (-2.156 + 1.509 * inverse - 0.198 * inverse**2 + 0.011 * inverse**3) + 4.05
    return np.where(inverse < 1 / 0.63, red, blue)


def line_ratios(kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Line fluxes relative to H beta, without dust.

    Parameters
    ----------
    kind : (n,) array of str
        "seyfert2", "liner" (also what little gas quiescent galaxies have: "quiescent"), else star formation, of lower
        metallicity where "starburst".
    rng : Generator

    Returns
    -------
    (n, n_lines) float64
        In the order of `LINES`.
    """
    n = len(kind)
    seyfert, liner = kind == "seyfert2", np.isin(kind, ("liner", "quiescent"))
    nucleus = seyfert | liner
    young_n2 = np.where(kind == "starburst", rng.normal(-0.85, 0.35, n), rng.normal(-0.52, 0.2, n)).clip(-1.8, -0.28)
    young_o3 = 0.61 / (young_n2 + 0.08) + 1.1 + rng.normal(0, 0.08, n)
    young_o3 = np.minimum(young_o3, 0.61 / (young_n2 - 0.05) + 1.27).clip(-1.2, 0.85)  # below Kauffmann et al. (2003)
    n2 = np.select([seyfert, liner], [rng.normal(-0.05, 0.13, n), rng.normal(0.08, 0.12, n)], young_n2)
    n2 = np.where(nucleus, n2.clip(-0.25, 0.35), n2)
    divide = 1.05 * n2 + 0.45
    o3 = np.select(
        [seyfert, liner],
        [np.maximum(rng.normal(0.92, 0.13, n), divide + 0.05), np.minimum(rng.normal(0.3, 0.15, n), divide - 0.03)],
        young_o3,
    )
    alpha = np.where(nucleus, 3.1, 2.86)
    oxygen2 = np.select([seyfert, liner], [0.45, 0.75], 0.45 - 1.2 * (young_n2 + 0.95) ** 2) + rng.normal(0, 0.12, n)
    sulphur = np.select([seyfert, liner], [-0.32, -0.03], -0.45 - 0.6 * (young_n2 + 0.5) ** 2) + rng.normal(0, 0.08, n)
    oxygen1 = np.select([seyfert, liner], [-0.95, -0.65], -1.65) + rng.normal(0, 0.15, n)
    o2, s2, o1 = 10**oxygen2, alpha * 10**sulphur, alpha * 10**oxygen1
    density = rng.uniform(1.0, 1.43, n)  # of [S II], and nearly of [O II] 3729 / 3726
    ratio = {name: np.full(n, value) for name, value in _CASE_B.items()}
    ratio |= {
        "MgII": nucleus * 0.3,
        "[NeV]": np.select([seyfert, liner], [rng.lognormal(-1.0, 0.4, n), 0.05], 0.0),
        "[OII]a": o2 / (1 + density), "[OII]b": o2 * density / (1 + density),
        "[NeIII]": 0.085 * 10**o3,
        "[OIII]4363": np.where(nucleus, 0.015, 0.02 * (young_n2 < -1)) * 10**o3,
        "HeI4471": np.full(n, 0.04), "HeI": np.full(n, 0.12), "HeI6678": np.full(n, 0.033),
        "HeI7065": np.full(n, 0.025),
        "HeII": np.select([seyfert, liner], [rng.lognormal(-1.5, 0.35, n), 0.05], 0.005),
        "[OIII]a": 10**o3 / 2.98, "[OIII]b": 10**o3,
        "[NI]": np.where(nucleus, 0.12, 0.01),
        "[OI]": o1, "[OI]6364": o1 / 3,
        "[NII]a": alpha * 10**n2 / 3.05, "Halpha": alpha, "[NII]b": alpha * 10**n2,
        "[SII]a": s2 * density / (1 + density), "[SII]b": s2 / (1 + density),
        "[ArIII]": np.where(nucleus, 0.15, 0.09), "[OII]7325": 0.03 * o2, "[SIII]": np.where(nucleus, 0.45, 0.3),
    }  # fmt: skip
    return np.stack([ratio[name] for name in _NAMES], axis=1)


def add_lines(
    flux: np.ndarray, z: np.ndarray, h_beta: np.ndarray, ratios: np.ndarray, sigma: np.ndarray, dust: np.ndarray
) -> None:
    """Add nebular lines in place.

    Parameters
    ----------
    flux : (n, 3909) float32
    z : (n,) array
        Redshifts.
    h_beta : (n,) array
        Flux of H beta as observed, in units of `flux` times Angstrom.
    ratios : (n, n_lines) array
        See `line_ratios`.
    sigma : (n,) array
        Gaussian width of the lines, km/s; LAMOST's resolution is added in quadrature.
    dust : (n,) array
        E(B-V) before the lines, magnitudes: changes their ratios, not H beta.
    """
    if len(z) == 0:
        return
    width = np.sqrt(sigma**2 + _LSF**2) / _PIXEL
    redden = 10 ** (-0.4 * dust[:, None] * (calzetti(_WAVE) - calzetti(_WAVE[_NAMES.index("Hbeta")])))
    strength = ratios * redden * h_beta[:, None]
    half = int(np.ceil(4 * width.max()))
    offsets = np.arange(-half, half + 1)
    for number, rest in enumerate(_WAVE):
        wave = rest * (1 + z)
        place = LAMOST_GRID.pixel_of(wave)
        rows = np.flatnonzero((place > -half) & (place < LAMOST_GRID.n_pixels + half) & (strength[:, number] > 0))
        columns = np.rint(place[rows]).astype(int)[:, None] + offsets
        profile = np.exp(-0.5 * ((columns - place[rows, None]) / width[rows, None]) ** 2)
        pixel = wave[rows] * np.log(10) * LAMOST_GRID.step  # Angstrom
        profile *= (strength[rows, number] / (np.sqrt(2 * np.pi) * width[rows] * pixel))[:, None]
        inside = (columns >= 0) & (columns < LAMOST_GRID.n_pixels)
        where = np.broadcast_to(rows[:, None], columns.shape)
        flux[where[inside], columns[inside]] += profile[inside].astype(np.float32)
