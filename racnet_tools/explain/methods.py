"""The ways of explaining by name, for one network or for another of the same kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.channels import attention_profile
from racnet_tools.explain.check import Logits, Method
from racnet_tools.explain.occlusion import logits_of, occlude, occlusion
from racnet_tools.explain.trust import Explainer, Trust, trust_checks
from racnet_tools.inference.presets import Preset
from racnet_tools.spectra.channels import flux_of

__all__ = ["METHODS", "attribution_by", "explainer", "trust_of"]

#: Names of the methods; "occlusion" alone needs no TensorFlow.
METHODS = ("occlusion", "integrated-gradients", "smooth-grad", "grad-cam")


def attribution_by(name: str, preset: Preset, logits: Logits) -> Callable[[np.ndarray, np.ndarray], Attribution]:
    """A method for a preset's network.

    Parameters
    ----------
    name : str
        One of `METHODS`.
    preset : Preset
    logits : callable
        Network input to (n, k), of its network.

    Returns
    -------
    callable
        (network input, target (n,)) to `Attribution`.

    Raises
    ------
    RacnetError
        If there is no such method.
    """
    if name == "occlusion":
        return lambda x, target: occlude(preset, x, target, logits=logits)
    return _by_gradients(name, preset, preset.model_bytes())


def _by_gradients(name: str, preset: Preset, model: bytes) -> Callable[[np.ndarray, np.ndarray], Attribution]:
    from racnet_tools.explain.gradients import grad_cam, integrated_gradients, smooth_grad

    functions: dict[str, Callable[..., Attribution]] = {
        "integrated-gradients": integrated_gradients,
        "smooth-grad": smooth_grad,
        "grad-cam": grad_cam,
    }
    if name not in functions:
        raise RacnetError(f"Expected a method among {', '.join(METHODS)}. Received: {name!r}.")
    try:
        network = preset.network(model)
    except ImportError as error:
        raise RacnetError(
            f"The method {name} needs Keras ({error}). Install the extra `train`, or use occlusion."
        ) from error
    return lambda x, target: functions[name](preset, x, target, network=network)


def explainer(name: str, preset: Preset) -> Explainer:
    """A method for any network of a preset's kind, given as ONNX graph: what the trust checks take."""

    def of(model: bytes) -> Method:
        if name == "occlusion":
            logits = logits_of(model)
            return lambda x, target: occlusion(logits, x, target)
        by_gradients = _by_gradients(name, preset, model)
        return lambda x, target: by_gradients(x, target).values

    return of


def trust_of(preset: Preset, x: np.ndarray, methods: Sequence[str], spectra: str, *, seed: int = 1) -> Trust:
    """Run the trust checks of a preset.

    Parameters
    ----------
    preset : Preset
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Preprocessed spectra.
    methods : sequence of str
        Of `METHODS`.
    spectra : str
        What the spectra are, in words.
    seed : int
        See `trust_checks`.

    Returns
    -------
    Trust

    Raises
    ------
    RacnetError
        If there is no such method, or no spectrum.
    """
    model = preset.model_bytes()
    explainers = {name: explainer(name, preset) for name in methods}
    try:
        profile = attention_profile(preset)
    except RacnetError:
        profile = None  # a network without attention
    checks, curves = trust_checks(
        model, logits_of(model), x, continuum(flux_of(x)), explainers, profile=profile, seed=seed
    )
    return Trust(tuple(checks), curves, spectra, preset.sha256)
