"""Baselines on principal components: known answers, protocol, refusals."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import BASELINES, baselines, make_baseline

CLASSES = ("a", "b", "c")


def three_kinds(n: int, seed: int):
    """Three curves under noise, in turn."""
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 3, 200)
    curves = np.array([np.sin(phase), np.cos(phase), phase / 3])
    y = np.arange(n) % 3
    return (curves[y] + 0.3 * rng.standard_normal((n, 200))).astype(np.float32), y


@pytest.mark.parametrize("name", ["knn", "logistic", "boosting"])
def test_what_is_easily_told_apart_is_told_apart(name):
    pytest.importorskip("sklearn")
    one = make_baseline(name, CLASSES).fit(*three_kinds(240, 1))
    x, y = three_kinds(90, 2)
    assert (one.predict(x) == y).mean() > 0.95
    p = one.predict_proba(x)
    assert p.shape == (90, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    again = make_baseline(name, CLASSES).fit(*three_kinds(240, 1))
    assert np.array_equal(again.predict_proba(x), p)


def test_neighbours_vote():
    """With 5 neighbours two of one class lose against three of the other; 50 components keep 7 points as they are."""
    pytest.importorskip("sklearn")
    x = np.zeros((7, 10), np.float32)
    x[:, 0] = [0, 1, 2, 3, 4, 50, 60]
    one = make_baseline("knn", CLASSES).fit(x, np.array([0, 1, 0, 1, 1, 2, 2]))
    p = one.predict_proba(np.eye(1, 10, dtype=np.float32) * 2)
    np.testing.assert_allclose(p, [[0.4, 0.6, 0]])
    assert one.predict(np.eye(1, 10, dtype=np.float32) * 2).tolist() == [1]


def test_logistic_regression_agrees_with_scikit_learns_without_components():
    """50 components of 20 pixels are a rotation."""
    pytest.importorskip("sklearn")
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, y = three_kinds(150, 3)
    x = x[:, ::10]
    scores = PCA(20).fit_transform(x)
    direct = LogisticRegression(max_iter=1000).fit(StandardScaler().fit_transform(scores), y)
    ours = make_baseline("logistic", CLASSES).fit(x, y).predict_proba(x)
    np.testing.assert_allclose(ours, direct.predict_proba(StandardScaler().fit_transform(scores)), atol=1e-3)


def test_a_class_that_was_not_there_gets_no_probability():
    pytest.importorskip("sklearn")
    x, y = three_kinds(600, 4)
    one = make_baseline("logistic", CLASSES).fit(x[y != 1], y[y != 1])
    p = one.predict_proba(x)
    assert (p[:, 1] == 0).all()
    assert (one.predict(x)[y == 2] == 2).mean() > 0.95


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    with pytest.raises(RacnetError, match=r"racnet-tools\[reproduce\]"):
        make_baseline("knn", CLASSES)


def test_names_and_refusals():
    pytest.importorskip("sklearn")
    assert BASELINES == ("template", "knn", "logistic", "boosting")
    assert len({make_baseline(name, ["STAR", "GALAXY"]).name for name in BASELINES}) == 4
    with pytest.raises(RacnetError, match="Expected one of template"):
        make_baseline("svm", CLASSES)
    with pytest.raises(RacnetError, match="fit"):
        make_baseline("knn", CLASSES).predict(np.zeros((1, 5)))
    with pytest.raises(RacnetError, match="Expected x"):
        make_baseline("knn", CLASSES).fit(np.zeros((4, 5)), np.array([0, 1, 2, 3]))
