"""Deletion and insertion: whether the score follows the pixels that an explanation names.

Segments of the spectrum are replaced by the continuum, those that speak most for the class first (deletion), or are put
back into the continuum in the same order (insertion). The score must fall, or rise, faster than with segments in random
order. The score is the log-odds of the class, which does not saturate as its probability does.
References: Samek et al. 2017, IEEE Trans. Neural Netw. Learn. Syst. 28, 2660; Petsiuk, Das & Saenko 2018, BMVC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from racnet_tools.explain.check import Check, Logits, coarse, log_odds, mean_interval, verdict
from racnet_tools.spectra.channels import flux_of, with_flux

__all__ = ["SEGMENT", "Curves", "deletion_insertion", "faithfulness"]

SEGMENT = 40  # pixels: 2,800 km/s, about what occlusion hides at a time
_STEPS = 16
_ORDERS = 4


@dataclass(frozen=True)
class Curves:
    """Log-odds of the class against the share of the spectrum that is replaced or put back.

    Attributes
    ----------
    share : (s,) float
        From 0 to 1.
    deletion, insertion : (n, s) float
        In the order of the explanation.
    random_deletion, random_insertion : (n, s) float
        Mean over random orders.
    """

    share: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray


def deletion_insertion(
    logits: Logits, x: np.ndarray, baseline: np.ndarray, target: np.ndarray, values: np.ndarray, *, seed: int
) -> Curves:
    """Measure the curves of an explanation and of four random orders.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n, n_pix) or (n, n_pix, n_channels) array
        Network input.
    baseline, values : (n, n_pix) arrays
        Continua of the spectra and what the explanation says of them.
    target : (n,) int array
        Classes explained.
    seed : int
        Of the random orders.

    Returns
    -------
    Curves
    """
    rng = np.random.default_rng(seed)
    flux = flux_of(x)
    n, n_pix = flux.shape
    sums = coarse(values, SEGMENT)
    n_segments = sums.shape[1]
    counts = np.unique(np.linspace(0, n_segments, _STEPS + 1).round().astype(int))
    segment = np.arange(n_pix) // SEGMENT

    def curves(order: np.ndarray, inside: np.ndarray, outside: np.ndarray, i: int) -> np.ndarray:
        rank = np.empty(n_segments, int)
        rank[order] = np.arange(n_segments)
        replaced = rank[segment] < counts[:, None]
        batch = with_flux(x[i : i + 1], np.where(replaced, inside, outside))
        return log_odds(logits(batch), np.full(len(batch), target[i]))

    shape = (n, len(counts))
    made = {name: np.zeros(shape) for name in ("deletion", "insertion", "random_deletion", "random_insertion")}
    for i in range(n):
        orders = [np.argsort(-sums[i], kind="stable"), *(rng.permutation(n_segments) for _ in range(_ORDERS))]
        for number, order in enumerate(orders):
            name, weight = ("", 1.0) if number == 0 else ("random_", 1 / _ORDERS)
            made[f"{name}deletion"][i] += weight * curves(order, baseline[i], flux[i], i)
            made[f"{name}insertion"][i] += weight * curves(order, flux[i], baseline[i], i)
    return Curves(share=counts / n_segments, **made)


def faithfulness(curves: Curves, name: str) -> list[Check]:
    """Judge the curves of an explanation.

    Parameters
    ----------
    curves : Curves
    name : str
        Of the method.

    Returns
    -------
    list of Check
        Deletion and insertion: the mean gap to random order over the curve, in log-odds (nats); above 0 is better than
        random. Passed where the whole interval over spectra is above 0.
    """
    checks = []
    for kind, sign in (("deletion", -1), ("insertion", 1)):
        ours, random = getattr(curves, kind), getattr(curves, f"random_{kind}")
        gap = sign * (np.trapezoid(ours, curves.share, axis=1) - np.trapezoid(random, curves.share, axis=1))
        mean, lower, upper = mean_interval(gap)
        decided = verdict(lower, upper, 0, len(gap))
        what = "replacing by the continuum" if kind == "deletion" else "putting back into the continuum"
        faster = {"yes": "moves the score faster than", "no": "moves the score more slowly than"}
        reading = (
            f"In the order of the explanation, {what} {faster.get(decided, 'cannot be told from')} random order: "
            f"{mean:+.2f} in log-odds ({lower:+.2f} to {upper:+.2f})."
        )
        checks.append(
            Check(
                kind,
                name,
                "gap to random order / log-odds",
                mean,
                lower,
                upper,
                0.0,
                "random order",
                len(gap),
                decided,
                reading,
            )
        )
    return checks
