"""A spectrum and, over it, the template or the other spectrum that it was compared with."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from racnet_tools.plots.style import GREY, series

__all__ = ["compared_spectra"]


def compared_spectra(
    wave: np.ndarray, flux: np.ndarray, name: str, other_wave: np.ndarray, other_flux: np.ndarray, other: str
) -> dict[str, Any]:
    """A figure of two spectra on one scale, as a dict of data and layout for `PlotView.show`.

    Parameters
    ----------
    wave, flux : (n,) arrays
        The spectrum, Angstrom and any unit; NaN where it was not measured.
    name : str
        What the legend calls it.
    other_wave, other_flux : (m,) arrays
        What it is compared with, in the same units.
    other : str

    Returns
    -------
    dict
    """
    low, high = np.percentile(flux[np.isfinite(flux)], [0.5, 99.5])
    low, high = min(low, float(np.nanmin(other_flux))), max(high, float(np.nanmax(other_flux)))
    room = 0.06 * (high - low) or 1.0
    axis = {"showgrid": False, "zeroline": False, "ticks": "outside", "showline": True}
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "x+y"}
    return {
        "data": [
            {**line, "x": wave, "y": flux, "name": escape(name, quote=False), "line": {"color": GREY, "width": 1}},
            {
                **line,
                "x": other_wave,
                "y": other_flux,
                "name": escape(other, quote=False),
                "line": {"color": series(1).colour, "width": 1.4},
            },
        ],
        "layout": {
            "margin": {"l": 62, "r": 14, "t": 10, "b": 44},
            "uirevision": "nearest",
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom"},
            "xaxis": {**axis, "title": {"text": "vacuum wavelength / Å", "standoff": 4}},
            "yaxis": {
                **axis,
                "range": [low - room, high + room],
                "title": {"text": "flux / norm", "standoff": 4},
                "uirevision": name,
            },
        },
    }
