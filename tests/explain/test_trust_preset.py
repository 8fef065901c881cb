"""All checks of a whole network, and the file in which a preset keeps them."""

import dataclasses
import json

import numpy as np
import pytest
from tiny_preset import graph, spectrum_set, write_presets

from racnet_tools.errors import RacnetError
from racnet_tools.explain.check import log_odds
from racnet_tools.explain.trust import Trust, keep_trust, kept_trust, trust_checks
from racnet_tools.inference import load_preset
from racnet_tools.spectra import Preprocessing


def logits_of(model):
    """The tiny network, in numpy."""
    from onnx import load_model_from_string, numpy_helper

    tensors = {t.name: numpy_helper.to_array(t) for t in load_model_from_string(model).graph.initializer}
    return lambda flux: np.asarray(flux, float) @ tensors["weights"]


def exact(baseline):
    """Weight times distance from the continuum: how a linear network's log-odds change, pixel by pixel."""

    def explainer(model):
        logits = logits_of(model)
        weights = logits(np.eye(baseline.shape[1]))

        def method(flux, target):
            return (flux - baseline[0]) * (weights.T[target] - weights.mean(axis=1))

        return method

    return explainer


@pytest.fixture(scope="module")
def spectra():
    flux = Preprocessing()(spectrum_set(6))
    return flux, np.full_like(flux, np.median(flux))


def test_every_method_gets_every_check(spectra):
    flux, baseline = spectra
    model = graph(3)

    def profile(flux, rng):
        return flux if rng is None else rng.permuted(flux, axis=1)

    methods = {"exact": exact(baseline), "again": exact(baseline)}
    checks, curves = trust_checks(model, logits_of(model), flux, baseline, methods, profile=profile, seed=1)
    assert [(check.name, check.method) for check in checks if check.method == "exact"] == [
        (name, "exact")
        for name in ("injected line", "randomised weights", "deletion", "insertion", "stability under noise")
    ]
    assert [(check.name, check.method) for check in checks[-2:]] == [
        ("agreement of methods", "exact / again"),
        ("attention tells where", "attention / exact"),
    ]
    found = {check.name: check for check in checks}
    assert found["agreement of methods"].value == pytest.approx(1)
    assert (found["deletion"].verdict, found["insertion"].verdict) == ("yes", "yes")
    assert found["randomised weights"].verdict == "yes"
    start = log_odds(logits_of(model)(flux), np.arange(6) % 3)
    np.testing.assert_allclose(curves["exact"].deletion[:, 0], start, rtol=1e-5)


def test_nothing_to_check_is_said(spectra):
    flux, baseline = spectra
    with pytest.raises(RacnetError, match="0 methods, 6 spectra"):
        trust_checks(graph(3), logits_of(graph(3)), flux, baseline, {})


def test_results_are_kept_with_the_preset_and_for_its_network_alone(spectra, tmp_path):
    preset = load_preset(write_presets(tmp_path) / "racnet-class")
    assert kept_trust(preset) is None
    flux, baseline = spectra
    model = preset.model_bytes()
    checks, curves = trust_checks(model, logits_of(model), flux[:1], baseline[:1], {"exact": exact(baseline)}, seed=1)
    assert any(np.isnan(check.lower) for check in checks)  # one spectrum has no interval
    trust = Trust(tuple(checks), curves, "one spectrum", preset.sha256)
    path = keep_trust(trust, preset.folder)
    kept = kept_trust(preset)
    assert kept.spectra == "one spectrum"
    np.testing.assert_allclose(kept.curves["exact"].insertion, curves["exact"].insertion, atol=1e-3)
    for mine, theirs in zip(checks, kept.checks, strict=True):
        for field in dataclasses.fields(mine):
            value = getattr(mine, field.name)
            expected = pytest.approx(value, abs=1e-6, nan_ok=True) if isinstance(value, float) else value
            assert getattr(theirs, field.name) == expected
    with pytest.raises(RacnetError, match="not overwritten"):
        keep_trust(trust, preset.folder)
    keep_trust(dataclasses.replace(trust, sha256="0" * 64), preset.folder, overwrite=True)
    assert kept_trust(preset) is None
    path.write_text(json.dumps({"sha256": preset.sha256, "checks": [{}]}))
    with pytest.raises(RacnetError, match="expected the results of trust checks"):
        kept_trust(preset)
