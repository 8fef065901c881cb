"""Random orders that a store can follow: whole chunks in random order, their rows mixed a few chunks at a time.

Reading single rows of compressed chunks in random order is a hundred times slower than reading chunks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["in_groups", "shuffled_groups"]


def in_groups(keys: np.ndarray) -> list[np.ndarray]:
    """Positions of each distinct key, in the order of the keys; positions in order.

    Examples
    --------
    >>> [group.tolist() for group in in_groups(np.array([7, 3, 7]))]
    [[1], [0, 2]]
    """
    if len(keys) == 0:
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def shuffled_groups(chunks: np.ndarray, seed: int, epoch: int, buffer: int) -> Iterator[np.ndarray]:
    """Positions in random order, in groups that need no more than `buffer` chunks each.

    Parameters
    ----------
    chunks : (n,) array of int
        The chunk that each entry lies in.
    seed, epoch : int
        The same two give the same order.
    buffer : int
        Chunks in a group.

    Yields
    ------
    (m,) array of int
        Positions in `chunks`; each occurs once in all.
    """
    rng = np.random.default_rng([seed, epoch])
    groups = in_groups(chunks)
    order = rng.permutation(len(groups))
    for start in range(0, len(groups), buffer):
        yield rng.permutation(np.concatenate([groups[k] for k in order[start : start + buffer]]))
