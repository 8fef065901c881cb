"""The Spectrum inspector without its widgets: lines, choices, smoothing, redshifts, refusals."""

import math

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.apps.inspector.lines import LINE_SETS, clickable, marked, shades
from racnet_tools.apps.inspector.model import InspectorModel, smoothed
from racnet_tools.apps.inspector.view_state import SMOOTHEST, ViewState, checked_redshift
from racnet_tools.apps.inspector.words import described, facts_html, python_of, verdict_html
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.plots.interactive_spectrum import Occluded, SpectrumPicture, spectrum_panels
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet
from racnet_tools.spectra.lines import known_lines, line_list

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.floats())


class Some:
    """A list of given spectra; None stands for a file that is refused."""

    python, address, revision = "spectra = ...", {"open": "folder", "path": "x"}, 0

    def __init__(self, *spectra, name="some"):
        self.spectra, self.name, self.refused = spectra, name, []

    def __len__(self):
        return len(self.spectra)

    def key(self, i):
        return f"k{i}"

    def label(self, i):
        return f"spectrum {i} <b>"

    def find(self, key):
        return int(key[1:]) if key[1:].isdigit() and int(key[1:]) < len(self) else None

    def load(self, i):
        if self.spectra[i] is None:
            raise ReadError("x.fits", expected="a spectrum", found="a <script>poem</script>")
        return self.spectra[i]

    def close(self):
        pass


def line_at(wave, ivar=400.0, rows=({"spec_id": "s", "z": 0.25},), height=3.0, **more):
    flux = 1 + height * np.exp(-0.5 * ((LAMOST_GRID.wave - wave) / 6) ** 2)
    given = None if ivar is None else np.full((1, LAMOST_GRID.n_pixels), ivar)
    return SpectrumSet(LAMOST_GRID.wave, flux[None], given, None, list(rows), **more)


@pytest.fixture(scope="module")
def samples():
    model = InspectorModel(open_samples())
    model.go(0)
    return model


def test_lines_are_those_of_the_library():
    table = line_list()
    mine = sorted((line.name, line.kind, round(line.wave, 6)) for line in known_lines())
    assert mine == sorted((str(r["name"]), str(r["kind"]), round(float(r["wave"]), 6)) for r in table)


def test_line_sets_and_classes():
    assert {line.kind for line in marked("class", "QSO", False)} == {"quasar"}
    assert {line.kind for line in marked("class", "K", True)} == {"stellar"}
    assert marked("none", "STAR", True) == ()
    names = [line.name for line in marked("all", "", True)]
    assert {"H-alpha", "Ly-alpha", "Ca II K", "Mg II"} <= set(names)
    assert names.count("H-alpha") == 1  # of gas, of stars and of quasars: one
    assert all(marked(name, "STAR", True) for name in LINE_SETS if name != "none")
    assert "H-alpha (6565)" in clickable()
    assert 15 <= len(clickable()) <= 40


def test_shades_stay_inside():
    inside = shades(True, True, 6860, 7000)
    assert inside
    assert all(6860 <= low < high <= 7000 for low, high, _ in inside)
    assert {kind for *_, kind in shades(False, True, 3700, 9000)} == {"sky"}


@given(
    st.integers(0, SMOOTHEST), st.sampled_from(list(LINE_SETS)), st.lists(st.booleans(), min_size=7, max_size=7),
    st.none() | st.tuples(st.floats(3000, 5000), st.floats(5002, 20000)),
)  # fmt: skip
def test_choices_survive_the_address(smooth, lines, flags, zoom):
    names = ("main", "errors", "masked", "telluric", "sky", "attention", "occlusion")
    state = ViewState().changed(smooth=smooth, lines=lines, zoom=zoom, **dict(zip(names, flags, strict=True)))
    said = state.to_address()
    assert all(isinstance(value, str) for value in said.values())
    again, problems = ViewState.from_address(said)
    assert not problems
    assert again.to_address() == said
    assert again.changed(zoom=None) == state.changed(zoom=None)


@given(st.sampled_from([*ViewState.__dataclass_fields__, "nothing"]), ANYTHING)
def test_no_value_of_a_browser_gets_through(name, value):
    try:
        state = ViewState().changed(**{name: value})
    except RacnetError:
        return
    assert 0 <= state.smooth <= SMOOTHEST
    assert state.lines in LINE_SETS
    assert all(type(getattr(state, flag)) is bool for flag in ("main", "errors", "sky", "attention"))
    assert state.zoom is None or 0 < state.zoom[0] < state.zoom[1]


