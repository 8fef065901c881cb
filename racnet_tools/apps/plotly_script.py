"""plotly.js as the installed plotly carries it, for the server that hands it out and for kernels that send it."""

from __future__ import annotations

import gzip
from functools import lru_cache

__all__ = ["plotly_compressed"]


@lru_cache(maxsize=1)
def plotly_compressed() -> bytes:
    """plotly.js, gzipped."""
    from plotly.offline import get_plotlyjs

    return gzip.compress(get_plotlyjs().encode(), 6)
