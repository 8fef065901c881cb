"""Attributions from gradients: integrated gradients, SmoothGrad and Grad-CAM. They need Keras (the extra `train`).

Where a network is given several numbers of a pixel, all follow from the flux (`racnet_tools.spectra.channels`): what
lies between spectrum and continuum is a spectrum too, with channels of its own, and a pixel's attribution is the sum
over its channels. A change of the running mean that the contrast is taken to counts at the pixel whose contrast it
changes, not at those that moved the mean.

References: Sundararajan, Taly & Yan 2017, ICML (arXiv:1703.01365); Smilkov et al. 2017 (arXiv:1706.03825); Selvaraju et
al. 2017, ICCV (arXiv:1610.02391). Noise of a spectrum after Stoehr et al. 2008, ASPC 394, 505.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution, attribution_of, completeness_error, pick_targets
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.upsample import to_pixels
from racnet_tools.models.gradients import score_gradient
from racnet_tools.spectra.channels import flux_of, with_flux

if TYPE_CHECKING:
    from racnet_tools.inference import Preset
    from racnet_tools.models.network import Network

__all__ = ["STEPS", "grad_cam", "integrated_gradients", "smooth_grad"]

STEPS = 128
"""Points on the way from the baseline to the spectrum at which the gradient is taken."""

_BATCH = 32
_CAM_BLOCK = 5


def integrated_gradients(
    preset: Preset,
    x: np.ndarray,
    target: str | np.ndarray | None = None,
    *,
    steps: int = STEPS,
    network: Network | None = None,
) -> Attribution:
    """Gradient of the log-odds, summed along the way from the continuum to the spectrum times each step of it.

    Its sum is the change of the log-odds but for the error of the sum over `steps`, `Attribution.completeness_error`.
    The way of the flux is a straight line; with the flux alone this is the usual mean gradient times difference.

    Parameters
    ----------
    preset : Preset
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Preprocessed spectra.
    target : str or (n,) int array, optional
        Class to explain; that which the network gives by default.
    steps : int
        Equal parts of the way; the gradient is taken in the middle of each.
    network : Network, optional
        ``preset.network()``, to load it once for many calls.

    Returns
    -------
    Attribution
    """
    model, x, said, chosen = _begin(preset, x, target, network)
    ask = score_gradient(model)[0]
    flux = flux_of(x)
    baseline = continuum(flux)
    values = np.empty(flux.shape, np.float32)
    for i in range(len(x)):
        total = np.zeros(flux.shape[1])
        for part in np.array_split(np.arange(steps), -(-steps // _BATCH)):
            start, middle, end = (_between(x[i], baseline[i], (part + ahead) / steps) for ahead in (0, 0.5, 1))
            gradient = ask(middle, np.full(len(part), chosen[i]))[1]
            total += _by_pixel(gradient.astype(float) * (end - start)).sum(axis=0)
        values[i] = total
    change = _score(ask, x, chosen) - _score(ask, with_flux(x, baseline), chosen)
    error = completeness_error(values, change)
    return attribution_of(preset, flux, baseline, chosen, said, values, f"integrated gradients, {steps} steps", error)


def smooth_grad(
    preset: Preset,
    x: np.ndarray,
    target: str | np.ndarray | None = None,
    *,
    samples: int = 32,
    seed: int = 0,
    network: Network | None = None,
) -> Attribution:
    """Gradient of the log-odds, averaged over noise realisations, times spectrum minus continuum.

    Parameters
    ----------
    preset : Preset
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Preprocessed spectra.
    target : str or (n,) int array, optional
        Class to explain; that which the network gives by default.
    samples : int
        Realisations, each with white noise as large as the spectrum's own (from differences of pixels).
    seed : int
    network : Network, optional
        ``preset.network()``.

    Returns
    -------
    Attribution
        Its values need not add up to the change of the log-odds.
    """
    model, x, said, chosen = _begin(preset, x, target, network)
    ask = score_gradient(model)[0]
    flux = flux_of(x)
    baseline = continuum(flux)
    away = x - with_flux(x, baseline)
    rng = np.random.default_rng(seed)
    values = np.empty(flux.shape, np.float32)
    for i, spectrum in enumerate(flux):
        noisy = with_flux(x[i : i + 1], spectrum + rng.normal(0, 1, (samples, len(spectrum))) * _noise(spectrum))
        parts = np.array_split(noisy, -(-samples // _BATCH))
        mean = sum(ask(part, np.full(len(part), chosen[i]))[1].sum(axis=0, dtype=float) for part in parts) / samples
        values[i] = _by_pixel((mean * away[i])[None])[0]
    return attribution_of(preset, flux, baseline, chosen, said, values, f"SmoothGrad, {samples} samples", None)


def grad_cam(
    preset: Preset,
    x: np.ndarray,
    target: str | np.ndarray | None = None,
    *,
    block: int | None = None,
    network: Network | None = None,
) -> Attribution:
    """Features of a block, summed with the mean gradient of each channel as its weight; what is negative is cut.

    Parameters
    ----------
    preset : Preset
        Of a residual network.
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Preprocessed spectra.
    target : str or (n,) int array, optional
        Class to explain; that which the network gives by default.
    block : int, optional
        From 1; the map has the resolution of the block. The fifth by default, or the last of a network of fewer.
    network : Network, optional
        ``preset.network()``.

    Returns
    -------
    Attribution
        In units of its own, not negative.

    Raises
    ------
    RacnetError
        If the network has no such block.
    """
    model, x, said, chosen = _begin(preset, x, target, network)
    blocks = [layer.name for layer in model.layers if layer.name.endswith("_output")]
    block = min(_CAM_BLOCK, len(blocks)) if block is None else block
    if f"block{block}_output" not in blocks:
        raise RacnetError(f"Expected a block from 1 to {len(blocks)} of {model.name}. Received: {block}.")
    ask, features = score_gradient(model, f"block{block}_output")
    config: Any = model.network_config
    pooled = config.stem_step[0] * config.pool_size ** (block - 1)
    flux = flux_of(x)
    values = np.empty(flux.shape, np.float32)
    for start in range(0, len(x), _BATCH):
        some = slice(start, start + _BATCH)
        maps = features(x[some])
        weights = ask(maps, chosen[some])[1].mean(axis=1, keepdims=True)
        values[some] = to_pixels(np.maximum((maps * weights).sum(axis=2), 0), pooled, flux.shape[1])
    return attribution_of(
        preset, flux, continuum(flux), chosen, said, values, f"Grad-CAM of block {block}", None, unit="its own"
    )


def _between(x: np.ndarray, baseline: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Network input of spectra that are `part` (m,) of the way from the continuum (n_pix,) to a spectrum `x`."""
    one = x[None]
    return with_flux(one, baseline + part[:, None] * (flux_of(one) - baseline))


