"""Where work is done: in this process, in others on this machine, or on a Dask cluster, behind one interface.

All are `concurrent.futures.Executor`s, so that a stage hands out its pieces in one way wherever they are worked on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from racnet_tools.errors import RacnetError

__all__ = ["available_threads", "dask_executor", "process_executor"]

_CONNECT_TIMEOUT = "10s"


def available_threads() -> int:
    """Number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def process_executor(workers: int) -> Iterator[Executor]:
    """Worker processes on this machine, started afresh (no forked threads), which end with this one."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent)
    try:
        with _ctrl_c_ignored():  # which the new processes inherit: Ctrl-C is for the main process
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
        yield client.get_executor(), threads
    finally:
        client.close()
