"""Which quasars a survey meets, at LAMOST's pixels and without noise.

A quasar is two stretches of principal components of real ones, 1200-3100 and 2200-5100 Angstrom at rest, of two quasars
that look alike where the stretches overlap. Outside them stand power laws and lines with the slopes and equivalent
widths of composites: Vanden Berk et al. (2001, AJ 122, 549) redward, Lusso et al. (2015, MNRAS 449, 4204) blueward.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from racnet_tools.simulate.galaxies import Galaxy, compose, galaxies_at_rest, observe_galaxies
from racnet_tools.simulate.igm import intergalactic_transmission, sightline_transmission
from racnet_tools.simulate.nebular import LINES, add_lines, line_ratios
from racnet_tools.simulate.outflows import broad_absorption, smc_extinction
from racnet_tools.simulate.scene import C_KM_S
from racnet_tools.simulate.templates import quasars
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["MovableQuasars", "draw_quasars"]

_STEP = 2 * LAMOST_GRID.step  # of log10 of the rest wavelength: components are coarser than the LAMOST grid
_REST = 10 ** np.arange(np.log10(600.0), np.log10(8720.0), _STEP)
_LN = np.log(_REST).astype(np.float32)
_JOIN = (2250.0, 2900.0)
_SHARES = {"BAL": 0.12, "reddened": 0.10}
_HIDDEN = 0.05  # share of type 2 among quasars nearer than 0.8
_HOSTS = 0.8  # redshift up to which hosts show
# Beyond the components: rest wavelength (Angstrom), equivalent width (Angstrom), its scatter in ln, sigma (km/s; 0 for
# the quasar's own width). Blue: Telfer et al. (2002, ApJ 565, 773); red: Vanden Berk et al. (2001), Fe II as one bump.
_BLUE_LINES = (
    (977.0, 5.0, 0.4, 2300),
    (990.7, 3.0, 0.4, 2300),
    (1033.8, 11.0, 0.4, 2700),
    (1065.0, 3.0, 0.4, 3500),
    (1175.7, 2.0, 0.4, 2000),
)
_RED_LINES = (
    (5255.0, 10.0, 0.7, 4200),
    (5877.2, 5.0, 0.5, 0),
    (6564.6, 130.0, 0.35, 0),
    (6560.0, 75.0, 0.45, 4300),
    (8448.7, 12.0, 0.5, 0),
)


class _Basis(NamedTuple):
    """Components on the rest grid, a fade between them, and each quasar's look-alikes among the other stretch's."""

    uv: np.ndarray
    optical: np.ndarray
    fade: np.ndarray
    optical_of_uv: np.ndarray
    uv_of_optical: np.ndarray


@lru_cache(maxsize=1)
def _basis() -> _Basis:
    library = quasars()
    uv, optical = (
        np.array([np.interp(_REST, wave, curve) for curve in components], np.float32)
        for wave, components in (
            (library.uv_wave, library.uv_components),
            (library.optical_wave, library.optical_components),
        )
    )
    fade = np.clip((_REST - _JOIN[0]) / (_JOIN[1] - _JOIN[0]), 0, 1).astype(np.float32)
    places = np.arange(*np.searchsorted(_REST, _JOIN))[::6]
    one, two = library.uv_coefficients @ uv[:, places], library.optical_coefficients @ optical[:, places]
    one, two = (a - a.mean(axis=1, keepdims=True) for a in (one, two))
    distance = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1) - 2 * one @ two.T
    near = np.argsort(distance, axis=1)[:, :10], np.argsort(distance, axis=0)[:10].T
    return _Basis(uv, optical, fade, *near)


def draw_quasars(n: int, rng: np.random.Generator, even: bool = False) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Quasars of a survey.

    Parameters
    ----------
    n : int
    rng : Generator
    even : bool
        Whether three in four redshifts spread evenly from 0 to 5 instead of as a survey meets them.

    Returns
    -------
    flux : (n, 3909) float32
        In arbitrary units, at LAMOST's pixels and resolution.
    columns : dict of str to (n,) array
        subclass ("" for ordinary quasars, "BAL" with broad absorption, "reddened" by dust of their own, "type2" with
        narrow lines alone, which a survey's pipeline may call a galaxy), z, and template.
    """
    some = _at_rest(n, rng, even)
    observed = _sample(some.flux, some.z)
    rows = np.flatnonzero(some.z < 0.78)
    _add_narrow(observed, some.z, rows, _draw_narrow(len(rows), rng))
    rows = np.flatnonzero(some.z < _HOSTS)
    if len(rows):
        hosts, share = _draw_hosts(some.z[rows], rng)
        share[some.kind[rows] == "type2"] = 0
        light = observe_galaxies(hosts, some.z[rows])
        observed[rows] += light * _host_level(observed[rows], light, share)
    hidden = np.flatnonzero(some.kind == "type2")
    if len(hidden):
        observed[hidden] = compose(np.full(len(hidden), "seyfert2"), some.z[hidden], rng, boost=6.0)[0]
    observed *= intergalactic_transmission(some.z, rng)
    return observed, {"subclass": some.kind, "z": some.z, "template": some.template}


