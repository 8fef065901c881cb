"""The redshift explorer in words: text alternatives, the verdicts of the presets, lines in and out of the window."""

from __future__ import annotations

from html import escape

import numpy as np

from racnet_tools.apps.redshift.model import RedshiftModel
from racnet_tools.plots.style import series

__all__ = ["PAPER", "python_of", "said_binned", "said_curves", "said_measured", "said_spectrum", "verdicts", "window"]

PAPER = (
    "<p><b>The paper</b> (Zou et al. 2020, section 3.4) gives no numbers for its Figure 8. Its text says that "
    "“redshift conditions have less influence on our RAC-Net” than on template matching, and that for high redshift of "
    "GALAXY or QSO “the classification accuracy decreases significantly”. Its caption names Data set 3, which has "
    "stars alone; its discussion is of galaxies and quasars.</p><p><b>Ours</b>, beside it: 800 simulated objects of "
    "the class, each at the redshift drawn for it, with 95 % Wilson intervals. Simulated spectra are "
    "no survey: what holds here need not hold there.</p>"
)


def verdicts(model: RedshiftModel) -> str:
    """HTML: what every preset shown says of the spectrum."""
    rows = []
    for name in model.shown:
        p, classes = model.probabilities(name), model.classes(name)
        best = int(p.argmax())
        right = classes[best] == model.kind
        colour, mark = ("good", "✓") if right else ("bad", "✗")
        word = f'<b style="color:var(--rn-{colour})">{mark} {escape(classes[best])}</b>'
        bars = "".join(
            f'<span style="display:inline-block;margin-right:10px">{escape(label)} {value:.2f}'
            f'<span aria-hidden="true" style="display:inline-block;height:8px;width:{60 * value:.0f}px;margin-left:4px;'
            f'background:{series(k).colour}"></span></span>'
            for k, (label, value) in enumerate(zip(classes, p, strict=True))
        )
        z = model.redshift(name)
        measured = f"measures z&nbsp;=&nbsp;{z.replace(' ', '&nbsp;')}" if z else ""
        rows.append(f'<tr><th scope="row">{escape(name)}</th><td>{word}</td><td>{bars}</td><td>{measured}</td></tr>')
    return f"<table><caption class='rn-sr'>What the networks say of it</caption>{''.join(rows)}</table>"


def window(model: RedshiftModel) -> str:
    """HTML: lines within the window, those that left it at its red end, and those that are not yet in it."""
    found = model.window()
    parts = []
    for state, words in (("in", "In the window"), ("left", "Left at the red end"), ("not yet", "Not yet in")):
        names = [f"{escape(name)}&nbsp;<small>{at:.0f}&nbsp;Å</small>" for name, at, where in found if where == state]
        parts.append(f"<b>{words}:</b> {', '.join(names) or 'none'}")
    return "<div>" + "<br>".join(parts) + "</div>"


def said_spectrum(model: RedshiftModel) -> str:
    """Text alternative of the spectrum."""
    found = model.window()
    inside = ", ".join(f"{name} at {at:.0f}" for name, at, where in found if where == "in") or "none"
    gone = ", ".join(name for name, _, where in found if where == "left") or "none"
    first = model.shown[0]
    p, z = model.probabilities(first), model.redshift(first)
    measured = f", and measures redshift {z}" if z else ""
    return (
        f"Simulated spectrum of {model.kind} {model.number + 1} of {model.objects} at redshift {model.z:.4g}, "
        f"{model.spectrum.wave[0]:.0f} to {model.spectrum.wave[-1]:.0f} Angstrom. Lines in the window: {inside}. Left "
        f"at the red end: {gone}. {first} gives {model.classes(first)[int(p.argmax())]} with probability {p.max():.2f}"
        f"{measured}."
    )


def said_curves(model: RedshiftModel) -> str:
    """Text alternative of the accuracy curves."""
    told = []
    for name, curve in model.curves().items():
        worst = int(np.argmin(curve.share))
        told.append(
            f"{name}: {100 * curve.share.mean():.0f} % on average, at least {100 * curve.share[worst]:.0f} % "
            f"(interval {100 * curve.lower[worst]:.0f} to {100 * curve.upper[worst]:.0f} %), at z {curve.z[worst]:.4g}"
        )
    return (
        f"Share of {model.objects} simulated objects of class {model.kind} given their class, against redshift, with "
        f"95 % intervals. {'; '.join(told)}."
    )


def said_measured(model: RedshiftModel) -> str:
    """Text alternative of the measured redshifts."""
    found = model.measured()
    if found is None:
        return "None of the networks chosen measures redshifts; racnet-survey does."
    away = np.abs(found.measured - found.z) / (1 + found.z)
    told = f"half of them within {np.median(away):.2g} (1 + z)"
    if model.tolerance is not None:
        told += f", {100 * np.mean(away <= model.tolerance):.1f} % within {model.tolerance:g} (1 + z)"
    own = away[found.number]
    return (
        f"Redshifts that {found.name} measures in {len(found.measured)} simulated objects of class {model.kind}, each "
        f"at {len(found.z)} redshifts from {found.z[0]:.4g} to {found.z[-1]:.4g}, against the true ones: {told}. "
        f"Object {found.number + 1} is farthest off at redshift {found.z[own.argmax()]:.4g}, where it is given "
        f"{found.measured[found.number, own.argmax()]:.4g}; as shown, at {found.now:.4g}, {found.now_measured:.4g}."
    )


def said_binned(model: RedshiftModel) -> str:
    """Text alternative of the accuracy in bins."""
    edges, shares, n = model.binned()
    told = []
    for name, (share, _, _) in shares.items():
        values = ", ".join(
            f"{100 * value:.0f} % of {count} from {low:.4g} to {high:.4g}"
            for value, count, low, high in zip(share, n, edges[:-1], edges[1:], strict=True)
            if count
        )
        told.append(f"{name}: {values}")
    return (
        f"Share of simulated objects of class {model.kind} given their class, in bins of redshift. {'; '.join(told)}."
    )


def python_of(model: RedshiftModel) -> str:
    """Python that gives the same spectrum and probabilities."""
    return f"""\
from racnet_tools import classify
from racnet_tools.evaluate.kept_sweeps import SEED
from racnet_tools.simulate import MovableObjects

spectrum = MovableObjects({model.kind!r}, 1, seed=(SEED, {model.number})).at({model.z:.6g})
classify(spectrum, preset={model.shown[0]!r})"""
