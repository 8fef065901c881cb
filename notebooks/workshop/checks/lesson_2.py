"""Checks of lesson 2, From pixels to classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.verdict import Wrong, close, exercise, is_array, refuse, run


@exercise("2.1")
def exercise_2_1(normalise: Any) -> str:
    flux = np.random.default_rng(1).normal([[3.0], [50.0], [2000.0]], 1, (3, 40))
    before = flux.copy()
    found = is_array(run(normalise, flux), flux.shape, "what normalise returns")
    if not np.array_equal(flux, before):
        raise Wrong("It changes the array that it was given (as flux /= ... does). Return a new one: flux / ...")
    rows = np.linalg.norm(flux, axis=1, keepdims=True)
    if np.allclose(found, flux / rows):
        return "Every spectrum has the norm 1, however bright it was."
    refuse(
        found,
        {
            "You divided by one norm for all spectra together: norm needs to know its axis.": flux
            / np.linalg.norm(flux),
            "You took the norm of each pixel over the spectra: that is the other axis.": flux
            / np.linalg.norm(flux, axis=0),
            "You divided by the largest flux. The norm is the root of the sum of squares.": flux / flux.max(1)[:, None],
            "You divided by the sum. The norm is the root of the sum of squares.": flux / flux.sum(1)[:, None],
            "You divided by the squared norm: the root is missing.": flux / rows**2,
            "You divided by the mean flux. The norm is the root of the sum of squares.": flux / flux.mean(1)[:, None],
        },
    )
    raise Wrong(f"The norms of your rows are {np.linalg.norm(found, axis=1).round(3).tolist()}; each should be 1.")


@exercise("2.2")
def exercise_2_2(test_part: Any, object_id: np.ndarray) -> str:
    share, chosen = 0.25, []
    for seed in (1, 2):
        found = np.asarray(run(test_part, object_id, share, np.random.default_rng(seed)))
        objects = np.unique(object_id)
        if found.shape == objects.shape and found.shape != object_id.shape:
            raise Wrong("That is one value an object. Say for each spectrum whether its object was chosen.")
        if found.shape != object_id.shape:
            raise Wrong(f"Expected one value a spectrum, shape {object_id.shape}. Yours has {found.shape}.")
        if found.dtype != bool:
            raise Wrong(f"Expected True and False. Received values of type {found.dtype}.")
        test = np.unique(object_id[found])
        both = np.intersect1d(test, object_id[~found])
        if both.size:
            raise Wrong(
                f"{both.size} objects are on both sides, such as {both[0]}. Do not split by spectrum: draw objects."
            )
        if not found.any() or found.all():
            raise Wrong("All spectra are on one side.")
        got = len(test) / len(objects)
        if abs(got - (1 - share)) < 0.05:
            raise Wrong(f"{got:.0%} of the objects are called test: True should mean test, not training.")
        if abs(got - share) > 0.05:
            raise Wrong(f"Asked for {share:.0%} of the objects in the test, it gives {got:.0%}.")
        chosen.append(found)
    if np.array_equal(*chosen):
        raise Wrong("Another generator gives the same objects. Draw with rng, not in the order of the table.")
    return f"No object is on both sides, and {len(test)} of {len(objects)} objects are in the test."


@exercise("2.3")
def exercise_2_3(nearest_mean: Any) -> str:
    rng = np.random.default_rng(3)
    # Classes of unequal size and spread: a mean is then something else than a neighbour or a sum.
    centres, sizes, spreads = np.array([[0.0] * 6, [2.0] * 6, [0, 4, 0, 4, 0, 4.0]]), (60, 20, 40), (1.5, 0.4, 0.8)
    y = np.repeat(np.arange(3), sizes)
    x = centres[y] + rng.normal(0, 1, (120, 6)) * np.array(spreads)[y][:, None]
    new = rng.uniform(-1, 4, (200, 6))
    found = is_array(run(nearest_mean, x, y, new), (200,), "what nearest_mean returns")
    means = np.array([x[y == k].mean(0) for k in range(3)])
    distance = ((new[:, None] - means) ** 2).sum(-1)
    if np.array_equal(found, distance.argmin(1)):
        return "It gives the nearest mean for 200 points of a test with three unequal classes."
    medians = np.array([np.median(x[y == k], axis=0) for k in range(3)])
    refuse(
        found,
        {
            "That is the class of the farthest mean: argmin, not argmax, of a distance.": distance.argmax(1),
            "That is the class of the nearest training spectrum. Average each class first.": y[
                ((new[:, None] - x) ** 2).sum(-1).argmin(1)
            ],
            "That is with medians. Use the mean of each class.": ((new[:, None] - medians) ** 2).sum(-1).argmin(1),
            "The differences are added up without their squares: they cancel.": (new[:, None] - means)
            .sum(-1)
            .argmin(1),
            "You took the largest product with the means. That is the nearest only if all means have one norm.": (
                new @ means.T
            ).argmax(1),
            "That is with absolute differences. Sum their squares.": np.abs(new[:, None] - means).sum(-1).argmin(1),
        },
        1e-9,
    )
    raise Wrong(f"{np.mean(found == distance.argmin(1)):.0%} of 200 test points get the nearest mean's class.")


@exercise("2.4")
def exercise_2_4(softmax: Any) -> str:
    z = np.array([[2.0, 1.0, -1.0, 0.5], [0.0, 0.0, 3.0, 0.0], [-2.0, 4.0, 1.0, 1.0]])
    with np.errstate(all="ignore"):
        found = is_array(run(softmax, z), z.shape, "what softmax returns")
        e = np.exp(z)
        right = e / e.sum(1, keepdims=True)
        if not np.allclose(found, right):
            refuse(
                found,
                {
                    "Your columns add up to 1: the sum went over the spectra. Which axis has the classes?": e
                    / e.sum(0),
                    "All the numbers together add up to 1. Each spectrum should: the sum needs an axis.": e / e.sum(),
                    "That is the exponential. Divide by its sum.": e,
                    "The exponential is missing.": z / z.sum(1, keepdims=True),
                    "That is a sigmoid of each logit. The classes have to share one probability.": 1 / (1 + np.exp(-z)),
                    "That is a power of 10 (or 2). Use exp.": 10**z / (10**z).sum(1, keepdims=True),
                },
            )
            raise Wrong(
                f"Your rows add up to {found.sum(1).round(3).tolist()}. For [0, 0, 3, 0] expected {right[1].round(3)}."
            )
        large = np.asarray(run(softmax, np.array([[1000.0, 1001.0, 999.0]])), float)
    if not np.isfinite(large).all():
        raise Wrong(
            "For logits near 1000 it gives NaN: exp overflows. Subtract the largest logit of each spectrum first."
        )
    if not np.allclose(large, np.exp([0, 1, -1]) / np.exp([0, 1, -1]).sum()):
        raise Wrong("For logits near 1000 the result differs: subtract the same number from all logits of a spectrum.")
    return "Each spectrum's probabilities add up to 1, and logits of 1000 do no harm."


@exercise("2.5")
def exercise_2_5(confusion_matrix: Any) -> str:
    rng = np.random.default_rng(5)
    true = rng.integers(0, 3, 100)
    predicted = np.where(rng.random(100) < 0.6, true, rng.integers(0, 2, 100))
    right = np.zeros((4, 4))
    np.add.at(right, (true, predicted), 1)  # a fourth class, of which there are none
    found = is_array(run(confusion_matrix, true, predicted, 4), (4, 4), "the matrix")
    if np.array_equal(found, right):
        return f"{int(np.trace(right))} of 100 are on the diagonal."
    with np.errstate(invalid="ignore"):
        rows = np.nan_to_num(right / right.sum(1, keepdims=True))
    once = (right > 0).astype(float)
    refuse(
        found,
        {
            "Rows and columns are exchanged: rows are the true classes.": right.T,
            "Those are shares of each true class. Counts are asked for.": rows,
            "Those are per cent. Counts are asked for.": 100 * rows,
            "Those are shares of all. Counts are asked for.": right / 100,
            "Each pair was counted once: m[true, predicted] += 1 with arrays adds only once. Loop, or np.add.at.": once,
        },
        1e-9,
    )
    raise Wrong(f"The counts add up to {found.sum():g} for 100 spectra, or are in the wrong places.")


@exercise("2.6")
def exercise_2_6(completeness: Any, purity: Any, counts: np.ndarray) -> str:
    row, column, hits = counts[2].sum(), counts[:, 2].sum(), counts[2, 2]
    right = {"completeness": hits / row, "purity": hits / column}
    given = {"completeness": completeness, "purity": purity}
    for name in given:
        if not close(given[name], right[name], 1e-3):
            other = "purity" if name == "completeness" else "completeness"
            refuse(
                given[name],
                {
                    f"What you call {name} is in per cent. Give a number between 0 and 1.": 100 * right[name],
                    f"What you call {name} is the {other}: which sum goes below?": right[other],
                    f"Your {name} is for stars. QSO is class 2.": counts[0, 0]
                    / (counts[0] if name == "completeness" else counts[:, 0]).sum(),
                    f"Your {name} is for galaxies. QSO is class 2.": counts[1, 1]
                    / (counts[1] if name == "completeness" else counts[:, 1]).sum(),
                    f"What you call {name} is the share of all that are right, the accuracy.": np.trace(counts)
                    / counts.sum(),
                    f"What you call {name} is a share of all spectra. Divide by a row or a column only.": hits
                    / counts.sum(),
                },
            )
            what = "true quasars (a row)" if name == "completeness" else "spectra called QSO (a column)"
            raise Wrong(f"The {name} is another: the right quasars over the number of {what}.")
    return f"{hits} of {row} quasars were found, and {hits} of {column} called QSO are quasars."
