"""Checks of lesson 6, How sure are you?"""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.verdict import Wrong, close, exercise, is_array, refuse, run
from racnet_tools.evaluate import apply_temperature, wilson_interval


@exercise("6.1")
def exercise_6_1(interval: Any) -> str:
    z = 1.96
    for hits, n in ((19, 20), (0, 15), (480, 500)):
        found = is_array(run(interval, hits, n), (2,), "the interval (lower, upper)")
        right = np.array(wilson_interval(hits, n))
        if np.allclose(found, right, atol=2e-4):
            continue
        share = hits / n
        normal = z * np.sqrt(share * (1 - share) / n)
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = (right[1] - right[0]) / 2
        refuse(
            found,
            {
                "That is in per cent. Give numbers between 0 and 1.": 100 * right,
                "That is p ± z √(p(1-p)/n), without width for 0 hits and above 1 for 19 of 20. Use Wilson's.": [
                    share - normal,
                    share + normal,
                ],
                "Upper and lower end are exchanged.": right[::-1],
                "Those are the centre and the half width. Return centre - half and centre + half.": [centre, half],
                "The half width is right; it goes around the centre, which is not hits/n.": [
                    share - half,
                    share + half,
                ],
                "z²/2n is z² divided by (2n): your centre multiplies by n.": (share + z**2 / 2 * n) / (1 + z**2 / n)
                + half * np.array([-1, 1]),
                "That is with z = 1: an interval of 68 %. For 95 % z is 1.96.": wilson_interval(hits, n, 0.6827),
            },
        )
        raise Wrong(f"For {hits} of {n} it gives {found.round(3).tolist()}; expected {right.round(3).tolist()}.")
    return "For 19 of 20 it is 76 % to 99 %; and 0 of 15 may still mean one in five."


@exercise("6.2")
def exercise_6_2(reliability_point: Any, p: np.ndarray, y: np.ndarray) -> str:
    for low, high in ((0.8, 0.9), (0.5, 0.6)):
        confidence, answer, truth = p.max(1), p.argmax(1), p[np.arange(len(y)), y]
        within = (confidence > low) & (confidence <= high)
        hit = answer == y
        right = np.array([confidence[within].mean(), hit[within].mean()])
        found = is_array(run(reliability_point, p, y, low, high), (2,), "mean confidence and share of right answers")
        if np.allclose(found, right, atol=1e-6):
            continue
        of_truth = (truth > low) & (truth <= high)
        refuse(
            found,
            {
                "The two are exchanged: first the mean confidence.": right[::-1],
                "The share is in per cent.": right * [1, 100],
                "You binned by the probability of the true class. The confidence is the largest one.": [
                    truth[of_truth].mean() if of_truth.any() else np.nan,
                    hit[of_truth].mean() if of_truth.any() else np.nan,
                ],
                "You averaged the probability of the true class. The confidence is the largest one.": [
                    truth[within].mean(),
                    right[1],
                ],
                "The second is the number of right answers. Divide by how many are in the bin.": [
                    right[0],
                    hit[within].sum(),
                ],
                "The share is over all spectra. Divide by how many are in the bin.": [
                    right[0],
                    (hit & within).sum() / len(y),
                ],
                "That is for all spectra; keep those in the bin.": [confidence.mean(), hit.mean()],
                "You gave the middle of the bin. Take the mean of the confidences in it.": [(low + high) / 2, right[1]],
                "You also count the less sure ones: the bin has a lower border.": [
                    confidence[confidence <= high].mean(),
                    hit[confidence <= high].mean(),
                ],
            },
            1e-6,
        )
        raise Wrong(f"From {low} to {high} it gives {found.round(3).tolist()}; expected {right.round(3).tolist()}.")
    return f"Where it is {right[0]:.0%} sure, {right[1]:.0%} of {within.sum()} answers are right."


