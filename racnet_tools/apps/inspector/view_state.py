"""What a visitor chose to see of a spectrum; every value is checked here, whoever sets it: page, address or Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from racnet_tools.apps.inspector.lines import LINE_SETS
from racnet_tools.apps.widgets.plot_view import Z_RANGE
from racnet_tools.errors import RacnetError

__all__ = ["SMOOTHEST", "ViewState", "checked_redshift"]

#: Largest width of smoothing, pixels.
SMOOTHEST = 30
_MARKS = ("errors", "masked", "telluric", "sky")
_BELOW = ("attention", "occlusion")


@dataclass(frozen=True)
class ViewState:
    """Choices that stay from one spectrum to the next.

    Attributes
    ----------
    preset : str
        Network that judges the spectra.
    smooth : int
        Standard deviation of the Gaussian, pixels; 0 for none.
    lines : str
        Of `LINE_SETS`.
    main : bool
        Whether only strong lines are marked.
    errors, masked, telluric, sky : bool
        What is shaded or marked.
    attention, occlusion : bool
        Panels below the spectrum.
    zoom : (float, float) or None
        Wavelengths shown, Angstrom.
    """

    preset: str = "racnet-survey"
    smooth: int = 0
    lines: str = "class"
    main: bool = True
    errors: bool = True
    masked: bool = True
    telluric: bool = True
    sky: bool = True
    attention: bool = False
    occlusion: bool = False
    zoom: tuple[float, float] | None = None

    def changed(self, **changes: Any) -> ViewState:
        """The same with changes.

        Raises
        ------
        RacnetError
            If a name or a value is none of those expected; nothing is changed then.
        """
        known = {field.name for field in fields(self)}
        if strange := sorted(set(changes) - known):
            raise RacnetError(f"Expected choices among {', '.join(sorted(known))}. Received: {', '.join(strange)}.")
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})

    def to_address(self) -> dict[str, str]:
        """What differs from the defaults, as short text."""
        normal, said = ViewState(), {}
        if self.preset != normal.preset:
            said["network"] = self.preset
        if self.smooth:
            said["smooth"] = str(self.smooth)
        if self.lines != normal.lines:
            said["lines"] = self.lines
        if not self.main:
            said["names"] = "all"
        marks = [name for name in _MARKS if getattr(self, name)]
        if len(marks) < len(_MARKS):
            said["mark"] = ",".join(marks) or "nothing"
        below = [name for name in _BELOW if getattr(self, name)]
        if below:
            said["below"] = ",".join(below)
        if self.zoom is not None:
            said["zoom"] = f"{self.zoom[0]:.1f}-{self.zoom[1]:.1f}"
        return said

    @classmethod
    def from_address(cls, said: Mapping[str, str]) -> tuple[ViewState, list[str]]:
        """Undo `to_address`: the state, and what could not be understood; everything else is applied."""
        state, problems = cls(), []
        for key, read in _READ.items():
            if key in said:
                try:
                    state = state.changed(**read(str(said[key])))
                except RacnetError as error:
                    problems.append(f"{key}: {error}")
        return state, problems


def checked_redshift(value: Any) -> float:
    """A redshift that lines can be marked at.

    Raises
    ------
    RacnetError
        If it is no finite number in the range.
    """
    low, high = Z_RANGE
    try:
        z = float(value)
    except (TypeError, ValueError, OverflowError):
        z = math.nan
    if isinstance(value, bool) or not low <= z <= high:
        raise RacnetError(f"Expected a redshift from {low:g} to {high:g}. Received: {str(value)[:40]!r}.")
    return z


def _checked(name: str, value: Any) -> Any:
    if name == "preset":
        from racnet_tools.inference.presets import available_presets

        names = list(available_presets())
        if not isinstance(value, str) or value not in names:
            raise RacnetError(f"Expected a network among {', '.join(names)}. Received: {str(value)[:40]!r}.")
        return value
    if name == "lines":
        if not isinstance(value, str) or value not in LINE_SETS:
            raise RacnetError(f"Expected lines among {', '.join(LINE_SETS)}. Received: {str(value)[:40]!r}.")
        return value
    if name == "smooth":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SMOOTHEST:
            raise RacnetError(f"Expected a smoothing from 0 to {SMOOTHEST} pixels. Received: {str(value)[:40]!r}.")
        return value
    if name == "zoom":
        return None if value is None else _checked_zoom(value)
    if not isinstance(value, bool):
        raise RacnetError(f"Expected {name} on or off. Received: {str(value)[:40]!r}.")
    return value


def _checked_zoom(value: Any) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError, OverflowError):
        low = high = math.nan
    if not (0 < low < high < 1e6 and high - low >= 1):
        raise RacnetError(
            f"Expected two wavelengths in Angstrom, the smaller first and 1 Angstrom apart or more. "
            f"Received: {str(value)[:40]!r}."
        )
    return low, high


def _read_smooth(text: str) -> dict[str, Any]:
    return {"smooth": int(text) if text.isascii() and text.isdigit() and len(text) < 4 else text}


def _read_some(names: tuple[str, ...]) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        given = [] if text == "nothing" else text.split(",")
        if strange := [one for one in given if one not in names]:
            raise RacnetError(f"Expected some of {', '.join(names)}. Received: {strange[0][:40]!r}.")
        return {name: name in given for name in names}

    return read


def _read_names(text: str) -> dict[str, Any]:
    if text not in ("all", "main"):
        raise RacnetError(f"Expected all or main. Received: {text[:40]!r}.")
    return {"main": text == "main"}


_READ: dict[str, Callable[[str], dict[str, Any]]] = {
    "network": lambda text: {"preset": text},
    "smooth": _read_smooth,
    "lines": lambda text: {"lines": text},
    "names": _read_names,
    "mark": _read_some(_MARKS),
    "below": _read_some(_BELOW),
    "zoom": lambda text: {"zoom": text.split("-")},
}
