"""Spectra as text: two or three columns, wavelength, flux and optionally ivar or error; ASCII, CSV or ECSV.

Columns are separated by blanks, tabs, commas, semicolons or ``|``; lines that begin with ``#`` or ``%`` are comments.
A line of names before the numbers says which column is which (any order, any case, others are ignored):

* ``wave``, ``wavelength``, ``lambda`` or ``lam``: Angstrom in vacuum; ``wave_air`` (any wavelength name with "air" in
  it): Angstrom in air, converted to vacuum; ``loglam``: log10 of the vacuum wavelength in Angstrom;
* ``flux``: flux density per Angstrom, any linear unit;
* ``ivar``: inverse variance; or ``error``, ``err``, ``sigma``, ``flux_error``, ``uncertainty``: one sigma.

The names may stand in a last comment line before the numbers. Without names the order is wavelength (vacuum, Angstrom),
flux, error (one sigma). In ECSV the unit of the wavelength column may be Angstrom, nm or um. Without a third column
the inverse variance is 1 for every finite pixel and ``meta["ivar"]`` says "not given". Values that are missing
(``nan``, nothing between two commas) mask the pixel. Wavelengths may fall instead of rise.

``spec_id`` is the file's name without its extension; there is no label. ECSV is described in astropy's APE 6,
https://github.com/astropy/astropy-APEs/blob/main/APE6.rst
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.readers.record import MIN_PIXELS, Record, make_record
from racnet_tools.readers.source import MAX_BYTES, Source
from racnet_tools.spectra import air_to_vacuum

__all__ = ["NAME", "identify", "read"]

NAME = "table_ascii"

_WAVE = re.compile(r"^(air|vac|vacuum)?[ _-]?(wave|wavelength|waves|lambda|lam|wl|wvl)s?[ _-]?(air|vac|vacuum)?$")
_LOGLAM = {"loglam", "log_lambda", "loglambda", "log_wave", "logwave"}
_FLUX = {"flux", "flux_density", "flam", "f_lambda", "fluxes", "spectrum"}
_IVAR = {"ivar", "inverse_variance", "inv_var", "invvar", "flux_ivar"}
_ERROR = {"error", "err", "sigma", "flux_error", "flux_err", "e_flux", "uncertainty", "std", "stdev", "flux_sigma"}
_UNITS = {"angstrom": 1.0, "angstroms": 1.0, "aa": 1.0, "a": 1.0, "nm": 10.0, "um": 1e4, "micron": 1e4, "0.1 nm": 1.0}
_UNIT_IN_NAME = re.compile(r"\s*[\[(]\s*([^\])]*)\s*[\])]\s*$")
_ECSV_COLUMN = re.compile(r"#\s*-\s*\{\s*name:\s*['\"]?([^,'\"}]+)['\"]?\s*,(.*)\}\s*$")
_ECSV_UNIT = re.compile(r"unit:\s*['\"]?([^,'\"}]+)")
_SHORTEST, _LONGEST = 1000.0, 30000.0


def identify(source: Source) -> bool:
    """Whether the file is text with a line of two or more numbers near its beginning."""
    head = source.read_at(0, 65536)
    if b"\x00" in head:
        return False
    lines = head.decode("latin-1").splitlines()
    if len(head) == 65536:
        lines = lines[:-1]
    return any(_numbers(line) >= 2 for line in lines if not line.lstrip().startswith(("#", "%")))


def _numbers(line: str) -> int:
    """How many of a line's fields are numbers, 0 if it has fewer than two fields."""
    fields = re.split(r"[,;|\t ]+", line.strip())
    return sum(_is_number(f) for f in fields) if len(fields) > 1 else 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read(source: Source) -> Record:
    """The one spectrum of the file.

    Parameters
    ----------
    source : Source

    Returns
    -------
    Record

    Raises
    ------
    ReadError
        If the columns cannot be told, a row has the wrong number of fields, or the wavelengths are no optical ones.
    """
    path = source.path
    if source.data is None:
        raise ReadError(
            path, expected=f"a text file of at most {MAX_BYTES >> 20} MB", found=f"{source.size / 1e6:.0f} MB"
        )
    header, units, names, body = _split(path, source.data.decode("utf-8", errors="replace"))
    where = _columns(path, names, header)
    values = _parse(path, body, where, names)
    scale = _unit(path, units, names[where["wave"]] if names else "")
    wave = 10.0 ** np.clip(values["wave"], -300, 300) if where["log"] else values["wave"] * scale
    order = slice(None) if wave[0] < wave[-1] else slice(None, None, -1)
    wave = _checked(path, wave[order], where)
    flux = values["flux"][order]
    ivar = np.isfinite(flux).astype(np.float32)
    if "ivar" in values:
        ivar = values["ivar"][order]
    elif "error" in values:
        error = values["error"][order]
        ivar = np.where(error > 0, error, np.inf) ** -2.0
    meta = {} if where.keys() & {"ivar", "error"} else {"ivar": "not given"}
    identity = re.sub(r"(\.(csv|ecsv|txt|dat|ascii|asc|spec|tsv))?(\.gz)?$", "", path.name, flags=re.IGNORECASE)
    row = {"spec_id": identity, "object_id": identity, "survey": "ASCII", "path": str(path)}
    return make_record(path, wave, flux, ivar, None, [row], meta)


