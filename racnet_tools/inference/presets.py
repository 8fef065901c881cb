"""Presets: folders that keep a network's weights together with its preprocessing, labels and origin.

A preset's folder holds ``config.json``, ``model.onnx``, ``preprocessing.json``, ``labels.json``, ``card.md`` and
``provenance.json``. The ONNX graph is refused when its SHA-256 differs from the one in ``provenance.json``. Nothing in
a preset is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.errors import RacnetError
from racnet_tools.models.config import NetworkConfig
from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.quality import Limits
from racnet_tools.resources import data_path
from racnet_tools.spectra.preprocess import Preprocessing

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["Preset", "available_presets", "load_preset", "preset_folders"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_JSON_FILES = ("config.json", "preprocessing.json", "labels.json", "provenance.json")


@dataclass(frozen=True)
class Preset:
    """A trained network as it lies in a folder, checked.

    Attributes
    ----------
    folder : Path
    task : str
        What is told apart: "class" or "stellar_type".
    classes : tuple of str
        In the order of the network's outputs.
    reject_threshold : float
        A spectrum whose `ood_score` is above it is rejected.
    children : dict of str to str
        Class to the name of the preset that gives its subclass.
    preprocessing : Preprocessing
    joint : JointConfig or None
        Configuration of a network that gives subtypes and redshifts too.
    limits : Limits or None
        What such a preset knows of its limits.
    config, provenance : dict
        The network's configuration and where the weights came from.
    card : str
        Description for people, in Markdown.
    sha256 : str
        Of ``model.onnx``, as ``provenance.json`` states it.
    """

    folder: Path
    task: str
    classes: tuple[str, ...]
    reject_threshold: float
    children: Mapping[str, str]
    preprocessing: Preprocessing
    joint: JointConfig | None
    limits: Limits | None
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]
    card: str
    sha256: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def model_bytes(self) -> bytes:
        """The ONNX graph.

        Raises
        ------
        RacnetError
            If its checksum is not the stated one.
        """
        data = (self.folder / "model.onnx").read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise RacnetError(
                f"Preset {self.folder}: expected model.onnx with SHA-256 {self.sha256} (provenance.json); found "
                f"{found}. The file was damaged or changed: install the preset again."
            )
        return data

    def class_bytes(self) -> bytes:
        """The ONNX graph of classes and attention alone: without subtype and redshift, which take memory."""
        if self.joint is None:
            return self.model_bytes()
        from racnet_tools.inference.graph import without_outputs

        return without_outputs(self.model_bytes(), ("subtype", "redshift"))

    def network(self, model: bytes | None = None) -> Network:
        """The Keras network with its weights, to train on or for gradients; needs the extra `train`.

        Parameters
        ----------
        model : bytes, optional
            ONNX graph of the same network with other weights; the preset's own by default.

        Raises
        ------
        RacnetError
            If a file of the preset is damaged.
        """
        from racnet_tools.models import NetworkConfig, build_from_config
        from racnet_tools.training import load_onnx_weights

        network = build_from_config(NetworkConfig.from_dict(dict(self.config)))
        load_onnx_weights(network, self.model_bytes() if model is None else model, self.folder / "model.onnx")
        return network

    def child(self, label: str) -> Preset | None:
        """The preset that gives the subclass of `label`, from beside this one or from the known ones; None if none."""
        if label not in self.children:
            return None
        name = self.children[label]
        beside = self.folder.parent / name
        preset = _load_folder(beside) if beside.is_dir() else load_preset(name)
        if preset.preprocessing.grid != self.preprocessing.grid:
            raise RacnetError(f"Presets {self.name} and {name} must share a grid to be used together; they do not.")
        return preset


def preset_folders() -> list[Path]:
    """Where presets are looked for by name: the shipped ones, then ``$RACNET_PRESETS`` or ``~/.local/share/racnet``."""
    try:
        shipped = [data_path("presets")]
    except RacnetError:  # none shipped; a user's own can still be used
        shipped = []
    own = os.environ.get("RACNET_PRESETS")
    return [*shipped, Path(own) if own else Path.home() / ".local" / "share" / "racnet"]


def available_presets() -> dict[str, Path]:
    """Names of the presets found in `preset_folders`, with their folders; of two of a name the first counts."""
    found: dict[str, Path] = {}
    for root in preset_folders():
        if root.is_dir():
            for folder in sorted(root.iterdir()):
                if (folder / "labels.json").is_file() and _NAME.fullmatch(folder.name):
                    found.setdefault(folder.name, folder)
    return found


def load_preset(name: str | Path) -> Preset:
    """Find a preset and check it.

    Parameters
    ----------
    name : str or Path
        Name of an available preset, or a preset's folder.

    Returns
    -------
    Preset

    Raises
    ------
    RacnetError
        If there is none of that name, or a file in its folder is missing or says something that is not understood.
    """
    known = available_presets()
    if str(name) in known:
        return _load_folder(known[str(name)])
    if Path(name).is_dir():
        return _load_folder(Path(name).absolute())
    raise RacnetError(
        f"Expected the name of a preset ({', '.join(known) or 'none is installed'}) or a preset's folder. "
        f"Received: {str(name)!r}."
    )


def _load_folder(folder: Path) -> Preset:
    content = {name: _read_json(folder / name) for name in _JSON_FILES}
    labels, provenance = content["labels.json"], content["provenance.json"]
    if not (folder / "model.onnx").is_file():
        raise RacnetError(f"Preset {folder}: expected a file model.onnx; found none.")
    classes = labels.get("classes")
    if not (isinstance(classes, list) and len(classes) > 1 and len({*map(str, classes)}) == len(classes)):
        raise _wrong(folder, "labels.json", '"classes": a list of two or more different names', classes)
    threshold = labels.get("reject_threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise _wrong(folder, "labels.json", '"reject_threshold": a number from 0 to 1', threshold)
    children = labels.get("subclass_presets") or {}
    if not isinstance(children, dict) or not all(
        label in classes and isinstance(child, str) and _NAME.fullmatch(child) for label, child in children.items()
    ):
        raise _wrong(folder, "labels.json", '"subclass_presets": class to the name of a preset', children)
    stated_sums = provenance.get("sha256")
    sums = stated_sums if isinstance(stated_sums, dict) else {}
    checksum = sums.get("model.onnx")
    if not (isinstance(checksum, str) and re.fullmatch(r"[0-9a-f]{64}", checksum)):
        raise _wrong(folder, "provenance.json", '"sha256": {"model.onnx": 64 hexadecimal digits}', stated_sums)
    for name, stated in sums.items():  # labels and preprocessing must be those of the weights
        if name in _JSON_FILES and hashlib.sha256((folder / name).read_bytes()).hexdigest() != stated:
            raise RacnetError(
                f"Preset {folder}: {name} is not the file that provenance.json states. It was damaged or changed: "
                "install the preset again."
            )
    config = content["config.json"]
    joint, limits = None, None
    if config.get("family") == JointConfig.family:
        made = NetworkConfig.from_dict(config)
        assert isinstance(made, JointConfig)
        joint, limits = made, Limits.from_dict(labels.get("limits"), classes)
        if limits is None:
            raise _wrong(folder, "labels.json", '"limits": the thresholds of a joint network', labels.get("limits"))
    card = folder / "card.md"
    return Preset(
        folder=folder,
        task=str(labels.get("task", "")),
        classes=tuple(map(str, classes)),
        reject_threshold=float(threshold),
        children=children,
        preprocessing=Preprocessing.from_dict(content["preprocessing.json"]),
        joint=joint,
        limits=limits,
        config=config,
        provenance=provenance,
        card=card.read_text(encoding="utf-8") if card.is_file() else "",
        sha256=checksum,
    )


def _wrong(folder: Path, file: str, expected: str, found: Any) -> RacnetError:
    return RacnetError(f"Preset {folder}: {file}: expected {expected}; found {found!r}.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RacnetError(f"Preset {path.parent}: expected a file {path.name}; found none.") from None
    except (OSError, ValueError) as error:
        raise RacnetError(f"Preset {path.parent}: {path.name} cannot be read as JSON: {error}.") from error
    if not isinstance(content, dict):
        raise _wrong(path.parent, path.name, "a JSON object", content)
    return content
