"""From spectra as surveys give them to what a network takes: one grid, no gaps, one scale.

The same object is used in training and, read from a preset, in classification, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.channels import CHANNELS, joined_channels
from racnet_tools.spectra.grid import LAMOST_GRID, LogLambdaGrid
from racnet_tools.spectra.spectrum_set import SpectrumSet

__all__ = ["CHANNELS", "Preprocessing"]


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
    channels : tuple of str
        What is given of every pixel, one or more of these in order: the ``"flux"`` as above; its ``"contrast"`` to the
        continuum, flux / continuum - 1 between -2 and 5, where the continuum is the running mean over 401 pixels, so
        that errors of the flux calibration leave no trace but at the steepest; and the ``"quality"``, ln(1 + continuum
        / noise) with the noise that the inverse variance states, 0 where a pixel is bad.

    Examples
    --------
    >>> x = Preprocessing()(spectra)  # doctest: +SKIP
    """

    grid: LogLambdaGrid = field(default=LAMOST_GRID)
    channels: tuple[str, ...] = ("flux",)

    def __post_init__(self) -> None:
        """Check the channels."""
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.channels or self.channels != CHANNELS[: len(self.channels)]:
            raise RacnetError(f"channels must begin with flux and follow {CHANNELS}. Received: {self.channels!r}")

    def __call__(self, spectra: SpectrumSet) -> np.ndarray:
        """Network input.

        Parameters
        ----------
        spectra : SpectrumSet
            On any grid.

        Returns
        -------
        (n, grid.n_pixels) float32
            Finite everywhere; each row of unit norm. With more channels than flux (n, grid.n_pixels, n_channels).

        Raises
        ------
        RacnetError
            If a spectrum has no good pixel or its flux is zero everywhere.
        """
        gridded = spectra.to_grid(self.grid)
        bad = gridded.mask | (gridded.flux == 0)
        flux = fill_gaps(gridded.flux, bad)
        norm = np.sqrt(np.einsum("ij,ij->i", flux, flux, dtype=np.float64))
        empty = np.flatnonzero(~(norm > 0) | gridded.mask.all(axis=1))
        if len(empty):
            names = ", ".join(str(spectra.table["spec_id"][i]) for i in empty[:3])
            raise RacnetError(
                f"{len(empty)} of {len(spectra)} spectra have no flux on {self.grid.wave[0]:.0f}-"
                f"{self.grid.wave[-1]:.0f} Angstrom and cannot be normalised: {names}. Leave them out."
            )
        normalised = np.divide(flux, norm[:, None], out=np.empty_like(flux), casting="same_kind")
        if self.channels == ("flux",):
            return normalised
        inverse_sigma = np.sqrt(gridded.ivar)
        inverse_sigma[bad] = 0
        return joined_channels(len(self.channels), normalised, flux, norm, inverse_sigma)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one spectrum as the network takes it: (n_pixels,), or (n_pixels, n_channels)."""
        pixels = self.grid.n_pixels
        return (pixels,) if len(self.channels) == 1 else (pixels, len(self.channels))

    def to_dict(self) -> dict[str, Any]:
        """A description for JSON."""
        told = {"grid": self.grid.to_dict(), "gaps": "linear", "normalization": "l2"}
        return told if self.channels == ("flux",) else {**told, "channels": list(self.channels)}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Preprocessing:
        """Undo `to_dict`; an unknown description is refused, never half understood."""
        try:
            made = cls(LogLambdaGrid(**description["grid"]), tuple(description.get("channels", ("flux",))))
        except (KeyError, TypeError) as error:
            raise RacnetError(f"Expected a preprocessing description with a grid. Received: {description}.") from error
        if made.to_dict() != dict(description):
            raise RacnetError(f"Expected {made.to_dict()}. Received: {dict(description)}. Is racnet-tools up to date?")
        return made


def fill_gaps(flux: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Flux with bad pixels replaced by linear interpolation (nearest value at the ends); (n, n_pix) float32, a copy.

    Spectra without a good pixel stay as they are.
    """
    filled = np.array(flux, dtype=np.float32)
    row, pixel = np.nonzero(mask & ~mask.all(axis=1, keepdims=True))
    if not len(row):
        return filled
    # --- Gaps: where each begins and ends, and the good pixels on both sides
    begins = np.flatnonzero((np.diff(pixel, prepend=-2) != 1) | (np.diff(row, prepend=-1) != 0))
    ends = np.append(begins[1:], len(row)) - 1
    before, after, row_of_gap = pixel[begins] - 1, pixel[ends] + 1, row[begins]
    last = mask.shape[1] - 1
    left = filled[row_of_gap, np.where(before < 0, np.minimum(after, last), before)].astype(np.float64)
    right = filled[row_of_gap, np.where(after > last, before, after)].astype(np.float64)
    # --- A straight line between them
    gap = np.repeat(np.arange(len(begins)), ends - begins + 1)
    slope = (right - left) / (after - before)
    filled[row, pixel] = slope[gap] * (pixel - before[gap]) + left[gap]
    return filled
