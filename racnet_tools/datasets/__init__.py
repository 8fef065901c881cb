"""Spectra in a store, and the data sets that networks are trained on.

`SpectrumStore` keeps any number of spectra on disk, `fill_simulated` and `ingest` fill one, `prepare` makes Data sets
1, 2 and 3 of Zou et al. 2020 (or a recipe of one's own) of it, and a `DataSet` gives their batches to a network.
Stores need Zarr: ``pip install 'racnet-tools[survey]'``.
"""

from racnet_tools.datasets.card import DataSetCard
from racnet_tools.datasets.dataset import DataSet, is_dataset, prepare
from racnet_tools.datasets.fill import fill_simulated, ingest
from racnet_tools.datasets.labels import class_indices, one_hot, subtype_places
from racnet_tools.datasets.recipes import RECIPES, Recipe
from racnet_tools.datasets.splits import split
from racnet_tools.datasets.store import SpectrumStore, is_store

__all__ = [
    "RECIPES",
    "DataSet",
    "DataSetCard",
    "Recipe",
    "SpectrumStore",
    "class_indices",
    "fill_simulated",
    "ingest",
    "is_dataset",
    "is_store",
    "one_hot",
    "prepare",
    "split",
    "subtype_places",
]
