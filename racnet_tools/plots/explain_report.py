"""The report of an explanation: one spectrum after the other, the attention of all, and whether to believe it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from racnet_tools.explain.channels import excited_most
from racnet_tools.explain.check import Check
from racnet_tools.explain.explained import Explained
from racnet_tools.explain.features import ELSEWHERE, feature_shares
from racnet_tools.explain.separation import separation
from racnet_tools.explain.trust import Trust
from racnet_tools.inference.words import measured_words
from racnet_tools.plots import explain, interactive_explain
from racnet_tools.plots.page import Page
from racnet_tools.spectra.lines import line_windows

__all__ = ["explain_report"]

_ROWS = 8  # features shown
_CHANNELS = 15  # channels shown
_LINE_SCALE = (3, 4, 5)  # blocks whose field is a line's or a band's
_EXCITED, _STRETCHES = 4, 20  # channels shown with what excites them, and stretches of each
_ENOUGH = 5  # spectra of a class from which on channels are ranked
_MARKED = 14  # features marked in a spectrum
_APART = 30  # Angstrom: lines of one feature that are closer get one mark
_FROM = {"given": "", "header": " (the header's)", "network": " (as the network measures it)"}
_VERDICTS = {"yes": "passed", "no": "FAILED", "undecided": "undecided"}


def explain_report(found: Explained, trust: Trust | None, refused: Sequence[tuple[str, str]] = ()) -> Page:
    """Put together the report.

    Parameters
    ----------
    found : Explained
        What `racnet_tools.explain.explain_spectra` gave.
    trust : Trust or None
        Results of the trust checks of this network, or None where there are none.
    refused : sequence of (str, str)
        Names of inputs that could not be used, and reasons.

    Returns
    -------
    Page
        To be saved as HTML or Markdown.
    """
    page = Page("What the network looks at")
    _front(page, found, trust)
    shown = len(found.attributions)
    page.heading("The spectra")
    if shown < len(found.x):
        page.text(f"The first {shown} of {len(found.x)} spectra. All count in the attention below.")
    for i in range(shown):
        _spectrum(page, found, i)
    if found.attention:
        _attention(page, found)
    _trust(page, found, trust)
    if refused:
        page.heading("Refused")
        page.table(["input", "reason"], refused, "Not explained.")
    return page


def _both(page: Page, name: str, caption: str, *arguments: Any, **named: Any) -> None:
    """Add a figure with its interactive twin."""
    draw, live = getattr(explain, name), getattr(interactive_explain, name)
    page.figure(draw(*arguments, **named), caption, live(*arguments, **named))


def _front(page: Page, found: Explained, trust: Trust | None) -> None:
    preset = found.preset
    one = found.attributions[0]
    page.text(
        f"{_count(len(found.x), 'spectrum', 'spectra')} explained with the preset {preset.name}, which tells "
        f"{', '.join(preset.classes[:-1])} and {preset.classes[-1]} apart. Attribution by "
        f"{' and '.join(each.method for each in one)}: how much each part of the spectrum moves the {one[0].unit} of "
        f"the class explained. What stands for “nothing there” is the {one[0].baseline_name}."
    )
    page.note(
        "An attribution says what this network's answer rests on. It does not say what the object is, nor whether the "
        "answer is right; a network can be right for a reason that an astronomer would not accept.",
        "limit",
    )
    failed = [] if trust is None else [check for check in trust.checks if check.verdict == "no"]
    if failed:
        names = "; ".join(f"{check.name} ({check.method})" for check in failed)
        page.note(f"Trust checks that this network's maps fail: {names}. See the last section.", "limit")


def _spectrum(page: Page, found: Explained, i: int) -> None:
    table, preset = found.spectra.table, found.preset
    explained = found.attributions[i]
    p = found.probabilities[i]
    order = np.argsort(-p)
    path = table["path"][i]
    name = str(table["spec_id"][i]) if np.ma.is_masked(path) or not path else Path(str(path)).name
    page.subheading(name)
    z = float(found.redshift[i])
    known = np.isfinite(z)
    target = preset.classes[int(found.target[i])]
    words = [
        "Probabilities: " + ", ".join(f"{preset.classes[k]} {p[k]:.3f}" for k in order),
        f"explained: {target}",
        f"redshift of the marked lines: {z:.4f}{_FROM[found.redshift_from[i]]}"
        if known
        else "no redshift known: no lines are marked (give --z)",
        *(f"S/N in {band}: {float(table[f'snr_{band}'][i]):.1f}" for band in "gr" if _has(table[f"snr_{band}"][i])),
    ]
    page.text("; ".join(words) + ".")
    if preset.limits:
        told = measured_words(found.said[i], preset.limits.coverage)
        page.table(["measured", "value"], [[what, words] for what, words in told.items()])
    title = f"{name}: {target}" + (f", z = {z:.4f}" if known else "")
    _both(
        page,
        "attribution",
        f"{name}: what speaks for {target} and against it, by {', '.join(one.method for one in explained)}. Dashed: "
        f"the {explained[0].baseline_name}, which stands for “nothing there”. Marked: features with most attribution.",
        explained,
        lines=_lines(found, i),
        title=title,
    )
    errors = [
        f"{one.method} {float(one.completeness_error[0]):.1%}"
        for one in explained
        if one.completeness_error is not None
    ]
    if errors:
        page.text(
            "Completeness error, by how much the sum of the map differs from the change of score between spectrum and "
            f"continuum: {', '.join(errors)}. Where it is large, parts act together: shares are no parts of a whole."
        )
    if known:
        _features(page, found, i, name)
    if found.attention:
        caption = f"{name}: channel attention. A channel has no place on the wavelength axis."
        _both(page, "attention_map", caption, [block[i : i + 1] for block in found.attention], title=name)


def _features_of(found: Explained, i: int, method: int) -> tuple[dict[str, float], float, float]:
    """Share of the attribution on each feature, largest first; of what is elsewhere; and of the pixels there."""
    table = feature_shares(found.attributions[i][method], 0, float(found.redshift[i]))
    shares: dict[str, float] = {}
    for row in table[:-1]:  # a line of the gas and of the stars is one feature here
        name = _named(row["name"], row["kind"])
        shares[name] = shares.get(name, 0.0) + float(row["share"])
    order = sorted(shares, key=lambda name: -abs(shares[name]))
    return {name: shares[name] for name in order}, float(table[-1]["share"]), float(table[-1]["of_pixels"])


def _named(feature: object, kind: object) -> str:
    """A feature's name; one that is not the object's own says what it is."""
    return f"{feature} ({kind})" if kind in ("telluric", "sky") else str(feature)


def _lines(found: Explained, i: int) -> list[tuple[float, str]]:
    """Lines at the spectrum's redshift of the features that the attribution falls on most."""
    z = float(found.redshift[i])
    if not np.isfinite(z):
        return []
    top = list(_features_of(found, i, 0)[0])[:_MARKED]
    marks: list[tuple[float, str]] = []
    for row in line_windows(found.preset.classes[int(found.target[i])], z, found.attributions[i][0].wave):
        place, name = float(row["wave"]), _named(row["feature"], row["kind"])
        near = any(name == other and abs(place - there) < _APART for there, other in marks)
        if name in top and not near:
            marks.append((place, name))
    return marks


