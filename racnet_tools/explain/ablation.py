"""Ablation of attention: channel weights forced to a value, and what becomes of the classes.

Three questions: does a channel matter at all (its weight forced to 0), does its attention hold it back (forced to 1),
and does it matter that weights differ from spectrum to spectrum (forced to their mean, of one channel, of all channels
of a block, or of all blocks)? The last is the question of whether *attention*, rather than the channels, matters: a
network whose accuracy stays with all weights at their means could as well have constants in their place.

A change is that of the log-odds of a spectrum's class, `racnet_tools.explain.check.log_odds`, of its probability, and
of the accuracy; all are of the same spectra with and without the change. Ablated networks see features that they were
not trained on, so that a drop is an upper limit of what a network trained without would lose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attention import no_attention
from racnet_tools.explain.check import log_odds, mean_interval
from racnet_tools.explain.separation import benjamini_hochberg
from racnet_tools.inference.engine import BATCH_SIZE, Engine, open_session
from racnet_tools.inference.graph import with_forced_attention, with_outputs

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

    from racnet_tools.inference.presets import Preset

__all__ = ["ablate_blocks", "ablate_channels", "ablate_together", "forced_logits"]


def forced_logits(preset: Preset, flux: np.ndarray, weights: Mapping[int, np.ndarray]) -> np.ndarray:
    """Logits with the channel weights of some blocks the same for all spectra.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra.
    weights : mapping of int to (channels,) array
        Block, from 1, and its weights; NaN leaves a channel its own weight, blocks not named keep theirs.

    Returns
    -------
    (n, k) float32

    Raises
    ------
    RacnetError
        If the network has no attention, no such block, or another number of channels there.
    """
    return _forced(preset)(flux, weights)


def ablate_together(preset: Preset, flux: np.ndarray, y: ArrayLike, weights: Mapping[int, np.ndarray]) -> Table:
    """Force the weights of some channels at once.

    Parameters
    ----------
    preset, flux, weights
        As for `forced_logits`.
    y : (n,) array_like of int
        As for `ablate_blocks`.

    Returns
    -------
    Table
        One row: blocks (number of those changed), channels (number of those forced), then as `ablate_blocks`.

    Raises
    ------
    RacnetError
        If the network has no attention, no such channels, or shapes do not fit.
    """
    truth = _truth(flux, y)
    logits, _ = _own(preset, flux)
    changed = _forced(preset)(flux, weights)
    channels = sum(int((~np.isnan(given)).sum()) for given in weights.values())
    return _table(("blocks", "channels"), [((len(weights), channels), changed)], logits, truth)


def ablate_blocks(
    preset: Preset,
    flux: np.ndarray,
    y: ArrayLike,
    *,
    values: Sequence[float | str] = ("mean", 1.0),
    means: Sequence[np.ndarray] | None = None,
) -> Table:
    """Force all channel weights of each block, and of all blocks at once.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra.
    y : (n,) array_like of int
        True classes. Where they are unknown, those that the network gives: the accuracy then is the agreement with it.
    values : sequence of float or str
        What weights are forced to: numbers, or "mean" for each channel's mean.
    means : sequence of (channels,) arrays, optional
        Mean weights of each block, from other spectra; those of `flux` by default.

    Returns
    -------
    Table
        A row for each value and block (0: all blocks at once): block, forced (to what), n, log_odds, lower, upper (mean
        change and its 95 % interval), probability (mean change), flips (spectra that change their class), accuracy
        (change), accuracy_lower, accuracy_upper (Newcombe's 95 % interval), p_value (McNemar), p_adjusted
        (`racnet_tools.explain.benjamini_hochberg` over the table).

    Raises
    ------
    RacnetError
        If the network has no attention or shapes do not fit.
    """
    truth = _truth(flux, y)
    run = _forced(preset)
    logits, weights = _own(preset, flux)
    known = [np.asarray(block) for block in means] if means is not None else [block.mean(axis=0) for block in weights]
    if [block.shape for block in known] != [block.shape[1:] for block in weights]:
        raise RacnetError(
            f"Expected mean weights of {[block.shape[1] for block in weights]} channels. "
            f"Received: {[block.shape for block in known]}."
        )
    rows = []
    for value in values:
        forced = [mean if value == "mean" else np.full(len(mean), _number(value)) for mean in known]
        every = dict(enumerate(forced, start=1))
        for block, changed in [(0, every), *((block, {block: every[block]}) for block in every)]:
            rows.append(((block, str(value)), run(flux, changed)))
    return _table(("block", "forced"), rows, logits, truth)


def ablate_channels(
    preset: Preset,
    flux: np.ndarray,
    y: ArrayLike,
    *,
    value: float | str = 0.0,
    blocks: Sequence[int] | None = None,
    progress: Callable[[int], None] = lambda n: None,
) -> Table:
    """Force the weight of one channel after the other.

    Only what comes after the changed block is computed again: a spectrum takes about a third of a second for the 480
    channels of RAC-Net on one processor, of which the last two blocks' 256 channels take a sixth.

    Parameters
    ----------
    preset : Preset
        Of a network with attention.
    flux : (n, n_pix) or (n, n_pix, n_channels) array
        Preprocessed spectra.
    y : (n,) array_like of int
        True classes, or those that the network gives: see `ablate_blocks`.
    value : float or str
        What the weight is forced to: a number, or "mean" for the channel's mean over `flux`.
    blocks : sequence of int, optional
        From 1; all by default.
    progress : callable, optional
        Called with the number of spectra times channels done since the last call.

    Returns
    -------
    Table
        A row a channel, in order: block, channel, then as `ablate_blocks`.

    Raises
    ------
    RacnetError
        If the network has no attention, no such block, or shapes do not fit.
    """
    truth = _truth(flux, y)
    logits, weights = _own(preset, flux)
    chosen = range(1, len(weights) + 1) if blocks is None else list(blocks)
    if not chosen or any(not 1 <= block <= len(weights) for block in chosen):
        raise RacnetError(f"Expected blocks from 1 to {len(weights)}. Received: {blocks}.")
    model = preset.class_bytes()
    rows = []
    for block in chosen:
        rest = _Rest(model, block)
        weight = weights[block - 1]
        forced = weight.mean(axis=0) if value == "mean" else np.full(weight.shape[1], _number(value))
        found = np.empty((weight.shape[1], *logits.shape), np.float32)
        for start in range(0, len(flux), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            found[:, part] = rest.run(flux[part], forced)
            progress(len(forced) * len(flux[part]))
        rows += [((block, channel), found[channel]) for channel in range(len(forced))]
    return _table(("block", "channel"), rows, logits, truth)


class _Rest:
    """The network from the weighted features of a block on, to which a channel's new weight is given."""

    def __init__(self, model: bytes, block: int) -> None:
        import onnx
        from onnx import TensorProto, helper

        loaded = onnx.load_from_string(model)
        graph, self._weighted = loaded.graph, f"block{block}_weighted"
        source = next(node for node in graph.node if self._weighted in node.output)
        constants = {item.name for item in graph.initializer}
        after, needed, nodes = {self._weighted}, {self._weighted: None}, []
        for node in graph.node:  # in the order of computation
            if after.isdisjoint(node.input):
                continue
            nodes.append(node)
            after.update(node.output)
            needed.update(
                dict.fromkeys(name for name in node.input if name and name not in after and name not in constants)
            )
        self._before = [name for name in needed if name != self._weighted]
        weight = {name for node in graph.node if f"attention_{block}" in node.input for name in node.output}
        self._activation = next(name for name in source.input if name not in weight and name != f"attention_{block}")
        self._engine = Engine(with_outputs(model, [self._activation, self._weighted, *self._before]))
        used = {name for node in nodes for name in node.input}
        rest = helper.make_graph(
            nodes,
            "rest",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in needed],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
            [item for item in graph.initializer if item.name in used],
        )
        made = helper.make_model(rest, opset_imports=loaded.opset_import, ir_version=loaded.ir_version)
        self._session = open_session(made.SerializeToString())

    def run(self, flux: np.ndarray, forced: np.ndarray) -> np.ndarray:
        """Logits (channels, n, k) with each channel's weight in turn forced to its value."""
        inside = self._engine.run(flux, [self._activation, self._weighted, *self._before])
        # In the graph features have a further axis of one before the last, which `Engine.run` takes away.
        activation, weighted, *before = (array[:, :, np.newaxis] if array.ndim == 3 else array for array in inside)
        given = dict(zip(self._before, before, strict=True))
        found = []
        for channel, value in enumerate(forced):
            changed = weighted.copy()
            changed[:, channel] = np.float32(value) * activation[:, channel]
            found.append(self._session.run(["logits"], {self._weighted: changed, **given})[0])
        return np.stack(found)


