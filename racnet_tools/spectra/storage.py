"""A `SpectrumSet` in one FITS file: extensions WAVE, FLUX, IVAR, MASK (images) and TABLE (binary table)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from racnet_tools.errors import ReadError
from racnet_tools.files import atomic_path
from racnet_tools.spectra.spectrum_set import SpectrumSet

__all__ = ["load", "save"]

_FORMAT = "racnet-tools SpectrumSet 1"


def save(spectra: SpectrumSet, path: str | Path, overwrite: bool = False) -> None:
    """Write `spectra` to `path` (FITS); refuses to replace a file unless `overwrite`."""
    table = Table(spectra.table, copy=True)
    for name in table.colnames:
        column = table[name]
        if isinstance(column, MaskedColumn):
            table[name] = column.filled("" if column.dtype.kind == "U" else np.nan)
    table.meta.clear()
    primary = fits.PrimaryHDU()
    primary.header["CREATOR"] = _FORMAT
    images = {"WAVE": spectra.wave, "FLUX": spectra.flux, "IVAR": spectra.ivar, "MASK": spectra.mask.astype(np.uint8)}
    hdus = [fits.ImageHDU(np.ascontiguousarray(array), name=name) for name, array in images.items()]
    described = fits.table_to_hdu(table)
    described.name = "TABLE"
    notes = Table({"json": [json.dumps(spectra.meta, default=str)]})
    meta = fits.table_to_hdu(notes)
    meta.name = "META"
    with atomic_path(path, overwrite) as temporary:
        fits.HDUList([primary, *hdus, described, meta]).writeto(temporary)


def load(path: str | Path) -> SpectrumSet:
    """Read what `save` wrote; `ReadError` for any other file."""
    path = Path(path)
    advice = "Survey files are read with racnet_tools.read(path)."
    expected = "a FITS file written by SpectrumSet.save"
    try:
        with fits.open(path, memmap=False) as hdus:
            creator = str(hdus[0].header.get("CREATOR", ""))
            if creator != _FORMAT:
                raise ReadError(
                    path, expected=expected, found=f"a file by {creator or 'another program'}", advice=advice
                )
            arrays = {name: hdus[name].data for name in ("WAVE", "FLUX", "IVAR", "MASK")}
            if len(arrays["FLUX"]) == 0:
                raise ReadError(path, expected=expected, found="no spectra", advice=advice)
            table = Table(hdus["TABLE"].data)
            meta = json.loads(str(hdus["META"].data["json"][0]))
    except ReadError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise ReadError(path, expected=expected, found=f"{type(error).__name__}: {error}", advice=advice) from error
    for name in table.colnames:
        column = np.char.decode(table[name], "utf-8") if table[name].dtype.kind == "S" else np.asarray(table[name])
        if column.dtype.kind == "U":
            table[name] = MaskedColumn(column, mask=column == "")
        elif column.dtype.kind == "f":
            column = column.astype(column.dtype.newbyteorder("="))
            table[name] = MaskedColumn(column, mask=~np.isfinite(column))
    return SpectrumSet(arrays["WAVE"], arrays["FLUX"], arrays["IVAR"], arrays["MASK"].astype(bool), table, meta)