@exercise("6.3")
def exercise_6_3(at_temperature: Any) -> str:
    p = np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9], [0.4, 0.35, 0.25]])
    for temperature in (2.0, 0.5):
        found = is_array(run(at_temperature, p, temperature), p.shape, "what at_temperature returns")
        right = apply_temperature(p, temperature)
        if np.allclose(found, right, atol=1e-6):
            continue
        power = p ** (1 / temperature)
        by_column = power / power.sum(0)
        e = np.exp(p / temperature)
        refuse(
            found,
            {
                "That is the inverse: T = 2 made the network surer. Divide the logarithm by T.": apply_temperature(
                    p, 1 / temperature
                ),
                "The rows do not add up to 1: the softmax divides by the sum.": power,
                "You divided the probabilities by T. Divide their logarithms.": p / temperature,
                "That leaves the probabilities as they are: p/T over its sum is p. Divide log p by T.": p,
                "That is a softmax of p/T: take the logarithm of p first.": e / e.sum(1, keepdims=True),
                "The sum went over the spectra; it has to go over the classes of each.": by_column,
            },
            1e-6,
        )
        raise Wrong(f"At T = {temperature} the first row gives {found[0].round(3)}; expected {right[0].round(3)}.")
    return "T = 2 makes it less sure, T = 0.5 surer, and the order of the classes stays."


@exercise("6.4")
def exercise_6_4(surest: Any) -> str:
    confidence = np.random.default_rng(4).beta(5, 1, 1000)
    for coverage in (0.9, 0.3):
        found = np.asarray(run(surest, confidence, coverage))
        if found.shape != confidence.shape or found.dtype != bool:
            raise Wrong(f"Expected True or False for each of {confidence.size} spectra. Received: {found!r:.50}.")
        right = confidence > np.quantile(confidence, 1 - coverage)
        if abs(found.mean() - coverage) <= 0.002:
            if not confidence[found].min() >= confidence[~found].max():
                raise Wrong("The right number, but not the surest: you kept those with low confidence.")
            continue
        sentences = {
            "You kept the share that was to be dropped.": ~right,
            "The quantile is at the wrong end: to keep 90 % drop the lowest 10 %, not the lowest 90 %.": confidence
            > np.quantile(confidence, coverage),
            "You used the coverage as a threshold on the confidence. It is a share of the spectra.": confidence
            > coverage,
        }
        for sentence, mistaken in sentences.items():
            if np.mean(found == mistaken) > 0.997:
                raise Wrong(sentence)
        raise Wrong(f"Asked for {coverage:.0%} of the spectra, it keeps {found.mean():.0%}.")
    return "It keeps what was asked for, and nothing dropped is surer than anything kept."


@exercise("6.5")
def exercise_6_5(leaked: Any, train: np.ndarray, test: np.ndarray) -> str:
    seen = np.isin(test, train)
    if close(leaked, seen.sum(), 0):
        return f"{seen.sum()} of {len(test)}: this test measures memory. Split by object and none is left."
    refuse(
        leaked,
        {
            "That is the number of objects. Each may have several spectra: count these.": np.intersect1d(
                train, test
            ).size,
            "Those are spectra of the training set. Count those of the test set.": np.isin(train, test).sum(),
            "That is their share. How many are they?": seen.mean(),
            "That is in per cent. How many are they?": 100 * seen.mean(),
            "Those are the others, which were not seen.": (~seen).sum(),
        },
        1e-9,
    )
    raise Wrong(f"It is another number of the {len(test)} test spectra.")


@exercise("6.6")
def exercise_6_6(purity: Any, rates: np.ndarray, numbers: np.ndarray, qso: int) -> str:
    called = rates * numbers
    right = called[qso] / called.sum()
    balanced = rates[qso] / rates.sum()
    if close(purity, right, 1e-3):
        return f"{right:.0%}, where the balanced test set has {balanced:.0%}: nothing has changed but the proportions."
    refuse(
        purity,
        {
            "That is the purity in the balanced test set. Weight the rates by the numbers in the survey.": balanced,
            "That is the completeness: which share of the quasars is found. It does not depend on the others.": rates[
                qso
            ],
            "That is in per cent. Give a number between 0 and 1.": 100 * right,
            "That is the share of quasars in the survey, whatever the network says.": numbers[qso] / numbers.sum(),
            "You divided by all spectra of the survey. Divide by those called QSO.": called[qso] / numbers.sum(),
            "That is the share that are not quasars: 1 minus the purity.": 1 - right,
            "That is quasars over the others. Over all that are called QSO, quasars included.": called[qso]
            / (called.sum() - called[qso]),
        },
    )
    raise Wrong("Another share. rates * numbers is how many of each class are called QSO.")
