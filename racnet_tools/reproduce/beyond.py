"""What a preset knows and what it does not, beyond the paper: redshift, calibration, strangers, rejection.

Everything is measured on simulated spectra of seeds that no training used, beside another preset that classifies the
same spectra. On real spectra ``benchmarks/accuracy_on_real_spectra.py`` measures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.evaluate import (
    accuracy_against,
    area_under_risk_coverage,
    auroc,
    expected_calibration_error,
    reliability,
    risk_coverage,
)
from racnet_tools.evaluate.baselines_template import TemplateMatcher
from racnet_tools.inference import Engine, Preset, load_preset, with_outputs
from racnet_tools.models.measured import CATASTROPHIC, log_redshifts, measure_redshifts
from racnet_tools.models.quality import prediction_sets
from racnet_tools.models.uncertainty import joint_ood_score, ood_score
from racnet_tools.reproduce.beyond_report import report
from racnet_tools.simulate import redshift_sweep, simulate
from racnet_tools.spectra import Preprocessing, SpectrumSet

__all__ = ["beyond"]

GRIDS = {"GALAXY": np.linspace(0, 1, 11), "QSO": np.linspace(0, 5, 11)}
SNR_EDGES = np.array([2.0, 3, 5, 10, 20, 150])
_SEED = 901
LEAST_SNR = 5.0

Say = Callable[[str], None]


def beyond(
    output: Path, preset: str = "racnet-survey", beside: str = "racnet-class", *, scale: float = 1.0, say: Say = print
) -> dict[str, Any]:
    """Measure and write ``results.json``, ``report.md`` and the figures.

    Parameters
    ----------
    output : Path
        Folder, made when new.
    preset, beside : str
        A joint preset, and one of classes to compare with.
    scale : float
        Factor on the numbers of spectra.
    say : callable
        Is told what is done.

    Returns
    -------
    dict
        What ``results.json`` holds.
    """
    output.mkdir(parents=True, exist_ok=True)
    networks = [_Ready.of(load_preset(name)) for name in (preset, beside)]
    names = [ready.preset.name for ready in networks]
    results: dict[str, Any] = {"presets": names, "scale": scale, "seed": _SEED, "least_snr": LEAST_SNR}
    for name, measure in _PARTS.items():
        say(f"{name} ...")
        results[name] = measure(networks, scale, output)
        (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (output / "report.md").write_text(report(results), encoding="utf-8")
    return results


@dataclass(frozen=True)
class _Ready:
    """A preset and an engine that gives its inner tensors too."""

    preset: Preset
    engine: Engine

    @classmethod
    def of(cls, preset: Preset) -> _Ready:
        graph = with_outputs(preset.model_bytes(), ["logits", "dense"])
        return cls(preset, Engine(graph))

    def __call__(self, spectra: SpectrumSet) -> dict[str, np.ndarray]:
        """All outputs, the logits, and what the fully connected layer gives."""
        return self.engine.predict_all(self.preset.preprocessing(spectra))

    @property
    def own_score(self) -> str:
        """Name of the score that the preset's threshold is for."""
        return "entropy and redshift" if self.preset.joint else "entropy"

    def truth(self, spectra: SpectrumSet) -> np.ndarray:
        """Class indices."""
        return np.array([self.preset.classes.index(str(label)) for label in spectra.table["label"]])


def _number(scale: float, n: int) -> int:
    return max(12, round(n * scale))


# --- Accuracy against redshift


