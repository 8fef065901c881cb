"""From channels to wavelengths: what a block's pixel can see, where a channel is active, what excites it most.

A channel has a place on the wavelength axis only through its activation: its attention weight is one number for all
pixels. What is called a profile here is attention times absolute activation, brought from the block's pixels to those
of the spectrum. The receptive field is that of the convolutions and poolings alone. The attention weights themselves
come from the maximum and the mean over the whole spectrum, so that through them every pixel reaches every other.

References: Zou et al. 2020, PASP 132, 044503, section 2.6; Araujo, Norris & Sim 2019, Distill, "Computing receptive
fields of convolutional neural networks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import no_attention
from racnet_tools.explain.upsample import to_pixels
from racnet_tools.inference.engine import Engine
from racnet_tools.inference.graph import with_outputs
from racnet_tools.spectra.channels import flux_of

if TYPE_CHECKING:
    from astropy.table import Table

    from racnet_tools.inference.presets import Preset
    from racnet_tools.models.residual_config import ResidualConfig

__all__ = [
    "Excitation",
    "ReceptiveField",
    "attention_profile",
    "block_profiles",
    "channel_profiles",
    "excited_most",
    "receptive_field",
    "receptive_fields_table",
]

_SPEED_OF_LIGHT = 299792.458  # km/s


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels of the spectrum that reach a pixel of a block's weighted features, its attention held.

    Attributes
    ----------
    block : int
        From 1.
    length : int
        Pixels of the block's features.
    step : int
        Pixels of the spectrum from one of them to the next.
    pixels : int
        Pixels of the spectrum that one of them can see.
    offset : float
        Where in the spectrum the middle of the first of them lies, in pixels.
    """

    block: int
    length: int
    step: int
    pixels: int
    offset: float

    @property
    def middles(self) -> np.ndarray:
        """Pixel of the spectrum, often half-way between two, in the middle of each one's field; (length,)."""
        return self.offset + self.step * np.arange(self.length)

    def seen_by(self, position: int) -> tuple[int, int]:
        """First and last pixel of the field of a position; may lie outside the spectrum, where there are zeros."""
        middle = self.offset + self.step * position
        return round(middle - (self.pixels - 1) / 2), round(middle + (self.pixels - 1) / 2)


@dataclass(frozen=True)
class Excitation:
    """Stretches of spectra that excite a channel most, one of a spectrum.

    Attributes
    ----------
    block, channel : int
        From 1, from 0.
    spectra : (m,) int
        Numbers of the spectra, the strongest first.
    pixel : (m,) float
        Middle of each stretch.
    wave : (m,) float64
        The same in Angstrom.
    activation : (m,) float32
        Attention times activation there.
    velocity : (width,) float64
        Of the stretches' pixels about their middle, km/s.
    stretches : (m, width) float64
        Fluxes over the stretch's median.
    mean, error : (width,) float64
        Mean of the stretches and its standard error (NaN for one).
    """

    block: int
    channel: int
    spectra: np.ndarray
    pixel: np.ndarray
    wave: np.ndarray
    activation: np.ndarray
    velocity: np.ndarray
    stretches: np.ndarray
    mean: np.ndarray
    error: np.ndarray


def receptive_field(config: Mapping[str, Any], block: int) -> ReceptiveField:
    """What the weighted features of a block can see, exactly.

    Parameters
    ----------
    config : mapping
        A residual network's, as `Preset.config`.
    block : int
        From 1.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    RacnetError
        If the network is not residual or has no such block.
    """
    known = _residual(config)
    if not 1 <= block <= len(known.filters):
        raise RacnetError(f"Expected a block from 1 to {len(known.filters)}. Received: {block}.")
    from racnet_tools.models.residual_config import POSITION_KERNEL

    gate = POSITION_KERNEL - 1 if known.attention == "cbam" else 0  # acts on what leaves the block
    step, pixels, offset = known.stem_step
    convolutions = 3 + known.attention_convolution
    for _ in range(block - 1):
        pixels += (convolutions * (known.kernel_size - 1) + gate + known.pool_size - 1) * step
        offset += (known.pool_size - 1) / 2 * step
        step *= known.pool_size
    pixels += convolutions * (known.kernel_size - 1) * step
    return ReceptiveField(block, (known.stem_length, *known.lengths)[block - 1], step, pixels, offset)