def _features(page: Page, found: Explained, i: int, name: str) -> None:
    """How the attribution divides among features."""
    for method, one in enumerate(found.attributions[i]):
        shares, rest, pixels = _features_of(found, i, method)
        if not shares:
            continue
        top = list(shares)[:_ROWS]
        told = ", ".join(f"{feature} {shares[feature]:+.0%}" for feature in top[:3])
        _both(
            page,
            "feature_shares",
            f"{name}, {one.method}: {told}; {ELSEWHERE} {rest:+.0%}, which is {pixels:.0%} of the pixels. Shares of "
            "the sum of absolute values; + speaks for the class. Where windows overlap, features share alike.",
            {"name": [*top, ELSEWHERE], "share": [*(shares[feature] for feature in top), rest]},
        )


def _attention(page: Page, found: Explained) -> None:
    page.heading("Channel attention of all spectra")
    given = found.probabilities.argmax(axis=1)
    means = {
        name: [block[given == k].mean(axis=0) for block in found.attention]
        for k, name in enumerate(found.preset.classes)
        if (given == k).any()
    }
    counts = ", ".join(f"{name} {int((given == found.preset.classes.index(name)).sum())}" for name in means)
    if len(means) > 1:
        caption = f"Mean attention of the spectra classified as each class ({counts}), and how it differs between them."
        _both(page, "class_attention", caption, means)
    else:
        _both(page, "attention_map", f"Mean attention ({counts}).", found.attention, title=counts)
    if sum(int((given == k).sum()) >= _ENOUGH for k in range(len(found.preset.classes))) > 1:
        ranking = separation(found.attention, given, found.preset.classes)
        beyond = int((ranking["p_adjusted"] < 0.05).sum())
        _both(
            page,
            "top_channels",
            f"Channels whose weight tells the classes given apart best, with 95 % intervals; {beyond} of "
            f"{len(ranking)} do so beyond chance (permutation test, Benjamini-Hochberg at 5 %). That a weight differs "
            "between classes does not say that the class rests on it.",
            ranking[:_CHANNELS],
        )
        seen = ranking[np.isin(ranking["block"], _LINE_SCALE)][:_EXCITED]
        _both(
            page,
            "excitation",
            "What excites the best of these channels most, in blocks that see 80 to 350 Angstrom (3 to 5): stretches "
            f"of up to {_STRETCHES} spectra, one each, and their mean. Titles: median wavelength and the middle half.",
            [excited_most(found.preset, found.x, int(row["block"]), int(row["channel"]), _STRETCHES) for row in seen],
        )


