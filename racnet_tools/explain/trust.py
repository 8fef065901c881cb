"""All trust checks of a network in one call, and their results kept beside a preset in ``trust.json``.

The checks stand in `planted`, `faithfulness` and `agreement`. What is explained is always the class that the network
gives; nothing here asks whether that class is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.agreement import (
    attention_tells_where,
    methods_agree,
    shuffled_weights,
    stable_under_noise,
    weights_matter,
)
from racnet_tools.explain.check import Check, Logits, Method
from racnet_tools.explain.faithfulness import Curves, deletion_insertion, faithfulness
from racnet_tools.explain.planted import injected_line, plant_lines
from racnet_tools.inference.kept import keep, kept
from racnet_tools.inference.presets import Preset

__all__ = ["Explainer", "Profile", "Trust", "keep_trust", "kept_trust", "trust_checks"]

#: An ONNX graph to a way of explaining that network.
Explainer: TypeAlias = Callable[[bytes], Method]
#: (network input, generator or None) to the attention profile (n, n_pix), with shuffled channels given a generator.
Profile: TypeAlias = Callable[[np.ndarray, np.random.Generator | None], np.ndarray]

_FILE = "trust.json"


@dataclass(frozen=True)
class Trust:
    """Results of all checks.

    Attributes
    ----------
    checks : tuple of Check
    curves : mapping of str to Curves
        Deletion and insertion, by method.
    spectra : str
        What they were run on, in words.
    sha256 : str
        Of the network's ONNX graph.
    """

    checks: tuple[Check, ...]
    curves: Mapping[str, Curves]
    spectra: str
    sha256: str


def trust_checks(
    model: bytes,
    logits: Logits,
    x: np.ndarray,
    baseline: np.ndarray,
    explainers: Mapping[str, Explainer],
    *,
    profile: Profile | None = None,
    seed: int = 0,
) -> tuple[list[Check], dict[str, Curves]]:
    """Run every check for every way of explaining.

    Parameters
    ----------
    model : bytes
        The network's ONNX graph.
    logits : callable
        Network input to (n, k), of the same network.
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Network input.
    baseline : (n, n_pix) float32 array
        Continua of the spectra.
    explainers : mapping of str to callable
        Name of a method, and a function that makes it for a network: it is made for `model` and for the same network
        with shuffled weights.
    profile : callable, optional
        Attention profile; networks without attention have none. It is compared with the first method.
    seed : int
        Of planted lines, random orders, noise and shuffles.

    Returns
    -------
    checks : list of Check
        Five for each method, one for each pair of methods, and one for attention.
    curves : dict of str to Curves
        Deletion and insertion, by method.

    Raises
    ------
    RacnetError
        If there is no method or no spectrum.
    """
    if not explainers or not len(x):
        raise RacnetError(f"Expected a method and spectra. Received: {len(explainers)} methods, {len(x)} spectra.")
    target = logits(x).argmax(axis=1)
    lines = plant_lines(logits, x, baseline, seed=seed)
    destroyed = shuffled_weights(model, seed=seed)
    checks: list[Check] = []
    values: dict[str, np.ndarray] = {}
    curves: dict[str, Curves] = {}
    for name, explainer in explainers.items():
        method = explainer(model)
        values[name] = method(x, target)
        curves[name] = deletion_insertion(logits, x, baseline, target, values[name], seed=seed)
        stable = stable_under_noise(method, x, target, values[name], name, seed=seed)
        of_destroyed = explainer(destroyed)(x, target)
        checks += [
            injected_line(method, lines, name),
            weights_matter(values[name], of_destroyed, stable.value, name),
            *faithfulness(curves[name], name),
            stable,
        ]
    checks += [methods_agree(values[a], values[b], target, (a, b)) for a, b in combinations(values, 2)]
    if profile is not None:
        name = next(iter(values))
        shuffled = profile(x, np.random.default_rng(seed))
        checks.append(attention_tells_where(profile(x, None), shuffled, values[name], name))
    return checks, curves


def keep_trust(trust: Trust, folder: Path, overwrite: bool = False) -> Path:
    """Write results into a preset's folder as ``trust.json``; an existing one is kept unless `overwrite`."""
    content = {
        "sha256": trust.sha256,
        "spectra": trust.spectra,
        "checks": [{k: _plain(v) for k, v in asdict(check).items()} for check in trust.checks],
        "curves": {
            name: {k: np.round(v, 3).tolist() for k, v in asdict(curves).items()}
            for name, curves in trust.curves.items()
        },
    }
    return keep(folder / _FILE, content, overwrite)


def kept_trust(preset: Preset) -> Trust | None:
    """The results kept with a preset; None where there are none, or they are of another network.

    Raises
    ------
    RacnetError
        If the file cannot be understood.
    """
    return kept(preset, _FILE, "the results of trust checks", _understood)


def _understood(content: dict[str, Any]) -> Trust:
    names = {field.name for field in fields(Check)}
    rows = [{k: row[k] for k in names} for row in content["checks"]]
    for row in rows:
        row |= {k: float("nan") if row[k] is None else float(row[k]) for k in ("value", "lower", "upper", "control")}
    curves = {
        name: Curves(**{field.name: np.array(row[field.name], dtype=float) for field in fields(Curves)})
        for name, row in content["curves"].items()
    }
    return Trust(tuple(Check(**row) for row in rows), curves, str(content["spectra"]), str(content["sha256"]))


def _plain(value: object) -> object:
    """JSON has no NaN."""
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else None
    return value
