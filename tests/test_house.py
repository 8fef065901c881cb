"""The project's own promises: consistent metadata, a light import, and documents whose code runs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import racnet_tools
from racnet_tools.errors import RacnetError
from racnet_tools.resources import data_path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", name, maxsplit=1)[0]).lower()


def test_conda_environment_installs_what_pyproject_names():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert f"python{PROJECT['requires-python']}" in conda
    extras = re.search(r"-e \.\[(.+)\]", pip["pip"][0]).group(1).split(",")
    # `gpu` replaces `train`, so it is never installed beside it.
    assert set(extras) == set(PROJECT["optional-dependencies"]) - {"gpu"}
    assert pip["pip"][1] == "--constraint constraints.txt"


def test_every_dependency_is_pinned():
    pinned = {canonical(line) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}
    asked = [*PROJECT["dependencies"]]
    for extra, names in PROJECT["optional-dependencies"].items():
        asked += names if extra != "gpu" else []
    assert {canonical(name) for name in asked} - {"racnet-tools"} <= pinned


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert citation["version"] == changelog[0] == racnet_tools.__version__


def test_import_is_light():
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'plotly', 'specutils', 'onnxruntime', 'astropy'}"
    code = f"import sys, racnet_tools; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", racnet_tools.__all__)
def test_public_names_load(name):
    assert getattr(racnet_tools, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'classifier'"):
        racnet_tools.classifier


def test_missing_data_is_said():
    assert data_path("README.md").is_file()
    with pytest.raises(RacnetError, match="has no presets/none"):
        data_path("presets", "none")


def test_modules_are_short():
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.glob("racnet_tools/**/*.py")
    }
    assert {name: n for name, n in lengths.items() if n > 600} == {}
    assert sum(n > 400 for n in lengths.values()) <= 0.1 * len(lengths)


def test_commands_in_the_readme_exist():
    from racnet_tools.cli import COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`racnet (\w+)", text)) == set(COMMANDS)


def test_figures_show_in_the_notebooks_that_make_opens():
    done = subprocess.run(["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.search(r"^env -u MPLBACKEND \S+python -m jupyterlab", done.stdout, re.M), done.stdout
