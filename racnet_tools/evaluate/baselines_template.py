"""Nearest template by chi-square with a search of redshift: what a survey's pipeline does, as a baseline for networks.

Spectra and templates are divided by their own smooth continuum, a running mean far wider than lines, so that reddening
and errors of calibration do not count, as codes for redshifts do with polynomials (redrock: Anand et al. 2024, AJ 168,
124) and codes for spectral types by normalisation (PyHammer: Kesseli et al. 2017, ApJS 230, 16). On a grid in log
lambda a redshift is a shift, and chi-square at all redshifts is a pair of Fourier transforms (Tonry & Davis 1979, AJ
84, 1511).

The templates are those that `racnet_tools.simulate` mixes: on simulated spectra this baseline knows the truth's own
building blocks and is favoured; real spectra are the fairer test.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy import fft
from threadpoolctl import threadpool_limits

from racnet_tools.errors import RacnetError
from racnet_tools.simulate.galaxies import KINDS, galaxies_at_rest, observe_galaxies
from racnet_tools.simulate.igm import mean_depth
from racnet_tools.simulate.quasars import MovableQuasars
from racnet_tools.simulate.stars import stellar_type
from racnet_tools.simulate.templates import stars
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.spectra.channels import running_mean

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["TemplateMatcher"]

N = LAMOST_GRID.n_pixels
_CONTINUUM = 401  # pixels of the running mean, taken twice: lines of quasars are up to 200 wide
_SLOW = 9  # pixels that a star may move either way: z of 0.002
_COARSE = 3  # pixels between the shifts that every star is tried at; the best ones are tried at all
_BEST = 10
_GALAXIES, _QUASARS = 60, 60  # templates of each
_NEAR, _FAR = 3010, 7782  # shifts in pixels of galaxies at z = 1 and quasars at z = 5
_STRENGTH = (0.6, 1.6)  # by how much features may be weaker or stronger than the template's
_MISFIT = 0.03  # by which templates differ from objects, over the continuum
_PIECE = 256  # spectra at a time: keeps the memory flat
_LETTERS = tuple("OBAFGKM")


class TemplateMatcher:
    """Class, spectral type and redshift of the template with the least chi-square.

    Stars are tried at redshifts from -0.002 to 0.002, galaxies from 0 to 1, quasars from 0 to 5.

    Parameters
    ----------
    classes : sequence of str
        Some of STAR, GALAXY, QSO and UNKNOWN, or spectral types (O to M): then stars of those alone are tried.

    Raises
    ------
    RacnetError
        If templates of a class do not exist.

    Examples
    --------
    >>> matcher = TemplateMatcher(["STAR", "GALAXY", "QSO"])  # doctest: +SKIP
    >>> matcher.match(x)["label", "z"]  # doctest: +SKIP
    """

    name = "nearest template"

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        known = ("STAR", "GALAXY", "QSO", "UNKNOWN")
        if not (set(classes) <= set(known) or set(classes) <= set(_LETTERS)) or not set(classes) - {"UNKNOWN"}:
            raise RacnetError(f"Expected classes among {', '.join(known)}, or spectral types. Received: {classes}.")
        self.threshold = 0.0
        letters = set(classes) & set(_LETTERS)
        self._letters = letters or set(_LETTERS)
        self._kinds = ("STAR",) if letters else tuple(name for name in known[:3] if name in classes)

    def fit(self, x: np.ndarray, y: np.ndarray) -> TemplateMatcher:
        """Find the score below which a spectrum is UNKNOWN; without that class there is nothing to learn.

        Parameters
        ----------
        x : (n, 3909) float32
            Network input.
        y : (n,) int
            Class indices.

        Returns
        -------
        TemplateMatcher
            Itself.
        """
        if "UNKNOWN" in self.classes:
            self.threshold = -np.inf
            found = self.match(x)
            right = np.asarray(found["label"]) == np.array(self.classes)[y]
            unknown = np.asarray(y) == self.classes.index("UNKNOWN")
            order = np.argsort(found["score"])
            gained = np.cumsum(np.where(unknown, 1, -right.astype(int))[order])  # by calling this and all below UNKNOWN
            best = int(gained.argmax())
            self.threshold = float(found["score"][order[best]]) if gained[best] > 0 else -np.inf
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class indices (n,) of network input (n, 3909)."""
        found = self.match(x)
        names = found["label"] if self._kinds != ("STAR",) or "STAR" in self.classes else found["subclass"]
        return np.array([self.classes.index(name) for name in names], dtype=np.int64)

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def match(self, x: np.ndarray) -> Table:
        """The best template of each spectrum.

        Parameters
        ----------
        x : (n, 3909) float32
            Network input: flux on the LAMOST grid, gaps filled, at any scale.

        Returns
        -------
        Table
            label, subclass (spectral type of stars, kind of galaxies), z, score (the decrease of chi-square per pixel
            against a featureless continuum, by the noise seen in the spectrum) and score_CLASS for each class.

        Raises
        ------
        RacnetError
            If the spectra are not on the LAMOST grid.
        """
        from astropy.table import vstack

        if x.ndim != 2 or x.shape[1] != N:
            raise RacnetError(f"Expected spectra of {N} pixels on the LAMOST grid. Received: shape {x.shape}.")
        starts = range(0, max(len(x), 1), _PIECE)
        return vstack([self._match(np.asarray(x[start : start + _PIECE], np.float32)) for start in starts])

    def _match(self, x: np.ndarray) -> Table:
        from astropy.table import Table

        ratio, weight = _features(x)
        found = {name: self._best(name, ratio, weight) for name in self._kinds}
        scores = np.stack([found[name].score for name in self._kinds]) / N
        best = scores.argmax(axis=0)
        rows = np.arange(len(x))
        label = np.array(self._kinds)[best]
        if "UNKNOWN" in self.classes:
            label = np.where(scores[best, rows] <= self.threshold, "UNKNOWN", label)
        columns = {
            "label": label,
            "subclass": np.stack([found[name].subclass for name in self._kinds])[best, rows],
            "z": np.stack([found[name].z for name in self._kinds])[best, rows],
            "score": scores[best, rows],
        }
        return Table(columns | {f"score_{name}": scores[k] for k, name in enumerate(self._kinds)})

    def _best(self, name: str, ratio: np.ndarray, weight: np.ndarray) -> _Found:
        if name == "STAR":
            keep = np.isin(_stars().subclass, list(self._letters))
            return _match_stars(ratio, weight, keep)
        return _match_moved(ratio, weight, _galaxies() if name == "GALAXY" else _quasars())


