"""Whether a preset is whole: every file as its checksum says, and a network that classifies.

No TensorFlow is needed: the ONNX graph is what classification uses.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.inference.engine import Engine
from racnet_tools.inference.presets import load_preset

__all__ = ["verify_preset"]


def verify_preset(name: str | Path) -> list[str]:
    """Check a preset.

    Parameters
    ----------
    name : str or Path
        Name of an available preset, or a preset's folder.

    Returns
    -------
    list of str
        What is wrong with it, in words; empty when nothing is.
    """
    try:
        preset = load_preset(name)
        engine = Engine(preset.model_bytes(), threads=1)
    except RacnetError as error:
        return [str(error)]
    problems = []
    for file, stated in preset.provenance["sha256"].items():
        path = preset.folder / file
        if not path.is_file():
            problems.append(f"{file} is missing")
        elif sha256(path) != stated:
            problems.append(f"{file} is not the file that provenance.json states")
    if not preset.card.strip():
        problems.append("it has no model card")
    shape = preset.preprocessing.shape
    if (engine.input_shape, engine.n_classes) != (shape, len(preset.classes)):
        problems.append(
            f"its network takes {engine.input_shape} and gives {engine.n_classes} classes, its preprocessing gives "
            f"{shape} and its labels name {len(preset.classes)}"
        )
        return problems
    flat = np.full((1, *shape), shape[0] ** -0.5, np.float32)
    probabilities = engine.predict(flat)
    if not np.isfinite(probabilities).all() or abs(float(probabilities.sum()) - 1) > 1e-4:
        problems.append("its probabilities of a flat spectrum do not add up to 1")
    return problems
