"""What every reader gives, and the checks and translations that all of them share.

A `Record` is one file's spectra on their own wavelengths. Foreign names end here: classes are STAR, GALAXY, QSO or
UNKNOWN, and the surveys' null values (-9999, -999, 99.0 for magnitudes, 'Non') become None, which a table masks.
An S/N of 99.0 is no null: LAMOST DR1 (pipeline v2.6.4) caps its S/N there, as the pixels of such files show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import ReadError

__all__ = [
    "MIN_PIXELS",
    "Record",
    "check_dispersion",
    "class_label",
    "designation",
    "known",
    "log_wave",
    "make_record",
    "redshift",
    "subclass",
]

#: Fewest pixels that are taken for a spectrum.
MIN_PIXELS = 100

_LABELS = {"star": "STAR", "galaxy": "GALAXY", "qso": "QSO", "unknown": "UNKNOWN"}
# No survey's null is nearer to zero, and no S/N, redshift or coordinate reaches it.
_NULL = -99.0


@dataclass
class Record:
    """The spectra of one file.

    Attributes
    ----------
    wave : (n_pix,) float64
        Vacuum, heliocentric, Angstrom.
    flux, ivar : (n, n_pix) float32
    mask : (n, n_pix) bool
    rows : list of dict
        Column name to value, one for each spectrum; None = missing.
    meta : dict
    """

    wave: np.ndarray
    flux: np.ndarray
    ivar: np.ndarray
    mask: np.ndarray
    rows: list[dict[str, Any]]
    meta: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=64)
def log_wave(coeff0: float, coeff1: float, n_pixels: int) -> np.ndarray:
    """``10**(coeff0 + coeff1 * i)``, (n_pixels,) float64, Angstrom; shared between spectra and read-only."""
    wave = 10.0 ** (coeff0 + coeff1 * np.arange(n_pixels))
    wave.flags.writeable = False
    return wave


def check_dispersion(path: Path, coeff0: float | None, coeff1: float | None, n_pixels: int) -> np.ndarray:
    """Wavelengths of COEFF0 and COEFF1, refused where they describe no optical survey spectrum.

    Returns
    -------
    (n_pixels,) float64
        Angstrom, vacuum.

    Raises
    ------
    ReadError
        If a coefficient is absent or absurd, or there are too few or too many pixels.
    """
    if coeff0 is None or coeff1 is None:
        missing = " and ".join(name for name, c in (("COEFF0", coeff0), ("COEFF1", coeff1)) if c is None)
        raise ReadError(
            path,
            expected="COEFF0 and COEFF1 (log10 of the first wavelength, and its step) in the header",
            found=f"no usable {missing}",
            advice="Without them the wavelengths are not known: fetch the file again from the survey.",
        )
    # LAMOST and SDSS step by 1e-4; a factor of three leaves room for binned spectra, not for damaged headers.
    if not (3.3 <= coeff0 <= 4.0 and 3e-5 <= coeff1 <= 3e-4):
        raise ReadError(
            path,
            expected="COEFF0 from 3.3 to 4.0 (2000 to 10000 Angstrom) and COEFF1 near 1e-4",
            found=f"COEFF0 = {coeff0:g}, COEFF1 = {coeff1:g}",
            advice="The header is damaged or this is no optical survey spectrum.",
        )
    end = coeff0 + coeff1 * n_pixels
    if n_pixels < MIN_PIXELS or end > 4.3:
        raise ReadError(
            path,
            expected=f"at least {MIN_PIXELS} pixels that end before 20000 Angstrom",
            found=f"{n_pixels} pixels, of which the last would be at {10 ** min(end, 99.0):.4g} Angstrom",
        )
    return log_wave(float(coeff0), float(coeff1), n_pixels)


def make_record(
    path: Path,
    wave: np.ndarray,
    flux: Any,
    ivar: Any,
    bad: Any,
    rows: list[dict[str, Any]],
    meta: dict[str, Any] | None = None,
) -> Record:
    """A `Record` from raw arrays, refused where it holds no information.

    Parameters
    ----------
    path : Path
        For messages.
    wave : (n_pix,) array
        Angstrom.
    flux, ivar : (n, n_pix) or (n_pix,) arrays
        Of any number type; cast to float32. Inverse variances that are negative or not finite become 0.
    bad : bool array of the same shape, or None
        The survey's own flags.
    rows : list of dict
        One a spectrum.
    meta : dict, optional
        For `SpectrumSet.meta`.

    Returns
    -------
    Record
        `mask` is true where the survey flags the pixel, `ivar` is not positive, or a value is not finite.

    Raises
    ------
    ReadError
        If a lone spectrum's flux is nowhere finite or zero everywhere, or its ivar is nowhere positive. Of several
        spectra in one file (DESI) such ones are kept, wholly masked: broken fibres are part of every plate.
    """
    flux = np.atleast_2d(np.asarray(flux)).astype(np.float32)
    ivar = np.atleast_2d(np.asarray(ivar)).astype(np.float32)
    if flux.shape != ivar.shape or flux.shape[1] != len(wave) or len(flux) != len(rows):
        raise ReadError(
            path,
            expected=f"flux and ivar of {len(wave)} pixels each",
            found=f"flux of shape {flux.shape} and ivar of shape {ivar.shape}",
            advice="The file is damaged: fetch it again.",
        )
    finite = np.isfinite(flux)
    informed = np.isfinite(ivar) & (ivar > 0)
    if len(flux) == 1:
        _require_signal(path, flux, finite, informed)
    if not informed.all():
        ivar = np.where(informed, ivar, np.float32(0))
    mask = ~(finite & informed)
    if bad is not None:
        mask |= np.atleast_2d(bad)
    return Record(wave, flux, ivar, mask, rows, meta or {})


def _require_signal(path: Path, flux: np.ndarray, finite: np.ndarray, informed: np.ndarray) -> None:
    advice = "The spectrum is empty: leave it out, or fetch it again."
    if not finite.any():
        raise ReadError(path, expected="a flux that is finite somewhere", found="no finite value at all", advice=advice)
    if not (flux if finite.all() else flux[finite]).any():
        raise ReadError(path, expected="a flux that is not zero everywhere", found="zero in every pixel", advice=advice)
    if not informed.any():
        raise ReadError(
            path,
            expected="an inverse variance above zero somewhere",
            found="none: every pixel is marked as without information",
            advice=advice,
        )


def class_label(value: Any) -> str | None:
    """STAR, GALAXY, QSO or UNKNOWN for a survey's class in any case; None for anything else."""
    return _LABELS.get(str(value or "").strip().casefold())