class _Found(NamedTuple):
    """The best template of each spectrum: decrease of chi-square, redshift and type, each (n,)."""

    score: np.ndarray
    z: np.ndarray
    subclass: np.ndarray


def _running_mean(rows: np.ndarray) -> np.ndarray:
    """Mean over what there is of a window, taken twice; (n, n_pix) float32."""
    return running_mean(running_mean(rows, _CONTINUUM), _CONTINUUM)


def _relative(flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flux over continuum less 1, and the continuum, held above a twentieth of its median."""
    smooth = _running_mean(flux)
    smooth = np.maximum(smooth, 0.05 * np.maximum(np.median(smooth, axis=1, keepdims=True), 1e-12))
    return flux / smooth - 1, smooth


def _features(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines relative to the continuum, and their inverse variance from the scatter of neighbours; (n, 3909) each."""
    ratio, smooth = _relative(x)
    rough = np.abs(np.diff(x, 2, axis=1)) / np.float32(np.sqrt(6) * 0.8)  # of white noise: its sigma, on average
    sigma = _running_mean(
        np.pad(np.minimum(rough, 5 * np.median(rough, axis=1, keepdims=True)), ((0, 0), (1, 1)), "edge")
    )
    sigma = np.hypot(sigma / smooth, _MISFIT)
    return ratio.clip(-5 * sigma - 1, 5 * sigma + 6), 1 / sigma**2


class _Stars(NamedTuple):
    ratio: np.ndarray  # (n, 3998)
    square: np.ndarray
    subclass: np.ndarray


@lru_cache(maxsize=1)
def _stars() -> _Stars:
    library = stars()
    ratio, _ = _relative(library.flux)
    feh = np.where(np.isfinite(library.feh), library.feh, -0.2)
    return _Stars(ratio, ratio**2, stellar_type(library.teff, feh))


def _match_stars(ratio: np.ndarray, weight: np.ndarray, keep: np.ndarray) -> _Found:
    library, start = _stars(), -stars().first_pixel
    own, square = library.ratio[keep], library.square[keep]
    weighted = ratio * weight
    score = np.full((len(ratio), len(own)), -np.inf, np.float32)
    for shift in range(-_SLOW, _SLOW + 1, _COARSE):
        window = slice(start - shift, start - shift + N)
        score = np.maximum(score, _gain(weighted @ own[:, window].T, weight @ square[:, window].T, _STRENGTH))
    best = np.argsort(-score, axis=1)[:, :_BEST]
    shifts = np.arange(-_SLOW - 1, _SLOW + 2)
    top = np.empty((len(ratio), 3))
    window = slice(start - shifts[-1], start - shifts[0] + N)
    for row, index in enumerate(best):
        views = (np.lib.stride_tricks.sliding_window_view(a[index, window], N, axis=1) for a in (own, square))
        fine = _gain(next(views) @ weighted[row], next(views) @ weight[row], _STRENGTH)
        fine = fine[:, ::-1]  # in the order of `shifts`
        which, at = np.unravel_index(fine[:, 1:-1].argmax(), (len(index), len(shifts) - 2))
        top[row] = fine[which, at + 1], shifts[at + 1] + _vertex(fine[which, at : at + 3]), index[which]
    z = 10 ** (top[:, 1] * LAMOST_GRID.step) - 1
    return _Found(top[:, 0], z, library.subclass[keep][top[:, 2].astype(int)])


def _gain(cross: np.ndarray, square: np.ndarray, strengths: tuple[float, float]) -> np.ndarray:
    """Decrease of chi-square by a template of the best strength."""
    strength = (cross / square).clip(*strengths)
    return strength * (2 * cross - strength * square)


def _vertex(three: np.ndarray) -> float:
    """Where the parabola through values at -1, 0 and 1 is highest."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0


class _Moved(NamedTuple):
    """Transforms of templates, for every shift at once."""

    ratio: np.ndarray  # (n_templates, length / 2 + 1) complex64
    square: np.ndarray
    length: int
    bins: int  # pixels that are averaged
    shift: int  # bins of the farthest redshift
    reach: int  # bins of template before the window
    subclass: np.ndarray


def _transformed(flux: np.ndarray, reach: int, shift: int, bins: int, subclass: np.ndarray) -> _Moved:
    """Templates (k, reach + 3909), the last 3909 pixels being those of the window at z = 0."""
    ratio, _ = _relative(flux)
    ratio = ratio[:, reach % bins :]
    ratio = ratio[:, : ratio.shape[1] // bins * bins].reshape(len(ratio), -1, bins).mean(axis=2)
    length = 1 << (ratio.shape[1] - 1).bit_length()  # what wraps around is not looked at
    own, square = (fft.rfft(a, length, axis=1).astype(np.complex64) for a in (ratio, ratio**2))
    return _Moved(own, square, length, bins, shift // bins, reach // bins, subclass)


@lru_cache(maxsize=1)
def _galaxies() -> _Moved:
    kinds = np.resize(list(KINDS), _GALAXIES)
    some = galaxies_at_rest(kinds, np.random.default_rng(2024))
    reach = _NEAR + 10
    far = observe_galaxies(some, np.full(_GALAXIES, 10 ** (reach * LAMOST_GRID.step) - 1))
    flux = np.concatenate([far[:, :reach], observe_galaxies(some, np.zeros(_GALAXIES))], axis=1)
    return _transformed(flux, reach, _NEAR, 1, kinds)


@lru_cache(maxsize=1)
def _quasars() -> _Moved:
    """Quasars behind the mean forest of z = 3: it shows at z above 2 only, wherever it is put."""
    some = MovableQuasars(_QUASARS, np.random.default_rng(2024))
    parts = [some.nuclei(np.full(_QUASARS, 10 ** (k * LAMOST_GRID.step) - 1)) for k in (_FAR, N, 0)]
    flux = np.concatenate([parts[0][:, : _FAR - N], *parts[1:]], axis=1)
    rest = 10 ** (LAMOST_GRID.start + LAMOST_GRID.step * np.arange(-_FAR, N))
    through = np.where(rest < 1215.67, np.exp(-mean_depth(4 * rest / 1215.67 - 1)), 1) * np.where(rest < 911.75, 0.3, 1)
    return _transformed(flux * through.astype(np.float32), _FAR, _FAR, 2, some.columns["subclass"])


def _match_moved(ratio: np.ndarray, weight: np.ndarray, moved: _Moved) -> _Found:
    count = N // moved.bins
    weighted, summed = (
        a[:, : count * moved.bins].reshape(len(a), count, moved.bins).sum(axis=2) for a in (ratio * weight, weight)
    )
    top = np.empty((len(ratio), 3))
    steps = slice(
        moved.reach - moved.shift, moved.reach + 1
    )  # template pixel under the window's first, from far to near
    for row in range(len(ratio)):
        one, two = (np.conj(fft.rfft(a[row], moved.length)) for a in (weighted, summed))
        cross = fft.irfft(moved.ratio * one, moved.length, axis=1)[:, steps]
        square = np.maximum(fft.irfft(moved.square * two, moved.length, axis=1)[:, steps], 1e-6)
        score = _gain(cross, square, _STRENGTH)
        which, at = np.unravel_index(score.argmax(), score.shape)
        near = score[which, max(at - 1, 0) : at + 2]
        place = at + (_vertex(near) if len(near) == 3 else 0)
        top[row] = score[which, at], (moved.shift - place) * moved.bins, which
    z = 10 ** (top[:, 1] * LAMOST_GRID.step) - 1
    return _Found(top[:, 0], z, moved.subclass[top[:, 2].astype(int)])
