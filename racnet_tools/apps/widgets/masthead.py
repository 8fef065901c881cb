"""Head of a dashboard: its title, the way to the others, and the choice of light or dark."""

from __future__ import annotations

from typing import Any

import traitlets as t

from racnet_tools.apps.widgets.base import BrowserWidget, script

__all__ = ["DASHBOARDS", "Masthead"]

#: Notebook of each dashboard, in the order of the start page, with its title.
DASHBOARDS = {
    "inspector": "Spectrum inspector",
    "training_lab": "Training lab",
    "attention": "Attention explorer",
    "redshift": "Redshift explorer",
}


class Masthead(BrowserWidget):
    """Title and navigation; carries the style sheet of all dashboards."""

    _esm = script("masthead.js")
    _css = script("theme.css")

    title = t.Unicode().tag(sync=True)
    places: t.List = t.List().tag(sync=True)  # of [notebook, title]

    def __init__(self, title: str) -> None:
        super().__init__(title=title, places=[[name, words] for name, words in DASHBOARDS.items()])

    def _receive_ping(self, _: Any, __: Any) -> None:
        """Tell a page that was left alone for a while that its kernel is still there."""
        self.send({"type": "pong"})
