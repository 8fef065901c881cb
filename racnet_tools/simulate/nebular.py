"""Nebular emission lines of galaxies and active nuclei, added to spectra at LAMOST's pixels."""

from __future__ import annotations

import numpy as np

from racnet_tools.spectra import LAMOST_GRID, air_to_vacuum

__all__ = ["add_lines"]

# Rest-frame air wavelengths (Angstrom) and flux relative to H beta in H II regions (Osterbrock & Ferland 2006) and in
# Seyfert 2 / LINER nuclei.
_NEBULAR = {
    "[OII]": (3727.4, 2.5, 2.5),
    "[NeIII]": (3868.8, 0.2, 0.8),
    "Hdelta": (4101.7, 0.26, 0.26),
    "Hgamma": (4340.5, 0.47, 0.47),
    "Hbeta": (4861.3, 1.0, 1.0),
    "[OIII]a": (4958.9, 0.5, 2.7),
    "[OIII]b": (5006.8, 1.5, 8.0),
    "HeI": (5875.6, 0.12, 0.12),
    "[OI]": (6300.3, 0.06, 0.5),
    "[NII]a": (6548.1, 0.3, 0.9),
    "Halpha": (6562.8, 2.86, 3.1),
    "[NII]b": (6583.5, 0.9, 2.8),
    "[SII]a": (6716.4, 0.45, 0.8),
    "[SII]b": (6730.8, 0.35, 0.8),
}


def add_lines(flux, z, equivalent_width, active, rng) -> None:
    """Add nebular lines whose H beta has the given rest equivalent width (Angstrom), in place."""
    n = len(z)
    width = rng.uniform(0.95, 1.5, n) + np.where(active, rng.uniform(0.5, 2.0, n), 0)  # sigma, pixels; R 1800 is 1.02
    dust = np.exp(-rng.exponential(0.3, n))
    centre = LAMOST_GRID.pixel_of(4862.7 * (1 + z)).astype(int)
    level = np.take_along_axis(flux, np.clip(centre, 20, LAMOST_GRID.n_pixels - 20)[:, None], 1)[:, 0]
    hbeta = np.maximum(level, 0.05) * equivalent_width * (1 + z)
    offsets = np.arange(-14, 15)
    for air, young, nucleus in _NEBULAR.values():
        wave = air_to_vacuum(air) * (1 + z)
        place = LAMOST_GRID.pixel_of(wave)
        ratio = (
            np.where(active, nucleus, young)
            * np.exp(0.35 * rng.standard_normal(n))
            * dust ** (4862.7 / (wave / (1 + z)) - 1)
        )
        columns = np.rint(place).astype(int)[:, None] + offsets
        profile = np.exp(-0.5 * ((columns - place[:, None]) / width[:, None]) ** 2)
        pixel = wave * np.log(10) * LAMOST_GRID.step  # Angstrom
        profile *= (hbeta * ratio / (np.sqrt(2 * np.pi) * width * pixel))[:, None]
        inside = (columns >= 0) & (columns < LAMOST_GRID.n_pixels)
        rows = np.broadcast_to(np.arange(n)[:, None], columns.shape)
        np.add.at(flux, (rows[inside], columns[inside]), profile[inside].astype(np.float32))
