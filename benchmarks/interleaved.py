"""Timing side by side: every way once a turn, several turns, medians, spread and ratios.

Machines are shared and their clocks move, so what counts is the ratio of medians of ways that took turns in one run.
Processor time is summed over threads and child processes, and steadier than the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Cost", "in_process", "median", "ran", "spread", "table", "take_turns", "write_json"]


@dataclass(frozen=True)
class Cost:
    """What one run of one way cost.

    Attributes
    ----------
    wall, cpu : float
        Seconds on the clock, and of processor time.
    memory : float
        Largest memory of a process and its children together (proportional set size), MB; NaN for runs in this process.
    """

    wall: float
    cpu: float
    memory: float = float("nan")


def in_process(function: Callable[[], object]) -> Cost:
    """What a function costs, called here."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def ran(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Cost:
    """What a command costs in a process of its own, with its children, start and end included."""
    wall = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    peak, stop = [0.0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, stop))
    watcher.start()
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    stop.set()
    watcher.join()
    if status:
        raise RuntimeError(f"{' '.join(map(str, command))} failed: {said.decode()[-2000:]}")
    return Cost(time.perf_counter() - wall, used.ru_utime + used.ru_stime, peak[0])


def _watch(pid: int, peak: list[float], stop: threading.Event) -> None:
    """Note the largest sum of memory over a process and those below it, looked at four times a second."""
    import psutil

    while not stop.wait(0.25):
        try:
            parent = psutil.Process(pid)
            held = sum(one.memory_full_info().pss for one in [parent, *parent.children(recursive=True)])
        except psutil.Error:  # one of them has ended
            continue
        peak[0] = max(peak[0], held / 1e6)


def take_turns(
    ways: Mapping[str, Callable[[], Cost]], turns: int, say: Callable[[str], None] | None = None
) -> dict[str, list[Cost]]:
    """Costs of each way, one a turn; every turn begins with another way."""
    names = list(ways)
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for turn in range(turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            costs[name].append(ways[name]())
            if say:
                say(f"turn {turn + 1}: {name} {costs[name][-1].cpu:.2f} s of processor time")
    return costs


def median(costs: Sequence[Cost], what: str = "cpu") -> float:
    """Median of one attribute."""
    return float(np.median([getattr(cost, what) for cost in costs]))


def spread(costs: Sequence[Cost], what: str = "cpu") -> float:
    """Largest distance of a run from the median, as a share of it."""
    values = np.array([getattr(cost, what) for cost in costs])
    return float(np.abs(values / np.median(values) - 1).max())


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join('---' for _ in header)}|"]
    return "\n".join([f"\n### {title}\n", *lines, *(f"| {' | '.join(row)} |" for row in rows)])


def write_json(path: Path | None, name: str, content: object) -> None:
    """Put one benchmark's numbers into a file that holds those of others too."""
    if path is None:
        return
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"python": sys.version.split()[0]}
    held[name] = content
    path.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
