"""A preset at work on one spectrum: class, type, redshift, attention along the spectrum, occlusion.

All by ONNX Runtime in one thread. What only some visitors ask for (attention, occlusion) is loaded when first asked.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.inference.classifier import Classifier
from racnet_tools.inference.words import measured_words

if TYPE_CHECKING:
    from racnet_tools.evaluate.kept_calibration import KeptCalibration
    from racnet_tools.explain.attribution import Attribution
    from racnet_tools.spectra import SpectrumSet

__all__ = ["Network", "Verdict", "network"]

_MAP_COLUMNS = 652  # of the heat map: six pixels each, narrower than a pixel of most screens
_KEPT = 2  # networks in memory; one takes about 15 MB


@dataclass(frozen=True)
class Verdict:
    """What a network says of a spectrum.

    Attributes
    ----------
    preset : str
    classes : tuple of str
    probabilities : (k,) array
    label, subclass : str
        Most probable; subclass "" where the class has none.
    confidence, subclass_confidence : float
    rejected : bool
    score, threshold : float
        Of doubt, and the one above which a spectrum is rejected.
    z : float or None
        Redshift that a joint network measures.
    measured : dict of str to str
        What a joint network says besides, in words: subtype, redshift, prediction set, quality.
    """

    preset: str
    classes: tuple[str, ...]
    probabilities: np.ndarray
    label: str
    confidence: float
    subclass: str
    subclass_confidence: float
    rejected: bool
    score: float
    threshold: float
    z: float | None
    measured: dict[str, str]


class Network:
    """A preset ready to judge spectra one at a time.

    Parameters
    ----------
    name : str
        Of an available preset.
    """

    def __init__(self, name: str) -> None:
        self._classifier = Classifier(name, threads=1)
        self.preset = self._classifier.preset
        self._names = [column.name for column in self._classifier.columns]
        self._profiles: Callable[[np.ndarray, np.random.Generator | None], np.ndarray] | None = None
        self._logits: Callable[[np.ndarray], np.ndarray] | None = None

    @property
    def wave(self) -> np.ndarray:
        """Wavelengths of the network's pixels."""
        return self.preset.preprocessing.grid.wave

    @cached_property
    def calibration(self) -> KeptCalibration | None:
        """How often the network is right when it is so sure; None where that was not measured. Takes 0.8 s once."""
        from racnet_tools.evaluate.kept_calibration import kept_calibration

        return kept_calibration(self.preset)

    @property
    def has_attention(self) -> bool:
        """Whether the network has channel attention."""
        return self.preset.config.get("attention") not in (None, "none")

    def prepare(self, spectrum: SpectrumSet) -> np.ndarray:
        """Network input, (1, n_pix) or (1, n_pix, n_channels), of a spectrum on any grid.

        Raises
        ------
        RacnetError
            If it cannot be judged, with the reason.
        """
        return self._classifier.prepare(spectrum.to_grid(self.preset.preprocessing.grid))

    def judge(self, spectrum: SpectrumSet, flux: np.ndarray) -> Verdict:
        """Classify a spectrum whose input `prepare` made."""
        row: dict[str, Any] = dict(zip(self._names, self._classifier.rows(spectrum, flux)[0], strict=True))
        limits = self.preset.limits
        return Verdict(
            preset=self.preset.name,
            classes=self.preset.classes,
            probabilities=np.array([row[f"p_{name}"] for name in self.preset.classes]),
            label=row["label"],
            confidence=row["confidence"],
            subclass=row["subclass"] or "",
            subclass_confidence=row["subclass_confidence"] or 0.0,
            rejected=row["rejected"],
            score=row["ood_score"],
            threshold=self.preset.reject_threshold,
            z=row.get("z"),
            measured=measured_words(row, limits.coverage) if limits else {},
        )

    def attention_map(self, flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Attention times absolute activation along the spectrum, for each block.

        Parameters
        ----------
        flux : (1, n_pix) or (1, n_pix, n_channels) array
            Network input.

        Returns
        -------
        (blocks, m) float array
            Summed over the block's channels; each block's mean along the spectrum is 1.
        (m,) array
            Wavelengths.

        Raises
        ------
        RacnetError
            If the network has no attention.
        """
        from racnet_tools.explain.channels import block_profiles

        if not self.has_attention:
            raise RacnetError(
                f"Expected a network with channel attention; {self.preset.name} has none. Choose a racnet network."
            )
        if self._profiles is None:
            self._profiles = block_profiles(self.preset)
        profiles = self._profiles(flux, None)[0]
        bins = np.linspace(0, flux.shape[1], _MAP_COLUMNS + 1).astype(int)
        binned = np.add.reduceat(profiles, bins[:-1], axis=1) / np.diff(bins)
        return binned, self.wave[(bins[:-1] + bins[1:]) // 2]

    def occlude(self, flux: np.ndarray) -> Attribution:
        """What speaks for the class that the network gives, by hiding stretches of the spectrum; some 0.4 s."""
        from racnet_tools.explain.occlusion import logits_of, occlude

        if self._logits is None:
            self._logits = logits_of(self.preset.class_bytes(), threads=1)
        return occlude(self.preset, flux, logits=self._logits)


_networks: OrderedDict[str, Network] = OrderedDict()


def network(name: str) -> Network:
    """The network of a preset; the last few used stay in memory."""
    if name not in _networks:
        _networks[name] = Network(name)
        while len(_networks) > _KEPT:
            _networks.popitem(last=False)
    _networks.move_to_end(name)
    return _networks[name]