def _sweep(networks: list[_Ready], scale: float, output: Path) -> dict[str, Any]:
    from racnet_tools.plots import binned_accuracy

    told: dict[str, Any] = {}
    for kind, grid in GRIDS.items():
        pieces: dict[str, list[np.ndarray]] = {ready.preset.name: [] for ready in networks}
        bright: list[np.ndarray] = []
        for start in range(0, _number(scale, 300), 20):
            spectra = redshift_sweep(kind, grid, 20, seed=(_SEED, start))
            bright.append(spectra.median_snr().reshape(20, -1).min(axis=1) >= LEAST_SNR)  # the same at every redshift
            for ready in networks:
                right = ready(spectra)["probabilities"].argmax(axis=1) == ready.preset.classes.index(kind)
                pieces[ready.preset.name].append(right.reshape(20, -1))
        kept = np.concatenate(bright)
        right = {name: np.concatenate(found)[kept] for name, found in pieces.items()}
        step = grid[1] - grid[0]
        edges = np.append(grid - step / 2, grid[-1] + step / 2)
        tables = {}
        for name, found in right.items():
            z, wrong = np.tile(grid, len(found)), (~found.ravel()).astype(int)
            tables[name] = accuracy_against(z, np.zeros(len(z), int), wrong, edges)
        figure = binned_accuracy(tables, xlabel=f"redshift of the same simulated {kind} spectra")
        figure.savefig(output / f"sweep-{kind.lower()}.png", dpi=150)
        told[kind] = {
            "objects": int(kept.sum()),
            "z": grid.round(3).tolist(),
            "right": {name: found.sum(axis=0).tolist() for name, found in right.items()},
        }
    return told


# --- Redshifts


def _redshifts(networks: list[_Ready], scale: float, output: Path) -> dict[str, Any]:
    ready = networks[0]
    joint, limits = ready.preset.joint, ready.preset.limits
    if not joint or not limits:
        return {}
    told = {}
    for kind, limit in CATASTROPHIC.items():
        spectra = simulate({kind: _number(scale, 400)}, seed=(_SEED, 1), even=True)
        z, snr = np.asarray(spectra.table["z"], float), spectra.median_snr()
        outputs = ready(spectra)
        found = measure_redshifts(outputs["redshift"], log_redshifts(joint, ready.preset.preprocessing.grid))
        given = np.array(ready.preset.classes)[outputs["probabilities"].argmax(axis=1)]
        error = found.error * limits.redshift_factor(given, snr)
        matched = np.asarray(TemplateMatcher([kind]).match(Preprocessing()(spectra))["z"], float)
        rows = []
        for low, high in pairwise(SNR_EDGES):
            here = (snr >= low) & (snr < high)
            sure = here & (found.confidence >= limits.redshift_confidence)
            pulls = np.abs(found.z - z) / error
            right = sure & (np.abs(found.z - z) / (1 + z) <= limit)
            rows.append(
                {
                    "snr": [float(low), float(high)],
                    "network": redshift_errors(found.z[here], z[here], limit),
                    "network, sure": redshift_errors(found.z[sure], z[sure], limit),
                    "templates": redshift_errors(matched[here], z[here], limit),
                    "within z_error": [int((pulls[right] <= 1).sum()), int(right.sum())],
                }
            )
        told[kind] = rows
    return told


def redshift_errors(found: np.ndarray, true: np.ndarray, limit: float) -> dict[str, float]:
    """Number, normalised median absolute deviation of dz / (1 + z), and how many lie beyond `limit`.

    The deviation is 1.4826 median(|d - median(d)|) (Ilbert et al. 2009, ApJ 690, 1236).
    """
    if not len(true):
        return {"n": 0, "nmad": float("nan"), "catastrophic": 0}
    off = (found - true) / (1 + true)
    deviation = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    return {"n": len(true), "nmad": deviation, "catastrophic": int((np.abs(off) > limit).sum())}


# --- Calibration, prediction sets, rejection


