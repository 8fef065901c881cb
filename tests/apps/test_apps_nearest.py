"""Nearest templates and spectra: known answers, agreement with the full matcher, and the panel that shows them."""

import subprocess
import sys

import numpy as np
import pytest
from process_memory import PEAK

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.inspector.nearest_panel import WAYS, NearestPanel
from racnet_tools.apps.sources import open_samples
from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import nearest
from racnet_tools.evaluate.nearest import nearest_spectra, nearest_templates
from racnet_tools.resources import data_path
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet


@pytest.fixture(scope="module")
def spectra():
    """Simulated spectra of good S/N that neither the templates nor the comparison set were made of."""
    made = simulate({"STAR": 30, "GALAXY": 30, "QSO": 40}, seed=(616, 2))
    return made[np.asarray(made.table["snr_r"]) > 12]


def test_a_shifted_template_is_found_at_its_redshift():
    """Known answer: a template's own lines on a slope, moved by whole bins."""
    for label, moved in (("GALAXY", 400), ("QSO", 2500), ("STAR", 3)):
        templates = nearest._templates(label)
        count = LAMOST_GRID.n_pixels // nearest.TEMPLATE_BINS
        at = templates.before - moved
        lines = np.repeat(templates.ratio[7, at : at + count].astype(np.float32), nearest.TEMPLATE_BINS)
        lines = np.append(lines, lines[-1])
        noise = 0.01 * np.random.default_rng(1).standard_normal(len(lines))
        x = (1 + lines) * np.linspace(1.0, 0.5, len(lines)) + noise
        best = nearest_templates(x)[0]
        z = 10 ** (moved * nearest.TEMPLATE_BINS * LAMOST_GRID.step) - 1
        assert best.label == label
        assert best.z == pytest.approx(z, abs=2e-4 * (1 + z))
        assert best.name == str(templates.names[7]) or label == "QSO"  # reddening leaves the lines as they are
        inner = slice(50, -50)
        binned = x[: 2 * count].reshape(-1, 2).mean(axis=1)
        assert np.abs(best.flux - binned)[inner].mean() < 0.05
        assert np.all(np.diff(best.wave) > 0)


def test_it_finds_classes_and_redshifts(spectra):
    x = Preprocessing()(spectra)
    found = [nearest_templates(row) for row in x]
    assert all([one.value for one in three] == sorted(one.value for one in three) for three in found)
    assert all({one.label for one in three} == {"STAR", "GALAXY", "QSO"} for three in found)
    label, z = np.asarray(spectra.table["label"]), np.asarray(spectra.table["z"])
    right = np.array([three[0].label for three in found]) == label
    assert right.mean() > 0.85
    near = np.abs(np.array([three[0].z for three in found]) - z) < 0.003 * (1 + z)
    assert near[right & (label != "QSO")].mean() > 0.95


def test_a_spectrum_of_the_set_is_its_own_nearest():
    compared = nearest._compared()
    for row in (0, 100, 200):
        x = np.repeat(compared.flux[row], nearest.COMPARED_BINS)
        for by in ("shape", "lines"):
            five = nearest_spectra(x, by=by)
            assert len(five) == 5
            assert five[0].value == pytest.approx(1, abs=0.02)
            assert (five[0].name, five[0].z) == (str(compared.names[row]), float(compared.z[row]))
            assert [one.value for one in five] == sorted((one.value for one in five), reverse=True)
        assert np.allclose(nearest_spectra(10 * x)[0].flux, 10 * compared.flux[row], rtol=1e-3)


def test_stars_look_like_stars(spectra):
    stars = spectra.select(label="STAR")
    x = Preprocessing()(stars)
    assert np.mean([nearest_spectra(row)[0].label == "STAR" for row in x]) > 0.9


def test_the_set_holds_all_classes():
    compared = nearest._compared()
    labels, counts = np.unique(compared.labels, return_counts=True)
    assert dict(zip(labels.tolist(), counts.tolist(), strict=True)) == {"GALAXY": 80, "QSO": 80, "STAR": 80}
    assert sum(data_path("nearest", name).stat().st_size for name in ("templates.npz", "spectra.npz")) < 1.5e6


def test_what_was_not_measured_does_not_count():
    """The blue end of this sample is masked, and filled with one pixel's value: six times the flux beside it."""
    spectra = open_samples()
    one = spectra.load(3)
    x, gridded = Preprocessing()(one)[0], one.to_grid(LAMOST_GRID)
    best = nearest_templates(x, ~gridded.mask[0])[0]
    assert (best.label, best.z) == ("QSO", pytest.approx(2.4025, abs=0.01))
    wild = x.copy()
    wild[gridded.mask[0]] = 5.0
    assert nearest_templates(wild, ~gridded.mask[0])[0].label == "QSO"
    same = nearest_spectra(x, ~gridded.mask[0])[0]
    assert same.label == "QSO"
    with pytest.raises(RacnetError, match="300 pixels that were measured"):
        nearest_templates(x, np.arange(3909) < 200)


