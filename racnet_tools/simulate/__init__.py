"""Simulated LAMOST-like spectra of stars, galaxies and quasars, made from templates of real objects."""

from racnet_tools.simulate.survey import STELLAR_BORDERS, simulate

__all__ = ["STELLAR_BORDERS", "simulate"]
