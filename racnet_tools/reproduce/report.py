"""The report of a reproduction: ``report.html`` and ``report.md``, from the numbers of ``results.json``.

Figures are drawn with matplotlib for print and with plotly for the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools import plots
from racnet_tools.plots import Page, interactive
from racnet_tools.reproduce.paper import SLIPS
from racnet_tools.reproduce.plan import TARGETS, title_of
from racnet_tools.reproduce.redshift import LINES, Sweep

__all__ = ["write_report"]

_TABLES = {
    "table2": "Table 2: C-Net against the fully connected network",
    "table3": "Table 3: residual blocks",
    "table4": "Table 4: attention",
    "ablation": "Ablation: other attentions in the same place",
}


def write_report(folder: Path, found: Mapping[str, Any], sweeps: Mapping[str, Sequence[Sweep]]) -> None:
    """Write both forms of the report.

    Parameters
    ----------
    folder : Path
    found : mapping
        The content of ``results.json``.
    sweeps : mapping of str to sequence of Sweep
        The objects moved through redshift, by data set.
    """
    page = Page("The experiments of Zou et al. 2020, repeated")
    _front(page, found)
    for name, title in _TABLES.items():
        if name in found["settings"]["targets"]:
            page.heading(title)
            _table(page, found, *TARGETS[name])
    _differences(page, found)
    _training(page, found)
    _calibration(page, found)
    _rejection(page, found)
    _strata(page, found)
    if found["baselines"]:
        _baselines(page, found)
    if sweeps:
        _redshift(page, found, sweeps)
    _end(page, found)
    page.save(folder / "report.html", overwrite=True)
    page.save_markdown(folder / "report.md", overwrite=True)


def _both(page: Page, name: str, caption: str, *arguments: Any, **named: Any) -> None:
    """Add a figure of `racnet_tools.plots` with its interactive twin."""
    draw: Callable[..., Any] = getattr(plots, name)
    page.figure(draw(*arguments, **named), caption, getattr(interactive, name)(*arguments, **named))


def percent(value: float | None, digits: int = 2) -> str | None:
    """A share as a percentage; None stays None."""
    return None if value is None else f"{100 * value:.{digits}f} %"


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """A share with its interval."""
    return f"{100 * row['accuracy']:.{digits}f} % ({100 * row['lower']:.1f} to {100 * row['upper']:.1f})"


def _simulated(found: Mapping[str, Any]) -> bool:
    return all(one["simulated"] for one in found["data"].values())


def _front(page: Page, found: Mapping[str, Any]) -> None:
    settings = found["settings"]
    source = "simulated spectra" if _simulated(found) else f"the spectra of {settings['data']}"
    page.text(
        f"The networks of section 3 of Zou, Zhu, Xu & Luo 2020 (PASP 132, 044503) trained on {source}, at "
        f"{settings['scale']:g} times the paper's {'10,000'} spectra of a class, {settings['seeds']} training"
        f"{'s' if settings['seeds'] > 1 else ''} of each. They are consistent with the paper's text and, where it "
        "prints them, with its parameter counts; they are not claimed to be the same networks."
    )
    if _simulated(found):
        page.note(
            "The paper's spectra are LAMOST's; these are simulated from templates of real objects, and training and "
            "test spectra share templates. An accuracy here therefore says how networks compare on the same spectra. "
            "It is no measurement of the paper's data, and none of how well real spectra are classified.",
            "limit",
        )
    page.table(
        ["data set", "classes: training spectra", "test", "validation", "copies in training"],
        [
            [
                one["title"],
                ", ".join(f"{name} {n}" for name, n in one["counts"]["train"].items()),
                sum(one["counts"]["test"].values()),
                sum(one["counts"]["validation"].values()),
                sum(one["copies"].values()),
            ]
            for one in found["data"].values()
        ],
        "Spectra are split by object before anything is copied. The validation part serves temperatures and nothing "
        "else; weights are those of the last epoch, averaged.",
    )
    nominal = settings["nominal_epochs_and_batch"][0]
    short = sorted({row["epochs"] for row in found["networks"] if row["epochs"] < nominal})
    if short:
        page.note(
            f"Trained for {', '.join(map(str, short))} instead of {nominal} epochs to keep to the time given: networks "
            "that need longer are at a disadvantage, and all of them are below what they can reach.",
            "limit",
        )
    if found["missing"]:
        page.note(f"Not finished: {'; '.join(found['missing'])}. The same command goes on with them.", "limit")


def _table(page: Page, found: Mapping[str, Any], networks: Sequence[str], datasets: Sequence[str]) -> None:
    rows = {(row["network"], row["dataset"]): row for row in found["networks"]}
    wanted = [(n, d) for d in datasets for n in networks if (n, d) in rows]
    if not wanted:
        page.text("None of its networks was trained.")
        return
    lines = []
    for key in wanted:
        row = rows[key]
        over = row["spread"]
        lines.append(
            [
                row["dataset"],
                row["title"],
                interval(row),
                len(row["seeds"]),
                None if over is None else f"{100 * over:.2f} %",
                percent(row["published"]),
                *_millions(row),
                f"{row['flops'] / 1e6:.0f} M",
                row["epochs"],
            ]
        )
    page.table(
        ["data set", "network", "accuracy here (95 %)", "seeds", "spread over seeds", "published", "parameters",
         "published", "FLOPs a spectrum", "epochs"],
        lines,
        "Mean accuracy over seeds on the test part with the Wilson interval of the test spectra, and the standard "
        "deviation over seeds. Two floating-point operations for each multiplication with addition.",
    )  # fmt: skip
    drawn = [{**rows[key], "network": rows[key]["title"]} for key in wanted]
    keep = ("network", "dataset", "accuracy", "lower", "upper", "seeds", "published")
    _both(
        page,
        "accuracy_bars",
        "Accuracy with 95 % intervals; dots are single trainings, open diamonds the published values.",
        [{name: row[name] for name in keep} for row in drawn],
    )
    for dataset in datasets:
        here = [rows[key] for key in wanted if key[1] == dataset]
        if not here:
            continue
        classes = list(here[0]["by_class"])
        page.table(
            ["network", *classes, "mean"],
            [
                line
                for row in here
                for line in [
                    [row["title"], *(interval(row["by_class"][name], 1) for name in classes), percent(row["accuracy"])],
                    *(
                        [
                            [
                                f"{row['title']}, published",
                                *(percent(row["published_by_class"][name]) for name in classes),
                                percent(row["published"]),
                            ]
                        ]
                        if row["published_by_class"]
                        else []
                    ),
                ]
            ],
            f"Accuracy of each class of {found['data'][dataset]['title']}.",
        )
        _both(
            page,
            "confusions",
            f"Confusion matrices on the test part of {found['data'][dataset]['title']}, first seed.",
            {row["title"]: np.array(row["confusion"]) for row in here},
            classes,
        )


def _millions(row: Mapping[str, Any]) -> list[str | None]:
    known = row["published_parameters"]
    return [f"{row['parameters']:,}", None if known is None else f"{known:,}"]


def _differences(page: Page, found: Mapping[str, Any]) -> None:
    if not found["mcnemar"]:
        return
    page.heading("Are the differences real?")
    page.text(
        "McNemar's test looks at the test spectra that only one of two networks classifies rightly. It knows nothing "
        "of the spread from training to training: compare the difference with the spread over seeds too."
    )
    for dataset, pairs in found["mcnemar"].items():
        page.table(
            ["first", "second", "only first right", "only second right", "difference (95 %)", "p", "p after Holm"],
            [
                [
                    title_of(pair["a"]),
                    title_of(pair["b"]),
                    pair["only_a"],
                    pair["only_b"],
                    f"{100 * pair['difference']:+.2f} % ({100 * pair['lower']:+.2f} to {100 * pair['upper']:+.2f})",
                    f"{pair['p_value']:.2g}",
                    f"{pair['p_holm']:.2g}",
                ]
                for pair in pairs
            ],
            f"{found['data'][dataset]['title']}; first seeds.",
        )
        published = {row["network"]: row["published"] for row in found["networks"] if row["dataset"] == dataset}
        against = [
            f"{title_of(pair['a'])} {'above' if pair['difference'] > 0 else 'below'} {title_of(pair['b'])}"
            for pair in pairs
            if published.get(pair["a"]) is not None
            and published.get(pair["b"]) is not None
            and pair["p_holm"] < 0.05
            and (published[pair["a"]] - published[pair["b"]]) * pair["difference"] < 0
        ]
        if against:
            nominal = found["settings"]["nominal_epochs_and_batch"][0]
            short = any(row["epochs"] < nominal for row in found["networks"] if row["dataset"] == dataset)
            page.note(
                f"Against the paper's order, beyond chance: {'; '.join(against)}."
                + (" They were trained for too short a time to say what that means." if short else "")
            )


def _training(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("Training and cost")
    for title, runs in _by_dataset(found, "networks", "history"):
        _both(page, "learning_curves", f"Learning curves on {title}, first seeds.", runs)
    page.table(
        ["data set", "network", "epochs", "batch", "training, processor time", "training, clock", "a spectrum",
         "classifying a spectrum"],
        [
            [
                row["dataset"],
                row["title"],
                row["epochs"],
                row["batch_size"],
                None if row["training_cpu_seconds"] is None else f"{row['training_cpu_seconds']:.0f} s",
                f"{row['training_wall_seconds']:.0f} s",
                None
                if row["training_cpu_ms_per_spectrum"] is None
                else f"{row['training_cpu_ms_per_spectrum']:.2f} ms",
                f"{row['classification_cpu_ms_per_spectrum']:.2f} ms",
            ]
            for row in found["networks"]
        ],
        "Of the first seed. Processor time is summed over cores; clock times say little where other work ran beside. "
        "Classification is timed in Keras with reading and preprocessing.",
    )  # fmt: skip
    for dataset, one in found["data"].items():
        here = [row for row in found["networks"] if row["dataset"] == dataset]
        if len(here) > 1:
            _both(
                page,
                "cost_accuracy",
                f"Accuracy on {one['title']} against the operations of one classification.",
                [
                    {
                        "network": row["title"],
                        "operations": row["flops"],
                        **{name: row[name] for name in ("parameters", "accuracy", "lower", "upper")},
                    }
                    for row in here
                ],
            )


def _calibration(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("Can the probabilities be trusted?")
    page.table(
        ["data set", "network", "temperature", "ECE before", "after", "log-loss before", "after", "Brier before",
         "after"],
        [
            [
                row["dataset"],
                title_of(row["network"]),
                f"{row['temperature']:.3f}{'' if 0.051 < row['temperature'] < 19.9 else ', not fixed'}",
                *(
                    text
                    for name, digits in (("ece", 2), ("log_loss", 0), ("brier", 0))
                    for text in (
                        percent(row[when][name], digits) if name == "ece" else f"{row[when][name]:.4f}"
                        for when in ("before", "after")
                    )
                ),
            ]
            for row in found["calibration"]
        ],
        "Expected calibration error (15 bins; Guo et al. 2017), cross-entropy and Brier score on the test part, before "
        "and after division of the logits by a temperature fitted on the validation part (between 0.05 and 20; not "
        "fixed where validation spectra are all right or too few).",
    )  # fmt: skip
    for row in _best(found["calibration"]):
        _both(
            page,
            "reliability",
            f"Reliability of {title_of(row['network'])} on {found['data'][row['dataset']]['title']}.",
            {f"{when} temperature": row[when]["reliability"] for when in ("before", "after")},
        )


def _by_dataset(found: Mapping[str, Any], part: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Titles of data sets with what each network has there by a name, data sets without any left out."""
    for dataset, one in found["data"].items():
        rows = [row for row in found[part] if row["dataset"] == dataset]
        by_network = {title_of(row["network"]): row[name] for row in rows if row.get(name)}
        if by_network:
            yield one["title"], by_network


