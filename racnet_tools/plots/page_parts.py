"""What a report consists of; each part knows its form in HTML and in Markdown, and lets no text through as markup."""

# ruff: noqa: D102 (what the two methods of every part do is said once, in Part)
from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from html import escape
from numbers import Integral, Real
from pathlib import Path
from urllib.parse import quote

import numpy as np
from matplotlib.figure import Figure

from racnet_tools.files import atomic_path

__all__ = ["KINDS", "Commands", "Heading", "Note", "Part", "Picture", "Rows", "Text", "anchor", "markdown_text"]

KINDS = {"note": "Note", "limit": "Limit", "slip": "Slip in the paper"}

_NUMBER = re.compile(r"[<>≈~±+−–-]?\s?\d[\d.,\s%±+−–()\[\]<>≈×*/kMG-]*(?:(?:to|of|e)[\d.,\s%±+−–()\[\]kMG-]+)*")


class Part:
    """A piece of a report."""

    def html(self) -> str:
        """Give this part as HTML."""
        raise NotImplementedError

    def markdown(self, folder: Path, overwrite: bool) -> str:
        """Give this part as Markdown; what it needs beside is written into `folder`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Heading(Part):
    """A heading with its place in the table of contents."""

    text: str
    level: int
    name: str

    def html(self) -> str:
        return f'<h{self.level} id="{escape(self.name)}">{escape(self.text)}</h{self.level}>'

    def markdown(self, folder: Path, overwrite: bool) -> str:
        return f"{'#' * self.level} {markdown_text(self.text)}"


@dataclass(frozen=True)
class Text(Part):
    """A paragraph."""

    text: str

    def html(self) -> str:
        return f"<p>{escape(self.text)}</p>"

    def markdown(self, folder: Path, overwrite: bool) -> str:
        return markdown_text(self.text)


@dataclass(frozen=True)
class Note(Part):
    """A paragraph set apart."""

    text: str
    kind: str

    def html(self) -> str:
        return f'<aside class="{self.kind}"><strong>{KINDS[self.kind]}.</strong> {escape(self.text)}</aside>'

    def markdown(self, folder: Path, overwrite: bool) -> str:
        return f"> **{KINDS[self.kind]}.** {markdown_text(self.text)}"


@dataclass(frozen=True)
class Commands(Part):
    """Commands and what each does."""

    commands: tuple[tuple[str, str], ...]

    def html(self) -> str:
        items = "".join(f"<li><code>{escape(command)}</code> {escape(what)}</li>" for command, what in self.commands)
        return f"<ul>{items}</ul>"

    def markdown(self, folder: Path, overwrite: bool) -> str:
        return "\n".join(f"- {_code(command)} {markdown_text(what)}" for command, what in self.commands)


@dataclass(frozen=True)
class Rows(Part):
    """A table; columns of numbers are set to the right."""

    names: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    caption: str

    def cells(self) -> tuple[list[list[str]], list[bool]]:
        """What is written in each cell, and whether each column holds numbers only."""
        written = [[_written(value) for value in row] for row in self.rows]
        columns = [[row[k] for row in written if row[k] != "–"] for k in range(len(self.names))]
        return written, [bool(column) and all(map(_NUMBER.fullmatch, column)) for column in columns]

    def html(self) -> str:
        written, right = self.cells()
        looks = [' class="number"' if number else "" for number in right]
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(f"<th{look}>{escape(name)}</th>" for look, name in zip(looks, self.names, strict=True))
        body = "".join(
            "<tr>" + "".join(f"<td{look}>{escape(cell)}</td>" for look, cell in zip(looks, row, strict=True)) + "</tr>"
            for row in written
        )
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="scroll">{table}</div>'

    def markdown(self, folder: Path, overwrite: bool) -> str:
        written, right = self.cells()
        lines = [list(map(markdown_text, self.names)), ["---:" if number else "---" for number in right]]
        lines += [list(map(markdown_text, row)) for row in written]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"*{markdown_text(self.caption)}*\n\n{table}" if self.caption else table


@dataclass(frozen=True)
class Picture(Part):
    """A figure with its caption, which is its alternative text too; `interactive` is a plotly figure as JSON."""

    figure: Figure
    png: bytes
    caption: str
    number: int
    interactive: str | None

    @classmethod
    def of(cls, figure: Figure, caption: str, number: int, interactive: str | None) -> Picture:
        """Draw `figure` once."""
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=150)
        return cls(figure, image.getvalue(), caption, number, interactive)

    def html(self) -> str:
        text = escape(self.caption)
        data = base64.b64encode(self.png).decode("ascii")
        width = round(110 * self.figure.get_figwidth())
        image = f'<img alt="{text}" width="{width}" src="data:image/png;base64,{data}">'
        if self.interactive is not None:
            place = f"figure-{self.number}"
            image = (
                f'<div class="live"><div id="{place}" role="img" aria-label="{text}"></div></div>'
                f'<script type="application/json" data-figure="{place}">{self.interactive}</script>'
                f'<div class="still">{image}</div>'
            )
        return f"<figure>{image}<figcaption>{text}</figcaption></figure>"

    def markdown(self, folder: Path, overwrite: bool) -> str:
        folder.mkdir(exist_ok=True)
        name = f"figure-{self.number:02d}"
        with atomic_path(folder / f"{name}.png", overwrite) as temporary:
            temporary.write_bytes(self.png)
        with atomic_path(folder / f"{name}.pdf", overwrite) as temporary:
            self.figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
        place, text = f"{quote(folder.name)}/{name}", markdown_text(self.caption)
        return f"![{text}]({place}.png)\n\n*{text}* ([PDF]({place}.pdf))"


def anchor(text: str) -> str:
    """Name of a heading's anchor, made as Markdown readers make it: lower case, hyphens for spaces."""
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", text.lower()).strip()) or "section"


def markdown_text(text: str) -> str:
    """Text for Markdown on one line, in which nothing is markup: neither Markdown's nor HTML's."""
    line = " ".join(text.split())
    line = re.sub(r"([\\`*\[\]|~$])|(?<!\w)(_)|(_)(?!\w)", r"\\\g<0>", line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"^([#+=-])", r"\\\1", line)
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", line)


def _code(text: str) -> str:
    line = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if "`" in line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _written(value: object) -> str:
    if value is None or np.ma.is_masked(value):
        return "–"
    if isinstance(value, Real) and not isinstance(value, Integral | bool | np.bool_):
        return "–" if np.isnan(float(value)) else f"{float(value):.6g}"
    return str(value)
