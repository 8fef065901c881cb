"""The panel for visual inspection: kept at each change, keys, what a hostile browser sends, two boxes for comments."""

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from racnet_tools.apps.frame import Lazy, Notice, ShowPython
from racnet_tools.apps.inspection import InspectionPanel, Journal
from racnet_tools.apps.inspection.export import read_inspections
from racnet_tools.apps.inspection.files_panel import agreement_html
from racnet_tools.apps.inspection.merge import merge
from racnet_tools.apps.inspection.model import InspectionModel, letters
from racnet_tools.apps.inspection.record import Inspection
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.widgets.upload import UploadedFile
from racnet_tools.errors import RacnetError

CLASSES = ("STAR", "GALAXY", "QSO")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def panel(tmp_path):
    moves = []
    made = InspectionPanel(
        Settings(work=tmp_path), Notice(), ShowPython(), CLASSES, lambda: moves.append("next"), on_go=moves.append,
        state=lambda: {"open": "samples"}, on_session=moves.append,
    )  # fmt: skip
    made.moves = moves
    made.show("spec-1", z=0.1, label="GALAXY")
    return made


def kept(panel, name="Anna") -> Journal:
    return Journal(panel.model.work, name)


def press(panel, keys: str) -> None:
    for key in keys:
        panel.bindings()[key][1]()


def test_it_begins_with_a_name_and_says_so(panel):
    assert len(panel.children) == 2
    press(panel, "4")
    assert "Type your name and press Start first" in panel._notice.value
    panel._name.value = "  "
    panel._start.click()
    assert "inspector&#x27;s name" in panel._notice.value
    panel._name.value = EVIL
    panel._start.click()
    assert "<img" not in panel._notice.value + panel._status.value + panel._python.value


def test_one_key_a_spectrum_is_enough(panel):
    panel.start("Anna")
    panel._after.value = True
    press(panel, "4")
    panel.show("spec-2", z=0.2, label="STAR")
    press(panel, "1")
    assert panel.moves == ["next", "next"]
    one, two = kept(panel).get("spec-1"), kept(panel).get("spec-2")
    assert (one.quality, one.z, one.network, one.verdict) == (4, 0.1, "GALAXY", "GALAXY")
    assert (two.quality, two.z, two.network) == (1, 0.2, "STAR")
    assert panel.progress(["spec-1", "spec-2", "spec-3"]) == (2, 3)
    assert panel.resume == "spec-2"


def test_keys_for_everything_and_each_only_once(panel):
    panel.start("Anna")
    press(panel, "3qRSRn")
    inspection = kept(panel).get("spec-1")
    assert (inspection.quality, inspection.label, inspection.flags) == (3, "QSO", ("S",))
    assert panel._label.value == "QSO"
    assert panel._flags["S"].value
    assert panel.moves == ["next"]
    press(panel, "y")
    assert kept(panel).get("spec-1").label == ""
    press(panel, "xxxx")  # y, R off, S, R on
    inspection = kept(panel).get("spec-1")
    assert (inspection.quality, inspection.label, inspection.flags) == (3, "QSO", ())
    press(panel, "xxx")
    assert "nothing to take back" in panel._notice.value
    assert kept(panel).get("spec-1").quality is None
    mine = {",", ".", "<", ">", "[", "]", "=", "?"}  # the inspector's own keys
    assert not mine & set(panel.bindings())


def test_letters_of_classes():
    assert letters(("STAR", "GALAXY", "QSO", "UNKNOWN")) == {
        "s": "STAR", "g": "GALAXY", "q": "QSO", "u": "UNKNOWN",
    }  # fmt: skip
    kinds = letters(("A", "F", "G", "K", "M", "STAR", "GALAXY"))
    assert list(kinds) == ["a", "f", "g", "k", "m", "s", "l"]
    assert not {"n", "x", "z", "t", "y"} & set(letters(("NOVA", "XYZ", "TT")))


def test_a_redshift_is_kept_with_a_quality_and_follows_the_lines(panel):
    panel.start("Anna")
    panel.set_redshift(0.3)
    assert panel.model.current is None  # lines alone are no verdict
    press(panel, "2")
    panel.set_redshift(0.35)
    assert kept(panel).get("spec-1").z == 0.35
    panel._no_redshift.click()
    assert kept(panel).get("spec-1").z is None
    panel.set_redshift(0.4)
    assert kept(panel).get("spec-1").z is None
    press(panel, "z")
    assert kept(panel).get("spec-1").z == 0.4


