"""What a check says, and the helpers that checks are written with."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


class Wrong(Exception):
    """An answer is not right yet; the message tells the student what about it."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer.

    Attributes
    ----------
    exercise : str
        Such as ``"1.2"``.
    right : bool
    text : str
        Why it is right, or what is wrong.
    """

    exercise: str
    right: bool
    text: str

    @property
    def heading(self) -> str:
        """The outcome in words, so that it does not rest on colour."""
        return f"✓ Exercise {self.exercise}: right" if self.right else f"✗ Exercise {self.exercise}: not yet"

    def __repr__(self) -> str:
        return f"{self.heading}. {self.text}"

    def _repr_html_(self) -> str:
        colour = "#0072b2" if self.right else "#d55e00"  # told apart by colour-blind readers too
        return (
            f'<div style="border-left: 5px solid {colour}; padding: 0.4em 0.8em; margin: 0.3em 0;">'
            f"<strong>{html.escape(self.heading)}.</strong> {html.escape(self.text)}</div>"
        )


def exercise(number: str) -> Callable[[Callable[..., str]], Callable[..., Verdict]]:
    """Make a check of a function that takes the answers and returns praise or raises `Wrong`."""

    def check_of(judge: Callable[..., str]) -> Callable[..., Verdict]:
        @functools.wraps(judge)
        def check(*answers: Any, **more: Any) -> Verdict:
            if any(answer is Ellipsis for answer in (*answers, *more.values())):
                return Verdict(number, False, "There is no answer yet: replace the ... in the cell above and run it.")
            try:
                return Verdict(number, True, judge(*answers, **more))
            except Wrong as wrong:
                return Verdict(number, False, str(wrong))
            except Exception as error:
                told = f"The check could not use your answer: {type(error).__name__}: {error}"
                return Verdict(number, False, told)

        return check

    return check_of


def run(function: Any, *arguments: Any) -> Any:
    """What a student's function returns.

    Raises
    ------
    Wrong
        When it is no function, fails, or returns nothing or the placeholder.
    """
    if not callable(function):
        raise Wrong(f"Expected a function. Received: {type(function).__name__}.")
    name = getattr(function, "__name__", "your function")
    try:
        found = function(*arguments)
    except Exception as error:
        raise Wrong(f"{name} stopped with {type(error).__name__}: {error}") from error
    if found is None:
        raise Wrong(f"{name} returned nothing. Does it end with a return statement?")
    if found is Ellipsis:
        raise Wrong(f"{name} returned ... : replace the placeholder by your code.")
    return found


def is_array(value: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The value as an array of finite numbers.

    Raises
    ------
    Wrong
        When it has another shape, no numbers, or numbers that are not finite.
    """
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise Wrong(f"{what} should be an array of numbers. Received: {type(value).__name__}.") from None
    if array.shape != shape:
        raise Wrong(f"{what} should have the shape {shape}. Yours has {array.shape}.")
    if not np.isfinite(array).all():
        raise Wrong(f"{what} has {np.count_nonzero(~np.isfinite(array))} values that are not finite (NaN or infinite).")
    return array


def close(value: Any, expected: float, tolerance: float) -> bool:
    """Whether a single number is within a tolerance of another.

    Raises
    ------
    Wrong
        When the value is not a single number.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Wrong(f"Expected a single number. Received: {type(value).__name__} {value!r:.60}") from None
    return abs(number - expected) <= tolerance


def refuse(value: Any, mistakes: Mapping[str, Any], tolerance: float = 1e-3) -> None:
    """Recognise what a usual mistake gives.

    Parameters
    ----------
    value : number or array
        The answer.
    mistakes : mapping of str to number or array
        The sentence for the student, and what the mistake gives.
    tolerance : float
        Largest difference, as a share of the largest absolute value that the mistake gives.

    Raises
    ------
    Wrong
        With the sentence of the first mistake that gives the value.
    """
    found = np.asarray(value, float)
    for sentence, mistaken in mistakes.items():
        expected = np.asarray(mistaken, float)
        if found.shape == expected.shape and (
            np.abs(found - expected).max(initial=0) <= tolerance * np.abs(expected).max(initial=0)
        ):
            raise Wrong(sentence)
