"""RAC-Net toolkit: read survey spectra, classify them with a network one can look into, and train such networks.

The public names below load on first use (PEP 562), so that ``import racnet_tools`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racnet_tools.inference import classify
    from racnet_tools.readers import read
    from racnet_tools.spectra import SpectrumSet

__version__ = "0.1.0"

__all__ = ["SpectrumSet", "__version__", "classify", "read"]

_HOME = {"SpectrumSet": "spectra", "classify": "inference", "read": "readers"}
_PACKAGES = {
    "apps", "archives", "datasets", "evaluate", "explain", "inference", "models", "plots", "readers", "reproduce",
    "simulate", "spectra", "training",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name, or a package of the toolkit, when it is first used."""
    if name in _HOME:
        return getattr(import_module(f"racnet_tools.{_HOME[name]}"), name)
    if name in _PACKAGES:
        return import_module(f"racnet_tools.{name}")
    raise AttributeError(f"module 'racnet_tools' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
