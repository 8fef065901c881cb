"""Where spectra come from: shipped samples, the server's folder and catalogues, archives, and uploads.

Each gives a `SpectrumList`. `SourcePanel` is the part of a dashboard in which a visitor chooses.
"""

from racnet_tools.apps.sources.panel import SourcePanel
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList

__all__ = ["Item", "SourcePanel", "SpectrumList", "open_samples"]
