"""Make ``templates.npz`` and ``spectra.npz`` of this folder. Rerun: ``python data/nearest/build_nearest.py``.

They hold what `racnet_tools.evaluate.nearest` compares a spectrum with: lines over the continuum of stars, galaxies and
quasars (float16, bins of two pixels), and simulated spectra (network input, float16, bins of three pixels) whose S/N in
r is 15 or more. All of it comes from ``data/templates`` and the simulator, from the seeds below.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from racnet_tools.evaluate.baselines_template import _relative
from racnet_tools.evaluate.nearest import COMPARED_BINS, TEMPLATE_BINS, _binned
from racnet_tools.simulate import simulate
from racnet_tools.simulate.galaxies import KINDS, galaxies_at_rest, observe_galaxies
from racnet_tools.simulate.igm import mean_depth
from racnet_tools.simulate.quasars import MovableQuasars
from racnet_tools.simulate.stars import stellar_type
from racnet_tools.simulate.templates import stars
from racnet_tools.spectra import LAMOST_GRID, Preprocessing

HERE = Path(__file__).resolve().parent
SEED, SPECTRA_SEED = 2024, (20261, 6)
LETTERS = "OBAFGKM"
STARS_EACH, GALAXIES, QUASARS = 14, 60, 60
NEAR, FAR = 3010, 7782  # pixels that galaxies at z = 1 and quasars at z = 5 are shifted
SLOW = 10  # pixels that stars may be shifted either way
POOL = {"A": 60, "F": 60, "G": 60, "K": 60, "M": 60, "GALAXY": 500, "QSO": 900}
KEPT = {"A": 16, "F": 16, "G": 16, "K": 16, "M": 16, "GALAXY": 80, "QSO": 80}
LEAST_SNR = 15.0
N = LAMOST_GRID.n_pixels


def star_templates() -> dict[str, np.ndarray]:
    """Of each spectral type, stars evenly spread over its temperatures."""
    library = stars()
    letters = stellar_type(library.teff, np.where(np.isfinite(library.feh), library.feh, -0.2))
    chosen: list[int] = []
    for letter in LETTERS:
        own = np.flatnonzero(letters == letter)
        own = own[np.argsort(library.teff[own], kind="stable")]
        chosen += own[np.unique(np.linspace(0, len(own) - 1, STARS_EACH).astype(int))].tolist()
    start = -library.first_pixel - SLOW
    flux = _relative(library.flux[chosen])[0][:, start : start + N + 2 * SLOW]
    names = [f"{letters[k]} star, {library.teff[k]:.0f} K, log g {library.logg[k]:.1f}" for k in chosen]
    return _stored("STAR", flux, SLOW, names)


def galaxy_templates() -> dict[str, np.ndarray]:
    """Galaxies of every kind, to z = 1."""
    kinds = np.resize(list(KINDS), GALAXIES)
    some = galaxies_at_rest(kinds, np.random.default_rng(SEED))
    far = observe_galaxies(some, np.full(GALAXIES, 10 ** (NEAR * LAMOST_GRID.step) - 1))
    flux = np.concatenate([far[:, :NEAR], observe_galaxies(some, np.zeros(GALAXIES))], axis=1)
    return _stored("GALAXY", _relative(flux)[0], NEAR, [f"{kind} galaxy" for kind in kinds])


def quasar_templates() -> dict[str, np.ndarray]:
    """Quasars behind the mean forest of z = 3, to z = 5."""
    some = MovableQuasars(QUASARS, np.random.default_rng(SEED))
    parts = [some.nuclei(np.full(QUASARS, 10 ** (k * LAMOST_GRID.step) - 1)) for k in (FAR, N, 0)]
    flux = np.concatenate([parts[0][:, : FAR - N], *parts[1:]], axis=1)
    rest = 10 ** (LAMOST_GRID.start + LAMOST_GRID.step * np.arange(-FAR, N))
    through = np.where(rest < 1215.67, np.exp(-mean_depth(4 * rest / 1215.67 - 1)), 1) * np.where(rest < 911.75, 0.3, 1)
    kinds = [f"{kind} quasar".strip() for kind in some.columns["subclass"]]
    return _stored("QSO", _relative(flux * through.astype(np.float32))[0], FAR, kinds)


def _stored(label: str, ratio: np.ndarray, before: int, names: list[str]) -> dict[str, np.ndarray]:
    binned = _binned(ratio, TEMPLATE_BINS).clip(-2, 60)
    return {
        f"{label}_ratio": (np.round(binned * 512) / 512).astype(np.float16),
        f"{label}_before": np.array(before // TEMPLATE_BINS),
        f"{label}_names": np.array(names),
    }


def comparison_spectra() -> dict[str, np.ndarray]:
    """Simulated spectra of good S/N, in the numbers of `KEPT`."""
    parts = []
    for number, (name, count) in enumerate(POOL.items()):
        made = simulate({name: count}, seed=(*SPECTRA_SEED, number))
        good = np.flatnonzero(np.asarray(made.table["snr_r"]) >= LEAST_SNR)[: KEPT[name]]
        parts.append(made[good])
    flux = np.concatenate([_binned(Preprocessing()(part), COMPARED_BINS) for part in parts])
    rows = [row for part in parts for row in part.table]
    names = [f"{row['label']} {row['subclass'] or ''}".strip() + f", S/N {row['snr_r']:.0f}" for row in rows]
    return {
        "flux": flux.astype(np.float16),
        "names": np.array([name.replace("--, ", ", ") for name in names]),
        "labels": np.array([str(row["label"]) for row in rows]),
        "z": np.array([row["z"] for row in rows], dtype=np.float32),
    }


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HERE)
    folder = parser.parse_args().output
    np.savez_compressed(folder / "templates.npz", **star_templates(), **galaxy_templates(), **quasar_templates())
    np.savez_compressed(folder / "spectra.npz", **comparison_spectra())


if __name__ == "__main__":
    main()