def _by_pixel(values: np.ndarray) -> np.ndarray:
    """Sum over the channels of each pixel: network input's shape to (n, n_pix)."""
    return values.reshape(*values.shape[:2], -1).sum(axis=2)


def _begin(
    preset: Preset, x: np.ndarray, target: str | np.ndarray | None, network: Network | None
) -> tuple[Network, np.ndarray, np.ndarray, np.ndarray]:
    """Network, spectra as it takes them, its class probabilities, and the classes to explain."""
    from racnet_tools.models import predict

    model = preset.network() if network is None else network
    x = np.asarray(x, np.float32)
    said = predict(model, x)[:, : len(preset.classes)]  # a joint network gives more
    return model, x, said, pick_targets(said, preset.classes, target)


def _score(ask: Callable[..., tuple[np.ndarray, np.ndarray]], x: np.ndarray, target: np.ndarray) -> np.ndarray:
    starts = range(0, len(x), _BATCH)
    return np.concatenate([ask(x[k : k + _BATCH], target[k : k + _BATCH])[0] for k in starts] or [np.zeros(0)])


def _noise(spectrum: np.ndarray) -> float:
    """Standard deviation of the noise, from differences of pixels two apart (Stoehr et al. 2008)."""
    away = np.abs(2 * spectrum[2:-2] - spectrum[:-4] - spectrum[4:])
    return float(0.6053 * np.median(away))
