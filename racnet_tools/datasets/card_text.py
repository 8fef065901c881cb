"""The card of a data set as text for a terminal, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from racnet_tools.datasets.card import DataSetCard, Example, Histogram

__all__ = ["text"]

_BARS = " ▁▂▃▄▅▆▇█"


def text(card: DataSetCard) -> str:
    """Title, counts, histograms, examples as sparklines, provenance and limits."""
    lines = [card.title, "=" * len(card.title), card.summary, ""]
    names = ["class", *card.parts, "copies", "objects"]
    total: dict[str, object] = {"class": "all"}
    total |= {name: sum(row[name] for row in card.counts) for name in names[1:]}
    wide = max(8, *(len(row["class"]) for row in card.counts))
    lines.append(f"  {'class':<{wide}}" + "".join(f"{name:>12}" for name in names[1:]))
    for row in [*card.counts, total]:
        lines.append(f"  {row['class']:<{wide}}" + "".join(f"{row[name]:>12,}" for name in names[1:]))
    lines.append(f"  {'':<{wide}}copies: noisy copies among the training spectra")
    for histogram in card.histograms:
        lines += ["", *_histogram(histogram, wide)]
    lines += ["", "Examples, 3700-9100 Angstrom"]
    lines += [f"  {e.label:<{wide}}{_spark(_binned(e))}  {_printable(e.note)}" for e in card.examples]
    lines += ["", "Provenance"]
    lines += [f"  {name:<15}{_printable(value)}" for name, value in card.provenance.items()]
    if card.limits:
        lines += ["", "Known limits"]
        lines += [textwrap.fill(limit, 98, initial_indent="  * ", subsequent_indent="    ") for limit in card.limits]
    return "\n".join(lines)


def _histogram(histogram: Histogram, wide: int) -> list[str]:
    low, high = (10**x if histogram.log else x for x in histogram.edges[[0, -1]])
    axis = f"{low:.3g}".ljust(len(histogram.edges) - 1 - len(f"{high:.3g}")) + f"{high:.3g}"
    rows = [f"  {name:<{wide}}{_spark(counts)}{counts.sum():>10,}" for name, counts in histogram.counts.items()]
    scale = " (logarithmic)" if histogram.log else ""
    left = f"; {histogram.outside:,} not shown" if histogram.outside else ""
    return [f"{histogram.quantity}{scale}{left}", *rows, f"  {'':<{wide}}{axis}"]


def _spark(values: np.ndarray) -> str:
    top = values.max() if len(values) else 0
    if not top > 0:
        return " " * len(values)
    steps = np.ceil(np.clip(values / top, 0, 1) * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[step] for step in steps)


def _binned(example: Example, bins: int = 48) -> np.ndarray:
    pieces = [piece for piece in np.array_split(example.flux, bins) if len(piece)]
    flux = np.array([piece.mean() for piece in pieces])
    return flux - min(0.0, float(flux.min()))


def _printable(value: str) -> str:
    """No control characters of a file on the terminal."""
    return "".join(c if c.isprintable() else "?" for c in value)
