"""The template files: what they hold, and that lines are where physics puts them."""

import numpy as np
import pytest

from racnet_tools.resources import data_path
from racnet_tools.simulate.stars import stellar_type
from racnet_tools.simulate.templates import galaxies, quasars, stars


def wave_of(library) -> np.ndarray:
    return 10 ** (3.5682 + 1e-4 * (library.first_pixel + np.arange(library.flux.shape[1])))


def extremum(library, rows, wavelength: float, half: int = 8, emission: bool = False) -> float:
    """Distance in pixels of the lowest (highest) pixel of the mean spectrum from a wavelength."""
    place = (np.log10(wavelength) - 3.5682) / 1e-4 - library.first_pixel
    first = round(place) - half
    stretch = library.flux[rows].mean(axis=0)[first : first + 2 * half + 1]
    return first + (stretch.argmax() if emission else stretch.argmin()) - place


@pytest.fixture(scope="module")
def source() -> dict[str, np.ndarray]:
    out = {}
    for name in ("stars", "galaxies"):
        with np.load(data_path("templates", f"{name}.npz"), allow_pickle=False) as f:
            out |= {f"{name}_{key}": f[key] for key in f.files if key not in ("flux_steps", "scale")}
    return out


def test_stars_have_the_documented_arrays_and_ranges(source):
    library = stars()
    assert library.flux.shape == (1139, 3998)
    assert library.flux.dtype == np.float32
    assert library.first_pixel == -58
    assert np.isfinite(library.flux).all()
    assert library.flux.min() >= 0
    np.testing.assert_allclose(library.flux.mean(axis=1), 1, rtol=1e-5)
    wave = wave_of(library)
    assert wave[0] == pytest.approx(3651, abs=1)
    assert wave[-1] == pytest.approx(9164, abs=1)
    for values, low, high in ((library.teff, 2400, 5.2e4), (library.logg, -0.5, 6), (library.feh, -5, 2)):
        assert values.shape == (1139,)
        assert low < np.nanmin(values)
        assert np.nanmax(values) < high
    kinds, counts = np.unique(stellar_type(library.teff), return_counts=True)
    assert dict(zip(kinds.tolist(), counts.tolist(), strict=True)) == {
        "O": 7, "B": 62, "A": 79, "F": 219, "G": 344, "K": 372, "M": 56,
    }  # fmt: skip
    assert np.unique(source["stars_source"], return_counts=True)[1].tolist() == [939, 54, 146]
    assert len(source["stars_name"]) == len(source["stars_mk_type"]) == 1139


def test_galaxies_have_the_documented_arrays_and_ranges(source):
    library = galaxies()
    assert library.flux.shape == (93, 7020)
    assert library.first_pixel == -3020
    assert np.isfinite(library.flux).all()
    assert library.flux.min() >= 0
    np.testing.assert_allclose(library.flux.mean(axis=1), 1, rtol=1e-5)
    assert wave_of(library)[0] == pytest.approx(1846, abs=1)
    assert wave_of(library)[-1] == pytest.approx(9292, abs=1)
    assert library.age.min() == pytest.approx(0.003)
    assert library.age.max() == pytest.approx(14)
    assert library.feh.min() == pytest.approx(-1.35)
    assert library.feh.max() < 0.5
    assert np.unique(source["galaxies_source"], return_counts=True)[1].tolist() == [40, 53]


def test_quasars_have_the_documented_arrays_and_ranges():
    library = quasars()
    for name, pixels, count, components, low, high in (
        ("uv", 1143, 1050, 10, 1200, 3100),
        ("optical", 1013, 3434, 9, 2200, 5100),
    ):
        wave, curves, coefficients = (getattr(library, f"{name}_{k}") for k in ("wave", "components", "coefficients"))
        assert wave.shape == (pixels,)
        assert curves.shape == (components, pixels)
        assert coefficients.shape == (count, components)
        assert (coefficients[:, 0] == 1).all()  # of the mean
        assert (np.diff(wave) > 0).all()
        assert wave[0] == pytest.approx(low, abs=8)
        assert wave[-1] == pytest.approx(high, abs=8)
        assert np.isfinite(curves).all()
        assert np.isfinite(coefficients).all()


