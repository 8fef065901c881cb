"""Configuration of the residual networks: blocks of three convolutions and a shortcut, with or without attention.

One residual block per entry of ``filters``, with a pooling by ``pool_size`` after each. Reference: Zou et al. 2020,
PASP 132, 044503, sections 2.5 and 2.6; what the text leaves open was settled by its parameter counts (0.388 and 0.623
million).
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from racnet_tools.models.config import ConfigError, NetworkConfig

ATTENTIONS = ("none", "paper", "se", "eca", "cbam")
SHORTCUTS = ("identity", "projection")
POOLINGS = ("max", "average")
HEADS = ("average", "average+max")
NORMALISATIONS = ("none", "batch")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResidualConfig(NetworkConfig):
    """What a residual network is made of, beside what `NetworkConfig` tells.

    Parameters
    ----------
    stem
        ``(channels, width, stride)`` of a convolution with ReLU before the blocks, which keeps one pixel of `stride`;
        ``()`` for none.
    filters
        Channels of each residual block.
    kernel_size
        Width of every convolution in pixels, odd.
    attention
        How each block weights its channels: ``"paper"`` (equations 7 to 11), ``"se"``, ``"eca"``, ``"cbam"`` (see
        `racnet_tools.models.attention`), or ``"none"``.
    attention_convolution
        Whether a fourth convolution stands before the channel weights ("Stage 1" of the paper's attention block). With
        ``attention="none"`` it is the control of an ablation: the same network but for the weights.
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
    normalisation
        ``"none"`` or ``"batch"`` (batch normalisation after each convolution; changes the parameter count).

    Raises
    ------
    ConfigError
        When a value is outside what is described above.
    """

    family: ClassVar[str] = "residual"

    stem: tuple[int, ...] = ()
    filters: tuple[int, ...] = (16, 16, 32, 32, 64, 64, 128, 128)
    kernel_size: int = 3
    attention: str = "none"
    attention_convolution: bool = False
    shortcut: str = "identity"
    pooling: str = "max"
    pool_size: int = 2
    head: str = "average"
    dense_units: int = 128
    normalisation: str = "none"

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self._check_integers("stem", 0)
        if len(self.stem) not in (0, 3):
            raise ConfigError(f"stem must be (channels, width, stride) or (). Received: stem={self.stem!r}")
        self._check_integers("filters", 1)
        for field in ("kernel_size", "pool_size", "dense_units"):
            self._check_integer(field, 1)
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"kernel_size must be odd. Received: kernel_size={self.kernel_size!r}")
        if not isinstance(self.attention_convolution, bool):
            raise ConfigError(
                "attention_convolution must be True or False. "
                f"Received: attention_convolution={self.attention_convolution!r}"
            )
        self._check_choice("attention", ATTENTIONS)
        self._check_choice("shortcut", SHORTCUTS)
        self._check_choice("pooling", POOLINGS)
        self._check_choice("head", HEADS)
        self._check_choice("normalisation", NORMALISATIONS)
        if self.lengths[-1] < 1:
            raise ConfigError(
                f"{self.n_pixels} pixels are too few for {len(self.filters)} poolings by {self.pool_size}: at least "
                f"{self.pool_size ** len(self.filters)} are needed (times the stem's stride). "
                f"Received: n_pixels={self.n_pixels}"
            )

    @property
    def stem_length(self) -> int:
        """Pixels that reach the first block."""
        return -(-self.n_pixels // self.stem[2]) if self.stem else self.n_pixels

    @property
    def stem_step(self) -> tuple[int, int, float]:
        """Of the first block: pixels from one position to the next, pixels that one sees, middle of the first."""
        if not self.stem:
            return 1, 1, 0.0
        _, width, stride = self.stem
        added = max((self.stem_length - 1) * stride + width - self.n_pixels, 0)
        return stride, width, (width - 1) / 2 - added // 2

    @property
    def lengths(self) -> tuple[int, ...]:
        """Pixels that are left after each block, (n_blocks,)."""
        lengths, length = [], self.stem_length
        for _ in self.filters:
            length //= self.pool_size
            lengths.append(length)
        return tuple(lengths)

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Neurons of the fully connected layer."""
        return (self.dense_units,)

    @property
    def n_features(self) -> int:
        """Channels of the last block, twice where mean and maximum are joined."""
        return self.filters[-1] * (2 if self.head == "average+max" else 1)

    def body_multiply_adds(self) -> int:
        """Multiplications with addition of all blocks."""
        total, channels, length = 0, 1, self.stem_length
        if self.stem:
            channels, width, _ = self.stem
            total += channels * width * length
        for filters, pooled in zip(self.filters, self.lengths, strict=True):
            taps = self.kernel_size * filters * (channels + 2 * filters)
            taps += self.kernel_size * filters * filters * self.attention_convolution
            if self.shortcut == "projection" or channels != filters:
                taps += channels * filters
            total += taps * length + self._attention_multiply_adds(filters, length)
            channels, length = filters, pooled
        return total

    def _attention_multiply_adds(self, filters: int, length: int) -> int:
        """Those of the weights themselves; poolings and products with the features are not counted."""
        return {
            "none": 0,
            "paper": 2 * filters * filters,
            "se": 2 * filters * squeezed(filters),
            "eca": filters * neighbours(filters),
            "cbam": 4 * filters * squeezed(filters) + 2 * POSITION_KERNEL * length,
        }[self.attention]


POSITION_KERNEL = 7
"""Pixels that CBAM's position gate looks at (Woo et al. 2018, section 3.2)."""


def squeezed(channels: int) -> int:
    """Neurons of the squeezed layer of SE and CBAM: channels / 16 as published, but four at least."""
    return max(4, channels // 16)


def neighbours(channels: int) -> int:
    """Neighbouring channels that ECA looks at: odd, growing with log2(channels) (Wang et al. 2020, equation 12)."""
    width = (channels.bit_length() - 1 + 1) // 2
    return width if width % 2 else width + 1
