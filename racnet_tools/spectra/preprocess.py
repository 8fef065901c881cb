"""From spectra as surveys give them to what a network takes: one grid, no gaps, one scale.

The same object is used in training and, read from a preset, in classification, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.grid import LAMOST_GRID, LogLambdaGrid
from racnet_tools.spectra.spectrum_set import SpectrumSet

__all__ = ["Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """Grid, gap filling and normalisation of spectra before a network.

    Bad pixels are filled by a straight line between their good neighbours, and outside the coverage by the nearest
    good pixel's value. Bad are pixels that are masked, not finite, without information, or exactly zero: LAMOST's
    pipelines leave a few to some tens of such zeros at the red end, with an inverse variance as if they were measured.
    Then the spectrum is divided by its Euclidean norm, x / ||x||_2 (Zou et al. 2020, Eq. 1).

    Parameters
    ----------
    grid : LogLambdaGrid
        The network's pixels.

    Examples
    --------
    >>> x = Preprocessing()(spectra)  # doctest: +SKIP
    """

    grid: LogLambdaGrid = field(default=LAMOST_GRID)

    def __call__(self, spectra: SpectrumSet) -> np.ndarray:
        """Network input.

        Parameters
        ----------
        spectra : SpectrumSet
            On any grid.

        Returns
        -------
        (n, grid.n_pixels) float32
            Finite everywhere; each row of unit norm.

        Raises
        ------
        RacnetError
            If a spectrum has no good pixel or its flux is zero everywhere.
        """
        gridded = spectra.to_grid(self.grid)
        flux = fill_gaps(gridded.flux, gridded.mask | (gridded.flux == 0))
        norm = np.sqrt(np.einsum("ij,ij->i", flux, flux, dtype=np.float64))
        empty = np.flatnonzero(~(norm > 0) | gridded.mask.all(axis=1))
        if len(empty):
            names = ", ".join(str(spectra.table["spec_id"][i]) for i in empty[:3])
            raise RacnetError(
                f"{len(empty)} of {len(spectra)} spectra have no flux on {self.grid.wave[0]:.0f}-"
                f"{self.grid.wave[-1]:.0f} Angstrom and cannot be normalised: {names}. Leave them out."
            )
        return (flux / norm[:, None]).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """A description for JSON."""
        return {"grid": self.grid.to_dict(), "gaps": "linear", "normalization": "l2"}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Preprocessing:
        """Undo `to_dict`; an unknown description is refused, never half understood."""
        try:
            made = cls(LogLambdaGrid(**description["grid"]))
        except (KeyError, TypeError) as error:
            raise RacnetError(f"Expected a preprocessing description with a grid. Received: {description}.") from error
        if made.to_dict() != dict(description):
            raise RacnetError(f"Expected {made.to_dict()}. Received: {dict(description)}. Is racnet-tools up to date?")
        return made


def fill_gaps(flux: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Flux with bad pixels replaced by linear interpolation (nearest value at the ends); (n, n_pix) float32, a copy."""
    filled = np.array(flux, dtype=np.float32)
    for row, bad in zip(filled, mask, strict=True):
        if bad.any() and not bad.all():
            gaps = np.flatnonzero(bad)
            good = np.flatnonzero(~bad)
            row[gaps] = np.interp(gaps, good, row[good])
    return filled
