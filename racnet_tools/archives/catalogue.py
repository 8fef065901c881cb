"""Catalogue files of millions of rows, read piece by piece: the memory needed does not grow with the file.

LAMOST's files are text with ``|`` between the columns (``,`` in answers to queries), a byte-order mark in front, and
gzip around it; DR5's has 9,026,365 rows. Column names differ between releases and VizieR (``snrg``, ``combined_snrg``,
``ObsID``, ``e_z``, ``RAJ2000``): they become the names of the toolkit's tables here.

Nulls (-9999, -999) are None in what is chosen later; here all columns stay text as they are in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from racnet_tools.errors import ReadError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "Catalogue", "read_catalogue"]

#: The columns that are kept and the names they have in LAMOST's files and in VizieR, in lower case. Of several that a
#: file has, the first counts. obsid and class must be there.
COLUMNS: dict[str, tuple[str, ...]] = {
    "obsid": ("obsid",),
    "class": ("class",),
    "subclass": ("subclass",),
    "z": ("z",),
    "z_err": ("z_err", "e_z"),
    "snr_u": ("snru",),
    "snr_g": ("snrg",),
    "snr_r": ("snrr",),
    "snr_i": ("snri",),
    "snr_z": ("snrz",),
    "ra": ("ra", "objra", "raj2000", "ra_obs"),
    "dec": ("dec", "objdec", "dej2000", "dec_obs"),
}

_PREFIXES = ("catalogue_", "combined_")
_BLOCK = 1 << 18
_MAX_BAD = 0.01
_ADVICE = "LAMOST's general catalogues are at www.lamost.org, such as dr5_v3.csv.gz."


@dataclass
class Catalogue:
    """A catalogue that is read as it is iterated over: each piece maps the names of `COLUMNS` to text columns.

    Attributes
    ----------
    path : Path
    n_rows : int
        Rows read so far.
    n_bad : int
        Rows with too few or too many columns, passed over, so far.
    columns : tuple of str
        Those of `COLUMNS` that the file has.
    """

    path: Path
    columns: tuple[str, ...]
    n_rows: int = 0
    n_bad: int = 0
    _names: dict[str, str] = field(default_factory=dict, repr=False)
    _header: list[str] = field(default_factory=list, repr=False)
    _separator: str = field(default="|", repr=False)

    def __iter__(self) -> Iterator[dict[str, pa.Array]]:
        import pyarrow as pa
        from pyarrow import csv

        def bad(row: Any) -> str:
            self.n_bad += 1
            return "skip"

        self.n_rows = self.n_bad = 0
        try:
            with pa.input_stream(str(self.path), compression=_compression(self.path)) as stream:
                reader = csv.open_csv(
                    stream,
                    read_options=csv.ReadOptions(
                        block_size=_BLOCK,
                        use_threads=False,
                        encoding="latin1",  # no byte is refused; the columns that are kept are ASCII
                        column_names=self._header,
                        skip_rows=1,
                    ),
                    parse_options=csv.ParseOptions(
                        delimiter=self._separator,
                        quote_char='"' if self._separator == "," else False,
                        invalid_row_handler=bad,
                    ),
                    convert_options=csv.ConvertOptions(
                        include_columns=list(self._names.values()),
                        column_types=dict.fromkeys(self._names.values(), pa.string()),
                        strings_can_be_null=False,
                    ),
                )
                for batch in reader:
                    self.n_rows += batch.num_rows
                    yield {ours: batch.column(theirs) for ours, theirs in self._names.items()}
        except (OSError, pa.ArrowInvalid) as error:
            raise ReadError(
                self.path,
                expected="a whole catalogue",
                found=f"damage after row {self.n_rows} ({' '.join(str(error).split())[:120]})",
                advice="It was probably cut short: delete it and fetch it again.",
            ) from error
        if self.n_bad > _MAX_BAD * (self.n_rows + self.n_bad):
            raise ReadError(
                self.path,
                expected="the same number of columns in every row",
                found=f"{self.n_bad} of {self.n_rows + self.n_bad} rows with another",
                advice=_ADVICE,
            )


def read_catalogue(path: str | Path) -> Catalogue:
    """Open a catalogue file; the rows are read as the result is iterated over, each time from the start.

    Parameters
    ----------
    path : str or Path
        Text with ``|`` or ``,``, plain or gzipped.

    Returns
    -------
    Catalogue

    Raises
    ------
    ReadError
        If it is no such file, or has no obsid or class. Iterating raises it where the file is damaged further on.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            line = file.readline(1 << 16)
    except (OSError, EOFError, ValueError) as error:
        raise ReadError(path, expected="a catalogue file", found=f"{error}", advice=_ADVICE) from error
    header = line.decode("utf-8-sig", errors="replace").rstrip("\r\n")
    if header.lstrip().lower().startswith(("<!doctype", "<html", "<?xml", "simple  =")):
        raise ReadError(
            path,
            expected="a catalogue as text with | between the columns",
            found="a web page, a VOTable or a FITS file",
            advice=_ADVICE,
        )
    separator = "|" if "|" in header else ","
    found = [name.strip('"') for name in header.split(separator)]
    plain = {_plain(name): name for name in reversed(found)}
    names = {}
    for ours, theirs in COLUMNS.items():
        match = next((plain[name] for name in theirs if name in plain), None)
        if match is not None:
            names[ours] = match
    missing = [name for name in ("obsid", "class") if name not in names]
    if missing or len(set(found)) < len(found):
        raise ReadError(
            path,
            expected="a header line with obsid and class among its columns, each once",
            found=f"{header[:80]!r}",
            advice=_ADVICE,
        )
    return Catalogue(path, tuple(names), _names=names, _header=found, _separator=separator)


def _plain(name: str) -> str:
    name = name.strip().lower()
    return next((name.removeprefix(prefix) for prefix in _PREFIXES if name.startswith(prefix)), name)


def _compression(path: Path) -> str | None:
    with path.open("rb") as file:
        return "gzip" if file.read(2) == b"\x1f\x8b" else None


def _open(path: Path) -> IO[bytes]:
    if _compression(path) == "gzip":
        import gzip

        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")
