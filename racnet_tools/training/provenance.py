"""What a result was made with: versions of the packages, and the commit when the toolkit runs from its repository."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

import racnet_tools

__all__ = ["git_commit", "versions"]

_PACKAGES = ("numpy", "astropy", "keras", "tensorflow", "tensorflow-cpu", "torch", "jax", "tf2onnx", "onnx")


def versions() -> dict[str, str]:
    """Versions of Python, this package and those packages that can change a trained network."""
    found = {"racnet_tools": racnet_tools.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """Commit of the checkout that this package lies in, with ``-dirty`` after local changes; None elsewhere."""
    root = Path(racnet_tools.__file__).parents[1]
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
