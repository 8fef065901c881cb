"""What the Spectrum inspector says: text alternatives of its figures, a spectrum's facts, a network's verdict."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from racnet_tools.apps.inspector.network import Verdict

if TYPE_CHECKING:
    from racnet_tools.apps.inspector.model import InspectorModel, Shown
    from racnet_tools.evaluate.kept_calibration import KeptCalibration

__all__ = ["described", "facts_html", "python_of", "verdict_html"]

_LIGHT = 299_792.458  # km/s
_SLOW = 0.02  # redshift below which it is told as a velocity too
_SAME = 1e-5  # redshifts
_FEWEST = 10  # spectra below which no share is told


def described(model: InspectorModel) -> str:
    """Text alternative of the figure, with its numbers."""
    shown, state = model.shown, model.state
    if shown.spectrum is None:
        return f"No spectrum: {shown.refused or 'the list is empty.'}"
    low, high = shown.wave[0], shown.wave[-1]
    bad = shown.spectrum.mask[0]
    parts = [
        f"Flux of {shown.label} between {low:.0f} and {high:.0f} Å, {len(bad)} pixels, {int(bad.sum())} of them masked."
    ]
    if shown.sigma is not None and (~bad).any():
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.nanmedian(shown.flux[~bad] / shown.sigma[~bad])
        parts.append(f"Median signal-to-noise ratio {ratio:.1f} a pixel.")
    elif shown.sigma is None:
        parts.append("The file gives no errors, so that no band of errors is drawn.")
    zoom = model.zoom_inside()
    if zoom is not None:
        parts.append(f"In view: {zoom[0]:.0f} to {zoom[1]:.0f} Å.")
    if state.smooth:
        parts.append(f"Smoothed by a Gaussian of {state.smooth} pixels.")
    inside = model.lines_inside
    if inside:
        named = ", ".join(f"{name} at {place:.0f}" for name, place in inside[:12])
        more = f" and {len(inside) - 12} more" if len(inside) > 12 else ""
        parts.append(f"Lines marked at redshift {model.z:.5f}: {named}{more} Å.")
    if model.overlays:
        parts.append(f"Drawn over it: {', '.join(name for name, _, _ in model.overlays)}.")
    if shown.verdict is not None:
        parts.append(_sentence(shown.verdict))
    elif shown.refused:
        parts.append(f"The network cannot judge it: {shown.refused}")
    if state.attention and shown.attention is not None:
        picture, wave = shown.attention
        peak = wave[picture.argmax(axis=1)]
        blocks = ", ".join(f"block {k + 1} at {place:.0f}" for k, place in enumerate(peak))
        parts.append(f"Attention times activation, a row for each of {len(picture)} blocks; strongest: {blocks} Å.")
    if state.occlusion and shown.occlusion is not None:
        parts.append(_occlusion_sentence(shown))
    return " ".join(parts)


def _sentence(verdict: Verdict) -> str:
    all_of_them = ", ".join(f"{name} {p:.3f}" for name, p in zip(verdict.classes, verdict.probabilities, strict=True))
    kept = "rejected as doubtful" if verdict.rejected else "not rejected"
    subclass = f", type {verdict.subclass} {verdict.subclass_confidence:.2f}" if verdict.subclass else ""
    measured = "".join(f" {what.capitalize()}: {words}." for what, words in verdict.measured.items())
    return f"{verdict.preset} says {verdict.label} ({all_of_them}{subclass}); {kept}.{measured}"


def _occlusion_sentence(shown: Shown) -> str:
    """Where the largest parts of the occlusion's sums are, in stretches of 60 pixels."""
    found = shown.occlusion
    assert found is not None
    starts = np.arange(0, len(found.wave), 60)
    sums = np.add.reduceat(found.values[0].astype(float), starts)
    middles = found.wave[np.minimum(starts + 30, len(found.wave) - 1)]
    strongest = np.argsort(-np.abs(sums))[:5]
    named = ", ".join(f"{middles[k]:.0f} Å {sums[k]:+.2f}" for k in strongest)
    target = found.classes[int(found.target[0])]
    return f"Occlusion, log-odds for {target} in stretches of 60 pixels, the five largest: {named}."


def facts_html(shown: Shown, z: float) -> str:
    """Name and header of a spectrum in a line."""
    if shown.spectrum is None:
        return f"<b>{escape(shown.label)}</b>" if shown.label else ""
    said = []
    survey, label, subclass = (shown.fact(name) for name in ("survey", "label", "subclass"))
    if survey:
        said.append(escape(str(survey)))
    if label:
        said.append(f"header: {escape(str(label))}" + (f" {escape(str(subclass))}" if subclass else ""))
    header = shown.fact("z")
    if header is not None:
        said.append(f"header z {header:.5f}")
    ratio = shown.fact("snr_g")
    if ratio is not None:
        said.append(f"S/N g {ratio:.1f}")
    ra, dec = shown.fact("ra"), shown.fact("dec")
    if ra is not None and dec is not None:
        said.append(f"RA {ra:.5f}, Dec {dec:+.5f}")
    velocity = f" ({_LIGHT * z:+,.0f} km/s)" if abs(z) < _SLOW else ""
    verdict = shown.verdict
    measured = verdict is not None and verdict.z is not None and abs(z - verdict.z) < _SAME
    said.append(f"lines at z {z:.5f}{velocity}" + measured * ", the network's")
    return f'<b style="font-size:15px">{escape(shown.label)}</b> &ensp;{" · ".join(said)}'


