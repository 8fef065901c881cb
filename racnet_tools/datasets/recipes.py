"""Data sets 1, 2 and 3 of Zou et al. 2020 (PASP 132, 044503) as recipes: which spectra, of which class, how many.

A recipe looks at the columns ``label`` and ``subclass`` only, so it works on simulated and on real spectra alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from racnet_tools.datasets.labels import class_indices
from racnet_tools.errors import RacnetError

__all__ = ["RECIPES", "Recipe", "recipe"]

# G, G5, G5V, G0Va (143761), F2.5 III-IV; not Galaxy, dM4, sdF5, DoubleStar, EM, K+M or F/A.
_MK_TYPE = re.compile(r"([OBAFGKM])(\d(\.\d)?)?([IV]+[^+/]*|e|:|\s[^+/]*)?")


@dataclass(frozen=True)
class Recipe:
    """What a data set is made of.

    Attributes
    ----------
    name, title : str
    classes : tuple of str
        In the order of the labels.
    by : {"label", "spectral type"}
        Whether the classes are the survey's labels, or spectral types of its stars.
    per_class : int
        Spectra of each class, training and test together, at scale 1.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    by: Literal["label", "spectral type"] = "label"
    per_class: int = 10_000

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or self.per_class < 1 or self.by not in ("label", "spectral type"):
            raise RacnetError(f"A recipe needs two classes or more, and spectra of each. Received: {self}.")

    def indices(self, label: Sequence[str] | np.ndarray, subclass: Sequence[str] | np.ndarray) -> np.ndarray:
        """Class index of each spectrum, -1 for those that do not belong.

        Parameters
        ----------
        label, subclass : (n,) sequences of str
            The columns of those names; case does not matter in labels.

        Returns
        -------
        (n,) int64
        """
        if self.by == "label":
            return class_indices(label, self.classes)
        types = [
            found.group(1) if str(kind).strip().casefold() == "star" and (found := _mk(text)) else ""
            for kind, text in zip(label, subclass, strict=True)
        ]
        return class_indices(types, self.classes)

    def counts(self, scale: float = 1.0) -> dict[str, int]:
        """Spectra of each class at a scale.

        Raises
        ------
        RacnetError
            If the scale leaves no class five spectra, the fewest that an 8:2 split can divide.
        """
        n = round(self.per_class * scale) if np.isfinite(scale) else 0
        if n < 5:
            raise RacnetError(
                f"Expected a scale that leaves five spectra of a class or more. Received: {scale}, which makes {n}."
            )
        return dict.fromkeys(self.classes, n)


def _mk(text: str) -> re.Match[str] | None:
    return _MK_TYPE.fullmatch(str(text).strip())


#: The paper's data sets.
RECIPES = {
    r.name: r
    for r in (
        Recipe("dataset1", "Data set 1: stars, galaxies, quasars and unknown", ("STAR", "GALAXY", "QSO", "UNKNOWN")),
        Recipe("dataset2", "Data set 2: stars, galaxies and quasars", ("STAR", "GALAXY", "QSO")),
        Recipe("dataset3", "Data set 3: stars of types F, G and K", ("F", "G", "K"), "spectral type"),
    )
}


def recipe(name: str | Recipe) -> Recipe:
    """One of `RECIPES` by its name; a `Recipe` is given back.

    Raises
    ------
    RacnetError
        If there is none of that name.
    """
    if isinstance(name, Recipe):
        return name
    if name not in RECIPES:
        raise RacnetError(f"Expected one of the recipes {', '.join(RECIPES)}. Received: {name!r}.")
    return RECIPES[name]
