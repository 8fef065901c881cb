"""Every code block of the documents is executed; commands that cannot be are at least valid ones.

``python`` blocks of a page run in one namespace, ``bash`` blocks in one folder. ``console`` blocks hold what takes
hours, a server, the network or another machine: their `racnet` lines go through the commands' own parsers.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from racnet_tools.cli import command_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("docs/howto/*.md"),
    *ROOT.glob("notebooks/**/*.md"),
]
EXECUTED, PARSED, SHOWN = {"python", "bash"}, {"console"}, {"text", "nginx"}
DIRECTIVES = {"{toctree}", "{include} ../README.md"}


def blocks(page, *languages):
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    return [token.content for token in tokens if token.type == "fence" and token.info.strip() in languages]


def having(*languages):
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if blocks(page, *languages)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_block_escapes(page):
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    found = {token.info.strip() for token in tokens if token.type == "fence"}
    assert found <= EXECUTED | PARSED | SHOWN | DIRECTIVES


@pytest.mark.parametrize("page", having("python"))
def test_python_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", having("bash"))
def test_bash_runs(page, tmp_path):
    binaries = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(page, "bash"):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", having("console"))
def test_commands_that_are_not_run_are_valid(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for line in "\n".join(blocks(page, "console")).splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        if words[:1] == ["racnet"]:
            command_parser(words[1]).parse_args(words[2:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "generated/" not in target:
            assert (page.parent / target).exists(), target


def test_the_page_on_installing_names_every_extra():
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    text = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.M) == list(extras)
