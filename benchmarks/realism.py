"""How close simulated spectra are to real ones: a two-sample test (can a classifier tell them apart?) and a report.

    python benchmarks/realism.py FOLDER_OF_REAL [--output report.html] [--seed 1] [--cache FOLDER] [--quick]

FOLDER_OF_REAL is searched for LAMOST low-resolution files (folders whose name begins with an underscore are left
out). One spectrum an object of type A to M is taken; simulated ones are matched to it in type and signal-to-noise.
AUC 0.5: cannot be told apart; 1: always. With --output the page is written, and the numbers beside it as .json.
"""

import argparse
import json
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from accuracy_on_real_spectra import TYPES, is_dr1, stellar_type
from astropy.coordinates import SkyCoord

from racnet_tools.errors import ReadError
from racnet_tools.evaluate.realism import match, measured_snr, two_sample_test
from racnet_tools.evaluate.realism_features import VIEWS, features, noise_autocorrelation
from racnet_tools.evaluate.realism_indices import colours, line_indices
from racnet_tools.evaluate.realism_indices import compare as compare_quantities
from racnet_tools.plots import Page
from racnet_tools.plots.contact_sheet import contact_sheet
from racnet_tools.plots.realism import auc_bars, autocorrelation_curves, distributions
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


def quantities(spectra: SpectrumSet, ivar: bool) -> dict[str, np.ndarray]:
    """Line indices, colours and, where the instrument is LAMOST on both sides, statistics of noise and S/N."""
    found = line_indices(spectra) | colours(spectra)
    if ivar:
        columns = VIEWS["ivar"](spectra) | VIEWS["noise"](spectra) | VIEWS["gaps"](spectra)
        names = ("structure of log ivar 5400", "structure of log ivar 8400", "roughness of log ivar 5400",
                 "log ivar 3850", "log ivar 8400", "join of the arms in log ivar", "sky line in log ivar 8829",
                 "correlation of flux and ivar blue", "autocorrelation blue lag 1", "autocorrelation red lag 1",
                 "log pixel-to-pixel noise over stated 5400", "log pixel-to-pixel noise over stated 8400")  # fmt: skip
        found |= {name: columns[name] for name in names} | {"S/N (r)": measured_snr(spectra)}
    return found


