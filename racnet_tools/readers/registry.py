"""The list of readers, and how a file finds its own: by what is in it, never by its name or release.

A reader is a module with ``NAME``, ``identify(file) -> bool`` and ``read(file) -> Record``. `file` is a `FitsParts` for
the readers of FITS products and a `Source` for those of text.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.readers import desi_coadd, lamost_coadd, lamost_image, sdss_spec, sdss_spspec, table_ascii
from racnet_tools.readers.fits_parts import FitsParts
from racnet_tools.readers.record import Record
from racnet_tools.readers.source import Source, open_source

__all__ = ["FITS_READERS", "TEXT_READERS", "identify", "read_record"]

#: In the order in which they are asked. The images first: they need the primary header alone.
FITS_READERS: tuple[ModuleType, ...] = (sdss_spspec, lamost_image, lamost_coadd, sdss_spec, desi_coadd)
TEXT_READERS: tuple[ModuleType, ...] = (table_ascii,)

_PRODUCTS = (
    "a LAMOST low-resolution spectrum, an SDSS spec or spSpec file, a DESI coadd, "
    "or a text table of wavelength and flux"
)
_ADVICE = "See the readers' documentation for the layouts: help(racnet_tools.readers)."


def identify(path: str | Path) -> str:
    """Name of the reader for a file, such as ``"lamost_image"``.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str
        The reader's NAME.

    Raises
    ------
    ReadError
        If no reader knows it.
    """
    with open_source(path) as source:
        return _guard(source.path, lambda: _find(source)[0].NAME)


def read_record(path: str | Path) -> Record:
    """The spectra of one file, on their own wavelengths.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Record

    Raises
    ------
    ReadError
        If the file is refused; no other exception leaves this function.
    """
    with open_source(path) as source:

        def run() -> Record:
            reader, opened = _find(source)
            return reader.read(opened)

        return _guard(source.path, run)


def _guard(path: Path, action):
    """Last net: whatever a damaged file provokes that no check foresaw is a refusal too, and says so."""
    try:
        with np.errstate(all="ignore"):  # values of damaged files may be anything; what comes of them is checked
            return action()
    except ReadError:
        raise
    except (Exception, MemoryError) as error:
        raise ReadError(
            path,
            expected="an intact file",
            found=f"something no reader can interpret ({type(error).__name__}: {error})",
            advice="The file is probably damaged: fetch it again.",
        ) from error


def _find(source: Source) -> tuple[ModuleType, FitsParts | Source]:
    head = source.read_at(0, 512)
    if head.startswith(b"SIMPLE"):
        fits = FitsParts(source)
        for reader in FITS_READERS:
            if reader.identify(fits):
                return reader, fits
        raise lamost_image.refuse_medium_resolution(fits) or _unknown_fits(fits)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<votable")):
        raise ReadError(
            source.path,
            expected=_PRODUCTS,
            found="a web page or another XML document",
            advice="A download may have failed and left an error message: open the file in a browser to see it.",
        )
    for reader in TEXT_READERS:
        if reader.identify(source):
            return reader, source
    kind = "binary data" if b"\x00" in head else "text without columns of numbers"
    raise ReadError(source.path, expected=_PRODUCTS, found=f"{kind}, not FITS (it begins with {head[:16]!r})")


def _unknown_fits(fits: FitsParts) -> ReadError:
    primary = fits.primary
    hdus = fits.hdus(8)
    if len(hdus) == 1 and not primary.size:
        found = "a FITS file with nothing but an empty primary header"
    elif len(primary.axes) >= 2 and primary.size:
        found = f"a FITS image of {' x '.join(map(str, primary.axes))} pixels"
    elif len(primary.axes) == 1 and primary.size:
        found = f"a FITS file with a bare row of {primary.axes[0]} values"
    else:
        parts = (f"{h.name or h.kind} ({', '.join(list(h.columns)[:4]) or h.axes})" for h in hdus[1:])
        found = f"a FITS file of {'; '.join(parts)}"[:300]
    return fits.error(_PRODUCTS, found, _ADVICE)
