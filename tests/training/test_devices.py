"""Devices: what a backend cannot do is said clearly, and two devices train as one does (JAX)."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from test_fit import NETWORK, two_classes

from racnet_tools.errors import RacnetError
from racnet_tools.training import TrainingConfig, fit
from racnet_tools.training.placement import Placement

BACKEND = keras.backend.backend()

SCRIPT = """
import json, sys
sys.path[:0] = sys.argv[2:4]
import jax
assert len(jax.devices()) == 2, jax.devices()
import numpy as np
from test_fit import NETWORK, two_classes
from racnet_tools.errors import RacnetError
from racnet_tools.training import TrainingConfig, fit
training = TrainingConfig(epochs=2, batch_size=16, learning_rate=5e-3, seed=4)
def leave(row):
    raise KeyboardInterrupt
def train(name, device, **more):
    return fit(NETWORK, two_classes(64, 1), sys.argv[1] + name, training, device=device, progress=False,
               validation=two_classes(51, 9), **more)
one, two = train("one", "cpu:0"), train("two", "all")
try:
    train("again", ["cpu:0", "cpu:1"], on_epoch=leave)
except KeyboardInterrupt:
    pass
again = train("again", ["cpu:0", "cpu:1"])
weights = [run.model().get_weights() for run in (one, two, again)]
told = json.loads((two.folder / "provenance.json").read_text())["sessions"][0]
try:
    fit(NETWORK, two_classes(60, 1), sys.argv[1] + "odd", TrainingConfig(epochs=1, batch_size=15), device="all")
except RacnetError as error:
    refused = str(error)
print(json.dumps({
    "largest": max(float(abs(a - b).max()) for a, b in zip(weights[0], weights[1])),
    "resumed": max(float(abs(a - b).max()) for a, b in zip(weights[1], weights[2])),
    "moved": max(float(abs(a).max()) for a in weights[0]),
    "losses": [[row["loss"] for row in run.history] for run in (one, two)],
    "device": told["device"], "backend": told["backend"], "refused": refused,
}))
"""


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_two_devices_train_as_one_does(tmp_path):
    here = Path(__file__).parent
    words = [sys.executable, "-c", SCRIPT, f"{tmp_path}/", here, here.parent]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["largest"] < 1e-4 < found["moved"] and found["resumed"] == 0
    assert np.allclose(*found["losses"], atol=1e-4)
    assert found["device"] == "cpu:0, cpu:1" and found["backend"] == "jax"
    assert "multiple of the 2 devices. Received: 15" in found["refused"]


def test_a_device_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RacnetError, match=r"Expected devices of .*cpu:0.*Received: device='gpu:7'"):
        fit(NETWORK, two_classes(64, 1), tmp_path / "run", TrainingConfig(epochs=1), device="gpu:7", progress=False)
    assert not (tmp_path / "run").exists()
    with pytest.raises(RacnetError, match="each once"):
        Placement(["cpu", "cpu:0"], 16)
    with pytest.raises(RacnetError, match="Expected devices"):
        Placement([], 16)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX can use several devices")
def test_several_devices_need_jax(monkeypatch):
    monkeypatch.setattr("racnet_tools.training.placement._there", lambda: ["gpu:0", "gpu:1", "cpu:0"])
    with pytest.raises(RacnetError, match=rf"2 devices needs the JAX backend.*Received: the {BACKEND} backend"):
        Placement("all", 16)
    assert Placement("gpu:1", 16).names == ("gpu:1",) and Placement(None, 16).names == ()


def test_the_device_by_name_gives_what_the_default_does(tmp_path):
    training = TrainingConfig(epochs=1, batch_size=32, seed=4)
    named = fit(NETWORK, two_classes(64, 1), tmp_path / "a", training, device="cpu", progress=False)
    default = fit(NETWORK, two_classes(64, 1), tmp_path / "b", training, progress=False)
    told = json.loads((named.folder / "provenance.json").read_text())["sessions"][0]
    assert told["device"] == "cpu:0" and told["backend"] == BACKEND
    for a, b in zip(named.model().get_weights(), default.model().get_weights(), strict=True):
        assert np.allclose(a, b, atol=1e-5)
