"""LAMOST low-resolution spectra through specutils: importing this module registers the format "LAMOST LRS".

It reads the layouts of `lamost_image` and `lamost_coadd`, plain or gzipped, into a `specutils.Spectrum` with vacuum
wavelengths in Angstrom, an `InverseVariance`, the mask, and the description of the spectrum (a row of
`SpectrumSet.table`) in ``meta``. LAMOST calibrates fluxes relatively, so the flux is dimensionless. Needs the extra
`apps`; nothing else in the toolkit imports this module.

Examples
--------
>>> from specutils import Spectrum  # doctest: +SKIP
>>> from racnet_tools.readers import specutils_loader  # doctest: +SKIP
>>> spectrum = Spectrum.read("spec-55862-B6212_sp06-003.fits.gz", format="LAMOST LRS")  # doctest: +SKIP
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import InverseVariance
from specutils import Spectrum
from specutils.io.registers import data_loader

from racnet_tools.errors import ReadError
from racnet_tools.readers import lamost_coadd, lamost_image
from racnet_tools.readers.reading import read_file
from racnet_tools.readers.registry import identify

__all__ = ["FORMAT", "identify_lamost", "load_lamost"]

FORMAT = "LAMOST LRS"

_READERS = (lamost_image.NAME, lamost_coadd.NAME)


def identify_lamost(origin: str, path: Any, fileobj: Any, *args: Any, **kwargs: Any) -> bool:
    """Whether `path` is a LAMOST low-resolution file; called by astropy's registry when no format is given."""
    if origin != "read" or not isinstance(path, str | os.PathLike):
        return False
    try:
        return identify(Path(path)) in _READERS
    except ReadError:
        return False


@data_loader(FORMAT, identifier=identify_lamost, extensions=["fits", "fits.gz"], priority=10, force=True)
def load_lamost(file_obj: str | os.PathLike, **kwargs: Any) -> Spectrum:
    """Read one LAMOST low-resolution spectrum.

    Parameters
    ----------
    file_obj : str or path-like
        The file.
    **kwargs
        None are used; the registry may pass some.

    Returns
    -------
    specutils.Spectrum
        One-dimensional. ``meta`` holds the row of `SpectrumSet.table` as a dict, missing values as None.

    Raises
    ------
    ReadError
        If the file is refused, or is no LAMOST spectrum.
    """
    if not isinstance(file_obj, str | os.PathLike):
        name = getattr(file_obj, "name", None)
        if not isinstance(name, str):
            raise ReadError(
                str(file_obj),
                expected="the name of a file",
                found=f"a {type(file_obj).__name__}",
                advice="Pass its path.",
            )
        file_obj = name
    reader = identify(Path(file_obj))
    if reader not in _READERS:
        raise ReadError(
            Path(file_obj),
            expected="a LAMOST low-resolution spectrum",
            found=f"a file for the reader {reader}",
            advice="racnet_tools.read(path) reads it.",
        )
    spectra = read_file(Path(file_obj))
    values = {name: spectra.table[name][0] for name in spectra.table.colnames}
    meta = {name: None if value is np.ma.masked else value.item() for name, value in values.items()}
    return Spectrum(
        flux=u.Quantity(spectra.flux[0], u.dimensionless_unscaled),
        spectral_axis=u.Quantity(spectra.wave, u.AA),
        uncertainty=InverseVariance(spectra.ivar[0]),
        mask=spectra.mask[0],
        meta=meta,
    )
