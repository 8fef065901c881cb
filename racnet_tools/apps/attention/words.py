"""The attention explorer in words: text alternatives, tables as HTML, and the Python of its actions."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from racnet_tools.apps.attention.model import AttentionModel

if TYPE_CHECKING:
    from racnet_tools.explain import Check, Excitation

__all__ = [
    "changed",
    "channel",
    "python_of",
    "said_excitation",
    "said_means",
    "said_ranking",
    "said_variants",
    "trust_table",
]


def said_means(model: AttentionModel) -> str:
    """Text alternative of the class means."""
    told = []
    for name, blocks in model.means().items():
        told.append(f"{name} {', '.join(f'{block.mean():.2f}' for block in blocks)}")
    return (
        f"Attention of {model.preset.name} on {len(model.y)} simulated spectra: mean weight of all channels of blocks "
        f"1 to {len(model.weights)} for each class: {'; '.join(told)}. Chosen: block {model.block}, channel "
        f"{model.channel}."
    )


def said_ranking(model: AttentionModel) -> str:
    """Text alternative of the ranking."""
    rows = [
        f"block {row['block']} channel {row['channel']} {row['effect']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
        for row in model.ranking()[:5]
    ]
    return f"Channels whose weight differs most between classes, share of its variance: {'; '.join(rows)}."


def said_excitation(model: AttentionModel, found: Excitation) -> str:
    """Text alternative of what excites a channel."""
    return (
        f"The {len(found.stretches)} stretches of spectra that excite block {found.block} channel {found.channel} "
        f"most, at {found.wave.min():.0f} to {found.wave.max():.0f} Angstrom (median {np.median(found.wave):.0f}), "
        f"from {model.excited_classes(found)}; their mean runs from {found.mean.min():.2f} to {found.mean.max():.2f}."
    )


def said_variants(compared: Any) -> str:
    """Text alternative of the comparison of networks."""
    rows = [
        f"{row['a']} and {row['b']} {row['matched']:.2f} (classes alone {row['matched_chance']:.2f})"
        for row in compared[np.asarray(compared["block"]) == 0]
    ]
    return f"Mean rank correlation of matched channels over all blocks: {'; '.join(rows)}."


def channel(model: AttentionModel) -> str:
    """HTML: the channel looked at."""
    pixels, velocity = model.sees()
    row = model.row()
    means = ", ".join(f"{escape(name)} {mean:.2f} ± {std:.2f}" for name, mean, std in model.by_class())
    own = model.forced.get((model.block, model.channel))
    state = "" if own is None else f" <b>Forced to {own:.2f}.</b>"
    return (
        f"<b>Block {model.block}, channel {model.channel}</b>: rank {row['rank']} of {sum(model.sizes)}; "
        f"{100 * row['effect']:.0f} % of its weight's variance lies between classes (95 % interval "
        f"{100 * row['lower']:.0f} to {100 * row['upper']:.0f} %).<br>Mean weight ± scatter of single spectra: {means}."
        f"<br>A feature of this block sees {pixels:,} pixels ({velocity:,.0f} km/s).{state}"
    )


def changed(model: AttentionModel) -> str:
    """HTML: what the forced channels change."""
    start = (
        f"Untouched, {model.preset.name} is right on <b>{100 * model.accuracy:.1f} %</b> of {len(model.y)} spectra. "
    )
    found = model.change()
    if found is None:
        return start + "Force a channel or a block to see what it is worth."
    blocks = sorted({block for block, _ in model.forced})
    told = "unchanged" if found["flips"] == 0 else f"{found['flips']} spectra change their class"
    return (
        f"{start}<br><b>{len(model.forced)} channel{'s' * (len(model.forced) > 1)}</b> of block"
        f"{'s' * (len(blocks) > 1)} {', '.join(map(str, blocks))} forced: accuracy "
        f"<b>{100 * found['accuracy']:+.1f} points</b> (95 % interval {100 * found['accuracy_lower']:+.1f} to "
        f"{100 * found['accuracy_upper']:+.1f}, McNemar p = {found['p_value']:.2g}), {told}; log-odds of the true "
        f"class {found['log_odds']:+.2f} ({found['lower']:+.2f} to {found['upper']:+.2f})."
    )


def trust_table(checks: tuple[Check, ...], spectra: str) -> str:
    """HTML: the trust checks kept with a preset."""
    mark = {"yes": ("good", "✓ passed"), "no": ("bad", "✗ failed"), "undecided": ("warn", "? undecided")}
    rows = []
    for check in checks:
        colour, word = mark[check.verdict]
        rows.append(
            f"<tr><th scope='row'>{escape(check.name)}</th><td>{escape(check.method)}</td>"
            f"<td style='color:var(--rn-{colour});white-space:nowrap'>{word}</td>"
            f"<td class='number'>{check.value:.2f}<br><small>{check.lower:.2f} to {check.upper:.2f}</small></td>"
            f"<td class='number'>{check.control:.2f}</td><td>{escape(check.reading)}</td></tr>"
        )
    head = "".join(
        f"<th scope='col'>{name}</th>" for name in ("check", "of", "verdict", "value", "control", "what it says")
    )
    return (
        f"<p>Made on {escape(spectra)}.</p><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def python_of(model: AttentionModel) -> str:
    """Python that gives the same attention, ranking, excitation and ablation."""
    weights: dict[int, dict[int, float]] = {}
    for (block, number), value in model.forced.items():
        weights.setdefault(block, {})[number] = round(value, 4)
    ablation = ""
    if weights:
        ablation = f"""
forced = {{}}
for block, channels in {weights}.items():
    forced[block] = np.full(weights[block - 1].shape[1], np.nan)  # NaN: the channel keeps its own weight
    for channel, value in channels.items():
        forced[block][channel] = value
print(ablate_together(preset, x, y, forced))"""
    return f"""\
import numpy as np
from racnet_tools.explain import ablate_together, attention_spectra, excited_most, separation, spectrum_attention
from racnet_tools.inference import load_preset

preset = load_preset({model.preset.name!r})
spectra = attention_spectra()
spectra = spectra[np.isin(spectra.table["label"], preset.classes)]
x = preset.preprocessing(spectra)
y = np.array([preset.classes.index(label) for label in spectra.table["label"]])
probabilities, weights = spectrum_attention(preset, x)
ranking = separation(weights, y, preset.classes)
excitation = excited_most(preset, x, block={model.block}, channel={model.channel}){ablation}"""
