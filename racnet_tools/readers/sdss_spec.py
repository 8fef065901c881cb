"""SDSS, BOSS and eBOSS `spec` files (DR8 and later), with either of their catalogue rows.

HDU 1 (COADD): one row a pixel, columns flux (1e-17 erg/s/cm2/Angstrom), loglam (log10 of the vacuum, heliocentric
wavelength), ivar, and_mask, or_mask, ... HDU 2: one row of the catalogue, SPECOBJ for SDSS-I/II plates, SPALL for BOSS
and eBOSS; the columns used here have the same names in both, except for the position (RA and DEC, or PLUG_RA and
PLUG_DEC). The per-exposure HDUs from 4 on are not read.

loglam is float32, good to 0.006 Angstrom; its pixels lie on multiples of 1e-4, so it is set to the nearest multiple and
wavelengths are exact. COEFF0 in the header is NOT the first pixel's in files of SDSS-I/II plates (the table was
trimmed after it was written) and is not used.

A pixel is masked where one of the bits 16 to 28 of and_mask is set (the bits of single pixels: NEARBADPIXEL to
REDMONSTER), ivar is not positive or a value is not finite. Bits 0 to 15 describe the whole fibre or a whole arm
(MANYBADCOLUMNS marks half of a spectrum that is fine) and mask nothing.

Reference: https://data.sdss.org/datamodel/files/BOSS_SPECTRO_REDUX/RUN2D/spectra/PLATE4/spec.html and
https://www.sdss4.org/dr17/algorithms/bitmasks/#SPPIXMASK
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from racnet_tools.readers.fits_parts import FitsParts, Hdu
from racnet_tools.readers.record import (
    Record,
    check_dispersion,
    class_label,
    designation,
    known,
    make_record,
    redshift,
    subclass,
)

__all__ = ["NAME", "PIXEL_BITS", "identify", "read", "spec_id"]

NAME = "sdss_spec"

#: The bits of SPPIXMASK that speak of one pixel, 16 (NEARBADPIXEL) to 28 (REDMONSTER).
PIXEL_BITS = sum(1 << bit for bit in range(16, 29))

_STEP = 1e-4


def identify(fits: FitsParts) -> bool:
    """Whether HDU 1 is a table of the scalar columns flux, loglam, ivar and and_mask."""
    table = fits.hdu(1)
    return table is not None and {"FLUX", "LOGLAM", "IVAR", "AND_MASK"} <= table.columns.keys()


def spec_id(plate: Any, mjd: Any, fibre: Any) -> str | None:
    """``plate-mjd-fibre`` with at least 4, 5 and 4 digits, as in SDSS file names; None if one is missing."""
    if any(isinstance(part, str | bool) or part is None or not np.isfinite(part) for part in (plate, mjd, fibre)):
        return None
    return f"{int(plate):04d}-{int(mjd):05d}-{int(fibre):04d}"


def read(fits: FitsParts) -> Record:
    """The coadded spectrum of the file.

    Parameters
    ----------
    fits : FitsParts

    Returns
    -------
    Record

    Raises
    ------
    ReadError
        If the pixels are not evenly spaced in log wavelength, or hold no information.
    """
    table = fits.hdu(1)
    if table is None:
        raise fits.error("a table in HDU 1", "none")
    columns = {}
    for name in ("FLUX", "LOGLAM", "IVAR", "AND_MASK"):
        values = table.column(name)
        if values.dtype.kind not in "fiu" or values.ndim != 2 or values.shape[1] != 1:
            raise fits.error(f"one number a row in column {name} of {table.label}", f"shape {values.shape}")
        columns[name] = values[:, 0]
    wave = _wavelengths(fits, columns["LOGLAM"].astype(np.float64))
    bad = _pixel_flags(columns["AND_MASK"])
    return make_record(fits.path, wave, columns["FLUX"], columns["IVAR"], bad, [_row(fits)])


def _pixel_flags(mask: np.ndarray) -> np.ndarray:
    if mask.dtype.kind == "f":
        mask = np.where(np.isfinite(mask) & (np.abs(mask) < 2**62), mask, 0)
    return (mask.astype(np.int64) & PIXEL_BITS) != 0


def _wavelengths(fits: FitsParts, loglam: np.ndarray) -> np.ndarray:
    if len(loglam) < 2 or not np.isfinite(loglam).all():
        raise fits.error("a finite loglam in every row", f"{np.isfinite(loglam).sum()} of {len(loglam)} rows")
    start = float(np.round(loglam[0] / _STEP) * _STEP)
    start = round(start, 4)  # the multiple of the step as a header would write it
    # float32 leaves 2.4e-7 in log10; 2e-6 is a fiftieth of a pixel.
    away = np.abs(loglam - (start + _STEP * np.arange(len(loglam))))
    if not (away < 2e-6).all():
        raise fits.error(
            "loglam in steps of 1e-4 on multiples of 1e-4",
            f"values up to {away.max():.2g} away from that",
            "The file is damaged or was rebinned: fetch the original from the survey.",
        )
    return check_dispersion(fits.path, start, _STEP, len(loglam))


def _row(fits: FitsParts) -> dict[str, Any]:
    header = fits.primary.header
    catalogue = fits.hdu(2)
    if catalogue is not None and "CLASS" not in catalogue.columns:
        catalogue = None

    def get(*names: str) -> Any:
        values = (catalogue.first(name) for name in names) if catalogue else ()
        return next((value for value in values if value is not None), None)

    ids = [get(name) for name in ("PLATE", "MJD", "FIBERID")]
    identity = spec_id(*ids) or spec_id(*(header.number(name) for name in ("PLATEID", "MJD", "FIBERID")))
    position = [get("PLUG_RA", "RA"), get("PLUG_DEC", "DEC")]
    if None in position:
        position = [header.number("PLUG_RA"), header.number("PLUG_DEC")]
    ra, dec = known(position[0], high=360.0), known(position[1], low=-90.0001, high=90.0)
    path = str(fits.path)
    identity = identity or path.replace("\\", "/").rpartition("/")[2].partition(".fit")[0].removeprefix("spec-")
    row: dict[str, Any] = {
        "spec_id": identity,
        "object_id": designation(ra, dec) or identity,
        "survey": "SDSS",
        "path": path,
        "label": class_label(get("CLASS")),
        "subclass": subclass(get("SUBCLASS")),
        "z": redshift(get("Z")),
        "z_err": known(get("Z_ERR"), low=0.0),
        "ra": ra,
        "dec": dec,
    }
    row.update(_signal_to_noise(catalogue))
    row["mag_r"] = _magnitude(catalogue)
    return row


def _magnitude(catalogue: Hdu | None) -> float | None:
    """The spectrum's synthetic r magnitude (AB): SPECTROFLUX holds nanomaggies in u, g, r, i, z."""
    if catalogue is None or catalogue.columns.get("SPECTROFLUX", ("", 0))[1] != 5 or not catalogue.axes[1]:
        return None
    flux = known(float(catalogue.column("SPECTROFLUX")[0, 2]), low=0.0)
    return None if flux is None else known(22.5 - 2.5 * math.log10(flux), low=0.0, high=40.0)


def _signal_to_noise(catalogue: Hdu | None) -> dict[str, float | None]:
    """SN_MEDIAN holds the five bands u, g, r, i, z."""
    if catalogue is None or catalogue.columns.get("SN_MEDIAN", ("", 0))[1] != 5 or not catalogue.axes[1]:
        return {}
    values = catalogue.column("SN_MEDIAN")
    return {f"snr_{band}": known(value) for band, value in zip("ugriz", values[0].tolist(), strict=True)}
