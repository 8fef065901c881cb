"""Parts of the visual inspection that deal with files: export, comparison of inspectors, sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from html import escape

import ipywidgets as w

from racnet_tools.apps.frame import Notice, ShowPython
from racnet_tools.apps.inspection.export import FORMATS, write_table
from racnet_tools.apps.inspection.merge import Agreement
from racnet_tools.apps.inspection.model import InspectionModel
from racnet_tools.apps.widgets import Download, Upload
from racnet_tools.apps.widgets.upload import UploadedFile
from racnet_tools.errors import RacnetError

__all__ = ["ComparePanel", "ExportPanel", "SessionPanel", "agreement_html"]

_LISTED = 50  # conflicts that the page lists


class ExportPanel(w.VBox):
    """Download the inspections in each format; `model` is an `InspectionModel`."""

    def __init__(self, model: InspectionModel) -> None:
        super().__init__([_downloads("Download", model.export)])


class ComparePanel(w.VBox):
    """Choose people, see how they agree and what is open, download what is adopted.

    Parameters
    ----------
    model : InspectionModel
    notice : Notice
    python : ShowPython
    max_upload : int
        Bytes of an uploaded file of inspections.
    """

    def __init__(self, model: InspectionModel, notice: Notice, python: ShowPython, max_upload: int) -> None:
        self._model, self._python = model, python
        self._found: Agreement | None = None
        self._people = w.SelectMultiple(description="Inspectors", rows=5, layout=w.Layout(width="320px"))
        compare = w.Button(description="Merge and compare", layout=w.Layout(width="auto"))
        compare.on_click(notice.guard(lambda _: self.compare(self._people.value)))
        upload = Upload(
            "Add exported files", self._add, accept=".csv,.ecsv,.fits,.vot,.json", max_bytes=max_upload
        )  # fmt: skip
        self._result = w.VBox([])
        super().__init__(
            [
                w.HBox(
                    [self._people, compare, upload],
                    layout=w.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="4px 8px"),
                ),
                self._result,
            ]
        )
        self._list()

    def compare(self, names: object) -> None:
        """Merge the inspections of these people and show how they agree."""
        chosen = list(names) if isinstance(names, list | tuple) else []
        self._found = self._model.agreement(chosen)
        self._result.children = [w.HTML(agreement_html(self._found)), _downloads("Download merged", self._export)]
        self._python.say(
            "Merge inspectors",
            "from racnet_tools.apps.inspection import Journal, merge\n"
            "from racnet_tools.apps.settings import Settings\n\n"
            f"work = Settings.from_environment().work\nnames = {chosen!r}\n"
            "found = merge(record for name in names for record in Journal(work, name))\n"
            "found.fleiss, found.pairs, found.conflicts\nfound.to_table()",
        )

    def _add(self, file: UploadedFile) -> None:
        self._model.upload(file.name, file.data)
        self._list()

    def _list(self) -> None:
        names = self._model.inspectors()
        self._people.options = names
        self._people.value = tuple(names)

    def _export(self, ending: str) -> tuple[str, bytes]:
        if self._found is None:
            raise RacnetError("Nothing is merged yet. Choose people and press Merge and compare.")
        return f"merged-inspections{ending}", write_table(self._found.to_table(), ending)


class SessionPanel(w.VBox):
    """Save the view and the inspections to one file, and load it back.

    Parameters
    ----------
    model : InspectionModel
    state : callable
        Gives what the page's address holds.
    loaded : callable
        ``loaded(state)`` when a session was taken in.
    max_upload : int
    """

    def __init__(
        self,
        model: InspectionModel,
        state: Callable[[], Mapping[str, str]],
        loaded: Callable[[Mapping[str, str]], None],
        max_upload: int,
    ) -> None:
        def load(file: UploadedFile) -> None:
            session, taken = model.load(file.name, file.data)
            said.value = escape(
                f"Session {file.name}: {len(session.inspections):,} inspections, {taken:,} of them newer than yours "
                "here and taken; those of others are used when you compare inspectors."
            )
            loaded(session.state)

        said = w.HTML()
        save = Download("Save session", lambda: model.session(dict(state())))
        super().__init__([save, Upload("Load session", load, accept=".json", max_bytes=max_upload), said])
        self.layout.grid_gap = "6px"


def agreement_html(found: Agreement) -> str:
    """How people agree, in words and tables; all names and keys escaped."""
    people = ", ".join(map(escape, found.inspectors)) or "nobody"
    share = f"{found.agreed / found.shared:.0%}" if found.shared else "none"
    said = [
        f"<p>{len(found.spectra):,} spectra of {people}; {found.shared:,} seen by two or more, who agree on the class "
        f"of {found.agreed:,} ({share})."
        + (f" Fleiss' kappa {found.fleiss:.2f}." if found.fleiss is not None else "")
        + "</p>"
    ]
    if found.pairs:
        rows = "".join(
            f"<tr><td>{escape(a)} and {escape(b)}</td><td class='number'>{n:,}</td>"
            f"<td class='number'>{'not defined' if kappa is None else f'{kappa:.2f}'}</td></tr>"
            for (a, b), (n, kappa) in list(found.pairs.items())[:_LISTED]
        )
        said.append(f"<table><tr><th>Pair</th><th>Both saw</th><th>Cohen's kappa</th></tr>{rows}</table>")
    conflicts = found.conflicts
    if not conflicts:
        said.append("<p>Nothing is open: they contradict each other nowhere.</p>")
        return "".join(said)
    rows = "".join(
        f"<tr><td>{escape(one.key)}</td><td>{', '.join(one.conflicts)}</td><td>"
        + "; ".join(
            f"{escape(record.inspector)}: {escape(record.verdict or 'no class')} {record.quality}"
            + (f" z = {record.z:.4f}" if record.z is not None else "")
            for record in one.records
        )
        + f"</td><td>{escape(f'{one.label} ({one.by})' if one.by else 'none')}</td></tr>"
        for one in conflicts[:_LISTED]
    )
    more = f", the first {_LISTED}" if len(conflicts) > _LISTED else ""
    said.append(
        f"<p><b>{len(conflicts):,} to look at again</b>{more}:</p><table><tr><th>Spectrum</th><th>About</th>"
        f"<th>Class, quality, redshift</th><th>Adopted</th></tr>{rows}</table>"
    )
    return "".join(said)


def _downloads(what: str, make: Callable[[str], tuple[str, bytes]]) -> w.HBox:
    buttons = [Download(f"{what} {name}", partial(make, ending)) for ending, name in FORMATS.items()]
    return w.HBox(buttons, layout=w.Layout(flex_flow="row wrap", grid_gap="4px 8px"))
