"""The LAMOST server: which releases it has, where their spectra and catalogues are, and what is near a position."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from racnet_tools.archives.addresses import LamostAddresses
from racnet_tools.archives.answers import FailedError, RetryError, check_status
from racnet_tools.archives.fetching import Job
from racnet_tools.archives.http import import_httpx, make_client
from racnet_tools.archives.large_file import fetch_large
from racnet_tools.archives.token import Token
from racnet_tools.archives.votable import read_votable
from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import httpx
    from astropy.table import Table

__all__ = ["Lamost", "Release", "cache_folder"]


@dataclass(frozen=True)
class Release:
    """A release as the server's registry lists it; without a token only the public ones answer."""

    name: str
    version: str
    public: bool


def cache_folder() -> Path:
    """Where catalogues are kept: $RACNET_CACHE, or ``racnet`` in the user's cache folder."""
    chosen = os.environ.get("RACNET_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "racnet"


class Lamost:
    """A release of LAMOST on its server; a context manager.

    Parameters
    ----------
    addresses : LamostAddresses, optional
        DR5 on LAMOST's own server by default.
    token : Token, optional
        From `find_token`; anonymous without.
    connections : int
        Open at once.
    read_timeout : float
        Seconds that the server may be silent.
    transport : httpx.BaseTransport, optional
        Instead of the network, for tests.

    Examples
    --------
    >>> with Lamost() as lamost:  # doctest: +SKIP
    ...     near = lamost.cone_search(10.0, 41.0, 0.05)
    """

    def __init__(
        self,
        addresses: LamostAddresses | None = None,
        token: Token | None = None,
        connections: int = 4,
        read_timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.addresses = addresses or LamostAddresses()
        self.redact: Callable[[str], str] = token.redact if token else str
        self.client = make_client(self.addresses.spectrum(0), token, connections, read_timeout, transport)

    def releases(self) -> list[Release]:
        """The releases that the server lists.

        Raises
        ------
        RacnetError
            If it does not answer, or with something else.
        """
        try:
            listed = self._get(self.addresses.registry).json()["versions"]
            return [
                Release(str(one["dr_version"]), str(one["sub_version"]), one.get("public_status") == "public")
                for one in listed
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RacnetError(
                f"Expected a list of releases from {self.addresses.registry}. Received something else "
                f"({type(error).__name__})."
            ) from error

    def job(self, obsid: str) -> Job:
        """What to fetch for an obsid."""
        return Job(obsid, self.addresses.spectrum(obsid))

    def catalogue(self, folder: Path | None = None, progress: Callable | None = None) -> Path:
        """The release's general catalogue, fetched once and kept.

        Parameters
        ----------
        folder : Path, optional
            Where to keep it; `cache_folder` by default.
        progress : callable, optional
            Called with (bytes there, bytes in all or None).

        Returns
        -------
        Path

        Raises
        ------
        RacnetError
            See `fetch_large`.
        """
        folder = cache_folder() if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        return fetch_large(
            self.addresses.catalogue, folder / self.addresses.catalogue_name, self.client, progress=progress
        )

    def cone_search(self, ra: float, dec: float, radius: float) -> Table:
        """What the release has near a position.

        Parameters
        ----------
        ra, dec, radius : float
            Degrees, ICRS.

        Returns
        -------
        Table
            See `read_votable`.

        Raises
        ------
        RacnetError
            If the position is none, or the server does not answer with a VOTable.
        """
        if not (0 <= ra <= 360 and -90 <= dec <= 90 and 0 < radius <= 10):
            raise RacnetError(
                f"Expected ra in 0-360, dec in -90-90 and a radius up to 10 degrees. Received: {ra}, {dec}, {radius}."
            )
        answer = self._get(self.addresses.cone(ra, dec, radius)).content
        try:
            return read_votable(answer)
        except RacnetError as error:
            raise RacnetError(self.redact(str(error))) from None

    def _get(self, url: str) -> httpx.Response:
        httpx = import_httpx()
        try:
            with self.client.stream("GET", url) as response:
                check_status(response)
                response.read()
                return response
        except (RetryError, FailedError) as error:
            raise RacnetError(f"{httpx.URL(url).host}: {error.reason}. Try again later.") from None
        except httpx.HTTPError as error:
            raise RacnetError(
                f"{httpx.URL(url).host} cannot be reached ({type(error).__name__}). Check the network and try again."
            ) from None

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def __enter__(self) -> Lamost:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
