"""Writing spectra in the LAMOST layouts, for tests, sample files and exchange with programs that read LAMOST files.

Layouts: ``image5_sub`` (DR1: third row = flux over continuum), ``image5`` (DR2 to DR8: third row = wavelength) and
``coadd`` (DR9 and later: a one-row table of vectors), described in `lamost_image` and `lamost_coadd`. Compressed files
carry no time stamp: equal spectra give equal bytes. A spectrum that is not LAMOST's says so (cards ORIGIN and SURVEY;
TELESCOP = 'LAMOST' is not written).
"""

from __future__ import annotations

import gzip
import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path
from racnet_tools.spectra import SpectrumSet

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["write_lamost"]

Layout = Literal["image5_sub", "image5", "coadd"]
_EXTEN0 = {
    "image5_sub": "Flux Inverse Subcontinuum Andmask Ormask",
    "image5": "Flux, Inverse, Wavelength, Andmask, Ormask",
}
_SPEC_ID = re.compile(r"^(\d{5})-(.+)_sp(\d{2})-(\d{3})$")
_NULL = -9999.0


def write_lamost(
    spectra: SpectrumSet,
    path: str | Path,
    layout: Layout = "image5",
    overwrite: bool = False,
    suffix: Literal[".fits", ".fits.gz"] = ".fits",
) -> list[Path]:
    """Write each spectrum to a file of its own in a LAMOST layout.

    Parameters
    ----------
    spectra : SpectrumSet
        On a grid uniform in log wavelength whose first pixel is a multiple of the step, such as `LAMOST_GRID`.
    path : str or Path
        An existing folder, which receives ``spec-<spec_id><suffix>`` for each; or, for one spectrum, a file name that
        ends in .fits or .fits.gz.
    layout : {"image5_sub", "image5", "coadd"}
        The release's layout.
    overwrite : bool
        Whether existing files may be replaced.
    suffix : {".fits", ".fits.gz"}
        For files in a folder.

    Returns
    -------
    list of Path
        The files, in order.

    Raises
    ------
    RacnetError
        If the grid, the layout, the suffix or the path does not fit, or a file exists already.

    Notes
    -----
    Reading the files back gives the same flux and ivar (bit for bit), wavelengths, mask, and standard columns (numbers
    to 13 digits). The mask is written as Andmask = 1.
    """
    if layout not in (*_EXTEN0, "coadd"):
        raise RacnetError(f"Expected a layout of image5_sub, image5 or coadd. Received: {layout!r}.")
    if suffix not in (".fits", ".fits.gz"):
        raise RacnetError(f"Expected the suffix .fits or .fits.gz. Received: {suffix!r}.")
    coeff0, coeff1 = _dispersion(spectra.wave)
    files = _file_names(spectra, Path(path), suffix)
    for i, file in enumerate(files):
        row = {name: spectra.table[name][i] for name in spectra.table.colnames}
        row = {name: None if value is np.ma.masked else value for name, value in row.items()}
        hdus = _hdus(spectra, i, row, layout, coeff0, coeff1)
        buffer = BytesIO()
        hdus.writeto(buffer)
        data = buffer.getvalue()
        if file.suffix == ".gz":
            packed = BytesIO()
            with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as out:
                out.write(data)
            data = packed.getvalue()
        with atomic_path(file, overwrite) as temporary:
            temporary.write_bytes(data)
    return files


def _dispersion(wave: np.ndarray) -> tuple[float, float]:
    log = np.log10(wave)
    coeff1 = float(np.format_float_positional((log[-1] - log[0]) / (len(log) - 1), precision=10))
    coeff0 = round(float(np.rint(log[0] / coeff1) * coeff1), 8)
    if np.abs(log - (coeff0 + coeff1 * np.arange(len(log)))).max() > 1e-8:
        raise RacnetError(
            "LAMOST layouts hold wavelengths uniform in log10 from a multiple of the step on. Received: "
            f"{wave[0]:.3f} to {wave[-1]:.3f} Angstrom on another grid. Use spectra.to_grid(LAMOST_GRID) first."
        )
    return coeff0, coeff1


def _file_names(spectra: SpectrumSet, path: Path, suffix: str) -> list[Path]:
    if not path.is_dir():
        if len(spectra) != 1 or not path.name.endswith((".fits", ".fits.gz")):
            raise RacnetError(
                f"Expected an existing folder, or for one spectrum a name that ends in .fits or .fits.gz. "
                f"Received: {path} for {len(spectra)} spectra."
            )
        return [path]
    names = [re.sub(r"[^\w.+-]", "_", str(name)) for name in spectra.table["spec_id"]]
    if len(set(names)) < len(names):
        raise RacnetError("Expected spectra with different spec_id, which name their files. Received: some twice.")
    return [path / f"spec-{name}{suffix}" for name in names]


