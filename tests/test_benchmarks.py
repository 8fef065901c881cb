"""The benchmarks' own arithmetic, and that PyTorch's network there is the network."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def found_there(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))


def test_turns_begin_with_another_way_each_and_medians_are_taken(tmp_path):
    from interleaved import Cost, median, spread, take_turns, write_json

    called = []
    costs = {"a": iter([1.0, 3.0, 2.0]), "b": iter([10.0, 10.0, 13.0])}

    def way(name):
        def run():
            called.append(name)
            return Cost(wall=0.0, cpu=next(costs[name]))

        return run

    found = take_turns({"a": way("a"), "b": way("b")}, 3)
    assert "".join(called) == "abbaab"
    assert (median(found["a"]), median(found["b"])) == (2.0, 10.0)
    assert spread(found["a"]) == pytest.approx(0.5)
    write_json(tmp_path / "n.json", "one", {"x": 1})
    write_json(tmp_path / "n.json", "two", [2])
    held = json.loads((tmp_path / "n.json").read_text())
    assert (held["one"], held["two"]) == ({"x": 1}, [2])


def test_a_process_is_measured_with_its_children():
    from interleaved import ran

    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(9000000))'])"
    alone, with_child = ran([sys.executable, "-c", "pass"]), ran([sys.executable, "-c", child])
    assert with_child.cpu > alone.cpu + 0.05
    with pytest.raises(RuntimeError, match="no such thing"):
        ran([sys.executable, "-c", "raise SystemExit('no such thing')"])


@pytest.mark.parametrize("name", ["racnet-class", "racmini-star"])
def test_the_same_network_in_pytorch(name):
    pytest.importorskip("torch", reason="PyTorch is no dependency; it is compared with where it is installed")
    import torch
    from naive_loop import torch_network

    from racnet_tools.inference import Engine, load_preset

    preset = load_preset(name)
    x = np.random.default_rng(0).normal(1, 0.2, (4, 3909)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    with torch.inference_mode():
        found = torch_network(preset.network())(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, Engine(preset.model_bytes()).predict(x), atol=1e-5)
