"""Where the shipped data and dashboards are: at the top of a checkout, or copied inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

from racnet_tools.errors import RacnetError

__all__ = ["dashboards_path", "data_path"]

_PACKAGE = Path(__file__).parent


def data_path(*parts: str) -> Path:
    """Path of a shipped file or folder.

    Parameters
    ----------
    *parts : str
        Path below the data folder, such as ``"presets", "racnet-class"``.

    Returns
    -------
    Path
        An existing file or folder.

    Raises
    ------
    RacnetError
        If it is not there.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent / "data"):
        if root.is_dir():
            path = root.joinpath(*parts)
            if path.exists():
                return path
            raise RacnetError(f"The toolkit's data folder {root} has no {'/'.join(parts)}. Reinstall racnet-tools.")
    raise RacnetError(f"No data folder beside {_PACKAGE}: the installation is incomplete. Reinstall racnet-tools.")


def dashboards_path() -> Path:
    """Folder of the dashboards' notebooks: `dashboards/` of a checkout, or its copy inside an installed wheel.

    Raises
    ------
    RacnetError
        If it is not there.
    """
    for root in (_PACKAGE / "_dashboards", _PACKAGE.parent / "dashboards"):
        if root.is_dir():
            return root
    raise RacnetError(f"No dashboards beside {_PACKAGE}: the installation is incomplete. Reinstall racnet-tools.")