def verdict_html(shown: Shown, calibration: KeptCalibration | None = None) -> str:
    """Class probabilities, what else is measured, calibration and the flag of rejection as a table with bars.

    Parameters
    ----------
    shown : Shown
    calibration : KeptCalibration, optional
        Of the network; without it nothing is said of how often it is right.
    """
    verdict = shown.verdict
    if verdict is None:
        judged = shown.spectrum is not None and shown.refused
        reason = escape(shown.refused) if judged else "There is no spectrum to judge."
        return f'<div class="rn-card"><b>No class.</b> {reason}</div>'
    rows = []
    for k, name in enumerate(verdict.classes):
        p = float(verdict.probabilities[k])
        colour = "var(--rn-accent,#004488)" if name == verdict.label else "var(--jp-border-color0,#8d97a5)"
        bar = (
            f'<span style="display:inline-block;vertical-align:middle;width:{max(160 * p, 1):.0f}px;height:11px;'
            f'background:{colour};border-radius:2px" aria-hidden="true"></span>'
        )
        strong = ("<b>", "</b>") if name == verdict.label else ("", "")
        rows.append(
            f'<tr><td>{strong[0]}{escape(name)}{strong[1]}</td><td class="number">{p:.3f}</td>'
            f'<td style="width:170px">{bar}</td></tr>'
        )
    head = '<tr><th>class</th><th class="number">probability</th><th></th></tr>'
    subclass = ""
    if verdict.subclass:
        subclass = f", type <b>{escape(verdict.subclass)}</b> ({verdict.subclass_confidence:.2f})"
    flag = (
        '<b style="color:var(--rn-bad,#a12a3a)">⚑ Rejected: doubtful</b>'
        if verdict.rejected
        else '<b style="color:var(--rn-good,#1c6b28)">✓ Not rejected</b>'
    )
    score = f"score of doubt {verdict.score:.3f}, rejected above {verdict.threshold:.3f}"
    return (
        '<div class="rn-card" style="display:flex;flex-wrap:wrap;align-items:flex-start;gap:4px 28px">'
        f"<table>{head}{''.join(rows)}</table>"
        f'<div style="flex:1 1 260px"><div><b style="font-size:15px">{escape(verdict.label)}</b>{subclass} '
        f"&ensp;{flag}</div>{_measured(verdict)}<div>{score}</div><div>{_calibrated(verdict, calibration)}</div>"
        f'<div style="opacity:.8">network {escape(verdict.preset)}</div></div></div>'
    )


def _measured(verdict: Verdict) -> str:
    """What a joint network says besides."""
    return "".join(
        f"<div>{what.capitalize()}: <b>{escape(words)}</b></div>" for what, words in verdict.measured.items()
    )


def _calibrated(verdict: Verdict, calibration: KeptCalibration | None) -> str:
    if calibration is None:
        return ""
    right = calibration.when(verdict.confidence)
    if right is None or right.n < _FEWEST:
        return "Too few simulated spectra were given such a probability to say how often it is right."
    low, high = right.interval
    return (
        f"Calibration: of {right.n:,} simulated spectra given such a probability {right.value:.1%} had that class "
        f"({low:.1%} to {high:.1%}). Real spectra may differ."
    )


def python_of(model: InspectorModel) -> dict[str, str]:
    """Python that does what the page shows: action to code."""
    shown, state = model.shown, model.state
    said = {"Open spectra": model.spectra.python} if model.spectra.python else {}
    if shown.spectrum is None:
        return said
    path = repr(str(shown.fact("path") or "spectrum.fits"))
    data = ""
    if model.spectra.address.get("open") == "samples":
        path, data = f'data_path("samples", {path})', "from racnet_tools.resources import data_path\n"
    said["Read this spectrum and classify it"] = (
        f"import racnet_tools\n{data}\nspectrum = racnet_tools.read({path})\n"
        f"table = racnet_tools.classify(spectrum, preset={state.preset!r})"
    )
    if state.attention:
        said["Attention along the spectrum"] = (
            "from racnet_tools.explain import block_profiles\nfrom racnet_tools.inference import load_preset\n\n"
            f"preset = load_preset({state.preset!r})\n"
            "profiles = block_profiles(preset)(preset.preprocessing(spectrum), None)"
        )
    if state.occlusion:
        said["Occlusion"] = (
            "from racnet_tools.explain import occlude\nfrom racnet_tools.inference import load_preset\n\n"
            f"preset = load_preset({state.preset!r})\nexplained = occlude(preset, preset.preprocessing(spectrum))"
        )
    return said
