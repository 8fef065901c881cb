"""Figures for print and for reports; every function takes what it draws and returns the matplotlib figure.

`racnet_tools.plots.interactive` has functions of the same names and arguments that return plotly figures.
"""

from racnet_tools.plots.attention import attention_map
from racnet_tools.plots.judging import reliability, risk_coverage
from racnet_tools.plots.networks import accuracy_bars, cost_accuracy
from racnet_tools.plots.page import Page
from racnet_tools.plots.spectrum import spectrum
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
