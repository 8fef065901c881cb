"""Spectra that a notebook holds in memory, as a list that the inspector goes through."""

from __future__ import annotations

from pathlib import Path

from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.spectra import SpectrumSet

__all__ = ["of_set"]


class _InMemory(SpectrumList):
    """The list of a set: nothing is read, nothing can be refused."""

    def __init__(self, spectra: SpectrumSet) -> None:
        names = [str(name or f"spectrum {i + 1}") for i, name in enumerate(spectra.column("spec_id"))]
        super().__init__(f"{len(names):,} given spectra", [Item(name, name, name) for name in names], Path, python="")
        self._spectra = spectra

    def load(self, i: int) -> SpectrumSet:
        return self._spectra[i]


def of_set(spectra: SpectrumSet) -> SpectrumList:
    """A list of the spectra of a set.

    Examples
    --------
    >>> of_set(racnet_tools.read("spectra/"))  # doctest: +SKIP
    """
    return _InMemory(spectra)
