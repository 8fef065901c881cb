"""Accuracy of a preset on real survey files, against the surveys' own labels, per source.

    python benchmarks/accuracy_on_real_spectra.py FOLDER [--preset racnet-class ...]

A preset that knows UNKNOWN may say so: that counts as wrong, and how often it does is in the confusion tables. A preset
of spectral types is asked for the stars of its types alone.

FOLDER has one sub-folder a source (lamost/SOURCE/... and sdss/SOURCE/...); refused files are listed. A file
survey_spectra.npz in it (arrays flux, ivar, mask, label, subclass, survey, group, z on the LAMOST grid) is asked for
SDSS spectra too; their S/N is the median over the pixels in LAMOST's window. The labels are the survey pipelines' own,
so agreement far above 98 % would mean agreement with those pipelines; how often they agree with themselves on repeat
visits of a star is reported. LAMOST DR1 (pipeline v2.6.4) draws the borders between F, G and K at other temperatures
than later releases: it is reported apart.
"""

import argparse
import zlib
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from astropy.io import fits

from racnet_tools.datasets import subtype_places
from racnet_tools.errors import ReadError
from racnet_tools.evaluate import accuracy, accuracy_by, confusion_table
from racnet_tools.evaluate.baselines_template import TemplateMatcher
from racnet_tools.inference import Preset, classify, load_preset
from racnet_tools.models.measured import CATASTROPHIC, LETTERS
from racnet_tools.models.quality import QUALITY_BITS
from racnet_tools.readers import find_files, read_file
from racnet_tools.reproduce.beyond import redshift_errors
from racnet_tools.spectra import LAMOST_GRID, Preprocessing, SpectrumSet, concatenate

CLASSES, TYPES, FGK = ("STAR", "GALAXY", "QSO"), ("A", "F", "G", "K", "M"), ("F", "G", "K")


