"""Figures for print and for reports; every function takes what it draws and returns the matplotlib figure.

`racnet_tools.plots.interactive` has functions of the same names and arguments that return plotly figures. Each loads on
first use (PEP 562), so that a page of interactive figures pays for no matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racnet_tools.plots.attention import attention_map
    from racnet_tools.plots.judging import reliability, risk_coverage
    from racnet_tools.plots.networks import accuracy_bars, cost_accuracy
    from racnet_tools.plots.page import Page
    from racnet_tools.plots.spectra import spectrum
    from racnet_tools.plots.strata import binned_accuracy, redshift_sweep
    from racnet_tools.plots.training import confusion, confusions, history, learning_curves

__all__ = [
    "Page",
    "accuracy_bars",
    "attention_map",
    "binned_accuracy",
    "confusion",
    "confusions",
    "cost_accuracy",
    "history",
    "learning_curves",
    "redshift_sweep",
    "reliability",
    "risk_coverage",
    "spectrum",
]

_HOME = {
    "Page": "page",
    "accuracy_bars": "networks",
    "attention_map": "attention",
    "binned_accuracy": "strata",
    "confusion": "training",
    "confusions": "training",
    "cost_accuracy": "networks",
    "history": "training",
    "learning_curves": "training",
    "redshift_sweep": "strata",
    "reliability": "judging",
    "risk_coverage": "judging",
    "spectrum": "spectra",
}


def __getattr__(name: str) -> Any:
    """Load a function when it is first used."""
    if name in _HOME:
        return getattr(import_module(f"racnet_tools.plots.{_HOME[name]}"), name)
    raise AttributeError(f"module 'racnet_tools.plots' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
