"""SIGKILL between and inside epochs: repeating the command ends with the same bytes as an undisturbed run."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from racnet_tools.files import sha256

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


def test_killed_after_the_first_checkpoint(tmp_path):
    killed, calm = tmp_path / "killed", tmp_path / "calm"
    process = train(killed, pause=60)
    undisturbed = train(calm, pause=0)
    deadline = time.monotonic() + 200
    while not list(killed.glob("checkpoints/epoch-*.npz")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert not (killed / "finished.json").exists()
    finish(train(killed, pause=0))
    finish(undisturbed)
    assert sha256(killed / "model.weights.h5") == sha256(calm / "model.weights.h5")
    assert (killed / "metrics.json").read_text() == (calm / "metrics.json").read_text()


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path, rng):
    finish(train(tmp_path / "calm", pause=0))
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
        assert sha256(folder / "model.weights.h5") == sha256(tmp_path / "calm" / "model.weights.h5")
