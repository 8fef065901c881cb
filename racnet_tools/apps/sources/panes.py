"""The parts of `SourcePanel` that choose within one source; each hands over a `SpectrumList`."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import PurePosixPath
from threading import Thread

import ipywidgets as w

from racnet_tools.apps.frame import Notice
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.archive import ARCHIVES, Query, open_archive
from racnet_tools.apps.sources.folder import CHOICES, inside, list_folder, open_folder
from racnet_tools.apps.sources.spectrum_list import SpectrumList
from racnet_tools.apps.sources.uploads import ENDINGS, Uploads
from racnet_tools.apps.widgets import Upload
from racnet_tools.errors import RacnetError

__all__ = ["ArchivePane", "FolderPane", "UploadPane"]

_Opened = Callable[[SpectrumList], None]
_WIDE = {"width": "auto"}
_UP, _HERE = "(the folder above)", "(this folder)"


class FolderPane(w.VBox):
    """A walk through the folder that the server offers."""

    def __init__(self, settings: Settings, notice: Notice, opened: _Opened) -> None:
        self._settings, self._notice, self._opened = settings, notice, opened
        self._at = ""
        self._files: tuple[str, ...] = ()
        self._where = w.HTML()
        self._folders = w.Dropdown(description="Folder")
        self._file = w.Dropdown(description="File")
        self._all = w.Button(
            description="Open all spectra here and below", button_style="primary", layout=w.Layout(**_WIDE)
        )
        self._one = w.Button(description="Open this file", layout=w.Layout(**_WIDE))
        super().__init__()
        if settings.spectra is None:
            self.children = [
                w.HTML(
                    "This server offers no folder. Whoever serves the dashboards can: "
                    "<code>racnet dashboards --spectra FOLDER</code>"
                )
            ]
            return
        self._folders.observe(notice.guard(lambda _: self._enter(self._folders.value)), "value")
        self._all.on_click(notice.guard(lambda _: self.open_address({"open": "folder", "path": self._at})))
        self._one.on_click(notice.guard(lambda _: self._open_file(self._file.value)))
        self.go("")

    def go(self, name: str) -> None:
        """Show the folder `name` below the server's; raises RacnetError if it is none."""
        if self._settings.spectra is None:
            raise RacnetError("This server offers no folder of spectra: racnet dashboards --spectra FOLDER does.")
        found = list_folder(self._settings.spectra, name)
        self._at = "" if name == "." else name
        self._files = (*found.tables, *found.spectra)
        more = f" Each list ends after {CHOICES} names." if found.more else ""
        self._where.value = (
            f"{_count(found.spectra, 'FITS file')} and {_count(found.tables, 'table')} right here.{more}"
        )
        up = [_UP] if self._at else []
        _offer(self._folders, [(self._at or _HERE, _HERE), *((name, name) for name in (*up, *found.folders))])
        _offer(self._file, self._files)
        self.children = [self._folders, self._where, self._all, *([self._file, self._one] if self._files else [])]

    def open_address(self, state: Mapping[str, str]) -> None:
        """Open a folder, file or catalogue below the server's folder; raises RacnetError where that cannot be."""
        root, path = self._settings.spectra, state.get("path", "")
        if root is None:
            raise RacnetError("This server offers no folder of spectra: racnet dashboards --spectra FOLDER does.")
        with self._notice.busy(f"Looking through {path or 'the folder'} ..."):
            spectra = open_folder(root, path) if state.get("open") == "folder" else self._any(path)
            self.go(path if inside(root, path).is_dir() else posixpath.dirname(path))
        self._opened(spectra)

    def _any(self, path: str) -> SpectrumList:
        from racnet_tools.apps.sources.catalogue import open_file_or_catalogue

        return open_file_or_catalogue(self._settings, path)

    def _enter(self, choice: object) -> None:
        if choice == _UP:
            self.go(str(PurePosixPath(self._at).parent))
        elif choice != _HERE:
            self.go(f"{self._at}/{choice}" if self._at else str(choice))

    def _open_file(self, choice: object) -> None:
        if choice not in self._files:
            raise RacnetError(f"Expected one of the files listed. Received: {str(choice)[:100]!r}.")
        self.open_address({"open": "file", "path": f"{self._at}/{choice}" if self._at else str(choice)})


class UploadPane(w.VBox):
    """A choice of files on the visitor's own machine."""

    def __init__(self, settings: Settings, notice: Notice, opened: _Opened) -> None:
        self._notice, self._opened = notice, opened
        self.uploads = Uploads()
        upload = Upload(
            "Choose files",
            self.uploads.add,
            accept=ENDINGS,
            max_bytes=settings.max_upload,
            on_begin=lambda _: self.uploads.begin(),
            on_end=notice.guard(self._end),
        )
        hint = w.HTML("LAMOST, SDSS or DESI files, or text tables of wavelength and flux. Deleted when you leave.")
        super().__init__([upload, hint])

    def _end(self) -> None:
        spectra = self.uploads.open()
        self._notice.clear()
        self._opened(spectra)


