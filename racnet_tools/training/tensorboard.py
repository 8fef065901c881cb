"""The history of a run as TensorBoard event files, in the folder ``tensorboard`` of the run folder.

Written by tensorboardX, which needs neither TensorFlow nor PyTorch: ``tensorboard --logdir RUN`` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from racnet_tools.errors import RacnetError

__all__ = ["EventLog"]

FOLDER = "tensorboard"


class EventLog:
    """Writes one point an epoch for each number; a context manager.

    Parameters
    ----------
    folder : Path
        The run folder.
    done : int
        Finished epochs: what an interrupted session wrote beyond is told to be void.

    Raises
    ------
    RacnetError
        When tensorboardX is not installed.
    """

    def __init__(self, folder: Path, done: int) -> None:
        self._writer = _writer()(str(folder / FOLDER), purge_step=done + 1)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, row: Mapping[str, float], learning_rate: float) -> None:
        """Write a row of the history, with the learning rate that the epoch ended at."""
        epoch = int(row["epoch"])
        for name, value in row.items():
            if name != "epoch":
                part = "validation" if name.startswith("val_") else "time" if "seconds" in name else "training"
                self._writer.add_scalar(f"{part}/{name.removeprefix('val_')}", value, epoch)
        self._writer.add_scalar("training/learning_rate", learning_rate, epoch)
        self._writer.flush()


def check_installed() -> None:
    """Say so when event files cannot be written.

    Raises
    ------
    RacnetError
        When tensorboardX is not installed.
    """
    _writer()


def _writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise RacnetError(f"TensorBoard event files need tensorboardX: pip install tensorboardX. ({error})") from error
    return SummaryWriter
