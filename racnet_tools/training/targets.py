"""What a joint network is to say of simulated spectra: class, stellar subtype and redshift as probabilities.

Subtype and redshift are ordered, so their targets are bells about the true value (label distribution learning; Geng
2016, IEEE TKDE 28, 1734): a step beside it is nearly right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from racnet_tools.models.joint_config import JointConfig
from racnet_tools.models.measured import log_redshifts
from racnet_tools.simulate.stars import stellar_subtype
from racnet_tools.spectra import LAMOST_GRID

__all__ = ["joint_targets"]

_SUBTYPE_WIDTH = 1.5  # subtypes; about LAMOST's own scatter between visits
_REDSHIFT_WIDTH = 0.6  # steps


def joint_targets(
    table: Any, config: JointConfig, classes: tuple[str, ...], place: np.ndarray | None = None
) -> np.ndarray:
    """Targets of the outputs of a joint network, joined.

    Parameters
    ----------
    table : Table
        Of `racnet_tools.simulate.simulate`: label, z, teff, feh. UNKNOWN spectra are to get no class more than another,
        and neither subtype nor redshift; white dwarfs and carbon stars, which have no place on the scale, no subtype.
    config : JointConfig
        The network.
    classes : tuple of str
        In the order of the outputs.
    place : (n,) array, optional
        Subtypes on the simulation's scale, NaN where there is none, instead of those of teff and feh.

    Returns
    -------
    (n, n_outputs) float32
    """
    labels = np.array([str(label) for label in table["label"]])
    column = {
        name: np.array(np.ma.filled(np.ma.asarray(table[name]).astype(float), np.nan))
        if name in table.colnames
        else np.full(len(labels), np.nan)
        for name in ("z", "teff", "feh")
    }
    known = np.array([label in classes for label in labels])
    of_class = np.where(known[:, None], labels[:, None] == np.array(classes), 1 / len(classes))
    if place is None:
        metals = np.where(np.isfinite(column["feh"]), column["feh"], 0.0)
        place = np.where(labels == "STAR", stellar_subtype(column["teff"], metals), np.nan)
    subtype = _bell(np.arange(config.n_subtypes) + 0.5, place, _SUBTYPE_WIDTH)
    tried = log_redshifts(config, LAMOST_GRID)
    z = np.where(known, column["z"], np.nan)
    redshift = _bell(tried, np.log1p(z), _REDSHIFT_WIDTH * (tried[1] - tried[0]))
    return np.concatenate([of_class, subtype, redshift], axis=1).astype(np.float32)


def _bell(scale: np.ndarray, value: np.ndarray, width: float) -> np.ndarray:
    """Normal densities about values (n,) on a scale, each with sum 1; zeros where there is no value."""
    bell = np.exp(-0.5 * ((scale - np.asarray(value, float)[:, None]) / width) ** 2)
    bell = np.nan_to_num(bell)
    return bell / np.maximum(bell.sum(axis=1, keepdims=True), 1e-12)
