"""What channel attention does in the shipped presets: the tables of docs/attention.md.

    python benchmarks/attention.py [NAME ...] [--real FOLDER]

Spectra are simulated with a seed that no preset was trained on; means that weights are forced to come from other ones.
With FOLDER (as for accuracy_on_real_spectra.py) racnet-survey and racnet-class are looked at on real spectra too. About
ten minutes on one core; of the presets named alone, some two for each.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import mcnemar
from racnet_tools.explain import (
    ablate_channels,
    forced_logits,
    occlude,
    receptive_fields_table,
    separation,
    spectrum_attention,
)
from racnet_tools.explain.check import log_odds
from racnet_tools.explain.occlusion import logits_of
from racnet_tools.inference import Preset, load_preset
from racnet_tools.simulate import simulate

PRESETS = ("racnet-survey", "racnet-class", "racnet-dataset1", "racnet-dataset2", "racnet-dataset3")
ON_REAL = ("racnet-survey", "racnet-class")
EACH, SEED = 120, 2026  # spectra of a class


def simulated(preset: Preset, seed: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulated spectra as the network takes them, and their classes."""
    spectra = simulate(dict.fromkeys(preset.classes, each), seed=seed)
    y = [preset.classes.index(label) for label in labels(spectra.table, preset)]
    return preset.preprocessing(spectra), np.array(y)


def labels(table, preset: Preset) -> list[str]:
    """Class, or letter of the spectral type, of each spectrum."""
    column = "label" if "STAR" in preset.classes else "subclass"
    return [str(value) if column == "label" else str(value)[:1] for value in table[column]]


def real(preset: Preset, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """At most 100 real spectra of each class, one an object; stars mostly LAMOST's, the rest SDSS's."""
    from accuracy_on_real_spectra import sdss_of

    from racnet_tools.readers import read
    from racnet_tools.spectra import LAMOST_GRID, concatenate

    spectra = concatenate(
        [read(folder / "lamost", on_error="skip").to_grid(LAMOST_GRID), sdss_of(folder / "survey_spectra.npz")]
    )
    order = np.random.default_rng(0).permutation(len(spectra))
    flux, y, seen = [], [], set()
    for i in order:
        label, name = str(spectra.table["label"][i]), str(spectra.table["object_id"][i])
        if label not in preset.classes or name in seen or y.count(preset.classes.index(label)) == 100:
            continue
        try:
            flux.append(preset.preprocessing(spectra[[i]])[0])
        except RacnetError:  # no flux in LAMOST's window
            continue
        seen.add(name)
        y.append(preset.classes.index(label))
    return np.array(flux), np.array(y)


def separate(preset: Preset, weights: list[np.ndarray], y: np.ndarray) -> dict[tuple[int, int], float]:
    """Print how far channels separate classes; returns the effect of each."""
    table = separation(weights, y, preset.classes)
    effect, best = np.asarray(table["effect"]), table[0]
    print(
        f"  separate classes: {(table['p_adjusted'] < 0.05).sum()} of {len(table)} (Benjamini-Hochberg 5 %), effect "
        f"> 0.5: {(effect > 0.5).sum()}, difference > 0.1: {(table['difference'] > 0.1).sum()}; best: block "
        f"{best['block']} channel {best['channel']}, {best['effect']:.2f} ({best['lower']:.2f} to {best['upper']:.2f})"
    )
    over_spectra = np.mean([block.std(axis=0).mean() for block in weights])
    over_channels = np.mean([block.mean(axis=0).std() for block in weights])
    print(f"  a weight's spread over spectra {over_spectra:.2f}, over the channels of a block {over_channels:.2f}")
    return {(int(row["block"]), int(row["channel"])): float(row["effect"]) for row in table}


def force(preset: Preset, flux: np.ndarray, y: np.ndarray, means: dict[int, np.ndarray]) -> None:
    """Print what becomes of accuracy and log-odds with weights that do not depend on the spectrum."""
    free = forced_logits(preset, flux, {})
    print(f"  accuracy {np.mean(free.argmax(axis=1) == y):.3f} of {len(y)}")
    ones = {block: np.ones_like(values) for block, values in means.items()}
    last = max(means)
    early = {block: values for block, values in means.items() if block < last}
    chosen = {
        "all at means": means,
        f"1-{last - 1} at means": early,
        f"{last} at means": {last: means[last]},
        "all at 1": ones,
    }
    for name, weights in chosen.items():
        logits = forced_logits(preset, flux, weights)
        pair = mcnemar(y, logits.argmax(axis=1), free.argmax(axis=1))
        change = (log_odds(logits, y) - log_odds(free, y)).mean()
        print(
            f"  {name:13} accuracy {100 * pair.difference:+.1f} % ({100 * pair.lower:+.1f} to {100 * pair.upper:+.1f})"
            f", log-odds {change:+.2f}"
        )


def one_at_a_time(preset: Preset, flux: np.ndarray, y: np.ndarray, effect: dict[tuple[int, int], float]) -> None:
    """Print what single channels are worth, and whether those that separate classes are worth more."""
    from scipy.stats import spearmanr

    table = ablate_channels(preset, flux, y, value=0.0)
    change = np.abs(np.asarray(table["log_odds"]))
    order = [effect[int(row["block"]), int(row["channel"])] for row in table]
    rank = spearmanr(order, change, nan_policy="omit")
    print(
        f"  single channels at 0, {len(y)} spectra: change of log-odds above 0.1 for {(change > 0.1).sum()}, median "
        f"{np.median(change):.4f}, largest {change.max():.2f}; rank correlation with the effect {rank.statistic:.2f} "
        f"(p = {rank.pvalue:.2g})"
    )


def look(preset: Preset, flux: np.ndarray, y: np.ndarray, means: dict[int, np.ndarray]) -> None:
    """Print everything of one preset on some spectra."""
    effect = separate(preset, spectrum_attention(preset, flux)[1], y)
    force(preset, flux, y, means)
    few = np.random.default_rng(1).permutation(len(y))[:40]
    one_at_a_time(preset, flux[few], y[few], effect)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="presets; all of them by default")
    parser.add_argument("--real", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    names = args.names or PRESETS
    for name in names:
        preset = load_preset(name)
        if name in ON_REAL:
            print(receptive_fields_table(preset))
        others = spectrum_attention(preset, simulated(preset, SEED + 1, EACH // 2)[0])[1]
        means = {block: weights.mean(axis=0) for block, weights in enumerate(others, start=1)}
        print(f"\n{name}, {EACH} simulated spectra of each class")
        flux, y = simulated(preset, SEED, EACH)
        look(preset, flux, y, means)
        if args.real is not None and name in ON_REAL:
            print(f"\n{name}, real spectra; means of simulated ones")
            look(preset, *real(preset, args.real), means)
        if name == names[0]:
            logits = logits_of(preset.model_bytes())
            spent = []
            for spectrum in flux[:10]:
                start = time.perf_counter(), time.process_time()
                occlude(preset, spectrum[None], logits=logits)
                spent.append((time.perf_counter() - start[0], time.process_time() - start[1]))
            wall, cpu = np.median(spent, axis=0)
            print(
                f"\nocclusion of one spectrum, median of 10: {wall:.2f} s by the clock, {cpu:.2f} s of processor time"
            )


if __name__ == "__main__":
    main()
