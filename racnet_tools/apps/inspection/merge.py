"""Inspections of several people brought together: how well they agree, what is adopted, whose it is, what is open.

The class most of them give is adopted, with the redshift of the one among these who was surest (then of the latest);
so is done for DESI (Lan et al. 2023, ApJ 943, 68), whose mean quality and whose limit for redshifts are used as well.
Kappa is the share of agreement beyond what chance gives: Cohen (1960) for two people, Fleiss (1971) for more.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from racnet_tools.apps.inspection.record import FLAGS, Inspection
from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Agreement", "Merged", "cohen_kappa", "fleiss_kappa", "merge"]

#: Redshifts differ when they are further apart than this times 1 + z (1000 km/s).
APART = 0.0033
_QUALITIES_APART = 2

_COLUMNS: dict[str, type] = {
    "key": str, "n": int, "inspectors": str, "label": str, "z": float, "quality": float, "by": str, "conflicts": str,
    "flags": str, "comment": str,
}  # fmt: skip
_MEANING = {
    "key": "which spectrum",
    "n": "number of inspectors",
    "inspectors": "who looked",
    "label": "class that most give; empty where as many give another",
    "z": "redshift of the one adopted",
    "quality": "mean quality",
    "by": "whose class and redshift are adopted",
    "conflicts": "what they disagree about: class, redshift, quality",
    "flags": "all flags given",
    "comment": "all comments, with their names",
}


@dataclass(frozen=True)
class Merged:
    """What several people say about one spectrum.

    Attributes
    ----------
    key : str
    records : tuple of Inspection
        Theirs, by name.
    label : str
        The class most give; empty where as many give another.
    z : float or None
        Redshift of `by`.
    quality : float
        Mean quality.
    by : str
        Whose class and redshift are adopted; empty where none can be.
    conflicts : tuple of str
        Some of "class", "redshift" and "quality" (two steps or more apart).
    """

    key: str
    records: tuple[Inspection, ...]
    label: str
    z: float | None
    quality: float
    by: str
    conflicts: tuple[str, ...]

    def to_row(self) -> dict[str, Any]:
        """The values of its row in the table of `Agreement`."""
        given = {flag for record in self.records for flag in record.flags}
        said = [f"{record.inspector}: {record.comment}" for record in self.records if record.comment]
        return {
            "key": self.key,
            "n": len(self.records),
            "inspectors": ", ".join(record.inspector for record in self.records),
            "label": self.label,
            "z": self.z,
            "quality": self.quality,
            "by": self.by,
            "conflicts": ", ".join(self.conflicts),
            "flags": "".join(flag for flag in FLAGS if flag in given),
            "comment": "\n".join(said),
        }


@dataclass(frozen=True)
class Agreement:
    """Merged inspections and how well their authors agree.

    Attributes
    ----------
    spectra : tuple of Merged
        One for each spectrum that anybody gave a quality, in the order in which they were first met.
    inspectors : tuple of str
    shared : int
        Spectra that two or more looked at.
    agreed : int
        Those of them on whose class all agree.
    pairs : mapping of (str, str) to (int, float or None)
        For each two people the number of spectra both looked at, and Cohen's kappa of their classes.
    fleiss : float or None
        Fleiss' kappa over the spectra that all looked at; None for fewer than three people, or where it says nothing.
    """

    spectra: tuple[Merged, ...]
    inspectors: tuple[str, ...]
    shared: int
    agreed: int
    pairs: Mapping[tuple[str, str], tuple[int, float | None]]
    fleiss: float | None

    @property
    def conflicts(self) -> list[Merged]:
        """The spectra that somebody has to look at again."""
        return [merged for merged in self.spectra if merged.conflicts]

    def to_table(self) -> Table:
        """One row a spectrum, for `racnet_tools.apps.inspection.export.write_table`."""
        from racnet_tools.apps.inspection.export import make_table

        return make_table([merged.to_row() for merged in self.spectra], _COLUMNS, _MEANING)


def merge(records: Iterable[Inspection]) -> Agreement:
    """Bring the inspections of several people together.

    Parameters
    ----------
    records : iterable of Inspection
        Of any number of people; of two by one person about the same spectrum the latest counts. Those without a
        quality are left out.

    Returns
    -------
    Agreement
    """
    latest: dict[str, dict[str, Inspection]] = {}
    for record in records:
        if not record.is_done:
            continue
        of_key = latest.setdefault(record.key, {})
        before = of_key.get(record.inspector)
        if before is None or record.time >= before.time:
            of_key[record.inspector] = record
    names = sorted({name for of_key in latest.values() for name in of_key})
    spectra = tuple(_merged(key, of_key) for key, of_key in latest.items())
    shared = [merged for merged in spectra if len(merged.records) > 1]
    pairs = {}
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            both = [(of_key[first], of_key[second]) for of_key in latest.values() if {first, second} <= set(of_key)]
            kappa = cohen_kappa([a.verdict for a, _ in both], [b.verdict for _, b in both])
            pairs[first, second] = (len(both), kappa)
    by_all = [[record.verdict for record in one.records] for one in shared if len(one.records) == len(names)]
    return Agreement(
        spectra=spectra,
        inspectors=tuple(names),
        shared=len(shared),
        agreed=sum("class" not in merged.conflicts for merged in shared),
        pairs=pairs,
        fleiss=fleiss_kappa(by_all) if len(names) > 2 else None,
    )


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Agreement of two people beyond chance (Cohen 1960, Educ. Psychol. Meas. 20, 37).

    Parameters
    ----------
    first, second : sequence of str, of the same length
        Their classes of the same objects.

    Returns
    -------
    float or None
        1 for full agreement, 0 for what chance gives; None where there is nothing to compare or both give one class.
    """
    if len(first) != len(second):
        raise RacnetError(f"Expected as many classes of both people. Received: {len(first)} and {len(second)}.")
    n = len(first)
    if n == 0:
        return None
    seen = sum(a == b for a, b in zip(first, second, strict=True)) / n
    counts, others = Counter(first), Counter(second)
    chance = sum(counts[name] * others[name] for name in counts) / n**2
    return None if chance == 1 else (seen - chance) / (1 - chance)


