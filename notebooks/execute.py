"""Execute notebooks as a reader would, top to bottom, and keep the executed copies for the documentation.

    python notebooks/execute.py [--output build/notebooks] [--jobs 2] [--missing] [NAME...]

Each notebook runs in a fresh kernel and an empty folder, in teaching mode unless RACNET_SCALE says otherwise. Its copy
with outputs says how long it took (``metadata.execution_seconds``). A cell that fails stops its notebook, is told with
its error, and the exit status is 1; the other notebooks go on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "notebooks"
LIMIT = 300 if os.environ.get("RACNET_SCALE", "teaching") == "teaching" else None
"""Seconds that a cell may take in teaching mode, in which a whole notebook is to take less on a quiet machine."""

SOLUTION = "# %% "


def notebooks() -> list[Path]:
    """All notebooks, the reproduction first, in their order."""
    return [*sorted(HERE.glob("*.ipynb")), *sorted(HERE.glob("workshop/*.ipynb"))]


def solutions(lesson: Path) -> dict[str, str]:
    """Solutions of a lesson: exercise -> code, from the sections ``# %% 1.2`` of its file in ``solutions/``."""
    text = (lesson.parent / "solutions" / f"{lesson.stem}.py").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith(SOLUTION):
            current = found.setdefault(line.removeprefix(SOLUTION).split()[0], [])
        elif found:
            current.append(line)
    return {exercise: "\n".join(lines).strip() for exercise, lines in found.items()}


def solved(lesson: Path) -> nbformat.NotebookNode:
    """A lesson whose exercise cells hold the solutions."""
    notebook, known = nbformat.read(lesson, as_version=4), solutions(lesson)
    for cell in notebook.cells:
        exercise = cell.metadata.get("exercise")
        if exercise:
            cell.source = known.pop(exercise)
    if known:
        raise ValueError(f"{lesson.name} has no exercise cell for the solutions {', '.join(known)}")
    return notebook


def execute(notebook: nbformat.NotebookNode, imports: Path) -> nbformat.NotebookNode:
    """Execute a notebook in place, in a fresh kernel and an empty folder.

    Parameters
    ----------
    notebook : NotebookNode
    imports : Path
        Folder of the notebook, from which it may import.

    Raises
    ------
    CellExecutionError
        When a cell fails.
    """
    settings = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    settings.update(PYTHONPATH=str(imports), TF_CPP_MIN_LOG_LEVEL="3")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=LIMIT, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(env=settings)
    notebook.metadata["execution_seconds"] = round(time.monotonic() - started, 1)
    _as_shown(notebook)
    return notebook


def executed_copy(path: Path, output: Path = BUILD) -> nbformat.NotebookNode:
    """Execute a notebook and keep the copy with its outputs."""
    notebook = execute(nbformat.read(path, as_version=4), path.parent)
    kept = _copy(path, output)
    kept.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, kept)
    return notebook


def is_missing(path: Path, output: Path = BUILD) -> bool:
    """Whether there is no executed copy of what a notebook says now."""
    kept = _copy(path, output)
    if not kept.exists():
        return True
    now, then = (nbformat.read(file, as_version=4) for file in (path, kept))
    return [cell.source for cell in now.cells] != [cell.source for cell in then.cells]


def _copy(path: Path, output: Path) -> Path:
    return output / path.resolve().relative_to(HERE)


def _as_shown(notebook: Any) -> None:
    """Drop what shows only in a live notebook, such as progress bars, and TensorFlow's notices when it starts."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not (_is_widget(output) or _is_notice(output))]


def _is_widget(output: Any) -> bool:
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _is_notice(output: Any) -> bool:
    notices = ("WARNING: All log messages before absl::InitializeLog()", "I0000 ")
    return output.get("name") == "stderr" and all(line.startswith(notices) for line in output.text.splitlines())


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="notebooks, such as 03 or workshop/2 (default: all)")
    parser.add_argument("--output", type=Path, default=BUILD, help="folder of the executed copies")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default: 2)")
    parser.add_argument("--missing", action="store_true", help="only those without a copy of their present text")
    options = parser.parse_args(arguments)
    wanted = [
        path
        for path in notebooks()
        if not options.names or any(str(path.relative_to(HERE)).startswith(name) for name in options.names)
    ]
    if not wanted:
        parser.error(f"no notebook begins with {' or '.join(options.names)}")
    if options.missing:
        wanted = [path for path in wanted if is_missing(path, options.output)]

    def one(path: Path) -> bool:
        name = path.relative_to(HERE)
        try:
            seconds = executed_copy(path, options.output).metadata["execution_seconds"]
        except CellExecutionError as error:
            print(f"{name}: failed\n{error}", file=sys.stderr, flush=True)
            return False
        print(f"{name}: {seconds:.0f} s", flush=True)
        return True

    with ThreadPoolExecutor(options.jobs) as pool:
        return 0 if all(list(pool.map(one, wanted))) else 1


if __name__ == "__main__":
    sys.exit(main())
