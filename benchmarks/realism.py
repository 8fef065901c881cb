"""How close simulated spectra are to real ones: a two-sample test (can a classifier tell them apart?) and a report.

    python benchmarks/realism.py FOLDER_OF_REAL [--seed 1] [--cache FOLDER] [--quick]

FOLDER_OF_REAL is searched for LAMOST low-resolution files (folders whose name begins with an underscore are left
out). One spectrum an object of type A to M is taken; simulated ones are matched to it in type and signal-to-noise ratio.
AUC 0.5: cannot be told apart; 1: always.
"""

import argparse
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from accuracy_on_real_spectra import TYPES, is_dr1, stellar_type
from astropy.coordinates import SkyCoord

from racnet_tools.errors import ReadError
from racnet_tools.evaluate.realism import match, measured_snr, two_sample_test
from racnet_tools.evaluate.realism_features import features
from racnet_tools.readers import find_files, read_file
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet, concatenate


def read_real(folder: Path, cache: Path | None) -> SpectrumSet:
    """One LAMOST star an object, with columns kind, source and dr1 in the table."""
    kept = cache / "real_stars.fits" if cache else None
    if kept and kept.exists():
        return SpectrumSet.open(kept)
    sets = []
    for path in find_files([folder]):
        if any(part.startswith("_") for part in path.relative_to(folder).parts):
            continue
        try:
            spectra = read_file(path).to_grid(LAMOST_GRID)
        except ReadError as error:
            print(f"refused: {path.name}: {error.reason}")
            continue
        kind = stellar_type(str(spectra.table["subclass"].filled("")[0]))
        if spectra.table["survey"][0] == "LAMOST" and spectra.table["label"][0] == "STAR" and kind in TYPES:
            spectra.table["kind"], spectra.table["source"], spectra.table["dr1"] = kind, path.parent.name, is_dr1(path)
            sets.append(spectra)
    everything = concatenate(sets)
    order = np.random.default_rng(0).permutation(len(everything))
    first = np.unique(same_place(everything)[order], return_index=True)[1]
    real = everything[np.sort(order[first])]
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        real.save(kept)
    return real


def same_place(spectra: SpectrumSet, arcsec: float = 5.0) -> np.ndarray:
    """Number of each spectrum's object: designations differ between visits by a few hundredths of a second."""
    position = SkyCoord(spectra.table["ra"].filled(0), spectra.table["dec"].filled(-90), unit="deg")
    a, b, _, _ = position.search_around_sky(position, arcsec * u.arcsec)
    first = np.arange(len(spectra))
    np.minimum.at(first, a, b)
    return first


def matched(real: SpectrumSet, seed: int, each: int) -> tuple[SpectrumSet, np.ndarray]:
    """Simulated spectra of the real ones' types and S/N, `each` for every one, and the row of the real one of each."""
    kind = np.asarray(real.table["kind"])
    counts = {name: max(8 * int((kind == name).sum()), 60) for name in TYPES if (kind == name).any()}
    candidates = simulate(counts, seed=seed)
    types = np.array([str(name)[0] for name in candidates.table["subclass"]])
    partner = match(kind, measured_snr(real), types, measured_snr(candidates), each)
    return candidates[partner.ravel()], np.repeat(np.arange(len(real)), each)


def show(title: str, result, top: int = 0) -> None:
    print(f"\n{title}")
    print(f"  {'view':<10} {'boosted trees':<26} logistic regression")
    for view, value in result.boosted.items():
        print(f"  {view:<10} {value!s:<26} {result.linear[view]}")
    if result.by_kind:
        print("  all, by type: " + "; ".join(f"{name} {value}" for name, value in result.by_kind.items()))
    if top:
        print(f"  features that tell most by themselves (AUC; medians){'':>24} real  simulated  share of margin")
        for name, alone, r, s, loss in result.telling[:top]:
            print(f"    {alone:.3f}  {name:<62} {r:>9.4g} {s:>9.4g}  {loss:+.4f}")
        print("  most used by the classifier of all:")
        for name, alone, r, s, loss in sorted(result.telling, key=lambda row: -row[4])[:15]:
            print(f"    {loss:+.4f}  {name:<62} {r:>9.4g} {s:>9.4g}  alone {alone:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=2, help="simulated spectra for every real one")
    parser.add_argument("--cache", type=Path, help="folder that keeps the real spectra read once")
    parser.add_argument("--quick", action="store_true", help="only the main test, not those that show it to be fair")
    parser.add_argument("--top", type=int, default=40, help="how many telling features to print")
    args = parser.parse_args()
    start = time.perf_counter()
    real = read_real(args.folder, args.cache)
    kind, dr1 = np.asarray(real.table["kind"]), np.asarray(real.table["dr1"], bool)
    simulated, row = matched(real, args.seed, args.each)
    ratio = np.abs(np.log(measured_snr(simulated) / measured_snr(real)[row]))
    print(f"{len(real)} real, {len(simulated)} simulated; S/N differ by {np.median(ratio):.1%} (median), "
          f"{np.percentile(ratio, 90):.0%} (90 %)")  # fmt: skip
    others = [] if args.quick else [matched(real, args.seed + 1000, args.each)[0]]
    measured = features(concatenate([real, simulated, *others]))
    n, m = len(real), len(simulated)

    def test(title: str, rows: np.ndarray, positive: np.ndarray, group: np.ndarray, by_kind: bool = False) -> None:
        some = {view: {name: v[rows] for name, v in columns.items()} for view, columns in measured.items()}
        kinds = np.concatenate([kind, kind[row]])[rows] if by_kind else None
        show(title, two_sample_test(some, positive, group, kinds, seed=args.seed), args.top if by_kind else 0)

    group = np.concatenate([np.arange(n), row])
    main_rows = np.arange(n + m)
    test("simulated against real, all", main_rows, main_rows >= n, group, by_kind=True)
    later = main_rows[~dr1[group]]
    test("simulated against real, later than DR1", later, later >= n, group[later], by_kind=True)
    if others:
        half = np.random.default_rng(args.seed).permutation(n) % 2 == 0
        test("real against real (random halves; must be 0.5)", np.arange(n), half, np.arange(n))
        pairs = np.arange(n, n + 2 * m)
        test("simulated against simulated of another seed (must be 0.5)", pairs, pairs >= n + m, np.tile(row, 2))
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