def fleiss_kappa(ratings: Sequence[Sequence[str]]) -> float | None:
    """Agreement of several people beyond chance (Fleiss 1971, Psychol. Bull. 76, 378).

    Parameters
    ----------
    ratings : sequence of sequence of str
        For each object the classes that people gave, equally many for all objects, two or more.

    Returns
    -------
    float or None
        1 for full agreement, 0 for what chance gives; None where there is nothing to compare or all give one class.
    """
    if not ratings:
        return None
    raters = len(ratings[0])
    if raters < 2 or any(len(row) != raters for row in ratings):
        raise RacnetError("Expected two or more classes of each object, of equally many people.")
    counts = [Counter(row) for row in ratings]
    seen = statistics.fmean(
        (sum(number**2 for number in row.values()) - raters) / (raters * (raters - 1)) for row in counts
    )
    total = sum(counts, Counter())
    chance = sum((number / (len(ratings) * raters)) ** 2 for number in total.values())
    return None if chance == 1 else (seen - chance) / (1 - chance)


def _merged(key: str, of_key: Mapping[str, Inspection]) -> Merged:
    records = tuple(of_key[name] for name in sorted(of_key))
    votes = Counter(record.verdict for record in records).most_common()
    tied = len(votes) > 1 and votes[0][1] == votes[1][1]
    agreeing = [] if tied else [record for record in records if record.verdict == votes[0][0]]
    adopted = max(agreeing, key=lambda record: (record.z is not None, record.quality or 0, record.time), default=None)
    given = [record.z for record in records if record.z is not None]
    qualities = [record.quality or 0 for record in records]
    conflicts = {
        "class": len(votes) > 1,
        "redshift": bool(given) and max(given) - min(given) > APART * (1 + min(given)),
        "quality": max(qualities) - min(qualities) >= _QUALITIES_APART,
    }
    return Merged(
        key=key,
        records=records,
        label="" if adopted is None else adopted.verdict,
        z=None if adopted is None else adopted.z,
        quality=statistics.fmean(qualities),
        by="" if adopted is None else adopted.inspector,
        conflicts=tuple(name for name, there in conflicts.items() if there),
    )
