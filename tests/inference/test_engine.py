import numpy as np
import pytest
from tiny_preset import graph, weights

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Engine


def expected(flux, n_classes=3):
    logits = flux.astype(np.float64) @ weights(n_classes)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@pytest.fixture
def flux(rng):
    x = rng.normal(1, 0.3, (23, 3909))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def test_probabilities_are_those_of_the_graph(flux):
    p = Engine(graph(3)).predict(flux)
    assert p.dtype == np.float32
    assert p.shape == (23, 3)
    np.testing.assert_allclose(p, expected(flux), atol=1e-6)


def test_a_third_axis_of_the_graph_is_filled_in(flux):
    np.testing.assert_allclose(Engine(graph(5, three_axes=True)).predict(flux), expected(flux, 5), atol=1e-6)


def test_attention_comes_beside_the_probabilities(flux):
    p, attention = Engine(graph(3)).predict_with_attention(flux)
    np.testing.assert_allclose(p, expected(flux), atol=1e-6)
    assert len(attention) == 1
    np.testing.assert_allclose(attention[0], 1 / (1 + np.exp(-flux @ weights(3))), atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_results_do_not_depend_on_batch_size_or_threads(flux, batch_size):
    reference = Engine(graph(3), batch_size=4, threads=1).predict(flux)
    one, three = (Engine(graph(3), batch_size, threads).predict(flux) for threads in (1, 3))
    np.testing.assert_array_equal(one, three)
    np.testing.assert_allclose(one, reference, atol=1e-6)


def test_no_spectra_give_no_probabilities():
    assert Engine(graph(3)).predict(np.zeros((0, 3909))).shape == (0, 3)


def test_nan_is_refused_with_its_place(flux):
    flux[5, 100] = np.nan
    with pytest.raises(RacnetError, match="in 1 of 23 spectra, first in number 5"):
        Engine(graph(3)).predict(flux)


def test_wrong_width_is_refused_with_both_widths(flux):
    with pytest.raises(RacnetError, match=r"Expected spectra of shape \(n, 3909\)\. Received: \(23, 3899\)"):
        Engine(graph(3)).predict(flux[:, :3899])
    with pytest.raises(RacnetError, match=r"Received: \(3909,\)"):
        Engine(graph(3)).predict(flux[0])


def test_what_is_no_network_is_refused():
    with pytest.raises(RacnetError, match="cannot be loaded"):
        Engine(b"not a graph")
    with pytest.raises(RacnetError, match="batch size and threads of 1 or more"):
        Engine(graph(3), batch_size=0)
