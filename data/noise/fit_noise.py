"""Fit the compact noise statistics of this folder to real LAMOST spectra.

    python data/noise/fit_noise.py FOLDER_OF_LAMOST_FILES

``lamost_noise.npz`` holds, for the first pipeline (``dr1``, files that carry a pseudo-continuum) and for all later ones
(``later``): the mean of log10(sigma / median sigma) over the spectra, the first principal components of what is left
and the standard deviation of their coefficients, and the spread of what the components leave. ``scale`` is the scatter
of neighbouring pixels over what their inverse variances say. No spectrum can be made again from them. One spectrum an
object is used.
"""

import sys
from pathlib import Path

import numpy as np
from astropy.io import fits

from racnet_tools.errors import ReadError
from racnet_tools.readers import find_files, read_file
from racnet_tools.spectra import LAMOST_GRID

HERE = Path(__file__).resolve().parent
N_COMPONENTS, SMOOTHING = 8, 7
# Windows (Angstrom) in which F and G stars have few lines.
QUIET = (
    (4450, 4650),
    (4700, 4840),
    (5450, 5570),
    (5600, 5680),
    (5740, 5860),
    (5980, 6150),
    (6320, 6480),
    (6620, 6750),
    (6760, 6860),
    (7000, 7150),
    (7400, 7550),
    (7750, 7850),
    (7900, 8080),
    (8110, 8240),
    (8270, 8380),
    (8400, 8480),
    (8700, 8800),
    (9000, 9050),
)


def smooth(rows: np.ndarray, width: int) -> np.ndarray:
    """Running mean of each row, the ends held."""
    kernel = np.ones(width) / width
    return np.array([np.convolve(np.pad(row, width // 2, mode="edge"), kernel, "valid") for row in rows])


def scatter_over_sigma(spectrum) -> list[float]:
    """Scatter of third differences in the quiet windows over that of white noise of the stated inverse variances."""
    out = []
    for low, high in QUIET:
        window = slice(*np.searchsorted(LAMOST_GRID.wave, (low, high)))
        if spectrum.mask[0, window].any():
            out.append(np.nan)
            continue
        expected = np.sqrt(np.convolve(1 / spectrum.ivar[0, window], [1, 9, 9, 1], "valid"))
        out.append(1.4826 * np.median(np.abs(np.diff(spectrum.flux[0, window], 3)) / expected))
    return out


def main() -> None:
    """Read the files of the folder named on the command line and write the statistics."""
    shapes: dict[str, list[np.ndarray]] = {"dr1": [], "later": []}
    scatter, seen = [], set()
    for path in find_files([sys.argv[1]]):
        try:
            spectrum = read_file(path).to_grid(LAMOST_GRID)
        except ReadError:
            continue
        good = ~spectrum.mask[0] & (spectrum.flux[0] != 0)
        name = spectrum.table["object_id"][0]
        if name in seen or good.mean() < 0.85:
            continue
        seen.add(name)
        pixels = np.flatnonzero(good)
        log_sigma = -0.5 * np.log10(spectrum.ivar[0, pixels])
        shape = np.interp(np.arange(LAMOST_GRID.n_pixels), pixels, log_sigma - np.median(log_sigma))
        first = "subcont" in str(fits.getheader(path).get("EXTEN0", "")).lower()
        shapes["dr1" if first else "later"].append(np.clip(shape, -1.5, 1.5))
        kind, snr = str(spectrum.table["subclass"].filled("")[0])[:1], spectrum.table["snr_r"].filled(np.nan)[0]
        if kind in "FG" and 8 < snr < 100:
            scatter.append(scatter_over_sigma(spectrum))
    out: dict[str, np.ndarray] = {}
    for era, rows in shapes.items():
        stack = np.array(rows)
        mean = np.median(stack, axis=0)
        rest = stack - mean
        _, values, components = np.linalg.svd(smooth(smooth(rest, SMOOTHING), SMOOTHING), full_matrices=False)
        components = components[:N_COMPONENTS]
        left = rest - (rest @ components.T) @ components
        out[f"{era}_mean"] = mean.astype(np.float32)
        out[f"{era}_components"] = components.astype(np.float32)
        out[f"{era}_spread"] = (values[:N_COMPONENTS] / np.sqrt(len(rows))).astype(np.float32)
        # What the components leave: from pixel to pixel (third differences see that alone), and smoothly.
        rough = np.pad(np.median(np.abs(np.diff(rest, 3, axis=1)), axis=0), (1, 2), mode="edge") / np.sqrt(20)
        for name, typical in (("rough", rough), ("wavy", np.median(np.abs(smooth(left, SMOOTHING)), axis=0))):
            out[f"{era}_{name}"] = 1.4826 * smooth(typical[None], 15)[0].astype(np.float32)
        out[f"{era}_n"] = np.array(len(rows))
        explained = np.sum(values[:N_COMPONENTS] ** 2) / np.sum(values**2)
        print(
            f"{era}: {len(rows)} spectra; explained {explained:.1%}; "
            f"left {np.median(out[f'{era}_rough']):.3f} dex from "
            f"pixel to pixel, {np.median(out[f'{era}_wavy']):.3f} smoothly"
        )
    middle = [np.mean(window) for window in QUIET]
    out["scale"] = np.interp(LAMOST_GRID.wave, middle, np.nanmedian(scatter, axis=0)).astype(np.float32)
    print(f"scatter over sigma in {len(scatter)} spectra:", np.nanmedian(scatter, axis=0).round(2))
    np.savez_compressed(HERE / "lamost_noise.npz", **out)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
