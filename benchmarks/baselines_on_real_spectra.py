"""What one could run instead of racnet-survey, on real spectra: python benchmarks/baselines_on_real_spectra.py FOLDER

FOLDER holds real spectra as for accuracy_on_real_spectra.py. The baselines (`racnet_tools.evaluate.baselines`) learn
from 6,000 simulated spectra of each task, made as racnet-survey's are (all redshifts, S/N and instruments); the nearest
template learns nothing. Two tasks: STAR, GALAXY, QSO of SDSS spectra in LAMOST's window, and A, F, G, K, M of LAMOST.
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy_on_real_spectra import CLASSES, FGK, TYPES, sdss_of
from fit_subtype_scale import typed_stars

from racnet_tools.evaluate import accuracy, make_baseline
from racnet_tools.evaluate.baselines import BASELINES
from racnet_tools.inference import classify
from racnet_tools.simulate import simulate
from racnet_tools.spectra import Preprocessing

SPECTRA, SEED = 6000, 903


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    prepare = Preprocessing()
    sdss = sdss_of(args.folder / "survey_spectra.npz")
    sdss = sdss[np.flatnonzero((~sdss.mask).sum(axis=1) > sdss.n_pixels / 2)]
    label, bright = np.asarray(sdss.table["label"]).astype(str), sdss.median_snr() >= 5
    stars, about = typed_stars(args.folder)
    later = ~about["dr1"]
    fgk = later & np.isin(about["kind"], FGK)

    def learnt(classes: tuple[str, ...], column: str) -> tuple[np.ndarray, np.ndarray]:
        made = simulate(
            dict.fromkeys(classes, SPECTRA // len(classes)), seed=(SEED, len(classes)), even=True, varied=True
        )
        return prepare(made), np.array([classes.index(str(one)) for one in made.table[column]])

    def tell(who: str, found: np.ndarray, types: np.ndarray) -> None:
        print(
            f"| {who} | {accuracy(label, found)} | {accuracy(label[bright], found[bright])} "
            f"| {accuracy(about['kind'][later], types[later])} | {accuracy(about['kind'][fgk], types[fgk])} |",
            flush=True,
        )

    print("| | SDSS | of S/N of 5 or more | A/F/G/K/M later than DR1 | F/G/K of these |\n|---|---|---|---|---|")
    named = classify(stars)
    types = np.where(named["label"].filled("") == "STAR", named["subclass"].filled(""), "")
    tell("racnet-survey", np.asarray(classify(sdss)["label"].filled("")), types)
    tasks = {classes: learnt(classes, column) for classes, column in ((CLASSES, "label"), (TYPES, "subclass"))}
    for name in BASELINES:
        given = []
        for (classes, (x, y)), spectra in zip(tasks.items(), (sdss, stars), strict=True):
            method = make_baseline(name, classes, seed=0).fit(x, y)
            given.append(np.array(classes)[method.predict(prepare(spectra))])
        tell(method.name, *given)


if __name__ == "__main__":
    main()