@given(st.dictionaries(st.sampled_from(["network", "smooth", "lines", "names", "mark", "below", "zoom"]), st.text()))
def test_an_address_made_up_is_told_and_harmless(said):
    state, problems = ViewState.from_address(said)
    assert len(problems) <= len(said)
    assert state.preset == "racnet-survey"


def test_what_is_wrong_in_an_address_does_not_spoil_the_rest():
    state, problems = ViewState.from_address(
        {"smooth": "4", "lines": "elven", "zoom": "9-1", "open": "x", "mark": "sky"}
    )
    assert (state.smooth, state.sky, state.errors, state.zoom) == (4, True, False, None)
    assert len(problems) == 2
    assert "elven" in problems[0]


@given(ANYTHING)
def test_redshifts_are_numbers_in_range(value):
    try:
        z = checked_redshift(value)
    except RacnetError:
        return
    assert math.isfinite(z)
    assert -0.02 <= z <= 9


def test_next_previous_and_search(samples):
    samples.go(0)
    samples.step(1)
    assert (samples.index, samples.shown.key) == (1, samples.spectra.key(1))
    samples.step(-1)
    with pytest.raises(RacnetError, match="first of 15"):
        samples.step(-1)
    assert samples.search("3") == 2
    assert samples.search("SP14") == samples.spectra.find("spec-58847-SIMULATED_sp14-140")
    for wrong in ("99", "", "no such", "²"):
        with pytest.raises(RacnetError, match="Expected a number from 1 to 15"):
            samples.search(wrong)
    for wrong in (-1, 15, True, "0", 1.0, None):
        with pytest.raises(RacnetError, match="Expected a spectrum"):
            samples.go(wrong)


def test_header_and_chosen_redshifts_belong_to_their_spectrum():
    model = InspectorModel(Some(line_at(6000), line_at(6000, rows=[{"spec_id": "b"}])))
    model.go(0)
    assert model.z == 0.25
    model.step(1)
    assert model.z == model.shown.verdict.z  # none in the header
    assert "the network's" in facts_html(model.shown, model.z)
    model.choose(preset="racnet-class")  # which measures none; the lines stay
    assert model.z != 0 and model.shown.verdict.z is None and not model.shown.verdict.measured
    model.open(Some(line_at(6000), line_at(6000, rows=[{"spec_id": "b"}])))
    model.step(1)
    assert model.z == 0
    model.step(-1)
    assert model.z == 0.25
    model.set_redshift(0.5)
    model.step(1)
    model.step(-1)
    assert model.z == 0.5
    with pytest.raises(RacnetError, match="redshift"):
        model.set_redshift(float("nan"))
    assert model.z == 0.5


def test_a_click_near_a_line_gives_its_redshift():
    model = InspectorModel(Some(line_at(7000.0)))
    model.go(0)
    z = model.redshift_from("H-alpha (6565)", 6991.0)
    assert z == pytest.approx(7000 / 6564.61 - 1, abs=3e-4)
    with pytest.raises(RacnetError, match="Expected a line"):
        model.redshift_from("<img>", 7000)
    with pytest.raises(RacnetError, match="a click from 3700"):
        model.redshift_from("H-alpha (6565)", 1e9)


def test_smoothing_keeps_a_flat_spectrum_and_passes_over_bad_pixels():
    flux, ivar, bad = np.full(500, 2.0), np.full(500, 4.0), np.zeros(500, bool)
    flux[100:110], bad[100:110] = 1e6, True
    smooth, sigma = smoothed(flux, ivar, bad, 3)
    np.testing.assert_allclose(smooth, 2.0)
    # Gaussian weights of width s average 2 sqrt(pi) s pixels.
    assert sigma[250] == pytest.approx(0.5 / np.sqrt(2 * np.sqrt(np.pi) * 3), rel=1e-3)
    assert np.isnan(smoothed(flux, ivar, np.ones(500, bool), 3)[0]).all()


def test_a_refused_file_is_shown_as_such_and_the_list_goes_on():
    model = InspectorModel(Some(line_at(5000), None, line_at(6000)))
    model.go(1)
    assert model.shown.spectrum is None
    assert "poem" in model.shown.refused
    figure = model.figure()
    assert "<script>" not in str(figure)
    assert described(model).startswith("No spectrum")
    assert "<script>" not in verdict_html(model.shown) + facts_html(model.shown, 0.0)
    model.step(1)
    assert model.shown.spectrum is not None


def test_a_spectrum_that_cannot_be_judged_is_shown_all_the_same():
    wave = np.linspace(4000, 4300, 400)
    model = InspectorModel(Some(SpectrumSet(wave, np.ones((1, 400)), np.ones((1, 400)), None, [{"spec_id": "s"}])))
    model.go(0)
    assert model.shown.verdict is None
    assert "half" in model.shown.refused
    model.choose(attention=True, occlusion=True, smooth=2)
    assert len(model.figure()["data"]) >= 2
    assert "No class" in verdict_html(model.shown)


