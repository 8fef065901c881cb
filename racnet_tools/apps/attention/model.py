"""What the attention explorer knows: a network, labelled spectra, its attention on them, and channels forced by hand.

No widget here. The spectra are the shipped set of ``data/attention`` (simulated; `build_set.py` makes it).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain import (
    Excitation,
    ablate_together,
    compare_attention,
    excited_most,
    kept_trust,
    receptive_field,
    separation,
    spectrum_attention,
)
from racnet_tools.explain.attention_set import attention_spectra
from racnet_tools.inference import Preset, available_presets, load_preset

if TYPE_CHECKING:
    from astropy.table import Row, Table

    from racnet_tools.explain import Check

__all__ = ["FORCED", "AttentionModel"]

#: What a channel's weight can be forced to, by the name a visitor sees; None: the channel's mean over all spectra.
FORCED: dict[str, float | None] = {"shut (weight 0)": 0.0, "open (weight 1)": 1.0, "its mean": None}

_FIRST = "racnet-survey"
_SHARED = ("STAR", "GALAXY", "QSO")
_RANKED = 24  # channels shown
_DRAWS = {"permutations": 400, "resamples": 200}


def _of_classes(preset: Preset, classes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Input of a preset's network for the spectra of some classes, and the index of each one's class."""
    spectra = attention_spectra()  # read anew each time: to keep them would cost every kernel memory
    labels = np.asarray(spectra.table["label"])
    here = np.isin(labels, classes)
    return preset.preprocessing(spectra[here]), np.array([classes.index(str(label)) for label in labels[here]])