def _forced(preset: Preset) -> Callable[[np.ndarray, Mapping[int, np.ndarray]], np.ndarray]:
    """(flux, weights of blocks) to logits."""
    engine = Engine(with_outputs(with_forced_attention(preset.class_bytes()), ["logits"]))
    sizes = engine.attention_channels

    def run(flux: np.ndarray, weights: Mapping[int, np.ndarray]) -> np.ndarray:
        inputs: dict[str, np.ndarray] = {}
        for block, given in weights.items():
            if not 1 <= block <= len(sizes) or np.shape(given) != (sizes[block - 1],):
                raise RacnetError(
                    f"Expected weights of blocks 1 to {len(sizes)}, which have {[*sizes]} channels. "
                    f"Received: block {block} with weights of shape {np.shape(given)}."
                )
            own = np.isnan(given)
            inputs |= {f"keep_{block}": own.astype(float), f"forced_{block}": np.where(own, 0, given)}
        return engine.run(flux, ["logits"], inputs)[0]

    return run


def _own(preset: Preset, flux: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Logits and channel weights of the unchanged network."""
    engine = Engine(with_outputs(preset.class_bytes(), ["logits"]))
    if not engine.attention_channels:
        raise no_attention(preset)
    names = [f"attention_{block}" for block in range(1, len(engine.attention_channels) + 1)]
    logits, *weights = engine.run(flux, ["logits", *names])
    return logits, weights


def _truth(flux: np.ndarray, y: ArrayLike) -> np.ndarray:
    from racnet_tools.evaluate._checks import check_classes  # with what it brings along it takes a second to import

    truth = check_classes(y)
    if len(truth) != len(flux):
        raise RacnetError(f"Expected a class for each of {len(flux)} spectra. Received: {len(truth)}.")
    return truth


def _number(value: float | str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RacnetError(f'Expected a number or "mean" that weights are forced to. Received: {value!r}.') from None


def _table(
    names: tuple[str, str], rows: Sequence[tuple[tuple, np.ndarray]], logits: np.ndarray, truth: np.ndarray
) -> Table:
    """What each changed network's logits differ in from the unchanged one's."""
    from astropy.table import Table
    from scipy.special import softmax

    from racnet_tools.evaluate.comparison import mcnemar

    if truth.max() >= logits.shape[1]:
        raise RacnetError(f"Expected classes from 0 to {logits.shape[1] - 1}. Received: {truth.max()}.")
    every = np.arange(len(truth))
    before, p_before, given = log_odds(logits, truth), softmax(logits, axis=1)[every, truth], logits.argmax(axis=1)
    columns: list[tuple] = []
    for labels, found in rows:
        now = found.argmax(axis=1)
        compared = mcnemar(truth, now, given)
        columns.append(
            (
                *labels,
                len(truth),
                *mean_interval(log_odds(found, truth) - before),
                float((softmax(found, axis=1)[every, truth] - p_before).mean()),
                int((now != given).sum()),
                compared.difference,
                compared.lower,
                compared.upper,
                compared.p_value,
            )
        )
    measured = ("n", "log_odds", "lower", "upper", "probability", "flips")
    tested = ("accuracy", "accuracy_lower", "accuracy_upper", "p_value")
    table = Table(rows=columns, names=(*names, *measured, *tested))
    table["p_adjusted"] = benjamini_hochberg(table["p_value"])
    for name in ("log_odds", "lower", "upper"):
        table[name].format = "+.3f"
    for name in ("probability", "accuracy", "accuracy_lower", "accuracy_upper"):
        table[name].format = "+.4f"
    table["p_value"].format = table["p_adjusted"].format = ".3g"
    return table
