"""The same objects seen at other redshifts: what a redshift alone does to a classification.

Everything but the redshift is drawn once for an object and used at each (common random numbers), so that differences
between its spectra come from the redshift and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
from threadpoolctl import threadpool_limits

from racnet_tools.errors import RacnetError
from racnet_tools.simulate.compact import compact_at_rest
from racnet_tools.simulate.galaxies import draw_kinds, galaxies_at_rest, observe_galaxies
from racnet_tools.simulate.instrument import blue_snr, broaden, expose
from racnet_tools.simulate.quasars import MovableQuasars
from racnet_tools.simulate.scene import observe
from racnet_tools.simulate.stars import stars_at_rest
from racnet_tools.simulate.survey import STELLAR_TYPES, before_noise, draw_rare, draw_snr, measured, merged
from racnet_tools.simulate.templates import compact, stars
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

__all__ = ["SWEEP_RANGES", "MovableObjects", "redshift_sweep"]

#: Redshifts to which templates allow objects to be moved.
SWEEP_RANGES = {"STAR": (-0.01, 0.01), "GALAXY": (0.0, 1.0), "QSO": (0.0, 5.0)}

_Render = Callable[[np.ndarray], np.ndarray]


def redshift_sweep(kind: str, z: np.ndarray | Sequence[float], n: int, *, seed: int | Sequence[int]) -> SpectrumSet:
    """Simulate objects, each at every one of some redshifts.

    An object keeps its mixture of templates, strengths and widths of lines, dust of its own and of the Galaxy, errors
    of calibration, pipeline, lost pixels (those of the redshift drawn for it) and noise: at each pixel of the detector
    the noise is the same multiple of its standard deviation. The median S/N over the window is held too: that objects
    grow fainter with distance is not followed, only what enters and leaves the window. Besides wavelengths there
    change with redshift the standard deviation of the noise, which follows the flux of bright pixels as in `simulate`,
    and the hydrogen in front of quasars, more of which shows the farther they are while what showed stays where it was.

    Stars and galaxies are those of `simulate` with the same seed and number (up to 512, in other order): there is the
    same spectrum where `z` is the redshift drawn. Quasars are as `simulate` draws them but for type 2, which have no
    templates beyond z = 1; redward of 8720 Angstrom at rest (z below 0.044) their power law is continued. Pixels that
    a star's template does not reach (at most 13 at the red end, at z below -0.0071) are masked.

    Parameters
    ----------
    kind : str
        STAR, GALAXY, QSO, or a spectral type (O, B, A, F, G, K, M).
    z : (m,) array_like
        Redshifts within `SWEEP_RANGES`; spectra at one do not depend on the others.
    n : int
        Objects.
    seed : int or sequence of int
        The same seed and `n` give the same objects.

    Returns
    -------
    SpectrumSet
        Of n * m spectra on the LAMOST grid, all of the first object first, in the order of `z`. The columns of
        `simulate`, and ``object`` (0 to n - 1); ``object_id`` is the same for an object's spectra.

    Raises
    ------
    RacnetError
        If `kind` is unknown, `n` is not positive, or `z` is no list of redshifts within the range.

    Examples
    --------
    >>> spectra = redshift_sweep("GALAXY", [0.0, 0.5, 1.0], 2, seed=1)
    >>> len(spectra), spectra.table["object"].tolist()
    (6, [0, 0, 0, 1, 1, 1])
    """
    redshifts = np.asarray(z, dtype=np.float64)
    objects = MovableObjects(kind, n, seed=seed)
    if redshifts.ndim != 1 or not len(redshifts):
        raise RacnetError(f"Expected redshifts as a list. Received: {z!r}.")
    objects.check(redshifts)
    m = len(redshifts)
    flux, ivar = (np.empty((n, m, LAMOST_GRID.n_pixels), np.float32) for _ in range(2))
    mask = np.empty(flux.shape, bool)
    rows: list[list[dict[str, object]]] = [[] for _ in range(n)]
    for k, one in enumerate(redshifts):
        flux[:, k], ivar[:, k], mask[:, k], table = objects.arrays_at(one, k)
        for i, row in enumerate(table):
            rows[i].append(row)
    shape = (n * m, LAMOST_GRID.n_pixels)
    table_rows = [row for own in rows for row in own]
    return SpectrumSet(LAMOST_GRID.wave, flux.reshape(shape), ivar.reshape(shape), mask.reshape(shape), table_rows)


class MovableObjects:
    """Objects drawn once, to be seen at any redshift: what `redshift_sweep` moves, step by step.

    Parameters
    ----------
    kind, n, seed
        As for `redshift_sweep`.

    Attributes
    ----------
    label : str
        STAR, GALAXY or QSO.
    z : (n,) array
        Redshifts that were drawn for the objects.

    Raises
    ------
    RacnetError
        If `kind` is unknown or `n` is not positive.
    """

    def __init__(self, kind: str, n: int, *, seed: int | Sequence[int]) -> None:
        self.label = "STAR" if kind in STELLAR_TYPES else kind
        if self.label not in SWEEP_RANGES or n < 1:
            raise RacnetError(
                f"Expected one of {', '.join((*SWEEP_RANGES, *STELLAR_TYPES))} and 1 object or more. "
                f"Received: {kind!r}, {n}."
            )
        self._name = "-".join(map(str, np.atleast_1d(seed).tolist()))
        self._draw(kind, n, seed)

    @threadpool_limits.wrap(limits=1, user_api="blas")  # as in `simulate`
    def _draw(self, kind: str, n: int, seed: int | Sequence[int]) -> None:
        self._rng = np.random.default_rng(seed)
        self._columns, self._render = _DRAW.get(kind, _draw_stars)(kind, n, self._rng)
        self.z = self._columns["z"]
        self._snr = draw_snr(kind, n, self._rng)
        at_take = deepcopy(self._rng)
        drawn, _, first = before_noise(self._render(self.z), self.label, at_take)
        self._blue = blue_snr(drawn, self._snr, first, at_take)

    def check(self, z: np.ndarray) -> None:
        """Raise a `RacnetError` for redshifts outside `SWEEP_RANGES`."""
        low, high = SWEEP_RANGES[self.label]
        if not ((z >= low) & (z <= high)).all():
            raise RacnetError(f"Expected redshifts of {self.label} from {low} to {high}. Received: {z!r}.")

    def at(self, z: float) -> SpectrumSet:
        """Spectra of all objects at redshift `z`.

        Raises
        ------
        RacnetError
            If it is outside `SWEEP_RANGES`.
        """
        self.check(np.array([z]))
        return SpectrumSet(LAMOST_GRID.wave, *self.arrays_at(z, 0))

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def arrays_at(self, z: float, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, object]]]:
        """Flux, ivar and mask (n, n_pix) at redshift `z`, and the rows of the table; `number` ends their `spec_id`."""
        again = deepcopy(self._rng)  # the same draws at every redshift
        n = len(self._snr)
        at = np.full(n, z)
        light, ebv, first = before_noise(self._render(at), self.label, again)
        flux, ivar, mask = expose(light, self._snr, first, again, self._blue)
        if self.label == "STAR":
            _lose_uncovered(z, flux, ivar, mask)
        table = {**self._columns, "z": at, "label": np.full(n, self.label), **measured(flux, ivar, ebv, first)}
        values = {key: column.tolist() for key, column in table.items()}
        name = f"sweep-{self._name}"
        rows: list[dict[str, object]] = [
            {key: column[i] for key, column in values.items()}
            | {"object": i, "object_id": f"{name}-{i:05d}", "spec_id": f"{name}-{i:05d}-{number:03d}"}
            | {"survey": "SIMULATED"}
            for i in range(n)
        ]
        return flux, ivar, mask, rows


def _draw_stars(kind: str, n: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], _Render]:
    rest, columns = stars_at_rest(n, kind if kind in STELLAR_TYPES else None, rng)
    resolution = deepcopy(rng)
    broaden(np.ones((n, LAMOST_GRID.n_pixels), np.float32), rng)  # takes what it draws, as `simulate` does
    rare = draw_rare(kind, n, rng)
    rare_rest, others = compact_at_rest(len(rare), None, rng) if len(rare) else (np.empty((0, 1), np.float32), {})
    if len(rare):
        columns = merged(columns, rare, others)

    def render(z: np.ndarray) -> np.ndarray:
        flux = broaden(observe(rest, stars().first_pixel, np.arange(n), z), deepcopy(resolution))
        flux[rare] = observe(rare_rest, compact().first_pixel, np.arange(len(rare)), z[rare])
        return flux

    return columns, render


def _draw_galaxies(kind: str, n: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], _Render]:
    z, kinds = draw_kinds(n, rng)
    some = galaxies_at_rest(kinds, rng)
    return {"subclass": kinds, "z": z, "template": some.template}, lambda at: observe_galaxies(some, at)


def _draw_quasars(kind: str, n: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], _Render]:
    some = MovableQuasars(n, rng)
    return some.columns, some.at


_DRAW = {"GALAXY": _draw_galaxies, "QSO": _draw_quasars}


def _lose_uncovered(z: float, flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray) -> None:
    """Take away, in place, the pixels that templates of stars do not reach."""
    library = stars()
    rest = np.arange(LAMOST_GRID.n_pixels) - np.log10(1 + z) / LAMOST_GRID.step - library.first_pixel
    beyond = (rest < 0) | (rest > library.flux.shape[1] - 1)
    flux[:, beyond], ivar[:, beyond], mask[:, beyond] = 0, 0, True
