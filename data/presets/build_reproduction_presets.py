"""Make presets of the paper's data sets: ``python data/presets/build_reproduction_presets.py REPRODUCTION NAME ...``.

REPRODUCTION is the folder of ``racnet reproduce all --scale 1 --fast --output REPRODUCTION``, about four hours of one
processor core for RAC-Net and RC-Net; or, for those presets whose card says so, of a smaller scale. The cards end with
``on_real_spectra_reproduction.md`` or ``on_real_spectra_small_scale.md``. The shipped ones were trained with one thread
(TF_NUM_INTRAOP_THREADS=1, TF_NUM_INTEROP_THREADS=1), RAC-Net at full scale in the order of
`numpy.random.Generator.permutation` instead of chunk by chunk; other settings end with slightly different weights.
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
from racnet_tools.inference import load_preset
from racnet_tools.models.network import Network
from racnet_tools.reproduce import Experiment
from racnet_tools.reproduce.runs import find
from racnet_tools.training.judging import predict_part
from racnet_tools.training.prepared import save_dataset_preset

HERE = Path(__file__).resolve().parent
PRESETS = {
    "racnet-dataset1": ("dataset1", "racnet"),
    "racnet-dataset2": ("dataset2", "racnet"),
    "racnet-dataset3": ("dataset3", "racnet"),
    "rcnet-dataset1": ("dataset1", "rcnet"),
    "cnet-dataset1": ("dataset1", "cnet"),
    "sscnn-dataset1": ("dataset1", "sscnn"),
}
ROUNDED = ("cnet", "sscnn")
"""Networks whose fully connected layer is most of their weights: kept in 8 bits, so that files stay small."""


def results(network: Network, data: DataSet, rounded: bool) -> tuple[str, dict]:
    """What the test part says of the network as shipped, in Markdown and in numbers."""
    p, y = predict_part(network, data, "test")
    validation_p, validation_y = predict_part(network, data, "validation")
    share = accuracy(y, p.argmax(axis=1))
    temperature = fit_temperature(validation_p, validation_y)
    before = expected_calibration_error(p, y)
    after = expected_calibration_error(apply_temperature(p, temperature), y)
    low, high = calibration_interval(p, y, seed=0)
    lines = ["## On the test part", "", f"{share} of the simulated test spectra are classified right; one seed."]
    if rounded:
        lines[-1] += " The matrices of its fully connected layers are rounded to 8 bits, which is counted in."
    lines += ["", accuracy_markdown(y, p.argmax(axis=1), data.classes)]
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
    """Write every preset that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reproduction", type=Path, metavar="REPRODUCTION")
    parser.add_argument("presets", nargs="+", metavar="NAME", choices=PRESETS)
    arguments = parser.parse_args()
    for name in arguments.presets:
        dataset, network = PRESETS[name]
        data = DataSet.open(arguments.reproduction / "data" / dataset)
        one = find(arguments.reproduction, Experiment(dataset, network, 0), data)
        if one is None:
            print(f"{name}: its training is not finished")
            continue
        rounded = network in ROUNDED
        save_dataset_preset(one.run, data, HERE / name, rounded=rounded, overwrite=True)
        text, numbers = results(load_preset(HERE / name).network(), data, rounded)
        remarks = "reproduction" if data.settings["scale"] >= 1 else "small_scale"
        text += "\n\n" + (HERE / f"on_real_spectra_{remarks}.md").read_text(encoding="utf-8")
        print(
            save_dataset_preset(
                one.run, data, HERE / name, results=text, provenance=numbers, rounded=rounded, overwrite=True
            )
        )


if __name__ == "__main__":
    main()
