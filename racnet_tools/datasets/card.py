"""The card of a data set: what is in it, where it comes from and what its limits are, as text and as HTML.

The HTML is one piece (inline SVG and CSS, nothing loaded from elsewhere), follows the reader's light or dark scheme,
and escapes every text that comes from a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.datasets.layout import toolkit_version

if TYPE_CHECKING:
    from racnet_tools.datasets.dataset import DataSet

__all__ = ["DataSetCard", "Example", "Histogram"]

_BINS = 32


@dataclass(frozen=True)
class Histogram:
    """Numbers of spectra in bins.

    Attributes
    ----------
    quantity : str
    edges : (n + 1,) array
        Of log10 of the quantity where `log` is true.
    log : bool
    counts : dict of str to (n,) array
        For each class.
    outside : int
        Spectra without the quantity, or beyond the edges.
    """

    quantity: str
    edges: np.ndarray
    log: bool
    counts: dict[str, np.ndarray]
    outside: int


@dataclass(frozen=True)
class Example:
    """One spectrum of a class, binned to some hundred points.

    Attributes
    ----------
    label, name, note : str
    wave, flux : arrays
        Angstrom; flux over its median.
    """

    label: str
    name: str
    note: str
    wave: np.ndarray
    flux: np.ndarray


@dataclass(frozen=True)
class DataSetCard:
    """What `DataSet.card` gives; ``str(card)`` is for a terminal, and a notebook shows it as HTML.

    Attributes
    ----------
    title, summary : str
    counts : list of dict
        One a class: ``class`` and, for each part, entries; ``copies`` among the training ones; ``objects``.
    parts : tuple of str
    histograms : list of Histogram
    examples : list of Example
    provenance : dict of str to str
    limits : list of str
    """

    title: str
    summary: str
    counts: list[dict[str, Any]]
    parts: tuple[str, ...]
    histograms: list[Histogram]
    examples: list[Example]
    provenance: dict[str, str]
    limits: list[str]

    @classmethod
    def of(cls, data: DataSet) -> DataSetCard:
        """Describe a data set; reads the table of its store and a spectrum of each class."""
        store = data.store
        entries = np.concatenate(list(data.index.values()))
        rows, first = np.unique(entries[:, 0], return_index=True)
        label = entries[first, 2]
        objects = store.column("object_id")[rows]
        surveys, numbers = np.unique(store.column("survey")[rows], return_counts=True)
        counts = []
        for k, name in enumerate(data.classes):
            row: dict[str, Any] = {"class": name}
            row |= {part: data.counts(part)[name] for part in data.parts}
            row |= {"copies": data.copies("train")[name], "objects": len(np.unique(objects[label == k]))}
            counts.append(row)
        sizes = ", ".join(f"{data.size(part):,} for {_PURPOSE[part]}" for part in data.parts)
        return cls(
            title=data.recipe.title,
            summary=f"{sizes}; {len(data.classes)} classes, split by object",
            counts=counts,
            parts=data.parts,
            histograms=[
                _histogram("S/N per pixel in g", store.column("snr_g")[rows], label, data.classes, log=True),
                _histogram("redshift z", store.column("z")[rows], label, data.classes, log=False),
            ],
            examples=_examples(data),
            provenance=_provenance(data, dict(zip(surveys.tolist(), numbers.tolist(), strict=True))),
            limits=_limits(data, counts, set(surveys.tolist())),
        )

    def __str__(self) -> str:
        from racnet_tools.datasets.card_text import text

        return text(self)

    def _repr_html_(self) -> str:
        from racnet_tools.datasets.card_html import html

        return html(self)


_PURPOSE = {"train": "training", "test": "testing", "validation": "validation"}


def _histogram(quantity: str, values: np.ndarray, label: np.ndarray, classes: Sequence[str], log: bool) -> Histogram:
    known = np.isfinite(values) & ((values > 0) | (not log))
    x = np.log10(np.where(known, values, 1.0)) if log else values
    low, high = np.percentile(x[known], [0.2, 99.8]) if known.any() else (0.0, 1.0)
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    counts = {name: np.histogram(x[known & (label == k)], edges)[0] for k, name in enumerate(classes)}
    return Histogram(quantity, edges, log, counts, int(len(values) - sum(c.sum() for c in counts.values())))


def _examples(data: DataSet) -> list[Example]:
    """The training spectrum of each class whose S/N is the class's 75th percentile."""
    entries = data.index["train"]
    own = entries[entries[:, 1] == 0]
    snr = np.nan_to_num(data.store.column("snr_g")[own[:, 0]])
    out = []
    for k, label in enumerate(data.classes):
        here = np.flatnonzero(own[:, 2] == k)
        chosen = own[here[np.argsort(snr[here], kind="stable")[int(0.75 * (len(here) - 1))]], 0]
        spectrum = data.store[[chosen]]
        row = spectrum.table[0]
        notes = [f"S/N {row['snr_g']:.0f}"] if not np.ma.is_masked(row["snr_g"]) else []
        notes += [f"z = {row['z']:.4f}"] if not np.ma.is_masked(row["z"]) else []
        notes += [str(row["subclass"])] if not np.ma.is_masked(row["subclass"]) else []
        pixels = np.flatnonzero(~spectrum.mask[0] & (spectrum.flux[0] != 0))
        bins = np.array_split(pixels, min(420, len(pixels)))
        flux = np.array([spectrum.flux[0, b].mean() for b in bins])
        scale = np.median(np.abs(flux)) or 1.0
        wave = np.array([spectrum.wave[b].mean() for b in bins])
        out.append(Example(label, str(row["spec_id"]), ", ".join(notes), wave, flux / scale))
    return out


