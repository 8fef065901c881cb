"""Gradients against finite differences, and what integrated gradients, SmoothGrad and Grad-CAM must give."""

from types import SimpleNamespace

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.explain.check import log_odds
from racnet_tools.explain.gradients import grad_cam, integrated_gradients, smooth_grad
from racnet_tools.explain.upsample import to_pixels
from racnet_tools.models import build, predict
from racnet_tools.models.gradients import score_gradient

N = 300


@pytest.fixture(scope="module")
def network():
    return build("racnet", n_classes=3, n_pixels=N, seed=4)


@pytest.fixture(scope="module")
def preset(network):
    grid = SimpleNamespace(wave=np.linspace(4000, 5000, N))
    return SimpleNamespace(
        classes=("A", "B", "C"), preprocessing=SimpleNamespace(grid=grid), network=lambda: network, name="by hand"
    )


@pytest.fixture
def flux():
    rng = np.random.default_rng(2)
    lines = np.exp(-0.5 * ((np.arange(N) - rng.integers(40, 260, (3, 1))) / 6) ** 2)
    flux = 1 + 0.05 * rng.standard_normal((3, N)) - 0.6 * lines
    return (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)


def test_score_is_the_log_odds_and_its_gradient_that_of_finite_differences(network, flux):
    ask, _ = score_gradient(network)
    target = np.array([0, 1, 2])
    score, gradient = ask(flux, target)
    assert np.allclose(score, log_odds(np.log(predict(network, flux)), target), atol=1e-4)
    # Up the gradient the score rises by its length, and by half of it where only half of the way is up.
    length = np.linalg.norm(gradient, axis=1)
    up = gradient / length[:, None]
    aside = np.roll(up, 1, axis=1)
    aside -= up * (up * aside).sum(axis=1, keepdims=True)
    way = 0.5 * up + np.sqrt(0.75) * aside / np.linalg.norm(aside, axis=1, keepdims=True)
    for direction, rise in ((up, length), (way, (gradient * way).sum(axis=1))):
        step = np.float32(3e-4)
        found = (ask(flux + step * direction, target)[0] - ask(flux - step * direction, target)[0]) / (2 * step)
        assert np.allclose(found, rise, rtol=0.05)


def test_gradient_of_features_continues_to_the_same_score(network, flux):
    ask, features = score_gradient(network, "block3_output")
    maps = features(flux)
    assert maps.shape == (3, N // 4, network.network_config.filters[2])
    target = np.zeros(3, int)
    score, gradient = ask(maps, target)
    assert np.allclose(score, score_gradient(network)[0](flux, target)[0], atol=1e-4)
    # A small change of one feature changes the score by gradient times change.
    place = np.unravel_index(np.abs(gradient[0]).argmax(), gradient[0].shape)
    changed = maps.copy()
    changed[0][place] += 1e-2
    assert ask(changed, target)[0][0] - score[0] == pytest.approx(1e-2 * gradient[0][place], rel=0.1)


def test_integrated_gradients_add_up_to_the_change_of_the_score(preset, network, flux):
    found = integrated_gradients(preset, flux)
    ask = score_gradient(network)[0]
    change = ask(flux, found.target)[0] - ask(found.baseline, found.target)[0]
    assert np.allclose(found.values.sum(axis=1), change, rtol=0.05)
    assert np.allclose(found.completeness_error, np.abs(found.values.sum(axis=1) - change) / np.abs(change), rtol=1e-3)
    coarse = integrated_gradients(preset, flux, steps=2)
    assert coarse.completeness_error.mean() > found.completeness_error.mean()
    assert found.unit == "log-odds" and "continuum" in found.baseline_name


def test_where_spectrum_and_continuum_are_equal_nothing_is_attributed(preset, flux):
    found = integrated_gradients(preset, flux, "B", steps=4)
    same = np.abs(flux - found.baseline) < 1e-9
    assert (found.target == 1).all() and np.abs(found.values[same]).sum() < 1e-8


def test_smooth_grad_repeats_with_its_seed(preset, flux):
    first, again = (smooth_grad(preset, flux[:1], samples=4, seed=1) for _ in range(2))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, smooth_grad(preset, flux[:1], samples=4, seed=2).values)
    assert first.completeness_error is None


def test_grad_cam_is_the_weighted_sum_of_features(preset, network, flux):
    found = grad_cam(preset, flux, block=4)
    ask, features = score_gradient(network, "block4_output")
    maps = features(flux)
    weights = ask(maps, found.target)[1].mean(axis=1)
    by_hand = np.maximum(np.einsum("nlc,nc->nl", maps, weights), 0)
    assert found.values.shape == flux.shape and (found.values >= 0).all()
    assert np.allclose(found.values, to_pixels(by_hand, 8, N), rtol=1e-4, atol=1e-7)
    with pytest.raises(RacnetError, match=r"from 1 to 8 of racnet\. Received: 9"):
        grad_cam(preset, flux, block=9)


def test_pixels_of_a_block_go_to_the_middle_of_what_they_stand_for():
    found = to_pixels(np.array([[0.0, 4.0, 8.0]]), 4, 13)
    assert np.allclose(found[0], [0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8, 8, 8])
    assert np.array_equal(to_pixels(np.arange(5.0), 1, 5), np.arange(5.0))
    with pytest.raises(RacnetError, match="at most 8 pixels"):
        to_pixels(np.zeros((1, 3)), 4, 8)
