"""One self-contained report, as an HTML page that needs no network to be read, and as Markdown with figures beside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path
from racnet_tools.plots.page_parts import (
    KINDS,
    Commands,
    Heading,
    Note,
    Part,
    Picture,
    Rows,
    Text,
    anchor,
    markdown_text,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Page"]

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--soft:#4a5666;--line:#d5dbe3;--fill:#f0f3f7;--link:#00509e}
@media(prefers-color-scheme:dark){
:root{--ink:#e4e8ee;--paper:#14181e;--soft:#a9b4c2;--line:#3a4450;--fill:#222a33;--link:#8fc1ff}}
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);
background:var(--paper)}
a{color:var(--link)}h1{font-size:1.7rem;margin-bottom:.2rem;line-height:1.25}
h2{font-size:1.25rem;margin-top:2.4rem;border-bottom:1px solid var(--line)}h3{font-size:1.05rem;margin-top:1.6rem}
nav{background:var(--fill);border-radius:4px;padding:.4rem 1rem;margin:1rem 0;font-size:.9rem}
nav ul{list-style:none;margin:0;padding:0}nav ul ul{padding-left:1.2rem}
figure{margin:1.4rem 0}figure>img,.still,.live{background:#fff;border-radius:4px}
img{max-width:100%;height:auto}.still{display:none}.live{overflow-x:auto}figcaption,caption{font-size:.9rem;color:var(--soft);text-align:left}
.scroll{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.85rem}caption{padding-bottom:.3rem}
th,td{border-bottom:1px solid var(--line);padding:.25rem .6rem;text-align:left;white-space:nowrap}
th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}
code{background:var(--fill);padding:.1rem .3rem;border-radius:3px;overflow-wrap:anywhere}
aside{border-left:4px solid #5b7fb5;background:var(--fill);padding:.5rem .9rem;margin:1rem 0;border-radius:0 4px 4px 0}
aside.limit{border-color:#c98a1b}aside.slip{border-color:#b0475a}
@media print{:root{--ink:#000;--paper:#fff;--soft:#333;--line:#bbb;--fill:#f4f4f4;--link:#000;color-scheme:light}
body{max-width:none;margin:0;font-size:10pt}nav,.live{display:none}.still{display:block}.scroll{overflow:visible}
figure,aside,tr{break-inside:avoid}h2,h3{break-after:avoid}}
"""

# Nothing may be fetched or sent, whatever a label or a path may hold.
_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
_WITHOUT_SCRIPTS = "<noscript><style>.live{display:none}.still{display:block}</style></noscript>"
_DRAW = """
document.querySelectorAll("script[data-figure]").forEach(function (source) {
  var figure = JSON.parse(source.textContent);
  document.getElementById(source.dataset.figure).style.minWidth = figure.layout.meta.narrowest + "px";
  Plotly.newPlot(source.dataset.figure, figure.data, figure.layout, {
    displaylogo: false, responsive: true, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]]
  });
});
"""
_LISTED = 3  # headings from which on a page has a table of contents


class Page:
    """A report that grows part by part. All text is escaped.

    Parameters
    ----------
    title : str
        Heading and window title.

    Examples
    --------
    >>> page = Page("Two stars")
    >>> page.text("Simulated spectra.")
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts: list[Part] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._head(text, 2)

    def subheading(self, text: str) -> None:
        """Begin a part of a section."""
        self._head(text, 3)

    def _head(self, text: str, level: int) -> None:
        taken = {part.name for part in self._headings()}
        name = first = anchor(text)
        number = 0
        while name in taken:
            number += 1
            name = f"{first}-{number}"
        self._parts.append(Heading(text, level, name))

    def _headings(self) -> list[Heading]:
        return [part for part in self._parts if isinstance(part, Heading)]

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(Text(text))

    def note(self, text: str, kind: str = "note") -> None:
        """Add a paragraph set apart: a "note", a "limit" of what is shown, or a "slip" in the paper."""
        if kind not in KINDS:
            raise RacnetError(f"Expected a kind of note among {', '.join(KINDS)}. Received: {kind!r}.")
        self._parts.append(Note(text, kind))

    def commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Add a list of commands and what each does."""
        self._parts.append(Commands(tuple(commands)))

    def table(self, names: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> None:
        """Add a table; `rows` hold a value for each of `names`.

        Columns in which every value is a number (a unit, an interval or a spread may follow) are set to the right;
        None, NaN and masked values become a dash.
        """
        lines = tuple(tuple(row) for row in rows)
        for line in lines:
            if len(line) != len(names):
                raise RacnetError(f"Expected rows of {len(names)} values ({', '.join(names)}). Received: {line!r}.")
        self._parts.append(Rows(tuple(names), lines, caption))

    def figure(self, figure: Figure, caption: str, interactive: go.Figure | None = None) -> None:
        """Add a figure with its caption, which is its alternative text too.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            Shown in print, in Markdown, where scripts are switched off, and where there is no other.
        caption : str
            Written below.
        interactive : plotly.graph_objects.Figure, optional
            Shown in its place on a screen, from `racnet_tools.plots.interactive`.
        """
        source = None
        if interactive is not None:
            from racnet_tools.plots.interactive import to_json

            source = to_json(interactive)
        number = 1 + sum(isinstance(part, Picture) for part in self._parts)
        self._parts.append(Picture.of(figure, caption, number, source))

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the page as HTML to `path`; an existing file is kept unless `overwrite`."""
        title = escape(self.title)
        scripts = ""
        if any(isinstance(part, Picture) and part.interactive is not None for part in self._parts):
            from racnet_tools.plots.interactive import library

            scripts = f"<script>{library()}</script><script>{_DRAW}</script>"
        html = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{_STYLE}</style>{_WITHOUT_SCRIPTS}</head><body><h1>{title}</h1>{self._contents()}"
            f"{''.join(part.html() for part in self._parts)}{scripts}</body></html>\n"
        )
        with atomic_path(path, overwrite) as temporary:
            temporary.write_text(html, encoding="utf-8")

    def _contents(self) -> str:
        headings = self._headings()
        if len(headings) < _LISTED:
            return ""
        items, deep = "", False
        for part in headings:
            if (part.level > 2) != deep:
                items += "</ul>" if deep else "<ul>"
                deep = not deep
            items += f'<li><a href="#{escape(part.name)}">{escape(part.text)}</a></li>'
        return f'<nav aria-label="Contents"><ul>{items}{"</ul>" if deep else ""}</ul></nav>'

    def save_markdown(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the same report as Markdown to `path`.

        Figures are saved as PNG and PDF in a folder beside, named after the file: ``report_figures`` for
        ``report.md``. Existing files are kept unless `overwrite`, which also removes figures of an earlier report.
        """
        path = Path(path)
        folder = path.with_name(f"{path.stem}_figures")
        with atomic_path(path, overwrite) as temporary:
            for stale in folder.glob("figure-[0-9]*.*") if overwrite else ():
                stale.unlink()
            parts = [part.markdown(folder, overwrite) for part in self._parts]
            headings = self._headings()
            if len(headings) >= _LISTED:
                listed = [f"{'  ' * (h.level - 2)}- [{markdown_text(h.text)}](#{h.name})" for h in headings]
                parts.insert(0, "\n".join(listed))
            temporary.write_text("\n\n".join([f"# {markdown_text(self.title)}", *parts]) + "\n", encoding="utf-8")
