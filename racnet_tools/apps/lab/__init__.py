"""Training lab: trainings in processes of their own, watched, paused, compared and made presets of.

Nothing is imported before it is used: `racnet_tools.apps.lab.worker`, which waits in the queue, needs no widgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racnet_tools.apps.lab.app import TrainingLab

__all__ = ["TrainingLab"]


def __getattr__(name: str) -> Any:
    """Load the dashboard when it is first used."""
    if name == "TrainingLab":
        from racnet_tools.apps.lab.app import TrainingLab

        return TrainingLab
    raise AttributeError(f"module 'racnet_tools.apps.lab' has no attribute {name!r}")
