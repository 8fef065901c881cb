"""A session as one file: what the page shows and all inspections of its visitor, to be loaded on another day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from racnet_tools.apps.inspection.record import Inspection, now
from racnet_tools.errors import RacnetError, ReadError

__all__ = ["Session"]

_FORMAT = "racnet session 1"
_VALUES = 60
_LONGEST = 2000  # as in addresses
_MOST = 200_000


@dataclass(frozen=True)
class Session:
    """State of a page and inspections.

    Attributes
    ----------
    state : mapping of str to str
        What the page's address holds.
    inspections : tuple of Inspection
    """

    state: Mapping[str, str] = field(default_factory=dict)
    inspections: tuple[Inspection, ...] = ()

    def to_bytes(self) -> bytes:
        """The session as JSON, one inspection a line."""
        head = {"format": _FORMAT, "saved": now(), "state": dict(self.state)}
        lines = ",\n".join(json.dumps(one.to_dict(), ensure_ascii=False, allow_nan=False) for one in self.inspections)
        return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "inspections": [\n{lines}\n]}}\n'.encode()

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> Session:
        """Undo `to_bytes` for a file of this name.

        Raises
        ------
        ReadError
            If the file is no session, or an inspection in it is none; nothing of it is taken then.
        """
        try:
            values = json.loads(data.decode())
            state, given = values["state"], values["inspections"]
            whole = values["format"] == _FORMAT and isinstance(state, dict) and isinstance(given, list)
        except (ValueError, LookupError, TypeError, RecursionError):
            whole = False
        if not whole:
            raise _refused(name, "another file", "Choose a file that Save session made.")
        if len(state) > _VALUES or any(not isinstance(v, str) or len(v) > _LONGEST for v in state.values()):
            raise _refused(name, "a state of the page that is not text")
        if len(given) > _MOST:
            raise _refused(name, f"{len(given):,} inspections, more than {_MOST:,}")
        inspections = []
        for number, one in enumerate(given, 1):
            try:
                inspections.append(Inspection.from_dict(one))
            except RacnetError as error:
                raise _refused(name, f"inspection {number} wrong: {error}") from error
        return cls(state, tuple(inspections))


def _refused(name: str, found: str, advice: str = "") -> ReadError:
    return ReadError(name, expected=f"a saved session ({_FORMAT})", found=found, advice=advice)
