"""The choice of spectra: what is opened and refused, uploads, and a browser that sets what it likes."""

import asyncio
import gzip
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources import SourcePanel, SpectrumList, panes
from racnet_tools.apps.sources.panes import ArchivePane, FolderPane
from racnet_tools.apps.sources.uploads import Uploads
from racnet_tools.apps.widgets import Upload, UploadedFile
from racnet_tools.errors import RacnetError
from racnet_tools.readers import find_files, read_file
from racnet_tools.resources import data_path

SAMPLES = list(find_files(data_path("samples")))


class Page:
    """A panel, and what it told the dashboard."""

    def __init__(self, settings: Settings) -> None:
        self.notice, self.python = Notice(), ShowPython()
        self.opened: list[SpectrumList] = []
        self.panel = SourcePanel(settings, self.notice, self.python, self.opened.append)

    @property
    def said(self) -> str:
        return self.notice.value

    def find(self, kind, within=None):
        """The first widget of a class below the panel."""
        for child in (within or self.panel).children:
            if isinstance(child, kind):
                return child
            if hasattr(child, "children") and (found := self.find(kind, child)) is not None:
                return found
        return None


@pytest.fixture
def page(tmp_path) -> Page:
    root = tmp_path / "spectra"
    (root / "m31").mkdir(parents=True)
    for number in range(3):
        shutil.copy(SAMPLES[number], root / "m31")
    (root / "notes.txt").write_text("hello")
    return Page(Settings(spectra=root.resolve(), work=tmp_path / "work", max_upload=1024**2))


def test_samples_by_button_and_by_address(page):
    page.find(panes.w.Button).click()
    assert page.panel.open_address({})
    assert page.panel.open_address({"open": "samples"})
    assert [len(one) for one in page.opened] == [15, 15, 15]
    assert "15 shipped samples" in page.panel._said.value
    assert "data_path" in page.python.value


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"open": "folder", "path": "../.."}, "the server offers"),
        ({"open": "file", "path": "/etc/passwd"}, "the server offers"),
        ({"open": "catalogue", "path": "notes.txt"}, "neither a spectrum nor a catalogue"),
        ({"open": "upload"}, "choose them again"),
        ({"open": "<script>"}, "Expected open="),
        ({"open": "lamost", "object": "x"}, "an obsid such as"),
        ({"open": "sdss", "release": "dr1", "object": "5"}, "Expected a release"),
    ],
)
def test_an_address_that_cannot_be_opened_leaves_what_is_on_show(page, state, words):
    assert page.panel.open_address({"open": "folder", "path": "m31"})
    before = page.panel.spectra
    assert not page.panel.open_address(state)
    assert words in page.said
    assert "<script>" not in page.said
    assert page.panel.spectra is before
    assert len(page.opened) == 1
    assert len(before.load(0)) == 1


def test_a_walk_through_the_folder(page):
    page.panel._source.value = "Folder on the server"
    pane = page.find(FolderPane)
    assert [name for name, _ in pane._folders.options] == ["(this folder)", "m31"]
    pane._folders.value = "m31"
    assert pane._files == tuple(path.name for path in SAMPLES[:3])
    assert "3 FITS files and no tables" in pane._where.value
    pane._all.click()
    assert page.opened[-1].address == {"open": "folder", "path": "m31"}
    pane._file.value = SAMPLES[1].name
    pane._one.click()
    assert page.opened[-1].address == {"open": "file", "path": f"m31/{SAMPLES[1].name}"}
    pane._folders.value = "(the folder above)"
    assert pane._at == ""
    assert "error" not in page.said


def test_without_a_folder_it_says_how_to_offer_one(tmp_path):
    page = Page(Settings(work=tmp_path, archives=False))
    page.panel._source.value = "Folder on the server"
    assert "racnet dashboards --spectra" in page.find(FolderPane).children[0].value
    assert not page.panel.open_address({"open": "folder", "path": ""})
    page.panel._source.value = "Archive"
    assert "fetches nothing" in page.find(ArchivePane).children[0].value
    assert not page.opened


def test_a_browser_can_set_what_it_likes(page):
    """Every trait of every widget to rubbish and to places it shall not reach: nothing opens, nothing breaks."""
    for name in ("Folder on the server", "Archive", "Upload"):
        page.panel._source.value = name
    evil = ["../../etc", "/etc/passwd", "<img src=x>", -1, 10**9, None, ["a"], {"b": 1}, float("nan")]
    panel = page.panel
    for pane in [panel, *panel._panes.values()]:
        for widget in [pane, *[one for one in vars(pane).values() if isinstance(one, panes.w.Widget)]]:
            for trait in [one for one in widget.keys if not one.startswith("_") and one not in ("layout", "style")]:
                for value in evil:
                    try:
                        widget.set_state({trait: value})
                    except Exception:  # traitlets refuse most; ipykernel drops the message
                        continue
    assert not page.opened
    assert page.panel.open_address({"open": "samples"})


def test_a_choice_that_is_not_offered_is_refused(page):
    page.panel._source.value = "Folder on the server"
    pane = page.find(FolderPane)
    with pytest.raises(RacnetError, match="the server offers"):
        pane._enter("../../..")
    with pytest.raises(RacnetError, match="one of the files listed"):
        pane._open_file("../notes.txt")
    with pytest.raises(RacnetError, match="Expected one of Shipped samples"):
        page.panel._choose("os.system")


