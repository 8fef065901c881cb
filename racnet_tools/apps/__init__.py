"""Dashboards in parts: the widgets that notebooks and Voila pages are assembled from; none imports TensorFlow.

`Inspector`, `TrainingLab`, `AttentionExplorer` and `RedshiftExplorer` are whole dashboards; each is an ipywidgets box
that any notebook shows as it is. They load on first use (PEP 562), so that a page pays only for its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racnet_tools.apps.attention import AttentionExplorer
    from racnet_tools.apps.inspector import Inspector
    from racnet_tools.apps.lab import TrainingLab
    from racnet_tools.apps.redshift import RedshiftExplorer

__all__ = ["AttentionExplorer", "Inspector", "RedshiftExplorer", "TrainingLab"]

_HOME = {
    "AttentionExplorer": "attention",
    "Inspector": "inspector",
    "RedshiftExplorer": "redshift",
    "TrainingLab": "lab",
}


def __getattr__(name: str) -> Any:
    """Load a dashboard when it is first used."""
    if name in _HOME:
        return getattr(import_module(f"racnet_tools.apps.{_HOME[name]}"), name)
    raise AttributeError(f"module 'racnet_tools.apps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
