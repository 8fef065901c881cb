"""One spectrum with its errors, its bad pixels and, below on the same axis, what a network looks at.

Figures are plain dicts of data and layout, not `plotly.graph_objects`: checking 12 traces of 4,000 pixels costs some
40 ms each time, which a dashboard that goes to the next spectrum in less than 100 ms does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from racnet_tools.plots.style import GREY, series, tint

__all__ = ["Occluded", "SpectrumPicture", "spectrum_panels"]

_INK = "#222222"
_TOP, _BOTTOM, _GAP = 34, 84, 16  # pixels above, below and between the panels


@dataclass(frozen=True)
class Occluded:
    """Attribution of a spectrum on its own wavelengths, for the lowest panel; `values` None while it is computed."""

    target: str
    wave: np.ndarray | None = None
    values: np.ndarray | None = None


@dataclass(frozen=True)
class SpectrumPicture:
    """What a figure of one spectrum shows.

    Attributes
    ----------
    wave, flux : (n_pix,) arrays
        Angstrom, and flux as measured; NaN where there is none.
    bad : (n_pix,) bool array
        Masked pixels.
    smooth : (n_pix,) array, optional
        Smoothed flux, drawn over the measured one.
    sigma : (n_pix,) array, optional
        Standard error of what is drawn on top; NaN where it is not known.
    unit : str
        Of the flux.
    overlays : sequence of (str, (m,) array, (m,) array)
        Further spectra in the same panel: name, wavelengths, flux.
    shades : sequence of (float, float, str)
        Stretches shaded through all panels, from, to, and "telluric" or "sky".
    attention : (blocks, m) array, optional
        Heat map of the middle panel, `attention_wave` (m,) its wavelengths.
    occluded : Occluded, optional
        The lowest panel.
    zoom : (float, float), optional
        Wavelengths shown; all by default.
    name : str
        While it stays the same, so does the visitor's zoom; what is given here holds otherwise.
    """

    wave: np.ndarray
    flux: np.ndarray
    bad: np.ndarray
    smooth: np.ndarray | None = None
    sigma: np.ndarray | None = None
    unit: str = "flux"
    overlays: Sequence[tuple[str, np.ndarray, np.ndarray]] = ()
    shades: Sequence[tuple[float, float, str]] = field(default=())
    attention: np.ndarray | None = None
    attention_wave: np.ndarray | None = None
    occluded: Occluded | None = None
    zoom: tuple[float, float] | None = None
    name: str = ""


def spectrum_panels(picture: SpectrumPicture, height: int = 330) -> dict[str, Any]:
    """A figure of one spectrum as a dict of data and layout.

    Parameters
    ----------
    picture : SpectrumPicture
    height : int
        Pixels of the panel of the flux; those below add theirs.

    Returns
    -------
    dict
        For `PlotView.show` or ``plotly.graph_objects.Figure``. Trace 0 is the measured flux and trace 1 the smoothed.
    """
    panels: list[tuple[str, int]] = [("flux", height)]
    if picture.attention is not None:
        panels.append(("attention", 96))
    if picture.occluded is not None:
        panels.append(("occlusion", 100))
    inside = sum(size for _, size in panels) + _GAP * (len(panels) - 1)
    low, high = limits(picture)
    data = _flux_traces(picture, low, high)
    axis = {"showgrid": False, "zeroline": False, "ticks": "outside", "showline": True}
    wave = picture.wave
    layout: dict[str, Any] = {
        "height": inside + _TOP + _BOTTOM,
        "margin": {"l": 62, "r": 14, "t": _TOP, "b": _BOTTOM},
        "uirevision": "spectrum",
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -54 / inside, "yanchor": "top"},
        "hovermode": "closest",
        "dragmode": "zoom",
        "xaxis": {
            **axis,
            "range": list(picture.zoom or (float(wave[0]), float(wave[-1]))),
            "title": {"text": "vacuum wavelength / Å", "standoff": 6},
            "anchor": f"y{len(panels)}" if len(panels) > 1 else "y",
            "uirevision": picture.name,
        },
        "shapes": [_shade(*one) for one in picture.shades],
        "annotations": [],
    }
    top = inside
    for number, (name, size) in enumerate(panels, 1):
        key = "yaxis" if number == 1 else f"yaxis{number}"
        domain = [max((top - size) / inside, 0), top / inside]
        top -= size + _GAP
        layout[key] = {**axis, "domain": domain, "anchor": "x"}
        if name == "flux":
            title = {"text": picture.unit, "standoff": 4}
            layout[key] |= {"range": [low, high], "title": title, "uirevision": picture.name}
        elif name == "attention":
            data.append(_heat_map(picture, f"y{number}", domain))
            layout[key] |= {"autorange": "reversed", "title": {"text": "block", "standoff": 4}, "dtick": 1}
            layout[key] |= {"fixedrange": True, "tick0": 1, "tickfont": {"size": 9}}
        else:
            assert picture.occluded is not None
            layout[key] |= {
                "title": {"text": "log-odds<br>per pixel", "font": {"size": 11}},
                "uirevision": picture.name,
            }
            layout[key] |= {"nticks": 4, "tickfont": {"size": 10}}
            if picture.occluded.values is None:
                layout[key] |= {"range": [-1, 1], "showticklabels": False}
                layout["annotations"].append(_waiting(f"y{number}"))
                empty = {"type": "scatter", "mode": "lines", "x": [float(wave[0])], "y": [0.0], "showlegend": False}
                data.append(empty | {"yaxis": f"y{number}", "hoverinfo": "skip"})  # plotly wants one on every axis
            else:
                data += _occlusion_traces(picture.occluded, f"y{number}")
    return {"data": data, "layout": layout}


def limits(picture: SpectrumPicture) -> tuple[float, float]:
    """Range of fluxes that shows nearly all good pixels in view, whatever a few spikes do."""
    shown = picture.flux if picture.smooth is None else picture.smooth
    inside = np.isfinite(shown) & ~picture.bad
    if picture.zoom is not None:
        inside &= (picture.wave >= picture.zoom[0]) & (picture.wave <= picture.zoom[1])
    values = shown[inside]
    if not len(values):
        values = shown[np.isfinite(shown)]
    if not len(values):
        return 0.0, 1.0
    low, middle, high = np.percentile(values, (0.3, 50, 99.7))
    low, high = (
        max(float(values.min()), low - 0.6 * (middle - low)),
        min(float(values.max()), high + 0.6 * (high - middle)),
    )
    raw = picture.flux[inside & np.isfinite(picture.flux)]
    if picture.smooth is not None and picture.zoom is not None and len(raw):  # lines are deeper than smoothed ones
        down, up = np.percentile(raw, (1, 99))
        low, high = min(low, float(down)), max(high, float(up))
    margin = 0.06 * (high - low) or max(abs(high), 1e-12) * 0.1
    return float(low - margin), float(high + margin)


def _flux_traces(picture: SpectrumPicture, low: float, high: float) -> list[dict[str, Any]]:
    wave = np.round(picture.wave, 2).astype(np.float32)
    flux = picture.flux.astype(np.float32)
    smoothed = picture.smooth is not None
    tip = "%{x:.1f} Å: %{y:.4~g}<extra>%{fullData.name}</extra>"
    raw = {"color": GREY if smoothed else _INK, "width": 0.6 if smoothed else 0.9}
    data: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": wave, "y": flux, "line": raw, "opacity": 0.55 if smoothed else 1,
         "name": "measured", "hovertemplate": tip},
        {"type": "scatter", "mode": "lines", "x": wave, "y": np.zeros(0, np.float32), "visible": False},
    ]  # fmt: skip
    if picture.smooth is not None:
        line = {"color": series(0).colour, "width": 1.3}
        data[1] |= {"y": picture.smooth.astype(np.float32), "line": line, "visible": True}
        data[1] |= {"name": "smoothed", "hovertemplate": tip}
    if picture.sigma is not None:
        centre = picture.flux if picture.smooth is None else picture.smooth
        x, y = _band(wave, centre, picture.sigma)
        data.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": np.clip(y, *_beyond(low, high)), "fill": "toself",
             "fillcolor": tint(series(0).colour, 0.22), "line": {"width": 0}, "hoverinfo": "skip", "name": "± 1 σ"}
        )  # fmt: skip
    if picture.bad.any():
        x, y = _runs(wave, flux, picture.bad)
        data.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": np.clip(y, low, high), "hoverinfo": "skip",
             "line": {"color": series(1).colour, "width": 1.3}, "name": "masked"}
        )  # fmt: skip
    for number, (name, x, y) in enumerate(picture.overlays):
        style = series(4 + number)
        data.append(
            {"type": "scatter", "mode": "lines", "x": np.asarray(x, np.float32), "y": np.asarray(y, np.float32),
             "line": {"color": style.colour, "width": 1.4}, "name": name, "hovertemplate": tip}
        )  # fmt: skip
    return data


def _beyond(low: float, high: float) -> tuple[float, float]:
    span = high - low
    return low - 2 * span, high + 2 * span


def _edges(inside: np.ndarray) -> np.ndarray:
    """First pixel, and pixel after the last, of each run of True; (m, 2)."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return steps.reshape(-1, 2)


