"""Simulate the spectra on which the attention explorer looks at networks: ``python data/attention/build_set.py``.

Writes ``set.npz`` beside this file: 30 simulated spectra each of STAR, GALAXY, QSO and UNKNOWN (seed 91; not trained
on), flux in half precision and the noise to 1 %. It holds nothing of any network.
"""

from pathlib import Path

import numpy as np

from racnet_tools.explain.attention_set import packed
from racnet_tools.simulate import simulate

HERE = Path(__file__).resolve().parent
CLASSES = ("STAR", "GALAXY", "QSO", "UNKNOWN")
EACH, SEED = 30, 91


def main() -> None:
    """Simulate and write."""
    spectra = simulate(dict.fromkeys(CLASSES, EACH), seed=SEED)
    path = HERE / "set.npz"
    np.savez_compressed(path, seed=SEED, **packed(spectra))  # type: ignore[arg-type]
    print(f"{path}: {len(spectra)} spectra, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
