"""Fit the compact noise statistics of this folder to the inverse variances of real LAMOST spectra.

    python data/noise/fit_noise.py FOLDER_OF_LAMOST_FILES

What is kept in ``lamost_noise.npz`` is the mean of log10(sigma / median sigma) over the spectra, the first principal
components of what is left (smoothed over 25 pixels) and the standard deviation of their coefficients: no spectrum can
be made again from it. One spectrum an object is used.
"""

import sys
from pathlib import Path

import numpy as np

from racnet_tools.errors import ReadError
from racnet_tools.readers import find_files, read_file
from racnet_tools.spectra import LAMOST_GRID

HERE = Path(__file__).resolve().parent
N_COMPONENTS, SMOOTHING = 6, 25


def main() -> None:
    """Read the files of the folder named on the command line and write the statistics."""
    rows, seen = [], set()
    for path in find_files([sys.argv[1]]):
        try:
            spectrum = read_file(path).to_grid(LAMOST_GRID)
        except ReadError:
            continue
        good = ~spectrum.mask[0]
        if spectrum.table["object_id"][0] in seen or good.mean() < 0.9:
            continue
        seen.add(spectrum.table["object_id"][0])
        pixels = np.flatnonzero(good)
        log_sigma = -0.5 * np.log10(spectrum.ivar[0, pixels])
        rows.append(np.interp(np.arange(LAMOST_GRID.n_pixels), pixels, log_sigma - np.median(log_sigma)))
    shapes = np.clip(np.array(rows), -1.5, 1.5)
    mean = np.median(shapes, axis=0)
    kernel = np.ones(SMOOTHING) / SMOOTHING
    rest = np.array([np.convolve(np.pad(row, SMOOTHING // 2, mode="edge"), kernel, "valid") for row in shapes - mean])
    _, values, components = np.linalg.svd(rest - rest.mean(axis=0), full_matrices=False)
    np.savez_compressed(
        HERE / "lamost_noise.npz",
        mean=mean.astype(np.float32),
        components=components[:N_COMPONENTS].astype(np.float32),
        spread=(values[:N_COMPONENTS] / np.sqrt(len(rows))).astype(np.float32),
        n_spectra=len(rows),
    )
    print(f"{len(rows)} spectra; explained {np.sum(values[:N_COMPONENTS] ** 2) / np.sum(values**2):.1%}")


if __name__ == "__main__":
    main()
