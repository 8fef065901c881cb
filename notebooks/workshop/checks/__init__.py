"""Automatic checks of the workshop's exercises: they say what is right, or what is wrong and where to look.

A lesson imports its own checks and ends each exercise with one call, whose result the notebook shows::

    from checks import lesson_1 as check
    check.exercise_1_1(my_answer)

A check is a function under `exercise` that raises `Wrong` with a sentence for the student, or returns one that says why
the answer is right. It never stops the notebook: what an answer raises is told like any other mistake.
"""

from checks.verdict import Verdict, Wrong, close, exercise, is_array, refuse, run

__all__ = ["Verdict", "Wrong", "close", "exercise", "is_array", "refuse", "run"]
