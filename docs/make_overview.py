"""Draw the picture of the README from a sample file and the shipped presets: ``python docs/make_overview.py``."""

from pathlib import Path

from matplotlib.figure import Figure

from racnet_tools import classify, plots, read
from racnet_tools.inference import Engine, load_preset
from racnet_tools.resources import data_path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Classify a quasar and a star of the samples and draw them above the attention of the quasar."""
    spectra = read(data_path("samples"))
    table = classify(spectra)
    preset = load_preset("racnet-class")
    labels = table["label"].tolist()
    figure = Figure(figsize=(10, 8), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1)
    for ax, wanted in ((top, "QSO"), (middle, "STAR")):
        index = labels.index(wanted)
        z = float(spectra.table["z"][index])
        plots.spectrum(spectra, index, lines_of=wanted, z=z, ax=ax)
        row = table[index]
        kind = f" {row['subclass']} ({row['subclass_confidence']:.2f})" if wanted == "STAR" else ""
        ax.set_title(
            f"{row['spec_id']}, simulated: {row['label']} ({row['confidence']:.2f}){kind}", fontsize=10, loc="left"
        )
    one = spectra[labels.index("QSO")]
    _, attention = Engine(preset.model_bytes()).predict_with_attention(preset.preprocessing(one))
    plots.attention_map(attention, title="channel attention for the quasar, block by block", ax=bottom)
    figure.savefig(HERE / "overview.png", dpi=80)


if __name__ == "__main__":
    main()
