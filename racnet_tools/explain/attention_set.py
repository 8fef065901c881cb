"""The simulated spectra that ship for looking at attention: ``data/attention/set.npz``."""

from __future__ import annotations

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.resources import data_path
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

__all__ = ["attention_spectra", "packed"]

_STEPS = 16  # of the inverse variance, to a factor of 2


def attention_spectra() -> SpectrumSet:
    """Simulated spectra that no network was trained on: 30 each of STAR, GALAXY, QSO and UNKNOWN.

    Returns
    -------
    SpectrumSet
        On LAMOST's grid, in units of each spectrum's root mean square, with ``label`` and ``z`` in its table.

    Raises
    ------
    RacnetError
        If the file cannot be understood.
    """
    path = data_path("attention", "set.npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            steps = file["ivar_steps"]
            rows = [
                {"spec_id": str(name), "label": str(label), "z": float(z)}
                for name, label, z in zip(file["spec_id"], file["label"], file["z"], strict=True)
            ]
            bad = steps == np.iinfo(np.int16).min
            ivar = np.where(bad, 0, np.exp2(steps.astype(np.float32) / _STEPS))
            return SpectrumSet(LAMOST_GRID.wave, file["flux"].astype(np.float32), ivar, bad, rows)
    except (OSError, ValueError, KeyError) as error:
        raise RacnetError(f"{path}: expected the spectra of the attention explorer; found {error!r}.") from error


def packed(spectra: SpectrumSet) -> dict[str, np.ndarray]:
    """Arrays from which `attention_spectra` makes spectra again: flux to 3 digits, noise to 1 %."""
    flux = np.where(spectra.mask, 0, spectra.flux).astype(float)
    level = np.sqrt((flux**2).mean(axis=1, keepdims=True))
    with np.errstate(divide="ignore"):
        steps = np.round(_STEPS * np.log2(spectra.ivar * level**2))
    z = np.ma.filled(np.ma.asarray(spectra.table["z"]).astype(float), np.nan)
    return {
        "flux": (flux / level).astype(np.float16),
        "ivar_steps": np.where(spectra.mask, np.iinfo(np.int16).min, steps).astype(np.int16),
        "z": z.astype(np.float32),
        **{name: np.array([str(value) for value in spectra.table[name]]) for name in ("spec_id", "label")},
    }
