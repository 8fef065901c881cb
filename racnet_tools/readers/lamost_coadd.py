"""LAMOST low-resolution spectra as a one-row table of vectors: DR9 and later (`coadd`).

HDU 1 (EXTNAME COADD) has one row with the vector columns FLUX, IVAR, WAVELENGTH, ANDMASK, ORMASK and, from DR10 on,
NORMALIZATION (not used), each ``NE`` (float32, the masks too). The primary header still says NAXIS1 = 3909 with
NAXIS = 0, whatever the true length; it is not trusted. Wavelengths are ``10**(COEFF0 + COEFF1 * i)`` Angstrom, vacuum,
heliocentric, from the primary header: the column WAVELENGTH is off by up to 0.003 Angstrom and only checked against it.

A pixel is masked where ANDMASK is not 0, IVAR is not positive or a value is not finite.

Reference: LAMOST data production description, https://www.lamost.org/dr10/v2.0/doc/lr-data-production-description
"""

from __future__ import annotations

import numpy as np

from racnet_tools.readers.fits_parts import FitsParts
from racnet_tools.readers.lamost_image import check_wavelengths, describe
from racnet_tools.readers.record import Record, check_dispersion, make_record

__all__ = ["NAME", "identify", "read"]

NAME = "lamost_coadd"


def identify(fits: FitsParts) -> bool:
    """Whether HDU 1 is a table of the vector columns FLUX, IVAR and WAVELENGTH."""
    table = fits.hdu(1)
    return table is not None and {"FLUX", "IVAR", "WAVELENGTH"} <= table.columns.keys()


def read(fits: FitsParts) -> Record:
    """The one spectrum of the file.

    Parameters
    ----------
    fits : FitsParts

    Returns
    -------
    Record

    Raises
    ------
    ReadError
        If there is not one row of equally long vectors, no dispersion, or no information.
    """
    table = fits.hdu(1)
    if table is None:
        raise fits.error("a table in HDU 1", "none")
    if table.axes[1] != 1:
        raise fits.error(f"one row in {table.label}", f"{table.axes[1]} rows")
    names = [name for name in ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK") if name in table.columns]
    vectors = {name: table.column(name)[0] for name in names}
    lengths = {name: len(vector) for name, vector in vectors.items()}
    if len(set(lengths.values())) > 1:
        raise fits.error("columns of one length", ", ".join(f"{name} {n}" for name, n in lengths.items()))
    flux = vectors["FLUX"]
    if any(vector.dtype.kind not in "fiu" for vector in vectors.values()):
        raise fits.error(f"numbers in the columns of {table.label}", "another type")
    header = fits.primary.header
    wave = check_dispersion(fits.path, header.number("COEFF0"), header.number("COEFF1"), len(flux))
    check_wavelengths(fits, wave, vectors["WAVELENGTH"])
    bad = vectors["ANDMASK"] != 0 if "ANDMASK" in vectors else np.zeros(len(flux), bool)
    return make_record(fits.path, wave, flux, vectors["IVAR"], bad, [describe(header, str(fits.path))])
