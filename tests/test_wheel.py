"""The wheel works alone: built, installed without extras in a clean environment elsewhere, and used there."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_wheel_classifies_in_a_clean_environment_outside_the_checkout(tmp_path):
    home = tmp_path / "a folder with a space"
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def run(*command):
        done = subprocess.run([*map(str, command)], cwd=home, env=clean, capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "build", "--wheel", "--outdir", home, ROOT)
    (wheel,) = home.glob("*.whl")
    run(sys.executable, "-m", "venv", home / "env")
    python = home / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    assert "tensorflow" not in run(python, "-m", "pip", "list").lower()
    where = "import racnet_tools.resources as r; print(r.data_path('samples'))"
    samples = Path(run(python, "-c", where).strip())
    assert samples.is_relative_to(home)
    run(home / "env" / "bin" / "racnet", "classify", samples, "--output", home / "classes.csv")
    with (home / "classes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(list(samples.glob("*.fits*")))
    assert {row["label"] for row in rows} <= {"STAR", "GALAXY", "QSO"}
