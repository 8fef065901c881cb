"""What came of a reproduction, in plain values: the content of ``results.json``, from which the report is written.

Accuracies are of the test part alone. Temperatures and thresholds come from the validation part. Statistics of
`racnet_tools.evaluate`; the paper's numbers from `racnet_tools.reproduce.paper`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.table import Table

from racnet_tools.datasets import DataSet
from racnet_tools.evaluate import (
    accuracy_against,
    apply_temperature,
    area_under_risk_coverage,
    brier_score,
    compare_all,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    quantile_edges,
    reliability,
    risk_coverage,
    spread,
    subclass_errors,
    wilson_interval,
)
from racnet_tools.models import build_from_config
from racnet_tools.models.uncertainty import ood_score
from racnet_tools.reproduce.paper import published
from racnet_tools.reproduce.plan import title_of
from racnet_tools.reproduce.runs import Trained
from racnet_tools.training.judging import scores

__all__ = ["calibration", "comparison", "networks", "plain", "rejection", "strata"]

Runs = Mapping[tuple[str, str], Sequence[Trained]]
"""Finished trainings by data set and network, one a seed."""


def networks(runs: Runs, data: Mapping[str, DataSet]) -> list[dict[str, Any]]:
    """Tables 2 to 4: accuracy, cost and published value of every network on every data set."""
    paper, found = published(), []
    for (dataset, network), trained in runs.items():
        first, classes = trained[0], data[dataset].classes
        config, n = first.run.network_config, len(first.y)
        each = [float((one.predicted == one.y).mean()) for one in trained]
        over = spread(each)
        lower, upper = wilson_interval(round(over.mean * n), n)
        history, training = first.run.history, first.run.config["training"]
        passes = len(history) * (data[dataset].size("train") // training["batch_size"]) * training["batch_size"]
        cpu = sum(row.get("cpu_seconds", math.nan) for row in history)
        found.append(
            {
                "dataset": dataset,
                "network": network,
                "title": title_of(network),
                "seeds": each,
                "accuracy": over.mean,
                "spread": over.std,
                "lower": lower,
                "upper": upper,
                "test_spectra": n,
                "by_class": {name: _by_class(trained, k) for k, name in enumerate(classes)},
                "confusion": scores(first.p, first.y)["confusion"],
                "published": paper["accuracy"].get(network, {}).get(dataset),
                "published_by_class": paper["by_class"].get(network, {}).get(dataset, {}),
                "parameters": int(build_from_config(config).count_params()),
                "published_parameters": paper["parameters"].get(network),
                "flops": 2 * config.multiply_adds(),
                "epochs": first.epochs,
                "batch_size": training["batch_size"],
                "training_cpu_seconds": cpu,
                "training_wall_seconds": sum(row["seconds"] for row in history),
                "training_cpu_ms_per_spectrum": 1000 * cpu / max(passes, 1),
                "classification_cpu_ms_per_spectrum": 1000 * first.predict_cpu_seconds / n,
                "history": history,
            }
        )
    return found


def _by_class(trained: Sequence[Trained], k: int) -> dict[str, Any]:
    first = trained[0]
    n = int((first.y == k).sum())
    right = float(np.mean([((one.predicted == k) & (one.y == k)).sum() for one in trained]))
    lower, upper = wilson_interval(round(right), n) if n else (math.nan, math.nan)
    return {"n": n, "accuracy": right / n if n else math.nan, "lower": lower, "upper": upper}


def comparison(runs: Runs) -> dict[str, list[dict[str, Any]]]:
    """McNemar's test for each pair of networks on a data set, first seeds, corrected after Holm."""
    found = {}
    for dataset in dict.fromkeys(name for name, _ in runs):
        first = {network: trained[0] for (name, network), trained in runs.items() if name == dataset}
        if len(first) > 1:
            y = next(iter(first.values())).y
            found[dataset] = plain(compare_all({name: one.predicted for name, one in first.items()}, y))
    return found


def calibration(runs: Runs) -> list[dict[str, Any]]:
    """Reliability of the probabilities before and after a temperature that is fitted on the validation part."""
    found = []
    for (dataset, network), trained in runs.items():
        one = trained[0]
        temperature = fit_temperature(one.validation_p, one.validation_y)
        row: dict[str, Any] = {"dataset": dataset, "network": network, "temperature": temperature}
        for when, p in (("before", one.p), ("after", apply_temperature(one.p, temperature))):
            row[when] = {
                "ece": expected_calibration_error(p, one.y),
                "log_loss": negative_log_likelihood(p, one.y),
                "brier": brier_score(p, one.y),
                "reliability": plain(reliability(p, one.y)),
            }
        found.append(row)
    return found


def rejection(runs: Runs) -> list[dict[str, Any]]:
    """Risk against coverage, the least certain spectra rejected first."""
    found = []
    for (dataset, network), trained in runs.items():
        one = trained[0]
        score = ood_score(one.p)
        curve = risk_coverage(one.y, one.predicted, score)
        chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), 200)).astype(int))
        found.append(
            {
                "dataset": dataset,
                "network": network,
                "aurc": area_under_risk_coverage(one.y, one.predicted, score),
                "curve": plain(curve[chosen]["coverage", "risk"]),
            }
        )
    return found


def strata(runs: Runs, data: Mapping[str, DataSet]) -> list[dict[str, Any]]:
    """Accuracy against S/N and magnitude in r; of F, G and K stars also by subtype and temperature; what is known."""
    found = []
    for (dataset, network), trained in runs.items():
        one, store = trained[0], data[dataset].store
        rows = data[dataset].index["test"][:, 0]
        # Spectra without noise (some UNKNOWN ones) have an S/N of millions, those without light one of about 0.
        snr = np.clip(np.asarray(store.column("snr_r"))[rows].astype(float), 0.1, 999)
        row: dict[str, Any] = {
            "dataset": dataset,
            "network": network,
            "snr_r": plain(accuracy_against(snr, one.y, one.predicted, quantile_edges(snr, 8))),
        }
        if "mag_r" in store.column_names:  # simulated spectra have none
            magnitude = np.asarray(store.column("mag_r"))[rows].astype(float)
            if np.isfinite(magnitude).any():
                row["mag_r"] = plain(accuracy_against(magnitude, one.y, one.predicted, quantile_edges(magnitude, 8)))
        if data[dataset].recipe.by == "spectral type":
            kinds = np.asarray(store.column("subclass"))[rows].astype(str)
            row["subclass"] = plain(subclass_errors(kinds, one.y, one.predicted, data[dataset].classes))
            if "teff" in store.column_names:  # simulated stars have a temperature and no subtype
                teff = np.asarray(store.column("teff"))[rows].astype(float)
                row["teff"] = plain(accuracy_against(teff, one.y, one.predicted, quantile_edges(teff, 16)))
        found.append(row)
    return found


def plain(table: Table) -> list[dict[str, Any]]:
    """Rows of a table as plain values, masked ones as None."""
    return [{name: _value(row[name]) for name in table.colnames} for row in table]


def _value(value: Any) -> Any:
    if value is np.ma.masked:
        return None
    return value.item() if isinstance(value, np.generic) else value
