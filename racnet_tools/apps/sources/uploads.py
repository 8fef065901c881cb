"""Spectra that a visitor uploads: kept in a temporary folder that goes with the kernel, read by the same readers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from racnet_tools.apps.sources.samples import bare
from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.apps.widgets import UploadedFile
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers import read_file

__all__ = ["ENDINGS", "Uploads"]

#: Endings of files that are taken.
ENDINGS = ".fits,.fit,.gz,.csv,.txt,.dat,.ecsv"
#: Bytes of uploads that one kernel keeps.
ROOM = 512 * 1024**2


class Uploads:
    """The files of one choice after the other; each choice becomes a list of its own.

    Attributes
    ----------
    accepted : list of str
        Names of the files of this choice that are spectra.
    refused : list of (str, str)
        Names of the others, each with the reason.
    """

    def __init__(self) -> None:
        self.accepted: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self._folder: TemporaryDirectory | None = None
        self._shown: TemporaryDirectory | None = None
        self._used = 0

    def begin(self) -> None:
        """A new choice: what was not opened of an earlier one is forgotten."""
        self.accepted, self.refused, self._used = [], [], 0
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = TemporaryDirectory(prefix="racnet-upload-")

    def add(self, file: UploadedFile) -> None:
        """Keep a file if it is a spectrum.

        Raises
        ------
        RacnetError
            If it is none, with the reader's own words, or there is no more room; it is noted in `refused` as well.
        """
        if self._folder is None:
            self.begin()
        path = Path(self._folder.name) / f"{len(self.accepted):04d}" / file.name  # type: ignore[union-attr]
        try:
            if self._used + len(file.data) > ROOM:
                raise RacnetError(f"expected at most {ROOM >> 20} MB in one choice. Choose fewer files at a time.")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.data)
            read_file(path)
        except (RacnetError, OSError) as error:
            path.unlink(missing_ok=True)
            reason = error.reason if isinstance(error, ReadError) else str(error)
            self.refused.append((file.name, reason))
            raise RacnetError(reason) from error
        self._used += len(file.data)
        self.accepted.append(file.name)

    def open(self) -> SpectrumList:
        """The accepted files of this choice; those of the choice opened before are deleted.

        Raises
        ------
        RacnetError
            If none was accepted.
        """
        if not self.accepted or self._folder is None:
            names = "; ".join(f"{name}: {reason}" for name, reason in self.refused[:3])
            raise RacnetError(f"None of the uploaded files is a spectrum, so nothing new was opened. {names}")
        folder = Path(self._folder.name)
        items = [Item(bare(name), bare(name), f"{i:04d}/{name}") for i, name in enumerate(self.accepted)]
        if self._shown is not None:
            self._shown.cleanup()
        self._shown, self._folder = self._folder, None
        count = len(items)
        return SpectrumList(
            f"{count} uploaded files" if count > 1 else f"uploaded {self.accepted[0]}",
            items,
            lambda where: folder / where,
            python=f'import racnet_tools\n\nspectra = racnet_tools.read({self.accepted[:20]!r}, on_error="skip")',
            refused=self.refused,
        )

    def close(self) -> None:
        """Delete what was uploaded."""
        for folder in (self._folder, self._shown):
            if folder is not None:
                folder.cleanup()
        self._folder = self._shown = None
