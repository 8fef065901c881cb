"""The real archives: LAMOST over its web interface, SDSS and DESI through SPARCL, catalogues through VizieR.

===============  ====================================================================================================
`addresses`      the servers' addresses, each with its source, and what is known of the releases
`token`          the LAMOST token: from the environment or the keyring, never written anywhere
`http`           one HTTP client with the project's rules: TLS verified, tokens over TLS only, redirects watched
`lamost`         the LAMOST server: releases, spectra, catalogue files, cone search
`votable`        the server's VOTables, whose ``datatype="date"`` astropy refuses
`catalogue`      catalogue files of millions of rows, read piece by piece
`selection`      which objects a recipe takes: seeded, repeatable, in constant memory
`fetching`       polite, resumable, checked downloads of many files
`large_file`     one large file, continued where it was cut off
`journal`        what is fetched already, and its checksums
`download`       all of this in one call, for the command `racnet download`
`sparcl`         SDSS and DESI spectra through the package sparclclient
`vizier`         the LAMOST catalogues V/164 (DR5) and V/156 (DR7) through astroquery
===============  ====================================================================================================

The packages that these need (httpx, keyring, astroquery) come with ``pip install 'racnet-tools[survey]'`` and are
imported when first used.
"""

from racnet_tools.archives.addresses import LamostAddresses
from racnet_tools.archives.catalogue import read_catalogue
from racnet_tools.archives.download import download_lamost
from racnet_tools.archives.fetching import Job, Pace, fetch
from racnet_tools.archives.lamost import Lamost
from racnet_tools.archives.selection import RECIPES, Selection, choose

__all__ = [
    "RECIPES",
    "Job",
    "Lamost",
    "LamostAddresses",
    "Pace",
    "Selection",
    "choose",
    "download_lamost",
    "fetch",
    "read_catalogue",
]
