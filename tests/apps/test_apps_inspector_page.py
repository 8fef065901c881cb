"""The Spectrum inspector's page: what its controls do, what a link holds, what a browser can set, what it costs."""

import subprocess
import sys
import time

import ipywidgets as w
import numpy as np
import pytest
from process_memory import PEAK
from test_apps_inspector_model import Some, line_at

from racnet_tools.apps import Inspector
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.inference import available_presets

KEYS = ["ArrowRight", "ArrowLeft", "]", "[", ".", ",", ">", "<", "="]


@pytest.fixture
def page(tmp_path):
    page = Inspector(settings=Settings(work=tmp_path))
    yield page
    page.close()


def everything(widget):
    """A widget and all below it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def press(page, key):
    page.keyboard._receive(page.keyboard, {"type": "key", "key": key}, [])


def test_the_first_paint_shows_a_spectrum_with_its_class(page):
    assert len(page.view.figure["data"][0]["x"]) > 3000
    assert "STAR" in page._verdict.value
    assert "Flux of spec-55862-SIMULATED_sp01-010" in page.view.description
    assert page.view.marks["rest"]
    assert 'class="said' not in page.notice.value
    assert sum(1 for _ in everything(page)) < 60


def test_keys_go_through_the_spectra_and_change_the_view(page):
    press(page, "ArrowRight")
    press(page, "]")
    press(page, ">")
    model = page.model
    assert (model.index, model.state.smooth) == (1, 1)
    assert page.address.state["smooth"] == "1"
    assert page.view.z == pytest.approx(model.z)
    assert model.z == pytest.approx(float(model.shown.fact("z")) + 0.05)
    for _ in range(2):
        press(page, "ArrowLeft")
    assert "first of 15" in page.notice.value
    assert model.index == 0


def test_a_link_shows_the_same(page, tmp_path):
    page.go(3)
    page.choose(smooth=4, lines="all", main=False, sky=False, attention=True)
    page._zoomed((5000.0, 6000.0))
    page.set_redshift(0.125)
    link = dict(page.address.state)
    other = Inspector(settings=Settings(work=tmp_path))
    other.address._receive(other.address, {"type": "arrive", "state": link}, [])
    assert other.address.state == link
    assert other.model.state == page.model.state
    assert other.view.description == page.view.description
    assert other.view.figure["layout"]["xaxis"]["range"] == [5000.0, 6000.0]
    other.close()


def test_a_link_of_nonsense_is_told_and_the_rest_applied(page):
    page.apply_address({"spectrum": "<b>nobody</b>", "z": "88", "smooth": "5", "lines": "x", "unknown": "1"})
    assert page.model.state.smooth == 5
    said = page.notice.value
    assert "&lt;b&gt;nobody" in said
    assert "<b>nobody" not in said
    assert "redshift" in said


def test_a_link_to_a_folder_that_is_not_served_is_refused(page):
    before = page.model.spectra
    page.apply_address({"open": "folder", "path": "../../etc"})
    assert page.model.spectra is before
    assert "error" in page.notice.value


@pytest.mark.parametrize("value", [None, True, -7, 10**9, float("nan"), "x", "<img src=x>", [1], {}])
def test_a_browser_that_sets_what_it_likes_gets_nowhere(page, value):
    model, before = page.model, page.model.state
    for widget in list(everything(page)):
        for trait in ("value", "index", "options", "min", "max", "description"):
            if widget.has_trait(trait) and not isinstance(widget, w.HTML):
                try:
                    widget.set_state({trait: value})
                except Exception:
                    continue  # ipywidgets itself refuses it
    assert 0 <= model.index < 15
    assert 0 <= model.state.smooth <= 30
    assert -0.02 <= model.z <= 9
    # True is 1 to a list of choices, and the second network is one.
    assert model.state.preset == (list(available_presets())[1] if value is True else before.preset)
    assert type(model.state.attention) is bool
    page.go(2)  # and the page goes on
    assert "sp08" in page.view.description


def test_options_that_a_browser_made_up_are_not_chosen(page):
    page.controls.preset.options = ["../../evil"]
    page.controls.lines.options = [("made up", "elven")]
    assert page.model.state.preset == "racnet-survey"
    assert page.model.state.lines == "class"
    assert "Expected" in page.notice.value


def test_names_and_reasons_are_text_not_markup(tmp_path):
    rows = [{"spec_id": "s", "survey": "<script>", "label": "<i>STAR</i>", "z": 0.1}]
    page = Inspector(Some(line_at(5000, rows=rows), None, name="<u>list</u>"), Settings(work=tmp_path))
    html = page._facts.value + page.navigation.children[0].value
    page.step(1)
    html += page._facts.value + page._verdict.value + page.notice.value
    for tag in ("<script>", "<i>", "<u>", "<b> <"):
        assert tag not in html
    assert "&lt;script&gt;poem" in page.notice.value
    page.step(-1)
    assert "poem" not in page.notice.value


def test_dragging_typing_and_clicking_set_the_redshift(page):
    page.view._receive(page.view, {"type": "redshift", "z": 0.3, "done": True}, [])
    assert (page.model.z, page.redshift.typed.value) == (0.3, 0.3)
    assert page.address.state["z"] == "0.3"
    page.redshift.typed.value = 77.0
    assert page.model.z == 0.3
    assert page.redshift.typed.value == 0.3
    assert "from -0.02 to 9" in page.notice.value
    page.view._receive(page.view, {"type": "place", "x": 6600.0}, [])
    assert page.model.z == 0.3  # nobody asked for a click
    page.redshift.clicking.value = True
    page.view._receive(page.view, {"type": "place", "x": 6564.0}, [])
    assert page.model.z == pytest.approx(0, abs=0.002)
    assert page.redshift.clicking.value is False


def test_the_lines_go_to_the_redshift_of_header_and_network(page):
    page.go(14)  # a quasar at redshift 1.5
    for button, z in ((page.redshift._network, page.model.shown.verdict.z), (page.redshift._header, 1.50988)):
        page.set_redshift(0)
        button.click()
        assert page.model.z == pytest.approx(z, abs=1e-5) and page.model.z == pytest.approx(1.51, abs=0.02)
    assert "Redshift: <b>1.5" in page._verdict.value and "Prediction set: <b>QSO" in page._verdict.value
    page.choose(preset="racnet-class")
    assert page.redshift._network.disabled and "Redshift" not in page._verdict.value
    page.redshift._network.disabled = False  # as a browser may set it
    page.redshift._network.click()
    assert "measures no redshift" in page.notice.value


def test_zoom_by_hand_is_kept_and_undone(page):
    page.view._receive(page.view, {"type": "range", "limits": [6000, 7000]}, [])
    press(page, "ArrowRight")
    assert page.view.figure["layout"]["xaxis"]["range"] == [6000.0, 7000.0]
    press(page, "=")
    assert page.view.figure["layout"]["xaxis"]["range"][0] < 3800
    page.view._receive(page.view, {"type": "range", "limits": [-5, -4]}, [])
    assert page.model.state.zoom is None


def test_occlusion_comes_below_and_says_so(page):
    page.choose(occlusion=True)
    assert any("for STAR" in str(trace.get("name")) for trace in page.view.figure["data"])
    assert "Occlusion" in page.view.description


def test_the_nearest_are_drawn_over_and_give_their_redshift(page):
    page.nearest.unfold()
    panel = page.nearest.content
    assert panel is not None
    assert panel.found
    page._picked(panel.found[0].name, panel.found[0].wave, panel.found[0].flux)
    assert "Drawn over it" in page.view.description


def test_visual_inspection_follows_the_page(page, monkeypatch):
    told = []

    class Panel(w.VBox):
        def __init__(self, settings, notice, python, classes, on_next, *, on_go, state, on_session):
            super().__init__()
            told.append(classes)
            self.on_go, self.state = on_go, state
            self.on_next = on_next

        def show(self, key, *, z, label):
            told.append((key, z, label))

        def set_redshift(self, z):
            told.append(z)

        def bindings(self):
            return {"4": ("very sure", self.on_next), "]": ("not this", lambda: told.append("wrong"))}

        def address_state(self):
            return {"inspector": "me"}

        def apply_address(self, state):
            told.append(state)

    monkeypatch.setattr("racnet_tools.apps.inspection.InspectionPanel", Panel, raising=False)
    page.go(1)
    page.inspection.unfold()
    assert told == [("STAR", "GALAXY", "QSO"), (page.model.shown.key, page.model.z, "STAR")]
    press(page, "4")  # its key, which goes on
    assert page.model.index == 2
    assert told[-1][0] == page.model.shown.key
    page.set_redshift(0.01)
    assert told[-1] == 0.01
    assert page.address.state["inspector"] == "me"
    press(page, "]")  # the page's own keys are not taken
    assert page.model.state.smooth == 1
    page.apply_address({"smooth": "2"})
    assert told[-1] == {"smooth": "2"}
    page.inspection.content.on_go(page.model.spectra.key(5))
    assert page.model.index == 5
    assert page.inspection.content.state() == page.address.state


def test_long_lists_send_a_page_of_names(tmp_path):
    page = Inspector(Some(*[line_at(5000 + i) for i in range(250)]), Settings(work=tmp_path))
    assert len(page.navigation._list.options) == 100
    page.go(249)
    assert [index for _, index in page.navigation._list.options] == list(range(200, 250))
    page.navigation._list.index = 3
    assert page.model.index == 203


def test_a_set_of_a_notebook_can_be_looked_at(small_set, tmp_path):
    page = Inspector(small_set, Settings(work=tmp_path))
    page.step(1)
    assert page.model.shown.key == "s1"
    assert "s1" in page.view.description
    assert "6 given spectra" in page.navigation.children[0].value


def test_next_and_redshift_are_quick():
    page = Inspector(open_samples())
    steps, moves = [], []
    for _ in range(10):
        start = time.perf_counter()
        page.step(1)
        steps.append(time.perf_counter() - start)
        start = time.perf_counter()
        page.set_redshift(0.01 * len(steps))
        moves.append(time.perf_counter() - start)
    assert np.median(steps) < 0.1
    assert np.median(moves) < 0.05


def test_a_kernel_stays_small_and_without_tensorflow():
    code = """
import sys
from racnet_tools.apps import Inspector

page = Inspector()
page.step(1)
page.choose(attention=True, occlusion=True)
page.nearest.unfold()
print(sorted({"tensorflow", "keras", "matplotlib", "pandas", "astropy.table"} & set(sys.modules)))
print(peak())
"""
    run = subprocess.run([sys.executable, "-c", PEAK + code], capture_output=True, text=True, check=True, timeout=60)
    loaded, size = run.stdout.strip().splitlines()
    assert loaded == "[]"
    assert float(size) < 200
