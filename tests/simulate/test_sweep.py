"""Objects moved through redshift: everything moves with it that must, and nothing else changes."""

import numpy as np
import pytest
from rest_frame import WAVE

from racnet_tools.errors import RacnetError
from racnet_tools.simulate import SWEEP_RANGES, redshift_sweep, simulate, sweep
from racnet_tools.simulate.galaxies import galaxies_at_rest, observe_galaxies
from racnet_tools.simulate.igm import intergalactic_transmission, sightline_transmission
from racnet_tools.simulate.instrument import blue_snr, expose
from racnet_tools.simulate.nebular import LINES
from racnet_tools.spectra import LAMOST_GRID

N = LAMOST_GRID.n_pixels


def drawn(kind: str, n: int, seed: int = 3):
    """Columns and noiseless light of objects, as a function of redshift."""
    columns, render = sweep._DRAW.get(kind, sweep._draw_stars)(kind, n, np.random.default_rng(seed))
    return columns, lambda z: render(np.full(n, float(z)))


def centre(row: np.ndarray, wave: float, half: int = 4) -> float:
    """Pixel of a narrow line near a wavelength: centroid above the level beside it."""
    middle = round(float(LAMOST_GRID.pixel_of(wave)))
    near = row[middle - half : middle + half + 1]
    height = near - np.linspace(near[0], near[-1], len(near))
    return middle + (height * np.arange(-half, half + 1)).sum() / height.sum()


@pytest.mark.parametrize(
    ("line", "redshifts"),
    [(6564.61, (0.0, 0.05, 0.1234, 0.3, 0.38)), (5008.24, (0.0, 0.3, 0.52, 0.81))],
    ids=["H alpha", "[O III]"],
)
def test_lines_of_galaxies_lie_at_their_redshift(line, redshifts):
    columns, render = drawn("GALAXY", 120)
    strong = columns["subclass"] == "starburst"
    assert strong.sum() > 5
    for z in redshifts:
        place = np.array([centre(row, line * (1 + z)) for row in render(z)[strong]])
        assert np.abs(np.median(place - LAMOST_GRID.pixel_of(line * (1 + z)))) < 0.5
        assert np.median(np.abs(place - LAMOST_GRID.pixel_of(line * (1 + z)))) < 0.5


def test_c_iv_moves_with_the_redshift():
    columns, render = drawn("QSO", 40)
    plain = columns["subclass"] == ""
    places = []
    for z in (1.6, 2.0, 3.1, 4.0, 4.7):
        window = slice(*np.searchsorted(WAVE, [1515 * (1 + z), 1585 * (1 + z)]))
        light = render(z)[plain, window]
        height = (light - light.min(axis=1, keepdims=True)) ** 4  # the peak counts
        pixel = (height * np.arange(window.start, window.stop)).sum(axis=1) / height.sum(axis=1)
        places.append(pixel - LAMOST_GRID.pixel_of(1549.5 * (1 + z)))
    assert np.abs(np.median(places)) < 30  # the line is 200 pixels wide and lies a little blueward of its redshift
    assert np.abs(np.median(np.array(places) - places[0], axis=1)).max() < 0.5
    assert np.ptp(places, axis=0).max() < 1.5


@pytest.mark.parametrize(
    ("kind", "one", "other", "low", "high", "tolerance"),
    [
        ("STAR", -0.001, 0.002, 3750, 9000, 0.03),
        ("F", -0.01, 0.01, 3750, 8900, 0.03),
        ("GALAXY", 0.1, 0.6, 3500, 5600, 0.05),
        ("QSO", 0.8, 1.4, 2100, 3700, 0.03),
        ("QSO", 2.6, 4.1, 1240, 1750, 0.03),
    ],
)
def test_light_agrees_after_shifting_back(kind, one, other, low, high, tolerance):
    _columns, render = drawn(kind, 30)
    rest = 10 ** np.arange(np.log10(low), np.log10(high), LAMOST_GRID.step)
    a, b = (np.array([np.interp(rest * (1 + z), WAVE, row) for row in render(z)]) for z in (one, other))
    differences = np.abs(a / np.maximum(b, 1e-3 * b.max(axis=1, keepdims=True)) - 1)
    if kind == "QSO":  # damped absorbers that the nearer quasar does not have in front of it
        differences = differences[(differences[:, rest > 1400] < 0.2).all(axis=1)]
        assert len(differences) > 24
    assert np.percentile(differences, 99) < tolerance


def test_stars_move_by_less_than_a_pixel():
    """z = 0.0005 is 2.17 pixels."""
    _, render = drawn("K", 5)
    still, moved = render(0.0), render(0.0005)
    pixels = np.arange(1500, 2500)
    for a, b in zip(still, moved, strict=True):
        shifts = np.arange(0, 5, 0.05)
        misfit = [((np.interp(pixels - s, np.arange(N), a) - b[pixels]) ** 2).sum() for s in shifts]
        assert shifts[int(np.argmin(misfit))] == pytest.approx(np.log10(1.0005) / 1e-4, abs=0.1)


