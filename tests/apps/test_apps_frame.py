"""Around every dashboard: messages that are never markup, callbacks that survive, folded sections, readable colours."""

import re
from pathlib import Path

import ipywidgets as w
import numpy as np
import pytest

from racnet_tools.apps import kernel
from racnet_tools.apps.frame import Frame, Lazy, Notice, ShowPython
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.widgets import PlotView
from racnet_tools.errors import RacnetError
from racnet_tools.plots.style import _SERIES, ON_DARK

EVIL = "<img src=x onerror=alert(1)>"


def test_messages_are_text():
    notice = Notice()
    for say in (notice.error, notice.info, lambda text: notice.error(RacnetError(text))):
        say(EVIL)
        assert "<img" not in notice.value
        assert "&lt;img" in notice.value
    python = ShowPython()
    python.say(EVIL, EVIL)
    assert "<img" not in python.value


def test_a_guarded_callback_tells_and_survives(caplog):
    notice = Notice()

    @notice.guard
    def known(_):
        raise RacnetError("expected a redshift; received 'x'")

    @notice.guard
    def unknown(_):
        raise ZeroDivisionError("oh")

    assert known({}) is None
    assert "expected a redshift" in notice.value
    assert 'role="alert"' in notice.value
    assert unknown({}) is None
    assert "ZeroDivisionError" in notice.value
    assert "oh" in caplog.text


def test_busy_leaves_a_newer_message():
    notice = Notice()
    with notice.busy("Reading"):
        assert "Reading" in notice.value
    assert "said" not in notice.value
    with notice.busy("Reading"):
        notice.info("done: 3 files")
    assert "done: 3 files" in notice.value


def test_the_same_action_is_shown_once_and_first():
    python = ShowPython()
    python.say("Open", "old")
    python.say("Classify", "p")
    python.say("Open", "new")
    assert "old" not in python.value
    assert python.value.index("new") < python.value.index("Classify")


def test_a_folded_section_is_built_when_opened_and_once():
    built = []
    section = Lazy("More", lambda: built.append(1) or w.Label("content"))
    assert built == []
    assert len(section.children) == 1
    section.unfold()
    section.unfold(False)
    section.unfold()
    assert built == [1]
    assert len(section.children) == 2


def test_a_served_page_gets_its_first_plot(monkeypatch):
    view = PlotView()
    view.show({"data": [{"y": np.ones(3)}], "layout": {}}, "ones")
    frame = Frame("Title", controls=[], main=[w.VBox([view])], notice=Notice(), python=ShowPython())
    assert kernel.FIRST_PAINT not in frame._repr_mimebundle_()
    monkeypatch.setenv(kernel.SERVED, "1")
    first = frame._repr_mimebundle_()[kernel.FIRST_PAINT]
    assert first["title"] == "Title"
    assert first["plot"]["description"] == "ones"


def test_settings_survive_the_environment(monkeypatch, tmp_path):
    chosen = Settings(tmp_path, tmp_path / "work", 5 * 1024**2, archives=False)
    for name, value in chosen.to_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == chosen
    monkeypatch.setenv("RACNET_DASHBOARDS_SPECTRA", str(tmp_path / "absent"))
    with pytest.raises(RacnetError, match="expected a folder"):
        Settings.from_environment()


# Colours: WCAG 2.2, contrast of text 4.5 and of lines in figures 3 against their ground


def luminance(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def themes():
    text = (Path(kernel.__file__).parent / "widgets" / "theme.css").read_text(encoding="utf-8")
    pairs = re.findall(r"(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    return {"light": {name: one for name, one, _ in pairs}, "dark": {name: other for name, _, other in pairs}}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["--jp-layout-color0", "--jp-layout-color1", "--jp-layout-color2"])
def test_text_can_be_read(theme, ground):
    colours = themes()[theme]
    names = [*(f"--jp-ui-font-color{i}" for i in range(4)), "--rn-accent", "--rn-bad", "--rn-good", "--rn-warn"]
    for name in names:
        assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_lines_of_figures_can_be_seen_on_a_dark_page():
    ground = themes()["dark"]["--jp-layout-color1"]
    for style in _SERIES:
        assert contrast(ON_DARK[style.colour], ground) >= 3, style
