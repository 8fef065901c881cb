"""Checks recognise usual mistakes and say them by name; right answers pass in whatever form they come."""

import importlib
from itertools import pairwise

import numpy as np
import pytest

import racnet_tools
from racnet_tools.resources import data_path
from racnet_tools.spectra import LAMOST_GRID

WAVE = LAMOST_GRID.wave
C = 299_792.458


@pytest.fixture(scope="module")
def samples():
    return racnet_tools.read(data_path("samples"))


@pytest.fixture
def verdict(checks):
    def check(number, *answers):
        lesson = importlib.import_module(f"checks.lesson_{number[0]}")
        return getattr(lesson, f"exercise_{number.replace('.', '_')}")(*answers)

    return check


def softmax(z, axis=1):
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def wilson(hits, n, z=1.96):
    p, factor = hits / n, 1 + z**2 / n
    half = z / factor * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (p + z**2 / (2 * n)) / factor - half, (p + z**2 / (2 * n)) / factor + half


def convolve_turned(x, kernel):
    return np.convolve(x, kernel, "valid")


def normalise_in_place(flux):
    flux /= np.linalg.norm(flux, axis=1)[:, None]
    return flux


def hide_in_place(flux, smooth, start, stop):
    flux[start:stop] = smooth[start:stop]
    return flux


def field(step_of_convolution=2, pooling=1, doubling=2):
    def of_block(b):
        found, step = 1, 1
        for block in range(b):
            if block:
                found, step = found + pooling * step, doubling * step
            found += 3 * step_of_convolution * step
        return found

    return of_block


def means_of(choose):
    def classifier(x, y, new):
        means = np.array([x[y == k].mean(0) for k in np.unique(y)])
        return choose(((new[:, None] - means) ** 2).sum(-1))

    return classifier


def count_once(true, predicted, n):
    m = np.zeros((n, n))
    m[true, predicted] += 1
    return m


def count(true, predicted, n):
    return [[int(np.sum((true == i) & (predicted == k))) for k in range(n)] for i in range(n)]


def relu(x):
    return np.maximum(x, 0)


def shares(upper=False, scale=1, empty=np.nan):
    def of(z, right, edges):
        found = []
        for low, high in pairwise(edges):
            inside = (z > low) & (z <= high) if upper else (z >= low) & (z < high)
            found.append(scale * right[inside].mean() if inside.any() else empty)
        return found

    return of


COUNTS = np.array([[80, 5, 2], [10, 60, 3], [4, 6, 90]])
RATES, NUMBERS = np.array([0.005, 0.05, 0.8, 0.1]), np.array([8_000_000, 150_000, 50_000, 600_000])
SURVEY = (RATES * NUMBERS)[2] / (RATES * NUMBERS).sum()
TRAIN, TEST = np.array(list("aabbcd")), np.array(list("aaabxx"))
EFFECT, CHANGE = np.random.default_rng(1).normal(0, 1, (2, 60)) ** 3
GRADIENT = 0.7 ** np.arange(30)

