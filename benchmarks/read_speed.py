"""Spectra read per second, by one thread, beside astropy on the same files in turns.

    python benchmarks/read_speed.py [FOLDER ...]

Without folders it writes 200 simulated-noise files of each LAMOST layout and reads those.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits

from racnet_tools.errors import ReadError
from racnet_tools.readers import find_files, read_batches, read_file, write_lamost
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet


def with_astropy(files: list[Path]) -> None:
    for file in files:
        with fits.open(file) as hdus:
            image = hdus[0].data
            np.array(image if image is not None else hdus[1].data["FLUX"])


def measure(name: str, files: list[Path], turns: int = 5) -> None:
    ways = {
        "astropy": with_astropy,
        "read_file": lambda batch: [read_file(file) for file in batch],
        "read_batches": lambda batch: list(read_batches(batch)),
    }
    best = dict.fromkeys(ways, np.inf)
    for _ in range(turns):
        for way, function in ways.items():
            start = time.process_time()
            function(files)
            best[way] = min(best[way], time.process_time() - start)
    rates = "  ".join(f"{way} {len(files) / seconds:6.0f}/s" for way, seconds in best.items())
    print(f"{name:28s} {len(files):4d} files  {rates}")


def readable(files: list[Path]) -> list[Path]:
    good = []
    for file in files:
        try:
            read_file(file)
            good.append(file)
        except ReadError as error:
            print(error, file=sys.stderr)
    return good


def main() -> None:
    warnings.simplefilter("ignore")
    folders = [Path(name) for name in sys.argv[1:]]
    for folder in folders:
        measure(folder.name, readable(list(find_files(folder))))
    if folders:
        return
    rng = np.random.default_rng(1)
    flux = 100 + rng.standard_normal((200, LAMOST_GRID.n_pixels))
    rows = [{"spec_id": f"55555-B_sp01-{i:03d}", "survey": "SIMULATED"} for i in range(200)]
    spectra = SpectrumSet(LAMOST_GRID.wave, flux, np.ones(flux.shape), None, rows)
    for layout in ("image5_sub", "image5", "coadd"):
        for suffix in (".fits", ".fits.gz"):
            with tempfile.TemporaryDirectory() as folder:
                measure(layout + suffix, write_lamost(spectra, folder, layout, suffix=suffix))


if __name__ == "__main__":
    main()
