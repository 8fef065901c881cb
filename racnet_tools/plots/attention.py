"""Channel attention of one spectrum, or the mean over several, as a map of blocks by channels."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes

from racnet_tools.plots.figure import Figure
from racnet_tools.plots.prepared_explain import attention_picture

__all__ = ["attention_map"]


def attention_map(
    attention: Sequence[np.ndarray], *, title: str = "channel attention", ax: Axes | None = None
) -> matplotlib.figure.Figure:
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
    picture = attention_picture(attention)
    if ax is None:
        ax = Figure(figsize=(9, 3.2), layout="constrained").subplots()
    image = ax.imshow(picture, aspect="auto", cmap="viridis", interpolation="nearest")
    ax.set_yticks(
        range(len(picture)), [f"block {i + 1}  ({np.shape(b)[-1]})" for i, b in enumerate(attention)], fontsize=8
    )
    ax.set_xticks([])
    ax.set_xlabel("channels of each block, first to last")
    ax.set_title(title, fontsize=10, loc="left")
    figure = ax.get_figure(root=True)
    assert isinstance(figure, matplotlib.figure.Figure)  # pyplot's own, where `ax` is one of pyplot's
    figure.colorbar(image, ax=ax, label="attention weight", pad=0.01)
    return figure