WRONG = [
    ("1.1", (1000 * C * (WAVE[1] / WAVE[0] - 1), WAVE), "m/s"),
    ("1.1", (C * 1e-4, WAVE), "natural logarithm"),
    ("1.1", (WAVE[1] - WAVE[0], WAVE), "in Å"),
    ("1.1", (C * WAVE[1] / WAVE[0], WAVE), "1 + v/c"),
    ("1.1", ("69", None), "could not use your answer"),
    ("2.1", (lambda f: f / np.linalg.norm(f),), "axis"),
    ("2.1", (lambda f: f / np.linalg.norm(f, axis=0),), "other axis"),
    ("2.1", (lambda f: f / f.max(1, keepdims=True),), "largest flux"),
    ("2.1", (normalise_in_place,), "changes the array"),
    ("2.3", (means_of(lambda d: d.argmax(1)),), "farthest"),
    ("2.3", (lambda x, y, new: y[((new[:, None] - x) ** 2).sum(-1).argmin(1)],), "nearest training spectrum"),
    ("2.4", (lambda z: softmax(z, axis=0),), "columns add up to 1"),
    ("2.4", (lambda z: np.exp(z) / np.exp(z).sum(),), "sum needs an axis"),
    ("2.4", (lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True),), "overflows"),
    ("2.4", (lambda z: 1 / (1 + np.exp(-z)),), "sigmoid"),
    ("2.5", (lambda t, p, n: np.array(count(t, p, n)).T,), "exchanged"),
    ("2.5", (count_once,), "adds only once"),
    ("2.6", (90.0, 90 / 95, COUNTS), "per cent"),
    ("2.6", (90 / 95, 0.9, COUNTS), "is the purity"),
    ("3.1", (convolve_turned,), "turned round"),
    ("3.1", (lambda x, k: np.correlate(x, k, "same"),), "as long as the spectrum"),
    ("3.1", (lambda x, k: np.correlate(x, k, "valid")[:-1],), "last place is missing"),
    ("3.2", (field(3),), "2 steps to the field, not 3"),
    ("3.2", (field(pooling=0),), "pooling is forgotten"),
    ("3.2", (field(doubling=1),), "twice as far apart"),
    ("3.3", (lambda x, a, b, c: relu(relu(relu(x @ a) @ b) @ c),), "shortcut is missing"),
    ("3.3", (lambda x, a, b, c: x + relu(relu(relu(x @ a) @ b) @ c),), "ReLU came before"),
    ("3.3", (lambda x, a, b, c: x + relu(relu(x @ a) @ b) @ c,), "last ReLU is missing"),
    ("3.4", (14, GRADIENT, GRADIENT), "one too many"),
    ("3.5", (8192,), "biases are missing"),
    ("3.5", (7776,), "shortcut"),
    ("4.1", (lambda a: np.concatenate([a.mean(2), a.max(2)], 1),), "maxima first"),
    ("4.1", (lambda a: np.concatenate([a.max(1), a.mean(1)], 1),), "over the channels"),
    ("4.3", (lambda v, y: sum(v[y == k].mean() * 0 for k in np.unique(y)),), "expected"),
    ("4.4", (np.corrcoef(EFFECT, np.abs(CHANGE))[0, 1], EFFECT, CHANGE), "Pearson"),
    ("4.5", (hide_in_place,), "Work on a copy"),
    ("5.1", (lambda z: np.log(1 + z) / 1e-4, LAMOST_GRID), "natural logarithm"),
    ("5.1", (lambda z: round(np.log10(1 + z) / 1e-4), LAMOST_GRID), "rounded"),
    ("5.1", (lambda z: np.log10(1 + z), LAMOST_GRID), "How many pixels"),
    ("5.2", (WAVE[0] / 1215.67, 0.386, WAVE), "Lyα that is the ratio"),
    ("5.2", (WAVE[0] / 1215.67 - 1, WAVE[-1] / 6562.80 - 1, WAVE), "in air"),
    ("5.3", (np.roll,), "np.roll goes round"),
    ("5.3", (lambda f, n: np.r_[f[n:], np.full(n, np.nan)],), "to the blue"),
    ("5.3", (lambda f, n: np.r_[np.zeros(n), f[: len(f) - n]],), "NaN"),
    ("5.4", (5578.89,), "pixels were shifted"),
    ("5.4", (5578.89 * 1.2,), "do not add"),
    ("5.5", (shares(upper=True),), "border belongs to the bin above"),
    ("5.5", (shares(scale=100),), "per cent"),
    ("5.5", (shares(empty=0.0),), "without spectra has no accuracy"),
    ("6.1", (lambda h, n: [100 * end for end in wilson(h, n)],), "per cent"),
    ("6.1", (lambda h, n: wilson(h, n, 1.0),), "z = 1"),
    ("6.3", (lambda p, t: softmax(t * np.log(p)),), "inverse"),
    ("6.3", (lambda p, t: p / t,), "Divide their logarithms"),
    ("6.3", (lambda p, t: p ** (1 / t),), "add up to 1"),
    ("6.4", (lambda c, s: c > s,), "threshold on the confidence"),
    ("6.4", (lambda c, s: c < np.quantile(c, s),), "not the surest"),
    ("6.4", (lambda c, s: c > np.quantile(c, s),), "wrong end"),
    ("6.5", (2, TRAIN, TEST), "number of objects"),
    ("6.5", (4 / 6, TRAIN, TEST), "share"),
    ("6.6", (100 * SURVEY, RATES, NUMBERS, 2), "per cent"),
    ("6.6", (RATES[2] / RATES.sum(), RATES, NUMBERS, 2), "balanced test set"),
    ("6.6", (RATES[2], RATES, NUMBERS, 2), "completeness"),
]

