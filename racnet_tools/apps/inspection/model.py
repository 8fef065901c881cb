"""State of visual inspection without widgets: who inspects, which spectrum is on show, what was noted last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from racnet_tools.apps.inspection.export import read_inspections, to_table, write_table
from racnet_tools.apps.inspection.journal import Journal, inspectors
from racnet_tools.apps.inspection.merge import Agreement, merge
from racnet_tools.apps.inspection.record import CLASSES, Inspection, now
from racnet_tools.apps.inspection.session import Session
from racnet_tools.apps.widgets.upload import safe_name
from racnet_tools.errors import RacnetError

__all__ = ["InspectionModel"]

_UNDO = 200
_UPLOADED = 500_000  # inspections of uploaded files held for a comparison


class InspectionModel:
    """What a visitor notes about the spectra that are shown to him.

    Parameters
    ----------
    work : Path
        Folder in which the server keeps visitors' work.
    classes : sequence of str
        Classes of the network, offered besides `CLASSES`.

    Attributes
    ----------
    journal : Journal or None
        Of the inspector; None before `start`.
    key, label : str
        Of the spectrum on show: which it is, and the class that the network gives it.
    z : float or None
        Redshift at which its lines are drawn.
    uploaded : list of Inspection
        From files, for comparison only.
    """

    def __init__(self, work: Path, classes: Sequence[str] = ()) -> None:
        self.work = work
        self.classes = tuple(dict.fromkeys([*classes, *CLASSES]))
        self.journal: Journal | None = None
        self.key, self.label = "", ""
        self.z: float | None = None
        self.uploaded: list[Inspection] = []
        self._before: list[Inspection] = []

    def start(self, name: Any) -> Journal:
        """Inspect as the person of this name; what was noted under it before is there again."""
        if not isinstance(name, str):
            raise RacnetError(f"Expected a name. Received: {str(name)[:40]!r}.")
        self.journal, self._before = Journal(self.work, name), []
        return self.journal

    def show(self, key: str, z: float | None, label: str) -> None:
        """Another spectrum is on show."""
        self.key, self.z, self.label = key, z, label
        if self.journal is not None:
            self.journal.refresh()

    @property
    def current(self) -> Inspection | None:
        """The inspection of the spectrum on show, None while there is none."""
        return None if self.journal is None else self.journal.get(self.key)

    def change(self, key: str | None = None, **changes: Any) -> Inspection:
        """Note something about the spectrum on show, or one shown before; on the disk when this returns."""
        journal = self._started()
        key = self.key if key is None else key
        if not key:
            raise RacnetError("No spectrum is on show. Open some first.")
        if "label" in changes and changes["label"] not in ("", *self.classes):
            raise RacnetError(
                f"Expected a class among {', '.join(self.classes)}. Received: {str(changes['label'])[:40]!r}."
            )
        before = journal.get(key) or Inspection(key=key, inspector=journal.inspector, time=now())
        if key == self.key:
            changes["network"] = self.label
        after = journal.change(key, **changes)
        if replace(after, time=before.time, network=before.network) != before:
            self._before = [*self._before, before][-_UNDO:]
        return after

    def grade(self, quality: Any) -> Inspection:
        """Give a quality; the redshift of the lines is kept with it where none was."""
        current = self.current
        if quality is not None and (current is None or current.z is None) and self.z is not None:
            return self.change(quality=quality, z=self.z)
        return self.change(quality=quality)

    def move_lines(self, z: float) -> bool:
        """The lines were moved: a redshift that was kept goes with them. Says whether there was one."""
        self.z = z
        current = self.current
        if current is None or current.z is None:
            return False
        self.change(z=z)
        return True

    def toggle(self, flag: Any) -> Inspection:
        """Set or take off a flag."""
        current = self.current
        flags = current.flags if current is not None else ()
        if flag in flags:
            return self.change(flags=tuple(one for one in flags if one != flag))
        return self.change(flags=(*flags, flag))

    def undo(self) -> str:
        """Take back the last change of this session; returns the key of the spectrum that it was about."""
        journal = self._started()
        if not self._before:
            raise RacnetError("There is nothing to take back.")
        before = self._before.pop()
        names = ("quality", "label", "z", "flags", "comment")
        journal.change(before.key, **{name: getattr(before, name) for name in names})
        return before.key

    def progress(self, keys: Iterable[str]) -> tuple[int, int]:
        """How many of these spectra have a quality, and how many they are."""
        every = list(keys)
        done = {record.key for record in self.journal or () if record.is_done}
        return sum(key in done for key in every), len(every)

    def export(self, ending: str) -> tuple[str, bytes]:
        """All inspections of this person as a file: its name and bytes."""
        journal = self._started()
        if not len(journal):
            raise RacnetError("Nothing has been noted yet. Give a spectrum a quality first.")
        return f"inspections-{safe_name(journal.inspector)}{ending}", write_table(to_table(journal), ending)

    def inspectors(self) -> list[str]:
        """All whose inspections are kept on the server, or were uploaded."""
        names = {*inspectors(self.work), *(record.inspector for record in self.uploaded)}
        return sorted(names, key=str.casefold)

    def upload(self, name: str, data: bytes) -> int:
        """Take inspections of a file (an export, or a session) for comparison; returns how many."""
        if name.lower().endswith(".json"):
            records = list(Session.from_bytes(name, data).inspections)
        else:
            records = read_inspections(name, data)
        if len(self.uploaded) + len(records) > _UPLOADED:
            raise RacnetError(f"Expected at most {_UPLOADED:,} inspections in all. Merge some of the files first.")
        self.uploaded += records
        return len(records)

    def agreement(self, names: Sequence[Any]) -> Agreement:
        """The inspections of these people brought together."""
        known = self.inspectors()
        if strange := [name for name in names if name not in known]:
            raise RacnetError(
                f"Expected inspectors among {', '.join(known)[:300]}. Received: {str(strange[0])[:60]!r}."
            )
        if not names:
            raise RacnetError("Choose the people whose inspections shall be merged.")
        kept = set(inspectors(self.work))
        records = [record for name in names if name in kept for record in Journal(self.work, name)]
        return merge([*records, *(record for record in self.uploaded if record.inspector in names)])

    def session(self, state: dict[str, str]) -> tuple[str, bytes]:
        """The page's state and the inspections of this person as a file: its name and bytes."""
        records = tuple(self.journal or ())
        name = safe_name(self.journal.inspector) if self.journal is not None else "view"
        return f"session-{name}.json", Session(state, records).to_bytes()

    def load(self, name: str, data: bytes) -> tuple[Session, int]:
        """Take in a session: this person's inspections where they are newer, others' for comparison.

        Returns
        -------
        (Session, int)
            The session, and how many inspections of this person were taken.
        """
        session = Session.from_bytes(name, data)
        if self.journal is None and session.inspections:
            raise RacnetError("Type your name and press Start first: the session holds inspections.")
        mine = self.journal.inspector if self.journal is not None else ""
        taken = self.journal.add(session.inspections) if self.journal is not None else 0
        self.uploaded += [record for record in session.inspections if record.inspector != mine]
        return session, taken

    def _started(self) -> Journal:
        if self.journal is None:
            raise RacnetError("Type your name and press Start first, so that it is known whose inspections these are.")
        return self.journal


def letters(classes: Sequence[str]) -> dict[str, str]:
    """A key for each class: its first letter that is still free; classes without one go without."""
    taken: dict[str, str] = {}
    for name in classes:
        free = [sign for sign in name.lower() if sign.isascii() and sign.isalpha() and sign not in {*taken, *"nxzty"}]
        if free:
            taken[free[0]] = name
    return taken
