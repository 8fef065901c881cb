"""The trainings of a reproduction: each in a run folder of its own, with what the network says of the test spectra.

A finished training is never repeated, an interrupted one is gone on with. Beside the run's own files its folder gets
``predictions.npz``: class probabilities and true classes of the test and of the validation part.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.datasets import DataSet
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.models import NetworkConfig
from racnet_tools.reproduce.data import OTHER_FOLDER
from racnet_tools.reproduce.kept import kept
from racnet_tools.reproduce.plan import Experiment, config_of, epochs_within, schedule, side_by_side
from racnet_tools.training import Run, TrainingConfig, fit
from racnet_tools.training.judging import predict_part
from racnet_tools.training.run_folder import FINISHED

__all__ = ["Trained", "find", "train_all"]

_PREDICTIONS = "predictions.npz"
_OVERHEAD = 20.0  # seconds that a training costs beside its epochs: compilation, test spectra
_LATE = "the time was over"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """A finished training and what its network says.

    Attributes
    ----------
    experiment : Experiment
    run : Run
    p, y : (n_test, n_classes) float32, (n_test,) int64
        Class probabilities and true class indices of the test part, in the order of the data set's index.
    validation_p, validation_y
        The same of the validation part.
    predict_cpu_seconds : float
        Processor time that the test part took.
    """

    experiment: Experiment
    run: Run
    p: np.ndarray
    y: np.ndarray
    validation_p: np.ndarray
    validation_y: np.ndarray
    predict_cpu_seconds: float

    @property
    def predicted(self) -> np.ndarray:
        """Class index of each test spectrum, (n_test,)."""
        return self.p.argmax(axis=1)

    @property
    def epochs(self) -> int:
        """Epochs that it was trained for."""
        return int(self.run.config["training"]["epochs"])


class _OutOfTime(Exception):
    """The time that was given is over."""


def train_all(
    folder: Path,
    wanted: Sequence[Experiment],
    data: dict[str, DataSet],
    scale: float,
    *,
    deadline: float | None = None,
    workers: int = 1,
    say: Say = lambda line: None,
    progress: bool = True,
) -> list[str]:
    """Train what is missing, in order.

    Parameters
    ----------
    folder : Path
        Of the reproduction.
    wanted : sequence of Experiment
    data : dict of str to DataSet
    scale : float
        Decides epochs and batch size, see `racnet_tools.reproduce.plan.schedule`.
    deadline : float, optional
        Time (`time.time`) at which training ends. Epochs are then so many that all that is missing should fit; what
        does not is left for the next time.
    workers : int
        Networks that are trained at a time. More than one: each in a process and a thread of its own, which uses the
        cores of a machine without a GPU better than one network in many threads does.
    say : callable
        Told in a line what is done.
    progress : bool
        Whether to show progress bars; with one worker only.

    Returns
    -------
    list of str
        What is still missing, and why.
    """
    most, batch = schedule(scale)
    least = 1 if deadline is not None else most
    missing = [one for one in wanted if _finished(folder, one, least) is None]
    if not missing or (deadline is not None and time.time() > deadline):
        return [f"{one}: {_LATE}" for one in missing]
    if workers > 1:  # the longest of a seed first, so that no core waits for the last one
        operations = {
            one: _config(one, data[one.dataset]).multiply_adds() * data[one.dataset].size("train") for one in missing
        }
        missing.sort(key=lambda one: (one.seed, -operations[one]))
    with _pool(min(workers, len(missing))) as pool:
        epochs = most
        if deadline is not None:
            networks = list(dict.fromkeys(one.network for one in missing))
            each = dict(zip(networks, pool.map(_seconds_per_spectrum, networks, [batch] * len(networks)), strict=True))
            costs = [each[one.network] * data[one.dataset].size("train") for one in missing]
            cost = side_by_side(costs, workers)
            left = deadline - time.time() - side_by_side([_OVERHEAD] * len(missing), workers)
            epochs = epochs_within(left, cost, most)
            say(f"{len(missing)} trainings, {cost:.0f} s an epoch of all: {epochs} of {most} epochs")
        jobs = [
            pool.submit(_train, folder, one, data[one.dataset], epochs, batch, deadline, progress and workers == 1)
            for one in missing
        ]
        late = []
        for number, (one, job) in enumerate(zip(missing, jobs, strict=True), start=1):
            finished = job.result()
            say(f"[{number}/{len(missing)}] {one}{'' if finished else f': {_LATE}'}")
            if not finished:
                late.append(f"{one}: {_LATE}")
    return late


class _Here(Executor):
    """Runs each job in this process when its result is asked for, so that each is told of when it is done."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Put a job off until its result is asked for."""
        return _Later(lambda: fn(*args, **kwargs))


