"""The card of a data set as self-contained HTML: counts as bars, histograms, example spectra, provenance, limits."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from racnet_tools.datasets.card import DataSetCard, Example, Histogram

__all__ = ["html"]

# Class colours that keep apart for colour-blind readers and have contrast 3:1 on white and on near-black; the text
# beside each says the same.
_COLOURS = ("#2f7fc1", "#d9622b", "#1f9a7a", "#a86bc4", "#b58a1b", "#cf4f7d", "#7d8894")
_STYLE = """
.racnet-card{--ink:#1d2733;--soft:#596674;--line:#dde3ea;--paper:#fff;--wash:#f5f7fa;color-scheme:light dark;
 font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--paper);
 border:1px solid var(--line);border-radius:12px;padding:24px 28px;max-width:1000px;box-sizing:border-box}
@media (prefers-color-scheme:dark){.racnet-card{--ink:#e6ebf1;--soft:#a3afbc;--line:#36404b;--paper:#171c22;
 --wash:#1f262e}}
.racnet-card h2{font-size:21px;line-height:1.25;margin:0;font-weight:650;color:inherit}
.racnet-card h3{font-size:12px;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:26px 0 8px;
 font-weight:650}
.racnet-card p{margin:4px 0 0;color:var(--soft)}
.racnet-card table{border-collapse:collapse;width:100%;font-size:14px;margin:0;background:none;color:inherit}
.racnet-card th,.racnet-card td{text-align:right;padding:6px 10px;border:0;border-bottom:1px solid var(--line);
 font-variant-numeric:tabular-nums;background:none;color:inherit}
.racnet-card thead th{color:var(--soft);font-weight:500}
.racnet-card th:first-child,.racnet-card td.bar{text-align:left}
.racnet-card td.bar{width:34%}
.racnet-card .key{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:8px}
.racnet-card .two{display:grid;grid-template-columns:repeat(auto-fit,minmax(360px,1fr));gap:10px 28px}
.racnet-card figure{margin:0}
.racnet-card figcaption{font-size:13px;color:var(--soft);margin-bottom:2px;overflow-wrap:anywhere}
.racnet-card figcaption b{color:var(--ink);font-weight:600}
.racnet-card svg{display:block;width:100%;height:auto;overflow:visible}
.racnet-card svg text{fill:var(--soft);font:11px system-ui,sans-serif}
.racnet-card .axis{stroke:var(--line);stroke-width:1}
.racnet-card dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0}
.racnet-card dt{color:var(--soft)} .racnet-card dd{margin:0;overflow-wrap:anywhere}
.racnet-card ul{margin:0;padding-left:20px} .racnet-card li{margin:2px 0}
"""


def html(card: DataSetCard) -> str:
    """One ``<div>`` with everything in it."""
    colour = {row["class"]: _COLOURS[k % len(_COLOURS)] for k, row in enumerate(card.counts)}
    parts = [
        f"<style>{_STYLE}</style><h2>{escape(card.title)}</h2><p>{escape(card.summary)}</p>",
        "<h3>Spectra</h3>",
        _counts(card, colour),
        "<h3>Distributions (each spectrum once; classes scaled to equal height)</h3>",
        f'<div class="two">{"".join(_histogram(h, colour) for h in card.histograms)}</div>',
        "<h3>One training spectrum of each class</h3>",
        f'<div class="two">{"".join(_example(e, colour[e.label]) for e in card.examples)}</div>',
        "<h3>Provenance</h3>",
        _definitions(card.provenance.items()),
    ]
    if card.limits:
        parts += ["<h3>Known limits</h3>", f"<ul>{''.join(f'<li>{escape(x)}</li>' for x in card.limits)}</ul>"]
    return f'<div class="racnet-card">{"".join(parts)}</div>'


def _counts(card: DataSetCard, colour: dict[str, str]) -> str:
    said = {"copies": "of these, copies", "train": "training", "test": "test"}
    names = ["train", "copies", *card.parts[1:], "objects"]
    head = "".join(f'<th scope="col">{said.get(name, name)}</th>' for name in names)
    top = max(max(row["train"] for row in card.counts), 1)
    body = []
    for row in card.counts:
        cells = "".join(f"<td>{row[name]:,}</td>" for name in names)
        key = f'<span class="key" style="background:{colour[row["class"]]}"></span>'
        bar = _bar(row["train"], row["copies"], top, colour[row["class"]])
        body.append(f'<tr><th scope="row">{key}{escape(row["class"])}</th>{cells}<td class="bar">{bar}</td></tr>')
    total = "".join(f"<td><b>{sum(row[name] for row in card.counts):,}</b></td>" for name in names)
    body.append(f'<tr><th scope="row">all</th>{total}<td></td></tr>')
    return (
        f'<table><thead><tr><th scope="col">class</th>{head}<th scope="col" style="text-align:left">training: '
        f"spectra and (pale) noisy copies</th></tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _bar(n: int, copies: int, top: int, colour: str) -> str:
    own, all_ = (n - copies) / top * 300, n / top * 300
    return (
        f'<svg viewBox="0 0 300 12" role="img" aria-label="{n - copies} spectra and {copies} copies">'
        f'<rect width="{all_:.1f}" height="12" rx="3" fill="{colour}" opacity=".32"/>'
        f'<rect width="{own:.1f}" height="12" rx="3" fill="{colour}"/></svg>'
    )


def _histogram(histogram: Histogram, colour: dict[str, str], width: int = 440, height: int = 150) -> str:
    step = width / (len(histogram.edges) - 1)
    shapes = []
    for name, counts in histogram.counts.items():
        top = counts.max()
        if top == 0:
            continue
        points = [(0.0, 0.0)]
        for k, value in enumerate(counts):
            points += [(k * step, value), ((k + 1) * step, value)]
        points.append((float(width), 0.0))
        path = " ".join(f"{x:.1f},{height - v / top * (height - 8):.1f}" for x, v in points)
        shapes.append(
            f'<polygon points="{path}" fill="{colour[name]}" fill-opacity=".14" stroke="{colour[name]}" '
            f'stroke-width="1.6"><title>{escape(name)}</title></polygon>'
        )
    low, high = histogram.edges[[0, -1]]
    ticks = "".join(
        f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{height}" y2="{height + 4}"/>'
        f'<text x="{x:.1f}" y="{height + 17}" text-anchor="middle">{label}</text>'
        for x, label in (
            ((v - low) / (high - low) * width, f"{10**v:g}" if histogram.log else f"{v:g}")
            for v in _ticks(low, high, histogram.log)
        )
    )
    outside = f"; {histogram.outside:,} not shown" if histogram.outside else ""
    caption = f"<b>{escape(histogram.quantity)}</b>{' (logarithmic)' if histogram.log else ''}{outside}"
    said = ", ".join(f"{name} {int(counts.sum())}" for name, counts in histogram.counts.items())
    return (
        f"<figure><figcaption>{caption}</figcaption>"
        f'<svg viewBox="-6 0 {width + 12} {height + 22}" role="img" '
        f'aria-label="{escape(f"Histogram of {histogram.quantity}: {said}")}">'
        f'{"".join(shapes)}<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>{ticks}</svg></figure>'
    )


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        marks = [np.log10(m * 10.0**e) for e in range(-3, 5) for m in (1, 2, 5)]
        return [float(m) for m in marks if low <= m <= high]
    step = 10 ** np.floor(np.log10((high - low) / 4))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 6)
    return [round(float(v), 9) + 0.0 for v in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _example(example: Example, colour: str, width: int = 440, height: int = 110) -> str:
    if len(example.flux) < 2:
        return ""
    low, high = np.percentile(example.flux, [0.5, 99.5])
    low, high = min(low, 0.0), max(high, low + 1e-6)
    x = (example.wave - 3700) / (9100 - 3700) * width
    y = (
        height
        - 4
        - (np.clip(example.flux, low - 0.1 * (high - low), high + 0.1 * (high - low)) - low)
        / (high - low)
        * (height - 16)
    )
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    ticks = "".join(
        f'<text x="{(w - 3700) / 5400 * width:.1f}" y="{height + 15}" text-anchor="middle">{w}</text>'
        for w in (4000, 5000, 6000, 7000, 8000, 9000)
    )
    label = escape(f"{example.label}: spectrum {example.name}, {example.note}; wavelength in Angstrom")
    return (
        f"<figure><figcaption><b>{escape(example.label)}</b> &nbsp;{escape(example.note)} &nbsp;"
        f"<small>{escape(example.name)}</small></figcaption>"
        f'<svg viewBox="-6 0 {width + 12} {height + 20}" role="img" aria-label="{label}">'
        f'<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>{ticks}</svg></figure>'
    )


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in pairs)}</dl>"
