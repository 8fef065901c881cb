"""What every dashboard has around its own parts: head, messages, columns, folded sections, Python of each action."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from html import escape
from typing import Any

import ipywidgets as w

from racnet_tools.apps.kernel import FIRST_PAINT, SERVED, harden
from racnet_tools.apps.widgets import Address, Keyboard, Masthead, PlotView
from racnet_tools.errors import RacnetError

__all__ = ["Frame", "Lazy", "Notice", "Quiet", "ShowPython"]

_LOG = logging.getLogger(__name__)


class Quiet:
    """True while entered: the program itself sets widgets, and what they then report is nobody's wish."""

    def __init__(self) -> None:
        self._entered = False

    def __bool__(self) -> bool:
        return self._entered

    def __enter__(self) -> None:
        self._entered = True

    def __exit__(self, *_: object) -> None:
        self._entered = False


class Notice(w.HTML):
    """The place where a dashboard says what it does and what went wrong; screen readers read it out."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("rn-notice")
        self.clear()

    def error(self, error: Exception | str) -> None:
        """Say what could not be done: a `RacnetError` by its text, which tells what to do, others as unexpected."""
        if isinstance(error, RacnetError | str):
            self._say("error", "Not done.", str(error))
            return
        _LOG.error("unexpected error in a dashboard", exc_info=error)
        self._say(
            "error",
            "Something went wrong inside.",
            f"{type(error).__name__}: {error}\nThe page goes on as it was before. If it happens again, reload the page "
            "(its address keeps the view) and report it with this line.",
        )

    def info(self, text: str) -> None:
        """Say something that needs no action."""
        self._say("info", "", text)

    def clear(self) -> None:
        """Say nothing."""
        self.value = '<div role="status" aria-live="polite"></div>'

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Say `text` while something takes its time; an error that ends it is left to the caller."""
        self._say("info", "Working.", text)
        said = self.value
        try:
            yield
        finally:
            if self.value == said:
                self.clear()

    def guard(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same callback, but an error is shown here and the page goes on."""

        @wraps(call)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return call(*args, **kwargs)
            except Exception as error:  # whatever it is, the visitor sees it and the kernel lives
                self.error(error)
                return None

        return guarded

    def _say(self, kind: str, head: str, text: str) -> None:
        role = "alert" if kind == "error" else "status"
        bold = f"<b>{escape(head)}</b>" if head else ""
        self.value = f'<div role="{role}" aria-live="polite"><div class="said {kind}">{bold}{escape(text)}</div></div>'


class ShowPython(w.HTML):
    """The Python that does the same as each action on the page, the latest first."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("rn-python")
        self._actions: dict[str, str] = {}

    def say(self, action: str, code: str) -> None:
        """Show `code` as the Python of `action`; an action said before gets its new code."""
        self._actions.pop(action, None)
        self._actions = {action: code, **self._actions}
        while len(self._actions) > 12:
            self._actions.popitem()
        shown = "".join(
            f"<h4>{escape(name)}</h4><pre><code>{escape(text.strip())}</code></pre>"
            for name, text in self._actions.items()
        )
        self.value = f"<details><summary>Show the Python</summary>{shown}</details>"


class Lazy(w.VBox):
    """A folded section, whose content is made when it is first opened.

    Parameters
    ----------
    title : str
        What its button says.
    build : callable
        Returns the content.
    notice : Notice, optional
        Where an error of `build` is said.
    """

    def __init__(self, title: str, build: Callable[[], w.Widget], notice: Notice | None = None) -> None:
        self._title, self._build = title, build
        self.content: w.Widget | None = None
        self._button = w.ToggleButton(description=f"▸ {title}", layout=w.Layout(width="auto"))
        self._button.add_class("rn-section-button")
        toggled = self._toggled if notice is None else notice.guard(self._toggled)
        self._button.observe(lambda _: toggled(), "value")
        super().__init__([self._button])
        self.add_class("rn-section")

    @property
    def opened(self) -> bool:
        """Whether the section is open."""
        return self._button.value is True

    def unfold(self, wanted: bool = True) -> None:
        """Open or fold the section."""
        self._button.value = wanted

    def _toggled(self) -> None:
        self._button.description = f"{'▾' if self.opened else '▸'} {self._title}"
        if self.opened and self.content is None:
            self.content = self._build()
        self.children = [self._button, self.content] if self.opened and self.content is not None else [self._button]


class Frame(w.VBox):
    """A dashboard's page: head, messages, controls beside the main part, keys and Python at the foot.

    Parameters
    ----------
    title : str
        Title of the dashboard.
    controls, main : sequence of Widget
        The left column, and the wide one.
    notice, python, address, keyboard : widgets
        Those that the dashboard uses.
    """

    def __init__(
        self,
        title: str,
        *,
        controls: Sequence[w.Widget],
        main: Sequence[w.Widget],
        notice: Notice,
        python: ShowPython,
        address: Address | None = None,
        keyboard: Keyboard | None = None,
    ) -> None:
        harden()
        left, right = w.VBox(list(controls)), w.VBox(list(main))
        left.add_class("rn-controls")
        right.add_class("rn-main")
        columns = w.Box([left, right])
        columns.add_class("rn-columns")
        foot = w.VBox([widget for widget in (keyboard, python, address) if widget is not None])
        foot.add_class("rn-foot")
        super().__init__([Masthead(title), notice, columns, foot])
        self.add_class("rn-app")
        self._title = title

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        """Add the first plot for the served page, which draws it before widgets are alive (server/template)."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None and os.environ.get(SERVED):
            paint = next((paint for view in _plots(self) if (paint := view.first_paint()) is not None), None)
            bundle[FIRST_PAINT] = {"title": self._title, "plot": paint}
        return bundle


def _plots(widget: w.Widget) -> Iterator[PlotView]:
    if isinstance(widget, PlotView):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from _plots(child)
