"""The same weights give the same probabilities on TensorFlow, JAX and PyTorch, for every network and attention."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest
from network_checks import spectra

from racnet_tools.models import NETWORKS, NetworkConfig, build_from_config, network_config
from racnet_tools.models.residual_config import ATTENTIONS
from racnet_tools.training import save_weights

BACKENDS = ("tensorflow", "jax", "torch")

OTHER = """
import json, sys
import keras
import numpy as np
from racnet_tools.models import NetworkConfig, build_from_config
from racnet_tools.training import load_weights
assert keras.backend.backend() == sys.argv[2], keras.backend.backend()
flux = np.load(f"{sys.argv[1]}/flux.npy")
for name, config in json.load(open(f"{sys.argv[1]}/configs.json")).items():
    model = build_from_config(NetworkConfig.from_dict(config), seed=9)
    load_weights(model, f"{sys.argv[1]}/{name}.weights.h5")
    probe = keras.Model(model.input, [model.output, *(model.get_layer(n).output for n in model.attention_layers())])
    found = [np.asarray(keras.ops.convert_to_numpy(out)) for out in keras.tree.flatten(probe(flux, training=False))]
    expected = np.load(f"{sys.argv[1]}/{name}.npz")
    errors = [float(np.abs(a - expected[f"arr_{k}"]).max()) for k, a in enumerate(found)]
    print(name, errors[0], max(errors[1:], default=0.0))
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every network with random weights, and what it says, from the backend of this process."""
    folder = tmp_path_factory.mktemp("networks")
    flux = spectra(5, 3909)
    np.save(folder / "flux.npy", flux)
    configs = {name: network_config(name, 4) for name in NETWORKS}
    configs |= {f"racnet_{kind}": network_config("racnet", 4, attention=kind) for kind in ATTENTIONS if kind != "paper"}
    (folder / "configs.json").write_text(json.dumps({name: config.to_dict() for name, config in configs.items()}))
    rng = np.random.default_rng(3)
    for name, config in configs.items():
        model = build_from_config(NetworkConfig.from_dict(config.to_dict()), seed=4)
        # Fresh networks are near even probabilities, and saturated ones hide differences: logits of about 1 show them.
        last = model.get_layer("probabilities")
        hidden = keras.ops.convert_to_numpy(keras.Model(model.input, last.input)(flux, training=False))
        kernel = rng.normal(0, 1, (hidden.shape[1], 4))
        kernel /= np.abs((hidden - hidden.mean(axis=0)) @ kernel).max()
        last.set_weights([kernel, -hidden.mean(axis=0) @ kernel])
        save_weights(model, folder / f"{name}.weights.h5")
        outputs = [model.output, *(model.get_layer(n).output for n in model.attention_layers())]
        found = keras.tree.flatten(keras.Model(model.input, outputs)(flux, training=False))
        np.savez(folder / f"{name}.npz", *(np.asarray(keras.ops.convert_to_numpy(out)) for out in found))
        probabilities = np.asarray(keras.ops.convert_to_numpy(found[0]))
        assert 0.1 < np.ptp(probabilities) < 0.95 and probabilities.min() > 0.01, name
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_equal_on_another_backend(backend, written, record_property):
    if backend == keras.backend.backend():
        pytest.skip("the backend of this process")
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(written), backend],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = {line.split()[0]: [float(x) for x in line.split()[1:]] for line in done.stdout.splitlines()}
    assert list(found) == list(json.loads((written / "configs.json").read_text()))
    for name, errors in found.items():
        record_property(f"{name} on {backend}", errors)
        print(f"{keras.backend.backend()} to {backend}: {name} {errors[0]:.1e} {errors[1]:.1e}")
    assert max(max(errors) for errors in found.values()) <= 1e-4, found