class MovableQuasars:
    """Quasars that can be seen at any redshift from 0 to 5: light, dust, host and line of sight are drawn once.

    They are those of a survey but for type 2, whose templates reach z = 1 only. Those drawn at z below 0.8 have a host,
    whose share of the light is that of the redshift drawn; blueward of 1850 Angstrom it keeps its value there.

    Parameters
    ----------
    n : int
    rng : Generator

    Attributes
    ----------
    columns : dict of str to (n,) array
        As from `draw_quasars`; z is the one drawn.
    """

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self._quasars = some = _at_rest(n, rng)
        kind = np.where(some.kind == "type2", "", some.kind)
        self.columns = {"subclass": kind, "z": some.z, "template": some.template}
        self._narrow = _draw_narrow(n, rng)
        self._with_host = rows = np.flatnonzero(some.z < _HOSTS)
        self._hosts, share = _draw_hosts(some.z[rows], rng)
        nucleus = self.nuclei(some.z)[rows]
        self._host_level = _host_level(nucleus, observe_galaxies(self._hosts, some.z[rows]), share)
        self._sight = rng.integers(0, 2**63, n).tolist()

    def at(self, z: np.ndarray) -> np.ndarray:
        """The quasars at redshifts (n,), at LAMOST's pixels and without noise; (n, 3909) float32."""
        observed = self.nuclei(z)
        observed[self._with_host] += observe_galaxies(self._hosts, z[self._with_host]) * self._host_level
        return observed * sightline_transmission(z, self._sight)

    def nuclei(self, z: np.ndarray) -> np.ndarray:
        """As `at`, without hosts and without hydrogen on the way."""
        observed = _sample(self._quasars.flux, z)
        _add_narrow(observed, z, np.arange(len(z)), self._narrow)
        return observed


class _Quasars(NamedTuple):
    """Quasars at rest: flux (n, len(_REST)) float32; redshift, kind and name of the template, each (n,)."""

    flux: np.ndarray
    z: np.ndarray
    kind: np.ndarray
    template: np.ndarray