def test_by_hand(panel):
    panel.start("Anna")
    panel._quality.value = 3
    panel._label.value = "STAR"
    panel._flags["B"].value = True
    panel._comments[0].value = "=多い\n🙂"
    inspection = kept(panel).get("spec-1")
    assert (inspection.quality, inspection.label, inspection.flags) == (3, "STAR", ("B",))
    assert inspection.comment == "=多い\n🙂"
    panel.show("spec-2", z=None, label="")
    assert (panel._quality.value, panel._label.value, panel._comments[0].value) == (None, "", "")
    assert not panel._flags["B"].value
    panel.show("spec-1", z=None, label="")
    assert (panel._quality.value, panel._comments[0].value) == (3, "=多い\n🙂")


def test_a_comment_still_on_its_way_goes_to_its_own_spectrum(panel):
    panel.start("Anna")
    box = panel._comments[0]
    box.value = "broad"
    panel.show("spec-2", z=0.1, label="")
    box.value = "broad H-alpha"  # the browser sent it before it heard of the next spectrum
    assert kept(panel).get("spec-1").comment == "broad H-alpha"
    assert kept(panel).get("spec-2") is None


def test_a_comment_is_kept_when_the_typing_pauses_or_anything_else_is_done(panel, monkeypatch):
    monkeypatch.setattr("racnet_tools.apps.inspection.panel._PAUSE", 0.05)

    async def type_some():
        panel.start("Anna")
        for text in ("b", "bl", "blend"):
            panel._comments[0].value = text
        assert kept(panel).get("spec-1") is None
        await asyncio.sleep(0.15)
        assert kept(panel).get("spec-1").comment == "blend"
        panel._comments[0].value = "blend?"
        press(panel, "3")
        assert kept(panel).get("spec-1").comment == "blend?"
        assert panel._comments[0].value == "blend?"
        panel._comments[0].value = "blend!"
        panel.show("spec-2", z=0.1, label="")
        assert kept(panel).get("spec-1").comment == "blend!"

    asyncio.run(type_some())
    text = kept(panel).path.read_text()
    assert text.count('"blend"') == 1  # not a line for each letter


def test_a_comment_too_long_is_told_and_stays_in_its_box(panel):
    panel.start("Anna")
    panel._comments[0].value = "x" * 50_001
    assert "at most 50,000" in panel._notice.value
    assert len(panel._comments[0].value) == 50_001


def test_what_a_hostile_browser_sets_is_refused_and_put_right(panel):
    panel.start("Anna")
    press(panel, "3")
    for state in ({"index": 99}, {"index": "x"}, {"_options_labels": [EVIL] * 9, "index": 8}, {"value": 7}):
        with contextlib.suppress(Exception):  # ipywidgets refuses some by itself
            panel._quality.set_state(state)
            panel._label.set_state(state)
    for values in ({"value": 7}, {"value": "yes"}, {"description": EVIL}, {"layout": EVIL}):
        with contextlib.suppress(Exception):
            panel._flags["R"].set_state(values)
    for call in (lambda: panel._grade(7), lambda: panel._change(label=EVIL), lambda: panel._grade(EVIL)):
        panel._notice.guard(call)()
        assert "Expected a" in panel._notice.value
    assert "<img" not in panel._notice.value + panel._status.value
    assert kept(panel).get("spec-1").to_dict().get("label", "") == ""
    assert kept(panel).get("spec-1").quality == 3
    with pytest.raises(RacnetError, match="Expected flags"):
        panel.model.toggle("../..")
    with pytest.raises(RacnetError, match="Expected a name"):
        panel.model.start(["Anna"])


def test_keys_and_labels_are_never_markup(panel):
    panel.start("Anna")
    panel.show(EVIL, z=0.0, label=EVIL[:30])
    press(panel, "4")
    panel._comments[0].value = EVIL
    assert "<img" not in panel._status.value + panel._python.value + panel._notice.value
    other = Inspection(key=EVIL, inspector=EVIL, time="2026-11-23T13:05:09Z", quality=0, label=EVIL[:30])
    assert "<img" not in agreement_html(merge([*kept(panel), other]))


