"""Splitting by object, before anything is resampled, so that no object and no copy of one is on both sides.

The part of an object follows from a hash of its identifier and the seed alone: adding objects, or asking for another
scale, moves none from one part to another. Shares are therefore met on average (0.2 of 10,000 objects: 2,000 +- 40).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.readers.objects import merge_objects

__all__ = ["PARTS", "hashed", "objects_of", "split"]

#: Shares of the paper's random 8:2 split.
PARTS = {"test": 0.2, "train": 0.8}


def hashed(names: Sequence[str] | np.ndarray, seed: int, purpose: str = "part") -> np.ndarray:
    """A number in [0, 1) for each name, (n,) float64; the same for the same name, seed and purpose, everywhere."""
    key = hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:32]
    made: dict[str, float] = {}
    for name in names:
        name = str(name)
        if name not in made:
            digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
            made[name] = (int.from_bytes(digest, "big") >> 11) / 2**53
    return np.array([made[str(name)] for name in names])


def split(objects: Sequence[str] | np.ndarray, parts: Mapping[str, float] = PARTS, *, seed: int) -> np.ndarray:
    """The part of each spectrum.

    Parameters
    ----------
    objects : (n,) sequence of str
        The object that each spectrum is of.
    parts : mapping of str to float
        Name to share of the objects, adding up to 1. The first parts keep their objects when later ones are divided
        further.
    seed : int

    Returns
    -------
    (n,) array of str

    Raises
    ------
    RacnetError
        If the shares do not add up to 1.

    Examples
    --------
    >>> split(["a", "b", "a"], {"test": 0.5, "train": 0.5}, seed=1).tolist()
    ['train', 'train', 'train']
    """
    shares = np.array(list(parts.values()), dtype=float)
    if not len(shares) or (shares < 0).any() or not np.isclose(shares.sum(), 1.0):
        raise RacnetError(f"Expected shares that add up to 1. Received: {dict(parts)}.")
    borders = np.cumsum(shares)[:-1]
    return np.array(list(parts))[np.searchsorted(borders, hashed(objects, seed), side="right")]


def objects_of(object_id: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Object names in which all spectra within a fibre's radius of each other have one, as `racnet_tools.read` does."""
    if not np.isfinite(ra).any():
        return object_id
    return np.array(merge_objects(object_id.tolist(), ra.tolist(), dec.tolist()))
