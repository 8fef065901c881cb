"""What browsers send to the widgets is checked; what Python shows reaches the wire whole."""

import zlib

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.apps.widgets import Address, Click, Download, Keyboard, PlotView, Upload
from racnet_tools.apps.widgets.upload import safe_name
from racnet_tools.errors import RacnetError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def sent(widget, content, *buffers):
    """As if the browser had sent a message."""
    widget._receive(widget, content, [memoryview(buffer) for buffer in buffers])


@pytest.fixture
def view():
    view = PlotView("words")
    line = {"type": "scatter", "x": np.arange(4.0), "y": np.arange(4, dtype="f4")}
    heat = {"type": "heatmap", "z": np.zeros((2, 3))}
    view.show({"data": [line, heat], "layout": {}}, "a line")
    return view


def answers(widget):
    """Messages that a widget sends, as (content, buffers)."""
    out = []
    widget.send = lambda content, buffers=None: out.append((content, buffers))
    return out


def unpacked(value):
    return np.frombuffer(value["buffer"], value["dtype"]).reshape(value["shape"])


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.array([], "f4"), np.arange(3), np.array([1.5, np.nan])]
)
def test_arrays_reach_the_wire_unchanged(view, array):
    view.show({"data": [{"type": "scatter", "y": array}], "layout": {}}, "")
    (trace,) = view.get_state()["figure"]["data"]
    np.testing.assert_array_equal(unpacked(trace["y"]), array)


def test_a_figure_of_plotly_is_shown_as_a_dict_is(view):
    view.show(go.Figure(go.Scatter(y=[1, 2]), layout_title_text="x"), "words")
    state = view.get_state()
    assert state["figure"]["layout"]["title"]["text"] == "x"
    assert state["description"] == "words"


def test_small_changes_stay_in_the_state_for_a_page_opened_later(view):
    view.restyle({"y": [np.ones(4)], "marker.color": ["#004488"]}, traces=[0])
    view.relayout({"xaxis.range": [1, 2]})
    state = view.get_state()["figure"]
    np.testing.assert_array_equal(unpacked(state["data"][0]["y"]), np.ones(4))
    assert state["data"][0]["marker"]["color"] == "#004488"
    assert state["layout"]["xaxis"]["range"] == [1, 2]


def test_the_browser_sets_no_trait(view):
    before = view.get_state()["description"]
    view.set_state({"description": "other", "height": 10**9, "figure": {"data": "evil"}, "_esm": "alert(1)"})
    assert view.get_state()["description"] == before
    assert view.height == 420
    assert "alert(1)" not in view.get_state()["_esm"]


def test_clicks_arrive_with_trace_point_and_place(view):
    clicks = []
    view.on_click(clicks.append)
    sent(view, {"type": "click", "trace": 0, "point": 3, "x": 3.0, "y": None})
    sent(view, {"type": "click", "trace": 1, "point": [1, 2], "x": "GALAXY", "y": "STAR"})
    assert clicks == [Click(0, (3,), 3.0, None), Click(1, (1, 2), "GALAXY", "STAR")]


@pytest.mark.parametrize(
    "content",
    [
        {"type": "click", "trace": 2, "point": 0},
        {"type": "click", "trace": 0, "point": 4},
        {"type": "click", "trace": 0, "point": -1},
        {"type": "click", "trace": 0, "point": "0"},
        {"type": "click", "trace": True, "point": 0},
        {"type": "click", "trace": 1, "point": [2, 0]},
        {"type": "click", "trace": 0, "point": 0, "x": float("nan")},
        {"type": "click", "trace": 0, "point": 0, "x": {}},
        {"type": "place", "x": float("inf")},
        {"type": "place"},
        {"type": "range", "limits": [1]},
        {"type": "redshift", "z": 0.1, "done": True},  # no lines are shown
        {"type": "__class__"},
        {"type": "x" * 10_000},
        [],
        None,
    ],
)
def test_malformed_messages_are_dropped(view, content):
    heard = []
    view.on_click(heard.append)
    view.on_place(heard.append)
    view.on_range(heard.append)
    view.on_redshift(lambda *both: heard.append(both))
    sent(view, content)
    assert heard == []


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["click", "place", "range", "redshift", "file", "piece", "arrive", "key"]), rest=ANYTHING)
def test_no_message_breaks_a_widget(kind, rest):
    content = {
        "type": kind,
        **(rest if isinstance(rest, dict) else {"z": rest, "x": rest, "trace": rest, "name": rest}),
    }
    view = PlotView()
    view.show({"data": [{"y": np.ones(2)}], "layout": {}}, "")
    view.redshift([5000.0], ["line"], 0.0)
    upload = Upload("", lambda file: None, accept=".fits", max_bytes=10)
    answers(upload)
    for widget in (view, upload, Address(), Keyboard({"j": ("next", lambda: None)})):
        sent(widget, content)
        sent(widget, content, b"1234")


def test_lines_are_dragged_within_limits(view):
    heard = []
    view.on_redshift(lambda z, done: heard.append((z, done)))
    view.redshift([6564.61], ["Hα"], 0.1)
    sent(view, {"type": "redshift", "z": 0.25, "done": False})
    sent(view, {"type": "redshift", "z": 9.5, "done": True})
    assert heard == [(0.25, False)]
    assert view.z == 0.25
    view.z = 0.3
    assert view.get_state()["marks"]["z"] == 0.3
    view.redshift([6564.61], ["Hα"], 0.1, draggable=False)
    sent(view, {"type": "redshift", "z": 0.2, "done": True})
    assert heard == [(0.25, False)]