def _provenance(data: DataSet, surveys: dict[str, int]) -> dict[str, str]:
    settings, source = data.settings, data.store.provenance
    out = {"surveys": ", ".join(f"{name or 'not named'} {n:,}" for name, n in surveys.items())}
    if source.get("kind") == "simulated":
        made = ", ".join(f"{name} {number:,}" for name, number in source["counts"].items())
        out["simulated"] = f"{made} with seed {source['seed']}"
    out["store"] = f"{data.store.path.resolve().name}, {settings['n_store']:,} spectra"
    out["SHA-256"] = settings["fingerprint"]
    out["recipe"] = f"{data.recipe.name}, scale {settings['scale']:g}, seed {settings['seed']}"
    out["balance"] = f"{settings['balance']} (training only)"
    out["network input"] = f"{data.store.n_pixels:,} pixels, gaps filled, x / ||x||"
    out["racnet-tools"] = toolkit_version()
    return out


def _limits(data: DataSet, counts: list[dict[str, Any]], surveys: set[str]) -> list[str]:
    out = []
    if "SIMULATED" in surveys:
        out.append(
            "Simulated spectra: objects differ between training and test, but both are made from the same templates. "
            "Expect a lower accuracy on real spectra."
        )
    if surveys - {"SIMULATED"}:
        out.append("Labels are those of the survey's pipeline: agreement with them is not the same as being right.")
    if len(surveys) > 1:
        out.append("Several surveys: where they hold different classes, a network can learn the survey instead.")
    copied = [
        f"{row['class']} {row['copies'] / row['train']:.0%}" for row in counts if row["copies"] * 20 > row["train"]
    ]
    if copied:
        out.append(f"Noisy copies make up a part of the training spectra: {', '.join(copied)}.")
    wanted = data.recipe.counts(data.settings["scale"])
    share = {"test": 0.2, "validation": data.settings["validation"]}
    for part in data.parts[1:]:
        few = [
            f"{row['class']} {row[part]:,} of {asked:,}"
            for row in counts
            if row[part] < 0.9 * (asked := round(wanted[row["class"]] * share[part]))
        ]
        if few:
            out.append(
                f"Fewer {part} spectra than the recipe asks for, since these are never copied: {', '.join(few)}."
            )
    return out
