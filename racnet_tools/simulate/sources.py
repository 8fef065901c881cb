"""Which stars, galaxies and quasars a survey meets, at LAMOST's pixels and without noise.

They are drawn from the templates with realistic mixtures.

Each function returns flux (n, 3909) float32 and a mapping of table columns (n values each).
"""

from __future__ import annotations

import numpy as np

from racnet_tools.simulate.scene import C_KM_S, forest_transmission, observe
from racnet_tools.simulate.templates import galaxies, quasars, stars
from racnet_tools.spectra import LAMOST_GRID, air_to_vacuum

__all__ = ["STELLAR_BORDERS", "draw_galaxies", "draw_quasars", "draw_stars", "stellar_type"]

#: Upper border in effective temperature (K) of each spectral type, as LAMOST DR5 and later draw it. The borders of G
#: and K, the spread in [Fe/H] below and the size of the calibration errors were chosen on one half of the objects of a
#: collection of 389 real LAMOST stars (those whose identifier has an even CRC-32); the other half had no part in it.
STELLAR_BORDERS = {"M": 3850.0, "K": 5050.0, "G": 5850.0, "F": 7200.0, "A": 10000.0, "B": 30000.0, "O": 1e6}
# Mixture within STAR: LAMOST's own (mostly F, G, K) flattened, so that rare types are learnt too.
_MIXTURE = {"O": 0.01, "B": 0.04, "A": 0.14, "F": 0.22, "G": 0.24, "K": 0.22, "M": 0.13}
_FIELD_FEH = (-0.35, 0.45)  # mean and spread of [Fe/H] that templates are drawn with

# Rest-frame air wavelengths (Angstrom) and flux relative to H beta in H II regions (Osterbrock & Ferland 2006) and in
# Seyfert 2 / LINER nuclei.
_NEBULAR = {
    "[OII]": (3727.4, 2.5, 2.5),
    "[NeIII]": (3868.8, 0.2, 0.8),
    "Hdelta": (4101.7, 0.26, 0.26),
    "Hgamma": (4340.5, 0.47, 0.47),
    "Hbeta": (4861.3, 1.0, 1.0),
    "[OIII]a": (4958.9, 0.5, 2.7),
    "[OIII]b": (5006.8, 1.5, 8.0),
    "HeI": (5875.6, 0.12, 0.12),
    "[OI]": (6300.3, 0.06, 0.5),
    "[NII]a": (6548.1, 0.3, 0.9),
    "Halpha": (6562.8, 2.86, 3.1),
    "[NII]b": (6583.5, 0.9, 2.8),
    "[SII]a": (6716.4, 0.45, 0.8),
    "[SII]b": (6730.8, 0.35, 0.8),
}


def stellar_type(teff: np.ndarray) -> np.ndarray:
    """Letter of the spectral type for effective temperatures in K, by `STELLAR_BORDERS`."""
    letters, borders = np.array(list(STELLAR_BORDERS)), np.array(list(STELLAR_BORDERS.values()))
    return letters[np.minimum(np.searchsorted(borders, teff, side="right"), len(letters) - 1)]


