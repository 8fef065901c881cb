"""From the pixels of a block, of which one stands for many, to those of the spectrum."""

from __future__ import annotations

import numpy as np

from racnet_tools.errors import RacnetError

__all__ = ["to_pixels"]


def to_pixels(values: np.ndarray, pooled: int, n_pix: int) -> np.ndarray:
    """Join the values of a block's pixels by straight lines over the pixels of the spectrum.

    Parameters
    ----------
    values : (..., length) array
        Pixel j of the block stands for the spectrum's pixels ``pooled * j`` to ``pooled * (j + 1) - 1`` and is put in
        their middle; before the first and after the last middle values stay. The last pixel may reach beyond the
        spectrum.
    pooled : int
        Pixels that one stands for.
    n_pix : int
        Of the spectrum.

    Returns
    -------
    (..., n_pix) float32

    Raises
    ------
    RacnetError
        If so many do not fit into the spectrum.
    """
    values = np.asarray(values, float)
    length = values.shape[-1]
    if pooled < 1 or length < 1 or pooled * (length - 1) >= n_pix:
        raise RacnetError(f"Expected at most {n_pix} pixels in all. Received: {length} that stand for {pooled} each.")
    middles = pooled * np.arange(length) + (pooled - 1) / 2
    flat = values.reshape(-1, length)
    found = np.stack([np.interp(np.arange(n_pix), middles, row) for row in flat]) if len(flat) else np.zeros((0, n_pix))
    return found.reshape(*values.shape[:-1], n_pix).astype(np.float32)
