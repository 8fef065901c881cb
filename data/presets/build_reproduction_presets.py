"""Make the presets of the paper's data sets: ``python data/presets/build_reproduction_presets.py REPRODUCTION``.

REPRODUCTION is the folder of ``racnet reproduce all --scale 1 --fast --output REPRODUCTION``, about four hours of one
processor core for RAC-Net and RC-Net; presets whose training is not finished there are passed over. The cards end with
``on_real_spectra_reproduction.md``. The shipped ones were trained with one thread (TF_NUM_INTRAOP_THREADS=1,
TF_NUM_INTEROP_THREADS=1), RAC-Net in the order of `numpy.random.Generator.permutation` instead of chunk by chunk; other
settings end with slightly different weights.
"""

import argparse
from pathlib import Path

from racnet_tools.datasets import DataSet
from racnet_tools.evaluate import (
    accuracy,
    accuracy_markdown,
    apply_temperature,
    calibration_interval,
    expected_calibration_error,
    fit_temperature,
)
from racnet_tools.reproduce import Experiment
from racnet_tools.reproduce.runs import Trained, find
from racnet_tools.training.prepared import save_dataset_preset

HERE = Path(__file__).resolve().parent
PRESETS = {
    "racnet-dataset1": ("dataset1", "racnet"),
    "racnet-dataset2": ("dataset2", "racnet"),
    "racnet-dataset3": ("dataset3", "racnet"),
    "rcnet-dataset1": ("dataset1", "rcnet"),
}


def results(one: Trained, classes: tuple[str, ...]) -> tuple[str, dict]:
    """What the test part says, in Markdown and in numbers."""
    share = accuracy(one.y, one.predicted)
    temperature = fit_temperature(one.validation_p, one.validation_y)
    before = expected_calibration_error(one.p, one.y)
    after = expected_calibration_error(apply_temperature(one.p, temperature), one.y)
    low, high = calibration_interval(one.p, one.y, seed=0)
    lines = ["## On the test part", "", f"{share} of the simulated test spectra are classified right; one seed.", ""]
    lines.append(accuracy_markdown(one.y, one.predicted, classes))
    lines += [
        "",
        f"Calibration: expected calibration error {before:.2%} (15 bins; bootstrap interval {low:.2%} to {high:.2%}; "
        "a calibrated network shows some by chance too). A temperature of "
        f"{temperature:.3f}, fitted on the validation part, makes it {after:.2%}. The network's probabilities are "
        "given as they are, without it.",
    ]
    numbers = {
        "accuracy_on_simulated_test": share.value,
        "interval": list(share.interval),
        "test_spectra": share.n,
        "temperature": temperature,
        "expected_calibration_error": {"as it is": before, "with temperature": after},
    }
    return "\n".join(lines), numbers


def main() -> None:
    """Write every preset whose training is finished."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reproduction", type=Path, metavar="REPRODUCTION")
    folder = parser.parse_args().reproduction
    remarks = HERE / "on_real_spectra_reproduction.md"
    for name, (dataset, network) in PRESETS.items():
        data = DataSet.open(folder / "data" / dataset)
        one = find(folder, Experiment(dataset, network, 0), data)
        if one is None:
            print(f"{name}: its training is not finished")
            continue
        text, numbers = results(one, data.classes)
        if remarks.is_file():
            text += "\n\n" + remarks.read_text(encoding="utf-8")
        print(save_dataset_preset(one.run, data, HERE / name, results=text, provenance=numbers, overwrite=True))


if __name__ == "__main__":
    main()
