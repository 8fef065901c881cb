"""Line indices, continuum colours and how two distributions of them differ.

Atomic indices are equivalent widths in Angstrom (positive in absorption) between straight pseudo-continua, as Lick/IDS
defines them, measured at the resolution of the spectra (not degraded to Lick/IDS): comparable among themselves only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import SpectrumSet, air_to_vacuum

__all__ = ["COLOURS", "INDICES", "Comparison", "colours", "compare", "d4000", "ks_distance", "line_indices"]

#: Feature, blue and red continuum in air (Angstrom). Hβ to Na D: Worthey et al. 1994, ApJS 94, 687 (G band as in Trager
#: et al. 1998, ApJS 116, 1); Hγ, Hδ: Worthey & Ottaviani 1997, ApJS 111, 377; Ca H and K: Serven et al. 2005, ApJ 627,
#: 754; Ca 8542: bands of the triplet of Cenarro et al. 2001, MNRAS 326, 959, its second line alone.
INDICES = {
    "Ca H and K": ((3899.5, 4003.5), (3806.5, 3833.8), (4020.7, 4052.4)),
    "Hδ A": ((4083.5, 4122.25), (4041.6, 4081.5), (4128.5, 4161.0)),
    "G band": ((4281.375, 4316.375), (4266.375, 4282.625), (4317.625, 4335.125)),
    "Hγ A": ((4319.75, 4363.5), (4283.5, 4319.75), (4367.25, 4419.75)),
    "Hβ": ((4847.875, 4876.625), (4827.875, 4847.875), (4876.625, 4891.625)),
    "Mg b": ((5160.125, 5192.625), (5117.7, 5142.7), (5191.375, 5206.375)),
    "Fe 5270": ((5245.65, 5285.65), (5233.15, 5248.15), (5285.65, 5318.15)),
    "Na D": ((5876.875, 5909.375), (5860.625, 5875.675), (5922.125, 5948.125)),
    "Ca 8542": ((8522.0, 8562.0), (8474.0, 8484.0), (8563.0, 8577.0)),
}
_TIO5 = (7126.0, 7135.0), (7042.0, 7046.0)  # Reid, Hawley & Gizis 1995, AJ 110, 1838 (air)
_D4000 = (4000.0, 4100.0), (3850.0, 3950.0)  # Balogh et al. 1999, ApJ 527, 54
#: Bands (observed frame, vacuum, Angstrom) whose ratio is a colour, in magnitudes: positive is red.
COLOURS = {
    "4250 - 5300": ((4000.0, 4500.0), (5000.0, 5600.0)),
    "5300 - 6400": ((5000.0, 5600.0), (6100.0, 6700.0)),
    "6400 - 7950": ((6100.0, 6700.0), (7700.0, 8200.0)),
    "7950 - 8800": ((7700.0, 8200.0), (8650.0, 8950.0)),
}


class _Bands:
    """Integrals of one spectrum over bands with fractions of pixels; NaN where over a fifth of a band is lost."""

    def __init__(self, edges: np.ndarray, flux: np.ndarray, bad: np.ndarray) -> None:
        self.edges, self.bad = edges, bad
        good = np.flatnonzero(~bad)
        self.flux = np.interp(np.arange(len(flux)), good, flux[good]) if len(good) else np.full(len(flux), np.nan)

    def integral(self, low: float, high: float, weight: np.ndarray | None = None) -> float:
        if low < self.edges[0] or high > self.edges[-1]:
            return float("nan")
        first, stop = np.searchsorted(self.edges, low, side="right") - 1, np.searchsorted(self.edges, high)
        share = np.diff(np.clip(self.edges[first : stop + 1], low, high))  # Angstrom of each pixel inside the band
        if (share * self.bad[first:stop]).sum() > 0.2 * (high - low):
            return float("nan")
        return float((share * (self.flux[first:stop] if weight is None else (self.flux * weight)[first:stop])).sum())

    def mean(self, low: float, high: float, weight: np.ndarray | None = None) -> float:
        return self.integral(low, high, weight) / (high - low)


def _spectra(spectra: SpectrumSet, rest: bool):
    wave = spectra.wave
    ends = 1.5 * wave[0] - 0.5 * wave[1], 1.5 * wave[-1] - 0.5 * wave[-2]
    edges = np.concatenate([ends[:1], (wave[1:] + wave[:-1]) / 2, ends[1:]])
    shift = np.nan_to_num(np.asarray(spectra.table["z"].filled(0), float)) if rest else np.zeros(len(spectra))
    for flux, bad, z in zip(spectra.flux, spectra.mask | (spectra.flux == 0), shift, strict=True):
        yield _Bands(edges / (1 + z), flux.astype(float), bad)


def _vacuum(*bands: tuple[float, float]) -> list[tuple[float, float]]:
    return [(float(low), float(high)) for low, high in (air_to_vacuum(np.array(band)) for band in bands)]


def line_indices(spectra: SpectrumSet) -> dict[str, np.ndarray]:
    """Equivalent widths of `INDICES` (Angstrom), TiO5 and D4000 (ratios), in the rest frame of the table's ``z``.

    Parameters
    ----------
    spectra : SpectrumSet
        On any grid; a missing redshift counts as 0.

    Returns
    -------
    dict of str to (n,) float64
        NaN where a band is outside the coverage or mostly lost, or the continuum is not positive.
    """
    found: dict[str, list[float]] = {name: [] for name in INDICES}
    found["TiO5"] = []
    bands = {name: _vacuum(*three) for name, three in INDICES.items()}
    top, bottom = _vacuum(*_TIO5)
    for one in _spectra(spectra, rest=True):
        centre = (one.edges[1:] + one.edges[:-1]) / 2
        for name, (line, blue, red) in bands.items():
            found[name].append(_equivalent_width(one, centre, line, blue, red))
        below = one.mean(*bottom)
        found["TiO5"].append(one.mean(*top) / below if below > 0 else float("nan"))
    return {name: np.array(values) for name, values in found.items()} | {"D4000": d4000(spectra)}


def _equivalent_width(one: _Bands, centre: np.ndarray, line, blue, red) -> float:
    left, right = one.mean(*blue), one.mean(*red)
    places = (sum(blue) / 2, sum(red) / 2)
    continuum = left + (right - left) * (centre - places[0]) / (places[1] - places[0])
    inside = slice(*np.searchsorted(centre, (line[0] - 5, line[1] + 5)))
    if not (continuum[inside] > 0).all():
        return float("nan")
    weight = np.zeros(len(centre))
    weight[inside] = 1 / continuum[inside]
    return line[1] - line[0] - one.integral(line[0], line[1], weight)


def d4000(spectra: SpectrumSet) -> np.ndarray:
    """Narrow break at 4000 Angstrom: mean flux per frequency above over below (Balogh et al. 1999); (n,) float64."""
    above, below = _vacuum(*_D4000)
    found = []
    for one in _spectra(spectra, rest=True):
        square = ((one.edges[1:] + one.edges[:-1]) / 2) ** 2  # from flux per wavelength to flux per frequency
        low = one.mean(below[0], below[1], square)
        found.append(one.mean(above[0], above[1], square) / low if low > 0 else float("nan"))
    return np.array(found)


def colours(spectra: SpectrumSet) -> dict[str, np.ndarray]:
    """Colours of `COLOURS` in magnitudes, each (n,); NaN where a band is lost or its flux is not positive."""
    found: dict[str, list[float]] = {name: [] for name in COLOURS}
    for one in _spectra(spectra, rest=False):
        for name, (blue, red) in COLOURS.items():
            a, b = one.mean(*blue), one.mean(*red)
            found[name].append(float(2.5 * np.log10(b / a)) if a > 0 and b > 0 else float("nan"))
    return {name: np.array(values) for name, values in found.items()}


def ks_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two cumulative distributions (Kolmogorov-Smirnov), 0 to 1; NaN if one is empty."""
    a, b = (np.sort(side[np.isfinite(side)]) for side in (np.asarray(a, float), np.asarray(b, float)))
    if not len(a) or not len(b):
        return float("nan")
    every = np.concatenate([a, b])
    shares = (np.searchsorted(side, every, side="right") / len(side) for side in (a, b))
    return float(np.abs(next(shares) - next(shares)).max())


