"""Train the shipped presets again: ``python data/presets/build_presets.py RUNS``.

RUNS is a folder for the two trainings; finished ones are used as they are and interrupted ones gone on with, so the
command may be repeated. Each takes about half an hour on one processor core. The presets are written beside this
script; their cards end with ``on_real_spectra.md``. The shipped ones were trained with TF_ENABLE_ONEDNN_OPTS=1 and one
thread (TF_NUM_INTRAOP_THREADS=1, TF_NUM_INTEROP_THREADS=1), before STELIB's stars joined the templates; other settings
and templates end with slightly different weights.
"""

import argparse
from pathlib import Path

from racnet_tools.training import TrainingConfig
from racnet_tools.training.simulated import save_simulated_preset, train_on_simulated

HERE = Path(__file__).resolve().parent
PRESETS = {
    "racnet-class": ("class", TrainingConfig(epochs=18, batch_size=64, seed=1)),
    "racnet-star": ("stellar_type", TrainingConfig(epochs=22, batch_size=64, seed=1)),
}


def main() -> None:
    """Train what is missing and write both presets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, metavar="RUNS")
    runs = parser.parse_args().runs
    runs.mkdir(parents=True, exist_ok=True)
    remarks = (HERE / "on_real_spectra.md").read_text(encoding="utf-8")
    for name, (task, training) in PRESETS.items():
        run = train_on_simulated(task, runs / name, training, spectra_per_epoch=5000)
        print(save_simulated_preset(run, HERE / name, remarks=remarks, overwrite=True))


if __name__ == "__main__":
    main()
