import importlib.util
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def load(name, path):
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


# Tests ask it what notebooks there are while they are collected.
execute_notebooks = load("execute_notebooks", NOTEBOOKS / "execute.py")


@pytest.fixture
def execute():
    return execute_notebooks


@pytest.fixture
def checks(monkeypatch):
    monkeypatch.syspath_prepend(str(NOTEBOOKS / "workshop"))
    import checks

    return checks
