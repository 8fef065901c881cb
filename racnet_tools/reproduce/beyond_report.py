"""The report of `racnet_tools.reproduce.beyond`, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from racnet_tools.evaluate import wilson_interval
from racnet_tools.models.measured import CATASTROPHIC

__all__ = ["report"]


def report(results: Mapping[str, Any]) -> str:
    """All tables, with the figures that lie beside."""
    first, second = results["presets"]
    lines = [
        "# Beyond the paper: what is known and what is not",
        "",
        f"{first} beside {second} on **simulated** spectra that no training used (seed {results['seed']}, scale "
        f"{results['scale']:g}). Intervals are 95 %.",
        "",
    ]
    for kind, found in results["sweep"].items():
        lines += _sweep(kind, found, results)
    for kind, bins in results["redshifts"].items():
        lines += _redshifts(kind, bins)
    lines += _calibration(results["calibration"])
    lines += [
        "## Strangers",
        "",
        f"AUROC of scores against known classes at S/N of {results['least_snr']:g} or more (with its interval), and "
        "how many the preset's threshold rejects.",
        "",
    ]
    for name, kinds in results["strangers"].items():
        lines += _strangers(name, kinds)
    return "\n".join(lines).rstrip() + "\n"


def share(right: int, n: int) -> str:
    """A proportion with its 95 % Wilson interval."""
    if not n:
        return "none"
    low, high = wilson_interval(right, n)
    return f"{right}/{n}, {right / n:.1%} ({low:.1%} to {high:.1%})"


def _sweep(kind: str, found: Mapping[str, Any], results: Mapping[str, Any]) -> list[str]:
    rows = [
        [f"{z:g}", *(share(found["right"][name][k], found["objects"]) for name in results["presets"])]
        for k, z in enumerate(found["z"])
    ]
    return [
        f"## {kind} moved through redshift",
        "",
        f"{found['objects']} objects with S/N of {results['least_snr']:g} or more at every redshift; how many are "
        f"called {kind}.",
        "",
        f"![accuracy against redshift](sweep-{kind.lower()}.png)",
        "",
        *_table(["z", *results["presets"]], rows),
    ]


def _redshifts(kind: str, bins: list[Mapping[str, Any]]) -> list[str]:
    def errors(found: Mapping[str, Any]) -> str:
        return f"{found['nmad']:.5f}; {found['catastrophic']}/{found['n']}"

    who = ("network", "network, sure", "templates")
    rows = [[_range(row), *(errors(row[one]) for one in who), share(*row["within z_error"])] for row in bins]
    return [
        f"## Redshifts of {kind}",
        "",
        f"sigma_NMAD of dz / (1 + z), and how many are wrong by more than {CATASTROPHIC[kind]:g}. Templates: the "
        "nearest one of this class, which is told the class; the simulation has the same templates. Sure: without the "
        "quality bit REDSHIFT_UNSURE. Last, how many right and sure ones lie within z_error (68 % wanted).",
        "",
        *_table(["S/N", *who, "within z_error"], rows),
    ]


def _calibration(results: Mapping[str, Any]) -> list[str]:
    figures = "![reliability](reliability.png) ![risk and coverage](risk-coverage.png)"
    lines, rows = ["## Calibration and rejection", "", figures, ""], []
    for name, found in results.items():
        right = share(found["right"], found["spectra"])
        rows.append([name, "all", right, f"{found['ece']:.4f}", f"{found['aurc']:.5f}"])
        rows += [[name, _range(row), share(row["right"], row["n"]), f"{row['ece']:.4f}", ""] for row in found["by_snr"]]
    lines += _table(["preset", "S/N", "right", "calibration error", "area under risk-coverage"], rows)
    for name, found in results.items():
        if "sets" in found:
            sets = found["sets"]
            lines += [
                f"Prediction sets of {name}, {sets['coverage']:.0%} stated; sets of 0, 1, 2 and 3 classes: "
                f"{', '.join(map(str, sets['sizes']))}.",
                "",
                *_table(["class", "in its set"], [[label, share(*held)] for label, held in sets["held"].items()]),
            ]
    return lines


def _strangers(name: str, kinds: Mapping[str, Any]) -> list[str]:
    strange = {kind: found for kind, found in kinds.items() if kind != "known"}
    scores = [one for one in next(iter(strange.values())) if one != "rejected"]
    rows = [
        [kind, *("{:.3f} ({:.3f} to {:.3f})".format(*found[one]) for one in scores), share(*found["rejected"])]
        for kind, found in strange.items()
    ]
    passed = f"{name}; of the known, {share(*kinds['known']['passed'])} pass."
    return [passed, "", *_table(["kind", *scores, "rejected"], rows)]


def _range(row: Mapping[str, Any]) -> str:
    return f"{row['snr'][0]:g} to {row['snr'][1]:g}"


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    table = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return [*table, *("| " + " | ".join(row) + " |" for row in rows), ""]