def test_first_paint_is_json(view):
    import json

    paint = view.first_paint()
    assert json.loads(json.dumps(paint))["figure"]["data"][0]["x"]["shape"] == [4]
    assert PlotView().first_paint() is None


def test_only_bound_keys_call():
    pressed = []
    keys = Keyboard({"j": ("next", lambda: pressed.append("j"))})
    for key in ("j", "k", "__init__", None):
        sent(keys, {"type": "key", "key": key})
    assert pressed == ["j"]
    keys.bind({"k": ("previous", lambda: pressed.append("k"))})
    sent(keys, {"type": "key", "key": "j"})
    sent(keys, {"type": "key", "key": "k"})
    assert pressed == ["j", "k"]


def test_address_gives_strings_and_refuses_floods():
    seen = []
    address = Address()
    address.on_arrive(seen.append)
    sent(address, {"type": "arrive", "state": {"z": 0.5, "open": "samples", "long": "x" * 9000}})
    sent(address, {"type": "arrive", "state": {str(i): "" for i in range(61)}})
    assert len(seen) == 1
    assert seen[0]["z"] == "0.5"
    assert len(seen[0]["long"]) == 2000
    address.put({"z": "0.1"})
    assert address.get_state()["state"] == {"z": "0.1"}


def test_download_hands_over_bytes_or_the_reason():
    def refuse():
        raise RacnetError("nothing inspected yet: press 0 to 4 first")

    good, bad = Download("Download", lambda: ("a.csv", b"1,2")), Download("Download", refuse)
    for widget, expected in ((good, ({"type": "file", "name": "a.csv"}, [b"1,2"])), (bad, None)):
        out = answers(widget)
        sent(widget, {"type": "wanted"})
        assert out[0] == expected if expected else out[0][0]["reason"].startswith("nothing inspected")


# Uploads


class Visitor:
    """Sends a file as upload.js does."""

    def __init__(self, **options):
        self.files, self.log = [], []
        take = options.pop("take", self.files.append)
        self.widget = Upload("Choose", take, accept=".fits,.gz,.csv", **{"max_bytes": 5 * 1024**2} | options)
        self.answers = answers(self.widget)

    def last(self):
        return self.answers[-1][0]

    def send(self, name, data, *, piece=1024**2, crc=None, size=None):
        sent(self.widget, {"type": "file", "name": name, "size": len(data) if size is None else size})
        offset = 0
        while self.last()["type"] == "go":
            part = data[offset : offset + piece]
            last = offset + len(part) >= len(data)
            whole = zlib.crc32(data) if crc is None else crc
            sent(self.widget, {"type": "piece", "offset": offset, "last": last, "crc": whole}, part)
            offset += len(part)
            if last:
                break
        return self.last()


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=4000), st.integers(1, 1500))
def test_files_arrive_whole_in_any_pieces(data, piece):
    visitor = Visitor()
    assert visitor.send("a.fits", data, piece=piece)["type"] == "taken"
    assert [file.data for file in visitor.files] == [data]


@pytest.mark.parametrize(
    ("name", "data", "options", "words"),
    [
        ("a.exe", b"x", {}, "ending in .fits, .gz, .csv"),
        ("a.fits", b"", {}, "empty"),
        ("a.fits", bytes(6 * 1024**2), {}, "at most 5 MiB"),
        ("a.fits", b"abc", {"crc": 1}, "checksum"),
        ("a.fits", b"abcdef", {"size": 3}, "more arrived"),
        ("a.fits", b"abc", {"size": 9}, "checksum"),
        ("a.fits", b"abc", {"size": "3"}, "size"),
    ],
)
def test_what_is_wrong_is_refused_aloud(name, data, options, words):
    visitor = Visitor()
    reply = visitor.send(name, data, **options)
    assert reply["type"] == "refused"
    assert words in reply["reason"]
    assert visitor.files == []
    assert visitor.send("next.fits", b"good")["type"] == "taken"  # and the next one is served


def test_a_reader_that_refuses_is_quoted():
    def take(file):
        raise RacnetError("expected a FITS file; found text")

    reply = Visitor(take=take).send("a.fits", b"text")
    assert reply == {"type": "refused", "name": "a.fits", "reason": "expected a FITS file; found text"}


def test_pieces_without_a_file_are_dropped():
    visitor = Visitor()
    sent(visitor.widget, {"type": "piece", "offset": 0, "last": True, "crc": 0}, b"x")
    assert visitor.answers == []
    assert visitor.files == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("spec.fits", "spec.fits"),
        ("../../etc/passwd.fits", "passwd.fits"),
        ("C:\\temp\\a.fits", "a.fits"),
        ("..fits", "fits"),
        ("a\x00b\u202e.fits", "ab.fits"),
        ("<img src=x onerror=alert(1)>.fits", "img src=x onerror=alert(1).fits"),
        ("星系.fits", "星系.fits"),
        ("", "unnamed"),
        ("...", "unnamed"),
        ("x" * 300 + ".fits", "x" * 115 + ".fits"),
    ],
)
def test_names_are_only_names(name, safe):
    assert safe_name(name) == safe


@given(st.text(max_size=200))
def test_no_name_leaves_a_folder(name):
    safe = safe_name(name)
    assert safe
    assert not set(safe) & set("/\\\x00\n<>")
    assert not safe.startswith(".")
