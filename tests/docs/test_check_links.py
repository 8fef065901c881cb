"""The checker of the site's links finds what it is for."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "check_links.py"


@pytest.fixture
def check_links():
    spec = importlib.util.spec_from_file_location("check_links", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_faults(tmp_path, check_links):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<a href="sub/b.html#here">b</a> <a href="https://example.org/x">x</a> <p id="top">'
    )
    (tmp_path / "sub" / "b.html").write_text(
        '<h1 id="here">b</h1><a href="../a.html#top">a</a><a href="#here">self</a>'
    )
    assert check_links.faults(tmp_path) == []
    (tmp_path / "c.html").write_text(
        '<a href="no.html">1</a><a href="sub/b.html#no">2</a><img src="no.png"><script src="https://cdn.example.org/x.js">'
    )
    assert check_links.faults(tmp_path) == [
        "c.html: no.html leads nowhere",
        "c.html: sub/b.html#no names no place on that page",
        "c.html: no.png leads nowhere",
        "c.html loads https://cdn.example.org/x.js",
    ]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert check_links.faults(empty) == [f"{empty} holds no page"]
