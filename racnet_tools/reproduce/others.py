"""What a network says of spectra unlike those that it was trained on, and what simpler methods reach.

UNKNOWN spectra are shown to a network that knows stars, galaxies and quasars alone; stars of types A and M to one that
knows F, G and K alone. Right answers do not exist: a useful score of uncertainty is higher for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.datasets import DataSet
from racnet_tools.evaluate import BASELINES, Baseline, auroc, make_baseline, wilson_interval
from racnet_tools.models import predict
from racnet_tools.models.uncertainty import ood_score
from racnet_tools.reproduce.kept import kept
from racnet_tools.reproduce.runs import Trained
from racnet_tools.simulate import simulate
from racnet_tools.spectra import Preprocessing

__all__ = ["baselines", "strangers"]

_STRANGE_TYPES = ("A", "M")
_LEARN, _TEST = 6000, 2000  # spectra at most for the baselines, whose cost grows faster than their worth


def strangers(
    trained: Mapping[tuple[str, str], Trained], data: Mapping[str, DataSet], folder: Path, n: int
) -> list[dict[str, Any]]:
    """AUROC of the uncertainty of RAC-Net for spectra of classes that it never saw.

    Parameters
    ----------
    trained : mapping
        Finished trainings by data set and network.
    data : mapping of str to DataSet
    folder : Path
        Where probabilities are kept.
    n : int
        Stars to simulate of each strange type.
    """
    found = []
    both = trained.get(("dataset2", "racnet"))
    if both and "dataset1" in data:
        which = np.flatnonzero(data["dataset1"].index["test"][:, 2] == data["dataset1"].classes.index("UNKNOWN"))
        p = _says(folder / f"unknown-{both.run.folder.name}.npz", both, partial(_unknown, data["dataset1"], which))
        found.append(_row("UNKNOWN", both, p))
    first = trained.get(("dataset1", "racnet"))
    if first:
        k = data["dataset1"].classes.index("UNKNOWN")
        found.append(
            {
                "what": "UNKNOWN, which this network was trained on: its own probability",
                "dataset": "dataset1",
                **_area(first.p[:, k], first.y == k),
            }
        )
    third = trained.get(("dataset3", "racnet"))
    if third:
        for letter in _STRANGE_TYPES:
            p = _says(
                folder / f"{letter}-{n}-{third.run.folder.name}.npz",
                third,
                partial(_stars, letter, n),
            )
            found.append(_row(f"{letter} stars", third, p))
    return found


def _unknown(data: DataSet, which: np.ndarray) -> np.ndarray:
    return Preprocessing(data.store.grid)(data.spectra("test", which))


def _stars(letter: str, n: int) -> np.ndarray:
    return Preprocessing()(simulate({letter: n}, seed=(9, ord(letter))))


def _says(path: Path, one: Trained, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Class probabilities that a network gives to the spectra that `make` makes."""
    return kept(path, lambda: {"p": predict(one.run.model(), make())})["p"]


def _row(what: str, known: Trained, strange: np.ndarray) -> dict[str, Any]:
    score = np.concatenate([ood_score(known.p), ood_score(strange)])
    positive = np.arange(len(score)) >= len(known.p)
    return {
        "what": f"{what}, which this network never saw: entropy of its probabilities",
        "dataset": known.experiment.dataset,
        **_area(score, positive),
    }


def _area(score: np.ndarray, positive: np.ndarray) -> dict[str, Any]:
    area = auroc(score, positive)
    return {"auroc": area.value, "lower": area.lower, "upper": area.upper, "n": int(np.sum(positive))}


def baselines(data: Mapping[str, DataSet], folder: Path, *, say: Any = lambda line: None) -> list[dict[str, Any]]:
    """Accuracy of methods without a network on the test parts, learnt from at most 6,000 training spectra.

    They are judged on 2,000 test spectra at most, drawn at random with one seed.
    """
    found = []
    for dataset, prepared in data.items():
        x, y = _some(prepared, "train", _LEARN)
        test_x, test_y = _some(prepared, "test", _TEST)
        for name in BASELINES:
            method = make_baseline(name, prepared.classes, seed=0)
            run = partial(_run, method, (x, y), test_x, say, f"{method.name} on {dataset}")
            stored = kept(folder / f"baseline-{dataset}-{name}.npz", run)
            right = int((stored["predicted"] == test_y).sum())
            lower, upper = wilson_interval(right, len(test_y))
            found.append(
                {
                    "dataset": dataset,
                    "method": method.name,
                    "trained_on": 0 if name == "template" else len(y),
                    "n": len(test_y),
                    "accuracy": right / len(test_y),
                    "lower": lower,
                    "upper": upper,
                    "cpu_ms_per_spectrum": 1000 * float(stored["cpu_seconds"]) / len(test_y),
                }
            )
    return found


def _run(
    method: Baseline, learn: tuple[np.ndarray, np.ndarray], test_x: np.ndarray, say: Callable[[str], None], what: str
) -> dict[str, np.ndarray]:
    """Class indices that a method gives to test spectra, and what that costs."""
    say(what)
    method.fit(*learn)
    start = time.process_time()
    predicted = method.predict(test_x)
    return {"predicted": predicted, "cpu_seconds": np.array(time.process_time() - start)}


def _some(data: DataSet, part: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of a part, equally likely of every class, at most so many."""
    which = np.sort(np.random.default_rng(0).permutation(data.size(part))[:most])
    return Preprocessing(data.store.grid)(data.spectra(part, which)), data.index[part][which, 2]
