"""The run folder: everything about one training, never overwritten, resumable until it is finished.

=====================  ==========================================================================================
``config.json``        network, training settings, description of the data; the same command resumes
``provenance.json``    versions, commit and start of each session that worked on the run
``history.csv``        one row an epoch
``tensorboard/``       the same as event files of TensorBoard, where asked for
``checkpoints/``       the last two epochs, for resuming (`racnet_tools.training.checkpoint`)
``model.weights.h5``   the final weights (the running average at the end, or at the best epoch with ``patience``)
``metrics.json``       what these weights reach on the validation set
``finished.json``      written last; a folder without it is unfinished
=====================  ==========================================================================================
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import atomic_path, sha256
from racnet_tools.models import NetworkConfig, build_from_config
from racnet_tools.training.provenance import git_commit, versions
from racnet_tools.training.settings import TrainingConfig, completed
from racnet_tools.training.streaming import ORDER
from racnet_tools.training.weights import load_weights

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["Run"]

FINISHED = "finished.json"
WEIGHTS = "model.weights.h5"


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes
    ----------
    folder : Path
        The run folder.
    config : dict
        ``network``, ``training``, ``data``, ``validation``.
    history : list of dict
        One entry an epoch.
    metrics : dict
        What the final weights reach.
    """

    folder: Path
    config: dict[str, Any]
    history: list[dict[str, float]]
    metrics: dict[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open the folder of a finished run.

        Raises
        ------
        ReadError
            When the folder holds no finished run.
        """
        folder = Path(folder)
        if not (folder / FINISHED).is_file():
            advice = "Run the same training command again to finish it." if (folder / "config.json").is_file() else ""
            raise ReadError(folder, expected="the folder of a finished run", found=f"no {FINISHED}", advice=advice)
        return cls(folder, read_json(folder / "config.json"), read_history(folder), read_json(folder / "metrics.json"))

    @property
    def network_config(self) -> NetworkConfig:
        """Configuration of the network."""
        return NetworkConfig.from_dict(self.config["network"])

    def model(self) -> Network:
        """Build the network with the final weights.

        Raises
        ------
        ReadError
            When the weights are damaged.
        """
        path = self.folder / WEIGHTS
        expected = read_json(self.folder / FINISHED)["weights_sha256"]
        if path.is_file() and sha256(path) != expected:
            raise ReadError(path, expected=f"sha256 {expected}", found=f"sha256 {sha256(path)}")
        model = build_from_config(self.network_config)
        load_weights(model, path)
        return model

    def data_description(self) -> dict[str, Any]:
        """What it was trained on, whether that was streamed or held in memory."""
        return {key: value for key, value in self.config["data"].items() if key not in ORDER}

    def provenance(self) -> dict[str, Any]:
        """Where the weights come from: settings, data, sessions."""
        return {
            **{key: self.config[key] for key in ("training", "data", "validation")},
            **read_json(self.folder / "provenance.json"),
        }


def finished_as(
    folder: str | Path, network: NetworkConfig, training: TrainingConfig, data: Mapping[str, Any] | DataSet
) -> Run | None:
    """Open a run that is finished already if it is just what was asked for; None when there is no finished run.

    Parameters
    ----------
    folder : str or Path
    network : NetworkConfig
    training : TrainingConfig
    data : mapping or DataSet
        The description of the data, or the data set: whether it was streamed or held in memory makes no difference.

    Raises
    ------
    RacnetError
        When the folder holds a finished run of other settings.
    """
    folder = Path(folder)
    if not (folder / FINISHED).is_file():
        return None
    run = Run.open(folder)
    stored = {part: run.config[part] for part in ("network", "training", "data")}
    if isinstance(data, DataSet):
        stored["data"] = run.data_description()
        data = data.description()
    _same_settings(folder, stored, {"network": network.to_dict(), "training": training.to_dict(), "data": dict(data)})
    return run


@contextmanager
def claimed(folder: Path, config: Mapping[str, Any], resume: bool, session: Mapping[str, Any]) -> Iterator[None]:
    """Hold a run folder for this process, made when new, for the length of a ``with`` block.

    Parameters
    ----------
    folder : Path
    config : mapping
        What decides the result: a run is gone on with only if all of it is the same.
    resume : bool
        Whether an unfinished run may be gone on with.
    session : mapping
        What is worth telling of this session, for ``provenance.json``.

    Raises
    ------
    RacnetError
        When the folder is a finished run, an unfinished run of other settings (or any, without `resume`), holds
        something else, or another process works on it.
    """
    if folder.is_dir() and (folder / FINISHED).is_file():
        raise RacnetError(f"{folder} holds a finished run and is not overwritten. Choose another folder.")
    started = (folder / "config.json").is_file()
    if not started and folder.exists():
        strange = [path.name for path in folder.iterdir() if path.name[0] != "."] if folder.is_dir() else [folder.name]
        if strange:
            raise RacnetError(
                f"{folder} is not the folder of a run: it holds {', '.join(sorted(strange)[:3])}. "
                "Choose another folder."
            )
    if started and not resume:
        raise RacnetError(
            f"{folder} holds an unfinished run. Pass resume=True to go on with it, or choose another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for left in (*folder.glob(".writing-*"), *folder.glob("checkpoints/.writing-*")):
            left.unlink()  # of a session that was killed
        if started:
            _same_settings(folder, read_json(folder / "config.json"), config)
        else:
            write_json(folder / "config.json", config)
        told = read_json(folder / "provenance.json") if (folder / "provenance.json").is_file() else {"sessions": []}
        told["sessions"].append({"started": now(), "versions": versions(), "git_commit": git_commit(), **session})
        write_json(folder / "provenance.json", told)
        yield


def write_json(path: Path, values: Any) -> None:
    """Write plain values as JSON that people can read, replacing the file as a whole."""
    with atomic_path(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    ReadError
        When it is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReadError(path, expected="a JSON file", found=str(error)) from error


def write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """Write ``history.csv``, one row an epoch."""
    with atomic_path(folder / "history.csv", overwrite=True) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(folder: Path) -> list[dict[str, float]]:
    """Read ``history.csv``."""
    with (folder / "history.csv").open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _same_settings(folder: Path, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    stored, wanted = _complete(stored), json.loads(json.dumps(wanted))
    different = [
        f"{part}.{key} is {(stored.get(part) or {}).get(key)!r} there and {(wanted.get(part) or {}).get(key)!r} here"
        for part in sorted(set(stored) | set(wanted))
        for key in sorted(set(stored.get(part) or {}) | set(wanted.get(part) or {}))
        if (stored.get(part) or {}).get(key) != (wanted.get(part) or {}).get(key)
    ]
    if different:
        raise RacnetError(
            f"{folder} holds a run with other settings: {'; '.join(different)}. "
            "Repeat its command to go on with it, or choose another folder."
        )


def _complete(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored configuration as the present version writes it: settings that are new since have their default."""
    stored = {**stored, "training": completed(stored["training"])}
    with suppress(RacnetError):  # a network that is not known any more differs, whatever is asked for
        stored["network"] = NetworkConfig.from_dict(stored["network"]).to_dict()
    return stored


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second process out; the system frees the lock however this one ends."""
    try:
        import fcntl
    except ImportError:  # Windows: no lock
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RacnetError(
                f"Another process is working on {folder}. Wait for it or choose another folder."
            ) from error
        yield
