"""As many training spectra of each class as asked for: larger classes are sampled down, smaller ones sampled up.

A copy differs from its original by Gaussian noise:

* ``"noise_from_ivar"``: in each pixel with the standard deviation a / sqrt(ivar), a drawn for each copy from 0.3 to 1,
  so that a copy is an honest spectrum of lower S/N: its ivar becomes ivar / (1 + a^2). Other noise in every epoch.
* ``"paper"``: "random Gaussian noise" (Zou et al. 2020) whose level is not published: here the same in all pixels,
  5 % of the spectrum's median absolute flux; drawn once.

Only training spectra are copied. Test and validation spectra are as the survey gave them, fewer where there are fewer.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import SpectrumSet

__all__ = ["BALANCES", "Balance", "choose", "with_noise"]

Balance = Literal["noise_from_ivar", "paper"]
BALANCES: tuple[str, ...] = get_args(Balance)
_PAPER_NOISE = 0.05
_IVAR_NOISE = (0.3, 1.0)


def choose(rows: np.ndarray, priority: np.ndarray, target: int, copies: bool) -> tuple[np.ndarray, np.ndarray]:
    """`target` of the rows: those of lowest priority where there are more, with copies where there are fewer.

    Parameters
    ----------
    rows : (n,) int array
        Candidates.
    priority : (n,) array
        A random number for each.
    target : int
    copies : bool
        Whether rows may be taken several times.

    Returns
    -------
    rows, copy : (m,) int arrays
        ``copy`` is 0 for the spectrum itself and 1, 2, ... for its copies; every row is taken before any is copied.

    Examples
    --------
    >>> choose(np.array([4, 9]), np.array([0.5, 0.1]), 5, copies=True)
    (array([9, 4, 9, 4, 9]), array([0, 0, 1, 1, 2]))
    """
    ordered = rows[np.argsort(priority, kind="stable")]
    number = np.arange(target if copies and len(rows) else min(target, len(rows)))
    return ordered[number % max(1, len(rows))], number // max(1, len(rows))


def with_noise(spectra: SpectrumSet, copy: np.ndarray, rows: np.ndarray, balance: str, *, seed: int, epoch: int = 0):
    """The spectra, with noise added to those that are copies.

    Parameters
    ----------
    spectra : SpectrumSet
    copy : (n,) int array
        0 leaves a spectrum as it is.
    rows : (n,) int array
        Their numbers in the store; noise follows from seed, row, copy (and epoch) alone.
    balance : str
        One of `BALANCES`.
    seed, epoch : int

    Returns
    -------
    SpectrumSet
        A copy has its number behind its ``spec_id`` ("...+1"), its original's ``object_id``, and the S/N that is left.

    Raises
    ------
    RacnetError
        If `balance` is unknown.
    """
    if balance not in BALANCES:
        raise RacnetError(f"Expected balance to be one of {', '.join(BALANCES)}. Received: {balance!r}.")
    copies = np.flatnonzero(copy)
    if not len(copies):
        return spectra
    flux, ivar, table = spectra.flux.copy(), spectra.ivar.copy(), spectra.table.copy()
    names = table["spec_id"].tolist()
    for i in copies:
        good = ~spectra.mask[i]
        rng = np.random.default_rng([seed, int(rows[i]), int(copy[i]), epoch if balance == "noise_from_ivar" else 0])
        names[i] = f"{names[i]}+{copy[i]}"
        if balance == "noise_from_ivar":
            level = rng.uniform(*_IVAR_NOISE)
            sigma = level / np.sqrt(ivar[i, good])
            ivar[i, good] /= 1 + level**2
            left = 1 / np.sqrt(1 + level**2)
        else:
            sigma = np.full(good.sum(), _PAPER_NOISE * np.median(np.abs(flux[i, good]))) if good.any() else 0.0
            before = 1 / np.sqrt(np.median(ivar[i, good])) if good.any() else 1.0
            ivar[i, good] = 1 / (1 / ivar[i, good] + np.float32(1) * sigma**2)
            left = before / np.hypot(before, np.mean(sigma))
        # Zeros stay zero: they are no measurements (see Preprocessing).
        flux[i, good] += np.where(flux[i, good] != 0, rng.standard_normal(good.sum()) * sigma, 0).astype(np.float32)
        for band in ("snr_u", "snr_g", "snr_r", "snr_i", "snr_z"):
            table[band][i] = table[band][i] * left
    column = table["spec_id"]
    table["spec_id"] = type(column)(names, name="spec_id", description=column.description)
    return SpectrumSet(spectra.wave, flux, ivar, spectra.mask, table, spectra.meta)
