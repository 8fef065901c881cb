"""Accuracy of a preset on real survey files, against the surveys' own labels, per source.

    python benchmarks/accuracy_on_real_spectra.py FOLDER [--preset racnet-class]

FOLDER has one sub-folder a source (lamost/SOURCE/... and sdss/SOURCE/...); refused files are listed. The labels are the
survey pipelines' own, so agreement far above 98 % would mean agreement with those pipelines. LAMOST DR1 (pipeline
v2.6.4) draws the borders between F, G and K at other temperatures than later releases: it is reported apart.
"""

import argparse
import re
from pathlib import Path

import numpy as np
from astropy.io import fits

from racnet_tools.errors import ReadError
from racnet_tools.evaluate import accuracy, accuracy_by, confusion_table
from racnet_tools.inference import classify
from racnet_tools.readers import find_files, read_file
from racnet_tools.spectra import LAMOST_GRID, concatenate

CLASSES, TYPES, FGK = ("STAR", "GALAXY", "QSO"), ("A", "F", "G", "K", "M"), ("F", "G", "K")


def stellar_type(subclass: str) -> str:
    """Letter of a type such as G5, A1IV, dM3 or K0III; empty for DoubleStar, EM, Carbon and the like."""
    match = re.match(r"^(?:sd|d|g|esd|usd)?([OBAFGKM])\d", subclass)
    return match.group(1) if match else ""


def is_dr1(path: Path) -> bool:
    """Whether the pipeline that wrote a file is that of LAMOST DR1."""
    return "v2.6.4" in str(fits.getheader(path).get("VERSPIPE", ""))


def report(truth, found, source, where, classes) -> None:
    """Print accuracy per source and for all of `where`, and the confusions."""
    by_source = accuracy_by(truth[where], found[where], source[where])
    print("\n".join(f"  {line}" for line in by_source.pformat()))
    print(f"  all: {accuracy(truth[where], found[where])}")
    print("\n".join(f"  {line}" for line in confusion_table(truth[where], found[where], classes).pformat()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", default="racnet-class")
    args = parser.parse_args()
    sets, source, dr1 = [], [], []
    for path in find_files([args.folder]):
        try:
            spectra = read_file(path).to_grid(LAMOST_GRID)
        except ReadError as error:
            print(f"refused: {path.name}: {error.reason}")
            continue
        sets.append(spectra)
        source += [path.parent.name] * len(spectra)
        dr1 += [is_dr1(path)] * len(spectra)
    spectra = concatenate(sets)
    table = classify(spectra, args.preset)
    source, dr1 = np.array(source), np.array(dr1)
    label = np.asarray(spectra.table["label"].filled(""))
    kind = np.array([stellar_type(subclass) for subclass in spectra.table["subclass"].filled("")])
    found = np.asarray(table["label"])
    # A star that the first network takes for something else counts as wrong among the types too.
    found_kind = np.where(found == "STAR", table["subclass"].filled(""), "")
    objects = len(set(spectra.table["object_id"]))
    print(f"{len(spectra)} spectra of {objects} objects; {np.mean(table['rejected']):.1%} rejected")

    print("\nSTAR, GALAXY, QSO; survey labels")
    report(label, found, source, np.isin(label, CLASSES), CLASSES)
    star = (label == "STAR") & np.isin(kind, TYPES)
    for title, where in (("later than LAMOST DR1", star & ~dr1), ("LAMOST DR1 (its own borders)", star & dr1)):
        if where.any():
            print(f"\nA, F, G, K, M; {title}")
            report(kind, found_kind, source, where, TYPES)
    some = np.isin(kind, FGK) & star
    print(f"\nF/G/K later than DR1: {accuracy(kind[some & ~dr1], found_kind[some & ~dr1])}")
    print(f"F/G/K DR1: {accuracy(kind[some & dr1], found_kind[some & dr1])}")
    print(f"F/G/K all sources: {accuracy(kind[some], found_kind[some])}")
    print(f"A/F/G/K/M all sources: {accuracy(kind[star], found_kind[star])}")


if __name__ == "__main__":
    main()
