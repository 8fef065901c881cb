"""What a `SpectrumSet` holds, as a table of counts and as HTML for notebooks."""

from __future__ import annotations

from html import escape

import numpy as np
from astropy.table import Table

from racnet_tools.spectra.columns import complete_table
from racnet_tools.spectra.spectrum_set import SpectrumSet

__all__ = ["html", "summary_table"]


def summary_table(spectra: SpectrumSet) -> Table:
    """Counts, objects and median S/N (g) per survey and label; the last row is for all."""
    table = complete_table(spectra.table, len(spectra))  # columns that a user replaced may have lost their masks
    survey, label = (np.asarray(table[name].filled("-")) for name in ("survey", "label"))
    kinds = sorted(set(zip(survey.tolist(), label.tolist(), strict=True)))
    rows = [(*kind, (survey == kind[0]) & (label == kind[1])) for kind in kinds]
    rows.append(("all", "all", np.ones(len(spectra), bool)))
    snr = table["snr_g"].filled(np.nan)
    return Table(
        {
            "survey": [row[0] for row in rows],
            "label": [row[1] for row in rows],
            "spectra": [int(row[2].sum()) for row in rows],
            "objects": [len(set(table["object_id"][row[2]])) for row in rows],
            "snr_g_median": [_median(snr[row[2]]) for row in rows],
        }
    )


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.round(np.median(values), 1)) if len(values) else float("nan")


def html(spectra: SpectrumSet, drawn: int = 3) -> str:
    """The counts and a small drawing of the first spectra. Text from files is escaped."""
    summary = summary_table(spectra)
    head = "".join(f"<th>{escape(name)}</th>" for name in summary.colnames)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row) + "</tr>" for row in summary.iterrows()
    )
    pictures = "".join(_sparkline(spectra, i) for i in range(min(drawn, len(spectra))))
    return f"<div><b>{escape(repr(spectra)[1:-1])}</b><table><tr>{head}</tr>{body}</table>{pictures}</div>"


def _sparkline(spectra: SpectrumSet, index: int, width: int = 560, height: int = 60) -> str:
    good = ~spectra.mask[index]
    if good.sum() < 2:
        return ""
    pixels = np.flatnonzero(good)
    flux = spectra.flux[index, pixels]
    low, high = np.percentile(flux, [0.5, 99.5])
    bins = np.array_split(np.arange(len(pixels)), min(280, len(pixels)))
    x = [pixels[b].mean() / spectra.n_pixels * width for b in bins]
    y = [height - 4 - (np.clip(flux[b].mean(), low, high) - low) / max(high - low, 1e-30) * (height - 8) for b in bins]
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    name = escape(str(spectra.table["spec_id"][index]))
    return (
        f'<div><small>{name}</small><br><svg width="{width}" height="{height}" role="img" aria-label="{name}">'
        f'<polyline points="{points}" fill="none" stroke="#1f5fa8" stroke-width="1"/></svg></div>'
    )
