"""What the one who serves the dashboards lets their visitors do; kernels read it from the environment.

`racnet dashboards` sets the variables from its options; without them a notebook gets the defaults.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from racnet_tools.errors import RacnetError

__all__ = ["Settings"]

_PREFIX = "RACNET_DASHBOARDS_"
_MIB = 1024**2


@dataclass(frozen=True)
class Settings:
    """What visitors may open and where their work is kept.

    Attributes
    ----------
    spectra : Path or None
        Folder whose spectra, catalogues and data sets visitors may open; None where there is none.
    work : Path
        Folder that keeps inspections, sessions, training runs, saved presets and fetched spectra; made when first used.
    max_upload : int
        Largest file that may be uploaded, in bytes.
    archives : bool
        Whether visitors may fetch spectra from archives.
    """

    spectra: Path | None = None
    work: Path = Path("racnet_work")
    max_upload: int = 64 * _MIB
    archives: bool = True

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings from the variables RACNET_DASHBOARDS_SPECTRA, _WORK, _MAX_UPLOAD_MB and _ARCHIVES.

        Raises
        ------
        RacnetError
            If a variable holds something else than expected.
        """
        spectra = os.environ.get(f"{_PREFIX}SPECTRA")
        if spectra and not Path(spectra).is_dir():
            raise RacnetError(f"{_PREFIX}SPECTRA: expected a folder; found {spectra!r}. Name a folder, or unset it.")
        size = os.environ.get(f"{_PREFIX}MAX_UPLOAD_MB", "64")
        if not size.isdigit() or not 1 <= int(size) <= 1024:
            raise RacnetError(f"{_PREFIX}MAX_UPLOAD_MB: expected a whole number from 1 to 1024; received {size!r}.")
        work = os.environ.get(f"{_PREFIX}WORK")
        return cls(
            spectra=Path(spectra).resolve() if spectra else None,
            work=Path(work).resolve() if work else Path("racnet_work").resolve(),
            max_upload=int(size) * _MIB,
            archives=os.environ.get(f"{_PREFIX}ARCHIVES", "1") != "0",
        )

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` reads the same settings."""
        values = {
            "WORK": str(self.work),
            "MAX_UPLOAD_MB": str(self.max_upload // _MIB),
            "ARCHIVES": str(int(self.archives)),
        }
        if self.spectra is not None:
            values["SPECTRA"] = str(self.spectra)
        return {_PREFIX + name: value for name, value in values.items()}
