"""Objects of an archive, by identifier or position: LAMOST over its own interface, SDSS and DESI through SPARCL.

What was fetched is kept below the folder for work and not fetched again. Spectra of a list are fetched one after the
other when their turn comes, the next ones while one is looked at.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.spectrum_list import Item, SpectrumList
from racnet_tools.errors import RacnetError, ReadError

__all__ = [
    "ARCHIVES",
    "LAMOST_RELEASE",
    "MOST",
    "Query",
    "fetch_lamost",
    "open_archive",
    "parse_object",
    "sky_position",
]

LAMOST_RELEASE = "dr5"
#: Archives and their releases, the default first.
ARCHIVES: dict[str, tuple[str, ...]] = {
    "lamost": ("dr5", "dr4", "dr6", "dr7", "dr8", "dr9", "dr10", "dr11"),
    "sdss": ("dr17", "dr16"),
    "desi": ("dr1", "edr"),
}
#: Spectra near a position that are listed at most, and the largest radius in arcsec.
MOST, LARGEST = 200, 1800.0
_SECONDS, _ATTEMPTS = 30.0, 2
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_PLAIN = re.compile(r"([+-]?\d{1,3}(?:\.\d*)?)[\s,]+([+-]?\d{1,2}(?:\.\d*)?)")
_SEXAGESIMAL = re.compile(
    r"J?(\d{1,2})[\s:h]?(\d{2})[\s:m]?(\d{2}(?:\.\d*)?)s?[\s,]*([+-])(\d{1,2})[\s:d]?(\d{2})[\s:m']?(\d{2}(?:\.\d*)?)[s\"]?"
)


class Query:
    """What is asked of an archive.

    Parameters
    ----------
    archive, release : str
        A name of `ARCHIVES`, and one of its releases.
    text : str
        An identifier (LAMOST: obsid; SDSS and DESI: SPARCL's identifier, or the survey's own number), or a position.
    radius : float
        Arcsec around a position.

    Raises
    ------
    RacnetError
        If something of it cannot be meant.
    """

    def __init__(self, archive: str, release: str, text: str, radius: float = 5.0) -> None:
        if archive not in ARCHIVES:
            raise RacnetError(f"Expected an archive of {', '.join(ARCHIVES)}. Received: {archive[:40]!r}.")
        if release not in ARCHIVES[archive]:
            raise RacnetError(f"Expected a release of {', '.join(ARCHIVES[archive])}. Received: {release[:40]!r}.")
        if not 0 < radius <= LARGEST:
            raise RacnetError(f"Expected a radius above 0 and up to {LARGEST:.0f} arcsec. Received: {radius}.")
        self.archive, self.release, self.radius = archive, release, float(radius)
        self.position, self.name = parse_object(archive, text)

    def __str__(self) -> str:
        archive = f"{self.archive.upper()} {self.release.upper()}"
        if self.position is None:
            return f"{archive} {self.name}"
        return f'{archive} within {self.radius:g}" of {self.position[0]:.5f} {self.position[1]:+.5f}'

    @property
    def address(self) -> dict[str, str]:
        """What a link has to hold to ask the same."""
        state = {"open": self.archive, "release": self.release}
        if self.position is None:
            return {**state, "object": self.name}
        ra, dec = self.position
        return {**state, "object": f"{ra:.6f} {dec:+.6f}", "radius": f"{self.radius:g}"}

    @classmethod
    def from_address(cls, state: Mapping[str, str]) -> Query:
        """Undo `address`; raises RacnetError for what cannot be one."""
        archive = state.get("open", "")
        try:
            radius = float(state.get("radius", "5"))
        except ValueError:
            raise RacnetError(f"Expected a radius in arcsec. Received: {state['radius'][:40]!r}.") from None
        release = state.get("release", ARCHIVES.get(archive, ("",))[0])
        return cls(archive, release, state.get("object", ""), radius)


def parse_object(archive: str, text: str) -> tuple[tuple[float, float] | None, str]:
    """Position (ra, dec in degrees) or identifier that a visitor typed; one of the two is empty.

    Raises
    ------
    RacnetError
        If it is neither.
    """
    text = text.strip()
    position = sky_position(text)
    if position is not None:
        return position, ""
    if _NUMBER.fullmatch(text) and (archive != "lamost" or text.isdigit()):  # SDSS's own go below 0
        return None, text
    if archive != "lamost":
        try:
            return None, str(uuid.UUID(text))
        except ValueError:
            pass
    number = (
        "an obsid such as 101001" if archive == "lamost" else "a number such as 39627835576420141, SPARCL's identifier"
    )
    raise RacnetError(
        f"Expected {number}, or a position such as 10.684 +41.269 or 00:42:44.3 +41:16:09. Received: {text[:80]!r}."
    )


def sky_position(text: str) -> tuple[float, float] | None:
    """Right ascension and declination in degrees of a text, or None where it is no position.

    Examples
    --------
    >>> sky_position("10.684 +41.269")
    (10.684, 41.269)
    >>> sky_position("J004244.30+411609.0")
    (10.684583, 41.269167)
    >>> sky_position("101001") is None
    True
    """
    if plain := _PLAIN.fullmatch(text.strip()):
        ra, dec = float(plain[1]), float(plain[2])
    elif parts := _SEXAGESIMAL.fullmatch(text.strip()):
        hours, minutes, seconds, sign, degrees, arcmin, arcsec = parts.groups()
        if max(float(minutes), float(seconds), float(arcmin), float(arcsec)) >= 60:
            return None
        ra = 15 * (int(hours) + int(minutes) / 60 + float(seconds) / 3600)
        dec = float(f"{sign}1") * (int(degrees) + int(arcmin) / 60 + float(arcsec) / 3600)
    else:
        return None
    return (round(ra, 6), round(dec, 6)) if 0 <= ra < 360 and -90 <= dec <= 90 else None


def open_archive(settings: Settings, query: Query, **connection: Any) -> SpectrumList:
    """Ask an archive; nothing but the first spectrum is fetched yet.

    Parameters
    ----------
    settings : Settings
        Whether visitors may, and where fetched spectra are kept.
    query : Query
    **connection
        For tests: ``addresses`` and ``transport`` of `racnet_tools.archives.Lamost`, or ``client`` for SPARCL.

    Returns
    -------
    SpectrumList

    Raises
    ------
    RacnetError
        If visitors may not, the archive cannot be reached, has nothing there, or its spectrum cannot be read.
    """
    if not settings.archives:
        raise RacnetError("This server fetches nothing from archives. Open a file, or ask the one who serves it.")
    if query.archive == "lamost":
        rows = _near_lamost(query, **connection) if query.position else [(query.name, f"obsid {query.name}")]

        def fetch(name: str) -> Path:
            return fetch_lamost(settings, query.release, name, **connection)

    else:
        client = connection.get("client") or _sparcl()
        found = _find_sparcl(client, query)
        rows = [(str(row["obsid"]), _told(row)) for row in found]
        known = {str(row["obsid"]): row for row in found}

        def fetch(name: str) -> Path:
            return _fetch_sparcl(settings, client, query, known[name])

    if not rows:
        raise RacnetError(
            f"{query}: nothing there. Try a larger radius, another release, or check the position (degrees, ICRS)."
        )
    more = "" if len(rows) <= MOST else f", first {MOST}"
    spectra = SpectrumList(
        f"{query} ({min(len(rows), MOST)} spectr{'um' if len(rows) == 1 else 'a'}{more})",
        [Item(f"{query.archive.upper()}-{name}", told, name) for name, told in rows[:MOST]],
        fetch,
        python=_python(query, [name for name, _ in rows[:3]]),
        address=query.address,
    )
    if len(rows) == 1:
        spectra.load(0)  # says now what is wrong with it
    return spectra


def fetch_lamost(settings: Settings, release: str, obsid: str, **connection: Any) -> Path:
    """The file of a LAMOST spectrum, fetched once and kept; raises ReadError where it cannot be had."""
    if not settings.archives:
        raise ReadError(
            f"LAMOST obsid {obsid}",
            expected="a file on the server",
            found="none, and this server fetches nothing from archives",
            advice="Ask the one who serves the dashboards for it.",
        )
    from racnet_tools.archives import Lamost, LamostAddresses, Pace, fetch
    from racnet_tools.archives.token import find_token

    addresses = connection.get("addresses") or LamostAddresses(release)
    kept = settings.work / "archives" / "lamost" / addresses.name
    if (path := _kept(kept, obsid)) is not None:
        return path

    def into(folder: Path) -> str:
        transport = connection.get("transport")
        with Lamost(addresses, find_token(), 1, _SECONDS, transport) as lamost:
            summary = fetch(
                [lamost.job(obsid)],
                folder,
                lamost.client,
                pace=Pace(rate=5.0, pause=0.5, longest=5.0),
                connections=1,
                attempts=_ATTEMPTS,
                deadline=_SECONDS,
                redact=lamost.redact,
            )
        return summary.failed[0][2] if summary.failed else ""

    return _keep(kept, obsid, into, f"LAMOST obsid {obsid}")


def _kept(folder: Path, name: str) -> Path | None:
    return next((path for one in (".fits.gz", ".fits") if (path := folder / f"{name}{one}").is_file()), None)


def _keep(folder: Path, name: str, into: Callable[[Path], str], told: str) -> Path:
    """Fetch in a folder of one's own, so that visitors are not in each other's way, then move into the common one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetching-", dir=folder, ignore_cleanup_errors=True) as own:
            reason = into(Path(own))
            path = _kept(Path(own) / "spectra", name)
            if path is not None:
                return path.replace(folder / path.name)
    except OSError as error:
        reason = f"it cannot be kept on the server's disk: {error.strerror or error}"
    except RacnetError as error:
        reason = str(error)
    raise ReadError(
        told,
        expected="a spectrum from the archive",
        found=f"that it cannot be had ({reason})",
        advice="Check the identifier and the release; if the server does not answer, try again later.",
    )


