"""Grids uniform in log10 of the vacuum wavelength.

LAMOST and SDSS both sample at 1e-4 dex (69 km/s) with pixel centres on whole multiples of the step, so a redshift
is a shift by ``log10(1 + z) / 1e-4`` pixels and spectra of either survey are brought to one grid by slicing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from racnet_tools.errors import RacnetError

__all__ = ["LAMOST_GRID", "LogLambdaGrid"]


@dataclass(frozen=True)
class LogLambdaGrid:
    """Pixel centres ``log10(lambda / Angstrom) = start + step * i``, vacuum.

    Parameters
    ----------
    start : float
        log10 of the first pixel's wavelength in Angstrom.
    step : float
        Pixel width in dex.
    n_pixels : int
        Number of pixels.

    Raises
    ------
    RacnetError
        If the numbers describe no grid.
    """

    start: float = 3.5682
    step: float = 1e-4
    n_pixels: int = 3909

    def __post_init__(self) -> None:
        if not (np.isfinite(self.start) and np.isfinite(self.step) and self.step > 0 and self.n_pixels >= 2):
            raise RacnetError(f"A grid needs a finite start, a positive step and two pixels or more. Received: {self}.")

    @cached_property
    def wave(self) -> np.ndarray:
        """Wavelengths of the pixel centres, (n_pixels,) float64, Angstrom, vacuum; read-only."""
        wave = 10.0 ** (self.start + self.step * np.arange(self.n_pixels))
        wave.flags.writeable = False
        return wave

    def pixel_of(self, wave: np.ndarray | float) -> np.ndarray:
        """Fractional pixel index of vacuum wavelengths in Angstrom (0 is the centre of the first pixel)."""
        return (np.log10(wave) - self.start) / self.step

    def to_dict(self) -> dict[str, float | int]:
        """The three numbers, for JSON."""
        return {"start": self.start, "step": self.step, "n_pixels": self.n_pixels}


#: The grid of LAMOST low-resolution spectra (DR1 onwards): 3699.99 to 9099.13 Angstrom.
LAMOST_GRID = LogLambdaGrid()
