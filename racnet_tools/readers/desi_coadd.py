"""DESI `coadd` files: many fibres, three arms, joined onto one log-wavelength grid.

HDUs: FIBERMAP (TARGETID, TARGET_RA, TARGET_DEC, ... one row a fibre) and, for each arm B, R and Z, WAVELENGTH (vacuum,
heliocentric, Angstrom, 0.8 Angstrom steps), FLUX (1e-17 erg/s/cm2/Angstrom), IVAR and MASK (n x N); RESOLUTION is not
read. Arms: 3600-5800, 5760-7620 and 7520-9824 Angstrom.

Each arm is brought to `DESI_GRID` (the phase of the LAMOST grid, so that later steps slice), flux-conserving, and where
arms overlap the mean weighted by ivar is taken. Where a pixel is bad in one arm the other alone counts. The file has no
class and no redshift (redrock writes them elsewhere): they are missing. S/N per arm (SCORES: MEDIAN_COADD_SNR_B, _R,
_Z) stands in the columns snr_g, snr_r and snr_z, the bands nearest to the arms.

Reference: https://desidatamodel.readthedocs.io/en/latest/DESI_SPECTRO_REDUX/SPECPROD/healpix/SURVEY/PROGRAM/PIXGROUP/PIXNUM/coadd-SURVEY-PROGRAM-PIXNUM.html
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.readers.fits_parts import FitsParts, Hdu
from racnet_tools.readers.record import MIN_PIXELS, Record, known, make_record
from racnet_tools.spectra import LogLambdaGrid, SpectrumSet

__all__ = ["DESI_GRID", "NAME", "identify", "read"]

NAME = "desi_coadd"

#: 3600.0 to 9822.0 Angstrom on multiples of 1e-4.
DESI_GRID = LogLambdaGrid(start=3.5563, step=1e-4, n_pixels=4360)

_ARMS = "BRZ"
_MAX_FIBRES = 10_000  # 400 MB on the grid; a coadd of one healpix has up to some thousands
_PIECE = 256  # fibres resampled at once: bounds the intermediate arrays
_MAX_HDUS = 64
_WARNINGS = threading.Lock()  # Python's filters of warnings are shared by all threads


def identify(fits: FitsParts) -> bool:
    """Whether an HDU is called FIBERMAP and another B_FLUX, R_FLUX or Z_FLUX."""
    if fits.primary.axes and fits.primary.size:
        return False
    names = {hdu.name for hdu in fits.hdus(_MAX_HDUS)}
    return "FIBERMAP" in names and any(f"{arm}_FLUX" in names for arm in _ARMS)


def read(fits: FitsParts) -> Record:
    """All spectra of the file, in the order of FIBERMAP.

    Parameters
    ----------
    fits : FitsParts

    Returns
    -------
    Record
        On `DESI_GRID`.

    Raises
    ------
    ReadError
        If an arm or the fibre table is missing or of the wrong shape, or no fibre has any information.
    """
    hdus = {hdu.name: hdu for hdu in reversed(fits.hdus(_MAX_HDUS))}
    rows = _rows(fits, hdus)
    weighted = np.zeros((len(rows), DESI_GRID.n_pixels), np.float32)
    ivar = np.zeros_like(weighted)
    for arm in _ARMS:
        missing = [f"{arm}_{part}" for part in ("WAVELENGTH", "FLUX", "IVAR") if f"{arm}_{part}" not in hdus]
        if missing:
            raise fits.error(
                "three arms B, R and Z", f"no {' and no '.join(missing)}", "Give a coadd file with all three arms."
            )
        wave, flux_arm, ivar_arm, bad = _arm(fits, hdus, arm, len(rows))
        for start in range(0, len(rows), _PIECE):
            piece = slice(start, start + _PIECE)
            arrays = flux_arm[piece], ivar_arm[piece], None if bad is None else bad[piece]
            try:
                on_grid = SpectrumSet(wave, *arrays, rows[piece]).to_grid(DESI_GRID)
                weighted[piece] += np.where(on_grid.ivar > 0, on_grid.flux * on_grid.ivar, 0)
                ivar[piece] += on_grid.ivar
            except RacnetError as error:
                raise fits.error(f"arm {arm} inside 3600-9824 Angstrom", str(error)) from error
    flux = np.where(ivar > 0, weighted / ivar, np.float32(0))
    if not (ivar > 0).any():
        raise fits.error("a fibre with an inverse variance above zero", "none", "The file holds no information.")
    return make_record(fits.path, DESI_GRID.wave, flux, ivar, None, rows)


def _arm(
    fits: FitsParts, hdus: dict[str, Hdu], arm: str, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Wavelengths (N,), flux and ivar (n, N) and bad pixels (n, N) or None of one arm."""
    wave = hdus[f"{arm}_WAVELENGTH"]
    flux, ivar = hdus[f"{arm}_FLUX"], hdus[f"{arm}_IVAR"]
    shape = [wave.axes[0] if len(wave.axes) == 1 else -1, n]
    if flux.axes != shape or ivar.axes != shape or shape[0] < MIN_PIXELS:
        raise fits.error(
            f"{arm}_WAVELENGTH of N, and {arm}_FLUX and {arm}_IVAR of {n} x N (one row a fibre)",
            f"axes {wave.axes}, {flux.axes} and {ivar.axes}",
        )
    bad = _mask(fits, hdus.get(f"{arm}_MASK"), (n, shape[0]))
    angstrom = wave.image().astype(np.float64)
    step = (angstrom[-1] - angstrom[0]) / (len(angstrom) - 1)
    even = np.abs(angstrom - (angstrom[0] + step * np.arange(len(angstrom)))).max() < 0.1 * step
    if not (even and 2000 < angstrom[0] < angstrom[-1] < 20000):
        raise fits.error(
            f"wavelengths in even steps of Angstrom in {arm}_WAVELENGTH", f"others, from {angstrom[0]:.6g} on"
        )
    return angstrom, flux.image(), ivar.image(), bad


