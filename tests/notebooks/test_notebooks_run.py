"""Every notebook runs top to bottom; the executed copies are what the documentation shows."""

import pytest
from execute_notebooks import HERE, executed_copy, notebooks

REPRODUCTION = [path for path in notebooks() if path.parent == HERE]


@pytest.mark.parametrize("path", REPRODUCTION, ids=lambda path: path.stem)
def test_runs_in_teaching_mode(path, monkeypatch):
    monkeypatch.delenv("RACNET_SCALE", raising=False)
    executed = executed_copy(path)
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code" and cell.source.strip())
    told = [
        output.text for cell in executed.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"
    ]
    assert told == [], "a reader would see warnings"