def receptive_fields_table(preset: Preset) -> Table:
    """Receptive fields of all blocks.

    Returns
    -------
    Table
        A row a block: block, length (pixels of its features), step (pixels of the spectrum that one stands for),
        pixels (that one sees), velocity (the same in km/s), angstrom (its width about the middle of the spectrum, as
        far as the spectrum reaches), share (of the spectrum's pixels).
    """
    from astropy.table import Table

    grid = preset.preprocessing.grid
    wave, per_pixel = grid.wave, _velocity_step(grid.wave)
    rows = []
    for block in range(1, len(_residual(preset.config).filters) + 1):
        field = receptive_field(preset.config, block)
        first, last = (len(wave) - field.pixels) // 2, (len(wave) + field.pixels) // 2
        width = wave[min(last, len(wave) - 1)] - wave[max(first, 0)]
        share = min(field.pixels / len(wave), 1.0)
        rows.append((block, field.length, field.step, field.pixels, per_pixel * field.pixels, width, share))
    table = Table(rows=rows, names=("block", "length", "step", "pixels", "velocity", "angstrom", "share"))
    table["velocity"].unit, table["angstrom"].unit = "km/s", "Angstrom"
    table["velocity"].format = table["angstrom"].format = ".0f"
    table["share"].format = ".4f"
    return table


def channel_profiles(preset: Preset, flux: np.ndarray, block: int) -> np.ndarray:
    """Attention times absolute activation of each channel of a block, along the spectrum.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra. A hundred give 40 to 200 MB.
    block : int
        From 1.

    Returns
    -------
    (n, channels, n_pix) float32

    Raises
    ------
    RacnetError
        If the network has no attention or no such block.
    """
    _require_attention(preset)
    pooled = receptive_field(preset.config, block).step
    name = f"block{block}_weighted"
    weighted = Engine(with_outputs(preset.class_bytes(), [name])).run(flux, [name])[0]
    return to_pixels(np.abs(weighted), pooled, np.shape(flux)[1])


