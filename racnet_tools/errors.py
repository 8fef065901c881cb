"""The exceptions that a user of the toolkit meets; each says what was received, what was expected and what to do."""

from __future__ import annotations

from pathlib import Path

__all__ = ["RacnetError", "ReadError"]


class RacnetError(Exception):
    """Base of all errors that the toolkit raises on purpose; its message is written for the user."""


class ReadError(RacnetError):
    """A file was refused.

    Parameters
    ----------
    path : str or Path
        The file.
    expected, found : str
        What the reader needs, and what it met instead.
    advice : str, optional
        What to do next, a sentence.

    Attributes
    ----------
    path : str
    reason : str
        The message without the path, for tables of refused files.
    """

    def __init__(self, path: str | Path, *, expected: str, found: str, advice: str = "") -> None:
        self.path = str(path)
        self.expected = expected
        self.found = found
        self.advice = advice
        self.reason = f"expected {expected}; found {found}." + (f" {advice}" if advice else "")
        super().__init__(f"{self.path}: {self.reason}")

    def __reduce__(self):
        """Travel between worker processes with all attributes."""
        return _read_error, (self.path, self.expected, self.found, self.advice)


def _read_error(path: str, expected: str, found: str, advice: str) -> ReadError:
    return ReadError(path, expected=expected, found=found, advice=advice)
