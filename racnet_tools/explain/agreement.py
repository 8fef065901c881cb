"""Whether maps agree where they should, and differ where they should: methods, noise, weights, attention.

All comparisons are rank correlations over segments of the spectrum, spectrum by spectrum, since units and pixel-scale
noise differ between methods. Two maps of any two spectra are alike to some degree (edges, bright parts), so each check
has the control that takes this out.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np

from racnet_tools.explain.check import Check, Method, coarse, mean_interval, rank_correlation, verdict
from racnet_tools.explain.faithfulness import SEGMENT
from racnet_tools.spectra.channels import flux_of, with_flux

__all__ = [
    "attention_tells_where",
    "methods_agree",
    "noise_level",
    "shuffled_weights",
    "stable_under_noise",
    "weights_matter",
]

_MATTERS = 0.05  # rank correlation: what attention must add at least
_ALIKE = 0.5  # rank correlation: a quarter of the variance of one ranking is told by the other


def methods_agree(a: np.ndarray, b: np.ndarray, target: np.ndarray, names: tuple[str, str]) -> Check:
    """Whether two methods name the same parts of the same spectra.

    Parameters
    ----------
    a, b : (n, n_pix) arrays
        What each says of the same spectra.
    target : (n,) int array
        Classes explained.
    names : pair of str

    Returns
    -------
    Check
        Mean rank correlation; passed above 0.5. The control compares the map of one method with that of the other for
        another spectrum, of the same class where there is one.
    """
    first, second = coarse(a, SEGMENT), coarse(b, SEGMENT)
    found = rank_correlation(first, second)
    control = _with_another(first, second, target)
    mean, lower, upper = mean_interval(found)
    decided = verdict(lower, upper, _ALIKE, len(found))
    word = {"yes": "name the same parts", "no": "name different parts"}.get(decided, "agree in part")
    return _check(
        "agreement of methods",
        f"{names[0]} / {names[1]}",
        (mean, lower, upper),
        control,
        "another spectrum",
        decided,
        len(found),
        f"The two {word}: rank correlation {mean:.2f} ({lower:.2f} to {upper:.2f}), ",
    )


def stable_under_noise(
    method: Method, x: np.ndarray, target: np.ndarray, values: np.ndarray, name: str, *, seed: int
) -> Check:
    """Whether a map is the same for a second realisation of the noise.

    Parameters
    ----------
    method : callable
        (network input, target) to values (n, n_pix).
    x : (n, n_pix) or (n, n_pix, n_channels) array
        Network input.
    values : (n, n_pix) array
        What the method says of it.
    target : (n,) int array
    name : str
        Of the method.
    seed : int
        Of the noise added: as much as the spectrum has, so that its S/N falls by the square root of 2. A network that
        is told the noise is told the old one.

    Returns
    -------
    Check
        Mean rank correlation of the maps without and with further noise; passed above 0.5. The control is another
        spectrum, of the same class where there is one.
    """
    rng = np.random.default_rng(seed)
    flux = flux_of(x)
    noisy = with_flux(x, flux + noise_level(flux) * rng.standard_normal(flux.shape))
    before, after = coarse(values, SEGMENT), coarse(method(noisy, target), SEGMENT)
    found = rank_correlation(before, after)
    mean, lower, upper = mean_interval(found)
    decided = verdict(lower, upper, _ALIKE, len(found))
    word = {"yes": "stays the same", "no": "changes"}.get(decided, "changes in part")
    return _check(
        "stability under noise",
        name,
        (mean, lower, upper),
        _with_another(before, after, target),
        "another spectrum",
        decided,
        len(found),
        f"With as much noise again the map {word}: rank correlation {mean:.2f} ({lower:.2f} to {upper:.2f}), ",
    )


def weights_matter(trained: np.ndarray, shuffled: np.ndarray, stable: float, name: str) -> Check:
    """Whether a map depends on what the network has learnt (Adebayo et al. 2018, NeurIPS 31).

    Parameters
    ----------
    trained, shuffled : (n, n_pix) arrays
        Maps of the same spectra and classes by the trained network, and by one whose weights were shuffled.
    stable : float
        Correlation of maps of the trained network with itself under noise: what sameness looks like.
    name : str
        Of the method.

    Returns
    -------
    Check
        Mean absolute rank correlation; passed below 0.5, where the maps are of the weights and not of the spectrum.
        Without sign, since a network of random weights gives its classes in a random order.
    """
    found = np.abs(rank_correlation(coarse(trained, SEGMENT), coarse(shuffled, SEGMENT)))
    mean, lower, upper = mean_interval(found)
    decided = verdict(-upper, -lower, -_ALIKE, len(found))
    word = {"yes": "changes", "no": "hardly changes"}.get(decided, "changes in part")
    return Check(
        "randomised weights",
        name,
        "absolute rank correlation",
        mean,
        lower,
        upper,
        stable,
        "same weights, noise added",
        len(found),
        decided,
        f"With shuffled weights the map {word}: rank correlation {mean:.2f} ({lower:.2f} to {upper:.2f}); "
        f"of the same weights with noise added it is {stable:.2f}.",
    )


def attention_tells_where(profile: np.ndarray, shuffled: np.ndarray, values: np.ndarray, method: str) -> Check:
    """Whether attention brings activations closer to where the evidence is.

    Parameters
    ----------
    profile, shuffled : (n, n_pix) arrays
        Attention times activation along the spectrum, and the same with the attention weights dealt out to the
        channels at random.
    values : (n, n_pix) array
        What a method says of the same spectra; its absolute value is compared, since attention knows no sign.
    method : str
        Its name.

    Returns
    -------
    Check
        Mean rank correlation of the profile with the evidence. Passed where it is above 0.5, and above that of
        shuffled channels in the same spectra by 0.05 or more, which is little; failed where either is not so beyond
        doubt. Without the second, activations alone would pass for attention.
    """
    evidence = coarse(np.abs(values), SEGMENT)
    found = rank_correlation(coarse(profile, SEGMENT), evidence)
    control = rank_correlation(coarse(shuffled, SEGMENT), evidence)
    mean, lower, upper = mean_interval(found)
    gain, gain_lower, gain_upper = mean_interval(found - control)
    better = verdict(gain_lower, gain_upper, _MATTERS, len(found))
    high = verdict(lower, upper, _ALIKE, len(found))
    decided = "no" if "no" in (better, high) else "yes" if (better, high) == ("yes", "yes") else "undecided"
    word = {"yes": "tells", "no": "does not tell"}.get(decided, "does not clearly tell")
    return _check(
        "attention tells where",
        f"attention / {method}",
        (mean, lower, upper),
        control,
        "shuffled channels",
        decided,
        len(found),
        f"Attention {word} where the evidence is: rank correlation {mean:.2f} ({lower:.2f} to {upper:.2f}), "
        f"{gain:+.2f} ({gain_lower:+.2f} to {gain_upper:+.2f}) more than with shuffled channels, ",
    )


def noise_level(flux: np.ndarray) -> np.ndarray:
    """Standard deviation of the noise along spectra, from the scatter of neighbouring pixels.

    Parameters
    ----------
    flux : (n, n_pix) array

    Returns
    -------
    (n, n_pix) float64
        In stretches of 128 pixels, joined by straight lines. Correlated noise is underestimated.

    References
    ----------
    Stoehr et al. 2008, ASP Conf. Ser. 394, 505 (DER_SNR): 1.482602 / sqrt(6) times the median of
    the absolute value of 2 f_i - f_(i-2) - f_(i+2).
    """
    n_pix = flux.shape[1]
    second = np.abs(2 * flux[:, 2:-2] - flux[:, :-4] - flux[:, 4:]).astype(float)
    edges = np.linspace(0, second.shape[1], max(n_pix // 128, 1) + 1).astype(int)
    middles = (edges[:-1] + edges[1:]) / 2 + 2
    medians = np.stack([np.median(second[:, a:b], axis=1) for a, b in pairwise(edges)], axis=1)
    sigma = 1.482602 / np.sqrt(6) * medians
    return np.stack([np.interp(np.arange(n_pix), middles, row) for row in sigma])


def shuffled_weights(model: bytes, *, seed: int) -> bytes:
    """The same network with what it has learnt destroyed: the values of every weight and bias tensor shuffled.

    Sums, spreads and the architecture stay; where each value sits is random, so that activations keep their scale.

    Parameters
    ----------
    model : bytes
        An ONNX graph.
    seed : int

    Returns
    -------
    bytes
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(model)
    for tensor in graph.graph.initializer:
        if tensor.data_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.INT8, onnx.TensorProto.UINT8):
            continue  # shapes and the like; weights may be kept in 8 bits
        weights = numpy_helper.to_array(tensor)
        # By the tensor's name: the same shuffle whatever the order of the tensors in the file.
        rng = np.random.default_rng([seed, int(hashlib.sha256(tensor.name.encode()).hexdigest()[:8], 16)])
        mixed = rng.permutation(weights.reshape(-1)).reshape(weights.shape)
        tensor.CopyFrom(numpy_helper.from_array(mixed, tensor.name))
    return graph.SerializeToString()


def _with_another(first: np.ndarray, second: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Correlation with another spectrum: the next of the same class or, for a lone one, the next of all."""
    other = np.roll(np.arange(len(target)), -1)
    for k in np.unique(target):
        same = np.flatnonzero(target == k)
        if len(same) > 1:
            other[same] = np.roll(same, -1)
    found = rank_correlation(first, second[other])
    return np.where(other == np.arange(len(target)), np.nan, found)


def _check(
    name: str,
    method: str,
    value: tuple[float, float, float],
    control: np.ndarray,
    control_name: str,
    decided: str,
    n: int,
    reading: str,
) -> Check:
    chance = mean_interval(control)[0]
    return Check(
        name,
        method,
        "rank correlation",
        *value,
        chance,
        control_name,
        n,
        decided,
        f"{reading}{control_name}: {chance:.2f}.",
    )
