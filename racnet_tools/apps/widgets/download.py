"""A button that hands a file made by the kernel to the browser, which saves it like any download."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets as t

from racnet_tools.apps.widgets.base import BrowserWidget, script
from racnet_tools.errors import RacnetError

__all__ = ["Download"]


class Download(BrowserWidget):
    """A download button.

    Parameters
    ----------
    label : str
        What the button says.
    make : callable
        Called at the click; returns the file's name and its bytes. A `RacnetError` of it is shown beside the button.
    """

    _esm = script("download.js")

    label = t.Unicode().tag(sync=True)

    def __init__(self, label: str, make: Callable[[], tuple[str, bytes]]) -> None:
        self._make = make
        super().__init__(label=label)

    def _receive_wanted(self, _: Mapping[str, Any], __: Any) -> None:
        try:
            name, data = self._make()
        except RacnetError as error:
            self.send({"type": "refused", "reason": str(error)})
            return
        self.send({"type": "file", "name": name}, [data])
