"""Channel attention of one spectrum, or the mean over several, as a map of blocks by channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from racnet_tools.errors import RacnetError

__all__ = ["attention_map"]


def attention_map(
    attention: Sequence[np.ndarray], *, title: str = "channel attention", ax: Axes | None = None
) -> Figure:
    """Draw the attention weights of every block.

    Parameters
    ----------
    attention : sequence of (n, channels) arrays
        One array a block, as a classification engine gives them; averaged over the spectra.
    title : str
        Written above.
    ax : matplotlib Axes, optional
        Where to draw; a new figure otherwise.

    Returns
    -------
    matplotlib.figure.Figure
        Rows are the blocks (1 is nearest to the spectrum); a channel has no place on the wavelength axis.

    Raises
    ------
    RacnetError
        If there are no attention vectors (RC-Net has none).
    """
    if not len(attention):
        raise RacnetError("Expected the attention of at least one block. Received none: has this network attention?")
    weights = [np.atleast_2d(block).mean(axis=0) for block in attention]
    widest = max(len(block) for block in weights)
    picture = np.full((len(weights), widest), np.nan)
    for row, block in zip(picture, weights, strict=True):
        row[:] = np.repeat(block, widest // len(block)) if widest % len(block) == 0 else np.nan
        if widest % len(block):
            row[: len(block)] = block
    if ax is None:
        ax = Figure(figsize=(9, 3.2), layout="constrained").subplots()
    image = ax.imshow(picture, aspect="auto", cmap="viridis", interpolation="nearest")
    ax.set_yticks(
        range(len(weights)), [f"block {i + 1}  ({len(block)})" for i, block in enumerate(weights)], fontsize=8
    )
    ax.set_xticks([])
    ax.set_xlabel("channels of each block, first to last")
    ax.set_title(title, fontsize=10, loc="left")
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.colorbar(image, ax=ax, label="attention weight", pad=0.01)
    return figure
