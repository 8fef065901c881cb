"""Files that set a workshop up: as far as they can be tried without Binder and a hub."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
HUB = ROOT / "notebooks" / "workshop" / "setup" / "jupyterhub_config.py"


def test_binder_installs_what_there_is():
    build = ROOT / ".binder" / "postBuild"
    assert os.access(build, os.X_OK)
    subprocess.run(["bash", "-n", build], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.search(r"'\.\[([\w,]+)\]'", build.read_text())[1].split(",")
    assert set(extras) <= set(project["optional-dependencies"])
    assert (ROOT / "constraints.txt").exists() and "--constraint constraints.txt" in build.read_text()
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip() in ("python-3.11", "python-3.12", "python-3.13")


def load(monkeypatch, folder):
    from traitlets.config.loader import PyFileConfigLoader

    monkeypatch.setenv("RACNET_WORKSHOP_PASSWORD", "correct horse")
    monkeypatch.setenv("RACNET_WORKSHOP_FOLDER", str(folder))
    return PyFileConfigLoader(HUB.name, path=str(HUB.parent)).load_config()


def test_the_hub_needs_a_password(monkeypatch, tmp_path):
    from traitlets.config.loader import PyFileConfigLoader

    monkeypatch.setenv("RACNET_WORKSHOP_PASSWORD", "short")
    with pytest.raises(SystemExit, match="RACNET_WORKSHOP_PASSWORD"):
        PyFileConfigLoader(HUB.name, path=str(HUB.parent)).load_config()


def test_everybody_gets_notebooks_without_solutions_and_keeps_what_they_wrote(monkeypatch, tmp_path):
    config = load(monkeypatch, tmp_path)
    hook = config.Spawner.pre_spawn_hook
    anna = SimpleNamespace(user=SimpleNamespace(name="anna"), notebook_dir="")
    hook(anna)
    assert anna.notebook_dir == str(tmp_path / "anna")
    lesson = tmp_path / "anna" / config.Spawner.default_url.removeprefix("/lab/tree/")
    assert lesson.exists() and (lesson.parent / "checks" / "verdict.py").exists()
    assert not (lesson.parent / "solutions").exists() and not (lesson.parent / "setup").exists()
    lesson.write_text("mine")
    hook(anna)
    assert lesson.read_text() == "mine"
    for name in ("../ben", "", "a/b", "x" * 40):
        with pytest.raises(ValueError, match="Expected a name"):
            hook(SimpleNamespace(user=SimpleNamespace(name=name), notebook_dir=""))


def test_the_hub_knows_every_setting(monkeypatch, tmp_path):
    apps = pytest.importorskip("jupyterhub.app", reason="jupyterhub is not installed")
    from jupyterhub.auth import Authenticator, DummyAuthenticator
    from jupyterhub.spawner import SimpleLocalProcessSpawner

    config = load(monkeypatch, tmp_path)
    classes = {
        "JupyterHub": apps.JupyterHub,
        "Authenticator": Authenticator,
        "DummyAuthenticator": DummyAuthenticator,
        "Spawner": SimpleLocalProcessSpawner,
        "SimpleLocalProcessSpawner": SimpleLocalProcessSpawner,
    }
    for section, settings in config.items():
        assert set(settings) <= set(classes[section].class_trait_names()), section
