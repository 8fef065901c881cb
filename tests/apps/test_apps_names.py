"""Widgets of our own do not step on names that ipywidgets uses for itself: it fails late and far from the cause."""

import importlib
import pkgutil

import ipywidgets as w
import pytest

import racnet_tools.apps
from racnet_tools.apps.widgets.base import BrowserWidget

#: Overridden on purpose.
MEANT = {"close", "set_state", "_repr_mimebundle_", "layout"}


def own_widgets():
    found = set()
    for module in pkgutil.walk_packages(racnet_tools.apps.__path__, "racnet_tools.apps."):
        if ".server" in module.name:
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, w.Widget) and thing.__module__ == module.name:
                found.add(thing)
    return sorted(found, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", own_widgets(), ids=lambda kind: kind.__qualname__)
def test_no_name_of_ipywidgets_is_taken(kind):
    base = next(one for one in kind.__mro__ if not one.__module__.startswith("racnet_tools"))
    generated = set(vars(type("Empty", (base,), {})))  # what traitlets writes into every class
    taken = {name for name in vars(kind) if hasattr(base, name) and not name.startswith("__")} - generated - MEANT
    assert taken <= ({"_esm", "_css"} if issubclass(kind, BrowserWidget) else set())