def _calibration(networks: list[_Ready], scale: float, output: Path) -> dict[str, Any]:
    from racnet_tools.plots import reliability as draw_reliability
    from racnet_tools.plots import risk_coverage as draw_risk_coverage

    n = _number(scale, 1000)
    spectra = simulate({"STAR": n, "GALAXY": n, "QSO": n}, seed=(_SEED, 2), even=True)
    snr, told, tables, curves = spectra.median_snr(), {}, {}, {}
    for ready in networks:
        found, y, name = ready(spectra), ready.truth(spectra), ready.preset.name
        p = found["probabilities"]
        score, given = _simple_scores(ready, found)[ready.own_score], p.argmax(axis=1)
        tables[name], curves[name] = reliability(p, y), risk_coverage(y, given, score)
        by_snr = [(low, high, (snr >= low) & (snr < high)) for low, high in pairwise(SNR_EDGES)]
        told[name] = {
            "spectra": len(y),
            "right": int((given == y).sum()),
            "ece": expected_calibration_error(p, y),
            "aurc": area_under_risk_coverage(y, given, score),
            "by_snr": [
                {
                    "snr": [float(low), float(high)],
                    "n": int(here.sum()),
                    "right": int((given == y)[here].sum()),
                    "ece": expected_calibration_error(p[here], y[here]) if here.any() else float("nan"),
                }
                for low, high, here in by_snr
            ],
        }
        if ready.preset.limits:
            sets = prediction_sets(p, ready.preset.classes, ready.preset.limits)
            held = np.array([ready.preset.classes[k] in one.split("|") for k, one in zip(y, sets, strict=True)])
            told[name]["sets"] = {
                "coverage": ready.preset.limits.coverage,
                "held": {
                    label: [int(held[y == k].sum()), int((y == k).sum())]
                    for k, label in enumerate(ready.preset.classes)
                },
                "sizes": np.bincount([len(list(filter(None, one.split("|")))) for one in sets], minlength=4).tolist(),
            }
    draw_reliability(tables).savefig(output / "reliability.png", dpi=150)
    draw_risk_coverage(curves).savefig(output / "risk-coverage.png", dpi=150)
    return told


# --- Strangers


