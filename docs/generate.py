"""Pages of the site that are made of other parts of the project: notebooks, commands, the library, data and models.

They are written below ``docs/generated``, which is not kept.
"""

from __future__ import annotations

import inspect
import os
import re
import shutil
from importlib import import_module
from pathlib import Path

import nbformat

from racnet_tools.cli import COMMANDS, command_parser

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "docs" / "generated"
EXECUTED = ROOT / "build" / "notebooks"

PACKAGES = (
    "readers", "spectra", "archives", "simulate", "datasets", "models", "training", "inference", "evaluate", "explain",
    "plots", "reproduce", "apps", "errors", "resources",
)  # fmt: skip
"""In the order in which data flow; then what all of them use."""


def write_pages() -> None:
    """Write all of them anew."""
    shutil.rmtree(HERE, ignore_errors=True)
    _notebooks("notebooks", ROOT / "notebooks")
    _notebooks("workshop", ROOT / "notebooks" / "workshop")
    _write("commands.md", _commands())
    for package in PACKAGES:
        _write(f"api/{package}.md", _package(package))
    _page(ROOT / "data" / "README.md", "data.md")
    for card in sorted(ROOT.glob("data/presets/*/card.md")):
        _page(card, f"models/{card.parent.name}.md")
    _page(ROOT / "CHANGELOG.md", "changelog.md")
    _page(ROOT / "CONTRIBUTING.md", "contributing.md")


def _write(name: str, text: str) -> None:
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _page(source: Path, name: str, more: str = "") -> None:
    """A text of the project as a page of the site."""
    _write(name, _relinked(source.read_text(encoding="utf-8"), source, HERE / name) + more)


def _relinked(text: str, source: Path, page: Path) -> str:
    """Text of one file as it has to stand in another: links lead to pages of the site, or are written as file names."""

    def link(found: re.Match) -> str:
        image, words, target = found.groups()
        name, _, anchor = target.partition("#")
        file = (source.parent / name).resolve()
        where = _where(file)
        if where is None:
            return words if words.strip("`") == target else f"{words} (`{file.relative_to(ROOT)}`)"
        relative = os.path.relpath(where, page.parent)
        return f"{image}[{words}]({relative}{'#' * bool(anchor)}{anchor})"

    return re.sub(r"(!?)\[([^\]]+)\]\((?!https?:|#|mailto:)([^)\s]+)\)", link, text)


def _where(file: Path) -> Path | None:
    """Where the site has a file of the project."""
    notebooks = ROOT / "notebooks"
    if file.is_relative_to(ROOT / "docs"):
        return file if file.exists() else None
    if file == notebooks / "workshop" / "README.md":
        return HERE / "workshop.md"
    if file.suffix == ".ipynb" and (EXECUTED / file.relative_to(notebooks)).exists():
        return (HERE if file.parent != notebooks else HERE / "notebooks") / file.relative_to(notebooks)
    return None


def _notebooks(folder: str, source: Path) -> None:
    """Executed notebooks, and a page that tells what they are for and how long they took."""
    executed = sorted((EXECUTED / source.relative_to(ROOT / "notebooks")).glob("*.ipynb"))
    (HERE / folder).mkdir(parents=True)
    rows, names = ["", "", "| notebook | goals | took |", "|---|---|---|"], []
    for path in executed:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _relinked(cell.source, source / path.name, HERE / folder / path.name)
        nbformat.write(notebook, HERE / folder / path.name)
        first = notebook.cells[0].source
        goals = re.search(r"\*\*Goals\*\*:? *(.*?)(?:\n\n|$)", first, re.S)
        told = " ".join(goals[1].split()) if goals else ""
        title = first.splitlines()[0].removeprefix("# ")
        rows.append(f"| [{title}]({folder}/{path.name}) | {told} | {notebook.metadata.execution_seconds:.0f} s |")
        names.append(f"{folder}/{path.stem}")
    if (source / "instructor_guide.md").exists():
        _page(source / "instructor_guide.md", f"{folder}/instructor_guide.md")
        names.append(f"{folder}/instructor_guide")
    toc = "\n".join(names)
    _page(source / "README.md", f"{folder}.md", "\n".join(rows) + f"\n\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n")


def _commands() -> str:
    """Each command's own help."""
    text = ["# Commands", "", "What `racnet COMMAND --help` prints. Exit status: 0 all done, 2 wrong usage, 3 finished"]
    text += ["but some inputs were refused (they are listed with reasons beside the output), 1 otherwise.", ""]
    for name, line in COMMANDS.items():
        text += [f"## racnet {name}", "", line[0].upper() + line[1:] + "."]
        text += ["", "```text", command_parser(name).format_help(), "```", ""]
    return "\n".join(text)


def _package(name: str) -> str:
    """A package of the library: what its docstring says, then every public name."""
    module = import_module(f"racnet_tools.{name}")
    lines = [
        f"# racnet_tools.{name}",
        "",
        "```{eval-rst}",
        f".. automodule:: racnet_tools.{name}",
        "   :no-members:",
        "",
    ]
    for public in module.__all__:
        value = getattr(module, public)
        if inspect.isclass(value):
            lines += [f".. autoclass:: racnet_tools.{name}.{public}", "   :members:", ""]
        elif callable(value):
            lines += [f".. autofunction:: racnet_tools.{name}.{public}", ""]
        else:
            held = ", ".join(map(str, value)) if isinstance(value, dict | tuple) else str(value)
            lines += [f".. py:data:: racnet_tools.{name}.{public}", "", f"   {held}", ""]
    return "\n".join([*lines, "```", ""])
