"""A running average of the weights: steadier from epoch to epoch than the weights themselves.

Reference: Polyak & Juditsky 1992; exponential form as in Tan & Le 2019.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["WeightAverage"]


class WeightAverage:
    """Exponential moving average of variables, kept in numpy.

    The momentum grows as (1 + t) / (10 + t) up to its final value, so that the start is soon forgotten.

    Parameters
    ----------
    variables : sequence of keras variables
        What is averaged.
    momentum : float
        Share of the old average that is kept at each step, 0 <= momentum < 1; 0 for no averaging.
    """

    def __init__(self, variables: Sequence[Any], momentum: float) -> None:
        self._variables = list(variables)
        self.momentum = momentum
        self.steps = 0
        self.values = self._present()

    def update(self) -> None:
        """Take the variables' present values into the average."""
        share = np.float32(1 - min(self.momentum, (1 + self.steps) / (10 + self.steps)))
        self.steps += 1
        for value, present in zip(self.values, self._present(), strict=True):
            value += share * (present - value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the variables for the length of a ``with`` block."""
        kept = self._present()
        self.assign()
        try:
            yield
        finally:
            for variable, value in zip(self._variables, kept, strict=True):
                variable.assign(value)

    def assign(self) -> None:
        """Put the average into the variables for good."""
        for variable, value in zip(self._variables, self.values, strict=True):
            variable.assign(value)

    def _present(self) -> list[np.ndarray]:
        import keras

        return [np.array(keras.ops.convert_to_numpy(variable)) for variable in self._variables]
