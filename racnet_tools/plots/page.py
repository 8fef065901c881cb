"""One self-contained HTML page of headings, paragraphs, tables and figures; needs no network to be read."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from racnet_tools.files import atomic_path

__all__ = ["Page"]

_STYLE = """
body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #d5dbe3}
figure{margin:1rem 0}img{max-width:100%;height:auto}figcaption{font-size:.9rem;color:#4a5666}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;margin:1rem 0}
th,td{border-bottom:1px solid #e3e7ed;padding:.25rem .6rem;text-align:left;white-space:nowrap}
code{background:#f0f3f7;padding:.1rem .3rem;border-radius:3px}
"""


class Page:
    """A report that grows part by part.

    Parameters
    ----------
    title : str
        Heading and window title. All text is escaped.

    Examples
    --------
    >>> page = Page("Two stars")
    >>> page.text("Simulated spectra.")
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Add a list of commands and what each does."""
        items = "".join(f"<li><code>{escape(command)}</code> {escape(what)}</li>" for command, what in commands)
        self._parts.append(f"<ul>{items}</ul>")

    def table(self, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table; `rows` hold a value for each of `names`."""
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        body = "".join("<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in row) + "</tr>" for row in rows)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        self._parts.append(f'<div class="scroll">{table}</div>')

    def figure(self, figure: Figure, caption: str) -> None:
        """Add a matplotlib figure with its caption, which is its alternative text too."""
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=110)
        data = base64.b64encode(image.getvalue()).decode("ascii")
        text = escape(caption, quote=True)
        self._parts.append(
            f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'
        )

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the page to `path`; an existing file is kept unless `overwrite`."""
        title = escape(self.title)
        html = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
            f"<body><h1>{title}</h1>{''.join(self._parts)}</body></html>\n"
        )
        with atomic_path(path, overwrite) as temporary:
            temporary.write_text(html, encoding="utf-8")
