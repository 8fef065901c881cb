"""`SpectrumList`: spectra that a visitor opened, read one at a time when they are looked at.

Files are known by name until they are needed. What was read stays in memory up to `KEPT` bytes, and the neighbours of
the spectrum on show are read ahead in a thread, so that the next one is there when it is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers.record import Record
from racnet_tools.readers.registry import read_record
from racnet_tools.spectra import SpectrumSet

__all__ = ["Item", "SpectrumList"]

#: Bytes of spectra that a list keeps in memory; a LAMOST spectrum has 70 kB, a DESI file of 500 spectra 35 MB.
KEPT = 32 * 1024**2
_AHEAD = (1, -1, 2)  # neighbours that are read ahead, in this order


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list: its key, what the list shows, and where it is.

    In a file of several spectra, `row` counts from 0; where it is not known yet, `spec_id` tells which is meant.
    """

    key: str
    label: str
    where: str
    row: int | None = None
    spec_id: str = ""


class SpectrumList:
    """Spectra of a folder, a catalogue, an archive or an upload.

    Parameters
    ----------
    name : str
        What was opened, such as "15 shipped samples".
    items : iterable of Item
        In the order shown; a key that occurs again gets a number.
    locate : callable
        ``locate(where)`` gives the file of an item: it checks that the file may be opened, and fetches it where that is
        needed. Called from other threads as well.
    python : str
        Python that opens the same without a dashboard.
    address : mapping of str to str
        What a link has to hold to open the same; empty if no link can.
    refused : iterable of (name, reason)
        What could not be opened.

    Attributes
    ----------
    name, python : str
    address : dict of str to str
    refused : list of (str, str)
        Grows by the files that turn out to be unreadable.
    revision : int
        Grows when a file turns out to hold several spectra: its item has then become one for each of them.
    """

    def __init__(
        self,
        name: str,
        items: Iterable[Item],
        locate: Callable[[str], Path],
        *,
        python: str,
        address: Mapping[str, str] | None = None,
        refused: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.name, self.python, self.address = name, python, dict(address or {})
        self.refused = list(refused)
        self.revision = 0
        self._locate = locate
        self._items = _unique(items)
        self._place = {item.key: i for i, item in enumerate(self._items)}
        self._cache: OrderedDict[str, Future[Record]] = OrderedDict()
        self._guard = Lock()
        self._ahead: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<SpectrumList {self.name!r} of {len(self)}>"

    def key(self, i: int) -> str:
        """Key of spectrum `i`, unique in the list and the same in the next session."""
        return self._items[i].key

    def label(self, i: int) -> str:
        """What a list of the spectra shows for spectrum `i`."""
        return self._items[i].label

    def find(self, key: str) -> int | None:
        """Place of the spectrum with this key, None where there is none; it may have to read a file of several."""
        if key not in self._place and "#" in key and key.rpartition("#")[0] in self._place:
            try:
                self.load(self._place[key.rpartition("#")[0]])
            except RacnetError:
                return None
        return self._place.get(key)

    def load(self, i: int) -> SpectrumSet:
        """Spectrum `i` on its own wavelengths, a set of one; its neighbours are read ahead.

        Raises
        ------
        ReadError
            If its file is refused; `refused` then names it, and the list goes on without it.
        RacnetError
            If there is no such place.
        """
        if not 0 <= i < len(self):
            raise RacnetError(f"Expected a spectrum from 1 to {len(self)}. Received: {i + 1}.")
        item = self._items[i]
        try:
            record = self._record(item)
            row = _row(item, record)
        except ReadError as error:
            shown = ReadError(item.label, expected=error.expected, found=error.found, advice=error.advice)
            if (item.label, shown.reason) not in self.refused:
                self.refused.append((item.label, shown.reason))
            raise shown from error
        self.refused = [one for one in self.refused if one[0] != item.label]
        if len(record.rows) > 1 and item.row is None and not item.spec_id:
            self._spread(i, record)
        self._read_ahead(i)
        one = slice(row, row + 1)
        rows = [{**record.rows[row], "path": item.where}]
        return SpectrumSet(record.wave, record.flux[one], record.ivar[one], record.mask[one], rows, record.meta)

    def close(self) -> None:
        """Forget what was read, and read nothing ahead any more."""
        with self._guard:
            self._cache.clear()
            if self._ahead is not None:
                self._ahead.shutdown(wait=False, cancel_futures=True)
                self._ahead = None

    def _record(self, item: Item) -> Record:
        mine: Future[Record] | None = None
        with self._guard:
            future = self._cache.get(item.where)
            if future is not None and not future.cancel():  # one that waits for its turn is not waited for
                self._cache.move_to_end(item.where)
            else:
                future = self._cache[item.where] = Future()
                mine = future
        if mine is not None:
            self._read(mine, item.where)
        try:
            return future.result()
        except BaseException:
            with self._guard:  # the file may be mended meanwhile
                self._cache.pop(item.where, None)
            raise
        finally:
            self._forget()

    def _read_ahead(self, i: int) -> None:
        for step in _AHEAD:
            if not 0 <= i + step < len(self):
                continue
            item = self._items[i + step]
            with self._guard:
                if item.where in self._cache:
                    continue
                if self._ahead is None:
                    self._ahead = ThreadPoolExecutor(1, thread_name_prefix="racnet-ahead")
                future: Future[Record] = Future()
                self._cache[item.where] = future
                self._ahead.submit(self._read, future, item.where)

    def _read(self, future: Future[Record], where: str) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(read_record(self._locate(where)))
        except BaseException as error:
            future.set_exception(error)

    def _forget(self) -> None:
        """Drop what was not looked at for longest, until the rest is small enough."""
        with self._guard:
            sizes = {where: _bytes(future) for where, future in self._cache.items() if future.done()}
            total = sum(sizes.values())
            for where in list(sizes)[:-1]:
                if total <= KEPT:
                    break
                total -= sizes[where]
                del self._cache[where]

    def _spread(self, i: int, record: Record) -> None:
        """Put one item for each spectrum of a file in place of the file's own."""
        whole = self._items[i]
        names = [str(row.get("spec_id") or number + 1) for number, row in enumerate(record.rows)]
        spread = [
            Item(f"{whole.key}#{name}", f"{whole.label} {name}", whole.where, row) for row, name in enumerate(names)
        ]
        self._items[i : i + 1] = _unique(spread)
        self._place = {item.key: place for place, item in enumerate(self._items)}
        self.revision += 1


def _row(item: Item, record: Record) -> int:
    """Place of the item's spectrum in its file."""
    if item.row is not None or len(record.rows) == 1 or not item.spec_id:
        return item.row or 0
    names = [str(row.get("spec_id")) for row in record.rows]
    if item.spec_id not in names:
        raise ReadError(
            item.label,
            expected=f"the spectrum {item.spec_id} in {item.where}",
            found=f"{len(names)} others",
            advice="The catalogue and the file do not belong together.",
        )
    return names.index(item.spec_id)


def _unique(items: Iterable[Item]) -> list[Item]:
    seen: dict[str, int] = {}
    result = []
    for item in items:
        seen[item.key] = seen.get(item.key, 0) + 1
        number = seen[item.key]
        result.append(item if number == 1 else replace(item, key=f"{item.key} ({number})"))
    return result


def _bytes(future: Future[Record]) -> int:
    if future.cancelled() or future.exception() is not None:
        return 0
    record = future.result()
    arrays: Sequence = (record.flux, record.ivar, record.mask)
    return sum(array.nbytes for array in arrays)