def write_report(path: Path, real: SpectrumSet, simulated: SpectrumSet, row, tests, sdss: Path | None, seed: int):
    """One page with the tests, distributions by class and contact sheets, and its numbers as JSON."""
    page, numbers = Page("How close simulated spectra are to real ones"), {}
    page.text(f"{len(real)} real LAMOST stars (one spectrum an object) and {len(simulated)} simulated ones of equal "
              "type and signal-to-noise ratio. Two-sample test: a classifier that never saw an object before says "
              "which is simulated. AUC with 95 % intervals (bootstrap over objects).")  # fmt: skip
    page.heading("Can they be told apart?")
    page.figure(auc_bars({title: result.boosted for title, result in tests.items()}), "AUC by view, boosted trees")
    names = list(tests)
    page.table(["view", *names], [[v, *(str(tests[t].boosted[v]) for t in names)] for v in tests[names[0]].boosted])
    first = tests[names[0]]
    page.heading("What gives the simulation away")
    page.text("The features that the classifier of all features relies on most, then those that tell most alone.")
    used = sorted(first.telling, key=lambda one: -one[4])[:15] + first.telling[:15]
    page.table(["feature", "AUC alone", "median, real", "median, simulated", "share of margin"],
               [[n, f"{a:.3f}", f"{r:.4g}", f"{s:.4g}", f"{loss:.3f}"] for n, a, r, s, loss in used])  # fmt: skip
    numbers["two_sample"] = {title: {"boosted": {v: vars(x) for v, x in result.boosted.items()},
                                     "logistic": {v: vars(x) for v, x in result.linear.items()},
                                     "by_type": {k: vars(x) for k, x in result.by_kind.items()}}
                             for title, result in tests.items()}  # fmt: skip
    kind, kinds = np.asarray(real.table["kind"]), np.asarray(real.table["kind"])[row]
    page.heading("Noise autocorrelation")
    page.figure(autocorrelation_curves({k: (noise_autocorrelation(real[kind == k], 10),
                                            noise_autocorrelation(simulated[kinds == k], 10)) for k in TYPES}),
                "Residual from a short running median over the stated noise; median and quartiles")  # fmt: skip
    sides = {f"type {k}": (real[kind == k], simulated[kinds == k], True) for k in TYPES}
    if sdss:
        sides |= sdss_against_simulated(sdss, seed)
    numbers["distributions"] = {}
    for title, (a, b, ivar) in sides.items():
        one, other = quantities(a, ivar), quantities(b, ivar)
        found = compare_quantities(one, other, seed=seed)
        page.heading(f"Lines, colours{', noise' if ivar else ''}: {title}")
        drawn = distributions(one, other, found, title=title)
        caption = f"{title}: {len(a)} real, {len(b)} simulated; D is the Kolmogorov-Smirnov distance; "
        page.figure(drawn, caption + "the outermost bins hold all that lies beyond")
        page.table(["quantity", "real: quartiles", "simulated: quartiles", "D (95 % interval)", "D by chance (95 %)"],
                   [[name, " ".join(f"{v:.3g}" for v in c.real), " ".join(f"{v:.3g}" for v in c.simulated),
                     f"{c.distance:.2f} ({c.low:.2f} to {c.high:.2f})", f"{c.chance:.2f}"]
                    for name, c in found.items()])  # fmt: skip
        numbers["distributions"][title] = {name: vars(c) for name, c in found.items()}
    page.heading("Contact sheets: real (left) and simulated (right)")
    snr, each = measured_snr(real), len(row) // len(real)
    for name in TYPES:
        members = np.flatnonzero(kind == name)
        if not len(members):
            continue
        order = members[np.argsort(snr[members])]
        chosen = order[np.unique(np.rint(np.array([0.05, 0.2, 0.45, 0.55, 0.8, 0.95]) * (len(order) - 1)).astype(int))]
        notes = [f"S/N {snr[i]:.0f}" for i in chosen]
        title = f"{name}: low to high signal-to-noise"
        page.figure(contact_sheet(real[chosen], simulated[chosen * each], title=title, notes=notes), title)
    page.save(path, overwrite=True)
    path.with_suffix(".json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def sdss_against_simulated(path: Path, seed: int) -> dict[str, tuple[SpectrumSet, SpectrumSet, bool]]:
    """Real galaxies and quasars of SDSS on LAMOST's window, and simulated ones; other instrument, so no noise."""
    with np.load(path, allow_pickle=False) as f:
        columns = {name: f[name] for name in ("flux", "ivar", "mask", "label", "z", "survey", "group", "filename")}
    found = {}
    for label in ("GALAXY", "QSO"):
        where = np.flatnonzero((columns["label"] == label) & (columns["survey"] == "SDSS"))
        where = where[np.unique(columns["group"][where], return_index=True)[1]]
        rows = [{"spec_id": str(columns["filename"][i]), "label": label, "z": float(columns["z"][i])} for i in where]
        ivar = np.nan_to_num(columns["ivar"][where], nan=1.0)
        real = SpectrumSet(LAMOST_GRID.wave, columns["flux"][where], ivar, columns["mask"][where] > 0, rows)
        found[f"{label}, SDSS against simulated"] = (real, simulate({label: 2 * len(where)}, seed=seed), False)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=2, help="simulated spectra for every real one")
    parser.add_argument("--cache", type=Path, help="folder that keeps the real spectra read once")
    parser.add_argument("--output", type=Path, help="page to write (.html); a file of that name is replaced")
    parser.add_argument("--sdss", type=Path, help="survey_spectra.npz, for galaxies and quasars in the page")
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

    tests = {}

    def test(title: str, rows: np.ndarray, positive: np.ndarray, group: np.ndarray, by_kind: bool = False) -> None:
        some = {view: {name: v[rows] for name, v in columns.items()} for view, columns in measured.items()}
        kinds = np.concatenate([kind, kind[row]])[rows] if by_kind else None
        tests[title] = two_sample_test(some, positive, group, kinds, seed=args.seed)
        show(title, tests[title], args.top if by_kind else 0)

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
    if args.output:
        write_report(args.output, real, simulated, row, tests, args.sdss, args.seed)
    print(f"\n{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
