"""Spectral lines and bands with their sources: ``data/lines/lines.csv``, everything in vacuum.

Nebular, stellar and quasar features are at rest; telluric bands and sky lines where they are observed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.resources import data_path
from racnet_tools.spectra.air_vacuum import air_to_vacuum

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["KINDS", "Line", "kinds_of", "known_lines", "line_list", "line_windows"]

KINDS = ("nebular", "stellar", "quasar", "telluric", "sky")

_OF_CLASS = {"STAR": ("stellar",), "GALAXY": ("nebular", "stellar"), "QSO": ("quasar",)}

_HALF_WIDTH = {"nebular": 500.0, "stellar": 700.0, "quasar": 4000.0, "sky": 500.0}
"""Half the width of the window around a line, km/s; bands have their own ends."""

_FORBIDDEN = 1000.0  # km/s: a quasar's forbidden lines come from slower gas

_LIGHT = 299_792.458  # km/s


@dataclass(frozen=True, slots=True)
class Line:
    """A line or band: names, kind, and vacuum wavelengths of its centre and ends (NaN for the ends of a line)."""

    name: str
    feature: str
    kind: str
    frame: str
    wave: float
    low: float
    high: float
    source: str


@lru_cache(maxsize=1)
def _in_file() -> tuple[Line, ...]:
    text = (data_path("lines") / "lines.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in text if not line.startswith("#")))
    values = np.array([[float(row[name] or "nan") for name in ("wave", "low", "high")] for row in rows])
    air = np.array([row.pop("medium") == "air" for row in rows])
    values[air] = air_to_vacuum(values[air])
    return tuple(
        Line(**{**row, "wave": wave, "low": low, "high": high})
        for row, (wave, low, high) in zip(rows, values.tolist(), strict=True)
    )


@lru_cache(maxsize=1)
def known_lines() -> tuple[Line, ...]:
    """All lines and bands, by wavelength: what `line_list` gives, without the second that astropy's tables cost."""
    return tuple(sorted(_in_file(), key=lambda line: line.wave))


def kinds_of(label: str) -> tuple[str, ...]:
    """Kinds at rest that a spectrum of a class shows; letters of stellar types count as STAR, all else as GALAXY."""
    return _OF_CLASS.get("STAR" if label in tuple("OBAFGKM") else label, _OF_CLASS["GALAXY"])


@lru_cache(maxsize=1)
def _all() -> Table:
    from astropy.table import Table

    table = Table({name: [getattr(line, name) for line in _in_file()] for name in Line.__slots__})
    for name in ("wave", "low", "high"):
        table[name].unit = "Angstrom"
    for row in np.flatnonzero(~np.isfinite(table["low"])):
        kind = table["kind"][row]
        narrow = kind == "quasar" and str(table["name"][row]).startswith("[")
        away = table["wave"][row] * (_FORBIDDEN if narrow else _HALF_WIDTH[kind]) / _LIGHT
        table["low"][row], table["high"][row] = table["wave"][row] - away, table["wave"][row] + away
    return table


def line_list(*kinds: str) -> Table:
    """Lines and bands of some kinds, by wavelength.

    Parameters
    ----------
    *kinds : str
        Of `KINDS`; all by default.

    Returns
    -------
    Table
        Columns name, feature (what is summed together, such as "Mg b"), kind, frame ("rest" or "observed"), wave, low,
        high (vacuum, Angstrom: centre, and the ends of the band or of a window around the line: 500 km/s to each side
        of nebular and sky lines, 700 of stellar, 4,000 of quasars' ones, 1,000 of quasars' forbidden ones), source.

    Raises
    ------
    RacnetError
        If a kind is unknown.
    """
    if strange := [kind for kind in kinds if kind not in KINDS]:
        raise RacnetError(f"Expected kinds of lines among {', '.join(KINDS)}. Received: {', '.join(strange)}.")
    table = _all().copy()
    if kinds:
        table = table[np.isin(table["kind"], kinds)]
    table.sort("wave")
    return table


def line_windows(label: str, z: float, wave: np.ndarray) -> Table:
    """Where the features of an object lie in its spectrum, telluric bands and sky lines among them.

    Parameters
    ----------
    label : str
        STAR, GALAXY, QSO or a letter of a stellar type; anything else, such as UNKNOWN, is looked at as a galaxy.
    z : float
        Redshift; not finite: no features of its own.
    wave : (n_pix,) array
        Angstrom, vacuum, increasing.

    Returns
    -------
    Table
        As `line_list`, observed: wave, low and high are multiplied by 1 + z for features at rest. Those whose centre
        lies outside `wave` are left out. Columns first, last: pixels of the window, the last one not in it.
    """
    table = line_list("telluric", "sky", *(kinds_of(label) if np.isfinite(z) else ()))
    moved = np.where(table["frame"] == "rest", 1.0 + (z if np.isfinite(z) else 0.0), 1.0)
    for name in ("wave", "low", "high"):
        table[name] = table[name] * moved
    table = table[(table["wave"] >= wave[0]) & (table["wave"] <= wave[-1])]
    table["first"] = np.searchsorted(wave, table["low"])
    table["last"] = np.searchsorted(wave, table["high"], side="right")
    return table