def subclass(value: Any) -> str | None:
    """A survey's subclass; None for LAMOST's 'Non' and for empty ones."""
    text = str(value or "").strip()
    return None if text.casefold() in ("", "non", "none", "null") else text


def known(value: float | None, low: float = _NULL, high: float = math.inf) -> float | None:
    """`value` as a float, None where it is absent, not finite, or outside `low` < value <= `high`."""
    if value is None or isinstance(value, str | bool):
        return None
    number = float(value)
    return number if math.isfinite(number) and low < number <= high else None


def redshift(value: float | None) -> float | None:
    """A redshift; None for nulls (none is below -1)."""
    return known(value, low=-1.0, high=100.0)


def designation(ra: float | None, dec: float | None) -> str | None:
    """Name of a position as the IAU recommends, ``JHHMMSS.ss+DDMMSS.s``, digits cut off, not rounded.

    Parameters
    ----------
    ra, dec : float or None
        Degrees.
    """
    if ra is None or dec is None:
        return None
    # Positions are given to 1e-6 degree; the small addend undoes the rounding of the decimal fraction.
    centiseconds = int(ra % 360.0 * 24000.0 + 1e-4) % 8640000
    deciseconds = int(abs(dec) * 36000.0 + 1e-4)
    hours, rest = divmod(centiseconds, 360000)
    minutes, seconds = divmod(rest, 6000)
    degrees, arc = divmod(deciseconds, 36000)
    arcmin, arcsec = divmod(arc, 600)
    sign = "-" if dec < 0 else "+"
    return f"J{hours:02d}{minutes:02d}{seconds / 100:05.2f}{sign}{degrees:02d}{arcmin:02d}{arcsec / 10:04.1f}"
