"""One spectrum against wavelength: flux, its noise, bad pixels and the strongest lines."""

from __future__ import annotations

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from racnet_tools.plots.figure import Figure
from racnet_tools.spectra import SpectrumSet

__all__ = ["spectrum"]

# Vacuum wavelengths, Angstrom: NIST Atomic Spectra Database and the SDSS line list.
_LINES = {
    "STAR": {
        "Ca K": 3934.78,
        "Hδ": 4102.89,
        "Hγ": 4341.68,
        "Hβ": 4862.69,
        "Mg b": 5176.7,
        "Na D": 5894.6,
        "Hα": 6564.61,
    },
    "GALAXY": {"[O II]": 3728.5, "Ca K": 3934.78, "Hβ": 4862.69, "[O III]": 5008.24, "Mg b": 5176.7, "Hα": 6564.61},
    "QSO": {
        "Lyα": 1215.67,
        "C IV": 1549.5,
        "C III]": 1908.7,
        "Mg II": 2799.1,
        "Hβ": 4862.69,
        "[O III]": 5008.24,
        "Hα": 6564.61,
    },
}


def spectrum(
    spectra: SpectrumSet, index: int = 0, *, lines_of: str | None = None, z: float = 0.0, ax: Axes | None = None
) -> matplotlib.figure.Figure:
    """Draw one spectrum of a set.

    Parameters
    ----------
    spectra : SpectrumSet
        The set.
    index : int
        Which of its spectra.
    lines_of : {"STAR", "GALAXY", "QSO"}, optional
        Mark the strong lines of this class, moved by `z`.
    z : float
        Redshift of the marked lines.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if ax is None:
        ax = Figure(figsize=(9, 2.8), layout="constrained").subplots()
    one = spectra[index]
    bad = one.mask[0]
    flux = np.where(bad, np.nan, one.flux[0])
    ax.plot(spectra.wave, flux, lw=0.6, color="#1f3b73", label="flux")
    known = one.meta.get("ivar") != "not given"
    if known and (~bad).any():
        sigma = np.full(flux.shape, np.nan)
        np.sqrt(1.0 / np.where(bad, 1.0, one.ivar[0]), out=sigma, where=~bad)
        ax.plot(spectra.wave, sigma, lw=0.6, color="#c2571a", alpha=0.8, label="1σ noise")
    good = flux[np.isfinite(flux)]
    if len(good):
        low, high = np.percentile(good, [0.3, 99.7])
        margin = 0.12 * max(high - low, 1e-12 * max(abs(high), 1.0))
        ax.set_ylim(min(low - margin, 0.0), high + 2 * margin)
    if bad.any():
        bottom = np.where(bad, 1.0, np.nan)
        ax.plot(
            spectra.wave, bottom * 0.02, transform=ax.get_xaxis_transform(), lw=3, color="#999999", label="bad pixels"
        )
    for name, rest in _LINES.get(lines_of or "", {}).items():
        place = rest * (1 + z)
        if spectra.wave[0] < place < spectra.wave[-1]:
            ax.axvline(place, lw=0.7, ls=":", color="#555555")
            ax.annotate(
                name, (place, 0.98), xycoords=("data", "axes fraction"), fontsize=7, rotation=90, va="top", ha="right"
            )
    ax.set_xlim(spectra.wave[0], spectra.wave[-1])
    ax.set_xlabel("vacuum wavelength / Å")
    ax.set_ylabel("flux density")
    ax.set_title(str(one.table["spec_id"][0]), fontsize=9, loc="left")
    ax.legend(loc="upper right", fontsize=7, framealpha=0.7, ncols=3)
    figure = ax.get_figure(root=True)
    assert isinstance(figure, matplotlib.figure.Figure)  # pyplot's own, where `ax` is one of pyplot's
    return figure
