"""Writing a preset: the folder that holds a trained network with everything its use depends on.

========================  =====================================================================================
``config.json``           configuration of the network (`racnet_tools.models.NetworkConfig`)
``model.onnx``            the network with its weights for ONNX Runtime, channel weights as further outputs; Keras gets
                          them from there (`racnet_tools.inference.Preset.network`)
``preprocessing.json``    what is done to a spectrum before the network, with the wavelength grid
``labels.json``           task, classes in the order of the outputs, threshold of rejection
``card.md``               what the network is for, what it was trained on, where it fails
``provenance.json``       versions, seed, training data, metrics, checksums of the other files
========================  =====================================================================================
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.spectra import Preprocessing
from racnet_tools.training.onnx_export import export_onnx
from racnet_tools.training.provenance import git_commit, versions
from racnet_tools.training.run_folder import Run, write_json

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["save_preset"]


def save_preset(
    trained: Run | str | Path | Network,
    folder: str | Path,
    *,
    labels: Mapping[str, Any],
    preprocessing: Preprocessing,
    card: str,
    provenance: Mapping[str, Any] | None = None,
    rounded: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a preset folder from a finished run or from a network.

    Parameters
    ----------
    trained : Run, str, Path or network
        A finished run or its folder, or a network made by `racnet_tools.models.build`.
    folder : str or Path
        The folder to make; its parents are made too.
    labels : mapping
        ``task`` (str), ``classes`` (list of str, in the order of the outputs), ``reject_threshold`` (0 to 1), and
        what else belongs to the labels (``subclass_presets``).
    preprocessing : Preprocessing
        What was done to the training spectra.
    card : str
        The model card, Markdown.
    provenance : mapping, optional
        What is known beyond versions, commit, run and checksums, which are added here.
    rounded : bool
        Whether the matrices of fully connected layers are kept in 8 bits (`export_onnx`).
    overwrite : bool
        Whether an existing preset may be replaced. A folder that is no preset is never replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RacnetError
        When the folder exists, or labels or grid do not fit the network.
    """
    folder = Path(folder)
    told: dict[str, Any] = {}
    if isinstance(trained, (str, Path)):
        trained = Run.open(trained)
    if isinstance(trained, Run):
        model = trained.model()
        told = {"run": trained.provenance(), "metrics": trained.metrics}
    else:
        model = trained
    classes = _check(labels, preprocessing, model)
    if folder.exists() and not (overwrite and (folder / "labels.json").is_file()):
        raise RacnetError(
            f"{folder} exists already"
            + (" and is not a preset, so it is not replaced." if overwrite else " and is not overwritten.")
            + " Choose another name"
            + ("." if overwrite else " or pass overwrite=True.")
        )

    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        write_json(beside / "config.json", model.network_config.to_dict())
        export_onnx(model, beside / "model.onnx", rounded=rounded)
        write_json(beside / "preprocessing.json", preprocessing.to_dict())
        write_json(beside / "labels.json", {**labels, "classes": classes})
        (beside / "card.md").write_text(card.rstrip() + "\n", encoding="utf-8")
        checksums = {path.name: sha256(path) for path in sorted(beside.iterdir())}
        write_json(
            beside / "provenance.json",
            {
                **told,
                **(provenance or {}),
                "versions": versions(),
                "git_commit": git_commit(),
                "parameters": model.count_params(),
                "sha256": checksums,
            },
        )
        beside.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=folder.parent))
            folder.replace(old)
            beside.replace(folder)
            shutil.rmtree(old)
        else:
            beside.replace(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _check(labels: Mapping[str, Any], preprocessing: Preprocessing, model: Any) -> list[str]:
    config = model.network_config
    classes, threshold = labels.get("classes"), labels.get("reject_threshold")
    if not isinstance(labels.get("task"), str):
        raise RacnetError(f"labels need a task, a word such as 'class'. Received: {dict(labels)}")
    if isinstance(classes, str) or not isinstance(classes, (list, tuple)) or len(classes) != config.n_classes:
        raise RacnetError(f"labels need the {config.n_classes} classes of the network. Received: classes={classes!r}")
    if len(set(classes)) != len(classes) or not all(isinstance(name, str) and name for name in classes):
        raise RacnetError(f"classes must be different words. Received: classes={classes!r}")
    if not isinstance(threshold, (int, float)) or not 0 <= threshold <= 1:
        raise RacnetError(f"labels need a reject_threshold between 0 and 1. Received: reject_threshold={threshold!r}")
    if preprocessing.grid.n_pixels != config.n_pixels:
        raise RacnetError(
            f"the grid of the preprocessing must have the network's {config.n_pixels} pixels. "
            f"Received: {preprocessing.grid.n_pixels}"
        )
    return list(classes)
