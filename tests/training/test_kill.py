"""SIGKILL between and inside epochs: repeating the call ends with the same bytes as an undisturbed run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_fit import NETWORK, TRAINING, epochs, two_classes

from racnet_tools.files import sha256
from racnet_tools.training import fit

SCRIPT = """
import sys, time
sys.path.insert(0, sys.argv[2])
from test_fit import NETWORK, TRAINING, epochs, two_classes
from racnet_tools.training import fit
def slowly(epoch):
    time.sleep(float(sys.argv[3]) * (epoch > 0))
    return epochs(epoch)
fit(NETWORK, slowly, sys.argv[1], TRAINING, validation=two_classes(50, 9), progress=False)
"""


def train(folder, pause):
    words = [sys.executable, "-c", SCRIPT, str(folder), str(Path(__file__).parent), str(pause)]
    return subprocess.Popen(words, stderr=subprocess.PIPE)


def finish(process):
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()[-2000:]


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """An undisturbed run, in this process."""
    folder = tmp_path_factory.mktemp("kill") / "calm"
    fit(NETWORK, epochs, folder, TRAINING, validation=two_classes(50, 9), progress=False)
    return folder


def test_killed_after_the_first_checkpoint(calm, tmp_path):
    folder = tmp_path / "killed"
    process = train(folder, pause=600)
    deadline = time.monotonic() + 300
    while not list(folder.glob("checkpoints/epoch-*.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert not (folder / "finished.json").exists()
    fit(NETWORK, epochs, folder, TRAINING, validation=two_classes(50, 9), progress=False)
    assert sha256(folder / "model.weights.h5") == sha256(calm / "model.weights.h5")
    assert (folder / "metrics.json").read_text() == (calm / "metrics.json").read_text()


@pytest.mark.slow
def test_killed_at_any_moment(calm, tmp_path, rng):
    for number in range(3):
        folder = tmp_path / f"killed{number}"
        for _ in range(4):
            process = train(folder, pause=0.3)
            try:
                process.communicate(timeout=rng.uniform(1, 12))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            if (folder / "finished.json").exists():
                break
        else:
            finish(train(folder, pause=0))
        assert sha256(folder / "model.weights.h5") == sha256(calm / "model.weights.h5")
