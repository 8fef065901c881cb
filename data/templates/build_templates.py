"""Make the template files of this folder from pinned PyPI wheels. Rerun: ``python data/templates/build_templates.py``.

The wheels are fetched with ``pip download --no-deps`` (so no dependency of theirs is installed), checked against the
sha256 sums below, and only the members needed are unzipped into a work folder; nothing of them is imported.

What comes out, beside this script (units, columns and sources are described in ``data/README.md``):

``stars.npz``     individual real stars and mean spectra of real stars with Teff, log g, [Fe/H] and MK type
``galaxies.npz``  simple stellar populations, extended into the rest-frame ultraviolet
``compact.npz``   a DA and a DQ white dwarf and two carbon stars, in the form of ``stars.npz``
``quasars.npz``   principal components of ln(flux) of real quasars, and the coefficients of each of them

Stars and galaxies sit on log10(lambda / Angstrom) = 3.5682 + 1e-4 (first_pixel + i), vacuum: LAMOST's own sampling.
Their spectra are stored as integers (flux / scale) differenced along wavelength, which compresses well;
`racnet_tools.simulate.templates` puts them together again.
"""

from __future__ import annotations

import argparse
import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls

from racnet_tools.files import sha256

HERE = Path(__file__).resolve().parent
LOGLAM0, STEP = 3.5682, 1e-4
STAR_PIXELS = (-58, 3940)  # 3651 to 9164 Angstrom: the LAMOST window and room for +-2000 km/s
GALAXY_PIXELS = (-3020, 4000)  # 1846 to 9293 Angstrom: fills the window up to z = 1.00
LEVELS = 2047  # integer levels of one spectrum: steps of 1/2047 of its maximum, below the noise of the sources
WHEELS = {
    "sdss-mangadap==4.5.0": "b8478bb24c32fe736fa6a2881805458719281862313838f8b032f3c10527ff34",
    "kastredux==1.1.4": "5d18f808c301c18b8adc3ef97650585e3b370ed3ce583161ed0d9d3956345c28",
    "pypeit==2.0.1": "675f465304bd296ec9afb8574e0649cb2b53416282ea519780299c76a03ca5c8",
    "kcorrect==5.1.9": "6234e449d3b3088e3132d1193f8c7e7a544b73e241c07fbfbda2c08da80622e2",
}
# Bands of water and oxygen that STELIB keeps (Angstrom, vacuum).
TELLURIC = ((6860, 6962), (7160, 7342), (7580, 7722), (8100, 8402), (8900, 9700))
LIBRARY = "mangadap/data/spectral_templates/"
# Effective temperature of main-sequence spectral types (Pecaut & Mamajek 2013, ApJS 208, 9), used where the source
# gives a type and no temperature; giants after Alonso et al. (1999, A&AS 140, 261).
DWARF_TEFF = {"K0": 5270, "K1": 5170, "K2": 5100, "K3": 4830, "K4": 4600, "K5": 4440, "K7": 4050}
DWARF_TEFF |= {"M0": 3800, "M1": 3660, "M2": 3560, "M3": 3410, "M4": 3200, "M5": 3060, "M6": 2810, "M7": 2680}
DWARF_TEFF |= {"M8": 2570, "M9": 2420}
GIANT_TEFF = {"K1": 4660, "K2": 4500, "K3": 4300, "K4": 4100, "K5": 3950, "K7": 3850}