def _best(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of RAC-Net, or of whatever there is, one a data set."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["network"] == "racnet" or row["dataset"] not in chosen:
            chosen[row["dataset"]] = row
    return list(chosen.values())


def _rejection(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("Does it know when it does not know?")
    for title, curves in _by_dataset(found, "rejection", "curve"):
        caption = f"Share of wrong labels when the least certain spectra of {title} are rejected."
        _both(page, "risk_coverage", caption, curves)
    if found["strangers"]:
        page.table(
            ["spectra", "network's data set", "AUROC (95 %)", "such spectra"],
            [
                [
                    row["what"],
                    row["dataset"],
                    None if row["auroc"] is None else f"{row['auroc']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})",
                    row["n"],
                ]
                for row in found["strangers"]
            ],
            "Chance that such a spectrum gets a higher score than a test spectrum of a known class. 0.5 is no use at "
            "all; below it the network is surer of what it never saw than of its own classes.",
        )


def _strata(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("Where it goes wrong")
    for title, bins in _by_dataset(found, "strata", "snr_r"):
        caption = f"Accuracy on {title} against the S/N in r (below 0.1 counted as 0.1, above 999 as 999)."
        _both(page, "binned_accuracy", caption, bins, xlabel="S/N in r")
    for title, bins in _by_dataset(found, "strata", "mag_r"):
        _both(page, "binned_accuracy", f"Accuracy on {title} against magnitude.", bins, xlabel="r / mag")
    for title, bins in _by_dataset(found, "strata", "teff"):
        caption = f"Accuracy on {title} against the effective temperature: errors gather at the borders of types."
        _both(page, "binned_accuracy", caption, bins, xlabel="effective temperature / K")
    for row in _best([row for row in found["strata"] if row.get("subclass")]):
        page.table(
            ["subtype", "spectra", "right (95 %)", "subtypes from the nearest border"],
            [[part["subclass"], part["n"], interval(part, 1), part["steps"]] for part in row["subclass"]],
            f"{title_of(row['network'])} on {found['data'][row['dataset']]['title']}, by subtype.",
        )


def _baselines(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("Without a network")
    page.table(
        ["data set", "method", "trained on", "accuracy (95 %)", "test spectra", "processor time a spectrum"],
        [
            [
                row["dataset"],
                row["method"],
                row["trained_on"] or None,
                interval(row),
                row["n"],
                f"{row['cpu_ms_per_spectrum']:.2f} ms",
            ]
            for row in found["baselines"]
        ],
        "What one could run instead. Simulated spectra are made from the templates that the nearest template is looked "
        "for among, which favours that method here.",
    )


def _redshift(page: Page, found: Mapping[str, Any], sweeps: Mapping[str, Sequence[Sweep]]) -> None:
    page.heading("Figure 8: redshift")
    page.subheading("As the paper shows it: accuracy in bins of redshift")
    for dataset, bins in found["redshift_bins"].items():
        for names in (["STAR", "F", "G", "K"], ["GALAXY"], ["QSO"]):
            here = {name: bins[name] for name in names if bins.get(name)}
            if here:
                _both(
                    page,
                    "binned_accuracy",
                    f"RAC-Net, {found['data'][dataset]['title']}: accuracy of {', '.join(here)} against redshift.",
                    here,
                    xlabel="redshift z",
                )
    page.subheading("Controlled: the same objects moved through redshift")
    page.text(
        "Bins of redshift differ in more than redshift: their objects are other ones. Here each simulated object keeps "
        "its templates, lines, dust, S/N and noise, and only its redshift is changed."
    )
    for dataset, made in sweeps.items():
        for sweep in made:
            title = f"{len(sweep.p)} {sweep.kind} objects, RAC-Net of {dataset}"
            _both(
                page,
                "redshift_sweep",
                f"{title}: class probabilities (median, 16 to 84 %) and share still classified as {sweep.kind}.",
                sweep.z,
                sweep.p,
                list(sweep.classes),
                true=sweep.kind,
                title=title,
                lines=LINES.get(sweep.kind, []),
            )


def _end(page: Page, found: Mapping[str, Any]) -> None:
    page.heading("The paper's slips")
    for slip in SLIPS:
        page.note(slip, "slip")
    page.heading("How this was made")
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    page.text(f"{found['made']}; {versions}; commit {found['git_commit'] or 'unknown'}. All numbers: results.json.")
