"""A progress bar where somebody watches: in a terminal or a notebook, not in a log file."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(total: int, done: int, wanted: bool) -> Any:
    """A bar of tqdm for the steps of a training, for a ``with`` block.

    Parameters
    ----------
    total, done : int
        Steps in all, and before.
    wanted : bool
        False for none. Otherwise it is shown in a notebook, and on stderr where that is a terminal: in a file the bars
        would stand one behind the other.
    """
    from tqdm.auto import tqdm

    return tqdm(total=total, initial=done, disable=not (wanted and _watched()), unit="step", mininterval=0.5)


def _watched() -> bool:
    from tqdm.autonotebook import tqdm as chosen
    from tqdm.std import tqdm as plain

    return chosen is not plain or sys.stderr.isatty()