def _near_lamost(query: Query, **connection: Any) -> list[tuple[str, str]]:
    from racnet_tools.archives import Lamost, LamostAddresses
    from racnet_tools.archives.token import find_token

    addresses = connection.get("addresses") or LamostAddresses(query.release)
    ra, dec = query.position or (0.0, 0.0)
    with Lamost(addresses, find_token(), 1, _SECONDS, connection.get("transport")) as lamost:
        table = lamost.cone_search(ra, dec, query.radius / 3600)
    if "obsid" not in table.colnames:
        raise RacnetError(f"{query}: the answer has no obsid ({', '.join(table.colnames)[:120]}). Try another release.")
    names = table.colnames
    return [
        (str(row["obsid"]), f"obsid {row['obsid']}{' ' + str(row['class']) if 'class' in names else ''}")
        for row in table
        if str(row["obsid"]).isdigit()
    ]


def _sparcl() -> Any:
    from racnet_tools.archives import sparcl

    return sparcl.connect()


def _find_sparcl(client: Any, query: Query) -> list[dict[str, Any]]:
    """Rows as `racnet_tools.archives.sparcl.find` chooses them, of one object or near a position."""
    from racnet_tools.archives.sparcl import DATA_SETS

    try:
        there = set(client.all_datasets)
        sets = [name for name in DATA_SETS[query.archive, query.release] if name in there]
        constraints: dict[str, list[Any]] = {"data_release": sets}
        if query.position is not None:
            (ra, dec), reach = query.position, query.radius / 3600
            wide = reach / max(math.cos(math.radians(dec)), 1e-3)
            constraints |= {"ra": [max(ra - wide, 0.0), min(ra + wide, 360.0)], "dec": [dec - reach, dec + reach]}
        elif _NUMBER.fullmatch(query.name):
            constraints["specid"] = [int(query.name)]
        else:
            constraints["sparcl_id"] = [query.name]
        fields = ["sparcl_id", "specid", "spectype", "redshift", "ra", "dec"]
        found = client.find(outfields=fields, constraints=constraints, limit=MOST + 1).records if sets else []
    except Exception as error:  # requests' and sparclclient's own, which have no common base
        raise RacnetError(
            f"SPARCL does not answer as it should ({type(error).__name__}: {str(error)[:200]}). Try again later."
        ) from error
    return [
        {
            "obsid": str(one["sparcl_id"]),
            "label": str(one.get("spectype") or ""),
            "z": one.get("redshift"),
            "specid": one.get("specid"),
        }
        for one in found
        if query.position is None or _apart(query.position, (one["ra"], one["dec"])) <= query.radius
    ]


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Arcsec between two positions in degrees that are near each other."""
    across = (one[0] - other[0] + 180) % 360 - 180
    return 3600 * math.hypot(across * math.cos(math.radians(one[1])), one[1] - other[1])


def _told(row: Mapping[str, Any]) -> str:
    z = f" z={float(row['z']):.4f}" if row.get("z") is not None else ""
    return f"{row.get('specid') or row['obsid']} {row['label']}{z}".strip()


def _fetch_sparcl(settings: Settings, client: Any, query: Query, row: Mapping[str, Any]) -> Path:
    from racnet_tools.archives.selection import Selection
    from racnet_tools.archives.sparcl import download_sparcl

    name = str(row["obsid"])
    kept = settings.work / "archives" / query.archive / query.release
    if (path := _kept(kept, name)) is not None:
        return path

    def into(folder: Path) -> str:
        chosen = Selection([{"obsid": name, "label": str(row["label"])}])
        summary = download_sparcl(client, query.archive, query.release, chosen, folder)
        return summary.failed[0][2] if summary.failed else ""

    return _keep(kept, name, into, f"{query.archive.upper()} {name}")


def _python(query: Query, names: list[str]) -> str:
    if query.archive == "lamost":
        return (
            f"# racnet download --release {query.release} --obsid {' '.join(names)} --output few\n"
            'import racnet_tools\n\nspectra = racnet_tools.read("few/spectra")'
        )
    from racnet_tools.archives.sparcl import DATA_SETS

    return (
        "from racnet_tools.archives import sparcl\nfrom racnet_tools.spectra import concatenate, LAMOST_GRID\n\n"
        f"client = sparcl.connect()\nrecords = client.retrieve(uuid_list={names!r}, include=[\n"
        '    "sparcl_id", "data_release", "spectype", "redshift", "redshift_err", "ra", "dec",\n'
        '    "wavelength", "flux", "ivar", "mask"],\n'
        f"    dataset_list={list(DATA_SETS[query.archive, query.release])!r}).records\n"
        "spectra = concatenate(sparcl.to_spectrum(one).to_grid(LAMOST_GRID) for one in records)"
    )
