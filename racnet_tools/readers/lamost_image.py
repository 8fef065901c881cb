"""LAMOST low-resolution spectra as one image of five rows: DR1 (`image5_sub`) and DR2 to DR8 (`image5`).

Rows of the primary image (5 x N, float32 or float64): flux, inverse variance, a third row, and-mask, or-mask. The card
EXTEN0 names them: ``Flux Inverse Wavelength Andmask Ormask`` (pipeline v2.7.5 and later) or ``Flux Inverse
Subcontinuum Andmask Ormask`` (v2.6.4), where the third row is the flux over its continuum. Wavelengths are always
``10**(COEFF0 + COEFF1 * i)`` Angstrom, vacuum, heliocentric (VACUUM and HELIO are true; a wavelength row in float32 is
off by up to 0.003 Angstrom). CTYPE1 = 'LINEAR' with CRVAL1 = COEFF0 misleads generic readers. Flux is relative, per
Angstrom. N runs from 3,749 to 3,909.

A pixel is masked where Andmask is not 0, the inverse variance is not positive or a value is not finite.

Reference: LAMOST data production description, https://www.lamost.org/dr7/v2.0/doc/lr-data-production-description
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.readers.fits_parts import FitsParts, Header
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

__all__ = ["NAME", "check_cards", "check_wavelengths", "describe", "identify", "read", "refuse_medium_resolution"]

NAME = "lamost_image"

_ROWS = ("flux", "inverse", ("wavelength", "subcontinuum"), "andmask", "ormask")
_FILENAME = re.compile(r"^spec-(.+?)\.fits?(\.gz)?$")
_SURVEYS = ("LAMOST", "SDSS", "DESI", "ASCII", "SIMULATED")


def identify(fits: FitsParts) -> bool:
    """Whether the primary HDU is an image whose rows are named in EXTEN0, or one of LAMOST."""
    primary = fits.primary
    if len(primary.axes) != 2:
        return False
    return "EXTEN0" in primary.header or primary.header.text("TELESCOP").upper() == "LAMOST"


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
        If the rows are not the five, have no wavelengths or hold no information.
    """
    header = fits.primary.header
    third = _third_row(fits)
    n_pixels, n_rows = fits.primary.axes
    if n_rows != 5:
        raise fits.error("an image of 5 rows (flux, inverse variance, ...)", f"{n_rows} rows of {n_pixels} pixels")
    wave = check_dispersion(fits.path, header.number("COEFF0"), header.number("COEFF1"), n_pixels)
    image = fits.primary.image()
    if third == "wavelength":
        check_wavelengths(fits, wave, image[2])
    else:
        check_cards(fits)
    return make_record(fits.path, wave, image[0], image[1], image[3] != 0, [describe(header, str(fits.path))])


def _third_row(fits: FitsParts) -> str:
    names = re.findall(r"[a-z]+", fits.primary.header.text("EXTEN0").casefold())
    fit = len(names) == 5 and all(name in want for name, want in zip(names, _ROWS, strict=True))
    if not fit:
        raise fits.error(
            "EXTEN0 = 'Flux Inverse Wavelength Andmask Ormask' (or Subcontinuum), which says what the rows are",
            repr(fits.primary.header.text("EXTEN0")),
            "Without it the rows' meaning is not known: fetch the file again from the survey.",
        )
    return names[2]


def check_wavelengths(fits: FitsParts, wave: np.ndarray, given: np.ndarray) -> None:
    """Refuse a file whose own wavelengths contradict COEFF0 and COEFF1 by a tenth of a pixel or more."""
    if (np.abs(given[::64] - wave[::64]) < 0.1).all():  # a quick look at some of them is enough for an intact file
        return
    away = np.abs(given.astype(np.float64) - wave)
    wrong = ~(away < 0.1)
    # A few damaged values are no reason to doubt the header; half of them are.
    if wrong.mean() > 0.5:
        raise fits.error(
            f"wavelengths that agree with COEFF0 and COEFF1 ({wave[0]:.2f} to {wave[-1]:.2f} Angstrom)",
            f"{given[0]:.2f} to {given[-1]:.2f} in the file's wavelength row",
            "The header or the data are damaged: fetch the file again.",
        )


