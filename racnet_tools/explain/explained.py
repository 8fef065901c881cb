"""Spectra explained: class, attention of every spectrum, and attribution of the first of them; what a report shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.methods import METHODS, attribution_by
from racnet_tools.explain.occlusion import logits_of
from racnet_tools.inference.classifier import Classifier
from racnet_tools.inference.engine import Engine
from racnet_tools.inference.presets import Preset
from racnet_tools.spectra import SpectrumSet

if TYPE_CHECKING:
    from racnet_tools.explain.attribution import Attribution

__all__ = ["Explained", "explain_spectra"]


@dataclass(frozen=True)
class Explained:
    """Spectra and what a network makes of them.

    Attributes
    ----------
    preset : Preset
    spectra : SpectrumSet
        n spectra on the preset's grid; those that the network cannot take are left out.
    x : (n, n_pix) or (n, n_pix, n_channels) float32
        As the network takes them.
    said : list of dict of str to object
        Of each what `racnet classify` says: column to value.
    probabilities : (n, k) float32
    attention : list of (n, channels) float32
        Of every block; empty for a network without attention.
    target : (n,) int
        Class explained of each.
    redshift : (n,) float
        Given, of the survey's header, or as the network measures it; NaN where unknown.
    redshift_from : list of str
        Of each which of them: "given", "header", "network", or "" where unknown.
    attributions : list of tuple of Attribution
        Of each of the first spectra, an attribution a method.
    refused : tuple of (str, str)
        spec_id and reason of those left out.
    """

    preset: Preset
    spectra: SpectrumSet
    x: np.ndarray
    said: list[dict[str, Any]]
    probabilities: np.ndarray
    attention: list[np.ndarray]
    target: np.ndarray
    redshift: np.ndarray
    redshift_from: list[str]
    attributions: list[tuple[Attribution, ...]]
    refused: tuple[tuple[str, str], ...]


def explain_spectra(
    spectra: SpectrumSet,
    preset: Preset | str | Path = "racnet-survey",
    *,
    methods: Sequence[str] = ("occlusion",),
    target: str | None = None,
    z: float | None = None,
    most: int = 20,
    progress: Callable[[int], None] = lambda n: None,
) -> Explained:
    """Explain what a network says of spectra.

    Parameters
    ----------
    spectra : SpectrumSet
        On any grid.
    preset : Preset, str or Path
        A preset, its name or its folder.
    methods : sequence of str
        Of `racnet_tools.explain.METHODS`; all but "occlusion" need TensorFlow.
    target : str, optional
        Class to explain; that which the network gives each spectrum by default.
    z : float, optional
        Redshift of all. By default that of the survey's header or, where it has none, that which the network measures.
    most : int
        Spectra that get an attribution, which takes a fraction of a second each; all get their attention.
    progress : callable, optional
        Called with the number of spectra done since the last call.

    Returns
    -------
    Explained

    Raises
    ------
    RacnetError
        If a method or class is unknown, or the network can take none of the spectra.

    Examples
    --------
    >>> found = explain_spectra(racnet_tools.read("spectrum.fits"))  # doctest: +SKIP
    """
    if strange := [name for name in methods if name not in METHODS]:
        raise RacnetError(f"Expected methods among {', '.join(METHODS)}. Received: {', '.join(strange)}.")
    classifier = Classifier(preset)
    known = classifier.preset
    if target is not None and target not in known.classes:
        raise RacnetError(f"Preset {known.name} knows {', '.join(known.classes)}. Received the class {target!r}.")
    gridded, x, refused = _usable(classifier, spectra.to_grid(known.preprocessing.grid))
    names = [column.name for column in classifier.columns]
    said = [dict(zip(names, row, strict=True)) for row in classifier.rows(gridded, x)]
    model = known.class_bytes()
    probabilities, attention = Engine(model).predict_with_attention(x)
    chosen = probabilities.argmax(axis=1)
    if target is not None:
        chosen = np.full(len(x), known.classes.index(target))
    logits = logits_of(model)
    explain = [attribution_by(name, known, logits) for name in methods]
    attributions = []
    for i in range(min(most, len(x))):
        one = slice(i, i + 1)
        attributions.append(tuple(method(x[one], chosen[one]) for method in explain))
        progress(1)
    redshifts = [_redshift(row, z) for row in said]
    return Explained(
        preset=known,
        spectra=gridded,
        x=x,
        said=said,
        probabilities=probabilities,
        attention=attention,
        target=chosen,
        redshift=np.array([value for value, _ in redshifts]),
        redshift_from=[origin for _, origin in redshifts],
        attributions=attributions,
        refused=tuple(refused),
    )


def _redshift(row: dict[str, Any], given: float | None) -> tuple[float, str]:
    """The redshift that lines are marked at, and where it is from."""
    for value, origin in ((given, "given"), (row["z_header"], "header"), (row.get("z"), "network")):
        if value is not None and np.isfinite(value):
            return float(value), origin
    return float("nan"), ""


def _usable(classifier: Classifier, spectra: SpectrumSet) -> tuple[SpectrumSet, np.ndarray, list[tuple[str, str]]]:
    """Spectra that the network can take, its input, and what was left out and why."""
    try:
        return spectra, classifier.prepare(spectra), []
    except RacnetError:  # something is wrong with one of them: find out which
        good, refused = [], []
        for i in range(len(spectra)):
            try:
                classifier.prepare(spectra[i])
                good.append(i)
            except RacnetError as error:
                refused.append((str(spectra.table["spec_id"][i]), str(error)))
        if not good:
            raise
        kept = spectra[good]
        return kept, classifier.prepare(kept), refused
