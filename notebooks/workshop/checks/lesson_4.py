"""Checks of lesson 4, Attention."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import pearsonr, spearmanr

from checks.verdict import Wrong, close, exercise, is_array, refuse, run

QUASAR_LINES = {"Lyα": 1215.67, "C IV": 1549.06, "C III]": 1908.73, "Mg II": 2798.75, "Hβ": 4862.68}


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


@exercise("4.1")
def exercise_4_1(pooled: Any) -> str:
    a = np.random.default_rng(1).normal(1, 2, (3, 5, 7))
    found = np.asarray(run(pooled, a))
    highest, mean = a.max(2), a.mean(2)
    if found.shape == (3, 14):
        raise Wrong("You pooled over the channels: 2 x 7 positions are left. Pool over the last axis, the positions.")
    if found.shape == (6, 5):
        raise Wrong("The two are below each other, as if there were twice as many spectra. Join them along axis 1.")
    found = is_array(found, (3, 10), "the summary of 3 spectra with 5 channels")
    if np.allclose(found, np.concatenate([highest, mean], 1)):
        return "Two numbers a channel: the strongest activation and the mean one. Where they were is lost."
    refuse(
        found,
        {
            "The order is maxima first, then means.": np.concatenate([mean, highest], 1),
            "Those are sums. Take the mean.": np.concatenate([highest, a.sum(2)], 1),
            "Maximum and mean of each channel stand side by side. First all maxima, then all means.": np.stack(
                [highest, mean], 2
            ).reshape(3, 10),
            "Those are medians. Take the mean.": np.concatenate([highest, np.median(a, 2)], 1),
            "Those are largest absolute values. Take the maximum.": np.concatenate([np.abs(a).max(2), mean], 1),
        },
    )
    raise Wrong("The shape is right, the numbers are not: a maximum and a mean over the positions of each channel.")


@exercise("4.2")
def exercise_4_2(
    channel_weights: Any, activations: np.ndarray, matrix: np.ndarray, bias: np.ndarray, weights: np.ndarray
) -> str:
    summary = np.concatenate([activations.max(2), activations.mean(2)], 1)
    found = is_array(run(channel_weights, summary, matrix, bias), weights.shape, "the weights")
    if np.allclose(found, weights, atol=1e-4):
        return f"They are the network's own, to {np.abs(found - weights).max():.0e}, for {len(found)} spectra."
    product = summary @ matrix
    e = np.exp(product + bias - (product + bias).max(1, keepdims=True))
    refuse(
        found,
        {
            "The sigmoid is missing: weights lie between 0 and 1.": product + bias,
            "The bias is missing, and the sigmoid.": product,
            "The bias is missing.": _sigmoid(product),
            "The sign in the exponential is wrong: a large sum should give a weight near 1.": _sigmoid(-product - bias),
            "That is a softmax: your weights of a spectrum add up to 1. Attention weights do not share: take the "
            "sigmoid of each.": e / e.sum(1, keepdims=True),
            "That is a tanh. Take the sigmoid, 1/(1 + exp(-s)).": np.tanh(product + bias),
            "That is a ReLU. Take the sigmoid.": np.maximum(product + bias, 0),
            "The sigmoid comes after the bias is added.": _sigmoid(product) + bias,
        },
        1e-4,
    )
    raise Wrong(f"The largest difference from the network's own weights is {np.abs(found - weights).max():.3f}.")


@exercise("4.3")
def exercise_4_3(share_between: Any) -> str:
    rng = np.random.default_rng(3)
    y = np.repeat(np.arange(3), (50, 20, 8))
    values = rng.normal(0, 1, len(y)) + np.array([0.0, 1.0, 3.0])[y] + 4
    means = np.array([values[y == k].mean() for k in range(3)])
    total = ((values - values.mean()) ** 2).sum()
    between = ((means[y] - values.mean()) ** 2).sum()
    right = between / total
    found = run(share_between, values, y)
    if close(found, right, 1e-6):
        return f"{right:.2f} for a test of three unequal classes."
    unequal = ((means - values.mean()) ** 2).sum()
    refuse(
        found,
        {
            "That is the share within the classes, 1 minus the one asked for.": 1 - right,
            "That is in per cent.": 100 * right,
            "Each class counts once in your sum. Sum over all spectra: large classes count more.": unequal / total,
            "That is the variance of the class means over that of all values. Sum over spectra: large classes count "
            "more.": means.var() / values.var(),
            "That is between over within. Over the total.": between / (total - between),
            "That is the root of it.": np.sqrt(right),
            "That is the sum between the classes. Divide by the total sum of squares.": between,
            "The mean of all is missing: squares of differences from it.": (means[y] ** 2).sum() / (values**2).sum(),
            "You took the mean of the class means. The mean of all spectra is asked for.": (
                (means[y] - means.mean()) ** 2
            ).sum()
            / ((values - means.mean()) ** 2).sum(),
        },
        1e-6,
    )
    raise Wrong(f"For a test it gives {float(found):.4f}; expected {right:.4f}.")


@exercise("4.4")
def exercise_4_4(correlation: Any, effect: np.ndarray, log_odds: np.ndarray) -> str:
    size = np.abs(log_odds)
    right = float(spearmanr(effect, size).statistic)
    if close(correlation, right, 2e-3):
        return f"{right:+.2f}, where 1 would mean that the separating channels are the needed ones."

    def order(values: np.ndarray) -> np.ndarray:
        return np.argsort(np.argsort(values))

    refuse(
        correlation,
        {
            "That is with the sign of the change. A channel may matter either way: take the size.": spearmanr(
                effect, log_odds
            ).statistic,
            "That is Pearson's correlation of the values. Use their ranks.": pearsonr(effect, size).statistic,
            "That is Pearson's correlation, with the sign of the change.": pearsonr(effect, log_odds).statistic,
            "That is the p-value. Take the statistic.": spearmanr(effect, size).pvalue,
            "Equal values got different ranks, as argsort gives them. Let them share one: rankdata.": np.corrcoef(
                order(effect), order(size)
            )[0, 1],
            "argsort gives the order, not the ranks.": np.corrcoef(np.argsort(effect), np.argsort(size))[0, 1],
        },
    )
    raise Wrong("Another number. The ranks of effect, the ranks of |log_odds|, and their correlation coefficient.")


@exercise("4.5")
def exercise_4_5(hide: Any) -> str:
    flux, smooth = np.arange(20.0) ** 2, -np.ones(20)
    given = flux.copy()
    found = is_array(run(hide, given, smooth, 5, 9), (20,), "what hide returns")
    if not np.array_equal(given, flux):
        raise Wrong("It changed the flux that it was given: every later window would see the hole. Work on a copy.")
    right = flux.copy()
    right[5:9] = smooth[5:9]
    if np.array_equal(found, right):
        return "Pixels 5 to 8 are hidden, the others as they were, and the original untouched."
    one_more, zero, inverse = flux.copy(), flux.copy(), smooth.copy()
    one_more[5:10], zero[5:9], inverse[5:9] = -1, 0, flux[5:9]
    shifted = flux.copy()
    shifted[4:8] = -1
    length = flux.copy()
    length[5:14] = -1
    refuse(
        found,
        {
            "One pixel too many: stop itself stays as it is.": one_more,
            "The stretch is 0. A hole is a feature, too: put the continuum there.": zero,
            "You hid everything else.": inverse,
            "It is one pixel too far to the left: start is the first that is hidden.": shifted,
            "You took stop for a number of pixels. It is the pixel after the last.": length,
        },
        1e-9,
    )
    raise Wrong(f"Of start 5, stop 9, these pixels are changed: {np.flatnonzero(found != flux).tolist()}.")


@exercise("4.6")
def exercise_4_6(rest_wavelength: Any, name: Any, found: Any, z: float) -> str:
    observed = float(found.wave[np.argmax(found.values[0])])
    right = observed / (1 + z)
    line = min(QUASAR_LINES, key=lambda one: abs(QUASAR_LINES[one] - right))
    if not close(rest_wavelength, right, 30):
        refuse(
            rest_wavelength,
            {
                "That is where it is observed. At rest it was shorter, by the factor 1 + z.": observed,
                "You multiplied by 1 + z. The observed wavelength is the longer one.": observed * (1 + z),
                "You divided by z. It is 1 + z.": observed / z,
                "That is a pixel's number. found.wave has its wavelength.": np.argmax(found.values[0]),
            },
            0.005,
        )
        raise Wrong("The highest peak of the lower panel is elsewhere. Read its wavelength and divide by 1 + z.")
    same = {one.replace(" ", "").lower(): one for one in QUASAR_LINES}
    given = same.get(str(name).replace(" ", "").lower())
    if given is None:
        raise Wrong(f"The wavelength is right. The line should be one of {', '.join(QUASAR_LINES)}.")
    if given != line:
        raise Wrong(
            f"The wavelength is right, but {given} is at {QUASAR_LINES[given]} Å: {right:.0f} Å is another line."
        )
    return f"{right:.0f} Å at rest: {line}. An astronomer would look there as well."
