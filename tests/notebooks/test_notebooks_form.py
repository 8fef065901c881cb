"""Notebooks are kept as readers and reviewers need them: without outputs, in one form, on the public API."""

import ast
import importlib
import re

import nbformat
import pytest
from execute_notebooks import HERE, notebooks

ALL = notebooks()
REPRODUCTION = [path for path in ALL if path.parent == HERE]
LESSONS = [path for path in ALL if path.parent != HERE]


def name(path):
    return str(path.relative_to(HERE))


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_all_are_there():
    assert [path.name[:2] for path in REPRODUCTION] == [f"{i:02}" for i in range(1, 11)]
    assert [path.name[:1] for path in LESSONS] == list("123456")


@pytest.mark.parametrize("path", ALL, ids=name)
def test_without_outputs_and_in_one_form(path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"exercise", "tags"}, cell.metadata
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, "clear the outputs before committing"
    assert dict(notebook.metadata) == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }

    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert text == nbformat.writes(notebook) + "\n" * text.endswith("\n")


@pytest.mark.parametrize("path", ALL, ids=name)
def test_says_what_it_is_for_and_what_it_needs(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    for word in ("**Goals**", "**Time**", "**Needs**"):
        assert word in first.source, f"the first cell says nothing of {word}"


@pytest.mark.parametrize("path", ALL, ids=name)
def test_only_the_public_api(path):
    for source in code(nbformat.read(path, as_version=4)):
        for node in ast.walk(ast.parse(source)):
            names = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "racnet_tools":
                names = [(node.module, alias.name) for alias in node.names]
            if isinstance(node, ast.Import):
                names = [(alias.name, None) for alias in node.names if alias.name.startswith("racnet_tools.")]
            for module, imported in names:
                public = importlib.import_module(module)
                assert module == "racnet_tools" or hasattr(public, "__path__") or module == "racnet_tools.resources", (
                    f"{module} is not a public package"
                )
                assert (
                    imported is None
                    or imported in public.__all__
                    or imported in dir(importlib.import_module("racnet_tools"))
                )
                assert not str(imported).startswith("_")
            if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
                pytest.fail(f"{node.attr} is private")


@pytest.mark.parametrize("path", REPRODUCTION, ids=name)
def test_asserts_its_results(path):
    trees = [ast.parse(source) for source in code(nbformat.read(path, as_version=4))]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert len(found) >= 3, "a notebook asserts what it shows"


@pytest.mark.parametrize("path", REPRODUCTION, ids=name)
def test_one_variable_between_teaching_and_the_paper(path):
    source = "\n".join(code(nbformat.read(path, as_version=4)))
    if "SCALE" not in source:
        pytest.skip("trains nothing: there is one scale")
    assert 'SCALE = os.environ.get("RACNET_SCALE", "teaching")' in source
    chosen = re.search(r"^SETTINGS = (\{.*?^\})\[SCALE\]", source, re.S | re.M)
    settings = ast.literal_eval(chosen[1])
    assert set(settings) == {"teaching", "paper"}
    assert set(settings["teaching"]) == set(settings["paper"])