class _Later(Future):
    def __init__(self, job: Callable[[], Any]) -> None:
        super().__init__()
        self._job = job

    def result(self, timeout: float | None = None) -> Any:
        return self._job()


@contextmanager
def _pool(workers: int) -> Iterator[Executor]:
    """Processes of one thread each, or this process; after an error or an interruption nothing more is begun."""
    if workers == 1:
        yield _Here()
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_one_thread)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    """Tell the backends, before they are imported, to use one thread, and TensorFlow to keep its remarks."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = "1"


def find(folder: Path, one: Experiment, data: DataSet) -> Trained | None:
    """A finished training with its predictions, which are made where they are missing; None if it is not finished."""
    where = _finished(folder, one, 1)
    if where is None:
        return None
    run = Run.open(where)
    if run.data_description() != data.description() or run.network_config != _config(one, data):
        raise RacnetError(
            f"{where} was trained on other data or with another network than {one} stands for. {OTHER_FOLDER}"
        )
    stored = kept(where / _PREDICTIONS, lambda: _predict(run, data))
    try:
        return Trained(one, run, predict_cpu_seconds=float(stored.pop("predict_cpu_seconds")), **stored)
    except (KeyError, TypeError) as error:
        raise ReadError(
            where / _PREDICTIONS, expected="predictions", found=str(error), advice="Delete it; it is made anew."
        ) from error


def _config(one: Experiment, data: DataSet) -> NetworkConfig:
    return config_of(one.network, len(data.classes), data.store.n_pixels)


def _folders(folder: Path, one: Experiment) -> list[tuple[int, Path]]:
    """Run folders of an experiment with their epochs, the longest training first."""
    parent = folder / "runs" / one.dataset / one.network
    found = []
    for path in parent.glob(f"epochs*-seed{one.seed}"):
        number = path.name.removeprefix("epochs").removesuffix(f"-seed{one.seed}")
        if number.isdecimal():
            found.append((int(number), path))
    return sorted(found, reverse=True)


def _finished(folder: Path, one: Experiment, least: int) -> Path | None:
    for epochs, path in _folders(folder, one):
        if epochs >= least and (path / FINISHED).is_file():
            return path
    return None


def _train(
    folder: Path,
    one: Experiment,
    data: DataSet,
    epochs: int,
    batch: int,
    deadline: float | None,
    progress: bool,
) -> bool:
    """Train a network, or go on with it; False if the time was over before it was finished."""
    import keras

    if deadline is not None and time.time() > deadline:
        return False
    begun = [number for number, path in _folders(folder, one) if not (path / FINISHED).is_file()]
    if begun and deadline is not None:
        epochs = begun[0]  # what an earlier call decided
    where = folder / "runs" / one.dataset / one.network / f"epochs{epochs}-seed{one.seed}"
    where.parent.mkdir(parents=True, exist_ok=True)

    def watch(row: dict[str, float]) -> None:
        if deadline is not None and time.time() > deadline and row["epoch"] < epochs:
            raise _OutOfTime

    training = TrainingConfig(epochs=epochs, batch_size=min(batch, data.size("train")), seed=one.seed)
    try:
        run = fit(_config(one, data), data, where, training, progress=progress, on_epoch=watch)
    except _OutOfTime:
        return False
    kept(where / _PREDICTIONS, lambda: _predict(run, data))
    keras.backend.clear_session()
    return True


def _predict(run: Run, data: DataSet) -> dict[str, np.ndarray]:
    """The arrays of `Trained`."""
    model = run.model()
    start = time.process_time()
    p, y = predict_part(model, data, "test")
    seconds = time.process_time() - start
    validation_p, validation_y = predict_part(model, data, "validation")
    return {
        "p": p,
        "y": y,
        "validation_p": validation_p,
        "validation_y": validation_y,
        "predict_cpu_seconds": np.array(seconds),
    }


def _seconds_per_spectrum(network: str, batch: int) -> float:
    """Time that training takes a spectrum, from two steps made here and now."""
    import keras

    from racnet_tools.models import build_from_config
    from racnet_tools.training.optimiser import compile_network

    config = config_of(network, 3)
    model: Any = build_from_config(config)
    compile_network(model, TrainingConfig(epochs=1, batch_size=batch), 10)
    x = np.full((batch, config.n_pixels), config.n_pixels**-0.5, np.float32)
    target = np.eye(3, dtype=np.float32)[np.arange(batch) % 3]
    model.train_on_batch(x, target)  # compiles
    start = time.monotonic()
    for _ in range(2):
        model.train_on_batch(x, target)
    spent = time.monotonic() - start
    keras.backend.clear_session()
    return spent / (2 * batch)
