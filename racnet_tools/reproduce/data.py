"""The three data sets of a reproduction: simulated into stores of its own, or chosen from a user's store."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from racnet_tools.datasets import DataSet, SpectrumStore, fill_simulated, is_dataset, prepare
from racnet_tools.datasets.recipes import recipe
from racnet_tools.errors import RacnetError

__all__ = ["EMBEDDED", "OTHER_FOLDER", "prepare_data"]

EMBEDDED = "embedded"
"""The word for spectra that are simulated here."""

OTHER_FOLDER = "Choose another output folder."
"""What errors end in where a folder holds something else."""

_VALIDATION = 0.05  # of all objects: for temperatures and thresholds, never for choosing weights
_SEED = 0
_STORES = {"dataset1": ("classes", 0), "dataset2": ("classes", 0), "dataset3": ("types", 1)}


def prepare_data(
    folder: Path,
    names: Sequence[str],
    data: str,
    scale: float,
    *,
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict[str, DataSet]:
    """Make or open data sets.

    Parameters
    ----------
    folder : Path
        Of the reproduction: stores and data sets are kept in it.
    names : sequence of str
        Of "dataset1", "dataset2", "dataset3".
    data : str
        ``"embedded"`` or the path of a store.
    scale : float
        Share of the paper's size.
    workers : int
        Processes that simulate.
    progress : callable, optional
        Told what is simulated, how many of it are done and of how many.

    Returns
    -------
    dict of str to DataSet
        Parts train (0.75), test (0.2) and validation (0.05), split by object.
    """
    found = {}
    for name in names:
        kept = folder / "data" / name
        if not is_dataset(kept):
            source = _simulated(folder, name, scale, workers, progress) if data == EMBEDDED else Path(data)
            kept.parent.mkdir(exist_ok=True)
            store = SpectrumStore.open(source)
            prepare(store, name, scale=scale, seed=_SEED, validation=_VALIDATION).save(kept)
        opened = DataSet.open(kept)
        if (opened.settings["scale"], opened.settings["validation"]) != (scale, _VALIDATION):
            raise RacnetError(f"{kept} was prepared at scale {opened.settings['scale']}, not {scale}. {OTHER_FOLDER}")
        found[name] = opened
    return found


def _simulated(
    folder: Path, name: str, scale: float, workers: int, progress: Callable[[str, int, int], None] | None
) -> Path:
    """Fill the store that a data set is chosen from: a little more than it needs, as parts are drawn by object."""
    stem, seed = _STORES[name]
    wanted = recipe("dataset1" if stem == "classes" else "dataset3").counts(scale)
    counts = {label: n + 4 * math.isqrt(n) for label, n in wanted.items()}
    done = 0

    def tell(n: int) -> None:
        nonlocal done
        done += n
        if progress:
            progress(f"simulating {stem}", done, sum(counts.values()))

    path = folder / f"{stem}.zarr"
    fill_simulated(path, counts, seed=seed, workers=workers, progress=tell)
    return path
