"""Small files in the layouts of LAMOST, SDSS and DESI: a flat continuum, one emission line, noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from racnet_tools.readers import write_lamost
from racnet_tools.spectra import LogLambdaGrid, SpectrumSet

LINE = 6564.61  # H-alpha, vacuum


def line_spectrum(wave: np.ndarray, seed: int = 0, line: float = LINE) -> tuple[np.ndarray, np.ndarray]:
    """Flux and ivar: 100 with noise of 1, and a line of height 200 and sigma 4 Angstrom."""
    rng = np.random.default_rng(seed)
    flux = 100.0 + 200.0 * np.exp(-0.5 * ((wave - line) / 4.0) ** 2) + rng.standard_normal(len(wave))
    return flux.astype(np.float32), np.ones(len(wave), np.float32)


def line_position(wave: np.ndarray, flux: np.ndarray) -> float:
    """Centroid of the line."""
    weight = np.where(np.abs(wave - LINE) < 25, flux - 100.0, 0.0) * np.gradient(wave)
    return float((weight * wave).sum() / weight.sum())


def lamost_set(n_pixels: int = 3909, seed: int = 0, **row) -> SpectrumSet:
    grid = LogLambdaGrid(n_pixels=n_pixels)
    flux, ivar = line_spectrum(grid.wave, seed)
    mask = np.zeros(n_pixels, bool)
    mask[500:503] = True
    ivar[510:512] = 0
    columns = {
        "spec_id": "55862-GAC_105N29_B1_sp06-003",
        "object_id": "J063715.90+271356.5",
        "survey": "LAMOST",
        "label": "STAR",
        "subclass": "G5",
        "z": -7.138e-05,
        "z_err": 1.5e-05,
        "snr_u": 14.02,
        "snr_g": 71.41,
        "snr_r": 99.0,
        "snr_i": 120.5,
        "snr_z": None,
        "ra": 99.316263,
        "dec": 27.23237,
    }
    return SpectrumSet(grid.wave, flux, ivar, mask, [{**columns, **row}])


def lamost_file(folder: Path, layout: str = "image5", suffix: str = ".fits", **kwargs) -> Path:
    return write_lamost(lamost_set(**kwargs), folder / f"a{suffix}", layout, overwrite=True)[0]


def sdss_spec(path: Path, kind: str = "SPALL", n_pixels: int = 4600, start: float = 3.5526, exposures: int = 2) -> Path:
    wave = 10 ** (start + 1e-4 * np.arange(n_pixels))
    flux, ivar = line_spectrum(wave, 1)
    ivar[20:30] = 0
    mask = np.zeros(n_pixels, np.int32)
    mask[100:110] = 1 << 23  # BRIGHTSKY
    mask[200:300] = 1 << 4  # MANYBADCOLUMNS: the whole arm
    columns = [
        fits.Column("flux", "E", array=flux),
        fits.Column("loglam", "E", array=np.log10(wave)),
        fits.Column("ivar", "E", array=ivar),
        fits.Column("and_mask", "J", array=mask),
        fits.Column("or_mask", "J", array=mask),
    ]
    primary = fits.PrimaryHDU()
    primary.header["TELESCOP"] = "SDSS 2.5-M"
    primary.header["PLATEID"], primary.header["MJD"], primary.header["FIBERID"] = 266, 51602, 7
    # Not the first pixel's in files of SDSS-I/II plates.
    primary.header["COEFF0"], primary.header["COEFF1"] = (start if kind == "SPALL" else start - 0.003), 1e-4
    position = [fits.Column("PLUG_RA", "D", array=[150.1]), fits.Column("PLUG_DEC", "D", array=[-2.2])]
    if kind == "SPALL":
        position += [fits.Column("RA", "D", array=[150.1]), fits.Column("DEC", "D", array=[-2.2])]
    catalogue = [
        fits.Column("PLATE", "J", array=[266]),
        fits.Column("MJD", "J", array=[51602]),
        fits.Column("FIBERID", "J", array=[7]),
        fits.Column("CLASS", "6A", array=["GALAXY"]),
        fits.Column("SUBCLASS", "21A", array=["STARFORMING BROADLINE"]),
        fits.Column("Z", "E", array=[0.25]),
        fits.Column("Z_ERR", "E", array=[1e-5]),
        fits.Column("SN_MEDIAN", "5E", array=[[1.5, 10.5, 20.5, 19.5, -9999.0]]),
        fits.Column("SPECTROFLUX", "5E", array=[[1.0, 10.0, 100.0, 110.0, 120.0]]),
        fits.Column("SPECOBJID", "K", array=[2**62 + 1]),
        *position,
    ]
    hdus = [
        primary,
        fits.BinTableHDU.from_columns(columns, name="COADD"),
        fits.BinTableHDU.from_columns(catalogue, name=kind),
        fits.BinTableHDU.from_columns([fits.Column("LINENAME", "13A", array=["Ha"])], name="SPZLINE"),
    ]
    for i in range(exposures):
        hdus.append(fits.BinTableHDU.from_columns(columns[:2], name=f"B1-0010834{i}"))
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def sdss_spspec(path: Path, n_pixels: int = 3850, spec_class: int = 2) -> Path:
    wave = 10 ** (3.5797 + 1e-4 * np.arange(n_pixels))
    flux, _ = line_spectrum(wave, 2)
    error = np.full(n_pixels, 0.5, np.float32)
    error[:5] = 0
    mask = np.zeros(n_pixels, np.float32)
    mask[50:60] = 1 << 24  # NODATA
    mask[70:90] = 1 << 30  # EMLINE
    hdu = fits.PrimaryHDU(np.stack([flux, flux - 100, error, mask, np.zeros(n_pixels)]).astype(np.float32))
    cards = {
        "TELESCOP": "SDSS 2.5-M", "MJD": 51883, "PLATEID": 271, "FIBERID": 171, "COEFF0": 3.5797, "COEFF1": 1e-4,
        "CRVAL1": 3.5797, "CD1_1": 1e-4, "ARRAY1": "SPECTRUM", "ARRAY2": "CONTINUUM-SUBTRACTED SPECTRUM",
        "ARRAY3": "ERROR", "ARRAY4": "MASK", "SPEC_CLN": spec_class, "Z": 0.0651, "Z_ERR": 2.5e-4, "RAOBJ": 154.50197,
        "DECOBJ": -0.032774835, "SN_G": 12.146, "SN_R": 24.0559, "SN_I": 23.0821, "OBJID": " 756 1 3 258 166",
    }  # fmt: skip
    hdu.header.update(cards)
    hdu.writeto(path, overwrite=True)
    return path


ARMS = {"B": (3600.0, 5800.0), "R": (5760.0, 7620.0), "Z": (7520.0, 9824.0)}


def desi_arms(n: int = 3, flux=None) -> dict[str, dict[str, np.ndarray]]:
    """Arms of `n` fibres: by default the line spectrum without noise."""
    flux = flux or (lambda wave: 100.0 + 200.0 * np.exp(-0.5 * ((wave - LINE) / 4.0) ** 2))
    arms = {}
    for arm, (first, last) in ARMS.items():
        wave = np.arange(first, last + 0.4, 0.8)
        arms[arm] = {
            "WAVELENGTH": wave,
            "FLUX": np.tile(flux(wave), (n, 1)).astype(np.float32),
            "IVAR": np.full((n, len(wave)), 4.0, np.float32),
            "MASK": np.zeros((n, len(wave)), np.uint32),
        }
    return arms


def desi_coadd(path: Path, n: int = 3, arms=None, compressed: bool = True) -> Path:
    arms = arms or desi_arms(n)
    fibermap = [
        fits.Column("TARGETID", "K", array=39627652591521181 + np.arange(n)),
        fits.Column("TARGET_RA", "D", array=10.0 + 0.1 * np.arange(n)),
        fits.Column("TARGET_DEC", "D", array=-5.0 + 0.1 * np.arange(n)),
        fits.Column("OBJTYPE", "3A", array=["TGT"] * n),
    ]
    scores = [
        fits.Column(f"MEDIAN_COADD_SNR_{arm}", "E", array=np.full(n, snr))
        for arm, snr in zip("BRZ", (5, 6, 7), strict=True)
    ]
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU.from_columns(fibermap, name="FIBERMAP")]
    for arm, parts in arms.items():
        for name, array in parts.items():
            kind = fits.CompImageHDU if compressed and name == "MASK" else fits.ImageHDU
            hdus.append(kind(array, name=f"{arm}_{name}"))
        hdus.append(fits.ImageHDU(np.zeros((n, 3, len(parts["WAVELENGTH"])), np.float32), name=f"{arm}_RESOLUTION"))
    hdus.append(fits.BinTableHDU.from_columns(scores, name="SCORES"))
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def text_table(path: Path, delimiter: str = " ", names: str = "", n_pixels: int = 400) -> Path:
    wave = np.linspace(6400.0, 6800.0, n_pixels)
    flux, _ = line_spectrum(wave, 3)
    lines = [delimiter.join((f"{w:.4f}", f"{f:.5f}", "1.0")) for w, f in zip(wave, flux, strict=True)]
    path.write_text("\n".join([names, *lines] if names else lines) + "\n", encoding="utf-8")
    return path
