"""Probabilities from a Keras network, in pieces, with input that would poison the result refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    import keras

__all__ = ["check_input", "predict"]


def check_input(flux: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return network input as float32, or refuse it.

    Parameters
    ----------
    flux : (n, ...) array
        Preprocessed spectra.
    shape : tuple of int
        Of one spectrum, as the network takes it: (n_pixels,), or (n_pixels, channels).

    Returns
    -------
    (n, ...) float32

    Raises
    ------
    RacnetError
        When the shape is another, or a pixel is not finite: one NaN pixel makes all outputs of its spectrum NaN.
    """
    flux = np.ascontiguousarray(flux, dtype=np.float32)
    if flux.ndim < 1 or flux.shape[1:] != tuple(shape):
        wanted = ", ".join(["n", *map(str, shape)])
        raise RacnetError(f"The network takes spectra of shape ({wanted}). Received: shape {flux.shape}.")
    # A sum is NaN or infinite whenever a pixel is, and costs one pass without a temporary array.
    bad = np.flatnonzero(~np.isfinite(flux.sum(axis=tuple(range(1, flux.ndim)), dtype=np.float64)))
    if len(bad):
        raise RacnetError(
            f"{len(bad)} of {len(flux)} spectra have pixels that are not finite, the first at index {bad[0]}. "
            "Preprocessing fills masked pixels: use it, or mask those pixels first."
        )
    return flux


def predict(model: keras.Model, flux: np.ndarray, *, batch_size: int = 128) -> np.ndarray:
    """Class probabilities of spectra; of a joint network all its outputs, joined.

    Parameters
    ----------
    model : keras.Model
        A network made by `racnet_tools.models.build`.
    flux : (n, n_pixels) or (n, n_pixels, channels) array
        Preprocessed spectra.
    batch_size : int
        Spectra that are computed at once. (`keras.Model.predict` holds everything at once and needs 50 ms a call.)

    Returns
    -------
    (n, n_classes) float32
        Or as wide as the network's outputs together.

    Raises
    ------
    RacnetError
        When `flux` has another shape or a pixel that is not finite.
    """
    flux = check_input(flux, model.input_shape[1:])
    found = np.empty((len(flux), model.output_shape[1]), np.float32)
    for start in range(0, len(flux), batch_size):
        batch = flux[start : start + batch_size]
        # Always the same shape: another one would compile the network anew.
        padded = np.pad(batch, ((0, min(batch_size, len(flux)) - len(batch)), *[(0, 0)] * (flux.ndim - 1)))
        found[start : start + len(batch)] = np.asarray(model.predict_on_batch(padded))[: len(batch)]
    return found