def test_following_a_link_makes_nobody_its_inspector(panel):
    panel.apply_address({"inspector": "Anna"})
    assert panel.model.journal is None
    assert panel._name.value == "Anna"
    assert panel.address_state() == {"inspector": "Anna"}  # a page reloaded twice still proposes it
    panel._start.click()
    assert panel.address_state() == {"inspector": "Anna"}
    panel.apply_address({"inspector": "Ben"})
    assert panel.address_state() == {"inspector": "Anna"}


def test_come_back_and_go_on(panel):
    panel.start("Anna")
    press(panel, "4")
    again = InspectionPanel(Settings(work=panel.model.work), Notice(), ShowPython(), CLASSES, lambda: None)
    assert again.resume is None
    again.show("spec-9", z=None, label="")
    again.start("Anna")
    assert again.resume == "spec-1"
    assert "the last one was spec-1" in again._notice.value
    panel.show("spec-9", z=None, label="")
    assert panel._resume.layout.display != "none"
    panel._resume.click()
    assert panel.moves == ["spec-1"]


def sections(panel) -> dict[str, Lazy]:
    found = [child for box in panel.children for child in getattr(box, "children", ()) if isinstance(child, Lazy)]
    for section in found:
        section.unfold()
    return {section._title: section.content for section in found}


def test_export_compare_and_sessions(panel):
    panel.start("Anna")
    press(panel, "4")
    name, data = panel.model.export(".csv")
    assert name == "inspections-Anna.csv"
    assert read_inspections(name, data) == list(kept(panel))
    Journal(panel.model.work, "Ben").change("spec-1", quality=4, label="QSO")
    compare = sections(panel)["Compare inspectors"]
    assert compare._people.value == ("Anna", "Ben")
    compare.compare(("Anna", "Ben"))
    shown = compare._result.children[0].value
    assert "1 to look at again" in shown
    assert "Ben: QSO 4" in shown
    for names, said in (
        ((), "Choose the people"),
        (("../x",), "Expected inspectors among"),
        ("x", "Choose the people"),
    ):
        with pytest.raises(RacnetError, match=said):
            compare.compare(names)
    other = data.replace(b"Anna", b"Cem")
    compare._add(UploadedFile("cem.csv", other, ""))
    assert compare._people.value == ("Anna", "Ben", "Cem")
    compare.compare(("Anna", "Cem"))
    assert "they contradict each other nowhere" in compare._result.children[0].value
    assert compare._export(".fits")[0] == "merged-inspections.fits"


def test_a_session_saved_is_loaded_by_the_same_person_elsewhere(panel, tmp_path):
    panel.start("Anna")
    press(panel, "4")
    name, data = panel.model.session({"open": "samples", "z": "0.1"})
    assert name == "session-Anna.json"
    fresh = InspectionModel(tmp_path / "other", CLASSES)
    with pytest.raises(RacnetError, match="press Start first"):
        fresh.load(name, data)
    fresh.start("Anna")
    session, taken = fresh.load(name, data)
    assert (session.state["z"], taken, fresh.journal.get("spec-1").quality) == ("0.1", 1, 4)
    assert fresh.load(name, data)[1] == 0
    stranger = InspectionModel(tmp_path / "third", CLASSES)
    stranger.start("Ben")
    assert stranger.load(name, data)[1] == 0
    assert stranger.inspectors() == ["Anna", "Ben"]
    part = sections(panel)["Session"]
    part.children[1]._on_file(UploadedFile(name, data, ""))
    assert panel.moves[-1] == {"open": "samples", "z": "0.1"}
    assert "1 inspections" in part.children[2].value


def test_a_change_is_quick_with_a_thousand_inspections(panel):
    import time

    panel.start("Anna")
    for i in range(1000):
        panel.model.journal.change(f"k{i}", quality=3, network="STAR")
    times = []
    for i in range(20):
        panel.show(f"k{i}", z=0.1, label="STAR")
        began = time.perf_counter()
        press(panel, str(i % 3))
        times.append(time.perf_counter() - began)
    assert sorted(times)[10] < 0.1


LIGHT = """
import re, sys
from pathlib import Path
from racnet_tools.apps.inspection import InspectionPanel
size = re.search("VmRSS:\\s*(\\d+)", Path("/proc/self/status").read_text())
print(size[1], *sys.modules.keys() & {"tensorflow", "keras", "matplotlib", "astropy", "scipy", "pandas"})
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell memory this way")
def test_nothing_heavy_is_loaded():
    out = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True).stdout.split()
    assert len(out) == 1
    assert int(out[0]) < 80 * 1024
