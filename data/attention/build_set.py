"""Simulate the spectra on which the attention explorer looks at networks: ``python data/attention/build_set.py``.

Writes ``set.npz`` beside this file: 30 simulated spectra each of STAR, GALAXY, QSO and UNKNOWN (seed 91; not trained
on), preprocessed as all presets want them, in half precision.
"""

from pathlib import Path

import numpy as np

from racnet_tools.simulate import simulate
from racnet_tools.spectra import Preprocessing

HERE = Path(__file__).resolve().parent
CLASSES = ("STAR", "GALAXY", "QSO", "UNKNOWN")
EACH, SEED = 30, 91


def main() -> None:
    """Simulate and write."""
    spectra = simulate(dict.fromkeys(CLASSES, EACH), seed=SEED)
    columns = {name: np.array([str(value) for value in spectra.table[name]]) for name in ("spec_id", "label")}
    z = np.ma.filled(np.ma.asarray(spectra.table["z"]).astype(float), np.nan).astype(np.float32)
    path = HERE / "set.npz"
    np.savez_compressed(path, flux=Preprocessing()(spectra).astype(np.float16), z=z, seed=SEED, **columns)
    print(f"{path}: {len(spectra)} spectra, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
