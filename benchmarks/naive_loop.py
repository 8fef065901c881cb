"""What a user would write without the toolkit: astropy for the files, a framework for the networks, batch by batch.

    python benchmarks/naive_loop.py FOLDER CATALOGUE.csv [--framework keras|torch] [--files N]

The same files, networks and results as ``racnet classify``: the class, and of stars the type. Only the trained networks
are taken from the toolkit; for PyTorch their weights are put into the same network written in PyTorch.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

GRID = 10 ** (3.5682 + 1e-4 * np.arange(3909))
BATCH = 128
Predict = Callable[[np.ndarray], np.ndarray]


def spectrum(path: Path) -> np.ndarray:
    """One LAMOST spectrum of DR1 to DR8, on the grid, without gaps, of unit norm."""
    from astropy.io import fits

    with fits.open(path) as hdus:
        header, image = hdus[0].header, hdus[0].data
        wave = 10 ** (header["COEFF0"] + header["COEFF1"] * np.arange(image.shape[1]))
        good = (image[3] == 0) & (image[1] > 0) & (image[0] != 0) & np.isfinite(image[0])
        flux = np.interp(GRID, wave[good], image[0][good])
    return (flux / np.linalg.norm(flux)).astype(np.float32)


def with_keras(name: str) -> tuple[Predict, tuple[str, ...]]:
    from racnet_tools.inference import load_preset

    preset = load_preset(name)
    network = preset.network()
    return lambda flux: np.asarray(network.predict_on_batch(flux)), preset.classes


def with_torch(name: str) -> tuple[Predict, tuple[str, ...]]:
    import torch

    from racnet_tools.inference import load_preset

    preset = load_preset(name)
    forward = torch_network(preset.network())

    def predict(flux: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return forward(torch.from_numpy(flux)).numpy()

    return predict, preset.classes


def torch_network(network):
    """A residual network of the toolkit as a function of PyTorch with the same weights."""
    import torch
    from torch.nn import functional as F

    config = network.network_config
    weights = {
        f"{layer.name}.{variable.name}": torch.from_numpy(np.array(variable))
        for layer in network.layers
        for variable in layer.weights
    }

    def convolution(x, name, stride=1):
        kernel = weights[f"{name}.kernel"].permute(2, 1, 0)
        width = kernel.shape[2]
        added = max((-(-x.shape[2] // stride) - 1) * stride + width - x.shape[2], 0)
        return F.conv1d(F.pad(x, (added // 2, added - added // 2)), kernel, weights[f"{name}.bias"], stride)

    def dense(x, name):
        return x @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]

    def forward(flux):
        x = (flux * config.scale)[:, None, :]
        if config.stem:
            x = F.relu(convolution(x, "stem", config.stem[2]))
        for index in range(1, len(config.filters) + 1):
            block = f"block{index}"
            y = F.relu(convolution(x, f"{block}_conv1"))
            y = F.relu(convolution(y, f"{block}_conv2"))
            y = convolution(F.relu(convolution(y, f"{block}_conv3")), f"{block}_attention_conv")
            summary = torch.cat([y.amax(dim=2), y.mean(dim=2)], dim=1)
            y = y * torch.sigmoid(dense(summary, f"{block}_attention"))[:, :, None]
            shortcut = convolution(x, f"{block}_shortcut") if f"{block}_shortcut.kernel" in weights else x
            x = F.max_pool1d(F.relu(y + shortcut), config.pool_size)
        x = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)
        return F.softmax(dense(F.relu(dense(x, "dense")), "probabilities"), dim=1)

    return forward


def main() -> None:
    """Classify a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("catalogue", type=Path, metavar="CATALOGUE")
    parser.add_argument("--framework", choices=("keras", "torch"), default="keras")
    parser.add_argument("--presets", default="racnet-class,racnet-star", metavar="CLASS,STAR")
    args = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # TensorFlow's own default
    make = {"keras": with_keras, "torch": with_torch}[args.framework]
    (of_class, classes), (of_type, types) = (make(name) for name in args.presets.split(","))
    files = iter(sorted(args.folder.rglob("*.fits.gz")))
    with args.catalogue.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "label", *(f"p_{name}" for name in classes), "subclass"])
        while batch := list(islice(files, BATCH)):
            flux = np.stack([spectrum(path) for path in batch])
            p = of_class(flux)
            label = p.argmax(axis=1)
            stars = np.flatnonzero(label == classes.index("STAR"))
            subclass = [""] * len(batch)
            if len(stars):
                for i, kind in zip(stars, of_type(flux[stars]).argmax(axis=1), strict=True):
                    subclass[i] = types[kind]
            for i, path in enumerate(batch):
                writer.writerow([path, classes[label[i]], *p[i].tolist(), subclass[i]])


if __name__ == "__main__":
    sys.exit(main())
