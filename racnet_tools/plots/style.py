"""Look of the figures for print and of their interactive twins: widths, type sizes, colours that survive grey.

The first three colours are the "high-contrast" scheme of P. Tol (SRON/EPS/TN/09-002, issue 3.2), told apart with any
colour vision and in grey; all differ in marker and dash as well.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["COLUMN", "GREY", "ON_DARK", "PAGE", "PRINT", "Series", "as_written", "series", "tint"]

COLUMN, PAGE = 3.4, 7.1  # inches: one column and the text width of a journal page
GREY = "#6b7280"

#: Colours of the interactive figures to their partners on a dark page, as far apart from one another there.
ON_DARK = {
    "#004488": "#6fb1f2",
    "#bb5566": "#f08a9b",
    "#ddaa33": "#f0c95c",
    "#222222": "#f2f2f2",
    "#228833": "#63c774",
    "#5aa5d6": "#9ad0f5",
    "#884ea0": "#cf9ae3",
    "#6b7280": "#9aa5b4",
    "#1c2430": "#e6eaf0",
}

PRINT: Any = {  # settings of matplotlib
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "errorbar.capsize": 2,
}


class Series(NamedTuple):
    """How one of several series is drawn, by matplotlib and by plotly."""

    colour: str
    marker: str
    symbol: str
    dashes: str | tuple[int, tuple[int, ...]]
    dash: str


_SERIES = (
    Series("#004488", "o", "circle", "-", "solid"),
    Series("#bb5566", "s", "square", (0, (5, 1)), "10px,2px"),
    Series("#ddaa33", "^", "triangle-up", (0, (3, 1, 1, 1)), "6px,2px,2px,2px"),
    Series("#222222", "D", "diamond", (0, (1, 1)), "2px,2px"),
    Series("#228833", "v", "triangle-down", (0, (7, 1, 1, 1)), "14px,2px,2px,2px"),
    Series("#5aa5d6", "P", "cross", (0, (2, 2)), "4px,4px"),
    Series("#884ea0", "X", "x", (0, (7, 3)), "14px,6px"),
)


def series(number: int) -> Series:
    """Style of series `number`, counted from 0; they repeat after seven."""
    return _SERIES[number % len(_SERIES)]


def tint(colour: str, opacity: float) -> str:
    """A colour given as #rrggbb, made transparent, in the notation of CSS."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def as_written(text: object) -> str:
    """A label for matplotlib in which a dollar sign is a dollar sign and begins no formula."""
    return str(text).replace("$", r"\$")