def _trust(page: Page, found: Explained, trust: Trust | None) -> None:
    page.heading("Can these maps be believed?")
    if trust is None:
        page.note(
            f"No trust checks are kept with the preset {found.preset.name}, or they are of other weights. Nothing is "
            "known about whether its maps show what it rests on; racnet explain --check runs the checks on the "
            "spectra given.",
            "limit",
        )
        return
    page.text(
        f"Checks on {trust.spectra}. The verdict is passed or failed where the whole 95 % interval is on one side of "
        "the border that the check sets, else undecided."
    )
    _both(page, "trust", "Trust checks: value with its 95 % interval; diamonds are the controls.", trust.checks)
    page.table(
        ["check", "of", "verdict", "value (95 %)", "control", "spectra"],
        [
            [
                check.name,
                check.method,
                _VERDICTS[check.verdict],
                _value(check),
                f"{check.control:.2f} ({check.control_name})" if np.isfinite(check.control) else None,
                check.n,
            ]
            for check in trust.checks
        ],
        "Values are shares, rank correlations, or mean gaps to random order in log-odds (deletion, insertion).",
    )
    for check in trust.checks:
        text = f"{check.name} ({check.method}): {check.reading}"
        if check.verdict == "no":
            page.note(text, "limit")
        else:
            page.text(text[0].upper() + text[1:])
    if trust.curves:
        _both(
            page,
            "deletion_insertion",
            "Log-odds of the class while the parts that speak most for it are replaced by the continuum, and put back.",
            trust.curves,
        )


def _value(check: Check) -> str | None:
    if not np.isfinite(check.value):
        return None
    if not np.isfinite([check.lower, check.upper]).all():
        return f"{check.value:.2f}"
    return f"{check.value:.2f} ({check.lower:.2f} to {check.upper:.2f})"


def _has(value: Any) -> bool:
    return not np.ma.is_masked(value) and bool(np.isfinite(float(value)))


def _count(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"
