"""Configuration of the networks that give class, stellar subtype and redshift at once.

The blocks are `ResidualConfig`'s; what is added are several input channels, positions that the later blocks know, and
a redshift by correlation (`racnet_tools.models.correlation`). Not from Zou et al. 2020.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from racnet_tools.models.config import ConfigError
from racnet_tools.models.residual_config import ResidualConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointConfig(ResidualConfig):
    """What a joint network is made of, beside what `ResidualConfig` tells.

    After the last block nothing is pooled: the fully connected layer sees each of its positions.

    Parameters
    ----------
    channels
        Numbers that are given of every pixel (`racnet_tools.spectra.Preprocessing`).
    n_subtypes
        Steps of the stellar subtype, from the hottest: O0, O1, ... M9.
    redshift_block
        Block (from 1) whose output is correlated.
    redshift_channels
        Channels that are correlated.
    n_redshifts
        Redshifts that are tried, evenly in log(1 + z): the step is that of the correlated positions.
    first_redshift
        Steps from redshift 0 to the first one, 0 or less.

    Raises
    ------
    ConfigError
        When a value is outside what is described above.
    """

    family: ClassVar[str] = "joint"

    channels: int = 3
    n_subtypes: int = 70
    redshift_block: int = 2
    redshift_channels: int = 16
    n_redshifts: int = 490
    first_redshift: int = -2

    def __post_init__(self) -> None:
        """Check every value."""
        super().__post_init__()
        for field in ("channels", "redshift_block", "redshift_channels"):
            self._check_integer(field, 1)
        for field in ("n_subtypes", "n_redshifts"):
            self._check_integer(field, 2)
        if not isinstance(self.first_redshift, int) or not -self.n_redshifts < self.first_redshift <= 0:
            raise ConfigError(f"first_redshift must be 0 or a little less. Received: {self.first_redshift!r}")
        if self.redshift_block > len(self.filters):
            raise ConfigError(
                f"redshift_block must be one of {len(self.filters)} blocks. Received: {self.redshift_block}"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one spectrum."""
        return (self.n_pixels, self.channels)

    @property
    def output_widths(self) -> dict[str, int]:
        """Numbers that each output has."""
        return {"probabilities": self.n_classes, "subtype": self.n_subtypes, "redshift": self.n_redshifts}

    @property
    def block_lengths(self) -> tuple[int, ...]:
        """Positions inside each block, before its pooling."""
        return (self.stem_length, *self.lengths[:-1])

    @property
    def redshift_step(self) -> int:
        """Pixels from one redshift that is tried to the next."""
        return self.stem_step[0] * self.pool_size ** (self.redshift_block - 1)

    @property
    def n_features(self) -> int:
        """Numbers that reach the fully connected layer."""
        return self.filters[-1] * self.block_lengths[-1]

    def body_multiply_adds(self) -> int:
        """Multiplications with addition of everything before the fully connected layer."""
        total = super().body_multiply_adds()
        if self.stem:
            total += self.stem[0] * self.stem[1] * self.stem_length * (self.channels - 1)
        positions = self.block_lengths[self.redshift_block - 1]
        own = self.filters[self.redshift_block - 1] + self.n_redshifts
        return total + positions * self.redshift_channels * own

    def multiply_adds(self) -> int:
        """As of every network; both outputs of the fully connected layer are counted."""
        return super().multiply_adds() + self.dense_units * self.n_subtypes
