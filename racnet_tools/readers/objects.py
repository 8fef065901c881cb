"""Which spectra are of one object: positions within a fibre's radius.

Surveys name an object by its position, and give a slightly different one at each visit (of 48 stars that LAMOST visited
twice or more, every one had two names, 0.1 to 2.4 arcsec apart). A split by such names would put twins on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

__all__ = ["FIBRE_RADIUS", "merge_objects"]

#: Arcsec; fibres have diameters of 3.3 (LAMOST), 3 and 2 (SDSS) and 1.5 arcsec (DESI).
FIBRE_RADIUS = 3.0

_NEIGHBOURS = tuple(product((-1, 0, 1), repeat=3))


def merge_objects(
    names: Sequence[str], ra: Sequence[float], dec: Sequence[float], radius: float = FIBRE_RADIUS
) -> list[str]:
    """Object names, of which all within `radius` of an earlier object become that object's.

    Parameters
    ----------
    names : sequence of str
        One a spectrum.
    ra, dec : sequences of float
        Degrees; nan where the position is not known, such names stay.
    radius : float
        Arcsec.

    Returns
    -------
    list of str

    Examples
    --------
    >>> merge_objects(["a", "b", "c"], [10.0, 10.0001, 10.1], [0.0, 0.0, 0.0])
    ['a', 'a', 'c']
    """
    reach = math.radians(radius / 3600.0)
    cells: dict[tuple[int, ...], list[tuple[tuple[float, ...], str]]] = {}
    renamed: dict[str, str] = {}
    result = []
    for name, alpha, delta in zip(names, ra, dec, strict=True):
        if not (math.isfinite(alpha) and math.isfinite(delta)):
            result.append(renamed.get(name, name))
            continue
        a, d = math.radians(alpha), math.radians(delta)
        point = (math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d))
        cell = tuple(math.floor(x / reach) for x in point)
        near = (other for step in _NEIGHBOURS for other in cells.get(tuple(map(sum, zip(cell, step, strict=True))), ()))
        found = next((other for where, other in near if math.dist(point, where) <= reach), None)
        if found is None:
            found = renamed.get(name, name)
            cells.setdefault(cell, []).append((point, found))
        renamed.setdefault(name, found)
        result.append(found)
    return result