def _mask(fits: FitsParts, hdu: Hdu | None, shape: tuple[int, int]) -> np.ndarray | None:
    if hdu is None:
        return None
    if hdu.kind == "IMAGE":
        if hdu.axes != list(shape[::-1]):
            raise fits.error(f"{hdu.name} of {shape[0]} x {shape[1]}", f"axes {hdu.axes}")
        return hdu.image() != 0
    return _compressed_mask(fits, hdu, shape)


def _compressed_mask(fits: FitsParts, hdu: Hdu, shape: tuple[int, int]) -> np.ndarray:
    """DESI compresses its masks by tiles (a table with ZIMAGE = T); astropy unpacks them once the size is checked."""
    header = hdu.header
    if [header.get("ZNAXIS"), header.get("ZNAXIS1"), header.get("ZNAXIS2")] != [2, shape[1], shape[0]]:
        raise fits.error(f"{hdu.name} of {shape[0]} x {shape[1]}", f"{header.get('ZNAXIS2')} x {header.get('ZNAXIS1')}")
    hdu.require_data()
    from io import BytesIO

    from astropy.io import fits as astropy_fits

    blank = astropy_fits.PrimaryHDU().header.tostring().encode("ascii")
    raw = blank + hdu.raw()
    try:
        with _WARNINGS, warnings.catch_warnings(), astropy_fits.open(BytesIO(raw), memmap=False) as opened:
            warnings.simplefilter("ignore")
            mask = np.asarray(opened[1].data) != 0
    except Exception as error:  # whatever the unpacking of a damaged file raises
        raise fits.error(f"an intact compressed image in {hdu.name}", f"{type(error).__name__}: {error}") from error
    if mask.shape != shape:
        raise fits.error(f"{hdu.name} of shape {shape}", f"{mask.shape}")
    return mask


def _rows(fits: FitsParts, hdus: dict[str, Hdu]) -> list[dict[str, Any]]:
    table = hdus["FIBERMAP"]
    if "TARGETID" not in table.columns or not table.axes[1]:
        raise fits.error("a row a fibre with TARGETID in FIBERMAP", f"{', '.join(table.columns) or 'no columns'}")
    n = table.axes[1]
    if n > _MAX_FIBRES:
        raise fits.error(f"at most {_MAX_FIBRES} fibres", f"{n}", "Split the file.")
    table.require_data()
    targets = [str(int(value)) for value in table.column("TARGETID")[:, 0]]
    ra, dec = _numbers(table, "TARGET_RA"), _numbers(table, "TARGET_DEC")
    scores = hdus.get("SCORES")
    columns: dict[str, list[Any]] = {}
    for arm, band in zip(_ARMS, "grz", strict=True):
        name = f"MEDIAN_COADD_SNR_{arm}"
        usable = scores is not None and name in scores.columns and scores.axes[1] == n
        columns[f"snr_{band}"] = _numbers(scores, name) if scores is not None and usable else [None] * n
    path = str(fits.path)
    return [
        {
            "spec_id": targets[i],
            "object_id": targets[i],
            "survey": "DESI",
            "path": path,
            "ra": known(ra[i], high=360.0),
            "dec": known(dec[i], low=-90.0001, high=90.0),
            **{name: known(values[i]) for name, values in columns.items()},
        }
        for i in range(n)
    ]


def _numbers(table: Hdu, name: str) -> list[Any]:
    """First element of each row of a numeric column; None for every row where there is no such column."""
    if name not in table.columns:
        return [None] * table.axes[1]
    values = table.column(name)
    return values[:, 0].tolist() if values.ndim == 2 and values.shape[1] else [None] * table.axes[1]