@pytest.mark.parametrize(
    ("line", "number", "there", "gone"), [("Halpha", 6564.61, 0.38, 0.40), ("[OIII]b", 5008.24, 0.81, 0.83)]
)
def test_what_left_the_window_is_gone(line, number, there, gone):
    some = galaxies_at_rest(np.full(10, "starburst"), np.random.default_rng(1))
    without = some._replace(ratios=some.ratios * (np.array(list(LINES)) != line))

    def difference(z):
        return observe_galaxies(some, np.full(10, z)) - observe_galaxies(without, np.full(10, z))

    assert np.abs(LAMOST_GRID.pixel_of(number * (1 + there)) - difference(there).argmax(axis=1)).max() <= 0.5
    assert not difference(gone).any()


@pytest.mark.parametrize("kind", ["STAR", "G", "GALAXY"])
def test_the_redshift_drawn_gives_the_spectrum_of_simulate(kind):
    plain = simulate({kind: 25}, seed=(4, 2))
    for row in (0, 7):
        own = plain.table["z"][row]
        moved = redshift_sweep(kind, [own], 25, seed=(4, 2))
        same = [
            i for i in range(25) if np.array_equal(moved.flux[i], plain.flux[row])
            and np.array_equal(moved.ivar[i], plain.ivar[row]) and np.array_equal(moved.mask[i], plain.mask[row])
        ]  # fmt: skip
        assert len(same) == 1
        for name in ("label", "subclass", "z", "template", "ebv", "pipeline", "snr_r"):
            assert moved.table[name][same[0]] == plain.table[name][row]


@pytest.mark.parametrize(("kind", "z"), [("STAR", (-0.002, 0, 0.0013)), ("GALAXY", (0, 0.3, 1)), ("QSO", (0, 2.6, 5))])
def test_a_redshift_does_not_depend_on_the_others(kind, z):
    many = redshift_sweep(kind, z, 12, seed=8)
    alone = redshift_sweep(kind, z[1:2], 12, seed=8)
    assert np.array_equal(many.flux[1::3], alone.flux)
    assert np.array_equal(many.ivar[1::3], alone.ivar)
    assert np.array_equal(many.mask[1::3], alone.mask)
    other = redshift_sweep(kind, z[1:2], 12, seed=9)
    assert not np.array_equal(other.flux, alone.flux)


def test_the_noise_of_an_object_is_the_same(monkeypatch):
    """In units of its standard deviation; and so are lost pixels, dust and pipeline."""
    noise = []

    def record(light, snr, first, rng, blue):
        flux, ivar, mask = expose(light, snr, first, rng, blue)
        noise.append(np.where(ivar > 0, (flux - light) * np.sqrt(ivar), 0))
        return flux, ivar, mask

    monkeypatch.setattr(sweep, "expose", record)
    spectra = redshift_sweep("GALAXY", [0.05, 0.7], 40, seed=2)
    # Real differences of a pixel here and there: at the last pixels before zeros the flux itself is wrong by some
    # per cent. Float32 limits the rest.
    assert np.mean(np.abs(noise[0] - noise[1]) < 0.02 * (1 + np.abs(noise[0]))) > 0.97
    assert np.corrcoef(noise[0][:, :3000].ravel(), noise[1][:, :3000].ravel())[0, 1] > 0.99
    assert np.array_equal(spectra.mask[::2], spectra.mask[1::2])
    for name in ("ebv", "pipeline", "template", "subclass", "object_id"):
        assert list(spectra.table[name][::2]) == list(spectra.table[name][1::2])
    snr = np.array([np.median((f * np.sqrt(i))[~m]) for f, i, m in zip(
        spectra.flux, spectra.ivar, spectra.mask, strict=True)])  # fmt: skip
    np.testing.assert_allclose(snr[::2], snr[1::2], rtol=0.12)


def test_the_blue_end_that_expose_finds_is_the_one_foretold():
    light = 1 + 0.2 * np.random.default_rng(1).random((6, N), np.float32)
    first, snr = np.arange(6) % 2 == 0, np.full(6, 9.0)
    plain = expose(light, snr, first, np.random.default_rng(5))
    foretold = expose(
        light, snr, first, np.random.default_rng(5), blue_snr(light, snr, first, np.random.default_rng(5))
    )
    for a, b in zip(plain, foretold, strict=True):
        assert np.array_equal(a, b)


