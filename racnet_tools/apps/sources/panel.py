"""`SourcePanel`: where a visitor chooses which spectra to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import ipywidgets as w

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.panes import ArchivePane, FolderPane, UploadPane
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.apps.sources.spectrum_list import SpectrumList
from racnet_tools.errors import RacnetError

__all__ = ["SourcePanel"]

_MOST_REFUSED = 200


class SourcePanel(w.VBox):
    """A choice of sources: shipped samples, the server's folder, an archive, uploads.

    Parameters
    ----------
    settings : Settings
        What visitors may open.
    notice : Notice
        Where it says what went wrong.
    python : ShowPython
        Where it says the Python of what was opened.
    on_open : callable
        ``on_open(SpectrumList)`` for each list opened; nothing is called where opening failed, and what was on show
        stays, which the notice says.

    Attributes
    ----------
    spectra : SpectrumList or None
        What is open.
    """

    def __init__(
        self, settings: Settings, notice: Notice, python: ShowPython, on_open: Callable[[SpectrumList], None]
    ) -> None:
        self.spectra: SpectrumList | None = None
        self._settings, self._notice, self._python, self._on_open = settings, notice, python, on_open
        self._panes: dict[str, w.Widget] = {}
        self._build: dict[str, Callable[[], w.Widget]] = {
            "Shipped samples": self._samples_pane,
            "Folder on the server": lambda: FolderPane(settings, notice, self.opened),
            "Archive": lambda: ArchivePane(settings, notice, self.opened),
            "Upload": lambda: UploadPane(settings, notice, self.opened),
        }
        self._source = w.Dropdown(options=list(self._build), description="Source")
        self._source.observe(notice.guard(lambda _: self._choose(self._source.value)), "value")
        self._place = w.VBox()
        self._said = w.HTML()
        super().__init__([self._source, self._place, self._said])
        self.add_class("rn-card")
        self._choose("Shipped samples")

    def open_address(self, state: Mapping[str, str]) -> bool:
        """Open what a page's address names.

        Parameters
        ----------
        state : mapping of str to str
            With "open" as in `SpectrumList.address`.

        Returns
        -------
        bool
            Whether it is open now, or on its way from an archive; otherwise the notice says why not.
        """
        try:
            match state.get("open", "samples"):
                case "samples":
                    self.opened(open_samples())
                    self._show("Shipped samples")
                case "folder" | "file" | "catalogue":
                    self._show("Folder on the server").open_address(state)
                case "lamost" | "sdss" | "desi":
                    self._show("Archive").open_address(state)
                case other:
                    raise RacnetError(
                        "Expected open=samples, folder, file, catalogue, lamost, sdss or desi in the address. "
                        f"Received: {other[:60]!r}. Uploaded files cannot be linked: choose them again."
                    )
        except RacnetError as error:
            self._notice.error(error)
            return False
        return True

    def opened(self, spectra: SpectrumList) -> None:
        """Take a list as the one on show, and hand it on."""
        before, self.spectra = self.spectra, spectra
        self._python.say("Open spectra", spectra.python)
        self.refresh()
        self._on_open(spectra)
        if before is not None and before is not spectra:
            before.close()

    def refresh(self) -> None:
        """Say anew what is open and which files were refused, as after reading one of them."""
        if self.spectra is None:
            return
        refused = self.spectra.refused
        rows = "".join(f"<li><b>{escape(name)}</b>: {escape(reason)}</li>" for name, reason in refused[:_MOST_REFUSED])
        listed = (
            f"<details open><summary>{len(refused)} refused</summary><ul class='rn-upload-list'>{rows}</ul></details>"
            if refused
            else ""
        )
        self._said.value = f"<b>On show:</b> {escape(self.spectra.name)}{listed}"

    def _choose(self, name: object) -> None:
        if not isinstance(name, str) or name not in self._build:
            raise RacnetError(f"Expected one of {', '.join(self._build)}. Received: {str(name)[:60]!r}.")
        if name not in self._panes:
            self._panes[name] = self._build[name]()
        self._place.children = [self._panes[name]]

    def _show(self, name: str) -> w.Widget:
        self._source.value = name
        self._choose(name)
        return self._panes[name]

    def _samples_pane(self) -> w.Widget:
        button = w.Button(description="Open the samples", layout=w.Layout(width="auto"))
        button.on_click(self._notice.guard(lambda _: self.opened(open_samples())))
        return button