def test_without_errors_no_band_is_drawn():
    model = InspectorModel(Some(line_at(5000, ivar=None)))
    model.go(0)
    assert all(trace.get("name") != "± 1 σ" for trace in model.figure()["data"])
    assert "gives no errors" in described(model)


def test_an_empty_list_is_told():
    model = InspectorModel(Some())
    with pytest.raises(RacnetError, match="empty: open another"):
        model.go(0)
    assert "no spectrum" in str(model.figure()).lower()


def test_what_the_page_says_has_its_numbers(samples):
    samples.go(samples.spectra.find("spec-58847-SIMULATED_sp14-140"))
    samples.choose(attention=True, occlusion=True, smooth=2, zoom=(3800.0, 7500.0))
    samples.occlude(samples.shown)
    go.Figure(samples.figure())  # every attribute is one that plotly knows
    words = described(samples)
    for part in (
        "3700 and 9099",
        "QSO 1.000",
        "C IV at 38",
        "Smoothed",
        "3800 to 7500",
        "block 4",
        "Redshift: 1.5",
        "Prediction set: QSO",
        "Occlusion, log-odds",
    ):
        assert part in words, part
    strongest = samples.shown.occlusion.wave[samples.shown.occlusion.values[0].argmax()]
    assert min(abs(strongest - line * 2.50988) for line in (1549, 1908, 2799)) < 120  # a window is 100 wide
    html = verdict_html(samples.shown, samples.network.calibration)
    assert "Not rejected" in html
    assert "had that class" in html
    assert "1.5" in html and "±" in html and "Quality" in html
    code, names = python_of(samples), {}
    exec(code["Read this spectrum and classify it"], names)  # what is shown runs, one after the other
    assert names["table"]["label"][0] == "QSO"
    exec(code["Attention along the spectrum"], names)
    assert names["profiles"].shape == (1, 4, 3909)
    exec(code["Occlusion"], names)
    np.testing.assert_allclose(names["explained"].values, samples.shown.occlusion.values, atol=1e-6)
    samples.choose(attention=False, occlusion=False, smooth=0, zoom=None)


def test_a_change_of_network_is_judged_anew(samples):
    samples.go(1)
    samples.choose(preset="rcnet-dataset1")
    assert samples.shown.verdict.classes == ("STAR", "GALAXY", "QSO", "UNKNOWN")
    samples.choose(attention=True)
    assert samples.attention() is None  # it has none
    assert "yaxis2" not in samples.figure()["layout"]
    with pytest.raises(RacnetError, match="has none"):
        samples.network.attention_map(samples.shown.prepared)
    samples.choose(preset="racnet-class", attention=False)
    assert len(samples.shown.verdict.classes) == 3 and samples.shown.verdict.z is None
    samples.choose(preset="racnet-survey")
    assert "subtype" in samples.shown.verdict.measured and samples.shown.verdict.z == pytest.approx(0, abs=1e-3)


def test_another_spectrum_is_scaled_onto_the_one_on_show(samples):
    samples.go(0)
    wave, flux = samples.shown.wave, np.nan_to_num(samples.shown.flux)
    samples.overlay("<i>twin</i>", wave, flux / 7e5)
    _, _, drawn = samples.overlays[0]
    np.testing.assert_allclose(drawn, flux, rtol=1e-6)
    assert "<i>" not in str(samples.figure()["data"][-1]["name"])
    samples.step(1)
    assert not samples.overlays


def test_the_band_is_closed_and_broken_at_gaps():
    wave = np.linspace(4000, 5000, 50)
    sigma = np.full(50, 0.1)
    sigma[20:25] = np.nan
    bad = np.isnan(sigma)
    figure = spectrum_panels(SpectrumPicture(wave, np.ones(50), bad, sigma=sigma, occluded=Occluded("STAR")))
    band = next(trace for trace in figure["data"] if trace.get("fill") == "toself")
    ends = np.flatnonzero(np.isnan(band["x"]))
    assert len(ends) == 2
    for a, b in ((0, ends[0]), (ends[0] + 1, ends[1])):
        assert band["x"][a] == band["x"][b - 1]
        assert set(np.round(band["y"][a:b], 5)) == {np.float32(0.9), np.float32(1.1)}
    assert any("computing" in note["text"] for note in figure["layout"]["annotations"])
    masked = next(trace for trace in figure["data"] if trace.get("name") == "masked")
    assert np.nanmin(masked["x"]) == pytest.approx(wave[19], abs=0.01)  # a neighbour on each side
    go.Figure(figure)
