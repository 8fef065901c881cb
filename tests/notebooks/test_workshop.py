"""Lessons: unsolved, every exercise says "not yet"; with its solution, every one is right."""

import nbformat
import pytest
from execute_notebooks import HERE, execute, executed_copy, notebooks, solutions, solved

LESSONS = [path for path in notebooks() if path.parent != HERE]


def verdicts(executed):
    """Exercise -> whether the check, somewhere below its cell, called it right."""
    found = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain", "")
            if text.startswith(("✓ Exercise ", "✗ Exercise ")):
                found[text.split()[2].rstrip(":")] = (text.startswith("✓"), text)
    return found


def exercises(notebook):
    return [cell.metadata["exercise"] for cell in notebook.cells if "exercise" in cell.metadata]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_form(path):
    notebook = nbformat.read(path, as_version=4)
    numbers = exercises(notebook)
    assert len(numbers) >= 3 and len(set(numbers)) == len(numbers)
    assert set(numbers) == set(solutions(path)), "every exercise has a solution"
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert prose.count("<details>") >= len(numbers), "every exercise has a hint that unfolds"
    unsolved = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert not any(code in unsolved for code in solutions(path).values()), "a solution stands in the lesson"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_unsolved_no_exercise_is_right_and_all_cells_run(path):
    found = verdicts(executed_copy(path))
    assert set(found) == set(exercises(nbformat.read(path, as_version=4)))
    assert [text for right, text in found.values() if right] == []


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_solved_every_exercise_is_right(path):
    found = verdicts(execute(solved(path), path.parent))
    assert set(found) == set(exercises(nbformat.read(path, as_version=4)))
    assert [text for right, text in found.values() if not right] == []
