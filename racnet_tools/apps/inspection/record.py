"""`Inspection`: what one person noted about one spectrum, checked whatever it comes from.

The words are those of prospect and Marz, which surveys use: a quality from 0 to 4, a class, a redshift, flags and a
comment.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from racnet_tools.errors import RacnetError

__all__ = ["CLASSES", "FLAGS", "LONGEST", "QUALITIES", "Inspection", "clean_text", "now"]

#: What each quality says about class and redshift (prospect).
QUALITIES = {
    0: "nothing there: no signal",
    1: "unlikely: signal, nothing identified",
    2: "possible: one feature, or more than one reading",
    3: "probable: one sure feature, or many weak ones",
    4: "certain: two sure features or more",
}

#: What the flags say; the letters R, C and S are those of prospect.
FLAGS = {
    "R": "bad redshift given",
    "C": "bad class given",
    "S": "bad spectrum",
    "B": "blend of two objects",
    "N": "noteworthy",
}

#: Classes that an inspector can give besides those of the network.
CLASSES = ("STAR", "GALAXY", "QSO", "UNKNOWN")

#: Characters of a comment; some twenty-five pages.
LONGEST = 50_000
_NAME = 60  # characters of an inspector's name
_KEY = 500
_CLASS = 30
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class Inspection:
    """One person's note on one spectrum.

    Attributes
    ----------
    key : str
        Which spectrum, as its list names it.
    inspector : str
        Who.
    time : str
        When it was last changed, in UTC: ``2026-11-23T13:05:09.123Z``.
    quality : int or None
        0 to 4 (`QUALITIES`), None while it has not been given: the spectrum does not count as inspected then.
    label : str
        The class that the inspector gives; empty where that of the network holds.
    z : float or None
        Redshift that the inspector saw.
    flags : tuple of str
        Some of `FLAGS`.
    comment : str
        Any length up to `LONGEST`, any script; line ends are line feeds, other control characters are left out.
    network : str
        The class that the network gave.

    Raises
    ------
    RacnetError
        If a value is none of these.
    """

    key: str
    inspector: str
    time: str
    quality: int | None = None
    label: str = ""
    z: float | None = None
    flags: tuple[str, ...] = ()
    comment: str = ""
    network: str = ""

    def __post_init__(self) -> None:
        for name, longest in (("key", _KEY), ("inspector", _NAME), ("label", _CLASS), ("network", _CLASS)):
            self._put(name, _line(name, getattr(self, name), longest))
        if not self.key:
            raise RacnetError("Expected the key of a spectrum. Received none.")
        if not self.inspector:
            raise RacnetError("Expected the inspector's name. Received none. Type your name or initials.")
        if not isinstance(self.time, str) or not _TIME.fullmatch(self.time):
            raise RacnetError(f"Expected a time such as 2026-11-23T13:05:09Z. Received: {_short(self.time)}.")
        if self.quality is not None and (type(self.quality) is not int or self.quality not in QUALITIES):
            raise RacnetError(f"Expected a quality from 0 to 4. Received: {_short(self.quality)}.")
        self._put("z", _redshift(self.z))
        if not isinstance(self.flags, list | tuple) or any(flag not in list(FLAGS) for flag in self.flags):
            raise RacnetError(f"Expected flags among {', '.join(FLAGS)}. Received: {_short(self.flags)}.")
        self._put("flags", tuple(flag for flag in FLAGS if flag in self.flags))
        if not isinstance(self.comment, str):
            raise RacnetError(f"Expected a comment in words. Received: {_short(self.comment)}.")
        if len(self.comment) > LONGEST:
            raise RacnetError(
                f"Expected a comment of at most {LONGEST:,} characters. Received {len(self.comment):,}. Shorten it; "
                "what was kept is the last version that fitted."
            )
        self._put("comment", clean_text(self.comment))

    @property
    def verdict(self) -> str:
        """The class that holds by this inspection: the inspector's, else the network's."""
        return self.label or self.network

    @property
    def is_done(self) -> bool:
        """Whether the spectrum counts as inspected: it has a quality."""
        return self.quality is not None

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold, without what was not given."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", ())}

    @classmethod
    def from_dict(cls, values: Any) -> Inspection:
        """Undo `to_dict`; raises RacnetError for anything else than an inspection."""
        fields = cls.__dataclass_fields__
        if not isinstance(values, Mapping) or not {"key", "inspector", "time"} <= set(values) <= set(fields):
            raise RacnetError(
                f"Expected an inspection with key, inspector, time and some of {', '.join(list(fields)[3:])}. "
                f"Received: {_short(values)}."
            )
        return cls(**{str(name): value for name, value in values.items()})

    def _put(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def now() -> str:
    """The time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clean_text(text: str) -> str:
    """Text that every file format can hold: line feeds for all line ends, no other control characters, no lone halves.

    Control characters but the tab, halves of characters (surrogates) and what Unicode reserves for no character go;
    spaces around the text as well.
    """
    kept = []
    for sign in _LINE_ENDS.sub("\n", text):
        if sign in "\n\t" or not (unicodedata.category(sign) in ("Cc", "Cs") or ord(sign) & 0xFFFE == 0xFFFE):
            kept.append(sign)
    return "".join(kept).strip()


def _line(name: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise RacnetError(f"Expected {name} in at most {longest} characters. Received: {_short(value)}.")
    return " ".join(unicodedata.normalize("NFC", clean_text(value)).split())


def _redshift(value: Any) -> float | None:
    if value is None:
        return None
    try:
        z = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        z = math.nan
    if not -1 < z < 100:
        raise RacnetError(f"Expected a redshift above -1 and below 100. Received: {_short(value)}.")
    return z


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
