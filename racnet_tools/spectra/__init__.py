"""The container of spectra, wavelength grids, and what is done to spectra before a network sees them."""

from racnet_tools.spectra.air_vacuum import air_to_vacuum, vacuum_to_air
from racnet_tools.spectra.grid import LAMOST_GRID, LogLambdaGrid
from racnet_tools.spectra.preprocess import Preprocessing
from racnet_tools.spectra.spectrum_set import SpectrumSet, concatenate

__all__ = [
    "LAMOST_GRID",
    "LogLambdaGrid",
    "Preprocessing",
    "SpectrumSet",
    "air_to_vacuum",
    "concatenate",
    "vacuum_to_air",
]
