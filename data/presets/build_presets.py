"""Train the shipped presets again: ``python data/presets/build_presets.py RUNS [NAME ...]``.

RUNS is a folder for the trainings; finished ones are used as they are and interrupted ones gone on with, so the
command may be repeated. RAC-Net takes about half an hour on one processor core; RAC-Net mini sees three times as many
spectra in a third of the time. The presets are written beside this script; their cards end with ``on_real_spectra.md``
or ``on_real_spectra_mini.md``. The shipped ones were trained with TF_ENABLE_ONEDNN_OPTS=1 and one thread
(TF_NUM_INTRAOP_THREADS=1, TF_NUM_INTEROP_THREADS=1), RAC-Net's before STELIB's stars joined the templates, RAC-Net
survey (35 minutes on two cores) on input rounded to 16 bits; other settings and templates end with slightly different
weights.
"""

import argparse
from pathlib import Path

from racnet_tools.inference import load_preset
from racnet_tools.models import network_config
from racnet_tools.training import TrainingConfig
from racnet_tools.training.simulated import save_simulated_preset, train_on_simulated
from racnet_tools.training.survey import CLASSES, renew_survey_preset, save_survey_preset, train_on_survey

HERE = Path(__file__).resolve().parent
PRESETS = {
    "racnet-class": ("class", "racnet", TrainingConfig(epochs=18, batch_size=64, seed=1)),
    "racnet-star": ("stellar_type", "racnet", TrainingConfig(epochs=22, batch_size=64, seed=1)),
    "racmini-class": ("class", "racmini", TrainingConfig(epochs=54, batch_size=64, seed=1)),
    "racmini-star": ("stellar_type", "racmini", TrainingConfig(epochs=66, batch_size=64, seed=1)),
}
SURVEYS = {"racnet-survey": ("racsurvey", TrainingConfig(epochs=80, batch_size=64, seed=1, learning_rate=1e-3))}
REMARKS = {
    "racsurvey": "on_real_spectra_survey.md",
    "racnet": "on_real_spectra.md",
    "racmini": "on_real_spectra_mini.md",
}


def main() -> None:
    """Train what is missing and write both presets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("presets", nargs="*", metavar="NAME", help="these alone (default: all)")
    parser.add_argument(
        "--limits", action="store_true", help="set limits and card of RAC-Net survey anew, train nothing"
    )
    arguments = parser.parse_args()
    runs = arguments.runs
    runs.mkdir(parents=True, exist_ok=True)
    for name, (task, network, training) in PRESETS.items():
        if arguments.limits or (arguments.presets and name not in arguments.presets):
            continue
        run = train_on_simulated(task, runs / name, training, network=network, spectra_per_epoch=5000)
        remarks = (HERE / REMARKS[network]).read_text(encoding="utf-8")
        children = {"STAR": f"{network}-star"} if task == "class" else None
        print(save_simulated_preset(run, HERE / name, remarks=remarks, subclass_presets=children, overwrite=True))
    for name, (network, training) in SURVEYS.items():
        if arguments.presets and name not in arguments.presets:
            continue
        remarks = (HERE / REMARKS[network]).read_text(encoding="utf-8")
        if arguments.limits:
            preset = load_preset(HERE / name)
            renew_survey_preset(preset.network(), preset.provenance, HERE / name, remarks=remarks)
            print(HERE / name)
            continue
        config = network_config(network, len(CLASSES))
        joint = train_on_survey(config, runs / name, training, spectra_per_epoch=12_000)  # type: ignore[arg-type]
        print(save_survey_preset(joint, HERE / name, remarks=remarks, overwrite=True))


if __name__ == "__main__":
    main()