def draw_stars(n: int, letter: str | None, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Stars of one type, or of the mixture where `letter` is None; even in temperature within a type."""
    library = stars()
    kind = stellar_type(library.teff)
    letters = np.full(n, letter) if letter else rng.choice(list(_MIXTURE), n, p=np.array(list(_MIXTURE.values())))
    feh = np.where(np.isfinite(library.feh), library.feh, -0.2)
    field = np.exp(-0.5 * ((feh - _FIELD_FEH[0]) / _FIELD_FEH[1]) ** 2) + 0.02
    index = np.empty(n, np.int64)
    for one in np.unique(letters):
        members = np.flatnonzero(kind == one)
        bins = np.histogram_bin_edges(np.log10(library.teff[members]), bins=10)
        place = np.clip(np.digitize(np.log10(library.teff[members]), bins) - 1, 0, 9)
        weight = field[members]
        weight = weight / np.bincount(place, weights=weight, minlength=10)[place]
        where = letters == one
        index[where] = rng.choice(members, where.sum(), p=weight / weight.sum())
    z = rng.standard_t(3, n).clip(-6, 6) * 50 / C_KM_S
    flux = observe(library.flux, library.first_pixel, index, z)
    names = {"subclass": kind[index], "z": z, "teff": library.teff[index], "logg": library.logg[index]}
    return flux, {**names, "feh": library.feh[index], "template": np.array([f"star-{i}" for i in index])}


def draw_galaxies(n: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Galaxies: an old and a young stellar population, a velocity dispersion, and nebular lines."""
    library = galaxies()
    z = np.where(rng.random(n) < 0.7, rng.gamma(2.2, 0.045, n), rng.uniform(0, 0.65, n)).clip(0.0005, 0.68)
    kind = rng.choice(["quiescent", "starforming", "starburst", "active"], n, p=[0.42, 0.33, 0.12, 0.13])
    age = np.select(
        [kind == "quiescent", kind == "starburst"],
        [rng.uniform(2, 14, n), rng.uniform(0.005, 1, n)],
        rng.uniform(0.3, 10, n),
    )
    old = _nearest(library, age, rng)
    young = _nearest(library, 10 ** rng.uniform(-2.3, -0.5, n), rng)
    share = np.select(
        [kind == "quiescent", kind == "starburst"],
        [rng.uniform(0, 0.01, n), rng.uniform(0.2, 0.9, n)],
        rng.uniform(0.02, 0.4, n),
    ).astype(np.float32)[:, None]
    reference = slice(-library.first_pixel, -library.first_pixel + 2000)  # both scaled at 3700 to 5860 Angstrom
    scaled = library.flux / library.flux[:, reference].mean(axis=1, keepdims=True)
    flux = (1 - share) * observe(scaled, library.first_pixel, old, z) + share * observe(
        scaled, library.first_pixel, young, z
    )
    flux = _smooth(flux, rng.uniform(60, 280, n))
    strength = np.select(
        [kind == "quiescent", kind == "starforming", kind == "starburst"],
        [rng.exponential(0.3, n), rng.lognormal(1.6, 0.8, n), rng.lognormal(3.0, 0.8, n)],
        rng.lognormal(1.4, 0.8, n),
    )
    _add_lines(flux, z, strength, kind == "active", rng)
    return flux, {
        "subclass": kind,
        "z": z,
        "template": np.array([f"galaxy-{a}-{b}" for a, b in zip(old, young, strict=True)]),
    }


def _nearest(library, age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    feh = rng.choice(np.unique(library.feh), len(age))
    distance = np.abs(np.log10(library.age)[None] - np.log10(age)[:, None]) + 0.5 * np.abs(
        library.feh[None] - feh[:, None]
    )
    return distance.argmin(axis=1)


def _smooth(flux: np.ndarray, sigma_km_s: np.ndarray) -> np.ndarray:
    """Gaussian velocity dispersion, by a filter in Fourier space (pixels are 69 km/s)."""
    frequency = np.fft.rfftfreq(flux.shape[1] + 256)
    padded = np.pad(flux, ((0, 0), (128, 128)), mode="edge")
    sigma = (sigma_km_s / (C_KM_S * np.log(10) * LAMOST_GRID.step))[:, None]
    response = np.exp(-2 * (np.pi * frequency * sigma) ** 2).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(padded) * response, padded.shape[1])[:, 128:-128].astype(np.float32)


def _add_lines(flux, z, equivalent_width, active, rng) -> None:
    """Add nebular lines whose H beta has the given rest equivalent width (Angstrom), in place."""
    n = len(z)
    width = rng.uniform(0.95, 1.5, n) + np.where(active, rng.uniform(0.5, 2.0, n), 0)  # sigma, pixels; R 1800 is 1.02
    dust = np.exp(-rng.exponential(0.3, n))
    centre = LAMOST_GRID.pixel_of(4862.7 * (1 + z)).astype(int)
    level = np.take_along_axis(flux, np.clip(centre, 20, LAMOST_GRID.n_pixels - 20)[:, None], 1)[:, 0]
    hbeta = np.maximum(level, 0.05) * equivalent_width * (1 + z)
    offsets = np.arange(-14, 15)
    for air, young, nucleus in _NEBULAR.values():
        wave = air_to_vacuum(air) * (1 + z)
        place = LAMOST_GRID.pixel_of(wave)
        ratio = (
            np.where(active, nucleus, young)
            * np.exp(0.35 * rng.standard_normal(n))
            * dust ** (4862.7 / (wave / (1 + z)) - 1)
        )
        columns = np.rint(place).astype(int)[:, None] + offsets
        profile = np.exp(-0.5 * ((columns - place[:, None]) / width[:, None]) ** 2)
        pixel = wave * np.log(10) * LAMOST_GRID.step  # Angstrom
        profile *= (hbeta * ratio / (np.sqrt(2 * np.pi) * width * pixel))[:, None]
        inside = (columns >= 0) & (columns < LAMOST_GRID.n_pixels)
        rows = np.broadcast_to(np.arange(n)[:, None], columns.shape)
        np.add.at(flux, (rows[inside], columns[inside]), profile[inside].astype(np.float32))


def draw_quasars(n: int, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Quasars: two stretches of principal components joined, a red end with broad H alpha, the Lyman-alpha forest."""
    library = quasars()
    z = np.where(rng.random(n) < 0.65, rng.uniform(0.1, 3.0, n), rng.gamma(4.0, 0.4, n)).clip(0.05, 4.6)
    step = 2e-4
    log_rest = np.arange(np.log10(650.0), np.log10(8700.0), step)
    rest = 10**log_rest
    uv_index = rng.integers(0, len(library.uv_coefficients), n)
    optical_index = rng.integers(0, len(library.optical_coefficients), n)
    uv = _components(library.uv_wave, library.uv_components, library.uv_coefficients[uv_index], rest)
    optical = _components(
        library.optical_wave, library.optical_components, library.optical_coefficients[optical_index], rest
    )
    overlap = (rest > 2250) & (rest < 2900)
    uv += (optical[:, overlap] - uv[:, overlap]).mean(axis=1, keepdims=True)
    fade = np.clip((rest - 2250) / 650, 0, 1)
    log_flux = uv * (1 - fade) + optical * fade
    blue, red = rest < library.uv_wave[0] + 5, rest > library.optical_wave[-1] - 5
    slope = rng.normal(-1.2, 0.4, (n, 1))  # F_lambda; Vanden Berk et al. (2001, AJ 122, 549) redward, bluer in the UV
    anchor_red = log_flux[:, np.flatnonzero(~red)[-40:]].mean(axis=1, keepdims=True)
    anchor_blue = log_flux[:, np.flatnonzero(~blue)[0] + np.arange(3)].mean(axis=1, keepdims=True)
    log_flux = np.where(red, anchor_red + slope * np.log(rest / library.optical_wave[-1]), log_flux)
    log_flux = np.where(blue, anchor_blue - 0.35 + rng.normal(-1.0, 0.5, (n, 1)) * np.log(rest / 1200.0), log_flux)
    flux = np.exp(np.clip(log_flux - np.median(log_flux, axis=1, keepdims=True), -6, 6))
    _add_broad(flux, rest, rng)
    observed = _sample(flux, log_rest, z)
    narrow = rng.exponential(6, n) * (z < 0.9)
    _add_lines(observed, z, narrow * 0.12, np.ones(n, bool), rng)
    lyman = LAMOST_GRID.wave[None] / (1 + z)[:, None]
    observed *= forest_transmission(lyman, z, rng)
    return observed, {
        "z": z,
        "template": np.array([f"quasar-{a}-{b}" for a, b in zip(uv_index, optical_index, strict=True)]),
    }


def _components(wave, components, coefficients, rest) -> np.ndarray:
    inside = np.clip(rest, wave[0], wave[-1])
    curves = np.array([np.interp(inside, wave, curve) for curve in components])
    return coefficients @ curves


def _add_broad(flux: np.ndarray, rest: np.ndarray, rng: np.random.Generator) -> None:
    """Broad H alpha and He I beyond the components, and narrow [N II] lost in it: equivalent widths of Vanden Berk."""
    sigma = rng.uniform(1200, 3500, len(flux)) / C_KM_S
    red = rest > 5150
    for centre, ew, spread in ((6564.6, 195.0, 0.35), (5877.2, 5.0, 0.5)):
        width = sigma * centre
        profile = np.exp(-0.5 * ((rest[red] - centre) / width[:, None]) ** 2) / (np.sqrt(2 * np.pi) * width[:, None])
        flux[:, red] *= 1 + (ew * np.exp(spread * rng.standard_normal(len(flux))))[:, None] * profile


def _sample(flux: np.ndarray, log_rest: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Quasar spectra at the pixels of the LAMOST grid (their components are coarser than it, so linear will do)."""
    log_wave = np.log10(LAMOST_GRID.wave)
    rows = [np.interp(log_wave - np.log10(1 + one), log_rest, row) for one, row in zip(z, flux, strict=True)]
    return np.array(rows, np.float32)
