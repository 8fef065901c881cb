"""State of a dashboard in the page's address, so that a link shows the same view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from racnet_tools.apps.widgets.base import BrowserWidget, script

__all__ = ["Address"]

_LONGEST = 2000  # characters of one value; addresses beyond some 8,000 in all are cut by servers and mail programs


class Address(BrowserWidget):
    """The part of the page's address after "#", as a dict of strings; only on a Voila page, nowhere else.

    A widget without a face: it must be shown with the others to work.
    """

    _esm = script("address.js")

    state = t.Dict().tag(sync=True)

    def __init__(self) -> None:
        self._arrive: list[Callable[[dict[str, str]], None]] = []
        super().__init__()

    def on_arrive(self, call: Callable[[dict[str, str]], None]) -> None:
        """Call ``call(state)`` with what the address says when the page is open, and whenever it is edited."""
        self._arrive.append(call)

    def put(self, state: Mapping[str, str]) -> None:
        """Show `state` in the address, in place of what it said."""
        self.state = {str(key): str(value)[:_LONGEST] for key, value in state.items()}

    def _receive_arrive(self, content: Mapping[str, Any], _: Any) -> None:
        given = content["state"]
        if not isinstance(given, Mapping) or len(given) > 60:
            raise ValueError("not a state")
        state = {str(key)[:60]: str(value)[:_LONGEST] for key, value in given.items()}
        for call in self._arrive:
            call(state)
