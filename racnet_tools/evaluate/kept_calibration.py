"""Calibration that is kept with a preset: how often the network was right when it was as sure as it is now.

``calibration.json`` in a preset's folder is written by ``data/presets/build_calibration.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.evaluate.accuracy import Proportion
from racnet_tools.inference.kept import keep, kept

if TYPE_CHECKING:
    from racnet_tools.inference import Preset

__all__ = ["KeptCalibration", "keep_calibration", "kept_calibration"]

_FILE = "calibration.json"


@dataclass(frozen=True)
class KeptCalibration:
    """How often a preset was right among spectra that it was equally sure of.

    Attributes
    ----------
    sha256 : str
        Of the network judged.
    spectra : str
        What it was judged on.
    bins : tuple of (low, high, right, n)
        Of the largest probability: borders, number right and number of spectra; bins without spectra are left out.
    error : float
        Expected calibration error.
    """

    sha256: str
    spectra: str
    bins: tuple[tuple[float, float, int, int], ...]
    error: float

    def when(self, confidence: float) -> Proportion | None:
        """Share that was right in the bin of this probability, with its interval; None where there were none."""
        for low, high, right, n in self.bins:
            if low < confidence <= high:
                return Proportion(right, n)
        return None


def keep_calibration(calibration: KeptCalibration, folder: Path, overwrite: bool = False) -> Path:
    """Write a calibration into a preset's folder; an existing one is kept unless `overwrite`."""
    content = {
        "sha256": calibration.sha256,
        "spectra": calibration.spectra,
        "error": round(calibration.error, 5),
        "bins": [list(row) for row in calibration.bins],
    }
    return keep(folder / _FILE, content, overwrite)


def kept_calibration(preset: Preset) -> KeptCalibration | None:
    """The calibration kept with a preset; None where there is none, or it is of another network.

    Raises
    ------
    RacnetError
        If the file cannot be understood.
    """
    return kept(preset, _FILE, "a calibration", _understood)


def _understood(content: dict[str, Any]) -> KeptCalibration:
    bins = tuple((float(low), float(high), int(right), int(n)) for low, high, right, n in content["bins"])
    return KeptCalibration(str(content["sha256"]), str(content["spectra"]), bins, float(content["error"]))
