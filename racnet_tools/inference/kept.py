"""What was measured of a preset, kept in its folder as JSON with the checksum of the network that was measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from racnet_tools.errors import RacnetError
from racnet_tools.files import atomic_path

if TYPE_CHECKING:
    from racnet_tools.inference.presets import Preset

__all__ = ["keep", "kept"]

T = TypeVar("T")


def keep(path: Path, content: dict[str, Any], overwrite: bool) -> Path:
    """Write content, which holds "sha256" of the network, as JSON; an existing file is kept unless `overwrite`."""
    with atomic_path(path, overwrite) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def kept(preset: Preset, file: str, what: str, understood: Callable[[dict[str, Any]], T]) -> T | None:
    """What `understood` makes of a preset's file; None where there is none, or it is of another network.

    Raises
    ------
    RacnetError
        If the file does not hold `what`.
    """
    path = preset.folder / file
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return understood(content) if content["sha256"] == preset.sha256 else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RacnetError(f"{path}: expected {what}; found {error!r}. Delete the file.") from error
