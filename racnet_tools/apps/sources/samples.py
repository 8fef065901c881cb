"""The simulated spectra that ship with the package: something to look at without any file of one's own."""

from __future__ import annotations

from pathlib import Path

from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.readers import find_files
from racnet_tools.resources import data_path

__all__ = ["open_samples"]

_PYTHON = """\
import racnet_tools
from racnet_tools.resources import data_path

spectra = racnet_tools.read(data_path("samples"))"""


def open_samples() -> SpectrumList:
    """The shipped samples: simulated stars, galaxies and quasars in LAMOST's layouts.

    Returns
    -------
    SpectrumList

    Examples
    --------
    >>> open_samples().name
    '15 shipped samples'
    """
    folder = data_path("samples")
    names = [path.name for path in find_files(folder)]
    items = [Item(bare(name), bare(name), name) for name in names]

    def locate(where: str) -> Path:
        return folder / where

    return SpectrumList(f"{len(items)} shipped samples", items, locate, python=_PYTHON, address={"open": "samples"})


def bare(name: str) -> str:
    """A file's name without the endings that say its format."""
    for ending in (".gz", ".fits", ".fit"):
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return name
