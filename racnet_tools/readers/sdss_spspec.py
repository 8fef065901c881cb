"""SDSS DR7 and earlier `spSpec` files: one image of five rows.

Rows of the primary image (5 x N, float32; the header names four as ARRAY1 to ARRAY4): flux (1e-17 erg/s/cm2/Angstrom),
continuum-subtracted flux, error (one sigma; 0 = no information), mask, and a fifth that is not used. Wavelengths are
``10**(COEFF0 + COEFF1 * i)`` Angstrom, vacuum, heliocentric. The class is the number SPEC_CLN: 0 unknown, 1 star,
2 galaxy, 3 quasar, 4 quasar of high redshift, 5 sky, 6 late-type star.

A pixel is masked where one of the mask's bits 16 to 28 is set (as in `sdss_spec`; bit 30, EMLINE, marks an emission
line, and is no fault), the error is not positive or a value is not finite.

Reference: http://classic.sdss.org/dr7/dm/flatFiles/spSpec.php and http://classic.sdss.org/dr7/dm/flatFiles/spSpec.html
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from racnet_tools.readers.fits_parts import FitsParts, Header
from racnet_tools.readers.lamost_image import check_cards
from racnet_tools.readers.record import Record, check_dispersion, designation, known, make_record, redshift
from racnet_tools.readers.sdss_spec import PIXEL_BITS, spec_id

__all__ = ["NAME", "identify", "read"]

NAME = "sdss_spspec"

_CLASSES = {0: "UNKNOWN", 1: "STAR", 2: "GALAXY", 3: "QSO", 4: "QSO", 6: "STAR"}
# Old spectro1d versions call the first row OBJECT or SPECTRUM.
_ARRAYS = {"ARRAY3": "ERROR", "ARRAY4": "MASK"}


def identify(fits: FitsParts) -> bool:
    """Whether the primary HDU is an image whose rows the cards ARRAY1 to ARRAY4 name."""
    return len(fits.primary.axes) == 2 and all(card in fits.primary.header for card in ("ARRAY1", *_ARRAYS))


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
        If the rows are not those expected, have no wavelengths or hold no information.
    """
    header = fits.primary.header
    for card, wanted in _ARRAYS.items():
        if wanted not in header.text(card).upper():
            raise fits.error(f"{card} = {wanted!r}", repr(header.text(card)))
    n_pixels, n_rows = fits.primary.axes
    if n_rows not in (4, 5):
        raise fits.error("an image of 5 rows (flux, continuum-subtracted, error, mask, ...)", f"{n_rows} rows")
    wave = check_dispersion(fits.path, header.number("COEFF0"), header.number("COEFF1"), n_pixels)
    check_cards(fits)
    image = fits.primary.image()
    error, flags = image[2].astype(np.float64), image[3].astype(np.float64)
    ivar = np.where(error > 0, error, np.inf) ** -2.0
    bits = np.where(np.abs(flags) < 2**62, flags, 0).astype(np.int64)
    return make_record(fits.path, wave, image[0], ivar, (bits & PIXEL_BITS) != 0, [_row(header, str(fits.path))])


def _row(header: Header, path: str) -> dict[str, Any]:
    ra = known(header.number("RAOBJ"), high=360.0)
    dec = known(header.number("DECOBJ"), low=-90.0001, high=90.0)
    name = re.sub(r"\.fits?(\.gz)?$", "", path.replace("\\", "/").rpartition("/")[2]).removeprefix("spSpec-")
    identity = spec_id(*(header.number(card) for card in ("PLATEID", "MJD", "FIBERID"))) or name
    return {
        "spec_id": identity,
        "object_id": designation(ra, dec) or identity,
        "survey": "SDSS",
        "path": path,
        "label": _CLASSES.get(header.get("SPEC_CLN")),
        "z": redshift(header.number("Z")),
        "z_err": known(header.number("Z_ERR"), low=0.0),
        "snr_g": known(header.number("SN_G")),
        "snr_r": known(header.number("SN_R")),
        "snr_i": known(header.number("SN_I")),
        "ra": ra,
        "dec": dec,
    }