def strangers(n: int, seed: tuple[int, ...]) -> dict[str, SpectrumSet]:
    """Spectra that belong to no class: kinds of UNKNOWN that training saw, and kinds that nothing was trained on.

    ``blend`` is two objects of different classes in one fibre, ``nebula`` lines in emission without a continuum,
    ``reversed`` a spectrum whose pixels run backwards.
    """
    unknown = simulate({"UNKNOWN": 3 * n}, seed=(*seed, 1))
    kind = np.array(unknown.table["subclass"].astype(str))
    told = {f"UNKNOWN, {name}": unknown[np.flatnonzero(kind == name)] for name in sorted(set(kind) - {"faint"})}
    mixed = ({"STAR": n // 2, "QSO": n - n // 2}, {"GALAXY": n // 2, "STAR": n - n // 2})
    one, two = (_by_label(simulate(part, seed=(*seed, k), even=True)) for k, part in enumerate(mixed, start=2))
    level = [np.median(np.abs(part.flux), axis=1, keepdims=True) for part in (one, two)]
    variance = _variance(one) / level[0] ** 2 + _variance(two) / level[1] ** 2
    mask = one.mask | two.mask
    blend = one.flux / level[0] + two.flux / level[1]
    told["blend"] = _set(one, blend, np.where(mask, 0, 1 / np.maximum(variance, 1e-12)), mask)
    lines = simulate({"GALAXY": n}, seed=(*seed, 4), even=True)
    rng = np.random.default_rng((*seed, 5))
    places = rng.uniform(0, lines.n_pixels, (len(lines), 12, 1))
    heights = rng.lognormal(1, 1, (len(lines), 12, 1))
    bright = (heights * np.exp(-0.5 * ((np.arange(lines.n_pixels) - places) / 1.3) ** 2)).sum(axis=1)
    noise = np.median(np.abs(np.diff(lines.flux, axis=1)), axis=1, keepdims=True)
    told["nebula"] = _set(lines, noise * (rng.standard_normal(lines.flux.shape) + 8 * bright), lines.ivar, lines.mask)
    back = simulate({"STAR": n // 2, "GALAXY": n - n // 2}, seed=(*seed, 6), even=True)
    told["reversed"] = _set(back, back.flux[:, ::-1], back.ivar[:, ::-1], back.mask[:, ::-1])
    return told


_ORDER = ("QSO", "STAR", "GALAXY")


def _by_label(spectra: SpectrumSet) -> SpectrumSet:
    """Spectra in the order QSO, STAR or STAR, GALAXY, so that two of such sets differ in class row by row."""
    order = np.argsort([_ORDER.index(str(label)) for label in spectra.table["label"]], kind="stable")
    return spectra[order]


def _variance(spectra: SpectrumSet) -> np.ndarray:
    return np.where(spectra.ivar > 0, 1 / np.maximum(spectra.ivar, 1e-12), 0)


def _set(like: SpectrumSet, flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray) -> SpectrumSet:
    rows = [{"spec_id": str(name)} for name in like.table["spec_id"]]
    return SpectrumSet(like.wave, flux.astype(np.float32), ivar.astype(np.float32), mask.copy(), rows)


def _strangers(networks: list[_Ready], scale: float, output: Path) -> dict[str, Any]:
    n = _number(scale, 300)
    known = simulate({"STAR": n, "GALAXY": n, "QSO": n}, seed=(_SEED, 3), even=True)
    known = known[np.flatnonzero(known.median_snr() >= LEAST_SNR)]
    learnt = simulate({"STAR": n, "GALAXY": n, "QSO": n}, seed=(_SEED, 4), even=True)
    others = strangers(n, (_SEED, 5))
    told: dict[str, Any] = {}
    for ready in networks:
        scores = _scores(ready, learnt)
        of_known = scores(known)
        told[ready.preset.name] = {
            name: {score: _auroc(of_known[score], found[score]) for score in of_known}
            | {"rejected": [int((found[ready.own_score] > ready.preset.reject_threshold).sum()), len(spectra)]}
            for name, spectra in others.items()
            for found in [scores(spectra)]
        }
        passed = int((of_known[ready.own_score] <= ready.preset.reject_threshold).sum())
        told[ready.preset.name]["known"] = {"passed": [passed, len(known)]}
    return told


def _auroc(known: np.ndarray, strange: np.ndarray) -> list[float]:
    found = auroc(np.concatenate([known, strange]), np.repeat([False, True], [len(known), len(strange)]))
    return [round(float(value), 4) for value in (found.value, found.lower, found.upper)]


def _scores(ready: _Ready, learnt: SpectrumSet) -> Callable[[SpectrumSet], Mapping[str, np.ndarray]]:
    """Function that gives scores, higher where less known; distances are to the spectra `learnt`."""
    features, y = ready(learnt)["dense"].astype(np.float64), ready.truth(learnt)
    means = np.stack([features[y == k].mean(axis=0) for k in range(len(ready.preset.classes))])
    inner = np.cov(features - means[y], rowvar=False)
    inner += 1e-3 * np.trace(inner) / len(inner) * np.eye(len(inner))
    root = np.linalg.cholesky(np.linalg.inv(inner))

    def scores(spectra: SpectrumSet) -> Mapping[str, np.ndarray]:
        found = ready(spectra)
        logits = found["logits"].astype(np.float64)
        away = ((found["dense"][:, None] - means) @ root) ** 2
        return {
            "maximum": 1 - found["probabilities"].max(axis=1),
            "energy": -np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) - logits.max(axis=1),
            "Mahalanobis": away.sum(axis=2).min(axis=1),
            **_simple_scores(ready, found),
        }

    return scores


def _simple_scores(ready: _Ready, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Scores that need no features."""
    told = {"entropy": ood_score(found["probabilities"])}
    if ready.preset.joint:
        tried = log_redshifts(ready.preset.joint, ready.preset.preprocessing.grid)
        confidence = measure_redshifts(found["redshift"], tried).confidence
        told["redshift"] = 1 - confidence
        told["entropy and redshift"] = joint_ood_score(found["probabilities"], confidence)
    return told


_PARTS: dict[str, Callable[[list[_Ready], float, Path], dict[str, Any]]] = {
    "sweep": _sweep,
    "redshifts": _redshifts,
    "calibration": _calibration,
    "strangers": _strangers,
}
