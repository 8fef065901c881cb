"""The one description from which a residual network is built, checked when it is made.

Shapes that follow from it: input ``flux`` (n, n_pixels), one residual block per entry of ``filters`` with a pooling by
``pool_size`` after each, output ``probabilities`` (n, n_classes). Reference: Zou et al. 2020, PASP 132, 044503,
sections 2.5 and 2.6; what the text leaves open was settled by its parameter counts (0.388 and 0.623 million).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from racnet_tools.errors import RacnetError

SHORTCUTS = ("identity", "projection")
POOLINGS = ("max", "average")
HEADS = ("average", "average+max")
NORMALISATIONS = ("none", "batch")


class ConfigError(RacnetError, ValueError):
    """A network was asked for that cannot be built; the message ends in what was received."""


@dataclasses.dataclass(frozen=True)
class NetworkConfig:
    """What a residual network is made of.

    Parameters
    ----------
    name
        Name of the network (``"rcnet"``, ``"racnet"``), the name of the Keras model.
    n_classes
        Number of classes, at least 2.
    n_pixels
        Number of pixels of a spectrum.
    filters
        Channels of each residual block.
    kernel_size
        Width of every convolution in pixels, odd.
    attention
        Whether each block weights its channels (equations 7 to 11 of the paper).
    attention_convolution
        Whether the attention block owns a convolution ("Stage 1" of the paper); only with `attention`.
    shortcut
        ``"identity"``: a 1x1 convolution only where the number of channels changes; ``"projection"``: in every block.
    pooling
        ``"max"`` or ``"average"``, after each block.
    pool_size
        Pixels that are pooled into one after each block.
    head
        ``"average"``: mean over the remaining pixels; ``"average+max"``: mean and maximum, joined.
    dense_units
        Neurons of the fully connected layer.
    dropout
        Fraction of these neurons that is dropped in training, 0 <= dropout < 1.
    normalisation
        ``"none"`` or ``"batch"`` (batch normalisation after each convolution; changes the parameter count).
    input_scale
        Fixed factor on the input; None for sqrt(n_pixels), which brings the root mean square of an L2-normalised
        spectrum to 1 (without it training starts from activations near 0.016).

    Raises
    ------
    ConfigError
        When a value is outside what is described above.
    """

    name: str
    n_classes: int
    n_pixels: int = 3909
    filters: tuple[int, ...] = (16, 16, 32, 32, 64, 64, 128, 128)
    kernel_size: int = 3
    attention: bool = False
    attention_convolution: bool = False
    shortcut: str = "identity"
    pooling: str = "max"
    pool_size: int = 2
    head: str = "average"
    dense_units: int = 128
    dropout: float = 0.5
    normalisation: str = "none"
    input_scale: float | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        if not isinstance(self.filters, (tuple, list)):
            raise ConfigError(f"filters must be a sequence of numbers of channels. Received: filters={self.filters!r}")
        object.__setattr__(self, "filters", tuple(self.filters))
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ConfigError(f"name must be a plain word. Received: name={self.name!r}")
        self._check_integer("n_classes", 2)
        self._check_integer("kernel_size", 1)
        self._check_integer("pool_size", 1)
        self._check_integer("dense_units", 1)
        self._check_integer("n_pixels", 1)
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size must be odd. Received: kernel_size={self.kernel_size!r}")
        if not self.filters or not all(_is_integer(f) and f >= 1 for f in self.filters):
            raise ConfigError(f"filters must be one or more positive integers. Received: filters={self.filters!r}")
        for field in ("attention", "attention_convolution"):
            if not isinstance(getattr(self, field), bool):
                raise ConfigError(f"{field} must be True or False. Received: {field}={getattr(self, field)!r}")
        if self.attention_convolution and not self.attention:
            raise ConfigError(
                "attention_convolution needs attention=True. "
                f"Received: attention={self.attention}, attention_convolution={self.attention_convolution}"
            )
        self._check_choice("shortcut", SHORTCUTS)
        self._check_choice("pooling", POOLINGS)
        self._check_choice("head", HEADS)
        self._check_choice("normalisation", NORMALISATIONS)
        if not _is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1. Received: dropout={self.dropout!r}")
        if self.input_scale is not None and not (_is_number(self.input_scale) and 0 < self.input_scale < math.inf):
            raise ConfigError(f"input_scale must be positive or None. Received: input_scale={self.input_scale!r}")
        if self.lengths[-1] < 1:
            raise ConfigError(
                f"{self.n_pixels} pixels are too few for {len(self.filters)} poolings by {self.pool_size}: at least "
                f"{self.pool_size ** len(self.filters)} are needed. Received: n_pixels={self.n_pixels}"
            )

    @property
    def lengths(self) -> tuple[int, ...]:
        """Pixels that are left after each block, (n_blocks,)."""
        lengths, length = [], self.n_pixels
        for _ in self.filters:
            length //= self.pool_size
            lengths.append(length)
        return tuple(lengths)

    @property
    def scale(self) -> float:
        """The factor that the input is multiplied by."""
        return float(self.n_pixels) ** 0.5 if self.input_scale is None else float(self.input_scale)

    def multiply_adds(self) -> int:
        """Multiplications with addition of one forward pass of one spectrum (convolutions and dense layers)."""
        total, channels, length = 0, 1, self.n_pixels
        for filters, pooled in zip(self.filters, self.lengths, strict=True):
            taps = self.kernel_size * filters * (channels + 2 * filters)
            if self.attention:
                total += 2 * filters * filters
                taps += self.kernel_size * filters * filters * self.attention_convolution
            if self.shortcut == "projection" or channels != filters:
                taps += channels * filters
            total += taps * length
            channels, length = filters, pooled
        features = channels * (2 if self.head == "average+max" else 1)
        return total + features * self.dense_units + self.dense_units * self.n_classes

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain types, ready for JSON."""
        return {**dataclasses.asdict(self), "filters": list(self.filters)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Make a configuration from what `to_dict` returned.

        Raises
        ------
        ConfigError
            When a key is unknown or missing, or a value is not allowed.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"a network configuration is a table of names and values. Received: {values!r}")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(map(str, set(values) - known))
        if unknown:
            raise ConfigError(f"known settings of a network are {sorted(known)}. Received: {unknown}")
        missing = sorted({"name", "n_classes"} - set(values))
        if missing:
            raise ConfigError(f"a network configuration needs name and n_classes. Received: {sorted(values)}")
        return cls(**values)

    def _check_integer(self, field: str, least: int) -> None:
        value = getattr(self, field)
        if not _is_integer(value) or value < least:
            raise ConfigError(f"{field} must be an integer of at least {least}. Received: {field}={value!r}")

    def _check_choice(self, field: str, choices: tuple[str, ...]) -> None:
        value = getattr(self, field)
        if value not in choices:
            raise ConfigError(f"{field} must be one of {list(choices)}. Received: {field}={value!r}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