def _hdus(spectra: SpectrumSet, i: int, row: dict[str, Any], layout: str, coeff0: float, coeff1: float) -> HDUList:
    from astropy.io import fits

    flux, ivar = spectra.flux[i], spectra.ivar[i]
    bad = spectra.mask[i].astype(np.float32)
    if layout == "coadd":
        primary = fits.PrimaryHDU()
        primary.header["BITPIX"] = 16
        _describe(primary.header, row, layout, coeff0, coeff1)
        columns = {
            "FLUX": flux,
            "IVAR": ivar,
            "WAVELENGTH": spectra.wave.astype(np.float32),
            "ANDMASK": bad,
            "ORMASK": bad,
            "NORMALIZATION": _over_continuum(flux),
        }
        form = f"{len(flux)}E"
        table = fits.BinTableHDU.from_columns(
            [fits.Column(name, form, array=values[None, :]) for name, values in columns.items()], name="COADD"
        )
        return fits.HDUList([primary, table])
    third = _over_continuum(flux) if layout == "image5_sub" else spectra.wave
    primary = fits.PrimaryHDU(np.stack([flux, ivar, third, bad, bad]).astype(">f4"))
    _describe(primary.header, row, layout, coeff0, coeff1)
    return fits.HDUList([primary])


def _over_continuum(flux: np.ndarray, width: int = 301) -> np.ndarray:
    """Flux over its running mean, 1 where that is not positive: stands in for LAMOST's own normalised row."""
    filled = np.where(np.isfinite(flux), flux, 0).astype(np.float64)
    padded = np.pad(filled, width // 2, mode="edge")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    mean = (total[width:] - total[:-width]) / width
    return np.where(mean > 0, filled / np.where(mean > 0, mean, 1.0), 1.0).astype(np.float32)


def _describe(header: Header, row: dict[str, Any], layout: str, coeff0: float, coeff1: float) -> None:
    """Cards of a LAMOST header, as far as there is something to say."""
    survey = row["survey"] or "UNKNOWN"
    spec_id = str(row["spec_id"])
    header["FILENAME"] = _ascii(f"spec-{spec_id}.fits")
    if layout in _EXTEN0:
        header["EXTEN0"] = _EXTEN0[layout]
    if survey == "LAMOST":
        header["TELESCOP"] = ("LAMOST", "GuoShouJing Telescope")
    else:
        origin = "simulated" if survey == "SIMULATED" else "rewritten in a LAMOST layout"
        header["ORIGIN"] = (f"racnet_tools, {origin}", "not LAMOST's")
        header["SURVEY"] = (survey, "where the spectrum is from")
    identity = _SPEC_ID.match(spec_id)
    if identity:
        header["LMJD"] = (int(identity[1]), "Local Modified Julian Day")
        header["PLANID"] = (_ascii(identity[2]), "Plan ID in use")
        header["SPID"] = (int(identity[3]), "Spectrograph ID")
        header["FIBERID"] = (int(identity[4]), "Fiber ID of object")
    if row["ra"] is not None:
        header["RA"] = (float(row["ra"]), "[deg] Right ascension of object")
    if row["dec"] is not None:
        header["DEC"] = (float(row["dec"]), "[deg] Declination of object")
    header["DESIG"] = _ascii(("LAMOST " if survey == "LAMOST" else "") + str(row["object_id"]))
    header["HELIO"] = (True, "Heliocentric correction")
    header["VACUUM"] = (True, "Wavelengths are in vacuum")
    header["COEFF0"] = (coeff0, "Central wavelength (log10) of first pixel")
    header["COEFF1"] = (coeff1, "Log10 dispersion per pixel")
    header["CRVAL1"] = (coeff0, "Central wavelength (log10) of first pixel")
    header["CD1_1"] = (coeff1, "Log10 dispersion per pixel")
    header["CRPIX1"] = (1, "Starting pixel (1-indexed)")
    header["CTYPE1"] = "LINEAR"
    header["DC-FLAG"] = (1, "Log-linear flag")
    if row["label"] is not None:
        header["CLASS"] = ("Unknown" if row["label"] == "UNKNOWN" else str(row["label"]), "Class of object")
    header["SUBCLASS"] = ("Non" if row["subclass"] is None else _ascii(str(row["subclass"])), "Subclass of object")
    header["Z"] = (_number(row["z"]), "Redshift of object")
    header["Z_ERR"] = (_number(row["z_err"]), "Redshift error of object")
    for band in "ugriz":
        key = f"SN_{band.upper()}" if layout == "image5_sub" else f"SNR{band.upper()}"
        header[key] = (_number(row[f"snr_{band}"]), f"SNR of {band} filter")


def _number(value: Any) -> float:
    return _NULL if value is None or not np.isfinite(value) else float(value)


def _ascii(text: str) -> str:
    return text.encode("ascii", errors="replace").decode("ascii")
