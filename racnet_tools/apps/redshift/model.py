"""What the redshift explorer knows: a simulated object at a redshift, and what presets say of it there and elsewhere.

No widget here. Spectra are simulated when they are looked at (`racnet_tools.simulate.MovableObjects`); accuracy comes
from the sweeps that ship (`racnet_tools.evaluate.kept_sweeps`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import Proportion
from racnet_tools.evaluate.kept_sweeps import SEED, Sweep, kept_sweeps
from racnet_tools.inference import Preset, available_presets, load_preset
from racnet_tools.inference.classifier import Classifier
from racnet_tools.inference.words import redshift_words
from racnet_tools.models.measured import CATASTROPHIC
from racnet_tools.plots.interactive_redshift import AccuracyCurve, MeasuredRedshifts
from racnet_tools.simulate import SWEEP_RANGES, MovableObjects
from racnet_tools.spectra import SpectrumSet
from racnet_tools.spectra.lines import kinds_of, known_lines

__all__ = ["KINDS", "RedshiftModel"]

KINDS = tuple(SWEEP_RANGES)
_SHOWN_FIRST = ("racnet-survey", "racnet-class", "racnet-dataset1")
#: Lines that astronomers look for first, by class.
_STRONG = {
    "STAR": ("Ca II K", "H-delta", "H-gamma", "H-beta", "Mg b2", "Na D2", "H-alpha", "Ca II 8542"),
    "GALAXY": ("[O II] 3727", "[O II] 3729", "Ca II K", "H-beta", "[O III] 5007", "Mg b2", "Na D2", "H-alpha"),
    "QSO": ("Ly-alpha", "C IV", "C III]", "Mg II", "H-beta", "[O III] 5007", "H-alpha"),
}


class RedshiftModel:
    """State of the redshift explorer.

    Attributes
    ----------
    kind : str
        Class of the object: STAR, GALAXY or QSO.
    number : int
        Which of the objects, from 0.
    z : float
        Redshift it is seen at.
    shown : tuple of str
        Presets that judge it, the first of them in detail.
    spectrum : SpectrumSet
        One simulated spectrum.
    said : dict of str to dict
        Preset shown to what `racnet_tools.classify` says of the spectrum: column to value.
    """

    def __init__(self) -> None:
        self._presets: dict[str, Preset] = {}
        networks = {}
        for name in available_presets():
            preset = load_preset(name)
            if set(KINDS) <= set(preset.classes):
                self._presets[name] = preset
                networks[name] = preset.sha256
        self._sweeps = {(one.preset, one.kind): one for one in kept_sweeps(networks)}
        swept = [name for name in self._presets if any(name == one for one, _ in self._sweeps)]
        self.presets = tuple(sorted(swept, key=lambda name: (*(name != first for first in _SHOWN_FIRST), name)))
        if not self.presets:
            raise RacnetError("No sweep is of the presets here: run data/redshift/build_sweeps.py.")
        self._classifiers: dict[str, Classifier] = {}
        self.shown = tuple(name for name in _SHOWN_FIRST if name in self.presets) or self.presets[:1]
        self.kind, self.number, self.z = "GALAXY", 39, 0.0  # one that networks lose on its way
        self._take()
        self.set_z(self.drawn_z)

    @property
    def objects(self) -> int:
        """Number of objects of the class."""
        return len(self._sweep(self.shown[0]).p)

    @property
    def drawn_z(self) -> float:
        """Redshift that the simulation drew for the object."""
        return float(np.clip(self._moved.z[0], *self.limits))

    @property
    def limits(self) -> tuple[float, float]:
        """Redshifts to which the object can be moved."""
        return SWEEP_RANGES[self.kind]

    @property
    def step(self) -> float:
        """Width of a step in redshift: that between the points of the curves."""
        z = self._sweep(self.shown[0]).z
        return float(np.median(np.diff(z)))

    def classes(self, preset: str) -> tuple[str, ...]:
        """Classes of a preset, in the order of its probabilities."""
        return self._presets[preset].classes

    # Choices

    def choose_kind(self, kind: Any) -> None:
        """Look at objects of another class, at the redshift drawn for the first."""
        if kind not in KINDS:
            raise RacnetError(f"Expected one of {', '.join(KINDS)}. Received: {str(kind)[:40]!r}.")
        self.kind, self.number = str(kind), 0
        self._take()
        self.set_z(self.drawn_z)

    def choose_object(self, number: Any) -> None:
        """Look at another object, counted from 0, at the same redshift."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < self.objects:
            raise RacnetError(f"Expected an object from 1 to {self.objects}. Received: {_one_more(number)}.")
        self.number = number
        self._take()
        self.set_z(self.z)

    def set_z(self, z: Any) -> None:
        """Move the object."""
        low, high = self.limits
        try:
            value = float(z)
        except (TypeError, ValueError):
            value = np.nan
        if isinstance(z, bool) or not low <= value <= high:
            raise RacnetError(f"Expected a redshift from {low:g} to {high:g} for {self.kind}. Received: {str(z)[:40]}.")
        self.z = value
        self.spectrum: SpectrumSet = self._moved.at(value)
        self.said = {name: self._judge(name) for name in self.shown}

    def show(self, presets: Any) -> None:
        """Choose the presets that judge."""
        wanted = [name for name in self.presets if name in set(presets)]
        if not wanted or len(wanted) != len(set(presets)):
            raise RacnetError(
                f"Expected one or more of {', '.join(self.presets)}. Received: {str(list(presets))[:80]}."
            )
        self.shown = tuple(wanted)
        self.said = {name: self.said.get(name) or self._judge(name) for name in self.shown}

    # What is shown

    def curves(self) -> dict[str, AccuracyCurve]:
        """Accuracy against redshift of the presets shown, for the object's class."""
        return {name: AccuracyCurve(self._sweep(name).z, *self._sweep(name).accuracy()) for name in self.shown}

    def probabilities(self, preset: str) -> np.ndarray:
        """Class probabilities (k,) that a preset shown gives the spectrum."""
        return np.array([self.said[preset][f"p_{name}"] for name in self.classes(preset)])

    def redshift(self, preset: str) -> str:
        """The redshift that a preset shown measures in the spectrum, with its error, in words; "" for none."""
        row = self.said[preset]
        return redshift_words(row["z"], row["z_error"]) if "z" in row else ""

    def measured(self) -> MeasuredRedshifts | None:
        """Redshifts that the first preset shown that measures any gives the objects; None where none of them does."""
        for name in self.shown:
            sweep = self._sweep(name)
            if sweep.measured is not None:
                now = (self.said[name]["z"], self.said[name]["z_error"])
                return MeasuredRedshifts(name, sweep.z, sweep.measured, self.number, self.z, *now)
        return None

    @property
    def tolerance(self) -> float | None:
        """|dz| / (1 + z) beyond which a redshift of the class is wrong; None for stars, which have none to speak of."""
        return CATASTROPHIC.get(self.kind)

    def along(self) -> tuple[np.ndarray, np.ndarray]:
        """Redshifts (m,) and probabilities (m, k) of the object by the first preset shown."""
        sweep = self._sweep(self.shown[0])
        return sweep.z, sweep.p[self.number] / 255

    def objects_at(self, preset: str, place: int) -> list[tuple[int, str, float]]:
        """Objects behind a point of a curve: number, class given, its probability; wrong ones first.

        Raises
        ------
        RacnetError
            If there is no such point.
        """
        if preset not in self.shown or not 0 <= place < len(self._sweep(preset).z):
            raise RacnetError("Expected a point of one of the curves.")
        sweep = self._sweep(preset)
        p, given = sweep.p[:, place] / 255, sweep.given()[:, place]
        rows = [(i, sweep.classes[k], float(p[i, k])) for i, k in enumerate(given)]
        return sorted(rows, key=lambda row: (row[1] == self.kind, -row[2] if row[1] != self.kind else row[2]))

    def z_at(self, preset: str, place: int) -> float:
        """Redshift of a point of a curve."""
        return float(self._sweep(preset).z[place])

    def binned(self) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], np.ndarray]:
        """Borders of redshift bins, each preset's share right with its limits, and the number of objects."""
        first = self._sweep(self.shown[0]).binned
        some = first.n > 0
        edges = first.edges
        shares = {}
        for name in self.shown:
            one = self._sweep(name).binned
            found = [Proportion(int(r), int(n)) for r, n in zip(one.right, one.n, strict=True)]
            limits = np.array([share.interval if share.n else (np.nan, np.nan) for share in found])
            value = np.array([share.value if share.n else np.nan for share in found])
            shares[name] = (value, limits[:, 0], limits[:, 1])
        first_bin, last_bin = np.flatnonzero(some)[[0, -1]]
        kept = slice(first_bin, last_bin + 1)
        cut = {name: (a[kept], b[kept], c[kept]) for name, (a, b, c) in shares.items()}
        return edges[first_bin : last_bin + 2], cut, first.n[kept]

    def lines(self) -> tuple[np.ndarray, list[str]]:
        """Rest wavelengths (Angstrom, vacuum) and names of the lines to follow."""
        return _strong(self.kind)

    def window(self) -> list[tuple[str, float, str]]:
        """Lines with their observed wavelengths and where they are: "in", "left" (beyond the red end) or "not yet"."""
        wave = self.spectrum.wave
        found = []
        for rest, name in zip(*self.lines(), strict=True):
            at = rest * (1 + self.z)
            found.append((name, at, "in" if wave[0] <= at <= wave[-1] else "left" if at > wave[-1] else "not yet"))
        return found

    def _take(self) -> None:
        self._moved = _moved(self.kind, self.number)

    def _sweep(self, preset: str) -> Sweep:
        return self._sweeps[preset, self.kind]

    def _judge(self, name: str) -> dict[str, Any]:
        if name not in self._classifiers:
            self._classifiers[name] = Classifier(self._presets[name], threads=1)
        judge = self._classifiers[name]
        return dict(zip((column.name for column in judge.columns), judge.rows(self.spectrum)[0], strict=True))


@lru_cache(maxsize=8)
def _moved(kind: str, number: int) -> MovableObjects:
    return MovableObjects(kind, 1, seed=(SEED, number))


@lru_cache(maxsize=3)
def _strong(kind: str) -> tuple[np.ndarray, list[str]]:
    waves: dict[str, float] = {}
    for line in known_lines():
        if line.kind in kinds_of(kind) and line.name in _STRONG[kind]:
            waves.setdefault(line.name, line.wave)
    return np.array(list(waves.values())), list(waves)


def _one_more(number: Any) -> str:
    return str(number + 1) if type(number) is int else repr(str(number)[:40])
