"""A class for each spectrum and, where the class has a preset of its own, a subclass.

The out-of-distribution score is the entropy of the class probabilities divided by its largest possible value,
log(n_classes): 0 where the network is sure, 1 where it cannot tell at all; of a joint network the doubt about the
redshift is in it too. A network can be sure and wrong about a spectrum unlike all that it was trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.engines import AUTO, DEFAULT, Predictor, choose_engine, make_engine
from racnet_tools.inference.presets import Preset, load_preset
from racnet_tools.models.measured import Redshifts, Subtypes, log_redshifts, measure_redshifts, measure_subtypes
from racnet_tools.models.quality import (
    LOW_SNR,
    MANY_GAPS,
    QUALITY_BITS,
    UNSURE_SUBTYPE,
    Limits,
    prediction_sets,
    quality_bits,
)
from racnet_tools.models.uncertainty import joint_ood_score, ood_score
from racnet_tools.spectra.spectrum_set import SpectrumSet

__all__ = ["Classifier", "Column", "ood_score", "printable"]

# Probabilities are given to the precision that does not depend on the batch size.
_DECIMALS = 6


@dataclass(frozen=True)
class Column:
    """A column of the catalogue: its name, the type of its values and what they are."""

    name: str
    kind: type
    description: str


_WITH_REDSHIFT = "; with the doubt about the redshift (racnet_tools.models.uncertainty.joint_ood_score)"
_JOINT_COLUMNS = (
    Column("subtype", str, "spectral type of a star with its tenth, such as F5"),
    Column("subtype_error", float, "standard deviation of the subtype, in tenths of a type"),
    Column("z", float, "redshift measured in the spectrum"),
    Column("z_error", float, "its standard deviation, if the peak is the right one"),
    Column("prediction_set", str, "classes that cannot be excluded, joined by |; empty for none"),
    Column(
        "quality",
        int,
        "sum of bits, 0 for no doubt: " + ", ".join(f"{bit} {name}" for name, (bit, _) in QUALITY_BITS.items()),
    ),
)
"""What a joint network gives beside a class."""


class Classifier:
    """A preset's network, and those of its subclasses, ready to classify.

    Parameters
    ----------
    preset : Preset, str or Path
        A preset, its name or its folder.
    batch_size, threads : int, optional
        See `Engine`.
    engine : str or mapping of str to str
        Name of an engine of `racnet_tools.inference.engines.ENGINES`; "auto" for the quickest that agrees on this
        machine; or one for each of the presets used.

    Attributes
    ----------
    preset : Preset
    engines : dict of str to str
        Names of the presets used, with the engine of each.
    columns : tuple of Column
        What `rows` gives, in order.
    presets : dict of str to str
        Names of the presets used, with the SHA-256 of their networks.

    Raises
    ------
    RacnetError
        If a preset cannot be used. Networks are loaded at first use, or by `load`.
    """

    def __init__(
        self,
        preset: Preset | str | Path,
        batch_size: int | None = None,
        threads: int | None = None,
        engine: str | Mapping[str, str] = DEFAULT,
    ) -> None:
        self.preset = preset if isinstance(preset, Preset) else load_preset(preset)
        children = {label: self.preset.child(label) for label in self.preset.children}
        self._children = {label: child for label, child in children.items() if child is not None}
        used = (self.preset, *self._children.values())
        self.presets = {one.name: one.sha256 for one in used}
        self.engines = {one.name: engine if isinstance(engine, str) else engine[one.name] for one in used}
        if engine == AUTO:
            self.engines = {one.name: choose_engine(one, batch_size) for one in used}

        self._threads = threads
        self._made: dict[str, Predictor] = {}
        self.batch_size = batch_size
        self.columns = (
            Column("spec_id", str, "identifier of the spectrum"),
            Column("path", str, "file that holds it"),
            Column("survey", str, "survey that took it"),
            Column("label", str, "most probable class"),
            Column("confidence", float, "its probability"),
            *(Column(f"p_{name}", float, f"probability of {name}") for name in self.preset.classes),
            Column("subclass", str, "most probable subclass, for classes that are divided further"),
            Column("subclass_confidence", float, "its probability, given the class"),
            *(_JOINT_COLUMNS if self.preset.joint else ()),
            Column("rejected", bool, "whether ood_score is above the preset's threshold"),
            Column(
                "ood_score",
                float,
                "how unlike the known spectra: entropy over its maximum, 0 to 1"
                + _WITH_REDSHIFT * bool(self.preset.joint),
            ),
            Column("z_header", float, "redshift in the survey's header"),
            Column("snr_g", float, "signal-to-noise ratio in g, in the survey's header"),
            Column("snr_r", float, "signal-to-noise ratio in r, in the survey's header"),
        )

    def _engine(self, preset: Preset) -> Predictor:
        """A preset's engine, made when it is first asked for: a process that only hands work out needs none."""
        if preset.name not in self._made:
            name = self.engines[preset.name]
            self._made[preset.name] = make_engine(name, preset, self.batch_size, self._threads)
        return self._made[preset.name]

    def load(self) -> None:
        """Make all engines now, so that what is wrong with a preset is said at once.

        Raises
        ------
        RacnetError
            If a network cannot be used.
        """
        for preset in (self.preset, *self._children.values()):
            self._engine(preset)

    def prepare(self, spectra: SpectrumSet) -> np.ndarray:
        """Network input of spectra, refused where they cannot be judged.

        Parameters
        ----------
        spectra : SpectrumSet
            On the preset's grid.

        Returns
        -------
        (n, n_pix) float32

        Raises
        ------
        RacnetError
            If a spectrum has no flux, or its good pixels span less than half of the grid: the rest would be invented.
        """
        flux = self.preset.preprocessing(spectra)
        first = spectra.mask.argmin(axis=1)
        span = spectra.n_pixels - spectra.mask[:, ::-1].argmin(axis=1) - first
        short = np.flatnonzero(span < spectra.n_pixels / 2)
        if len(short):
            i = short[0]
            raise RacnetError(
                f"Expected good pixels over at least half of {spectra.wave[0]:.0f}-{spectra.wave[-1]:.0f} Angstrom; "
                f"spectrum {spectra.table['spec_id'][i]} has some from {spectra.wave[first[i]]:.0f} to "
                f"{spectra.wave[first[i] + span[i] - 1]:.0f} Angstrom only."
            )
        return flux

    def rows(self, spectra: SpectrumSet, flux: np.ndarray | None = None) -> list[list[Any]]:
        """Classify spectra.

        Parameters
        ----------
        spectra : SpectrumSet
            On any grid.
        flux : (n, n_pix) array, optional
            What `prepare` gave for them, to spare doing it again.

        Returns
        -------
        list of list
            A row for each spectrum, its values in the order of `columns`; None where missing.

        Raises
        ------
        RacnetError
            As `prepare` does.
        """
        gridded = spectra.to_grid(self.preset.preprocessing.grid)
        if flux is None:
            flux = self.prepare(gridded)
        outputs = self._engine(self.preset).predict_all(flux)
        probabilities = outputs["probabilities"]
        best = probabilities.argmax(axis=1)
        score = ood_score(probabilities)
        subclass: list[str | None] = [None] * len(spectra)
        subclass_confidence: list[float | None] = [None] * len(spectra)
        further: list[list[Any]] = [[] for _ in range(len(spectra))]
        if self.preset.joint and self.preset.limits:
            subtypes = measure_subtypes(outputs["subtype"], self.preset.limits.subtype_scale)
            tried = log_redshifts(self.preset.joint, self.preset.preprocessing.grid)
            redshifts = measure_redshifts(outputs["redshift"], tried)
            score = joint_ood_score(probabilities, redshifts.confidence)
            for i in np.flatnonzero(best == self.preset.classes.index("STAR")):
                subclass[i], subclass_confidence[i] = str(subtypes.letter[i]), _rounded(subtypes.confidence[i])
            further = self._measured(self.preset.limits, probabilities, subtypes, redshifts, score, gridded)
        for label, child in self._children.items():
            here = np.flatnonzero(best == self.preset.classes.index(label))
            if len(here) == 0:
                continue
            same = child.preprocessing == self.preset.preprocessing
            child_flux = flux[here] if same else child.preprocessing(gridded[here])
            child_p = self._engine(child).predict(child_flux)
            for i, row in zip(here, child_p, strict=True):
                subclass[i] = child.classes[row.argmax()]
                subclass_confidence[i] = _rounded(row.max())
        known = {name: gridded.column(name) for name in ("spec_id", "path", "survey", "z", "snr_g", "snr_r")}
        return [
            [
                *(known[name][i] and printable(known[name][i]) for name in ("spec_id", "path", "survey")),
                self.preset.classes[best[i]],
                _rounded(probabilities[i, best[i]]),
                *map(_rounded, probabilities[i]),
                subclass[i],
                subclass_confidence[i],
                *further[i],
                bool(score[i] > self.preset.reject_threshold),
                _rounded(score[i]),
                known["z"][i],
                known["snr_g"][i],
                known["snr_r"][i],
            ]
            for i in range(len(spectra))
        ]

    def _measured(
        self,
        limits: Limits,
        probabilities: np.ndarray,
        subtypes: Subtypes,
        redshifts: Redshifts,
        score: np.ndarray,
        gridded: SpectrumSet,
    ) -> list[list[Any]]:
        """Values of `_JOINT_COLUMNS` for each spectrum."""
        classes = self.preset.classes
        sets = prediction_sets(probabilities, classes, limits)
        best = probabilities.argmax(axis=1)
        star, snr = best == classes.index("STAR"), gridded.median_snr()
        z_error = redshifts.error * limits.redshift_factor(np.array(classes)[best], snr)
        bits = quality_bits(
            {
                "OUTLIER": score > self.preset.reject_threshold,
                "AMBIGUOUS": [one not in classes for one in sets],
                "LOW_SNR": snr < LOW_SNR,
                "GAPS": gridded.mask.mean(axis=1) > MANY_GAPS,
                "SUBTYPE_UNSURE": star & (subtypes.error > UNSURE_SUBTYPE),
                "REDSHIFT_UNSURE": ~star & (redshifts.confidence < limits.redshift_confidence),
            }
        )
        return [
            [
                str(subtypes.name[i]) if star[i] else None,
                _rounded(subtypes.error[i]) if star[i] else None,
                _rounded(redshifts.z[i]),
                _rounded(z_error[i]),
                sets[i],
                int(bits[i]),
            ]
            for i in range(len(sets))
        ]


def printable(text: str) -> str:
    """Text that every format can hold: control characters and bytes that are no UTF-8 are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
