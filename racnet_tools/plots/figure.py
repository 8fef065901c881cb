"""The figures of `racnet_tools.plots`: matplotlib's, and shown by a notebook in whatever order things are imported."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure as _Figure

__all__ = ["Figure"]


class Figure(_Figure):
    """A figure that is no part of pyplot's state.

    Notebooks know how to show matplotlib's figures only once pyplot has drawn something there; until then they would
    print ``<Figure size ...>``.
    """

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        image = BytesIO()
        self.savefig(image, format="png", bbox_inches="tight")
        return image.getvalue()
