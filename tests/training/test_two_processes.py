"""Two processes that share every batch train the network that one trains alone."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_data import tiny_data

from racnet_tools.models import build
from racnet_tools.training import load_weights

SCRIPT = Path(__file__).parents[2] / "docs" / "howto" / "examples" / "train_on_several_machines.py"
SETTINGS = {"filters": [4, 4, 8], "dense_units": 8, "dropout": 0.0}  # dropout differs between shares

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the strategy is TensorFlow's")


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(data, output, machines, index):
    command = [sys.executable, SCRIPT, data, output, "--machines", ",".join(machines), "--index", index]
    options = ["--settings", json.dumps(SETTINGS), "--epochs", 2, "--batch-size", 16]
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")
    environment = {**os.environ, **threads, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        [str(word) for word in [*command, *options]],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(processes):
    """What each process said of its weights in the end."""
    ended = []
    for process in processes:
        try:
            told, said = process.communicate(timeout=100)
        finally:
            process.kill()
        assert process.returncode == 0, said[-2000:]
        ended.append(told.split()[-1])
    return ended


def weights(path, n_classes):
    model = build("racnet", n_classes, n_pixels=32, **SETTINGS)
    load_weights(model, path)
    return np.concatenate([np.asarray(v).ravel() for v in model.weights])


def test_two_machines_train_what_one_trains(tmp_path):
    data = tiny_data(tmp_path)
    pair = [f"127.0.0.1:{port}" for port in free_ports(2)]
    first, second = finish(
        [start(tmp_path / "data", tmp_path / f"two-{index}.weights.h5", pair, index) for index in (0, 1)]
    )
    assert first == second
    assert not (tmp_path / "two-1.weights.h5").exists()  # the first one writes
    finish([start(tmp_path / "data", tmp_path / "one.weights.h5", pair[:1], 0)])
    n_classes = len(data.classes)
    together, alone = (weights(tmp_path / f"{name}.weights.h5", n_classes) for name in ("two-0", "one"))
    fresh = build("racnet", n_classes, n_pixels=32, **SETTINGS, seed=0)
    before = np.concatenate([np.asarray(v).ravel() for v in fresh.weights])
    assert np.abs(alone - before).max() > 0.01  # it did train
    np.testing.assert_allclose(together, alone, atol=2e-5)
