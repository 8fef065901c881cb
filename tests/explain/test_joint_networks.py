"""Explanations of networks that are given several numbers of a pixel: what is changed is the spectrum."""

import numpy as np
import pytest

from racnet_tools.explain import (
    ablate_channels,
    attention_profile,
    excited_most,
    explain_spectra,
    forced_logits,
    grad_cam,
    integrated_gradients,
    occlude,
    smooth_grad,
)
from racnet_tools.explain.agreement import stable_under_noise
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.check import log_odds
from racnet_tools.explain.faithfulness import deletion_insertion
from racnet_tools.explain.occlusion import hide, logits_of, occlusion
from racnet_tools.explain.planted import injected_line, plant_lines
from racnet_tools.inference import classify, load_preset
from racnet_tools.simulate import simulate
from racnet_tools.spectra import SpectrumSet
from racnet_tools.spectra.channels import flux_of, with_flux

N = 600


def seen(flux: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Network input of three channels for a flux without bad pixels."""
    quality = np.log1p(flux / noise)
    return with_flux(np.stack([flux, np.zeros_like(flux), quality], axis=2).astype(np.float32), flux)


def by_contrast(place: int):
    """Logits of a network that looks at the contrast of one pixel and nothing else."""
    return lambda x: np.stack([np.zeros(len(x)), 5 * x[:, place, 1]], axis=1)


@pytest.fixture(scope="module")
def preset():
    return load_preset("racnet-survey")


@pytest.fixture(scope="module")
def spectra():
    return simulate({"STAR": 4, "GALAXY": 4, "QSO": 4}, seed=5)


@pytest.fixture(scope="module")
def x(preset, spectra):
    return preset.preprocessing(spectra)


def test_hiding_a_line_takes_its_contrast_away():
    line = 1 + np.exp(-0.5 * ((np.arange(N) - 350) / 4) ** 2)
    x = seen(line[None].astype(np.float32))
    flat = np.ones((1, N), np.float32)
    values = occlusion(by_contrast(350), x, np.ones(1, int), flat)
    assert abs(int(values[0].argmax()) - 350) < 60 and values[0].max() > 0
    far = np.abs(np.arange(N) - 350) > 280  # beyond a window and half of the running mean of the contrast
    assert np.abs(values[0, far]).max() < 0.02 * values[0].max()
    (fall,) = hide(by_contrast(350), x, flat, np.ones(1, int), np.array([[330, 370]]))
    assert fall[0] == pytest.approx(5 * x[0, 350, 1], rel=1e-3)


def test_curves_go_from_the_spectrums_score_to_that_of_its_continuum():
    x = seen((1 + np.exp(-0.5 * ((np.arange(N) - 150) / 4) ** 2))[None].astype(np.float32))
    flat = np.ones((1, N), np.float32)
    logits, target = by_contrast(150), np.ones(1, int)
    curves = deletion_insertion(logits, x, flat, target, flux_of(x) - flat, seed=0)
    ends = [log_odds(logits(one), target)[0] for one in (x, with_flux(x, flat))]
    assert curves.deletion[0, [0, -1]] == pytest.approx(ends, abs=1e-4)
    assert curves.insertion[0, [0, -1]] == pytest.approx(ends[::-1], abs=1e-4)
    assert curves.deletion.mean() < curves.random_deletion.mean()


def test_noise_that_is_added_leaves_the_noise_that_is_stated():
    x = seen(1 + 0.05 * np.random.default_rng(1).standard_normal((3, N)).astype(np.float32))
    inputs = []

    def method(given, target):
        inputs.append(given)
        return flux_of(given)

    stable_under_noise(method, x, np.zeros(3, int), flux_of(x), "flux", seed=2)
    assert inputs[0].shape == x.shape and np.std(flux_of(inputs[0]) - flux_of(x)) == pytest.approx(0.05, rel=0.2)
    stated = np.expm1(inputs[0][:, :, 2]).mean() / np.expm1(x[:, :, 2]).mean()
    assert stated == pytest.approx(1, rel=0.01)


def test_planted_lines_are_found_in_a_joint_network(preset, x):
    logits = logits_of(preset.model_bytes())
    lines = plant_lines(logits, x, continuum(flux_of(x)), seed=3)
    assert len(lines) >= 3 and lines.x.shape[1:] == x.shape[1:]
    assert (logits(lines.x).argmax(axis=1) == lines.target).all()
    assert injected_line(lambda given, target: occlusion(logits, given, target), lines, "occlusion").value > 0.5


def test_integrated_gradients_of_a_joint_network_add_up(preset, x):
    network = preset.network()
    found = integrated_gradients(preset, x[::3], network=network)
    assert found.values.shape == flux_of(x[::3]).shape and found.flux.ndim == 2
    logits = logits_of(preset.model_bytes())
    change = log_odds(logits(x[::3]), found.target) - log_odds(logits(with_flux(x[::3], found.baseline)), found.target)
    assert np.abs(found.values.sum(axis=1) - change).max() < 0.05 * np.abs(change).max()
    assert np.median(found.completeness_error) < 0.02
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    cam = grad_cam(preset, x[:2], network=network)
    assert cam.method == "Grad-CAM of block 4" and (cam.values >= 0).all() and cam.values.max() > 0
    smooth = smooth_grad(preset, x[:1], samples=2, network=network)
    assert smooth.values.shape == (1, x.shape[1]) and np.isfinite(smooth.values).all()


def test_attention_and_its_ablation_are_of_all_blocks(preset, x):
    y = np.repeat([0, 1, 2], 4)
    table = ablate_channels(preset, x, y, blocks=[2, 4])
    assert len(table) == sum(preset.config["filters"][k] for k in (1, 3))
    weights = np.full(preset.config["filters"][1], np.nan)
    weights[5] = 0
    change = log_odds(forced_logits(preset, x, {2: weights}), y) - log_odds(forced_logits(preset, x, {}), y)
    assert table[5]["log_odds"] == pytest.approx(change.mean(), abs=1e-4)
    assert attention_profile(preset)(x, None).shape == flux_of(x).shape
    assert excited_most(preset, x, 1, 0).stretches.shape == (12, 40)


def test_the_default_explains_and_says_what_classify_says(spectra):
    nameless = SpectrumSet(spectra.wave, spectra.flux, spectra.ivar, spectra.mask, [{"spec_id": "a"}] * len(spectra))
    found = explain_spectra(nameless, most=1)
    assert found.preset.name == "racnet-survey" and found.redshift_from == ["network"] * 12
    table = classify(nameless)
    assert [row["z"] for row in found.said] == pytest.approx(list(table["z"]), abs=1e-4)
    np.testing.assert_allclose(found.redshift, table["z"], atol=1e-4)
    assert explain_spectra(spectra[:1], most=0).redshift_from == ["header"]
    assert explain_spectra(nameless[:1], z=0.3, most=0).redshift[0] == 0.3


def test_a_joint_network_explains_the_class_that_is_asked_for(preset, x):
    found = occlude(preset, x[:1], "QSO", width=400, step=400)
    assert found.target[0] == preset.classes.index("QSO") and np.isfinite(found.completeness_error[0])
    assert found.values.shape == (1, x.shape[1])