def block_profiles(preset: Preset) -> Callable[[np.ndarray, np.random.Generator | None], np.ndarray]:
    """A function that tells where along the spectrum each block's features are strong, weighted by its attention.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.

    Returns
    -------
    callable
        (network input, generator or None) to (n, blocks, n_pix) float32: attention times absolute activation, summed
        over a block's channels, each block's mean over the spectrum made 1. Given a generator, each spectrum's weights
        are dealt out to the channels of their block at random.

    Raises
    ------
    RacnetError
        If the network has no attention.
    """
    _require_attention(preset)
    known = _residual(preset.config)
    blocks = range(1, len(known.filters) + 1)
    weights = [f"attention_{block}" for block in blocks]
    activations = [f"block{block}_{_last_convolution(known)}" for block in blocks]
    engine = Engine(with_outputs(preset.class_bytes(), activations))
    steps = [receptive_field(preset.config, block).step for block in blocks]

    def profiles(flux: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        n, n_pix = np.shape(flux)[:2]
        result = np.empty((n, len(steps), n_pix), np.float32)
        for start in range(0, n, engine.batch_size):  # features of all spectra at once would be large
            rows = slice(start, start + engine.batch_size)
            found = engine.run(flux[rows], [*weights, *activations])
            by_block = zip(found[: len(weights)], found[len(weights) :], steps, strict=True)
            for block, (weight, activation, step) in enumerate(by_block):
                dealt = weight if rng is None else rng.permuted(weight, axis=1)
                along = to_pixels(np.einsum("nc,ncl->nl", dealt, np.abs(activation)), step, n_pix)
                result[rows, block] = along / np.maximum(along.mean(axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return result

    return profiles


def attention_profile(preset: Preset) -> Callable[[np.ndarray, np.random.Generator | None], np.ndarray]:
    """A function that gives spectra's attention profiles, for `racnet_tools.explain.trust_checks`.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.

    Returns
    -------
    callable
        (network input, generator or None) to (n, n_pix) float32: mean of `block_profiles` over the blocks.

    Raises
    ------
    RacnetError
        If the network has no attention.
    """
    profiles = block_profiles(preset)
    return lambda flux, rng: profiles(flux, rng).mean(axis=1)


def excited_most(preset: Preset, flux: np.ndarray, block: int, channel: int, most: int = 20) -> Excitation:
    """Cut out the stretches of spectra that excite a channel most, and average them.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra.
    block, channel : int
        From 1, from 0.
    most : int
        Stretches; each from another spectrum.

    Returns
    -------
    Excitation
        With stretches as wide as the block's receptive field, from where all of it lies within the spectrum: at the
        ends a channel is excited by the zeros beyond.

    Raises
    ------
    RacnetError
        If there is no such channel, no spectrum, the network has no attention, or the block sees more than the
        spectrum.
    """
    _require_attention(preset)
    field = receptive_field(preset.config, block)
    channels = _residual(preset.config).filters[block - 1]
    if not 0 <= channel < channels:
        raise RacnetError(f"Expected a channel of block {block} from 0 to {channels - 1}. Received: {channel}.")
    if most < 1 or not len(flux):
        raise RacnetError(f"Expected one stretch and spectrum or more. Received: {most} and {len(flux)}.")
    name = f"block{block}_weighted"
    active = Engine(with_outputs(preset.class_bytes(), [name])).run(flux, [name])[0][:, channel]
    wave = preset.preprocessing.grid.wave
    ends = np.array([field.seen_by(position) for position in range(field.length)])
    inside = np.flatnonzero((ends[:, 0] >= 0) & (ends[:, 1] < len(wave)))
    if not len(inside):
        raise RacnetError(
            f"Expected a block that sees less than the spectrum's {len(wave)} pixels. "
            f"Received: block {block}, which sees {field.pixels}."
        )
    place = inside[active[:, inside].argmax(axis=1)]
    strongest = active[np.arange(len(active)), place]
    spectra = np.argsort(-strongest, kind="stable")[:most]
    shown = flux_of(flux)
    stretches = np.stack([shown[i, ends[place[i], 0] : ends[place[i], 1] + 1] for i in spectra]).astype(float)
    middle = np.median(stretches, axis=1, keepdims=True)
    stretches /= np.where(middle == 0, 1, np.abs(middle))
    pixel, m = field.middles[place[spectra]], len(spectra)
    return Excitation(
        block=block,
        channel=channel,
        spectra=spectra,
        pixel=pixel,
        wave=np.exp(np.interp(pixel, np.arange(len(wave)), np.log(wave))),
        activation=strongest[spectra],
        velocity=_velocity_step(wave) * (np.arange(field.pixels) - (field.pixels - 1) / 2),
        stretches=stretches,
        mean=stretches.mean(axis=0),
        error=stretches.std(axis=0, ddof=1) / np.sqrt(m) if m > 1 else np.full(field.pixels, np.nan),
    )


def _velocity_step(wave: np.ndarray) -> float:
    """km/s from a pixel to the next of a logarithmic grid."""
    return float(_SPEED_OF_LIGHT * np.log(wave[-1] / wave[0]) / (len(wave) - 1))


def _residual(config: Mapping[str, Any]) -> ResidualConfig:
    from racnet_tools.models import NetworkConfig, ResidualConfig

    known = NetworkConfig.from_dict(dict(config))
    if not isinstance(known, ResidualConfig):
        raise RacnetError(f"Expected a residual network (RC-Net, RAC-Net), which has blocks. Received: {known.name}.")
    return known


def _last_convolution(config: ResidualConfig) -> str:
    """Layer of a block whose channels are weighted."""
    return "attention_conv" if config.attention_convolution else "conv3"


def _require_attention(preset: Preset) -> None:
    if _residual(preset.config).attention == "none":
        raise no_attention(preset)
