"""The archives' addresses in one table, each with its source. Nothing is contacted here.

LAMOST answers under two sets of addresses:

``openapi``  ``https://www.lamost.org/openapi/dr5/v3/lrs/spectrum/fits?obsid=101001`` (all releases);
``pages``    ``https://dr5.lamost.org/v3/spectrum/fits/101001`` (DR1 to DR7, one host a release) and
             ``https://www.lamost.org/dr10/v2.0/spectrum/fits/101001`` (DR8 and later).

Sources: LAMOST's own client pylamost (github.com/fandongwei/pylamost) and the answers recorded in astroquery's pull
request 3620 of 2026 for both; the release pages dr5.lamost.org and www.lamost.org/dr10 for the second. The second set
is published with ``http://``; it is used with ``https://`` here, so that what arrives is what the server sent.
The addresses of VizieR and SPARCL belong to astroquery and sparclclient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from racnet_tools.errors import RacnetError

__all__ = ["DEFAULT_RELEASE", "VERSIONS", "LamostAddresses"]

#: The release of the paper, and the only kind (DR5 to DR8) whose catalogue has the class Unknown that data set 1 needs.
DEFAULT_RELEASE = "dr5"

#: Last version of each release when this was written (pylamost's list; DR9 on: LAMOST's registry of 2026-06).
#: `Lamost.releases` asks the server for its own list.
VERSIONS = {
    "dr4": "v2",
    "dr5": "v3",
    "dr6": "v2",
    "dr7": "v2.0",
    "dr8": "v2.0",
    "dr9": "v2.0",
    "dr10": "v2.0",
    "dr11": "v2.0",
}

_WWW = "https://www.lamost.org"
_LAST_WITH_OWN_HOST = 7


@dataclass(frozen=True)
class LamostAddresses:
    """Where a LAMOST release is found.

    Parameters
    ----------
    release : str
        Such as ``"dr5"``, or ``"dr5/v3"`` with the version.
    style : {"openapi", "pages"}
        Which of the two sets of addresses.
    server : str, optional
        Another server that answers the same paths, ``http://`` or ``https://``; LAMOST's own by default.

    Raises
    ------
    RacnetError
        If the release or the server cannot be understood, or no version of the release is known.
    """

    release: str = DEFAULT_RELEASE
    style: Literal["openapi", "pages"] = "openapi"
    server: str | None = None

    def __post_init__(self) -> None:
        match = re.fullmatch(r"dr(\d{1,2})(?:/v(\d+(?:\.\d+)?))?", self.release.strip().lower())
        if not match:
            raise RacnetError(f"Expected a release such as dr5 or dr10/v2.0. Received: {self.release!r}.")
        if self.style not in ("openapi", "pages"):
            raise RacnetError(f"Expected addresses of the style openapi or pages. Received: {self.style!r}.")
        name = f"dr{int(match[1])}"
        if match[2] is None and name not in VERSIONS:
            raise RacnetError(f"Give the version of {name} too, such as {name}/v1.0: racnet download --releases lists.")
        object.__setattr__(self, "release", name)
        object.__setattr__(self, "_version", f"v{match[2]}" if match[2] else VERSIONS[name])
        if self.server is not None:
            parts = urlsplit(self.server)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
                raise RacnetError(f"Expected a server such as https://mirror.example.org. Received: {self.server!r}.")
            object.__setattr__(self, "server", self.server.rstrip("/"))

    @property
    def version(self) -> str:
        """Such as ``"v3"``."""
        return self._version  # type: ignore[attr-defined]

    @property
    def name(self) -> str:
        """Release and version in one word, ``"dr5_v3"``, as LAMOST's file names have them."""
        return f"{self.release}_{self.version}"

    def _base(self) -> str:
        if self.style == "openapi":
            return f"{self.server or _WWW}/openapi/{self.release}/{self.version}"
        if int(self.release[2:]) <= _LAST_WITH_OWN_HOST:
            return f"{self.server or f'https://{self.release}.lamost.org'}/{self.version}"
        return f"{self.server or _WWW}/{self.release}/{self.version}"

    def spectrum(self, obsid: int | str) -> str:
        """Address of a low-resolution spectrum (FITS, gzipped)."""
        number = quote(str(obsid), safe="")
        if self.style == "openapi":
            return f"{self._base()}/lrs/spectrum/fits?obsid={number}"
        return f"{self._base()}/spectrum/fits/{number}"

    @property
    def catalogue_name(self) -> str:
        """File name of the general catalogue: ``dr5_v3.csv.gz``, and ``dr7_v2.0_LRS_catalogue.csv.gz`` from DR7 on."""
        if int(self.release[2:]) <= 5:
            return f"{self.name}.csv.gz"
        if self.release == "dr6":
            return f"{self.name}_LSR.csv.gz"  # so spelt on the server
        return f"{self.name}_LRS_catalogue.csv.gz"

    @property
    def catalogue(self) -> str:
        """Address of the general catalogue."""
        service = "catalog" if self.style == "openapi" else "catdl"
        return f"{self._base()}/{service}?name={quote(self.catalogue_name)}"

    def cone(self, ra: float, dec: float, radius: float) -> str:
        """Address of a cone search; all in degrees. The answer is a VOTable."""
        service = "/lrs/voservice/conesearch" if self.style == "openapi" else "/voservice/conesearch"
        return f"{self._base()}{service}?ra={ra:.7f}&dec={dec:.7f}&sr={radius:.7f}"

    @property
    def registry(self) -> str:
        """Address of the list of releases, the same for both styles."""
        return f"{self.server or _WWW}/openapi/dr_versions"
