"""Where work is done: in this process, in others on this machine, or on a Dask cluster, behind one interface.

All are `concurrent.futures.Executor`s, so that a stage hands out its pieces in one way wherever they are worked on.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from racnet_tools.errors import RacnetError

__all__ = [
    "available_threads",
    "dask_executor",
    "in_order",
    "kills_workers",
    "process_executor",
    "result_of",
    "workforce",
]

T = TypeVar("T")
R = TypeVar("R")

_CONNECT_TIMEOUT = "10s"
_GRACE = 15.0  # seconds that a scheduler may be away


def available_threads() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def workforce(workers: int | None = None, scheduler: str | None = None) -> Iterator[tuple[Executor | None, int]]:
    """What ``--workers`` and ``--scheduler`` stand for.

    Parameters
    ----------
    workers : int, optional
        Worker processes on this machine; with None or 1 the work is done in this process.
    scheduler : str, optional
        Address of a Dask scheduler to work on instead.

    Yields
    ------
    executor : Executor or None
        None: do it here.
    n : int
        Pieces that it works on at a time.

    Raises
    ------
    RacnetError
        As `dask_executor`; and, when the block ends because workers died or the scheduler went away, with what to do.
    """
    try:
        if scheduler is not None:
            with dask_executor(scheduler) as (executor, n):
                yield executor, n
        elif workers is not None and workers > 1:
            with process_executor(workers) as pool:
                yield pool, workers
        else:
            yield None, 1
    except (BrokenProcessPool, CancelledError) as error:
        what = "The Dask scheduler went away" if scheduler is not None else "A worker process died"
        raise RacnetError(
            f"{what}, perhaps for want of memory. What is done is kept: repeat the command (racnet classify with "
            "--resume) to go on, with fewer workers if it happens again."
        ) from error
    except Exception as error:
        if not kills_workers(error):
            raise
        raise RacnetError(
            f"Workers died again and again over one piece of work ({error}). What is done is kept: repeat the command "
            "(racnet classify with --resume) to go on."
        ) from error


def kills_workers(error: Exception) -> bool:
    """Whether Dask gave a piece of work up, because worker after worker died over it."""
    return type(error).__name__ == "KilledWorker"  # of a package that need not be installed


def in_order(
    executor: Executor | None, function: Callable[[T], R], tasks: Iterable[T], ahead: int
) -> Iterator[tuple[T, R]]:
    """Each task with the function's result, in the tasks' order; `ahead` of them are handed out at a time.

    Tasks are taken as they are needed. When the iteration is left, what has not begun is cancelled.
    """
    if executor is None:
        for task in tasks:
            yield task, function(task)
        return
    pending: deque[tuple[T, Future[R]]] = deque()
    try:
        for task in tasks:
            pending.append((task, executor.submit(function, task)))
            while pending and (len(pending) > ahead or pending[0][1].done()):
                first, future = pending.popleft()
                yield first, result_of(executor, future)
        while pending:
            first, future = pending.popleft()
            yield first, result_of(executor, future)
    finally:
        for _, future in pending:
            future.cancel()


def result_of(executor: Executor, future: Future[R]) -> R:
    """A future's result; `CancelledError` if it is on a Dask cluster whose scheduler has gone away."""
    lost: Callable[[], bool] | None = getattr(executor, "lost", None)
    while lost is not None and not future.done():
        wait([future], timeout=1)
        if not future.done() and lost():
            raise CancelledError
    return future.result()


@contextmanager
def process_executor(workers: int) -> Iterator[Executor]:
    """Worker processes on this machine, started afresh (no forked threads), which end with this one."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        with _ctrl_c_ignored(), _one_thread_of_blas():  # which the new processes inherit: Ctrl-C is for the main one
            for _ in range(workers):
                pool.submit(int)
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    import signal

    if threading.current_thread() is not threading.main_thread():  # Python handles signals there alone
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _one_thread_of_blas() -> Iterator[None]:
    """Numpy's BLAS spends a tenth of a second on threads when it is loaded; processes side by side need none."""
    name, before = "OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _end_with_parent() -> None:
    """In a worker process: end when the main process is killed."""
    import os
    from multiprocessing import parent_process

    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """Executor on the Dask cluster whose scheduler is at `address`, and its number of threads.

    Raises
    ------
    RacnetError
        If `distributed` is not installed, or no scheduler with a worker answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RacnetError("--scheduler needs Dask: pip install 'racnet-tools[scale]'.") from error
    try:
        client = Client(address, timeout=_CONNECT_TIMEOUT)
    except (OSError, ValueError, TimeoutError) as error:
        raise RacnetError(f"No Dask scheduler answers at {address!r} ({error}). Is it running there?") from error
    try:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise RacnetError(f"The Dask scheduler at {address!r} has no workers. Start some: dask worker {address}.")
        executor = client.get_executor()
        seen = time.monotonic()

        def lost() -> bool:
            nonlocal seen
            if client.status == "running":
                seen = time.monotonic()
            return time.monotonic() - seen > _GRACE

        executor.lost = lost
        yield executor, threads
    finally:
        client.close(timeout=2)