class AttentionModel:
    """State of the attention explorer.

    Attributes
    ----------
    presets : tuple of str
        Networks with attention that tell stars, galaxies and quasars apart.
    preset : Preset
    classes : tuple of str
    x : (n, n_pix) or (n, n_pix, n_channels) float32
        Preprocessed spectra of the classes that the network knows.
    y : (n,) int
    weights : list of (n, channels) float32
        Attention, an array a block.
    accuracy : float
        Share of the spectra that the unchanged network gives their class.
    block, channel : int
        The channel looked at, from 1 and from 0.
    forced : dict of (block, channel) to float
        Channels whose weight is forced, and to what.
    """

    def __init__(self) -> None:
        known = {name: load_preset(name) for name in available_presets()}
        self._known = {
            name: preset
            for name, preset in known.items()
            if set(_SHARED) <= set(preset.classes) and preset.config.get("attention", "none") != "none"
        }
        self.presets = tuple(self._known)
        self.choose(_FIRST if _FIRST in self.presets else self.presets[0])

    # Choices

    def choose(self, name: Any) -> None:
        """Look at another network; nothing is forced there, and the best channel is looked at."""
        if name not in self.presets:
            raise RacnetError(f"Expected one of {', '.join(self.presets)}. Received: {str(name)[:40]!r}.")
        self.preset: Preset = self._known[name]
        self.classes = self.preset.classes
        self.x, self.y = _of_classes(self.preset, self.classes)
        probabilities, self.weights = spectrum_attention(self.preset, self.x)
        self.accuracy = float(np.mean(probabilities.argmax(axis=1) == self.y))
        self.forced: dict[tuple[int, int], float] = {}
        self._ranking: Table | None = None
        self.block, self.channel = self._first()

    def look_at(self, block: Any, channel: Any) -> None:
        """Look at another channel: block from 1, channel from 0."""
        sizes = self.sizes
        if type(block) is not int or not 1 <= block <= len(sizes):
            raise RacnetError(f"Expected a block from 1 to {len(sizes)}. Received: {str(block)[:40]!r}.")
        if type(channel) is not int or not 0 <= channel < sizes[block - 1]:
            raise RacnetError(
                f"Expected a channel of block {block} from 0 to {sizes[block - 1] - 1}. "
                f"Received: {str(channel)[:40]!r}."
            )
        self.block, self.channel = block, channel

    def force(self, how: Any, *, whole_block: bool = False) -> None:
        """Force the weight of the channel looked at, or of all of its block, to one of `FORCED`."""
        if how not in FORCED:
            raise RacnetError(f"Expected one of {', '.join(FORCED)}. Received: {str(how)[:40]!r}.")
        channels = range(self.sizes[self.block - 1]) if whole_block else [self.channel]
        means = self.weights[self.block - 1].mean(axis=0)
        for channel in channels:
            value = FORCED[how]
            self.forced[self.block, channel] = float(means[channel]) if value is None else value

    def restore(self) -> None:
        """Leave all channels their own weights."""
        self.forced = {}

    # What is shown

    @property
    def sizes(self) -> list[int]:
        """Channels of each block."""
        return [block.shape[1] for block in self.weights]

    def means(self) -> dict[str, list[np.ndarray]]:
        """Class to its mean weights, an array a block."""
        return {
            name: [block[self.y == k].mean(axis=0) for block in self.weights] for k, name in enumerate(self.classes)
        }

    def ranking(self) -> Table:
        """The channels that separate the classes best, with intervals by 200 bootstrap samples."""
        if self._ranking is None:
            self._ranking = separation(self.weights, self.y, self.classes, **_DRAWS)
        return self._ranking[:_RANKED]

    def row(self) -> Row:
        """Row of the ranking for the channel looked at."""
        self.ranking()
        table: Any = self._ranking
        return table[(table["block"] == self.block) & (table["channel"] == self.channel)][0]

    def by_class(self) -> list[tuple[str, float, float]]:
        """Mean and standard deviation of the weight of the channel looked at, for each class."""
        weight = self.weights[self.block - 1][:, self.channel]
        return [(name, float(weight[self.y == k].mean()), float(weight[self.y == k].std(ddof=1)))
                for k, name in enumerate(self.classes)]  # fmt: skip

    def sees(self) -> tuple[int, float]:
        """How much of the spectrum one feature of the block sees: pixels, and km/s."""
        pixels = receptive_field(self.preset.config, self.block).pixels
        return pixels, pixels * 69.03  # km/s a pixel of the log-wavelength grid: c ln(10) 1e-4

    def excitation(self) -> Excitation:
        """The stretches of the spectra that excite the channel most.

        Raises
        ------
        RacnetError
            If a feature of the block sees more than the spectrum.
        """
        return excited_most(self.preset, self.x, self.block, self.channel, most=20)

    def excited_classes(self, found: Excitation) -> str:
        """Classes of the spectra that excite the channel most, in words."""
        counts = np.bincount(self.y[found.spectra], minlength=len(self.classes))
        return ", ".join(f"{count} {name}" for name, count in zip(self.classes, counts, strict=True) if count)

    def change(self) -> Row | None:
        """What the forced channels change: a row of `racnet_tools.explain.ablate_together`; None if none is forced."""
        if not self.forced:
            return None
        weights: dict[int, np.ndarray] = {}
        for (block, channel), value in self.forced.items():
            weights.setdefault(block, np.full(self.sizes[block - 1], np.nan))[channel] = value
        return ablate_together(self.preset, self.x, self.y, weights)[0]

    def variants(self) -> Table:
        """Attention of networks compared, two and two, on the spectra of the classes that all know.

        Blocks can only be compared one by one: of the networks with the same number of blocks, the most.
        """
        blocks = {name: len(preset.config["filters"]) for name, preset in self._known.items()}
        most, _ = Counter(blocks.values()).most_common(1)[0]
        alike = [name for name in self._known if blocks[name] == most]
        weights, y = {}, np.zeros(0, int)
        for name in alike:
            x, y = _of_classes(self._known[name], _SHARED)
            weights[name] = spectrum_attention(self._known[name], x)[1]
        return compare_attention(weights, y, permutations=60)

    def trust(self) -> tuple[tuple[Check, ...], str] | None:
        """Trust checks kept with the preset, and what they were made on; None where there are none."""
        kept = kept_trust(self.preset)
        return None if kept is None else (kept.checks, kept.spectra)

    def _first(self) -> tuple[int, int]:
        """The channel whose class means lie farthest apart: quicker than the ranking, and nearly its first."""
        means = self.means()
        best, place = -1.0, (1, 0)
        for block in range(len(self.weights)):
            spread = np.ptp([one[block] for one in means.values()], axis=0)
            if spread.max() > best:
                best, place = float(spread.max()), (block + 1, int(spread.argmax()))
        return place
