"""Which objects a recipe takes from a catalogue: seeded, repeatable, in constant memory.

Each object gets a number from (seed, obsid) alone, and of each label the lowest are taken. So the choice depends on
neither the order of the rows nor how the file is read, a smaller scale is a part of a larger one, and memory holds no
more than twice what is chosen.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.archives.catalogue import COLUMNS
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FIELDS", "RECIPES", "Recipe", "Selection", "choose", "number", "wanted_counts"]


@dataclass(frozen=True)
class Recipe:
    """Labels, objects of each, and whether a label is the catalogue's class or the first letter of a stellar type."""

    labels: tuple[str, ...]
    count: int
    stellar: bool = False


#: The paper's data sets, as the catalogue's classes.
RECIPES = {
    "dataset1": Recipe(("STAR", "GALAXY", "QSO", "UNKNOWN"), 10_000),
    "dataset2": Recipe(("STAR", "GALAXY", "QSO"), 10_000),
    "dataset3": Recipe(("F", "G", "K"), 10_000, stellar=True),
}

FIELDS = ("obsid", "label", *(name for name in COLUMNS if name not in ("obsid", "class")), "path")
_NUMBERS = tuple(name for name in FIELDS if name not in ("obsid", "label", "subclass", "path"))


@dataclass
class Selection:
    """Chosen objects, one mapping of `FIELDS` to text each (empty = missing), in the order of their numbers.

    `available` and `wanted` count them by label; `n_rows` is the size of the catalogue.
    """

    rows: list[dict[str, str]]
    wanted: dict[str, int] = field(default_factory=dict)
    available: dict[str, int] = field(default_factory=dict)
    n_rows: int = 0

    def counts(self) -> dict[str, int]:
        """Chosen objects by label."""
        counts = dict.fromkeys(self.wanted, 0)
        for row in self.rows:
            label = row.get("label", "")
            counts[label] = counts.get(label, 0) + 1
        return counts

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Write ``selection.csv``."""
        with (
            atomic_path(path, overwrite) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n", restval="")
            writer.writeheader()
            writer.writerows(self.rows)

    @classmethod
    def open(cls, path: Path) -> Selection:
        """Read what `save` wrote.

        Raises
        ------
        ReadError
            If the file is another's.
        """
        try:
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != FIELDS:
                    raise ReadError(path, expected=f"the columns {','.join(FIELDS)}", found=f"{reader.fieldnames}")
                return cls(list(reader))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ReadError(path, expected="a list of chosen objects", found=str(error)) from error


def choose(
    catalogue: Iterable[Mapping[str, pa.Array]], recipe: Recipe | str, *, scale: float = 1.0, seed: int = 0
) -> Selection:
    """Choose objects from a catalogue.

    Parameters
    ----------
    catalogue : iterable of mappings
        Pieces of it, as `read_catalogue` gives them.
    recipe : Recipe or str
        Or its name in `RECIPES`.
    scale : float
        Takes this part of the recipe's counts, at least one of each label.
    seed : int
        Another one chooses others.

    Returns
    -------
    Selection
        Where there are fewer than wanted, all of them. An obsid that comes twice is taken once.

    Raises
    ------
    RacnetError
        If the recipe or the scale is none.
    """
    recipe = _recipe(recipe)
    wanted = wanted_counts(recipe, scale)
    pools = {label: _Pool(n) for label, n in wanted.items()}
    n_rows = 0
    for piece in catalogue:
        obsid, numbered = _obsids(piece["obsid"])
        labels = _labels(piece, recipe.stellar)
        order = number(obsid, seed)
        n_rows += len(obsid)
        for label, pool in pools.items():
            pool.offer(np.flatnonzero(numbered & (labels == label)), order, obsid, piece)
    rows = []
    for label, pool in pools.items():
        rows += [(place, {**row, "label": label}) for place, row in pool.chosen()]
    rows.sort(key=lambda pair: pair[0])
    available = {label: pool.n_seen for label, pool in pools.items()}
    return Selection([row for _, row in rows], wanted, available, n_rows)


def wanted_counts(recipe: Recipe | str, scale: float = 1.0) -> dict[str, int]:
    """Objects of each label that a recipe wants at a scale.

    Raises
    ------
    RacnetError
        If the recipe or the scale is none.
    """
    recipe = _recipe(recipe)
    if not 0 < scale <= 1000:
        raise RacnetError(f"Expected a scale above 0, such as 0.1. Received: {scale}.")
    return dict.fromkeys(recipe.labels, max(1, round(recipe.count * scale)))


def _recipe(recipe: Recipe | str) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if recipe not in RECIPES:
        raise RacnetError(f"Expected a recipe of {', '.join(RECIPES)}. Received: {recipe!r}.")
    return RECIPES[recipe]


def number(obsid: np.ndarray, seed: int) -> np.ndarray:
    """A number for each object from (seed, obsid): the mixing function of splitmix64 (Steele et al. 2014).

    Parameters
    ----------
    obsid : (n,) uint64
    seed : int

    Returns
    -------
    (n,) uint64
    """
    start = np.random.SeedSequence(abs(int(seed)) * 2 + (seed < 0)).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        x = obsid * np.uint64(0x9E3779B97F4A7C15) + start
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def _obsids(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n,) uint64 and which of them are numbers at all."""
    import pyarrow as pa
    from pyarrow import compute

    text = compute.utf8_trim_whitespace(column)
    good = compute.match_substring_regex(text, r"^[0-9]{1,18}$")
    obsid = compute.if_else(good, text, "0").cast(pa.uint64())
    return obsid.to_numpy(zero_copy_only=False), good.to_numpy(zero_copy_only=False)


