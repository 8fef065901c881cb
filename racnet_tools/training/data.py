"""Training data epoch by epoch: fixed arrays or a function that makes each epoch's spectra, checked and made ahead.

``x`` is (n, n_pixels) float32, ``y`` (n,) integer class indices; a batch has them one-hot, (n, n_classes) float32. A
joint network is given the targets of all its outputs, joined: (n, n_outputs) float32, where zeros ask for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.models import NetworkConfig, check_input

if TYPE_CHECKING:
    from racnet_tools.models.network import Network

__all__ = ["Arrays", "Data", "EpochSource", "begun", "checked", "fingerprint"]

Arrays = tuple[np.ndarray, np.ndarray]
Data = Arrays | Callable[[int], Arrays]


def checked(arrays: Any, network: NetworkConfig, what: str) -> Arrays:
    """Return (x, y) with the right types, or say what is wrong with `what`.

    Raises
    ------
    RacnetError
        When x and y do not fit the network or each other, or a pixel is not finite.
    """
    if not isinstance(arrays, (tuple, list)) or len(arrays) != 2:
        raise RacnetError(f"{what} must be two arrays, spectra and class indices. Received: {type(arrays).__name__}.")
    try:
        x = check_input(arrays[0], network.input_shape)
    except RacnetError as error:
        raise RacnetError(f"{what}: {error}") from error
    y = np.asarray(arrays[1])
    if len(network.output_widths) > 1:
        return x, _checked_targets(y, (len(x), sum(network.output_widths.values())), what)
    if y.shape != (len(x),) or not np.issubdtype(y.dtype, np.integer):
        raise RacnetError(
            f"{what} needs one integer class index a spectrum, shape ({len(x)},). "
            f"Received: {y.dtype} of shape {y.shape}."
        )
    if len(y) == 0:
        raise RacnetError(f"{what} has no spectra.")
    if y.min() < 0 or y.max() >= network.n_classes:
        raise RacnetError(
            f"class indices of {what} must be 0 to {network.n_classes - 1}. Received: {y.min()} to {y.max()}."
        )
    return x, y.astype(np.int64)


def _checked_targets(y: np.ndarray, shape: tuple[int, int], what: str) -> np.ndarray:
    """Targets of several outputs, (n, n_outputs) float32."""
    if y.shape != shape or not len(y):
        raise RacnetError(f"{what} needs targets of shape {shape}, at least one. Received: shape {y.shape}.")
    y = np.asarray(y, np.float32)
    if not (y >= 0).all() or not np.isfinite(y).all():
        raise RacnetError(f"targets of {what} must be probabilities. Received: {np.nanmin(y)} to {np.nanmax(y)}.")
    return y


def fingerprint(arrays: Arrays) -> dict[str, Any]:
    """Describe arrays by size and checksum, so that a run is not resumed with other data."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return {"spectra": len(arrays[1]), "sha256": digest.hexdigest()}


def begun(start: Network | None) -> dict[str, str]:
    """Describe the network that a training begins with by the checksum of its weights; nothing for a fresh one."""
    if start is None:
        return {}
    digest = hashlib.sha256()
    for values in start.get_weights():
        digest.update(np.ascontiguousarray(values).data)
    return {"start": digest.hexdigest()}


class EpochSource:
    """Hands out each epoch's batches, the next epoch's spectra being made in a thread while the network trains.

    A context manager. With a function as `data`, the function is called in one thread only, in the order of epochs.

    Parameters
    ----------
    data : (x, y) or callable
        Fixed arrays, or a function from the epoch's number (from 0) to (x, y).
    network : NetworkConfig
        What the spectra must fit.
    batch_size : int
        Spectra in a batch, where an epoch has so many.
    last : int
        Number of epochs; nothing is made beyond.
    """

    def __init__(self, data: Data, network: NetworkConfig, batch_size: int, last: int) -> None:
        self._fixed = None if callable(data) else checked(data, network, "the training set")
        self._make = data if callable(data) else None
        self._network = network
        self._batch_size = batch_size
        self._last = last
        self._present: tuple[int, Arrays] | None = None
        self._next: tuple[int, Future[Arrays]] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="racnet-epoch") if self._make else None

    def __enter__(self) -> EpochSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def describe(self) -> dict[str, Any]:
        """Fingerprint of fixed arrays; nothing for a function, which the caller describes."""
        return fingerprint(self._fixed) if self._fixed else {}

    def counts(self) -> np.ndarray:
        """Training spectra of each class, in the first epoch."""
        y = self.get(0)[1]
        if y.ndim == 2:
            return y[:, : self._network.n_classes].sum(axis=0)
        return np.bincount(y, minlength=self._network.n_classes)

    def size(self) -> int:
        """Training spectra in the first epoch."""
        return len(self.get(0)[1])

    def batches(self, epoch: int, steps: int, rng: np.random.Generator) -> Iterator[Arrays]:
        """Batches (x, one-hot y) of an epoch, in an order that is drawn from `rng` at once.

        Raises
        ------
        RacnetError
            When the epoch has too few spectra.
        """
        x, y = self.get(epoch)
        size = min(self._batch_size, len(y))
        if len(y) // size < steps:
            raise RacnetError(
                f"Every epoch needs {steps} steps of {size} spectra. Received: {len(y)} spectra in epoch {epoch}."
            )
        order = rng.permutation(len(y))
        targets = np.eye(self._network.n_classes, dtype=np.float32)
        pieces = (order[step * size : (step + 1) * size] for step in range(steps))
        return ((x[chosen], targets[y[chosen]] if y.ndim == 1 else y[chosen]) for chosen in pieces)

    def get(self, epoch: int) -> Arrays:
        """Return the spectra of `epoch` and start making the next epoch's.

        Raises
        ------
        RacnetError
            When the function returned something that does not fit the network.
        """
        if self._fixed:
            return self._fixed
        if self._present is None or self._present[0] != epoch:
            self._present = None  # its memory, before the next epoch's is taken
            if self._next is None or self._next[0] != epoch:
                self._start(epoch)
            assert self._next is not None
            self._present = epoch, self._next[1].result()
            if epoch + 1 < self._last:
                self._start(epoch + 1)
        return self._present[1]

    def _start(self, epoch: int) -> None:
        assert self._thread and self._make
        make, network = self._make, self._network
        self._next = epoch, self._thread.submit(lambda: checked(make(epoch), network, f"the data of epoch {epoch}"))
