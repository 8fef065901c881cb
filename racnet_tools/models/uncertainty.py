"""How unsure a network is: training sets the threshold of rejection on this score, classification compares with it."""

from __future__ import annotations

import numpy as np

__all__ = ["ood_score"]


def ood_score(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of class probabilities over its largest value.

    Parameters
    ----------
    probabilities : (n, n_classes) array
        Rows that sum to 1.

    Returns
    -------
    (n,) float64
        From 0 (sure) to 1 (all classes equally likely).
    """
    p = np.asarray(probabilities, dtype=np.float64)
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0)
    return np.clip(-terms.sum(axis=1) / np.log(p.shape[1]), 0.0, 1.0)


def joint_ood_score(probabilities: np.ndarray, redshift_confidence: np.ndarray) -> np.ndarray:
    """As `ood_score`, of a network that gives a redshift too: a known spectrum has a class and a place.

    1 - (1 - entropy) confidence. Among the scores that ``racnet reproduce beyond`` compares it found strangers best.

    Parameters
    ----------
    probabilities : (n, n_classes) array
        Rows that sum to 1.
    redshift_confidence : (n,) array
        Probability of the highest peak of the redshift, 0 to 1.

    Returns
    -------
    (n,) float64
        From 0 (sure) to 1.
    """
    return 1 - (1 - ood_score(probabilities)) * np.asarray(redshift_confidence, dtype=np.float64)
