"""Fit the line from a joint preset's scale of subtypes to LAMOST's: python benchmarks/fit_subtype_scale.py FOLDER

FOLDER holds real files as for accuracy_on_real_spectra.py. The line is fitted on the stars later than DR1 whose
identifier has an even CRC-32; what it brings is told of the others. It is fitted to the
network's own scale, and goes into `racnet_tools.training.survey.SUBTYPE_SCALE`.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np
from accuracy_on_real_spectra import TYPES, place, read_all, stellar_type
from scipy.optimize import minimize

from racnet_tools.inference import Engine, load_preset
from racnet_tools.models.measured import LETTERS, measure_subtypes
from racnet_tools.spectra import SpectrumSet

NODES = np.array([0.0, 20, 28, 34, 40, 46, 52, 60, 70])
STIFF = 0.02  # cost of steps between nodes that differ from the simulation's
IDENTITY = ((0.0, 0.0), (70.0, 70.0))


def mapped(steps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Places on the line whose steps between nodes are exp(steps), brought to 70 in all."""
    return np.interp(places, NODES, np.append(0, np.cumsum(np.exp(steps)) / np.exp(steps).sum() * NODES[-1]))


def fit_steps(ours: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Steps of the line that brings places (n,) nearest to the survey's, for `mapped`."""
    start = np.log(np.diff(NODES))

    def cost(steps: np.ndarray) -> float:
        return np.abs(mapped(steps, ours) - true).mean() + STIFF * ((steps - start) ** 2).sum()

    return minimize(cost, start, method="Nelder-Mead", options={"maxiter": 20_000, "maxfev": 20_000}).x


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
        "place": np.array([place(one) for one in spectra.table["subclass"]]) + 0.5,
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
    used = even & ~first
    steps = fit_steps(ours[used], true[used])
    print([(float(node), round(float(at), 1)) for node, at in zip(NODES, mapped(steps, NODES), strict=True)])
    for title, where in (("fitted on", used), ("other half", ~even & ~first), ("DR1", first)):
        for what, found in (("as it is", ours), ("mapped", mapped(steps, ours))):
            off = (found - true)[where]
            right = (letters_of(found) == known["kind"])[where].sum()
            print(f"{title}, {what}: {right}/{where.sum()} types, ", end="")
            print(f"median |error| {np.median(np.abs(off)):.2f}, median error {np.median(off):.2f}")


if __name__ == "__main__":
    main()