def stellar_type(subclass: str) -> str:
    """Letter of a type such as G5, A1IV, dM3 or K0III; empty for DoubleStar, EM, Carbon and the like."""
    place = subtype_places([subclass])[0]
    return LETTERS[int(place // 10)] if np.isfinite(place) else ""


def is_dr1(path: Path) -> bool:
    """Whether the pipeline that wrote a file is that of LAMOST DR1."""
    return "v2.6.4" in str(fits.getheader(path).get("VERSPIPE", ""))


def read_all(folder: Path) -> tuple[SpectrumSet, np.ndarray, np.ndarray]:
    """All spectra of a folder on the LAMOST grid, the source (n,) of each, and which are of LAMOST DR1 (n,)."""
    sets, source, dr1 = [], [], []
    for path in find_files([folder]):
        try:
            spectra = read_file(path).to_grid(LAMOST_GRID)
        except ReadError as error:
            print(f"refused: {path.name}: {error.reason}")
            continue
        sets.append(spectra)
        source += [path.parent.name] * len(spectra)
        dr1 += [is_dr1(path)] * len(spectra)
    return concatenate(sets), np.array(source), np.array(dr1)


def report(truth, found, source, where, classes) -> None:
    """Print accuracy per source and for all of `where`, and the confusions."""
    by_source = accuracy_by(truth[where], found[where], source[where])
    print("\n".join(f"  {line}" for line in by_source.pformat()))
    print(f"  all: {accuracy(truth[where], found[where])}")
    print("\n".join(f"  {line}" for line in confusion_table(truth[where], found[where], classes).pformat()))


def agreement_of_visits(name: np.ndarray, kind: np.ndarray) -> tuple[int, int]:
    """Pairs of spectra of the same object, and those that the survey itself gave the same type."""
    pairs = [pair for one in np.unique(name) for pair in combinations(kind[name == one], 2)]
    return len(pairs), sum(a == b for a, b in pairs)


def seen_ivar(flux: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Inverse variance (n,) by the second differences of pixels two apart (DER_SNR; Stoehr et al. 2008, ADASS XVII)."""
    out = np.ones(len(flux))
    for i, (row, lost) in enumerate(zip(flux, bad | ~np.isfinite(flux), strict=True)):
        good = row[~lost]
        if len(good) > 10:
            out[i] = (1.482602 / 6**0.5 * np.median(np.abs(2 * good[2:-2] - good[:-4] - good[4:]))) ** -2
    return out


def sdss_of(path: Path) -> SpectrumSet:
    """The SDSS spectra of survey_spectra.npz, in LAMOST's window."""
    with np.load(path, allow_pickle=False) as f:
        rows = np.flatnonzero((f["survey"] == "SDSS") & np.isin(f["label"], CLASSES))
        flux, ivar = f["flux"][rows], f["ivar"][rows]
        ivar = np.where(np.isnan(ivar), seen_ivar(flux, f["mask"][rows] > 0)[:, None], ivar)  # not given
        bad = (f["mask"][rows] > 0) | ~np.isfinite(flux) | ~(ivar > 0)
        columns = {"label": f["label"], "object_id": f["group"], "subclass": f["subclass"]}
        table = [{"survey": "SDSS", "z": float(f["z"][i]), **{k: v[i] for k, v in columns.items()}} for i in rows]
    return SpectrumSet(LAMOST_GRID.wave, np.where(bad, 0, flux), np.where(bad, 0, ivar), bad, table)


def report_sdss(spectra: SpectrumSet, preset: str) -> None:
    """Print classes, by S/N and by redshift."""
    label, snr = np.asarray(spectra.table["label"]), spectra.median_snr()  # of 97 the survey's own is not given
    table = classify(spectra, preset)
    found = np.asarray(table["label"].filled("none"))
    named = (*CLASSES, *sorted({*found} - {*CLASSES, "none"}))
    print(f"\nSDSS spectra in LAMOST's window; {np.mean(found == 'none'):.1%} refused for want of pixels")
    print(
        "\n".join(f"  {line}" for line in confusion_table(label, np.where(found == "none", "", found), named).pformat())
    )
    z = np.asarray(spectra.table["z"].filled(np.nan), float)
    if "z" in table.colnames:
        found_z, quality = np.asarray(table["z"].filled(np.nan), float), np.asarray(table["quality"].filled(0))
        report_redshifts(label, z, found_z, (quality & QUALITY_BITS["REDSHIFT_UNSURE"][0]) == 0, "network")
        flux = Preprocessing()(spectra[np.flatnonzero(found != "none")])
        for name in ("GALAXY", "QSO"):
            measured = np.full(len(label), np.nan)
            measured[found != "none"] = np.asarray(TemplateMatcher([name]).match(flux)["z"], float)
            report_redshifts(np.where(label == name, label, ""), z, measured, np.ones(len(z), bool), "templates")
        z_error = np.asarray(table["z_error"].filled(np.nan), float)
        for name, limit in CATASTROPHIC.items():
            right = (label == name) & (np.abs(found_z - z) <= limit * (1 + z))
            within = (np.abs(found_z - z) <= z_error)[right]
            print(f"  right redshifts of {name} within z_error: {within.sum()}/{len(within)}")
        sets = table["prediction_set"].filled("")
        for name in CLASSES:
            held = [name in one.split("|") for one in sets[(label == name) & (found != "none")]]
            print(f"  {name} is in its prediction set: {sum(held)}/{len(held)}")
    bright = (snr >= 5) & (found != "none")
    print(f"  all of S/N 5 or more: {accuracy(label[bright], found[bright])}")
    for name in CLASSES:
        where = label == name
        print(f"  {name}: {accuracy(label[where], found[where])}")
        read = where & (found != "none")
        print(f"    of those with enough pixels: {accuracy(label[read], found[read])}")
        for what, value, edges in (("median S/N", snr, (0, 3, 5, 10, 1e9)), ("z", z, (-1, 0.1, 0.3, 0.6, 1.5, 2.5, 9))):
            for low, high in pairwise(edges):
                some = read & (value >= low) & (value < high)
                if some.any() and not (name == "STAR" and what == "z"):
                    print(f"    {what} {low:g} to {high:g}: {accuracy(label[some], found[some])}")


def report_redshifts(label: np.ndarray, z: np.ndarray, found: np.ndarray, sure: np.ndarray, who: str) -> None:
    """Print how far measured redshifts are from the survey's."""
    for name, limit in CATASTROPHIC.items():
        for what, where in (("all", label == name), ("sure", (label == name) & sure)):
            known = where & np.isfinite(z) & np.isfinite(found)
            if known.any() and not (who == "templates" and what == "sure"):
                told = redshift_errors(found[known], z[known], limit)
                print(f"  z of {name} by {who}, {what}: sigma_NMAD {told['nmad']:.5f}, beyond {limit:g}: ", end="")
                print(f"{told['catastrophic']}/{told['n']}")


def report_types(spectra: SpectrumSet, kind: np.ndarray, source: np.ndarray, dr1: np.ndarray, preset: Preset) -> None:
    """Print what a preset of spectral types reaches on the stars of its types."""
    label = np.asarray(spectra.table["label"].filled(""))
    which = np.flatnonzero((label == "STAR") & np.isin(kind, preset.classes))
    found = np.asarray(classify(spectra[which], preset.folder)["label"].filled(""))
    for title, where in (("later than LAMOST DR1", ~dr1[which]), ("LAMOST DR1 (its own borders)", dr1[which])):
        print(f"\n{', '.join(preset.classes)}; {title}")
        report(kind[which], found, source[which], where, preset.classes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--preset", nargs="+", default=["racnet-class"])
    args = parser.parse_args()
    spectra, source, dr1 = read_all(args.folder)
    kind = np.array([stellar_type(subclass) for subclass in spectra.table["subclass"].filled("")])
    print(f"{len(spectra)} spectra of {len(set(spectra.table['object_id']))} objects")
    star = (np.asarray(spectra.table["label"].filled("")) == "STAR") & np.isin(kind, TYPES) & ~dr1
    visits, same = agreement_of_visits(np.asarray(spectra.table["object_id"])[star], kind[star])
    print(f"Repeat visits of the same star, later than DR1: the survey's own types agree in {same} of {visits} pairs")
    whole = args.folder / "survey_spectra.npz"
    for name in args.preset:
        preset = load_preset(name)
        print(f"\n===== {preset.name}")
        if preset.task == "stellar_type":
            report_types(spectra, kind, source, dr1, preset)
            continue
        report_classes(spectra, kind, source, dr1, name)
        if whole.exists():
            report_sdss(sdss_of(whole), name)


def report_classes(spectra: SpectrumSet, kind: np.ndarray, source: np.ndarray, dr1: np.ndarray, preset: str) -> None:
    """Print classes and, where the preset divides stars, their types."""
    table = classify(spectra, preset)
    label = np.asarray(spectra.table["label"].filled(""))
    found = np.asarray(table["label"].filled(""))  # none for those that are refused
    print(f"{np.mean(table['rejected']):.1%} rejected")
    print("\nSTAR, GALAXY, QSO; survey labels")
    report(label, found, source, np.isin(label, CLASSES), (*CLASSES, *sorted({*found} - {*CLASSES, ""})))
    if not any(table["subclass"].filled("")):
        return
    # A star that the first network takes for something else counts as wrong among the types too.
    found_kind = np.where(found == "STAR", table["subclass"].filled(""), "")
    star = (label == "STAR") & np.isin(kind, TYPES)
    for title, where in (("later than LAMOST DR1", star & ~dr1), ("LAMOST DR1 (its own borders)", star & dr1)):
        if where.any():
            print(f"\nA, F, G, K, M; {title}")
            report(kind, found_kind, source, where, tuple("OBAFGKM") if "subtype" in table.colnames else TYPES)
    some = np.isin(kind, FGK) & star
    if "subtype" in table.colnames:
        given, ours = (
            subtype_places(names) for names in (spectra.table["subclass"].filled(""), table["subtype"].filled(""))
        )
        for title, where in (("later than DR1", star & ~dr1), ("DR1", star & dr1)):
            off = (ours - given)[where & np.isfinite(ours - given)]
            size, shift = np.median(np.abs(off)), np.median(off)
            print(f"Subtypes, {title}: median |error| {size:.2f}, median error {shift:.2f}, {len(off)}")
    print(f"\nF/G/K later than DR1: {accuracy(kind[some & ~dr1], found_kind[some & ~dr1])}")
    print(f"F/G/K DR1: {accuracy(kind[some & dr1], found_kind[some & dr1])}")
    print(f"F/G/K all sources: {accuracy(kind[some], found_kind[some])}")
    print(f"A/F/G/K/M all sources: {accuracy(kind[star], found_kind[star])}")
    half = np.array([zlib.crc32(str(name).encode()) % 2 == 0 for name in spectra.table["object_id"]])
    later, f9 = some & ~dr1, np.char.startswith(spectra.table["subclass"].filled("").astype(str), "F9")
    for title, where in (("half that borders were fitted on", half), ("other half", ~half), ("without F9", ~f9)):
        print(f"F/G/K later than DR1, {title}: {accuracy(kind[later & where], found_kind[later & where])}")


if __name__ == "__main__":
    main()
