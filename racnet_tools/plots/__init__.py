"""Figures for print and for reports; every function takes what it draws and returns the matplotlib figure."""

from racnet_tools.plots.attention import attention_map
from racnet_tools.plots.page import Page
from racnet_tools.plots.spectrum import spectrum
from racnet_tools.plots.training import confusion, history

__all__ = ["Page", "attention_map", "confusion", "history", "spectrum"]
