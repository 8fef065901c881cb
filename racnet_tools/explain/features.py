"""Attribution summed over spectral features: "H-beta 21 %, Mg b 14 %"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution
from racnet_tools.explain.check import Logits, log_odds
from racnet_tools.explain.occlusion import hide
from racnet_tools.spectra.channels import flux_of, with_flux
from racnet_tools.spectra.lines import line_windows

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["ELSEWHERE", "band_falls", "feature_falls", "feature_shares"]

ELSEWHERE = "elsewhere"
"""Name of the row for pixels that belong to no feature."""


def _features(label: str, z: float, wave: np.ndarray) -> list[tuple[str, str, float, list[tuple[int, int]]]]:
    """Name, kind, wavelength of the first line and windows of each feature."""
    found: dict[str, tuple[str, str, float, list[tuple[int, int]]]] = {}
    for row in line_windows(label, z, wave):  # a galaxy's H-beta, of gas and of stars, is one feature
        name = str(row["feature"])
        feature = found.setdefault(name, (name, str(row["kind"]), float(row["wave"]), []))
        feature[3].append((int(row["first"]), int(row["last"])))
    return list(found.values())


def feature_shares(explained: Attribution, index: int, z: float) -> Table:
    """Share of a spectrum's attribution that falls on each feature.

    A pixel in the windows of two features counts half for each; so shares and `ELSEWHERE` add up, in absolute values,
    to no more than 1. Features are those of the class that is explained.

    Parameters
    ----------
    explained : Attribution
    index : int
        Which of its spectra.
    z : float
        Redshift; NaN leaves the telluric bands and the sky's lines.

    Returns
    -------
    Table
        Columns name, kind, wave (observed, vacuum, Angstrom), share (of the sum of absolute values over all pixels;
        negative where the feature speaks against the class), of_pixels (share of the spectrum's pixels: what a map
        without structure would give). Largest absolute share first, `ELSEWHERE` last.

    Raises
    ------
    RacnetError
        If there is no such spectrum.
    """
    from astropy.table import Table

    if not -len(explained.values) <= index < len(explained.values):
        raise RacnetError(f"Expected one of {len(explained.values)} spectra. Received: number {index}.")
    values = explained.values[index].astype(float)
    n_pix, total = len(values), float(np.abs(values).sum())
    features = _features(explained.classes[int(explained.target[index])], z, explained.wave)
    covers = np.zeros((len(features), n_pix), bool)
    for row, (_, _, _, windows) in zip(covers, features, strict=True):
        for a, b in windows:
            row[a:b] = True
    weight = covers / np.maximum(covers.sum(axis=0), 1)
    shares = weight @ values / total if total else np.zeros(len(features))
    free = ~covers.any(axis=0)
    rows = [
        (name, kind, wave, float(share), float(own.sum() / n_pix))
        for (name, kind, wave, _), share, own in zip(features, shares, weight, strict=True)
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    rows.append((ELSEWHERE, "", np.nan, float(values[free].sum() / total) if total else 0.0, float(free.mean())))
    return Table(rows=rows, names=("name", "kind", "wave", "share", "of_pixels"))


def feature_falls(
    logits: Logits, x: np.ndarray, baseline: np.ndarray, target: int, label: str, z: float, wave: np.ndarray
) -> Table:
    """Fall of the log-odds of a class when all lines of a feature are hidden at once.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n_pix,) or (n_pix, n_channels) float32 array
        Network input of one spectrum.
    baseline : (n_pix,) float32 array
        What its flux is replaced by.
    target : int
        Index of the class.
    label : str
        Its name, which says what features to look for.
    z : float
        Redshift.
    wave : (n_pix,) array
        Angstrom, vacuum.

    Returns
    -------
    Table
        Columns name, kind, wave, fall (log-odds; positive where the feature speaks for the class), largest first.
    """
    from astropy.table import Table

    features = _features(label, z, wave)
    one = np.asarray(x, np.float32)[None]
    changed = np.repeat(flux_of(one), len(features) + 1, axis=0)
    for row, (_, _, _, windows) in zip(changed, features, strict=False):
        for a, b in windows:
            row[a:b] = baseline[a:b]
    scores = log_odds(logits(with_flux(one, changed)), np.full(len(changed), target))
    rows = [
        (name, kind, where, float(scores[-1] - score))
        for (name, kind, where, _), score in zip(features, scores[:-1], strict=True)
    ]
    rows.sort(key=lambda row: -abs(row[3]))
    return Table(rows=rows or None, names=("name", "kind", "wave", "fall"))


def band_falls(
    logits: Logits, x: np.ndarray, baseline: np.ndarray, target: np.ndarray, wave: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Fall of the log-odds when a whole band is replaced by its continuum.

    Parameters
    ----------
    logits : callable
        Network input to (n, k).
    x : (n, n_pix) or (n, n_pix, n_channels) float32 array
        Network input.
    baseline : (n, n_pix) float32 array
        What the flux is replaced by.
    target : (n,) int array
    wave : (n_pix,) array
        Angstrom, vacuum.
    edges : (m + 1,) array
        Increasing borders of the bands, Angstrom.

    Returns
    -------
    (n, m) float64

    Raises
    ------
    RacnetError
        If the borders do not increase.
    """
    borders = np.asarray(edges, float)
    if borders.ndim != 1 or len(borders) < 2 or not (np.diff(borders) > 0).all():
        raise RacnetError(f"Expected two increasing wavelengths or more. Received: {borders.tolist()}.")
    places = np.searchsorted(wave, borders)
    return hide(logits, x, baseline, target, np.stack([places[:-1], places[1:]], axis=1))