@dataclass(frozen=True)
class Comparison:
    """Quartiles of a quantity in real and simulated spectra, and their Kolmogorov-Smirnov distance.

    `low` and `high` are the 95 % interval from bootstrap samples, which lean upwards where the distance is small.
    `chance` is the distance that 95 % of pairs of samples of these sizes from one distribution stay below.
    """

    n_real: int
    n_simulated: int
    real: tuple[float, float, float]
    simulated: tuple[float, float, float]
    distance: float
    low: float
    high: float
    chance: float


def compare(
    real: Mapping[str, np.ndarray], simulated: Mapping[str, np.ndarray], *, seed: int, samples: int = 200
) -> dict[str, Comparison]:
    """Compare quantities one by one.

    Parameters
    ----------
    real, simulated : mapping of str to (n,) array
        The same names on both sides.
    seed : int
        Of the bootstrap samples behind the 95 % interval of the distance.
    samples : int
        How many.

    Returns
    -------
    dict of str to Comparison
        Of the quantities that have 5 values or more on each side.

    Raises
    ------
    RacnetError
        If the names differ.
    """
    if set(real) != set(simulated):
        raise RacnetError(f"Expected the same quantities. Received: {sorted(set(real) ^ set(simulated))} on one side.")
    rng = np.random.default_rng(seed)
    found = {}
    for name in real:
        a, b = (np.asarray(side[name])[np.isfinite(side[name])] for side in (real, simulated))
        if min(len(a), len(b)) < 5:
            continue
        drawn = [ks_distance(rng.choice(a, len(a)), rng.choice(b, len(b))) for _ in range(samples)]
        low, high = np.percentile(drawn, (2.5, 97.5))
        chance = 1.358 * np.sqrt((len(a) + len(b)) / (len(a) * len(b)))  # asymptotic critical value at 5 %
        distance = ks_distance(a, b)
        low, high = min(low, distance), max(high, distance)
        found[name] = Comparison(
            len(a), len(b), _quartiles(a), _quartiles(b), distance, float(low), float(high), float(chance)
        )
    return found


def _quartiles(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (25, 50, 75)).tolist()
    return low, middle, high