def test_the_forest_appears_beyond_redshift_2():
    seeds = list(range(40))
    for z in (0.0, 1.0, 2.04):
        assert (sightline_transmission(np.full(40, z), seeds) == 1).all()
    for z in (2.15, 3.0, 4.5):
        through = sightline_transmission(np.full(40, z), seeds)
        blue = 1215.67 * (1 + z) > WAVE
        assert through[:, blue].mean() < 0.93
        assert np.median(through[:, ~blue]) == 1
    near, far = (sightline_transmission(np.full(40, z), seeds) for z in (3.0, 3.5))
    both = (WAVE > 1026 * 4.5) & (WAVE < 1195 * 4.0)  # in the forest of the nearer, redward of the farther's Lyman beta
    same = np.abs(near[:, both] - far[:, both]).max(axis=1) < 0.02
    assert same.mean() > 0.8  # in the others a damped system lies between the two


def test_kept_lines_of_sight_absorb_as_much_as_others():
    z = np.full(300, 3.2)
    kept = sightline_transmission(z, list(range(300)))
    fresh = intergalactic_transmission(z, np.random.default_rng(1))
    for low, high in ((930, 1020), (1040, 1200)):
        near = (low * 4.2 < WAVE) & (high * 4.2 > WAVE)
        assert kept[:, near].mean() == pytest.approx(fresh[:, near].mean(), rel=0.03)


def test_quasars_at_every_redshift_are_finite_and_have_flux():
    spectra = redshift_sweep("QSO", [0.0, 0.03, 0.05, 0.79, 0.81, 2.0, 5.0], 20, seed=6)
    assert np.isfinite(spectra.flux).all()
    assert "type2" not in set(spectra.table["subclass"].filled(""))
    _columns, render = drawn("QSO", 30)
    assert render(0.0).min() > 0
    # No step where host galaxies and narrow lines fall away in a survey, nor where the power law takes over.
    for low, high in ((0.7795, 0.7805), (0.7995, 0.8005), (0.0430, 0.0440)):
        a, b = (render(z)[:, 200:3800] for z in (low, high))
        assert np.median(np.abs(a / b - 1)) < 0.01


def test_pixels_beyond_a_stars_template_are_masked():
    spectra = redshift_sweep("STAR", [-0.01, -0.002, 0.0, 0.002, 0.01], 4, seed=1)
    ends = spectra.mask[:, -12:].all(axis=1).reshape(4, 5)
    assert ends[:, 0].all()
    assert (ends[:, 1:] == ends[:, 2:3]).all()
    assert not spectra.ivar[::5][:, -12:].any()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("STAR", [[3.1525, 1.36221, 0.32332], [0.06257, 0.84128, 1.02162], [0.39526, 0.77183, 1.43062]]),
        ("GALAXY", [[0.40385, 0.97432, 1.067], [0.33268, 0.75901, 1.28747], [0.25241, 0.83537, 1.3797]]),
        ("QSO", [[5.82332, 1.64142, 0.93338], [1.91108, 1.06318, 0.67137], [2.49971, 1.21365, 0.79447]]),
        ("UNKNOWN", [[0.0, 3.47105, 0.83274], [-1.0553, 0.42768, 1.39439], [0.72417, 0.98013, 0.91846]]),
    ],
)
def test_a_seed_goes_on_giving_the_same_survey(name, expected):
    """Data sets, presets and published figures name a seed: a change of what is drawn, or when, would break them."""
    spectra = simulate({name: 3}, seed=(11, 3))
    np.testing.assert_allclose(spectra.flux[:, [300, 1500, 2900]], expected, rtol=1e-3, atol=1e-4)


def test_rows_and_columns():
    z = [0.0, 0.001]
    spectra = redshift_sweep("F", z, 3, seed=(5, 1))
    table = spectra.table
    assert table["object"].tolist() == [0, 0, 1, 1, 2, 2]
    assert table["z"].tolist() == z * 3
    assert len(set(table["object_id"])) == 3
    assert len(set(table["spec_id"])) == 6
    assert set(table["label"]) == {"STAR"}
    assert set(table["subclass"]) == {"F"}
    assert set(simulate({"F": 2}, seed=1).table.colnames) | {"object"} == set(table.colnames)


@pytest.mark.parametrize(
    ("kind", "z", "n"),
    [("UNKNOWN", [0.0], 1), ("STAR", [0.02], 1), ("GALAXY", [-0.1], 1), ("QSO", [5.1], 1), ("QSO", [], 1),
     ("QSO", [[1.0]], 1), ("QSO", [np.nan], 1), ("QSO", [1.0], 0), ("OB", [0.0], 1)],
)  # fmt: skip
def test_what_cannot_be_moved_is_refused(kind, z, n):
    with pytest.raises(RacnetError, match=r"Expected .* Received"):
        redshift_sweep(kind, z, n, seed=1)


def test_ranges_are_the_papers_and_beyond():
    assert SWEEP_RANGES["STAR"][0] < -0.002
    assert SWEEP_RANGES["STAR"][1] > 0.002
    assert SWEEP_RANGES["GALAXY"] == (0.0, 1.0)
    assert SWEEP_RANGES["QSO"] == (0.0, 5.0)
