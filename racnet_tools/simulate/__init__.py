"""Simulated LAMOST-like spectra of stars, galaxies and quasars, made from templates of real objects."""

from racnet_tools.simulate.survey import CLASS_COUNTS_DR5, STELLAR_BORDERS, simulate, simulate_chunks, survey_counts
from racnet_tools.simulate.sweep import SWEEP_RANGES, MovableObjects, redshift_sweep

__all__ = [
    "CLASS_COUNTS_DR5",
    "STELLAR_BORDERS",
    "SWEEP_RANGES",
    "MovableObjects",
    "redshift_sweep",
    "simulate",
    "simulate_chunks",
    "survey_counts",
]
