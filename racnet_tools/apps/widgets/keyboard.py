"""Keys that call Python, and the table of them on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from racnet_tools.apps.widgets.base import BrowserWidget, script

__all__ = ["Keyboard"]


class Keyboard(BrowserWidget):
    """Call functions by single keys; while somebody types in a field, or with Ctrl, Alt or Meta, no key does.

    Parameters
    ----------
    bindings : mapping
        Key, as the browser names it ("j", "ArrowRight", "?"), to what it does in words and the function called.
    """

    _esm = script("keyboard.js")

    table: t.List = t.List().tag(sync=True)  # of [key, words]

    def __init__(self, bindings: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
        super().__init__()
        self.bind(bindings)

    def bind(self, bindings: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
        """Replace all keys."""
        self._calls = {key: call for key, (_, call) in bindings.items()}
        self.table = [[key, words] for key, (words, _) in bindings.items()]

    def _receive_key(self, content: Mapping[str, Any], _: Any) -> None:
        self._calls[str(content["key"])]()
