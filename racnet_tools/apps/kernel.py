"""What a kernel does differently when it serves visitors: nothing on their word alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

__all__ = ["FIRST_PAINT", "SERVED", "harden", "soon"]

#: Set in the environment of kernels that `racnet dashboards` starts.
SERVED = "RACNET_DASHBOARDS_SERVED"

#: MIME type under which a dashboard hands its first plot to the served page.
FIRST_PAINT = "application/vnd.racnet.first-paint+json"


def harden() -> None:
    """In a kernel that serves visitors, let the browser make no widgets of its own.

    The pages need only widgets that Python made. Without this a browser could open any widget class that is imported,
    with any state. Elsewhere, as in JupyterLab, nothing changes.
    """
    if not os.environ.get(SERVED):
        return
    from comm import get_comm_manager

    manager = get_comm_manager()
    if "jupyter.widget" in getattr(manager, "targets", {}):
        manager.unregister_target("jupyter.widget", lambda *_: None)


def soon(call: Callable[[], None]) -> None:
    """Call after the cell that runs has shown its output; at once where there is no kernel's loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        call()
        return
    loop.call_later(0.05, call)
