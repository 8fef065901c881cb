"""Where a network trains: one device, or several that each take a share of every batch.

Several devices need the JAX backend: that is where Keras 3.15's `keras.distribution.DataParallel` works. On TensorFlow
that part of Keras is a prototype that training does not use, and on PyTorch it does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from racnet_tools.errors import RacnetError

__all__ = ["Placement"]


class Placement:
    """The devices of a training.

    Parameters
    ----------
    device : None, str or sequence of str
        None for Keras' own choice, the first GPU where there is one; one device as ``"cpu"``, ``"gpu"`` or
        ``"gpu:1"``; several as a sequence; or ``"all"``, all GPUs (all CPU devices where there is no GPU).
    batch_size : int
        Spectra a step, which several devices share evenly.

    Attributes
    ----------
    names : tuple of str
        The devices; empty for Keras' own choice.

    Raises
    ------
    RacnetError
        When there is no such device, the backend cannot use several, or the batch cannot be shared evenly.
    """

    def __init__(self, device: str | Sequence[str] | None, batch_size: int) -> None:
        self.names = _names(device)
        if self.several:
            import keras

            if keras.backend.backend() != "jax":
                raise RacnetError(
                    f"Training on {len(self.names)} devices needs the JAX backend: Keras shares batches between "
                    "devices there alone. Set KERAS_BACKEND=jax before Python starts, or name one device. "
                    f"Received: the {keras.backend.backend()} backend and device={device!r}"
                )
            if batch_size % len(self.names):
                raise RacnetError(
                    f"The batch size must be a multiple of the {len(self.names)} devices. Received: {batch_size}"
                )

    @property
    def several(self) -> bool:
        """Whether there is more than one device."""
        return len(self.names) > 1

    def training(self) -> Any:
        """A context in which the network is made and trained."""
        if not self.several:
            return self.judging()
        import keras

        return keras.distribution.DataParallel(devices=list(self.names)).scope()

    def judging(self) -> Any:
        """A context in which a network is judged: on one device."""
        return _on(self.names[0]) if len(self.names) == 1 else nullcontext()


@contextmanager
def _on(name: str) -> Iterator[None]:
    import keras

    with keras.device(name):
        yield


def _names(device: str | Sequence[str] | None) -> tuple[str, ...]:
    if device is None:
        return ()
    there = _there()
    if device == "all":
        return tuple(name for name in there if name.split(":")[0] == there[0].split(":")[0])
    asked = [device] if isinstance(device, str) else list(device)
    names = tuple(name if ":" in name else f"{name}:0" for name in asked)
    missing = [name for name in names if name not in there]
    if missing or not names or len(set(names)) < len(names):
        raise RacnetError(f"Expected devices of {', '.join(there)}, each once, or 'all'. Received: device={device!r}")
    return names


def _there() -> list[str]:
    """Devices of the backend, GPUs first."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return [f"gpu:{number}" for number in range(torch.cuda.device_count())] + ["cpu:0"]
    found = list(keras.distribution.list_devices())
    found = [name.replace("cuda:", "gpu:") for name in found]
    return found if found[0].startswith("cpu") else [*found, *keras.distribution.list_devices("cpu")]