def _band(wave: np.ndarray, centre: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of the band, one closed stretch for each run of pixels with an error, NaN between them."""
    known = np.isfinite(centre) & np.isfinite(sigma)
    x, y = [], []
    gap = np.array([np.nan], np.float32)
    for a, b in _edges(known):
        x += [wave[a:b], wave[a:b][::-1], wave[a : a + 1], gap]
        upper, lower = (centre + sigma)[a:b], (centre - sigma)[a:b]
        y += [upper, lower[::-1], upper[:1], gap]
    if not x:
        return gap, gap
    return np.concatenate(x).astype(np.float32), np.concatenate(y).astype(np.float32)


def _runs(wave: np.ndarray, flux: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of bad pixels with a neighbour on each side, NaN between them; a gap without flux lies at its ends'."""
    known = np.isfinite(flux)
    if not known.any():
        return np.full(1, np.nan, np.float32), np.full(1, np.nan, np.float32)
    places = np.flatnonzero(known)
    filled = np.interp(np.arange(len(flux)), places, flux[places]).astype(np.float32)
    x, y = [], []
    gap = np.array([np.nan], np.float32)
    for a, b in _edges(bad):
        here = slice(max(a - 1, 0), b + 1)
        x += [wave[here], gap]
        y += [filled[here], gap]
    return np.concatenate(x), np.concatenate(y)


def _shade(low: float, high: float, kind: str) -> dict[str, Any]:
    colour = tint(GREY, 0.18) if kind == "telluric" else tint(series(2).colour, 0.22)
    return {
        "type": "rect", "xref": "x", "yref": "paper", "x0": low, "x1": high, "y0": 0, "y1": 1, "layer": "below",
        "line": {"width": 0}, "fillcolor": colour,
    }  # fmt: skip


def _heat_map(picture: SpectrumPicture, axis: str, domain: list[float]) -> dict[str, Any]:
    assert picture.attention is not None and picture.attention_wave is not None
    blocks = len(picture.attention)
    return {
        "type": "heatmap", "z": picture.attention.astype(np.float32), "x": picture.attention_wave.astype(np.float32),
        "y": np.arange(1, blocks + 1), "yaxis": axis, "colorscale": "Viridis", "showscale": False, "zmin": 0,
        "zmax": float(np.percentile(picture.attention, 99)) or 1.0,
        "hovertemplate": "%{x:.0f} Å, block %{y}: %{z:.2f} of its mean<extra>attention × activation</extra>",
    }  # fmt: skip


def _occlusion_traces(occluded: Occluded, axis: str) -> list[dict[str, Any]]:
    assert occluded.wave is not None and occluded.values is not None
    traces = []
    for sign, style, word in ((1, series(0), "for"), (-1, series(1), "against")):
        values = np.where(sign * occluded.values > 0, occluded.values, 0)
        traces.append(
            {"type": "scatter", "mode": "lines", "x": occluded.wave.astype(np.float32), "y": values.astype(np.float32),
             "yaxis": axis, "fill": "tozeroy", "fillcolor": tint(style.colour, 0.7),
             "line": {"color": style.colour, "width": 0.5}, "name": f"{word} {occluded.target}",
             "hovertemplate": "%{x:.0f} Å: %{y:.3~g} log-odds"}
        )  # fmt: skip
    return traces


def _waiting(axis: str) -> dict[str, Any]:
    return {
        "xref": "paper", "x": 0.5, "yref": axis, "y": 0, "showarrow": False, "text": "computing the occlusion …",
        "font": {"color": GREY},
    }  # fmt: skip
