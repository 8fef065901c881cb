"""The description from which a network is built, checked when it is made.

Every network takes ``flux`` (n, n_pixels) and gives ``probabilities`` (n, n_classes). Two families exist:
`racnet_tools.models.residual_config.ResidualConfig` (RC-Net, RAC-Net) and
`racnet_tools.models.plain_config.PlainConfig` (the FC network, C-Net, 1D SSCNN).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from racnet_tools.errors import RacnetError


class ConfigError(RacnetError, ValueError):
    """A network was asked for that cannot be built; the message ends in what was received."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What all networks have; the families add what they are made of.

    Parameters
    ----------
    name
        Name of the network (``"rcnet"``, ``"racnet"``, ...), the name of the Keras model.
    n_classes
        Number of classes, at least 2.
    n_pixels
        Number of pixels of a spectrum.
    dropout
        Fraction of the fully connected layer's neurons that is dropped in training, 0 <= dropout < 1.
    input_scale
        Fixed factor on the input; None for sqrt(n_pixels), which brings the root mean square of an L2-normalised
        spectrum to 1 (without it training starts from activations near 0.016).

    Raises
    ------
    ConfigError
        When a value is outside what is described above.
    """

    family: ClassVar[str] = ""
    _families: ClassVar[dict[str, type[NetworkConfig]]] = {}

    name: str
    n_classes: int
    n_pixels: int = 3909
    dropout: float = 0.5
    input_scale: float | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make a family known by its word."""
        super().__init_subclass__(**kwargs)
        NetworkConfig._families[cls.family] = cls

    def __post_init__(self) -> None:
        """Check every value."""
        if not isinstance(self.name, str) or not self.name.isidentifier():
            raise ConfigError(f"name must be a plain word. Received: name={self.name!r}")
        self._check_integer("n_classes", 2)
        self._check_integer("n_pixels", 1)
        if not is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1. Received: dropout={self.dropout!r}")
        if self.input_scale is not None and not (is_number(self.input_scale) and 0 < self.input_scale < math.inf):
            raise ConfigError(f"input_scale must be positive or None. Received: input_scale={self.input_scale!r}")

    @property
    def scale(self) -> float:
        """The factor that the input is multiplied by."""
        return float(self.n_pixels) ** 0.5 if self.input_scale is None else float(self.input_scale)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one spectrum: (n_pixels,), or (n_pixels, channels)."""
        return (self.n_pixels,)

    @property
    def output_widths(self) -> dict[str, int]:
        """Numbers that each output has, by its name; they are joined in this order."""
        return {"probabilities": self.n_classes}

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Neurons of each fully connected layer before the output."""
        raise NotImplementedError

    @property
    def n_features(self) -> int:
        """Numbers that reach the first fully connected layer."""
        raise NotImplementedError

    def body_multiply_adds(self) -> int:
        """Multiplications with addition of what comes before the fully connected layers."""
        raise NotImplementedError

    def multiply_adds(self) -> int:
        """Multiplications with addition of one forward pass of one spectrum (convolutions and dense layers).

        One of them is counted as two floating-point operations (FLOPs).
        """
        widths = (self.n_features, *self.hidden_units, self.n_classes)
        return self.body_multiply_adds() + sum(a * b for a, b in pairwise(widths))

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain types, ready for JSON."""
        return {"family": self.family, **{name: _plain(value) for name, value in dataclasses.asdict(self).items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Make a configuration, of the family that is named, from what `to_dict` returned.

        Raises
        ------
        ConfigError
            When a key is unknown or missing, or a value is not allowed.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"a network configuration is a table of names and values. Received: {values!r}")
        family = NetworkConfig._families.get(str(values.get("family")))
        if family is None:
            raise ConfigError(
                f"family must be one of {sorted(NetworkConfig._families)}. Received: family={values.get('family')!r}"
            )
        settings = {name: value for name, value in values.items() if name != "family"}
        known = {field.name for field in dataclasses.fields(family)}
        unknown = sorted(map(str, set(settings) - known))
        if unknown:
            raise ConfigError(f"known settings of a {family.family} network are {sorted(known)}. Received: {unknown}")
        missing = sorted({"name", "n_classes"} - set(settings))
        if missing:
            raise ConfigError(f"a network configuration needs name and n_classes. Received: {sorted(values)}")
        return family(**settings)

    def _check_integer(self, field: str, least: int) -> None:
        value = getattr(self, field)
        if not is_integer(value) or value < least:
            raise ConfigError(f"{field} must be an integer of at least {least}. Received: {field}={value!r}")

    def _check_integers(self, field: str, fewest: int) -> None:
        """Check that a field holds `fewest` or more positive integers, and make a tuple of it."""
        values = getattr(self, field)
        if not isinstance(values, (tuple, list)) or len(values) < fewest:
            raise ConfigError(f"{field} must be {fewest} or more positive integers. Received: {field}={values!r}")
        if not all(is_integer(value) and value >= 1 for value in values):
            raise ConfigError(f"{field} must be positive integers. Received: {field}={values!r}")
        object.__setattr__(self, field, tuple(values))

    def _check_choice(self, field: str, choices: Sequence[str]) -> None:
        value = getattr(self, field)
        if value not in choices:
            raise ConfigError(f"{field} must be one of {list(choices)}. Received: {field}={value!r}")


def is_integer(value: object) -> bool:
    """Whether a value is an integer, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is a real number, which True is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
