"""`InspectionPanel`: the part of a page in which people note what they think of a spectrum, by keyboard or by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as w

from racnet_tools.apps.frame import Lazy, Notice, ShowPython
from racnet_tools.apps.inspection.files_panel import ComparePanel, ExportPanel, SessionPanel
from racnet_tools.apps.inspection.model import InspectionModel, letters
from racnet_tools.apps.inspection.record import FLAGS, QUALITIES
from racnet_tools.apps.settings import Settings
from racnet_tools.errors import RacnetError

__all__ = ["InspectionPanel"]

_PAUSE = 0.4  # seconds without typing after which a comment is kept
_SHORT = {quality: words.split(":")[0] for quality, words in QUALITIES.items()}


class InspectionPanel(w.VBox):
    """Quality, class, redshift, flags and comment of the spectrum on show, kept at each change.

    Parameters
    ----------
    settings : Settings
    notice : Notice
    python : ShowPython
    classes : sequence of str
        Classes of the network.
    on_next : callable
        Called when the visitor wants the next spectrum.
    on_go : callable, optional
        ``on_go(key)`` when the visitor wants to go on where he was, or back to what he took back.
    state : callable, optional
        ``state()`` gives what the page's address holds, for sessions.
    on_session : callable, optional
        ``on_session(state)`` when a session was loaded.

    Attributes
    ----------
    model : InspectionModel
    """

    def __init__(
        self,
        settings: Settings,
        notice: Notice,
        python: ShowPython,
        classes: Sequence[str],
        on_next: Callable[[], None],
        *,
        on_go: Callable[[str], None] | None = None,
        state: Callable[[], Mapping[str, str]] | None = None,
        on_session: Callable[[dict[str, str]], None] | None = None,
    ) -> None:
        self.model = InspectionModel(settings.work, classes)
        self._notice, self._python, self._next, self._go = notice, python, on_next, on_go
        self._busy = False
        self._proposed = ""
        self._typing: asyncio.TimerHandle | None = None
        self._typed: tuple[str, str] | None = None  # key and text of a comment that is not kept yet
        guard = notice.guard
        self._name = w.Text(
            description="Your name", placeholder="or initials", continuous_update=False, layout=w.Layout(width="280px")
        )
        self._start = w.Button(description="Start", button_style="primary", layout=w.Layout(width="auto"))
        self._start.on_click(guard(lambda _: self.start(self._name.value)))
        hint = w.HTML(
            "Give spectra a quality, a class, a redshift, flags and comments by single keys. Everything is kept on the "
            "server at once, under your name; come back with the same name to go on. "
            "Who opens this server can read it."
        )
        self._welcome = [w.HBox([self._name, self._start], layout=w.Layout(flex_flow="row wrap")), hint]
        self._status = w.HTML()
        super().__init__(self._welcome)
        self.add_class("rn-card")
        self._size = settings.max_upload
        self._state = state or dict
        self._on_session = on_session

    # What the page calls

    def show(self, key: str, *, z: float | None, label: str) -> None:
        """Another spectrum is on show; `z` is where its lines are, `label` what the network says."""
        self._keep_comment()
        self.model.show(key, z, label)
        if self.model.journal is not None:
            self._comments.reverse()  # what is still on its way from the browser goes to the box it was typed into
            self._comment_keys.reverse()
            self._comment_keys[0] = key
            self._comment_place.children = [self._comments[0]]
            self._refresh()

    def set_redshift(self, z: float) -> None:
        """The lines were moved."""
        self.model.move_lines(z)
        self._refresh()

    @property
    def resume(self) -> str | None:
        """Key of the spectrum that was inspected last, None if none was."""
        return self.model.journal.latest if self.model.journal is not None else None

    def progress(self, keys: Iterable[str]) -> tuple[int, int]:
        """How many of these spectra have a quality, and how many they are."""
        return self.model.progress(keys)

    def bindings(self) -> dict[str, tuple[str, Callable[[], None]]]:
        """Keys for a `Keyboard`: 0 to 4 for the quality, small letters for classes, capitals for flags."""
        guard, keys = self._notice.guard, {}
        for quality, words in QUALITIES.items():
            keys[str(quality)] = (f"quality {quality}, {words}", guard(lambda quality=quality: self._grade(quality)))
        for letter, name in letters(self.model.classes).items():
            keys[letter] = (f"class {name}", guard(lambda name=name: self._change(label=name)))
        keys["y"] = ("class as the network says", guard(lambda: self._change(label="")))
        for flag, words in FLAGS.items():
            keys[flag] = (f"flag: {words}", guard(lambda flag=flag: self._toggle(flag)))
        keys["z"] = ("keep the redshift of the lines", guard(self._keep_redshift))
        keys["t"] = ("type a comment (Tab leaves it)", guard(self._write))
        keys["x"] = ("take back the last change", guard(self._undo))
        keys["n"] = ("next spectrum", guard(self._forward))
        return keys

    def address_state(self) -> dict[str, str]:
        """What the page's address holds of this panel: whose inspection it is, or who was proposed."""
        name = self.model.journal.inspector if self.model.journal is not None else self._proposed
        return {"inspector": name} if name else {}

    def apply_address(self, state: Mapping[str, str]) -> None:
        """Propose the name in an address; who follows a link is not its inspector before he says so."""
        if "inspector" in state and self.model.journal is None:
            self._name.value = self._proposed = str(state["inspector"])[:60]

    def start(self, name: str) -> None:
        """Inspect as the person of this name."""
        journal = self.model.start(name)
        self._build()
        self.model.show(self.model.key, self.model.z, self.model.label)
        self._comment_keys[0] = self.model.key
        self._refresh()
        self._python.say(
            "Open the inspections",
            "from racnet_tools.apps.inspection import Journal\nfrom racnet_tools.apps.settings import Settings\n\n"
            f"journal = Journal(Settings.from_environment().work, {journal.inspector!r})",
        )
        lost = f" {journal.damaged} damaged lines were passed over." if journal.damaged else ""
        if journal.latest is None:
            self._notice.info(f"{journal.inspector} begins. The keys stand at the foot of the page.{lost}")
        else:
            self._notice.info(f"{journal.inspector} goes on; the last one was {journal.latest}.{lost}")

    # What visitors do

    def _grade(self, quality: Any) -> None:
        self._keep_comment()
        self.model.grade(quality)
        self._kept()
        if self._after.value is True and quality is not None:
            self._next()

    def _change(self, **changes: Any) -> None:
        self._keep_comment()
        try:
            self.model.change(**changes)
        finally:
            self._refresh()
        self._kept()

    def _toggle(self, flag: str) -> None:
        self._keep_comment()
        try:
            self.model.toggle(flag)
        finally:
            self._refresh()
        self._kept()

    def _keep_redshift(self) -> None:
        if self.model.z is None:
            raise RacnetError("The lines have no redshift. Type one, or drag them.")
        self._change(z=self.model.z)

    def _undo(self) -> None:
        self._keep_comment()
        key = self.model.undo()
        self._refresh()
        self._notice.info(f"Taken back for {key}.")
        if key != self.model.key and self._go is not None:
            self._go(key)

    def _forward(self) -> None:
        self._keep_comment()
        self._next()

    def _write(self) -> None:
        if self.model.journal is None:
            self._name.focus()
        else:
            self._comments[0].focus()

    def _picked(self, change: Any, call: Callable[[Any], None]) -> None:
        if self._busy:
            return
        try:
            call(change["new"])
        finally:
            self._refresh()

    # Comments: kept when the typing pauses, under the spectrum for which they were typed

    def _typed_some(self, change: Any, box: w.Textarea) -> None:
        if self._busy:
            return
        key = self._comment_keys[self._comments.index(box)]
        if self._typed is not None and self._typed[0] != key:
            self._keep_comment()
        self._typed = (key, str(change["new"]))
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._keep_comment()
            return
        if self._typing is not None:
            self._typing.cancel()
        self._typing = loop.call_later(_PAUSE, self._notice.guard(self._keep_comment))

    def _keep_comment(self) -> None:
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None
        if self._typed is None:
            return
        (key, text), self._typed = self._typed, None
        if key:
            self.model.change(key, comment=text)
            self._kept()

    # Inside

    def _kept(self) -> None:
        self._refresh(but_comment=True)
        current = self.model.current
        if current is None:
            return
        given = {name: value for name, value in current.to_dict().items() if name not in ("key", "inspector", "time")}
        said = ", ".join(f"{name}={value!r}" for name, value in given.items())
        self._python.say("Note what was seen", f"journal.change({current.key!r}, {said})")

    def _refresh(self, but_comment: bool = False) -> None:
        """Show what holds."""
        journal, current = self.model.journal, self.model.current
        if journal is None:
            return
        self._busy = True
        try:
            self._quality.value = current.quality if current is not None else None
            self._label.value = current.label if current is not None and current.label in self.model.classes else ""
            for flag, box in self._flags.items():
                box.value = current is not None and flag in current.flags
            if not but_comment and self._typed is None:
                self._comments[0].value = current.comment if current is not None else ""
        finally:
            self._busy = False
        z = current.z if current is not None else None
        self._redshift.value = ("<b>Redshift</b> none kept" if z is None else f"<b>Redshift</b> kept: {z:.5f}") + (
            f" (lines at {self.model.z:.5f})" if self.model.z is not None and z != self.model.z else ""
        )
        self._no_redshift.disabled = z is None
        done = sum(record.is_done for record in journal)
        saved = f"kept {current.time[11:19]} UTC" if current is not None else "nothing noted about this one yet"
        network = f"the network says <b>{escape(self.model.label)}</b>; " if self.model.label else ""
        self._status.value = (
            f"<b>{escape(journal.inspector)}</b>: {done:,} inspected. "
            f"{escape(self.model.key)}: {network}<span role='status'>{saved}</span>"
        )
        before = journal.latest
        self._resume.layout.display = "" if self._go is not None and before not in (None, self.model.key) else "none"

    def _build(self) -> None:
        """The controls, made when somebody starts."""
        guard, model = self._notice.guard, self.model
        auto = w.Layout(width="auto")
        self._quality = w.ToggleButtons(
            options=[(f"{q} {words}", q) for q, words in _SHORT.items()], value=None,
            tooltips=list(QUALITIES.values()), style={"button_width": "auto"},
        )  # fmt: skip
        names = {name: letter for letter, name in letters(model.classes).items()}
        self._label = w.ToggleButtons(
            style={"button_width": "auto"},
            options=[("as the network", ""), *((name, name) for name in model.classes)],
            tooltips=["Key: y", *(f"Key: {names[name]}" if name in names else "" for name in model.classes)],
        )  # fmt: skip
        self._flags = {
            flag: w.Checkbox(description=f"{flag}: {words}", indent=False, layout=w.Layout(width="auto"))
            for flag, words in FLAGS.items()
        }
        self._redshift = w.HTML()
        keep = w.Button(description="Keep the lines' redshift", tooltip="Key: z", layout=auto)
        self._no_redshift = w.Button(description="No redshift", layout=auto)
        self._comments = [
            w.Textarea(
                description="Comment", rows=2, placeholder="any length, any script; t brings you here, Tab leaves",
                layout=w.Layout(width="100%"),
            )
            for _ in range(2)
        ]  # fmt: skip
        self._comment_keys = ["", ""]
        self._comment_place = w.VBox([self._comments[0]])
        back = w.Button(description="Take back", tooltip="Key: x", layout=auto)
        onward = w.Button(description="Next ▸", tooltip="Key: n", layout=auto)
        self._resume = w.Button(description="Go to my last one", layout=w.Layout(width="auto"))
        self._after = w.Checkbox(description="next after a quality", indent=False, layout=auto)
        self._quality.observe(guard(lambda change: self._picked(change, self._grade)), "value")
        self._label.observe(guard(lambda change: self._picked(change, lambda name: self._change(label=name))), "value")
        for flag, box in self._flags.items():
            box.style.description_width = "0"
            box.observe(guard(lambda change, flag=flag: self._picked(change, lambda _: self._toggle(flag))), "value")
        for box in self._comments:
            box.observe(guard(lambda change, box=box: self._typed_some(change, box)), "value")
        for button, call in (
            (keep, self._keep_redshift), (self._no_redshift, lambda: self._change(z=None)), (back, self._undo),
            (onward, self._forward), (self._resume, self._to_last),
        ):  # fmt: skip
            button.on_click(guard(lambda _, call=call: call()))
        row = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "2px 12px"}
        files = [
            Lazy("Export", lambda: ExportPanel(model), self._notice),
            Lazy(
                "Compare inspectors", lambda: ComparePanel(model, self._notice, self._python, self._size), self._notice
            ),
            Lazy(
                "Session",
                lambda: SessionPanel(model, self._state, self._loaded, self._size),
                self._notice,
            ),
        ]
        self.layout.grid_gap = "4px"
        self.children = [
            self._status,
            w.HBox([_named("Quality"), self._quality], layout=w.Layout(**row)),
            w.HBox([_named("Class"), self._label], layout=w.Layout(**row)),
            w.HBox([_named("Flags"), *self._flags.values()], layout=w.Layout(**row)),
            w.HBox([self._redshift, keep, self._no_redshift], layout=w.Layout(**row)),
            self._comment_place,
            w.HBox([onward, self._after, back, self._resume], layout=w.Layout(**row)),
            w.HBox(files, layout=w.Layout(flex_flow="row wrap", align_items="flex-start", grid_gap="6px 12px")),
        ]

    def _to_last(self) -> None:
        if self._go is not None and self.resume is not None:
            self._keep_comment()
            self._go(self.resume)

    def _loaded(self, state: Mapping[str, str]) -> None:
        self._refresh()
        if self._on_session is not None and state:
            self._on_session(dict(state))


def _named(name: str) -> w.HTML:
    return w.HTML(f"<b>{name}</b>", layout=w.Layout(min_width="62px"))