def send(widget: Upload, *files: tuple[str, bytes]) -> list[dict]:
    """Send files as upload.js does."""
    told: list[dict] = []
    widget.send = lambda content, buffers=None: told.append(content)  # type: ignore[method-assign]
    widget._receive(widget, {"type": "begin", "count": len(files)}, [])
    for name, data in files:
        widget._receive(widget, {"type": "file", "name": name, "size": len(data)}, [])
        piece = {"type": "piece", "offset": 0, "last": True, "crc": zlib.crc32(data)}
        widget._receive(widget, piece, [memoryview(data)])
    widget._receive(widget, {"type": "end"}, [])
    return [one for one in told if one["type"] != "go"]


def test_uploads_open_beside_the_refused(page):
    page.panel._source.value = "Upload"
    good, bomb = SAMPLES[0].read_bytes(), gzip.compress(bytes(70 * 1024**2))
    told = send(page.find(Upload), ("a.fits.gz", good), ("bad.fits", b"no FITS"), ("bomb.fits.gz", bomb))
    assert [one["type"] for one in told] == ["taken", "refused", "refused"]
    spectra = page.opened[-1]
    assert [spectra.key(i) for i in range(len(spectra))] == ["a"]
    assert spectra.load(0).flux.tobytes() == read_file(SAMPLES[0]).flux.tobytes()
    assert [name for name, _ in spectra.refused] == ["bad.fits", "bomb.fits.gz"]
    assert "unpacks to at most 64 MB" in spectra.refused[1][1]
    assert "2 refused" in page.panel._said.value
    assert spectra.address == {}


def test_refused_uploads_never_pass_for_what_is_on_show(page):
    page.panel._source.value = "Upload"
    upload = page.find(Upload)
    send(upload, ("a.fits.gz", SAMPLES[0].read_bytes()))
    send(upload, ("<b>bad</b>.fits", b"rubbish"))
    assert len(page.opened) == 1
    assert "nothing new was opened" in page.said
    assert "expected a LAMOST" in page.said.replace("&#x27;", "'")
    assert "<b>bad" not in page.said
    assert len(page.opened[0].load(0)) == 1  # the first is still there


def test_the_message_is_the_readers_own(page, tmp_path):
    path = tmp_path / "cut.fits.gz"
    path.write_bytes(SAMPLES[0].read_bytes()[:5000])
    with pytest.raises(RacnetError) as plain:
        read_file(path)
    uploads = Uploads()
    with pytest.raises(RacnetError) as told:
        uploads.add(UploadedFile(path.name, path.read_bytes(), ""))
    assert str(told.value) == plain.value.reason  # type: ignore[attr-defined]


def test_names_may_repeat_and_earlier_uploads_go(page):
    uploads = Uploads()
    for number in (0, 1):
        uploads.add(UploadedFile("same.fits.gz", SAMPLES[number].read_bytes(), ""))
    first = uploads.open()
    assert [first.key(i) for i in range(2)] == ["same", "same (2)"]
    assert not np.array_equal(first.load(0).flux, first.load(1).flux)
    folder = Path(uploads._shown.name)
    uploads.begin()
    uploads.add(UploadedFile("next.fits.gz", SAMPLES[2].read_bytes(), ""))
    assert folder.is_dir()
    uploads.open()
    assert not folder.exists()
    uploads.close()


def test_a_choice_has_limited_room(page, monkeypatch):
    monkeypatch.setattr("racnet_tools.apps.sources.uploads.ROOM", 40_000)
    uploads = Uploads()
    uploads.add(UploadedFile("a.fits.gz", SAMPLES[0].read_bytes(), ""))
    with pytest.raises(RacnetError, match="Choose fewer"):
        uploads.add(UploadedFile("b.fits.gz", SAMPLES[1].read_bytes(), ""))
    assert uploads.accepted == ["a.fits.gz"]


def test_an_archive_is_asked_aside_and_can_be_left(page, monkeypatch):
    """The page goes on while the network is slow; an answer that comes after it was given up opens nothing."""
    import threading

    go = threading.Event()
    listed = Page(Settings()).panel
    listed.open_address({})

    def slow(settings, query):
        go.wait(5)
        return listed.spectra

    monkeypatch.setattr(panes, "open_archive", slow)
    page.panel._source.value = "Archive"
    pane = page.find(ArchivePane)

    async def visit():
        pane._object.value = "101001"
        pane._go.click()
        assert "Asking for LAMOST DR5 101001" in page.said
        assert pane._go.disabled
        pane._stop.click()
        assert not pane._go.disabled
        go.set()
        await asyncio.sleep(0.05)
        assert not page.opened
        pane._go.click()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if page.opened:
                return

    asyncio.run(visit())
    assert page.opened == [listed.spectra]


def test_an_archive_that_fails_says_so(page, monkeypatch):
    def broken(settings, query):
        raise RacnetError("the archive cannot be reached. Check the network.")

    monkeypatch.setattr(panes, "open_archive", broken)
    assert page.panel.open_address({"open": "lamost", "object": "10.5 41.2", "radius": "9"})
    assert "Check the network" in page.said
    pane = page.find(ArchivePane)
    assert (pane._object.value, pane._radius.value, pane._go.disabled) == ("10.500000 +41.200000", "9", False)