def _at_rest(n: int, rng: np.random.Generator, even: bool = False) -> _Quasars:
    """Light of nuclei as it leaves them, and the redshifts at which a survey meets them."""
    z = np.where(rng.random(n) < 0.6, rng.normal(1.45, 0.8, n), rng.uniform(0.05, 5.0, n))
    z = np.where((z < 0.05) | (z > 5.0), rng.uniform(0.05, 5.0, n), z)
    if even:
        z = np.where(rng.random(n) < 0.75, rng.uniform(0.001, 5.0, n), z)
    uv, optical = _pairs(z, rng)
    kind = rng.choice(["", *_SHARES], n, p=[1 - sum(_SHARES.values()), *_SHARES.values()])
    kind = np.where((z < 0.8) & (rng.random(n) < _HIDDEN), "type2", kind)
    library, basis = quasars(), _basis()
    short = library.uv_coefficients[uv] @ basis.uv
    long = library.optical_coefficients[optical] @ basis.optical
    overlap = slice(*np.searchsorted(_REST, _JOIN))
    short += (long[:, overlap] - short[:, overlap]).mean(axis=1, keepdims=True)
    short += (long - short) * basis.fade
    _extend_red(short, rng)
    _extend_blue(short, rng)
    flux = np.exp(np.clip(short - short[:, ::97].mean(axis=1, keepdims=True), -6, 6))
    broad_absorption(flux, _REST, np.flatnonzero(kind == "BAL"), rng)
    dust = np.where(kind == "reddened", rng.uniform(0.12, 0.55, n), rng.exponential(0.02, n))
    dust += (kind == "BAL") * rng.exponential(0.04, n)
    dust *= np.minimum(1, 1.6 / (1 + z))  # what is reddened beyond z of 1 and still in the survey is reddened less
    flux *= np.exp(np.float32(-0.4 * np.log(10)) * dust.astype(np.float32)[:, None] * smc_extinction(_REST))
    template = np.array([f"quasar-{a}-{b}" for a, b in zip(uv, optical, strict=True)])
    return _Quasars(flux, z, kind, template)


class _Narrow(NamedTuple):
    """Narrow lines: ratios (n, n_lines), rest equivalent width of H beta (n,) in Angstrom, sigma (n,) in km/s."""

    ratios: np.ndarray
    width: np.ndarray
    sigma: np.ndarray


def _draw_narrow(n: int, rng: np.random.Generator) -> _Narrow:
    """Narrow lines of the nucleus where the components have none: [O III] and redward (past 4900 Angstrom at rest)."""
    ratios = line_ratios(np.full(n, "seyfert2"), rng) * (np.array(list(LINES.values())) > 4900)
    return _Narrow(ratios, rng.exponential(1.5, n), rng.uniform(90, 280, n))


def _add_narrow(observed: np.ndarray, z: np.ndarray, rows: np.ndarray, narrow: _Narrow) -> None:
    near = z[rows]
    centre = np.minimum(LAMOST_GRID.pixel_of(5100 * (1 + near)).astype(int), LAMOST_GRID.n_pixels - 1)
    width = narrow.width * observed[rows, centre] * (1 + near)
    flux = observed[rows]
    add_lines(flux, near, width, narrow.ratios, narrow.sigma, np.zeros(len(rows)))
    observed[rows] = flux


def _draw_hosts(z: np.ndarray, rng: np.random.Generator) -> tuple[Galaxy, np.ndarray]:
    """Host galaxies of quasars at `z` (n,), and the share (n,) of the light that they have."""
    hosts = galaxies_at_rest(rng.choice(["quiescent", "starforming"], len(z)), rng)
    return hosts, rng.beta(1.0, 5.0, len(z)) * np.clip(1.3 - z / _HOSTS, 0, 1)


def _host_level(nuclei: np.ndarray, hosts: np.ndarray, share: np.ndarray) -> np.ndarray:
    """By how much hosts are to be multiplied for their share of the light; (n, 1) float32."""
    level = [np.median(a[:, 1300:2600], axis=1) for a in (nuclei, hosts)]
    return (share / (1 - share) * level[0] / level[1]).astype(np.float32)[:, None]