def check_cards(fits: FitsParts) -> None:
    """Without a wavelength row, CRVAL1 and CD1_1 are the second witness; writers may leave them out."""
    header = fits.primary.header
    for first, second, tolerance in (("COEFF0", "CRVAL1", 1e-6), ("COEFF1", "CD1_1", 1e-9)):
        a, b = header.number(first), header.number(second)
        if a is not None and b is not None and header.number("CRPIX1") in (None, 1.0) and abs(a - b) > tolerance:
            raise fits.error(f"{first} and {second} to agree", f"{a:g} and {b:g}")


def describe(header: Header, path: str) -> dict[str, Any]:
    """The table's row for a LAMOST header, of any release.

    ``spec_id`` is ``<LMJD>-<PLANID>_sp<SPID>-<FIBERID>`` from these four cards; where one is absent, the FILENAME card
    without ``spec-``, or at last the file's name. ``mag_r`` is the r magnitude of the input catalogue, which differs
    from plate to plate (SDSS, Pan-STARRS, UCAC, ...).
    """
    ra = known(header.number("RA"), high=360.0)
    dec = known(header.number("DEC"), low=-90.0001, high=90.0)
    spec_id = _spec_id(header) or path.replace("\\", "/").rpartition("/")[2].partition(".fit")[0].removeprefix("spec-")
    object_id = header.text("DESIG").removeprefix("LAMOST").strip() or designation(ra, dec) or spec_id
    survey = header.text("SURVEY").upper()
    row: dict[str, Any] = {
        "spec_id": spec_id,
        "object_id": object_id,
        "survey": survey if survey in _SURVEYS else "LAMOST",
        "path": path,
        "label": class_label(header.get("CLASS")),
        "subclass": subclass(header.text("SUBCLASS")),
        "z": redshift(header.number("Z")),
        "z_err": known(header.number("Z_ERR"), low=-1e-30),
        "ra": ra,
        "dec": dec,
    }
    for band in "UGRIZ":  # SNRU from DR3 on, SN_U before
        value = header.number(f"SNR{band}")
        row[f"snr_{band.lower()}"] = known(header.number(f"SN_{band}") if value is None else value)
    row["mag_r"] = _magnitude(header)
    return row


def _magnitude(header: Header) -> float | None:
    """The input catalogue's r: MAG1 to MAG7 are of the bands that MAGTYPE names by letters; from DR9 on MAG_PS_R."""
    bands = header.text("MAGTYPE").casefold()
    if re.fullmatch(r"[ugrizyjhk]{2,7}", bands) and bands.count("r") == 1:  # not BR1R2I, gbprp or fibermagr
        return known(header.number(f"MAG{bands.index('r') + 1}"), low=0.0, high=40.0)
    return known(header.number("MAG_PS_R"), low=0.0, high=40.0)


def _spec_id(header: Header) -> str | None:
    day, plan = header.number("LMJD"), header.text("PLANID")
    spectrograph, fibre = header.number("SPID"), header.number("FIBERID")
    if day is not None and plan and spectrograph is not None and fibre is not None:
        return f"{day:05.0f}-{plan}_sp{spectrograph:02.0f}-{fibre:03.0f}"
    match = _FILENAME.match(header.text("FILENAME"))
    return match[1] if match else None


def refuse_medium_resolution(fits: FitsParts) -> ReadError | None:
    """The refusal of a LAMOST medium-resolution file, None if this is not one."""
    names = [hdu.name for hdu in fits.hdus(12)[1:]]
    arms = [name for name in names if re.match(r"^(COADD_)?[BR](-\d+)?$", name)]
    if not arms or fits.primary.header.text("TELESCOP").upper() != "LAMOST":
        return None
    return ReadError(
        fits.path,
        expected="a LAMOST low-resolution spectrum (3700-9100 Angstrom)",
        found=f"a medium-resolution one (tables {', '.join(arms[:3])}, ...)",
        advice="Download the object's low-resolution (LRS) spectrum, whose file name begins with 'spec-'.",
    )
