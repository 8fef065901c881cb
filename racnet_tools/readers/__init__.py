"""From survey files to `SpectrumSet`: one module a product, found by what a file holds, not by its name.

================  =====================================================================================
`lamost_image`    LAMOST LRS, one image of five rows: DR1 (`image5_sub`), DR2 to DR8 (`image5`)
`lamost_coadd`    LAMOST LRS, a one-row table of vectors: DR9 and later (`coadd`)
`sdss_spec`       SDSS, BOSS, eBOSS `spec` files (with a SPECOBJ or a SPALL row)
`sdss_spspec`     SDSS DR7 and earlier `spSpec` files
`desi_coadd`      DESI coadds: three arms joined, one spectrum a fibre
`table_ascii`     text, CSV and ECSV: wavelength, flux, and ivar or error
================  =====================================================================================

A file is read or refused with a `ReadError`; nothing else escapes. Flux and ivar are the file's own values as float32;
wavelengths are in vacuum, Angstrom.
"""

from racnet_tools.readers.lamost_writer import write_lamost
from racnet_tools.readers.reading import read, read_batches, read_file
from racnet_tools.readers.registry import identify
from racnet_tools.readers.search import find_files

__all__ = ["find_files", "identify", "read", "read_batches", "read_file", "write_lamost"]
