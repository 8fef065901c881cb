"""Arrays that are computed once and then read: what makes a second call of a reproduction quick."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.files import atomic_path

__all__ = ["kept"]


def kept(path: Path, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Arrays from an ``.npz`` file, which is made first where it is missing.

    Raises
    ------
    ReadError
        If the file is damaged.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = make()
        with atomic_path(path, overwrite=True) as temporary, temporary.open("wb") as file:
            np.savez(file, **made)  # type: ignore[arg-type]
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ReadError(path, expected="arrays", found=str(error), advice="Delete it; it is made anew.") from error
