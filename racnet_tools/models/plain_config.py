"""Configuration of the plain networks: convolutions with pooling one after the other, then fully connected layers."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from racnet_tools.models.config import ConfigError, NetworkConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlainConfig(NetworkConfig):
    """What a plain network is made of, beside what `NetworkConfig` tells.

    Parameters
    ----------
    filters
        Channels of each convolution; none for a network of fully connected layers alone.
    kernel_size
        Width of every convolution in pixels.
    pool_sizes
        Pixels that are pooled into one (their maximum) after each convolution; 1 for no pooling.
    dense_units
        Neurons of each fully connected layer before the output, one layer or more. Dropout follows each.

    Raises
    ------
    ConfigError
        When a value is outside what is described above.
    """

    family: ClassVar[str] = "plain"

    filters: tuple[int, ...] = ()
    kernel_size: int = 3
    pool_sizes: tuple[int, ...] = ()
    dense_units: tuple[int, ...] = (128,)

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        self._check_integers("filters", 0)
        self._check_integers("pool_sizes", 0)
        self._check_integers("dense_units", 1)
        self._check_integer("kernel_size", 1)
        if len(self.filters) != len(self.pool_sizes):
            raise ConfigError(
                f"pool_sizes must be one for each of the {len(self.filters)} convolutions. "
                f"Received: pool_sizes={self.pool_sizes!r}"
            )
        if self.filters and self.lengths[-1] < 1:
            raise ConfigError(f"n_pixels is too small for the poolings. Received: n_pixels={self.n_pixels}")

    @property
    def lengths(self) -> tuple[int, ...]:
        """Pixels that are left after each convolution and its pooling, (n_convolutions,)."""
        lengths, length = [], self.n_pixels
        for size in self.pool_sizes:
            length //= size
            lengths.append(length)
        return tuple(lengths)

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Neurons of each fully connected layer before the output."""
        return self.dense_units

    @property
    def n_features(self) -> int:
        """Pixels times channels after the last pooling."""
        return self.lengths[-1] * self.filters[-1] if self.filters else self.n_pixels

    def body_multiply_adds(self) -> int:
        """Multiplications with addition of all convolutions."""
        total, channels, length = 0, 1, self.n_pixels
        for filters, pooled in zip(self.filters, self.lengths, strict=True):
            total += self.kernel_size * channels * filters * length
            channels, length = filters, pooled
        return total