RIGHT = [
    ("1.1", (np.float32(69.04), WAVE)),
    ("1.1", (69, WAVE)),
    ("2.1", (lambda f: [row / np.sqrt(np.sum(row**2)) for row in f],)),
    ("2.3", (lambda x, y, new: means_of(lambda d: d.argmin(1))(x, y, new).tolist(),)),
    ("2.4", (softmax,)),
    ("2.5", (count,)),
    ("2.6", (np.float32(0.9), 90 / 95, COUNTS)),
    ("3.1", (lambda x, k: np.correlate(x, k, "valid").tolist(),)),
    ("3.1", (lambda x, k: np.convolve(x, k[::-1], "valid"),)),
    ("3.2", (field(),)),
    ("3.3", (lambda x, a, b, c: np.clip(x + relu(relu(x @ a) @ b) @ c, 0, None),)),
    ("3.4", (np.int64(13), GRADIENT, GRADIENT)),
    ("3.5", (8320.0,)),
    ("4.1", (lambda a: np.hstack([a.max(-1), a.mean(-1)]),)),
    ("4.5", (lambda f, s, a, b: np.where((np.arange(len(f)) >= a) & (np.arange(len(f)) < b), s, f),)),
    ("5.1", (lambda z: float(np.log1p(z) / np.log(10) * 1e4), LAMOST_GRID)),
    ("5.2", ("2.044", 0.386, WAVE)),
    ("5.3", (lambda f, n: [np.nan] * n + list(f[: len(f) - n]),)),
    ("5.4", (6593,)),
    ("5.5", (shares(),)),
    ("6.1", (lambda h, n: np.array(wilson(h, n)),)),
    ("6.3", (lambda p, t: softmax(np.log(p) / t).tolist(),)),
    ("6.4", (lambda c, s: np.argsort(np.argsort(-c)) < round(s * len(c)),)),
    ("6.5", (sum(one in set(TRAIN) for one in TEST), TRAIN, TEST)),
    ("6.6", (SURVEY, RATES, NUMBERS, 2)),
]


