"""Nearest template: the template itself is found, at its redshift, under noise, reddening and at low S/N."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import TemplateMatcher, baselines_template
from racnet_tools.simulate import redshift_sweep, simulate
from racnet_tools.simulate.galaxies import draw_galaxies
from racnet_tools.simulate.scene import observe
from racnet_tools.simulate.stars import stellar_type
from racnet_tools.simulate.templates import stars
from racnet_tools.spectra import LAMOST_GRID, Preprocessing

WAVE = LAMOST_GRID.wave
CLASSES = ("STAR", "GALAXY", "QSO")


@pytest.fixture(scope="module")
def mixed():
    spectra = simulate({"STAR": 30, "GALAXY": 30, "QSO": 30}, seed=7)
    return Preprocessing()(spectra), spectra.table


def test_a_template_finds_itself_at_its_velocity_behind_dust():
    library = stars()
    index = np.arange(0, len(library.flux), 60)
    z = np.linspace(-0.0018, 0.0018, len(index))
    flux = observe(library.flux, library.first_pixel, index, z) * (WAVE / 5500) ** 1.2 * 7
    found = TemplateMatcher(CLASSES).match(flux.astype(np.float32))
    assert (found["label"] == "STAR").mean() > 0.9
    feh = np.where(np.isfinite(library.feh), library.feh, -0.2)
    assert (found["subclass"] == stellar_type(library.teff, feh)[index]).mean() > 0.85
    assert np.percentile(np.abs(found["z"] - z), 80) * 299792 < 15  # km/s; a pixel is 69


def test_galaxies_are_found_at_their_redshift():
    flux, columns = draw_galaxies(40, np.random.default_rng(5))
    noisy = flux + 0.05 * np.median(flux, axis=1, keepdims=True) * np.random.default_rng(6).standard_normal(flux.shape)
    found = TemplateMatcher(CLASSES).match(noisy.astype(np.float32))
    assert (found["label"] == "GALAXY").mean() > 0.9
    assert (np.abs(found["z"] - columns["z"]) < 0.002 * (1 + columns["z"])).mean() > 0.85


def test_quasars_are_found_at_their_redshift():
    spectra = redshift_sweep("QSO", [0.4, 1.7, 2.6, 3.9], 12, seed=2)
    found = TemplateMatcher(CLASSES).match(Preprocessing()(spectra))
    z = np.asarray(spectra.table["z"])
    assert (found["label"] == "QSO").mean() > 0.8
    assert (np.abs(found["z"] - z) < 0.015 * (1 + z)).mean() > 0.75


def test_classes_of_simulated_spectra(mixed):
    x, table = mixed
    matcher = TemplateMatcher(CLASSES)
    right = np.array(CLASSES)[matcher.predict(x)] == np.asarray(table["label"])
    assert right.mean() > 0.8
    found = matcher.match(x)
    scores = np.stack([found[f"score_{name}"] for name in CLASSES])
    np.testing.assert_allclose(found["score"], scores.max(axis=0))
    again = matcher.match(x * 1000)
    assert (again["label"] == found["label"]).all()
    np.testing.assert_allclose(again["z"], found["z"], atol=1e-4)


def test_all_shifts_at_once_are_what_one_shift_after_the_other_gives():
    """The transforms against chi-square written out."""
    rng = np.random.default_rng(3)
    template = 1 + 0.3 * rng.random((2, 300 + 3909), np.float32)
    ratio, weight = rng.standard_normal((1, 3909), np.float32), rng.random((1, 3909), np.float32) + 0.5
    moved = baselines_template._transformed(template, 300, 300, 1, np.array(["one", "two"]))
    own, _ = baselines_template._relative(template)
    found = baselines_template._match_moved(ratio, weight, moved)
    best = -np.inf, 0, 0
    for which in range(2):
        for shift in range(301):
            here = own[which, 300 - shift : 300 - shift + 3909]
            cross, square = (ratio * weight * here).sum(), (weight * here**2).sum()
            strength = np.clip(cross / square, 0.6, 1.6)
            chi = (weight * ratio**2).sum() - (weight * (ratio - strength * here) ** 2).sum()
            best = max(best, (chi, shift, which))
    assert found.score[0] == pytest.approx(best[0], rel=2e-3)
    assert np.log10(1 + found.z[0]) / LAMOST_GRID.step == pytest.approx(best[1], abs=0.51)
    assert found.subclass[0] == ("one", "two")[best[2]]


def test_featureless_spectra_are_unknown_once_it_has_learnt_so(mixed):
    x, table = mixed
    classes = (*CLASSES, "UNKNOWN")
    rng = np.random.default_rng(8)
    blank = (1 + 0.3 * rng.standard_normal((60, len(WAVE)))).astype(np.float32)
    y = np.array([classes.index(name) for name in table["label"]] + [3] * 30)
    matcher = TemplateMatcher(classes).fit(np.concatenate([x, blank[:30]]), y)
    assert matcher.threshold > 0
    assert (matcher.predict(blank[30:]) == 3).mean() > 0.9
    assert (matcher.predict(x) == 3).mean() < 0.2


def test_types_alone():
    spectra = simulate({"F": 8, "K": 8}, seed=3)
    matcher = TemplateMatcher(["F", "G", "K"])
    got = np.array(matcher.classes)[matcher.predict(Preprocessing()(spectra))]
    assert set(got) <= {"F", "G", "K"}
    assert (got == np.asarray(spectra.table["subclass"])).mean() > 0.7
    assert matcher.fit(np.zeros((0, 3909)), np.zeros(0, int)) is matcher


@pytest.mark.parametrize("classes", [["STAR", "F"], ["UNKNOWN"], ["PLANET"], []])
def test_classes_without_templates_are_refused(classes):
    with pytest.raises(RacnetError, match="Expected classes"):
        TemplateMatcher(classes)


def test_other_grids_are_refused():
    with pytest.raises(RacnetError, match="3909 pixels"):
        TemplateMatcher(CLASSES).match(np.zeros((2, 100), np.float32))