def fetch(name: str, checksum: str, cache: Path) -> zipfile.ZipFile:
    """Download one pinned wheel into ``cache`` unless it is there, check its sha256 and open it."""
    stem = name.replace("==", "-").replace("sdss-mangadap", "sdss_mangadap")
    found = list(cache.glob(f"{stem}-*.whl"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d"]
        subprocess.run([*command, str(cache), name], check=True)
        found = list(cache.glob(f"{stem}-*.whl"))
    if sha256(found[0]) != checksum:
        raise SystemExit(f"{found[0]}: sha256 {sha256(found[0])}, expected {checksum}. Delete the file and run again.")
    return zipfile.ZipFile(found[0])


def wavelengths(pixels: tuple[int, int], edges: bool = False) -> np.ndarray:
    """Vacuum wavelengths (Angstrom) of the centres, or of the edges, of the pixels [first, last)."""
    index = np.arange(pixels[0], pixels[1] + edges) - 0.5 * edges
    return 10 ** (LOGLAM0 + STEP * index)


def to_vacuum(wave: np.ndarray) -> np.ndarray:
    """Air to vacuum wavelengths in Angstrom (Morton 2000, ApJS 130, 403, as used by VALD)."""
    s2 = (1e4 / wave) ** 2
    index = 1.00008336624212083 + 0.02408926869968 / (130.1065924522 - s2) + 1.599740894897e-4 / (38.92568793293 - s2)
    return wave * index


def rebin(wave: np.ndarray, flux: np.ndarray, pixels: tuple[int, int]) -> np.ndarray:
    """Mean flux density in each pixel (flux conserving, via a spline of the integral); NaN outside the input."""
    integral = CubicSpline(wave, flux).antiderivative()
    edges = wavelengths(pixels, edges=True)
    out = np.diff(integral(edges)) / np.diff(edges)
    out[(edges[:-1] < wave[0]) | (edges[1:] > wave[-1])] = np.nan
    return out


def read_fits(archive: zipfile.ZipFile, member: str) -> fits.HDUList:
    """Open a FITS member (gzipped or not) of a wheel in memory."""
    raw = archive.read(member)
    return fits.open(io.BytesIO(gzip.decompress(raw) if member.endswith(".gz") else raw))


def linear_spectrum(archive: zipfile.ZipFile, member: str) -> tuple[np.ndarray, np.ndarray]:
    """Air wavelengths and flux of a one-dimensional linear FITS spectrum."""
    with read_fits(archive, member) as hdus:
        header, flux = hdus[0].header, np.asarray(hdus[0].data, dtype=float)
    return header["CRVAL1"] + header["CDELT1"] * np.arange(flux.size), flux


def log_spectrum(archive: zipfile.ZipFile, member: str, pixels: tuple[int, int]) -> np.ndarray:
    """Spectrum already sampled at 1e-4 dex in vacuum, on the wanted pixels (phase differs by under 0.01 pixel)."""
    with read_fits(archive, member) as hdus:
        flux = np.asarray(hdus[0].data, dtype=float)
        first = round((hdus[0].header["CRVAL1"] - LOGLAM0) / STEP)
    out = np.full(pixels[1] - pixels[0], np.nan)
    source = np.arange(pixels[0], pixels[1]) - first
    inside = (source >= 0) & (source < flux.size)
    out[inside] = flux[source[inside]]
    return out


def read_miles(archive: zipfile.ZipFile) -> tuple[np.ndarray, list[tuple[str, str, float, float, float, str]]]:
    """MILES stars with known parameters: (n, n_pix) flux, NaN past 7411 Angstrom, and their parameters."""
    flux, rows = [], []
    for line in archive.read(LIBRARY + "miles/paramsMILES_v9.1.txt").decode("latin-1").splitlines()[2:]:
        try:
            number, teff, logg, feh = int(line[23:27]), float(line[47:56]), float(line[56:63]), float(line[63:72])
        except ValueError:
            continue  # no temperature, gravity or metallicity
        member = f"{LIBRARY}miles/MILES_res2.50_star_m{number:04d}V.fits"
        if member not in archive.namelist():
            continue
        wave, data = linear_spectrum(archive, member)
        bad = data <= 0
        if bad.sum() > 20:
            continue
        data[bad] = np.interp(wave[bad], wave[~bad], data[~bad])
        spectrum = rebin(to_vacuum(wave), data, STAR_PIXELS)
        flux.append(spectrum / np.nanmean(spectrum))
        rows.append((line[:20].strip(), line[34:47].strip(), teff, logg, feh, "MILES"))
    return np.array(flux), rows


def read_stelib(archive: zipfile.ZipFile) -> tuple[np.ndarray, list[tuple[str, str, float, float, float, str]]]:
    """STELIB stars with temperature and gravity and no gap from 3690 to 7400 Angstrom; telluric bands are NaN.

    Their spectra are at rest and freed of reddening. [Fe/H] is NaN where the library gives none (mostly hot stars).
    """
    wave, flux, rows = wavelengths(STAR_PIXELS), [], []
    for member in sorted(n for n in archive.namelist() if n.startswith(f"{LIBRARY}stelib/STELIB_v3.2_")):
        with read_fits(archive, member) as hdus:
            header = hdus[0].header
        kind, teff, logg, feh = (header.get(key, "-") for key in ("SPECTYPE", "TEFF", "LOG_G", "FE_H"))
        if str(kind)[:1] not in "OBAFGKM" or "-" in (teff, logg) or teff < 2000:
            continue
        air, data = linear_spectrum(archive, member)
        good = data > 0
        if good[(air > 3690) & (air < 7400)].mean() < 0.985:
            continue
        data = np.interp(air, air[good], data[good])
        spectrum = rebin(to_vacuum(air), data, STAR_PIXELS)
        spectrum[wave > to_vacuum(air[good][-1:])[0] - 20] = np.nan
        for low, high in TELLURIC:
            spectrum[(wave > low) & (wave < high)] = np.nan
        flux.append(spectrum / np.nanmean(spectrum))
        rows.append((Path(member).stem.split("_")[-1], str(kind), float(teff), float(logg), number(feh), "STELIB"))
    return np.array(flux), rows


def number(value: object) -> float:
    """A header's number; NaN for anything else."""
    return float(value) if isinstance(value, (int, float)) else np.nan


def read_standards(archive: zipfile.ZipFile) -> tuple[np.ndarray, list[tuple[str, str, float, float, float, str]]]:
    """SDSS mean spectra of K dwarfs and giants (Kesseli+ 2017) and of M dwarfs (Bochanski+ 2007)."""
    folder, flux, rows = "kastredux/resources/spectral_standards/", [], []
    for member in sorted(archive.namelist()):
        stem = member.removeprefix(folder).removesuffix(".txt").replace("_", "-")
        if not member.startswith(folder) or stem[0] not in "KM" or not stem.endswith(("kesseli2017", "bochanski2007")):
            continue
        giant, metallicity = "III" in stem, 0.0
        if "-Z" in stem:
            metallicity = float(stem.split("-Z")[1].split("-SDSS")[0])
        kind = stem[:2]
        teff = (GIANT_TEFF if giant else DWARF_TEFF)[kind]
        logg = 0.5 + 0.0022 * (teff - 3700) if giant else 4.6 + 0.25 * (teff < 3900) + 0.2 * (teff < 3200)
        wave, data, _ = np.loadtxt(io.BytesIO(archive.read(member))).T
        if metallicity < -1.2 or metallicity > 0.6:
            continue  # hardly any such star in LAMOST's survey, and noisy means
        spectrum = rebin(wave, np.clip(data, 0, None), STAR_PIXELS)
        flux.append(spectrum / np.nanmean(spectrum))
        rows.append((stem, kind + ("III" if giant else "V"), float(teff), logg, metallicity, "SDSS mean"))
    return np.array(flux), rows


def read_clusters(archive: zipfile.ZipFile) -> tuple[np.ndarray, list[str]]:
    """Mean spectra of 65 clusters of MaStar stars, 3622-10354 Angstrom, telluric bands removed."""
    names = [n for n in sorted(archive.namelist()) if n.startswith(LIBRARY + "mastarhc_v2/") and n.endswith(".fits.gz")]
    flux = np.array([log_spectrum(archive, n, STAR_PIXELS) for n in names])
    return flux / np.nanmean(flux, axis=1, keepdims=True), [Path(n).name.removesuffix(".fits.gz") for n in names]


def mixture(flux: np.ndarray, library: np.ndarray, use: np.ndarray) -> np.ndarray:
    """The non-negative mixture that fits ``flux`` best in the pixels ``use``, of the 8 best single matches."""
    target = flux[use]
    norm = library / library[:, use].mean(axis=1, keepdims=True) * target.mean()
    error = np.maximum(target, 0.1 * target.mean())
    chi2 = np.sum(((norm[:, use] - target) / error) ** 2, axis=1)
    best = norm[np.argsort(chi2)[:8]]
    weights, _ = nnls((best[:, use] / error).T, target / error)
    return weights @ best


def extend(flux: np.ndarray, library: np.ndarray, window: tuple[float, float], towards: str) -> np.ndarray:
    """Fill the NaN end of one spectrum with the best non-negative mixture of complete spectra.

    The mixture is fitted by least squares in ``window`` (Angstrom) among the 8 best single matches and joined by the
    ratio of the two, smoothed over 40 pixels, at the last good pixel: continuous in value.
    """
    wave = wavelengths(STAR_PIXELS)
    use = (wave > window[0]) & (wave < window[1]) & np.isfinite(flux)
    model = mixture(flux, library, use)
    good = np.flatnonzero(np.isfinite(flux))
    out = flux.copy()
    side = slice(good[-1] + 1, None) if towards == "red" else slice(None, good[0])
    rim = slice(good[-1] - 40, good[-1] + 1) if towards == "red" else slice(good[0], good[0] + 41)
    out[side] = model[side] * np.sum(flux[rim]) / np.sum(model[rim])
    return out


def bridge(flux: np.ndarray, library: np.ndarray) -> np.ndarray:
    """Fill the telluric bands, and a red end that is missing, from the best mixture of complete spectra.

    Each gap takes the mixture's shape, scaled along a straight line between the ratios of the two at its edges.
    """
    wave, missing = wavelengths(STAR_PIXELS), np.isnan(flux)
    use = ~missing & (wave > 5500) & (wave < 8900)
    model = mixture(flux, library, use)
    ratio = gaussian_filter1d(np.interp(wave, wave[~missing], (flux / model)[~missing]), 10)
    return np.where(missing, model * np.interp(wave, wave[~missing], ratio[~missing]), flux)


def build_stars(mangadap: zipfile.ZipFile, kastredux: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Stars of every source on one grid, extended to its whole width, with their parameters."""
    clusters, _ = read_clusters(mangadap)
    miles, miles_rows = read_miles(mangadap)
    standards, standard_rows = read_standards(kastredux)
    cool = np.array([row[2] < 3950 and row[3] > 4 for row in standard_rows])
    red_library = clusters[np.isfinite(clusters).all(axis=1)]
    dwarfs = np.array([extend(f, red_library, (3830, 5500), "blue") if np.isnan(f[0]) else f for f in standards])
    stars = []
    for flux, row in zip(miles, miles_rows, strict=True):
        library = np.vstack([red_library, dwarfs[cool]]) if row[2] < 4200 and row[3] > 3.5 else red_library
        stars.append(extend(flux, library, (5500, 7395), "red"))
    stelib, stelib_rows = read_stelib(mangadap)
    stars += [bridge(extend(f, red_library, (3800, 5500), "blue"), red_library) for f in stelib]
    flux = np.vstack([np.array(stars), dwarfs])
    rows = [*miles_rows, *stelib_rows, *standard_rows]
    columns = dict(zip(("name", "mk_type", "teff", "logg", "feh", "source"), zip(*rows, strict=True), strict=True))
    out = pack(flux, STAR_PIXELS[0])
    out |= {key: np.array(columns[key]) for key in ("name", "mk_type", "source")}
    return out | {key: np.array(columns[key], dtype=np.float32) for key in ("teff", "logg", "feh")}


def build_galaxies(mangadap: zipfile.ZipFile, kcorrect: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Simple stellar populations of two libraries, extended blueward.

    BC03 populations pass into the mixture of six kcorrect galaxy templates that fits them best at 20 pixels'
    resolution up to 5500 Angstrom; MaStar populations, noisy below 3800 Angstrom, into the best mixture of those.
    """
    wave = wavelengths(GALAXY_PIXELS)
    ultraviolet = []
    for name in ("kcorrect-default-v4.fits", "kcorrect-lrg1-v4.fits"):
        with read_fits(kcorrect, f"kcorrect/data/templates/{name}") as hdus:
            row = hdus[1].data[0]
            ultraviolet += [np.interp(wave, row["wave"], spectrum) for spectrum in np.atleast_2d(row["flux"])]
    library = np.array(ultraviolet)
    library /= library[:, (wave > 4000) & (wave < 5500)].mean(axis=1, keepdims=True)
    flux, age, metallicity, source = [], [], [], []
    for member in sorted(mangadap.namelist()):
        stem = Path(member).name
        if member.startswith(LIBRARY + "bc03_mpajhu/") and stem.endswith(".fits"):
            air, data = linear_spectrum(mangadap, member)
            spectrum = rebin(to_vacuum(air), data, GALAXY_PIXELS)
            parts = stem.removesuffix(".fits").split("_")
            age.append(float(parts[2][1:]))
            metallicity.append(np.log10(float(parts[1][1:]) / 0.02))
            source.append("BC03")
        elif member.startswith(LIBRARY + "mastar_ssp_v1.0/") and stem.endswith(".fits.gz"):
            own = float(stem.split("-A")[1].split("-Z")[0]), float(stem.removesuffix(".fits.gz").split("-Z")[1])
            if own == (0.01, 0.35):
                continue  # noise of a few stars
            spectrum = log_spectrum(mangadap, member, GALAXY_PIXELS)
            age.append(own[0])
            metallicity.append(own[1])
            source.append("MaStar")
        else:
            continue
        spectrum /= spectrum[(wave > 5450) & (wave < 5550)].mean()
        flux.append(spectrum)
    ours = [join_blue(f, library, 3330, 3480, 20) for f, s in zip(flux, source, strict=True) if s == "BC03"]
    theirs = [join_blue(f, np.array(ours), 3680, 3880, 4) for f, s in zip(flux, source, strict=True) if s == "MaStar"]
    out = pack(np.array([*ours, *theirs]), GALAXY_PIXELS[0])
    out |= {"age": np.array(age, dtype=np.float32), "feh": np.array(metallicity, dtype=np.float32)}
    return out | {"source": np.array(source)}


def join_blue(spectrum: np.ndarray, library: np.ndarray, start: float, end: float, smooth: float) -> np.ndarray:
    """Spectrum that passes into the best mixture of a library from ``end`` to ``start`` (Angstrom) and stays in it.

    The mixture is fitted from ``start`` to 5500 Angstrom, both smoothed by ``smooth`` pixels, and has the spectrum's
    level around the passage. A NaN red end is held at the last good value.
    """
    wave = wavelengths(GALAXY_PIXELS)
    good = np.flatnonzero(np.isfinite(spectrum))
    out = np.nan_to_num(spectrum)
    out[good[-1] + 1 :] = np.nanmedian(out[good[-1] - 20 : good[-1] + 1])
    first, last = np.searchsorted(wave, (start, 5500))
    target = gaussian_filter1d(out[good[0] :], smooth)[first - good[0] : last - good[0]]
    weights, _ = nnls((gaussian_filter1d(library, smooth, axis=1)[:, first:last] / target).T, np.ones(last - first))
    model = weights @ library
    middle = (wave > start) & (wave < end + 100)
    model *= out[middle].mean() / model[middle].mean()
    share = np.clip((wave - start) / (end - start), 0, 1)
    return share * out + (1 - share) * model


def build_compact(mangadap: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """White dwarfs and carbon stars: clusters of MaStar stars found by eye, and LTT 4364 of STELIB.

    STELIB calls LTT 4364 "DC:", but it has the Swan bands of a DQ. Its telluric bands are bridged by straight lines.
    """
    flux = []
    for number in ("74", "00", "88"):
        member = f"{LIBRARY}mastarhc_v2/MaStarHC_{number}.fits.gz"
        flux.append(np.clip(log_spectrum(mangadap, member, STAR_PIXELS), 0, None))
    air, data = linear_spectrum(mangadap, f"{LIBRARY}stelib/STELIB_v3.2_LTT4364.fits")
    wave = to_vacuum(air)
    bad = data <= 0
    for low, high in ((6855, 6965), (7155, 7345), (7575, 7725), (8090, 8405), (8900, 9300)):
        bad |= (wave > low) & (wave < high)
    smooth = gaussian_filter1d(np.interp(wave, wave[~bad], data[~bad]), 25)
    data[bad] = np.interp(wave[bad], wave[~bad], smooth[~bad])
    flux.insert(1, rebin(wave, data, STAR_PIXELS))
    spectra = np.array(
        [np.interp(wavelengths(STAR_PIXELS), wavelengths(STAR_PIXELS)[np.isfinite(f)], f[np.isfinite(f)]) for f in flux]
    )
    kinds = {"kind": np.array(["WD", "WD", "Carbon", "Carbon"]), "mk_type": np.array(["DA", "DQ", "C-N", "C-R"])}
    names = np.array(["MaStarHC_74", "LTT4364", "MaStarHC_00", "MaStarHC_88"])
    return pack(spectra, STAR_PIXELS[0]) | kinds | {"name": names}


def build_quasars(pypeit: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Components of ln(flux) and the coefficients of real quasars, as they are in the wheel, in single precision."""
    out: dict[str, np.ndarray] = {}
    for name, member in (("uv", "qso_pca_1200_3100.fits"), ("optical", "qso_pca_2200_5100.fits")):
        with read_fits(pypeit, f"pypeit/data/telluric/models/{member}") as hdus:
            row = hdus[1].data[0]
            out[f"{name}_wave"] = np.asarray(row["WAVE_PCA"], dtype=np.float64).ravel()
            out[f"{name}_components"] = np.asarray(row["PCA_COMP"], dtype=np.float32).reshape(
                -1, out[f"{name}_wave"].size
            )
            count = out[f"{name}_components"].shape[0]
            out[f"{name}_coefficients"] = np.asarray(row["PCA_COEFFS"], dtype=np.float32).reshape(-1, count)
    return out


def pack(flux: np.ndarray, first_pixel: int) -> dict[str, np.ndarray]:
    """Integer, differenced form of ``flux``: flux = scale[:, None] * cumsum(flux_steps, axis=1)."""
    if not np.isfinite(flux).all():
        raise SystemExit(f"{(~np.isfinite(flux)).sum()} template pixels are not finite: the sources have changed.")
    flux = np.clip(flux / flux.mean(axis=1, keepdims=True), 0, None)
    scale = (flux.max(axis=1) / LEVELS).astype(np.float32)
    levels = np.rint(flux / scale[:, None]).astype(np.int16)
    steps = np.diff(levels, axis=1, prepend=np.int16(0))
    return {"flux_steps": steps, "scale": scale, "first_pixel": np.array(first_pixel)}


def main() -> None:
    """Build the files (overwriting them) and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path("template_wheels"), help="folder that keeps the wheels")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for the .npz files")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    wheels = {name.split("==")[0]: fetch(name, checksum, options.cache) for name, checksum in WHEELS.items()}
    files = {
        "stars.npz": build_stars(wheels["sdss-mangadap"], wheels["kastredux"]),
        "galaxies.npz": build_galaxies(wheels["sdss-mangadap"], wheels["kcorrect"]),
        "compact.npz": build_compact(wheels["sdss-mangadap"]),
        "quasars.npz": build_quasars(wheels["pypeit"]),
    }
    for name, arrays in files.items():
        np.savez_compressed(options.output / name, **arrays)  # type: ignore[arg-type]
        print(f"{name}: {(options.output / name).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
