"""The LAMOST general catalogues that VizieR keeps: V/164 (DR5, 9,026,365 rows) and V/156 (DR7), through astroquery.

For parts of them (one class, one piece of the sky). All of DR5 is better had from LAMOST itself, as one file. The
result can be saved and given to ``racnet download --catalogue FILE``.

Reference: https://cdsarc.cds.unistra.fr/viz-bin/cat/V/164 and .../V/156
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["TABLES", "query_catalogue", "save_catalogue"]

#: Release to VizieR's name of its general catalogue.
TABLES = {"dr5": "V/164/dr5", "dr7": "V/156/dr7lrs"}

#: VizieR's columns and ours. VizieR's names are those of V/164 and V/156 alike.
_COLUMNS = {
    "ObsID": "obsid",
    "RAJ2000": "ra",
    "DEJ2000": "dec",
    "snru": "snru",
    "snrg": "snrg",
    "snrr": "snrr",
    "snri": "snri",
    "snrz": "snrz",
    "Class": "class",
    "SubClass": "subclass",
    "z": "z",
    "e_z": "z_err",
}
_CLASSES = {"STAR": "STAR", "GALAXY": "GALAXY", "QSO": "QSO", "UNKNOWN": "Unknown"}


def query_catalogue(
    release: str = "dr5",
    label: str | None = None,
    *,
    position: tuple[float, float] | None = None,
    radius: float = 0.1,
    max_rows: int = 100_000,
    vizier: Any = None,
) -> Table:
    """Rows of a release's general catalogue.

    Parameters
    ----------
    release : {"dr5", "dr7"}
    label : {"STAR", "GALAXY", "QSO", "UNKNOWN"}, optional
        Only these.
    position : (float, float), optional
        ra and dec in degrees; only what is nearer than `radius`.
    radius : float
        Degrees.
    max_rows : int
        Not more than these are asked for; -1 for all.
    vizier : astroquery.vizier.VizierClass, optional
        Another client (another mirror, another timeout).

    Returns
    -------
    Table
        Columns obsid (text), class, subclass, z, z_err, snru to snrz, ra, dec. Empty if there are none.

    Raises
    ------
    RacnetError
        If VizieR has no such release, astroquery is missing, or VizieR does not answer.
    """
    if release not in TABLES:
        raise RacnetError(f"Expected a release that VizieR has ({', '.join(TABLES)}). Received: {release!r}.")
    if label is not None and label not in _CLASSES:
        raise RacnetError(f"Expected a label of {', '.join(_CLASSES)}. Received: {label!r}.")
    if vizier is None:
        vizier = _client(max_rows)
    filters = {} if label is None else {"Class": _CLASSES[label]}
    try:
        if position is None:
            answer = vizier.query_constraints(catalog=TABLES[release], **filters)
        else:
            from astropy import units
            from astropy.coordinates import SkyCoord

            centre = SkyCoord(*position, unit="deg")
            answer = vizier.query_region(
                centre, radius=radius * units.deg, catalog=TABLES[release], column_filters=filters
            )
    except Exception as error:  # requests' and astroquery's own, which have no common base
        raise RacnetError(
            f"VizieR does not answer as it should ({type(error).__name__}: {error}). Try again later."
        ) from error
    table = _ours(answer[0] if len(answer) else None)
    if label is None:
        return table
    return table[[str(value).strip().upper() == label for value in table["class"]]]


def _client(max_rows: int) -> Any:
    try:
        from astroquery.vizier import Vizier
    except ImportError as error:
        raise RacnetError(
            "VizieR's catalogues need the package astroquery, which is not installed: "
            "pip install 'racnet-tools[survey]'."
        ) from error
    return Vizier(columns=list(_COLUMNS), row_limit=max_rows, timeout=300)


def _ours(table: Table | None) -> Table:
    import numpy as np
    from astropy.table import Table

    if table is None:
        return Table({name: np.array([], dtype=str) for name in _COLUMNS.values()})
    absent = [name for name in ("ObsID", "Class") if name not in table.colnames]
    if absent:
        raise RacnetError(f"Expected the columns ObsID and Class from VizieR. Received: {', '.join(table.colnames)}.")
    kept = {ours: table[theirs] for theirs, ours in _COLUMNS.items() if theirs in table.colnames}
    result = Table(kept)
    result["obsid"] = np.array([str(value) for value in result["obsid"]], dtype=str)
    return result


def save_catalogue(table: Table, path: str | Path, overwrite: bool = False) -> None:
    """Write rows as a catalogue file that `read_catalogue` reads: ``|`` between the columns, missing = empty.

    Parameters
    ----------
    table : Table
        From `query_catalogue` or `Lamost.cone_search`.
    path : str or Path
    overwrite : bool
        Whether a file may be replaced.

    Raises
    ------
    RacnetError
        If the file exists.
    """
    import numpy as np

    columns = [["" if value is np.ma.masked else str(value) for value in table[name]] for name in table.colnames]
    with (
        atomic_path(path, overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write("|".join(table.colnames) + "\n")
        for row in zip(*columns, strict=True):
            file.write("|".join(value.replace("|", "/").replace("\n", " ") for value in row) + "\n")