def _split(path: Path, text: str) -> tuple[str, dict[str, str], list[str], list[tuple[int, str]]]:
    """The last comment, units by column name (ECSV), the names, and the numbered lines of data."""
    comment = ""
    units: dict[str, str] = {}
    names: list[str] = []
    body: list[tuple[int, str]] = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith(("#", "%")):
            column = _ECSV_COLUMN.match(stripped)
            if column and (unit := _ECSV_UNIT.search(column[2])):
                units[column[1].strip().casefold()] = unit[1].strip()
            if not body:
                comment = stripped.lstrip("#% ")
        elif stripped and not body and not names and not _numbers(stripped):
            names = _fields(stripped)
        elif stripped:
            body.append((number, line))
    if len(body) < MIN_PIXELS:
        raise ReadError(path, expected=f"at least {MIN_PIXELS} lines of numbers", found=f"{len(body)}")
    if not names and any(_LOGLAM & {n} or _WAVE.match(n) for n in _fields(comment)):
        names = _fields(comment)
    return comment, units, names, body


def _delimiter(line: str) -> str | None:
    return next((mark for mark in (",", ";", "|", "\t") if mark in line), None)


def _fields(line: str) -> list[str]:
    fields = [field.strip().strip("\"'") for field in line.strip().split(_delimiter(line))]
    return [field.casefold() for field in fields]


def _columns(path: Path, names: list[str], comment: str) -> dict[str, int]:
    """Column numbers of wave, flux and perhaps ivar or error; keys "log" and "air" are 1 or 0."""
    if not names:
        return {"wave": 0, "flux": 1, "log": 0, "air": 0}
    found: dict[str, int] = {}
    log = air = 0
    for i, full in enumerate(names):
        name = _UNIT_IN_NAME.sub("", full)
        if name in _LOGLAM or _WAVE.match(name):
            if "wave" not in found:
                found["wave"], log, air = i, int(name in _LOGLAM), int("air" in name)
            continue
        for role, known in (("flux", _FLUX), ("ivar", _IVAR), ("error", _ERROR)):
            if name in known:
                found.setdefault(role, i)
    if not {"wave", "flux"} <= found.keys():
        raise ReadError(
            path,
            expected="columns named wave (or wavelength, wave_air, loglam) and flux, and perhaps ivar or error",
            found=f"columns {', '.join(names)[:200]}",
            advice="Rename the columns, or leave the line of names out: the order is then wavelength, flux, error.",
        )
    return {**found, "log": log, "air": air}


def _parse(path: Path, body: list[tuple[int, str]], where: dict[str, int], names: list[str]) -> dict[str, np.ndarray]:
    delimiter = _delimiter(body[0][1])
    rows = [line.split(delimiter) for _, line in body]
    width = len(names) or len(rows[0])
    if not names and width >= 3:
        where["error"] = 2
    roles: list[str] = [role for role in ("wave", "flux", "ivar", "error") if role in where]
    values: dict[str, np.ndarray] = {role: np.empty(len(rows)) for role in roles}
    for i, (fields, (number, line)) in enumerate(zip(rows, body, strict=True)):
        if len(fields) != width:
            raise ReadError(
                path, expected=f"{width} fields in every line", found=f"{len(fields)} in line {number}: {line[:60]!r}"
            )
        for role in roles:
            field = fields[where[role]].strip().strip("\"'")
            try:
                values[role][i] = float(field) if field else np.nan
            except ValueError:
                raise ReadError(
                    path, expected=f"a number for the {role}", found=f"{field[:40]!r} in line {number}"
                ) from None
    return values


def _unit(path: Path, units: dict[str, str], name: str) -> float:
    in_name = _UNIT_IN_NAME.search(name)
    unit = units.get(name) or (in_name[1].strip() if in_name else "") or "angstrom"
    if unit.casefold() not in _UNITS:
        raise ReadError(path, expected="wavelengths in Angstrom, nm or um", found=f"the unit {unit[:40]!r}")
    return _UNITS[unit.casefold()]


def _checked(path: Path, wave: np.ndarray, where: dict[str, int]) -> np.ndarray:
    rising = bool((np.diff(wave) > 0).all())
    if not np.isfinite(wave).all() or not rising:
        raise ReadError(
            path,
            expected="wavelengths that are numbers and only rise, or only fall",
            found="others",
            advice="Sort the rows.",
        )
    if not _SHORTEST <= wave[0] < wave[-1] <= _LONGEST:
        raise ReadError(
            path,
            expected=f"wavelengths between {_SHORTEST:.0f} and {_LONGEST:.0f} Angstrom",
            found=f"{wave[0]:.6g} to {wave[-1]:.6g}",
            advice="Convert them to Angstrom, or name the column loglam if it holds logarithms.",
        )
    return air_to_vacuum(wave) if where["air"] else wave
