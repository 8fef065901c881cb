"""Training on a prepared data set, read batch by batch from its store while the network trains.

A thread reads and preprocesses ahead, as many batches as `AHEAD`; in memory are a piece of the store (2,000 spectra,
about 250 MB while it is worked on) and these batches, however large the data set is. Every chunk of the store that
holds spectra of the data set is read once an epoch: a small data set of a large store pays for what it does not use.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError
from racnet_tools.models import NetworkConfig
from racnet_tools.spectra import SpectrumSet
from racnet_tools.training.augmentation import augmented
from racnet_tools.training.data import Arrays
from racnet_tools.training.settings import TrainingConfig

__all__ = ["AHEAD", "ORDER", "StreamSource", "check_fits"]

AHEAD = 16
"""Batches that wait, ready for the network."""

ORDER = {"order": "shuffled chunk by chunk"}
"""What a run's description says of a streamed data set beyond `DataSet.description`: the order differs from arrays'."""

_TRAIN = "train"


def check_fits(data: DataSet, network: NetworkConfig) -> None:
    """Say so when a network cannot be trained on a data set.

    Raises
    ------
    RacnetError
        When the number of classes or of pixels is another, or there is no training part.
    """
    if (len(data.classes), data.store.n_pixels) != (network.n_classes, network.n_pixels):
        raise RacnetError(
            f"The network must have the data set's {len(data.classes)} classes ({', '.join(data.classes)}) and "
            f"{data.store.n_pixels} pixels. Received: {network.n_classes} classes, {network.n_pixels} pixels."
        )
    if _TRAIN not in data.parts or not data.size(_TRAIN):
        raise RacnetError(f"The data set needs spectra in its part {_TRAIN!r}. Received: {data!r}.")


class StreamSource:
    """Hands out the batches of each epoch of a data set's training part; a context manager.

    Parameters
    ----------
    data : DataSet
    network : NetworkConfig
        What the spectra must fit.
    training : TrainingConfig
        Its seed decides the order of the spectra and their augmentation.
    """

    def __init__(self, data: DataSet, network: NetworkConfig, training: TrainingConfig) -> None:
        check_fits(data, network)
        self._data, self._training = data, training
        self._stream = _Changed(data, training)
        self._reader: tuple[int, _ReadAhead] | None = None

    def __enter__(self) -> StreamSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader:
            self._reader[1].close()

    def describe(self) -> dict[str, Any]:
        """The data set's description, which has the fingerprint of its store, and the order."""
        return {**self._data.description(), **ORDER}

    def counts(self) -> np.ndarray:
        """Training spectra of each class."""
        return np.array(list(self._data.counts(_TRAIN).values()))

    def size(self) -> int:
        """Training spectra in an epoch."""
        return self._data.size(_TRAIN)

    def batches(self, epoch: int, steps: int, rng: np.random.Generator) -> Iterator[Arrays]:
        """Batches (x, one-hot y) of an epoch; at its end the next epoch is begun to be read."""
        del rng  # the order of each epoch follows from seed and epoch already
        if self._reader is None or self._reader[0] != epoch:
            self._reader = epoch, self._open(epoch, steps)
        yield from self._reader[1]
        self._reader = None
        if epoch + 1 < self._training.epochs:
            self._reader = epoch + 1, self._open(epoch + 1, steps)

    def _open(self, epoch: int, steps: int) -> _ReadAhead:
        size = min(self._training.batch_size, self.size())
        return _ReadAhead(islice(self._stream.batches(_TRAIN, size, epoch=epoch), steps))


class _Changed(DataSet):
    """The data set in an order of the training's own seed, with augmented spectra."""

    def __init__(self, data: DataSet, training: TrainingConfig) -> None:
        super().__init__(data.store, data.recipe, {**data.settings, "seed": training.seed}, data.index)
        self._data, self._training = data, training

    def spectra(self, part: str, which: np.ndarray | slice = slice(None), epoch: int = 0) -> SpectrumSet:
        """The entries as the data set gives them (noise of copies by its own seed), augmented."""
        found = self._data.spectra(part, which, epoch)
        if self._training.augmentation is None:
            return found
        entries = self.index[part][which]
        return augmented(
            found, entries[:, 0], entries[:, 1], self._training.augmentation, seed=self._training.seed, epoch=epoch
        )


class _ReadAhead:
    """Iterates over what another iterator gives, which a thread draws ahead of need."""

    _END = object()

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self._ready: queue.Queue[Any] = queue.Queue(AHEAD)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._draw, name="racnet-read-ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Any]:
        while True:
            item = self._ready.get()
            if item is self._END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop drawing, and wait until the thread has."""
        self._closed.set()
        self._thread.join()

    def _draw(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    return
            self._put(self._END)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Any) -> bool:
        while not self._closed.is_set():
            try:
                self._ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False
