"""What every network must pass: one helper, so that a new network is tested by one call.

`check_network` looks at one configuration in this process, `check_files` at what it writes, in a fresh one.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import onnxruntime
import pytest
from keras import ops

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Engine, with_outputs
from racnet_tools.models import NetworkConfig, build_from_config, predict
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet
from racnet_tools.training import export_onnx, load_onnx_weights, load_weights, save_weights

FRESH = """
import json, sys
import numpy as np
import onnxruntime
from racnet_tools.models import NetworkConfig, build_from_config
from racnet_tools.training import load_weights
folder = sys.argv[1]
model = build_from_config(NetworkConfig.from_dict(json.load(open(f"{folder}/config.json"))), seed=99)
load_weights(model, f"{folder}/model.weights.h5")
stored = np.load(f"{folder}/expected.npz")
import keras
probe = keras.Model(model.input, [model.output, *(model.get_layer(n).output for n in model.attention_layers())])
found = [np.asarray(output) for output in keras.tree.flatten(probe(stored["flux"], training=False))]
session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
exported = session.run(None, {"flux": stored["flux"]})
assert len(found) == len(exported), (len(found), len(exported))
print("weights", np.abs(found[0] - stored["probabilities"]).max())
print("probabilities", np.abs(found[0] - exported[0]).max())
print("attention", max([np.abs(a - b).max() for a, b in zip(found[1:], exported[1:])], default=0.0))
again = keras.saving.deserialize_keras_object(json.load(open(f"{folder}/keras.json")))
assert again.network_config == model.network_config
"""


def spectra(n, n_pixels, seed=0):
    """Unit-norm spectra with a continuum, noise and a line: (n, n_pixels) float32."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(-1, 1, n_pixels)
    flux = 1 + 0.3 * rng.standard_normal((n, 1)) * ramp + 0.1 * rng.standard_normal((n, n_pixels))
    flux[:, n_pixels // 3] += rng.uniform(-0.5, 0.5, n)
    return (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)


def check_network(config: NetworkConfig, parameters: int) -> None:
    """Check counts, shapes, names, gradients and one training step."""
    model = build_from_config(config, seed=5)
    flux = spectra(4, config.n_pixels)

    # The number of weights, and the same weights from the same seed
    assert model.count_params() == parameters
    twin = build_from_config(config, seed=5)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))

    # Symbolic and eager shapes agree; probabilities are probabilities
    assert model.compute_output_shape((None, config.n_pixels)) == (None, config.n_classes)
    eager = np.asarray(model(flux, training=False))
    assert eager.shape == (4, config.n_classes) and np.allclose(eager.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(model.predict_on_batch(flux), eager, atol=1e-6)

    # Every layer has a name of its own that says what it is, not one that Keras counted
    names = [layer.name for layer in model.layers]
    counted = re.compile(r"(conv1d|dense|dropout|re_lu|multiply|add|reshape|flatten|max_pooling1d)_\d+")
    assert len(set(names)) == len(names) and not [name for name in names if counted.fullmatch(name)], names
    for kind in ("attention", "position"):
        probed = [model.get_layer(name).output.shape for name in getattr(model, f"{kind}_layers")()]
        wide = [(None, f) if kind == "attention" else (None, n, 1) for f, n in attended(config, kind)]
        assert probed == wide

    # The operations that the configuration counts are those of the layers' matrices and filters
    assert config.multiply_adds() == counted_multiply_adds(model)

    # Bad pixels: refused where nothing has masked them, filled where something has
    spoilt = flux.copy()
    spoilt[2, config.n_pixels // 2] = np.nan
    with pytest.raises(RacnetError, match="1 of 4 spectra have pixels that are not finite, the first at index 2"):
        predict(model, spoilt)
    if config.n_pixels == LAMOST_GRID.n_pixels:
        mask = ~np.isfinite(spoilt)
        masked = SpectrumSet(LAMOST_GRID.wave, np.where(mask, 0, spoilt), np.where(mask, 0.0, 1.0), mask)
        assert np.isfinite(predict(model, Preprocessing()(masked))).all()

    # One training step moves every weight and stays finite
    before = model.get_weights()
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", run_eagerly=True)
    loss = model.train_on_batch(flux, np.arange(4) % config.n_classes)
    assert np.isfinite(loss)
    for old, weight in zip(before, model.weights, strict=True):
        assert not np.array_equal(old, ops.convert_to_numpy(weight)), f"{weight.path} got no gradient"


def attended(config: NetworkConfig, kind: str) -> list[tuple[int, int]]:
    """Channels and length of every block that has channel weights, or position weights."""
    has = {"attention": ("paper", "se", "eca", "cbam"), "position": ("cbam",)}[kind]
    if getattr(config, "attention", "none") not in has:
        return []
    return list(zip(config.filters, [config.n_pixels, *config.lengths], strict=False))


def counted_multiply_adds(model: keras.Model) -> int:
    """Multiplications with addition, from the shapes of the layers that were built."""
    total = 0
    for layer in model.layers:
        kernels = [int(np.prod(w.shape)) for w in layer.weights if len(w.shape) > 1]
        if isinstance(layer, keras.layers.Conv1D):
            total += kernels[0] * layer.output.shape[1]
        elif layer.name.endswith("_position"):
            total += kernels[0] * layer.input.shape[1]
        elif layer.name.endswith("_attention") and type(layer).__name__ == "EfficientChannelAttention":
            total += kernels[0] * layer.input.shape[2]
        else:  # CBAM's two matrices are used twice
            total += sum(kernels) * (2 if type(layer).__name__ == "ConvolutionalChannelAttention" else 1)
    return total


def check_files(config: NetworkConfig, tmp_path: Path) -> None:
    """Check that configuration, weights and ONNX give the same network in another process."""
    model = build_from_config(config, seed=5)
    flux = spectra(4, config.n_pixels)

    # Configuration, weights and ONNX in a fresh process, where nothing is registered by hand
    save_weights(model, tmp_path / "model.weights.h5")
    other = build_from_config(config, seed=6)
    load_weights(other, tmp_path / "model.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights(), strict=True))
    export_onnx(model, tmp_path / "model.onnx")
    export_onnx(other, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "model.onnx").read_bytes()
    third = build_from_config(config, seed=7)
    load_onnx_weights(third, (tmp_path / "model.onnx").read_bytes(), tmp_path / "model.onnx")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), third.get_weights(), strict=True))
    (tmp_path / "config.json").write_text(json.dumps(config.to_dict()))
    (tmp_path / "keras.json").write_text(json.dumps(keras.saving.serialize_keras_object(other)))
    np.savez(tmp_path / "expected.npz", flux=flux, probabilities=np.asarray(model(flux, training=False)))
    done = subprocess.run([sys.executable, "-c", FRESH, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    errors = dict(line.split() for line in done.stdout.splitlines())
    assert set(errors) == {"weights", "probabilities", "attention"}
    assert all(float(error) <= 1e-5 for error in errors.values()), errors

    # ONNX: names, a free number of spectra, and size
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    channels = [filters for filters, _ in attended(config, "attention")]
    names = ["probabilities", *(f"attention_{index}" for index in range(1, len(channels) + 1))]
    assert [out.name for out in session.get_outputs()] == names
    assert [(put.name, put.shape[1:]) for put in session.get_inputs()] == [("flux", [config.n_pixels])]
    for n in (1, 3):
        shapes = [out.shape for out in session.run(None, {"flux": flux[:n]})]
        assert shapes == [(n, config.n_classes), *((n, filters) for filters in channels)]
    check_inside(model, (tmp_path / "model.onnx").read_bytes(), flux)
    assert (tmp_path / "model.onnx").stat().st_size < 4.05 * model.count_params() + 60_000


def check_inside(model: keras.Model, graph: bytes, flux: np.ndarray) -> None:
    """Check that every layer whose features have pixels can be asked for by its name in ONNX, with Keras' numbers."""
    layers = [layer for layer in model.layers if len(layer.output.shape) == 3 and "_repeat" not in layer.name]
    names = [layer.name for layer in layers]
    engine = Engine(with_outputs(graph, names))
    everything = keras.Model(model.input, [layer.output for layer in layers])(flux) if layers else []
    everything = everything if isinstance(everything, list) else [everything]  # Keras gives one output as it is
    for name, found, kept in zip(names, engine.run(flux, names), everything, strict=True):
        expected = np.asarray(kept).transpose(0, 2, 1)
        assert found.shape == expected.shape
        assert np.allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max())), name
