"""What all browser widgets share: a script of their own, and traits that only Python sets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget

__all__ = ["BrowserWidget", "finite"]

_LOG = logging.getLogger(__name__)


class BrowserWidget(anywidget.AnyWidget):
    """An anywidget whose state flows one way, from Python to the browser.

    What the browser has to say comes as a message ``{"type": name, ...}``, for which a subclass has a method
    ``_receive_<name>(content, buffers)``; anything else is dropped. A method raises LookupError, TypeError or
    ValueError where a message is not what its script sends: such a message is dropped as well.
    """

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.on_msg(self._receive)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Leave out what the browser wants to set."""

    def _receive(self, _: Any, content: Any, buffers: list[memoryview]) -> None:
        name = content.get("type") if isinstance(content, Mapping) else None
        receive: Callable[..., None] | None = None
        if isinstance(name, str) and name.isidentifier():
            receive = getattr(self, f"_receive_{name}", None)
        if receive is None:
            _LOG.warning("%s: dropped a message it does not know", type(self).__name__)
            return
        try:
            receive(content, buffers)
        except (LookupError, TypeError, ValueError, OverflowError):
            _LOG.warning("%s: dropped a malformed message %r", type(self).__name__, name, exc_info=True)


def script(name: str) -> str:
    """Text of a script or style sheet that stands beside this module."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


def finite(value: Any) -> float:
    """A number that a browser sent, as float; raises ValueError or TypeError for anything else than a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("expected a number")
    number = float(value)
    if not -1e300 < number < 1e300:
        raise ValueError("expected a finite number")
    return number