@pytest.mark.parametrize("wavelength", [4102.89, 4341.68, 4862.69, 6564.61])
def test_balmer_lines_of_a_stars_are_at_vacuum_wavelengths(wavelength):
    """One pixel is 69 km/s; air wavelengths would be off by 83 km/s, 1.2 pixels."""
    library = stars()
    assert abs(extremum(library, stellar_type(library.teff) == "A", wavelength)) < 1


@pytest.mark.parametrize("origin", ["MILES", "SDSS mean"])
@pytest.mark.parametrize("wavelength", [5185.05, 5891.58, 8544.44, 8664.52], ids=["Mg b", "Na D2", "Ca II", "Ca II'"])
def test_metal_lines_of_k_stars_are_at_vacuum_wavelengths_in_both_sources(origin, wavelength, source):
    library = stars()
    rows = (stellar_type(library.teff) == "K") & (library.teff < 4700) & (source["stars_source"] == origin)
    assert rows.sum() > 20
    assert abs(extremum(library, rows, wavelength, half=4)) < 1


def test_cool_dwarfs_have_titanium_oxide_and_hot_stars_balmer_lines():
    library = stars()
    wave = wave_of(library)
    level = lambda low, high: library.flux[:, (wave > low) & (wave < high)].mean(axis=1)  # noqa: E731
    oxide = level(7126, 7135) / level(7042, 7046)  # TiO5 of Reid, Hawley & Gizis (1995), about
    h_beta = level(4853, 4873) / (0.5 * (level(4790, 4820) + level(4905, 4935)))
    kind = stellar_type(library.teff)
    assert np.median(oxide[library.teff < 3500]) < 0.65
    assert np.median(oxide[kind == "G"]) > 0.97
    assert np.median(h_beta[kind == "A"]) < 0.75
    assert np.median(h_beta[kind == "K"]) > 0.9


def test_hotter_stars_are_bluer():
    library = stars()
    wave = wave_of(library)
    colour = np.log(library.flux[:, wave < 4500].mean(axis=1) / library.flux[:, wave > 8000].mean(axis=1))
    kind = stellar_type(library.teff)
    medians = [np.median(colour[kind == letter]) for letter in "BAFGKM"]
    assert (np.diff(medians) < -0.2).all()


def steps(library, rows, wavelength: float, width: int) -> np.ndarray:
    """Ratio of the mean flux after and before a wavelength, three pixels off it."""
    place = round((np.log10(wavelength) - 3.5682) / 1e-4) - library.first_pixel
    after = library.flux[rows][:, place + 3 : place + 3 + width].mean(axis=1)
    return after / library.flux[rows][:, place - 2 - width : place - 2].mean(axis=1)


def test_the_red_ends_of_stars_join_on(source):
    ratio = steps(stars(), source["stars_source"] == "MILES", 7410, 12)
    assert np.median(ratio) == pytest.approx(1, abs=0.03)
    assert np.percentile(np.abs(ratio - 1), 95) < 0.05
    assert np.abs(ratio - 1).max() < 0.2  # two late M stars, where a TiO band ends


@pytest.mark.parametrize("wavelength", [3330, 3480, 3680, 3880])
def test_the_ultraviolet_of_populations_joins_on(wavelength):
    ratio = steps(galaxies(), slice(None), wavelength, 25)
    library = galaxies()
    near = [steps(library, slice(None), wavelength + shift, 25) for shift in (-60, -40, 40, 60)]
    spread = np.max(np.abs(np.array(near) - 1), axis=0)
    assert (np.abs(ratio - 1) < 1.5 * spread + 0.1).all()  # no steeper than what lies around


def test_old_populations_have_the_4000_angstrom_break_and_young_ones_not():
    library = galaxies()
    wave = wave_of(library)
    level = lambda low, high: library.flux[:, (wave > low) & (wave < high)].mean(axis=1)  # noqa: E731
    dn = level(4000, 4100) / level(3850, 3950)  # Balogh et al. (1999), per wavelength
    assert np.median(dn[library.age > 8]) > 1.6
    assert np.median(dn[library.age < 0.05]) < 1.1
