"""What a result was made with: versions of the packages, and the commit when the toolkit runs from its repository."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

__all__ = ["git_commit", "versions"]

_PACKAGES = ("numpy", "astropy", "keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "onnx")


def versions() -> dict[str, str]:
    """Versions of Python, this package and those packages that can change a trained network."""
    package = sys.modules["racnet_tools"]  # imported already; naming it here would tie this stage to all the others
    found = {"racnet_tools": package.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Commit of the checkout that this package lies in, with ``-dirty`` after local changes; None elsewhere."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
