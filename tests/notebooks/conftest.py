import pytest
from scripts import ROOT, load_script

# Tests ask it what notebooks there are while they are collected.
execute_notebooks = load_script("notebooks/execute.py", "execute_notebooks")


@pytest.fixture
def execute():
    return execute_notebooks


@pytest.fixture
def checks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "notebooks" / "workshop"))
    import checks

    return checks