class ArchivePane(w.VBox):
    """An object of an archive, by identifier or position; the network is asked in a thread, and can be left alone."""

    def __init__(self, settings: Settings, notice: Notice, opened: _Opened) -> None:
        self._settings, self._notice, self._opened = settings, notice, opened
        self._asked = 0
        self._archive = w.Dropdown(description="Archive", options=[name.upper() for name in ARCHIVES])
        self._release = w.Dropdown(description="Release")
        self._object = w.Text(description="Object", placeholder="obsid, or ra dec", continuous_update=False)
        self._radius = w.Text(description='Radius (")', value="5", continuous_update=False)
        self._go = w.Button(description="Fetch", button_style="primary", layout=w.Layout(**_WIDE))
        self._stop = w.Button(description="Do not wait", disabled=True, layout=w.Layout(**_WIDE))
        self._hint = w.HTML()
        super().__init__()
        if not settings.archives:
            self.children = [w.HTML("This server fetches nothing from archives. Open a file instead.")]
            return
        self._archive.observe(notice.guard(lambda _: self._choose()), "value")
        self._go.on_click(notice.guard(lambda _: self._fetch()))
        self._stop.on_click(notice.guard(lambda _: self._leave()))
        self._choose()
        buttons = w.HBox([self._go, self._stop])
        self.children = [self._archive, self._release, self._object, self._radius, buttons, self._hint]

    def open_address(self, state: Mapping[str, str]) -> None:
        """Ask for what an address names; raises RacnetError for what cannot be one."""
        query = Query.from_address(state)
        self._archive.value = query.archive.upper()
        self._choose()
        self._release.value = query.release
        self._object.value = query.address["object"]
        self._radius.value = f"{query.radius:g}"
        self.ask(query)

    def ask(self, query: Query) -> None:
        """Ask the archive; the list is handed over when it is there."""
        self._asked += 1
        number = self._asked
        self._stop.disabled, self._go.disabled = False, True
        self._notice.info(f"Asking for {query} ...")

        def work() -> SpectrumList:
            return open_archive(self._settings, query)

        def done(made: Future[SpectrumList]) -> None:
            if number != self._asked:  # given up, or another one was asked for
                return
            self._stop.disabled, self._go.disabled = True, False
            error = made.exception()
            if error is not None:
                raise error
            self._notice.clear()
            self._opened(made.result())

        aside(work, self._notice.guard(done))

    def _leave(self) -> None:
        self._asked += 1
        self._stop.disabled, self._go.disabled = True, False
        self._notice.info("Not waited for. What was open stays open.")

    def _choose(self) -> None:
        archive = str(self._archive.value).lower()
        if archive not in ARCHIVES:
            raise RacnetError(f"Expected an archive of {', '.join(ARCHIVES)}. Received: {archive[:40]!r}.")
        _offer(self._release, ARCHIVES[archive])
        self._hint.value = (
            "An obsid such as 101001, or a position such as 10.684 +41.269 or 00:42:44.3 +41:16:09."
            if archive == "lamost"
            else "The survey's own number or SPARCL's identifier, or a position such as 150.1 +2.2."
        )

    def _fetch(self) -> None:
        try:
            radius = float(self._radius.value)
        except ValueError:
            raise RacnetError(f"Expected a radius in arcsec. Received: {self._radius.value[:40]!r}.") from None
        archive, release = str(self._archive.value).lower(), str(self._release.value)
        self.ask(Query(archive, release, self._object.value[:200], radius))


def _count(names: Sequence[str], what: str) -> str:
    return f"{len(names) or 'no'} {what}{'' if len(names) == 1 else 's'}"


def _offer(choice: w.Dropdown, options: Sequence[str] | Sequence[tuple[str, str]]) -> None:
    """Offer other options and choose the first; ipywidgets itself leaves nothing chosen at first."""
    choice.options = options
    choice.index = 0 if options else None


def aside(work: Callable[[], SpectrumList], done: Callable[[Future[SpectrumList]], None]) -> None:
    """Do `work` in a thread and call `done` with its future in the kernel's own; at once where no loop runs."""
    future: Future[SpectrumList] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # a script or a test: nobody waits meanwhile
        run()
        done(future)
        return

    def run_and_tell() -> None:
        run()
        loop.call_soon_threadsafe(done, future)

    Thread(target=run_and_tell, name="racnet-archive", daemon=True).start()
