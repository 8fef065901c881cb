"""How a store lies on disk: a Zarr v3 group that any Zarr reader opens, and how its arrays are made and hashed.

==================  ===========  ==================  ==========================================================
array               shape        chunk               content
==================  ===========  ==================  ==========================================================
``wave``            (n_pix,)     whole               vacuum wavelengths, Angstrom, float64
``flux``, ``ivar``  (n, n_pix)   (250, n_pix)        float32, Blosc LZ4 with byte shuffle
``mask``            (n, n_pix)   (250, n_pix)        bool, True = bad
``n_good``          (n,)         (4000,)             int32, pixels that are neither masked nor zero
``columns/NAME``    (n,)         (4000,)             float64 (NaN = missing) or string ("" = missing)
==================  ===========  ==================  ==========================================================

Every chunk ends with a CRC-32C that Zarr checks at each reading. An array may be longer than what is committed.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra.columns import COLUMNS

if TYPE_CHECKING:
    import zarr
    from astropy.table import Table

__all__ = [
    "CHUNK",
    "CUBES",
    "columns_of",
    "content_sha256",
    "create_array",
    "holds_text",
    "toolkit_version",
    "zarr_module",
]

#: Spectra in a chunk: 3.9 MB of flux, so that shuffled reading by chunks stays quick and a lone spectrum costs little.
CHUNK = 250
COLUMN_CHUNK = 16 * CHUNK
CUBES: dict[str, tuple[type, dict[str, Any]]] = {
    "flux": (np.float32, {"units": "relative flux per Angstrom", "description": "flux density"}),
    "ivar": (np.float32, {"units": "1 / flux^2", "description": "inverse variance of flux; 0 = no information"}),
    "mask": (np.bool_, {"description": "True = bad"}),
}
_UNITS = {"ra": "deg", "dec": "deg", "teff": "K", "logg": "dex(cm s-2)", "feh": "dex", "ebv": "mag"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def zarr_module() -> Any:
    """Zarr, or an error that says how to get it."""
    try:
        import zarr
    except ImportError as error:
        raise RacnetError(
            "Stores of spectra need Zarr, which is not installed: pip install 'racnet-tools[survey]'"
        ) from error
    return zarr


def toolkit_version() -> str:
    """Version of this package."""
    return sys.modules["racnet_tools"].__version__  # naming the package would tie this stage to all the others


def create_array(group: zarr.Group, name: str, n_rows: int, n_pixels: int, text: bool = False) -> zarr.Array:
    """Make one of the arrays of the table above, all of it missing, zero or False."""
    zarr_module()
    from zarr.codecs import BloscCodec, Crc32cCodec

    shape: tuple[int, ...] = (n_rows,)
    chunks: tuple[int, ...] = (COLUMN_CHUNK,)
    dtype: Any = np.int32
    fill: Any = 0
    attributes: dict[str, Any] = {}
    if name in CUBES:
        dtype, attributes = CUBES[name]
        shape, chunks = (n_rows, n_pixels), (CHUNK, n_pixels)
    elif name == "wave":
        dtype, shape, chunks = np.float64, (n_pixels,), (n_pixels,)
        attributes = {"units": "Angstrom", "description": "vacuum, heliocentric"}
    elif name == "n_good":
        attributes = {"description": "pixels that are neither masked nor zero"}
    else:
        if not _NAME.fullmatch(name):
            raise RacnetError(f"Expected column names of letters, digits and _ to store. Received: {name!r}.")
        dtype, fill = (np.dtypes.StringDType(), "") if text else (np.float64, np.nan)
        attributes = {"units": _UNITS[name]} if name in _UNITS else {}
        attributes |= {"description": COLUMNS[name][1]} if name in COLUMNS else {}
        name = f"columns/{name}"
    itemsize = 1 if text else np.dtype(dtype).itemsize
    blosc = BloscCodec(
        cname="lz4", clevel=5, typesize=itemsize, shuffle="shuffle" if itemsize > 1 else "noshuffle", blocksize=0
    )
    names = ("pixel",) if name == "wave" else ("spectrum", "pixel")[: len(shape)]
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        fill_value=fill,
        compressors=[blosc, Crc32cCodec()],
        attributes=attributes,
        dimension_names=names,
    )


def holds_text(array: zarr.Array) -> bool:
    """Whether a column holds text."""
    return array.dtype.kind == "T"


def columns_of(table: Table) -> dict[str, np.ndarray]:
    """The columns with anything in them as arrays that can be stored: StringDType or float64.

    Raises
    ------
    RacnetError
        If a column holds neither text nor numbers that float64 holds exactly.
    """
    out: dict[str, np.ndarray] = {}
    for name in table.colnames:
        column = table[name]
        missing = np.asarray(getattr(column, "mask", np.zeros(len(column), bool)))
        data = np.asarray(getattr(column, "data", column))
        if column.ndim != 1 or data.dtype.kind not in "USfiub" or (data.dtype.kind in "iu" and _large(data)):
            raise RacnetError(
                f"Column {name!r} ({data.dtype}, {column.ndim} dimensions) cannot be stored: expected one value a "
                "spectrum, text or a number that float64 holds exactly. Turn identifiers into text."
            )
        if data.dtype.kind in "US":
            texts = [
                "" if gone else _utf8(value) for value, gone in zip(column.data.tolist(), missing.tolist(), strict=True)
            ]
            if any(texts):
                out[name] = np.array(texts, dtype=np.dtypes.StringDType())
        else:
            values = np.where(missing, np.nan, np.ma.getdata(data).astype(np.float64))
            values[np.isnan(values)] = np.nan  # one bit pattern
            if not np.isnan(values).all():
                out[name] = values
    return out


def _large(data: np.ndarray) -> bool:
    return bool(data.size) and max(abs(int(data.max())), abs(int(data.min()))) > 2**53


def _utf8(value: Any) -> str:
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value or "")
    return text.encode("utf-8", "backslashreplace").decode()  # lone surrogates of odd file names


def content_sha256(cubes: Mapping[str, np.ndarray], columns: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of rows: the numbers themselves, whatever the chunks and codecs are."""
    digest = hashlib.sha256()
    for name in CUBES:
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(cubes[name]).data)
    for name in sorted(columns):
        digest.update(name.encode())
        values = columns[name]
        text = values.dtype.kind == "T"
        digest.update(json.dumps(values.tolist()).encode() if text else np.ascontiguousarray(values).data)
    return digest.hexdigest()
