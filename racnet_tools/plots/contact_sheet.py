"""Contact sheet: real spectra on the left, the simulated ones they are compared with on the right, on the same axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.plots.figure import Figure
from racnet_tools.spectra import SpectrumSet

__all__ = ["contact_sheet"]

_REAL, _SIMULATED = "#1f3b73", "#b0471a"


def contact_sheet(
    real: SpectrumSet, simulated: SpectrumSet, *, title: str = "", notes: Sequence[str] | None = None
) -> Figure:
    """Draw pairs of spectra, one pair a row.

    Parameters
    ----------
    real, simulated : SpectrumSet
        The same number on each side; row i of one beside row i of the other.
    title : str
        Written above.
    notes : sequence of str, optional
        A remark for each row, such as its signal-to-noise ratio.

    Returns
    -------
    matplotlib.figure.Figure
        Each spectrum divided by its own root mean square; lost pixels are left out and marked grey at the bottom.

    Raises
    ------
    RacnetError
        If the numbers differ or are zero.
    """
    if len(real) != len(simulated) or not len(real) or (notes is not None and len(notes) != len(real)):
        raise RacnetError(f"Expected pairs and a note for each. Received: {len(real)} real, {len(simulated)} others.")
    height = 0.9 + 1.35 * len(real)
    figure = Figure(figsize=(12, height))  # fixed margins: a constrained layout takes seconds with so many panels
    figure.subplots_adjust(0.06, 0.5 / height, 0.99, 1 - 0.5 / height, wspace=0.03, hspace=0.28)
    axes = figure.subplots(len(real), 2, sharex=True, sharey="row", squeeze=False)
    for row in range(len(real)):
        shown = []
        for ax, spectra, colour, kind in zip(
            axes[row], (real, simulated), (_REAL, _SIMULATED), ("real", "simulated"), strict=True
        ):
            flux, lost = _scaled(spectra, row)
            ax.plot(spectra.wave, flux, lw=0.45, color=colour)
            bottom = np.where(lost, 0.015, np.nan)
            ax.plot(spectra.wave, bottom, transform=ax.get_xaxis_transform(), lw=3, color="#999999")
            shown.append(flux[np.isfinite(flux)])
            note = f"  {notes[row]}" if notes is not None and kind == "real" else ""
            ax.set_title(f"{kind}: {_name(spectra, row)}{note}", fontsize=7, loc="left", pad=2, color=colour)
            ax.tick_params(labelsize=7)
        values = np.concatenate(shown)
        low, high = np.percentile(values, (0.5, 99.5)) if len(values) else (0.0, 1.0)
        margin = 0.15 * max(high - low, 1e-6)
        axes[row, 0].set_ylim(low - margin, high + margin)
    for ax in axes[-1]:
        ax.set_xlim(real.wave[0], real.wave[-1])
        ax.set_xlabel("vacuum wavelength / Å", fontsize=8)
    figure.supylabel("flux density / rms", fontsize=8, x=0.01)
    figure.suptitle(title, fontsize=10, y=1 - 0.12 / height)
    return figure


def _scaled(spectra: SpectrumSet, row: int) -> tuple[np.ndarray, np.ndarray]:
    lost = spectra.mask[row] | (spectra.flux[row] == 0)
    good = spectra.flux[row][~lost]
    scale = float(np.sqrt(np.mean(good.astype(float) ** 2))) if len(good) else 1.0
    return np.where(lost, np.nan, spectra.flux[row]) / (scale if scale > 0 else 1.0), lost


def _name(spectra: SpectrumSet, row: int) -> str:
    path = spectra.table["path"][row]
    subclass = spectra.table["subclass"][row]
    name = Path(str(path)).name if path and not np.ma.is_masked(path) else str(spectra.table["spec_id"][row])
    return name if np.ma.is_masked(subclass) else f"{name} ({subclass})"
