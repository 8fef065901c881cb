"""Fit the line from a joint preset's scale of subtypes to LAMOST's: python benchmarks/fit_subtype_scale.py FOLDER

FOLDER holds real files as for accuracy_on_real_spectra.py. The line is fitted on the stars later than DR1 whose
identifier has an even CRC-32; what it brings is told of the others. It is fitted to the network's own scale, and goes
into `racnet_tools.training.survey.SUBTYPE_SCALE`.
"""

import argparse
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
from accuracy_on_real_spectra import TYPES, read_all, stellar_type

from racnet_tools.datasets import subtype_places
from racnet_tools.inference import Engine, load_preset
from racnet_tools.models.measured import LETTERS, measure_subtypes
from racnet_tools.spectra import SpectrumSet

FEWEST = 8  # stars of a type that give it a point
IDENTITY = ((0.0, 0.0), (70.0, 70.0))


def fit_scale(ours: np.ndarray, true: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Points of the line from the network's places (n,) to the survey's.

    A border lies, within two subtypes of the simulation's and to half a subtype, where the fewest stars are on its
    wrong side; of equals it is the nearest to the simulation's. Between borders the line goes through the medians.
    """
    borders = [0.0]
    for at in range(10, 70, 10):
        near = np.abs(true - at) < 12
        tried = at + np.array(sorted(np.arange(-2, 2.1, 0.5), key=abs))
        wrong = [((ours >= border) != (true >= at))[near].sum() for border in tried]
        borders.append(float(tried[np.argmin(wrong)]))
    borders.append(70.0)
    points = [(0.0, 0.0)]
    for k, (low, high) in enumerate(pairwise(borders)):
        both = (ours >= low) & (ours < high) & (true // 10 == k)
        if both.sum() >= FEWEST:
            middle = (np.median(ours[both]), low, high), (np.median(true[both]), 10 * k, 10 * k + 10)
            points.append(tuple(float(np.clip(x, a + 0.5, b - 0.5).round(1)) for x, a, b in middle))
        points.append((high, 10.0 * (k + 1)))
    return tuple(points)


def mapped(scale: tuple[tuple[float, float], ...], places: np.ndarray) -> np.ndarray:
    """Places on the survey's scale."""
    return np.interp(places, *np.array(scale).T)


def letters_of(places: np.ndarray) -> np.ndarray:
    """Spectral types (n,) of places on the scale."""
    return np.array(list(LETTERS))[(places // 10).astype(int)]


def typed_stars(folder: Path) -> tuple[SpectrumSet, dict[str, np.ndarray]]:
    """Stars of types A to M of a folder, with their ``kind``, ``source``, place, which are ``dr1`` and ``even``."""
    spectra, source, dr1 = read_all(folder)
    kind = np.array([stellar_type(one) for one in spectra.table["subclass"].filled("")])
    rows = np.flatnonzero((np.asarray(spectra.table["label"].filled("")) == "STAR") & np.isin(kind, TYPES))
    spectra = spectra[rows]
    return spectra, {
        "kind": kind[rows],
        "source": source[rows],
        "dr1": dr1[rows],
        "place": subtype_places(spectra.table["subclass"]) + 0.5,
        "even": np.array([zlib.crc32(str(name).encode()) % 2 == 0 for name in spectra.table["object_id"]]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", default="racnet-survey")
    args = parser.parse_args()
    preset = load_preset(args.preset)
    spectra, known = typed_stars(args.folder)
    probabilities = Engine(preset.model_bytes()).predict_all(preset.preprocessing(spectra))["subtype"]
    ours, true, even, first = (
        measure_subtypes(probabilities, IDENTITY).place,
        known["place"],
        known["even"],
        known["dr1"],
    )
    for name in sorted(
        {str(one)[:2] for one in spectra.table["subclass"][~first]}, key=lambda name: subtype_places([name])[0]
    ):
        here = ~first & np.char.startswith(spectra.table["subclass"].filled("").astype(str), name)
        print(f"LAMOST's {name}: {here.sum()} stars, median place {np.median(ours[here]):.1f}")
    used = even & ~first
    scale = fit_scale(ours[used], true[used])
    print(scale)
    for title, where in (("fitted on", used), ("other half", ~even & ~first), ("DR1", first)):
        for what, found in (("as it is", ours), ("mapped", mapped(scale, ours))):
            off = (found - true)[where]
            right = (letters_of(found) == known["kind"])[where].sum()
            print(f"{title}, {what}: {right}/{where.sum()} types, ", end="")
            print(f"median |error| {np.median(np.abs(off)):.2f}, median error {np.median(off):.2f}")


if __name__ == "__main__":
    main()