def _pairs(z: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The stretch that fills most of the window at random, the other among its ten look-alikes."""
    basis, n = _basis(), len(z)
    uv, optical = rng.integers(0, len(basis.optical_of_uv), n), rng.integers(0, len(basis.uv_of_optical), n)
    friend = rng.integers(0, basis.optical_of_uv.shape[1], n)
    far = z > 1.2
    return np.where(far, uv, basis.uv_of_optical[optical, friend]), np.where(
        far, basis.optical_of_uv[uv, friend], optical
    )


def _level(log_flux: np.ndarray, low: float, high: float) -> np.ndarray:
    return log_flux[:, slice(*np.searchsorted(_REST, (low, high)))].mean(axis=1, keepdims=True)


def _lines(lines, pixels: slice, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ln of (1 + the lines over the continuum) on the pixels of a slice; `own` are widths in km/s."""
    total = np.ones((len(own), len(_REST[pixels])), np.float32)
    for centre, width, scatter, sigma in lines:
        sigma = centre * (own if sigma == 0 else np.full(len(own), sigma)) / C_KM_S
        strength = width * np.exp(scatter * rng.standard_normal(len(own))) / (np.sqrt(2 * np.pi) * sigma)
        near = slice(*np.searchsorted(_REST[pixels], (centre * 0.92, centre * 1.08)))
        offset = (_REST[pixels][near] - centre).astype(np.float32) / sigma.astype(np.float32)[:, None]
        total[:, near] += strength.astype(np.float32)[:, None] * np.exp(-0.5 * offset**2)
    return np.log(total)


def _extend_red(log_flux: np.ndarray, rng: np.random.Generator) -> None:
    """Past 5095 Angstrom: a power law with broad H alpha, He I, O I and an Fe II bump, in place."""
    n, red = len(log_flux), slice(int(np.searchsorted(_REST, 5095)), None)
    slope = rng.normal(-1.0, 0.4, (n, 1)).astype(np.float32)
    anchor = _level(log_flux, 5070, 5095)
    log_flux[:, red] = anchor + slope * (_LN[red] - np.log(5095)).astype(np.float32)
    log_flux[:, red] += _lines(_RED_LINES, red, rng.uniform(900, 2600, n), rng)


def _extend_blue(log_flux: np.ndarray, rng: np.random.Generator) -> None:
    """Before 1204 Angstrom: the continuum of 1345-2050 Angstrom continued, harder below Lyman alpha, in place.

    Lyman alpha's blue wing fades into it; the components themselves end on that wing, far above the continuum.
    """
    n, blue = len(log_flux), slice(None, int(np.searchsorted(_REST, 1204)))
    near, far = 0.5 * (_level(log_flux, 1345, 1362) + _level(log_flux, 1440, 1480)), _level(log_flux, 2010, 2050)
    slope = np.clip((far - near) / np.log(2030 / 1405), -2.6, 0.8)
    at_alpha = near + slope * np.log(1216 / 1405)
    hard = 0.5 * (slope + 1.45) + rng.normal(-0.55, 0.4, (n, 1))
    continuum = (at_alpha + hard * (_LN[blue] - np.log(1216))).astype(np.float32)
    wing = np.exp(np.clip(_level(log_flux, 1204, 1208) - continuum[:, -1:], 0, 2.5)) - 1
    fade = np.exp((_REST[blue] - 1204) / 9.0).astype(np.float32)
    log_flux[:, blue] = continuum + np.log1p(wing * fade) + _lines(_BLUE_LINES, blue, np.ones(n), rng)


def _sample(flux: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Quasar spectra at the pixels of the LAMOST grid: linear, two pixels to a step of the rest grid."""
    out = np.empty((len(z), LAMOST_GRID.n_pixels), np.float32)
    place = (np.log10(LAMOST_GRID.wave[0]) - np.log10(1 + z) - np.log10(_REST[0])) / _STEP
    whole = np.floor(place).astype(int)
    lacking = int(whole.max(initial=0)) + LAMOST_GRID.n_pixels // 2 + 4 - flux.shape[1]
    if lacking > 0:  # z below 0.044: the power law of the last 20 pixels goes on
        fall = (flux[:, -1:] / flux[:, -21:-20]) ** (np.arange(1, lacking + 1, dtype=np.float32) / 20)
        flux = np.concatenate([flux, flux[:, -1:] * fall], axis=1)
    for row, (begin, part) in enumerate(zip(whole, (place - whole).astype(np.float32), strict=True)):
        stretch = flux[row, begin : begin + LAMOST_GRID.n_pixels // 2 + 3]
        rise = np.diff(stretch)
        for odd in (0, 1):
            count, t, skip = len(out[row, odd::2]), part + 0.5 * odd, 0
            if t >= 1:
                t, skip = t - 1, 1
            out[row, odd::2] = stretch[skip : skip + count] + t * rise[skip : skip + count]
    return out