@pytest.mark.parametrize(
    ("number", "answers", "told"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_mistakes_are_named(verdict, number, answers, told):
    found = verdict(number, *answers)
    assert not found.right and told in found.text


@pytest.mark.parametrize(("number", "answers"), RIGHT, ids=lambda value: value if isinstance(value, str) else "")
def test_right_answers_of_any_form(verdict, number, answers):
    found = verdict(number, *answers)
    assert found.right, found.text


def test_none_is_right_before_it_is_answered(checks):
    for number in range(1, 7):
        lesson = importlib.import_module(f"checks.lesson_{number}")
        exercises = [getattr(lesson, name) for name in dir(lesson) if name.startswith("exercise_")]
        assert len(exercises) >= 5
        for one in exercises:
            assert "no answer yet" in one(...).text


def test_redshift_by_hand(verdict, samples):
    observed = 6564.61 * (1 + samples.table["z"][13])

    def told(line, z):
        return verdict("1.2", line, z, samples, 13)

    assert told(observed, observed / 6564.61 - 1).right and told(round(observed), "0.0532").right
    assert "which is 1 + z" in told(observed, observed / 6564.61).text
    assert "in air" in told(observed, observed / 6562.80 - 1).text
    assert "relative" in told(observed, observed - 6564.61).text
    assert "at rest" in told(6564.61, 0.0).text
    assert "nitrogen" in told(6585.27 * observed / 6564.61, 0.05).text


def test_lines_taken_for_others(verdict, samples):
    z = float(samples.table["z"][3])
    assert verdict("1.3", z + 0.01, samples, 3).right
    taken = verdict("1.3", 1549.06 * (1 + z) / 2798.75 - 1, samples, 3).text
    assert "for Mg II" in taken and "Is that what you see?" in taken
    assert "1 + z" in verdict("1.3", 1 + z, samples, 3).text
    assert "another line" in verdict("1.3", z + 0.06, samples, 3).text


def test_signal_to_noise(verdict, samples):
    def told(of):
        def snr(wave, flux, ivar, mask, low, high):
            use = (wave >= low) & (wave <= high)
            return of(flux, ivar, mask, use)

        return verdict("1.4", snr, samples)

    assert told(lambda f, w, m, use: np.median((f * w**0.5)[use & ~m])).right
    assert "mean" in told(lambda f, w, m, use: np.mean((f * w**0.5)[use & ~m])).text
    assert "Masked pixels" in told(lambda f, w, m, use: np.median((f * w**0.5)[use])).text
    assert "flux times ivar" in told(lambda f, w, m, use: np.median((f * w)[use & ~m])).text
    assert "whole spectrum" in told(lambda f, w, m, use: np.median((f * w**0.5)[~m])).text


def test_weighted_mean(verdict):
    def of(w, f):
        return (w * f).sum() / w.sum(), w.sum() ** -0.5

    assert verdict("1.5", lambda f, w, m: list(of(w[~m], f[~m]))).right
    assert "masked pixels" in verdict("1.5", lambda f, w, m: of(w, f)).text
    assert "without weights" in verdict("1.5", lambda f, w, m: (f[~m].mean(), 1)).text
    assert "variance" in verdict("1.5", lambda f, w, m: (of(w[~m], f[~m])[0], 1 / w[~m].sum())).text
    assert "two numbers" in verdict("1.5", lambda f, w, m: 3.0).text


def test_classes_by_eye(verdict, samples):
    unnamed = [9, 6, 13]
    assert verdict("1.6", ("qso", "Star", "GALAXY"), samples, unnamed).right
    told = verdict("1.6", ["QSO", "GALAXY", "GALAXY"], samples, unnamed).text
    assert "2 of 3 are right" in told and "Look at B again" in told
    assert "QUASAR" in verdict("1.6", ["QUASAR", "STAR", "GALAXY"], samples, unnamed).text


def test_splits(verdict):
    objects = np.repeat([f"J{i}" for i in range(200)], 2)

    def by_object(object_id, share, rng):
        names = np.unique(object_id)
        return np.isin(object_id, rng.permutation(names)[: int(share * len(names))])

    assert verdict("2.2", by_object, objects).right
    assert "both sides" in verdict("2.2", lambda o, share, rng: rng.random(len(o)) < share, objects).text
    assert "True should mean test" in verdict("2.2", lambda *a: ~by_object(*a), objects).text
    ordered = verdict("2.2", lambda o, share, rng: np.arange(len(o)) < share * len(o), objects).text
    assert "Draw with rng" in ordered


def test_attention_by_hand(verdict):
    rng = np.random.default_rng(1)
    a, matrix, bias = rng.normal(0, 1, (6, 4, 9)), rng.normal(0, 1, (8, 4)), rng.normal(0, 1, 4)
    summary = np.concatenate([a.max(2), a.mean(2)], 1)
    weights = 1 / (1 + np.exp(-(summary @ matrix + bias)))

    def told(function):
        return verdict("4.2", function, a, matrix, bias, weights)

    assert told(lambda s, m, b: 1 / (1 + np.exp(-(np.einsum("nc,cd->nd", s, m) + b)))).right
    assert "softmax" in told(lambda s, m, b: softmax(s @ m + b)).text
    assert "bias is missing." in told(lambda s, m, b: 1 / (1 + np.exp(-(s @ m)))).text
    assert "sigmoid is missing" in told(lambda s, m, b: s @ m + b).text


def test_reliability_points(verdict):
    rng = np.random.default_rng(1)
    p = softmax(rng.normal(0, 1.5, (3000, 4)))
    y = np.array([rng.choice(4, p=row) for row in p])

    def told(function):
        return verdict("6.2", function, p, y)

    def point(confidence, hit, low, high):
        within = (confidence > low) & (confidence <= high)
        return confidence[within].mean(), hit[within].mean()

    assert told(lambda p, y, low, high: point(p.max(1), p.argmax(1) == y, low, high)).right
    of_truth = told(lambda p, y, low, high: point(p[np.arange(len(y)), y], p.argmax(1) == y, low, high))
    assert "binned by the probability of the true class" in of_truth.text
    exchanged = told(lambda p, y, low, high: point(p.max(1), p.argmax(1) == y, low, high)[::-1])
    assert "exchanged" in exchanged.text
