"""Gradients against tf-keras-vis, an independent library, and against Keras' other backends; skipped without them."""

import os
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from racnet_tools.models import build
from racnet_tools.models.gradients import score_gradient

N = 300
TARGET = np.array([0, 1, 2])

OTHER = """
import sys
import keras
import numpy as np
from racnet_tools.models import build
from racnet_tools.models.gradients import score_gradient
assert keras.backend.backend() == sys.argv[2], keras.backend.backend()
given = np.load(f"{sys.argv[1]}/given.npz")
network = build("racnet", n_classes=3, n_pixels=given["flux"].shape[1], seed=9)
network.set_weights([given[f"weight_{k}"] for k in range(len(network.weights))])
score, gradient = score_gradient(network)[0](given["flux"], given["target"])
ask, features = score_gradient(network, "block3_output")
block3 = ask(features(given["flux"]), given["target"])[1]
np.savez(f"{sys.argv[1]}/found.npz", score=score, flux=gradient, block3=block3)
"""


@pytest.fixture(scope="module")
def network():
    return build("racnet", n_classes=3, n_pixels=N, seed=4)


@pytest.fixture(scope="module")
def flux():
    flux = np.random.default_rng(2).normal(1, 0.2, (3, N))
    return (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def linear(network):
    """The same network that ends with its logits, and their log-odds as tf-keras-vis wants them."""
    tf = pytest.importorskip("tensorflow")
    head = network.get_layer("probabilities")
    last = keras.layers.Dense(3, name="logits")
    model = keras.Model(network.inputs[0], last(head.input))
    last.set_weights(head.get_weights())

    def score(logits):
        others = [[logits[i, j] for j in range(3) if j != target] for i, target in enumerate(TARGET)]
        return [logits[i, t] - tf.reduce_logsumexp(tf.stack(others[i])) for i, t in enumerate(TARGET)]

    return model, score


@pytest.mark.filterwarnings("ignore")
def test_gradient_is_that_of_tf_keras_vis(network, flux, linear):
    saliency = pytest.importorskip("tf_keras_vis.saliency")
    model, score = linear
    theirs = np.asarray(saliency.Saliency(model)(score, flux, normalize_map=False, keepdims=True))
    ours = score_gradient(network)[0](flux, TARGET)[1]
    assert np.allclose(np.abs(ours), theirs, rtol=0, atol=1e-5 * theirs.max())  # a saliency is absolute


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", [1, 5, 8])
def test_grad_cam_is_that_of_tf_keras_vis(network, flux, linear, block):
    gradcam = pytest.importorskip("tf_keras_vis.gradcam")
    model, score = linear
    layer = f"block{block}_output"
    plain = {"seek_penultimate_conv_layer": False, "expand_cam": False, "normalize_cam": False}
    theirs = np.asarray(gradcam.Gradcam(model)(score, flux, penultimate_layer=layer, **plain))
    ask, features = score_gradient(network, layer)
    maps = features(flux)
    ours = np.maximum((maps * ask(maps, TARGET)[1].mean(axis=1, keepdims=True)).sum(axis=2), 0)
    assert np.allclose(ours, theirs, rtol=0, atol=1e-5 * theirs.max())


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_backends_give_the_same_gradients(backend, network, flux, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    if backend == keras.backend.backend():
        pytest.skip(f"{backend} is what the others are compared with")
    weights = {f"weight_{k}": value for k, value in enumerate(network.get_weights())}
    np.savez(tmp_path / "given.npz", flux=flux, target=TARGET, **weights)
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", OTHER, str(tmp_path), backend]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = np.load(tmp_path / "found.npz")
    score, gradient = score_gradient(network)[0](flux, TARGET)
    ask, features = score_gradient(network, "block3_output")
    assert np.allclose(found["score"], score, atol=1e-4)
    for name, ours in (("flux", gradient), ("block3", ask(features(flux), TARGET)[1])):
        assert np.allclose(found[name], ours, rtol=0, atol=1e-4 * np.abs(ours).max())