def _labels(piece: Mapping[str, pa.Array], stellar: bool) -> np.ndarray:
    from pyarrow import compute

    kind = compute.utf8_upper(compute.utf8_trim_whitespace(piece["class"]))
    if not stellar:
        return np.asarray(kind.to_numpy(zero_copy_only=False), dtype=str)
    if "subclass" not in piece:
        raise RacnetError("The recipe needs the column subclass, which the catalogue does not have.")
    subclass = compute.utf8_trim_whitespace(piece["subclass"])
    # G5, F9IV, K3 ... but not dM2, EM, DoubleStar or gK5: one capital letter, then a digit.
    typed = compute.and_(compute.equal(kind, "STAR"), compute.match_substring_regex(subclass, r"^[OBAFGKM]\d"))
    first = compute.utf8_slice_codeunits(subclass, 0, 1)
    return np.where(
        typed.to_numpy(zero_copy_only=False), np.asarray(first.to_numpy(zero_copy_only=False), dtype=str), ""
    )


class _Pool:
    """The objects of one label with the lowest numbers."""

    def __init__(self, size: int) -> None:
        self.size, self.n_seen = size, 0
        self.limit = np.uint64(0xFFFFFFFFFFFFFFFF)
        self.rows: dict[tuple[int, int], dict[str, str]] = {}

    def offer(self, where: np.ndarray, order: np.ndarray, obsid: np.ndarray, piece: Mapping[str, Any]) -> None:
        self.n_seen += len(where)
        where = where[order[where] <= self.limit]
        # Further ones have no chance. Equal numbers are of the same object, since the mixing is one to one.
        where = where[np.unique(order[where], return_index=True)[1][: self.size]]
        if not len(where):
            return
        import pyarrow as pa

        taken = pa.array(where)
        columns = {name: column.take(taken).to_pylist() for name, column in piece.items() if name != "class"}
        columns["obsid"] = [str(value) for value in obsid[where].tolist()]
        for i, (x, o) in enumerate(zip(order[where].tolist(), obsid[where].tolist(), strict=True)):
            self.rows[(x, o)] = {name: _clean(name, column[i]) for name, column in columns.items()}
        if len(self.rows) > 2 * self.size:
            self._trim()

    def _trim(self) -> None:
        kept = sorted(self.rows)[: self.size]
        self.rows = {key: self.rows[key] for key in kept}
        self.limit = np.uint64(kept[-1][0])

    def chosen(self) -> list[tuple[int, dict[str, str]]]:
        if len(self.rows) > self.size:
            self._trim()
        return [(key[0], row) for key, row in sorted(self.rows.items())]


def _clean(name: str, text: str) -> str:
    text = text.strip()
    if name in _NUMBERS:
        try:
            value = float(text)
        except ValueError:
            return ""
        return text if np.isfinite(value) and value > -990 else ""
    return "" if name == "subclass" and text.lower() in ("non", "null", "nan") else text
