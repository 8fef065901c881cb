"""The tool that executes notebooks."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


@pytest.fixture
def house(tmp_path, execute, monkeypatch):
    monkeypatch.setattr(execute, "HERE", tmp_path)
    return tmp_path


def write(path, *sources):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)


def test_copies_keep_outputs_and_time_and_the_notebook_none(house, execute):
    write(house / "01.ipynb", "import os, helper\nprint(os.listdir(), helper.X)", "1 / 4")
    (house / "helper.py").write_text("X = 7")
    before = (house / "01.ipynb").read_bytes()
    assert execute.main(["--output", str(house / "out")]) == 0
    copy = nbformat.read(house / "out" / "01.ipynb", as_version=4)
    assert copy.cells[0].outputs[0].text == "[] 7\n"  # an empty folder, and imports from the notebook's own
    assert copy.cells[1].outputs[0].data["text/plain"] == "0.25"
    assert copy.metadata.execution_seconds > 0
    assert (house / "01.ipynb").read_bytes() == before


def test_a_failure_is_told_and_the_others_go_on(house, execute, capsys):
    write(house / "01.ipynb", "assert 1 == 2, 'one is not two'", "print('never')")
    write(house / "02.ipynb", "3")
    assert execute.main(["--output", str(house / "out"), "--jobs", "1"]) == 1
    told = capsys.readouterr()
    assert "01.ipynb: failed" in told.err and "one is not two" in told.err and "02.ipynb: " in told.out
    assert not (house / "out" / "01.ipynb").exists()


def test_missing_are_those_that_say_something_new(house, execute, capsys):
    write(house / "01.ipynb", "1")
    write(house / "02.ipynb", "2")
    execute.main(["--output", str(house / "out")])
    write(house / "02.ipynb", "2 + 2")
    capsys.readouterr()
    assert execute.main(["--output", str(house / "out"), "--missing"]) == 0
    assert capsys.readouterr().out.startswith("02.ipynb")


def test_solutions_fill_their_cells_and_no_others(house, execute):
    lesson = house / "workshop" / "1_x.ipynb"
    lesson.parent.mkdir()
    cells = [new_markdown_cell("a"), new_code_cell("x = ...", metadata={"exercise": "1.1"}), new_code_cell("x")]
    nbformat.write(new_notebook(cells=cells), lesson)
    answers = lesson.parent / "solutions" / "1_x.py"
    answers.parent.mkdir()
    answers.write_text('"""Solutions."""\n\n# %% 1.1 a line\nx = 5\n')
    assert [cell.source for cell in execute.solved(lesson).cells] == ["a", "x = 5", "x"]
    answers.write_text("# %% 1.1\nx = 5\n# %% 1.2\ny = 5\n")
    with pytest.raises(ValueError, match=r"no exercise cell for the solutions 1\.2"):
        execute.solved(lesson)
