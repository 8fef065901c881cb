"""A data set: which spectra of a store are for training and which for testing, and their batches for a network.

On disk it is a small folder beside the store: ``dataset.json`` (recipe, seed, balance, the store and its SHA-256) and
one ``PART.npy`` a part with a row (row in the store, copy, class index) for each entry. Spectra are not copied.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets.balance import BALANCES, choose, with_noise
from racnet_tools.datasets.labels import one_hot
from racnet_tools.datasets.layout import CHUNK, toolkit_version
from racnet_tools.datasets.order import shuffled_groups
from racnet_tools.datasets.recipes import Recipe, recipe
from racnet_tools.datasets.splits import PARTS, hashed, objects_of, split
from racnet_tools.datasets.store import SpectrumStore
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.files import is_remote
from racnet_tools.spectra import Preprocessing, SpectrumSet

if TYPE_CHECKING:
    from racnet_tools.datasets.card import DataSetCard

__all__ = ["DataSet", "is_dataset", "prepare"]

_FORMAT = {"format": "racnet-dataset", "version": 1}
_FILE = "dataset.json"
_PIECE = 8 * CHUNK  # spectra read at a time


def is_dataset(folder: str | Path) -> bool:
    """Whether a folder holds a data set."""
    return (Path(folder) / _FILE).is_file()


class DataSet:
    """Spectra of a store, split by object and balanced for training.

    Made by `prepare`, kept with `save`, opened again with `DataSet.open`.

    Attributes
    ----------
    store : SpectrumStore
    recipe : Recipe
    settings : dict
        ``scale``, ``seed``, ``balance``, ``parts`` and the store's ``n_store`` and ``fingerprint``.
    index : dict of str to (n, 3) int64 array
        For each part: row in the store, copy (0 = the spectrum itself), class index.
    """

    def __init__(
        self, store: SpectrumStore, made_by: Recipe, settings: Mapping[str, Any], index: Mapping[str, np.ndarray]
    ) -> None:
        self.store, self.recipe, self.settings, self.index = store, made_by, dict(settings), dict(index)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.recipe.classes

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(self.index)

    def size(self, part: str) -> int:
        """Number of entries of a part."""
        return len(self._entries(part))

    def counts(self, part: str) -> dict[str, int]:
        """Entries of each class, copies included."""
        return dict(zip(self.classes, self._count(self._entries(part)), strict=True))

    def copies(self, part: str) -> dict[str, int]:
        """Entries of each class that are noisy copies."""
        entries = self._entries(part)
        return dict(zip(self.classes, self._count(entries[entries[:, 1] > 0]), strict=True))

    def available(self) -> dict[str, int]:
        """Spectra of each class that the store had when the data set was prepared."""
        n, store = self.settings["n_store"], self.store
        index = self.recipe.indices(store.column("label")[:n], store.column("subclass")[:n])
        index = index[(index >= 0) & (store.column("n_good")[:n] > 0)]
        return dict(zip(self.classes, np.bincount(index, minlength=len(self.classes)).tolist(), strict=True))

    def _count(self, entries: np.ndarray) -> list[int]:
        return np.bincount(entries[:, 2], minlength=len(self.classes)).tolist()

    def _entries(self, part: str) -> np.ndarray:
        if part not in self.index:
            raise RacnetError(f"Expected a part: {', '.join(self.index)}. Received: {part!r}.")
        return self.index[part]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(entries)} {part}" for part, entries in self.index.items())
        return f"<DataSet {self.recipe.name} of {self.store.path}: {sizes}>"

    def _repr_html_(self) -> str:
        return self.card()._repr_html_()

    def card(self) -> DataSetCard:
        """What is in the data set: ``print(data.card())``, or shown by a notebook."""
        from racnet_tools.datasets.card import DataSetCard

        return DataSetCard.of(self)

    # --- spectra -------------------------------------------------------------------------------------------------

    def spectra(self, part: str, which: np.ndarray | slice = slice(None), epoch: int = 0) -> SpectrumSet:
        """The entries of a part as spectra, copies with their noise.

        Parameters
        ----------
        part : str
        which : index array or slice
            Which of the entries.
        epoch : int
            Copies have other noise in other epochs (``balance="noise_from_ivar"``).
        """
        entries = self._entries(part)[which]
        return with_noise(
            self.store[entries[:, 0]],
            entries[:, 1],
            entries[:, 0],
            self.settings["balance"],
            seed=self.settings["seed"],
            epoch=epoch,
        )

    def batches(
        self, part: str, batch_size: int = 128, *, epoch: int = 0, shuffle: bool = True, buffer: int = 8
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches for a network, read as they are needed.

        Parameters
        ----------
        part : str
        batch_size : int
            The last batch may be smaller.
        epoch : int
            The same epoch gives the same batches.
        shuffle : bool
            Chunk by chunk, see `SpectrumStore.shuffled`; otherwise in the order of the index.
        buffer : int
            Chunks of the store in memory at a time.

        Yields
        ------
        x : (batch_size, n_pixels) float32
            Preprocessed by `racnet_tools.spectra.Preprocessing`: gaps filled, L2 norm 1.
        y : (batch_size, n_classes) float32
            One-hot labels.
        """
        if batch_size < 1:
            raise RacnetError(f"Expected a batch size of 1 or more. Received: {batch_size}.")
        entries = self._entries(part)
        chunks = entries[:, 0] // CHUNK
        groups: Iterator[np.ndarray]
        if shuffle:
            groups = shuffled_groups(chunks, self.settings["seed"], epoch, buffer)
        else:
            groups = (np.arange(start, min(start + _PIECE, len(entries))) for start in range(0, len(entries), _PIECE))
        left = np.zeros(0, int)
        for group in groups:
            waiting = np.concatenate([left, group])
            whole = len(waiting) - len(waiting) % batch_size
            yield from self._cut(part, waiting[:whole], batch_size, epoch)
            left = waiting[whole:]
        yield from self._cut(part, left, batch_size, epoch)

    def _cut(
        self, part: str, which: np.ndarray, batch_size: int, epoch: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        preprocessing = Preprocessing(self.store.grid)
        step = max(batch_size, _PIECE // batch_size * batch_size)
        for start in range(0, len(which), step):
            here = which[start : start + step]
            x = preprocessing(self.spectra(part, here, epoch))
            y = one_hot(self._entries(part)[here, 2], len(self.classes))
            for k in range(0, len(here), batch_size):
                yield x[k : k + batch_size], y[k : k + batch_size]

    def arrays(self, part: str, epoch: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """A whole part in memory: network input (n, n_pixels) float32 and class indices (n,) int64.

        For `racnet_tools.training.fit` and for judging; 10,000 spectra take 156 MB.
        """
        entries = self._entries(part)
        x = np.empty((len(entries), self.store.n_pixels), np.float32)
        at = 0
        for piece, _ in self.batches(part, CHUNK, epoch=epoch, shuffle=False):
            x[at : at + len(piece)] = piece
            at += len(piece)
        return x, entries[:, 2].copy()

    def epochs(self, part: str = "train") -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
        """What `racnet_tools.training.fit` takes as data: a function from the epoch to `arrays`.

        Copies have new noise in every epoch where the balance draws it anew; otherwise the arrays are made once.
        """
        if self.settings["balance"] == "noise_from_ivar" and (self._entries(part)[:, 1] > 0).any():
            return lambda epoch: self.arrays(part, epoch)
        made: list[tuple[np.ndarray, np.ndarray]] = []

        def same(_epoch: int) -> tuple[np.ndarray, np.ndarray]:
            if not made:
                made.append(self.arrays(part))
            return made[0]

        return same

    def description(self) -> dict[str, Any]:
        """The data set in plain values, for a run's configuration; the same for the same content."""
        return {
            "kind": "dataset",
            "recipe": {"name": self.recipe.name, "classes": list(self.classes), "by": self.recipe.by},
            **self.settings,
            "sizes": {part: len(entries) for part, entries in self.index.items()},
        }

    # --- on disk -------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Keep the data set in a new folder; the spectra stay in the store.

        Raises
        ------
        RacnetError
            If there is one already, or the parent folder does not exist.
        """
        folder = Path(folder)
        if is_dataset(folder):
            raise RacnetError(f"{folder} holds a data set already and is not overwritten. Choose another name.")
        if not folder.absolute().parent.is_dir():
            raise RacnetError(f"The folder {folder.absolute().parent} does not exist. Create it first.")
        folder.mkdir(exist_ok=True)
        for part, entries in self.index.items():
            np.save(folder / f"{part}.npy", entries, allow_pickle=False)
        text = {
            **_FORMAT,
            "racnet": toolkit_version(),
            "recipe": {**vars(self.recipe), "classes": list(self.classes)},
            "settings": self.settings,
            "store": str(self.store.path) if is_remote(self.store.path) else os.path.relpath(self.store.path, folder),
            "parts": list(self.index),
        }
        handle, name = tempfile.mkstemp(prefix=".writing-", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(text, indent=1) + "\n")
        Path(name).chmod(0o644)
        Path(name).replace(folder / _FILE)  # last: a folder without it holds no data set
        return folder

    @classmethod
    def open(cls, folder: str | Path, store: str | Path | None = None) -> DataSet:
        """Open what `save` kept.

        Parameters
        ----------
        folder : str or Path
        store : str or Path, optional
            Where the store is now, if it or the folder was moved.

        Raises
        ------
        ReadError
            If the folder holds no data set, or the store is not what it was prepared from. More spectra appended to
            the store since do no harm.
        """
        folder = Path(folder)
        try:
            text = json.loads((folder / _FILE).read_text(encoding="utf-8"))
            if {key: text.get(key) for key in _FORMAT} != _FORMAT:
                raise ValueError(f"{text.get('format')} {text.get('version')}")
            made_by = Recipe(**{**text["recipe"], "classes": tuple(text["recipe"]["classes"])})
            index = {part: np.load(folder / f"{part}.npy", allow_pickle=False) for part in text["parts"]}
            settings = text["settings"]
            for entries in index.values():
                if entries.ndim != 2 or entries.shape[1] != 3 or entries.dtype != np.int64:
                    raise ValueError(f"an index of shape {entries.shape}")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            found = f"no {_FILE}" if isinstance(error, FileNotFoundError) else f"{type(error).__name__}: {error}"
            raise ReadError(folder, expected="the folder of a data set", found=found) from error
        opened = SpectrumStore.open(store or (text["store"] if is_remote(text["store"]) else folder / text["store"]))
        chains = {block.stop: block.chain for block in opened.blocks}
        if chains.get(settings["n_store"]) != settings["fingerprint"]:
            raise ReadError(
                opened.path,
                expected=f"the store that {folder} was prepared from",
                found="other content (SHA-256)",
                advice="Name the right one, or prepare the data set again.",
            )
        return cls(opened, made_by, settings, index)


def prepare(
    store: SpectrumStore | str | Path,
    made_by: str | Recipe,
    *,
    scale: float = 1.0,
    seed: int,
    balance: str = "noise_from_ivar",
    validation: float = 0.0,
) -> DataSet:
    """Choose the spectra of a data set: split 8:2 by object, then balance the training part.

    Parameters
    ----------
    store : SpectrumStore or path
    made_by : str or Recipe
        ``"dataset1"``, ``"dataset2"``, ``"dataset3"``, or a recipe of one's own.
    scale : float
        Share of the recipe's size: 0.1 makes 1,000 spectra of each class instead of 10,000.
    seed : int
        Of the split, the choice and the noise.
    balance : {"noise_from_ivar", "paper"}
        How a class that is too small for training is filled up, see `racnet_tools.datasets.balance`.
    validation : float
        Share of all objects to set aside from the training part; their spectra are not copied.

    Returns
    -------
    DataSet
        Parts "train", "test" and, where asked for, "validation". The training part has as many spectra of each class
        as the recipe says; the others hold real, unaltered spectra, fewer than the recipe says where the store has no
        more. Spectra within 3 arcsec of each other are one object.

    Raises
    ------
    RacnetError
        If the store has no training spectrum of a class, or an argument is out of range.
    """
    store = store if isinstance(store, SpectrumStore) else SpectrumStore.open(store)
    made_by = recipe(made_by)
    if balance not in BALANCES:
        raise RacnetError(f"Expected balance to be one of {', '.join(BALANCES)}. Received: {balance!r}.")
    if not 0 <= validation < PARTS["train"] or seed < 0:
        raise RacnetError(
            f"Expected a seed of 0 or more and a validation share from 0 to below {PARTS['train']}. "
            f"Received: seed={seed}, validation={validation}."
        )
    parts = {"train": PARTS["train"] - validation, "test": PARTS["test"], "validation": validation}
    wanted = made_by.counts(scale)
    index_of = made_by.indices(store.column("label"), store.column("subclass"))
    index_of[store.column("n_good") == 0] = -1
    objects = objects_of(*(store.column(name) for name in ("object_id", "ra", "dec")))
    # In this order the test part does not depend on `validation`.
    drawn = split(objects, {name: parts[name] for name in ("test", "validation", "train")}, seed=seed)
    priority = hashed(store.column("spec_id"), seed, "choice")
    index: dict[str, np.ndarray] = {}
    for part, share in parts.items():
        if share == 0:
            continue
        entries = []
        for k, name in enumerate(made_by.classes):
            rows = np.flatnonzero((index_of == k) & (drawn == part))
            if part == "train" and not len(rows):
                raise RacnetError(
                    f"{store.path} has {int((index_of == k).sum())} spectra of class {name}, none of them for "
                    f"training: {made_by.name} cannot be made of it. Add such spectra or choose another recipe."
                )
            chosen, copy = choose(rows, priority[rows], round(wanted[name] * share), copies=part == "train")
            entries.append(np.stack([chosen, copy, np.full(len(chosen), k)], axis=1))
        joined = np.concatenate(entries).astype(np.int64)
        index[part] = joined[np.lexsort((joined[:, 1], joined[:, 0]))]
    settings = {
        "scale": float(scale),
        "seed": int(seed),
        "balance": balance,
        "validation": float(validation),
        "n_store": len(store),
        "fingerprint": store.fingerprint,
    }
    return DataSet(store, made_by, settings, index)