@pytest.mark.parametrize("x", [np.ones(100), np.ones((1, 3909)), np.full(3909, np.nan)])
def test_what_is_no_spectrum_is_refused(x):
    for way in (nearest_templates, nearest_spectra):
        with pytest.raises(RacnetError, match=r"Expected one spectrum.*Received"):
            way(x)
    with pytest.raises(RacnetError, match="by='shape'"):
        nearest_spectra(np.ones(3909), by="colour")


@pytest.mark.slow
def test_the_shipped_files_are_what_the_script_makes(tmp_path):
    subprocess.run(
        [sys.executable, data_path("nearest", "build_nearest.py"), "--output", tmp_path], check=True, timeout=300
    )
    for name in ("templates.npz", "spectra.npz"):
        with np.load(tmp_path / name) as made, np.load(data_path("nearest", name)) as kept:
            assert set(made) == set(kept)
            for key in made:
                same = np.allclose(made[key], kept[key], atol=2e-3) if made[key].dtype.kind == "f" else None
                assert same if same is not None else np.array_equal(made[key], kept[key])


class Page:
    def __init__(self):
        self.drawn, self.taken = [], []
        self.notice, self.python = Notice(), ShowPython()
        self.panel = NearestPanel(
            lambda name, wave, flux: self.drawn.append((name, wave, flux)), self.taken.append, self.notice, self.python
        )
        self.spectra = open_samples()

    def show(self, place):
        one = self.spectra.load(place)
        self.panel.show(one, Preprocessing()(one)[0])
        return one


def test_the_panel_shows_draws_and_hands_over():
    page = Page()
    one = page.show(8)
    place = page.spectra.key(8)
    assert "SIMULATED_sp11-110" in place
    figure = page.panel._view.figure
    assert [len(trace["y"]) for trace in figure["data"]] == [1303, 1954]
    assert "quiescent galaxy, z = 0.088" in page.panel._view.description
    page.panel._draw.click()
    name, wave, flux = page.drawn[0]
    native = np.interp(wave, one.wave, one.flux[0])
    assert name == "quiescent galaxy"
    assert np.nanmedian(flux / native) == pytest.approx(1, abs=0.1)  # in the spectrum's own units
    page.panel._take.click()
    assert page.taken == [pytest.approx(0.0883, abs=3e-4)]
    assert "nearest_templates" in page.python.value


def test_another_way_and_another_choice():
    page = Page()
    page.show(14)
    page.panel._ways.value = list(WAYS)[2]
    assert len(page.panel._list.options) == 5
    assert "correlation" in page.panel._view.description
    page.panel._list.index = 3
    page.panel._take.click()
    assert page.taken == [page.panel.found[3].z]
    page.show(0)
    assert page.panel._list.index == 0
    page.panel._take.click()
    assert page.taken[1] == page.panel.found[0].z


def test_nothing_on_show_is_said():
    page = Page()
    assert page.panel._draw.disabled
    page.panel._draw.click()
    assert "Choose one of the nearest first" in page.notice.value
    with pytest.raises(RacnetError, match="Expected one of with templates"):
        page.panel.choose("os.system")
    assert not page.drawn
    assert "Nothing to compare" in page.panel.children[0].value
    page.show(3)
    assert page.panel._view in page.panel.children
    page.panel.clear()  # the next one is refused: the last one's neighbours go
    assert "Nothing to compare" in page.panel.children[0].value
    page.panel._draw.click()
    assert not page.drawn


@pytest.mark.parametrize("way", WAYS)
def test_the_python_shown_does_the_same(way):
    page = Page()
    namespace: dict = {"spectra": page.show(3)}
    page.panel.choose(way)
    exec(page.python._actions["Nearest"], namespace)
    assert [(one.name, one.z) for one in namespace["nearest"]] == [(one.name, one.z) for one in page.panel.found]


def test_too_few_good_pixels_are_said():
    page = Page()
    one = page.show(0)
    bad = one.mask.copy()
    bad[:, 100:] = True
    page.panel.show(SpectrumSet(one.wave, one.flux, one.ivar, bad), Preprocessing()(one)[0])
    assert "300 are needed" in page.panel.children[0].value
    assert not page.notice.value.count("error")
    page.show(1)
    assert page.panel._view in page.panel.children


def test_the_panel_stays_light():
    """A viewer's kernel has 200 MB in all."""
    code = """
import sys
from racnet_tools.apps.sources import open_samples
from racnet_tools.spectra import Preprocessing
spectra = open_samples().load(0)
x = Preprocessing()(spectra)[0]
import ipywidgets, racnet_tools.apps.frame
before = peak()
from racnet_tools.apps.inspector.nearest_panel import NearestPanel
panel = NearestPanel(print)
panel.show(spectra, x)
panel.choose("with simulated spectra, by whole shape")
print(peak() - before)
print([name for name in ("tensorflow", "keras", "matplotlib", "pandas", "plotly.graph_objects") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", PEAK + code], capture_output=True, text=True, check=True, timeout=60)
    grown, heavy = done.stdout.splitlines()
    assert float(grown) < 90
    assert heavy == "[]"
