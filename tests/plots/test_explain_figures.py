"""Figures of explanations hold what they were given, in print and on the screen."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from matplotlib.figure import Figure

from racnet_tools.errors import RacnetError
from racnet_tools.explain.channels import Excitation
from racnet_tools.explain.check import Check
from racnet_tools.explain.faithfulness import Curves
from racnet_tools.plots import explain
from racnet_tools.plots.prepared_explain import attention_picture, class_pictures, curve_summary, maps_of, trust_panels

plotly = pytest.importorskip("plotly.graph_objects")
live_explain = pytest.importorskip("racnet_tools.plots.interactive_explain")

WAVE = np.linspace(4000, 8000, 400)


def explained(method="occlusion", seed=1, target=2):
    """What an attribution looks like: one spectrum with a line at 6000 Angstrom that speaks for the class."""
    rng = np.random.default_rng(seed)
    line = np.exp(-0.5 * ((WAVE - 6000) / 20) ** 2)
    flux = 0.05 * (1 + line + 0.01 * np.random.default_rng(9).standard_normal(400))
    values = line - 0.3 * np.roll(line, 100) + 0.001 * rng.standard_normal(400)
    return SimpleNamespace(
        values=values[None].astype(np.float32),
        wave=WAVE,
        flux=flux[None].astype(np.float32),
        baseline=np.full((1, 400), 0.05, np.float32),
        target=np.array([target]),
        classes=("STAR", "GALAXY", "QSO"),
        probabilities=np.array([[0.1, 0.2, 0.7]]),
        method=method,
        baseline_name="running median",
        unit="log-odds",
        completeness_error=None,
    )


def check(name, value, verdict, quantity="rank correlation"):
    return Check(
        name, "occlusion", quantity, value, value - 0.1, value + 0.2, 0.05, "chance", 9, verdict, f"{name} <i>"
    )


CHECKS = [
    check("injected line", 0.9, "yes", "share of lines found"),
    check("randomised weights", 0.7, "no"),
    check("agreement of methods", np.nan, "undecided"),
    check("deletion", 2.5, "yes", "gap to random order / log-odds"),
]
ATTENTION = [np.linspace(0, 1, n) for n in (16, 32, 128)]
SHARE = np.linspace(0, 1, 5)
CURVES = Curves(SHARE, *(np.stack([a * SHARE + b for b in (0, 1, 2)]) for a in (-4.0, 4.0, -1.0, 1.0)))
RANKING = Table(
    {
        "block": [8, 3],
        "channel": [17, 0],
        "effect": [0.8, 0.4],
        "lower": [0.7, 0.2],
        "upper": [0.85, 0.6],
    }
)
STRETCHES = np.random.default_rng(0).normal(1, 0.1, (5, 9))
EXCITED = Excitation(
    block=3,
    channel=7,
    spectra=np.arange(5),
    pixel=np.arange(5.0),
    wave=np.array([5000.0, 5010, 5020, 5030, 5040]),
    activation=np.ones(5),
    velocity=69.0 * np.arange(-4, 5),
    stretches=STRETCHES,
    mean=STRETCHES.mean(axis=0),
    error=STRETCHES.std(axis=0),
)
CALLS = {
    "attribution": (([explained(), explained("integrated gradients", 2)],), {"lines": [(6000, "Hα"), (9000, "no")]}),
    "feature_shares": ((Table({"name": ["Hα", "<b>$x"], "share": [0.6, -0.2]}),), {}),
    "attention_map": ((ATTENTION,), {"title": "one"}),
    "class_attention": (({"STAR": ATTENTION, "QSO": [1 - block for block in ATTENTION]},), {}),
    "top_channels": ((RANKING,), {}),
    "deletion_insertion": (({"occlusion": CURVES},), {}),
    "excitation": (([EXCITED, EXCITED, EXCITED],), {}),
    "trust": ((CHECKS,), {}),
}


def printed(name):
    args, rest = CALLS[name]
    figure = getattr(explain, name)(*args, **rest)
    figure.savefig(io.BytesIO(), format="png")
    return figure


def live(name):
    args, rest = CALLS[name]
    return getattr(live_explain, name)(*args, **rest)


@pytest.mark.parametrize("name", CALLS)
def test_every_figure_has_both_forms(name):
    assert isinstance(printed(name), Figure)
    assert isinstance(live(name), plotly.Figure)


def test_both_modules_have_the_same_names():
    assert set(explain.__all__) == set(live_explain.__all__) == set(CALLS)


def test_excitation_shows_each_stretch_and_their_mean():
    first, *others = printed("excitation").axes
    assert len(first.lines) == 6 and len(others) == 3 and not others[-1].get_visible()
    np.testing.assert_allclose(first.lines[-1].get_ydata(), STRETCHES.mean(axis=0))
    assert first.get_title(loc="left") == "block 3, channel 7: 5020 Å (5010 to 5030)"
    assert sum(np.allclose(trace.y, STRETCHES.mean(axis=0)) for trace in live("excitation").data) == 3


def test_attribution_stands_below_the_spectrum_on_one_axis():
    figure = printed("attribution")
    top, first, second = figure.axes
    assert top.get_shared_x_axes().joined(top, second)
    one = explained()
    scale = np.sqrt(np.mean(one.flux.astype(float) ** 2))
    np.testing.assert_allclose(top.lines[0].get_ydata(), one.flux[0] / scale)
    np.testing.assert_allclose(top.lines[1].get_ydata(), 0.05 / scale, rtol=1e-6)
    assert [text.get_text() for text in top.texts] == ["Hα"]
    assert [ax.get_title(loc="left") for ax in (first, second)] == ["occlusion", "integrated gradients"]
    assert {text.get_text() for text in figure.legends[0].texts} >= {"running median", "speaks for QSO"}


def test_live_attribution_tells_for_from_against():
    traces = live("attribution").data
    positive, negative = traces[2:4]
    assert (positive.name, negative.name) == ("speaks for QSO", "speaks against QSO")
    values = explained().values[0]
    np.testing.assert_allclose(positive.y, np.where(values > 0, values, 0), atol=1e-4)
    np.testing.assert_allclose(negative.y, np.where(values < 0, values, 0), atol=1e-4)
    assert traces[4].yaxis == "y3" and not traces[4].showlegend
    assert [note.text for note in live("attribution").layout.annotations] == ["Hα"]


def test_attributions_of_different_classes_or_spectra_are_not_drawn_together():
    with pytest.raises(RacnetError, match="same spectra"):
        maps_of([explained(), explained(target=0)], 0)
    other = explained()
    other.flux = other.flux + 1
    with pytest.raises(RacnetError, match="same spectra"):
        maps_of([explained(), other], 0)
    with pytest.raises(RacnetError, match="at least one method"):
        maps_of([], 0)


def test_a_block_of_fewer_channels_has_broader_cells():
    picture = attention_picture(ATTENTION)
    np.testing.assert_allclose(picture[1, ::4], ATTENTION[1])
    odd = attention_picture([np.ones(3), np.ones(4)])
    assert np.isnan(odd[0, 3]) and (odd[0, :3] == 1).all()


def test_class_attention_shows_differences_from_the_mean():
    apart, limit = class_pictures(CALLS["class_attention"][0][0])
    np.testing.assert_allclose(apart["STAR"], -apart["QSO"])
    assert limit == pytest.approx(0.5)
    assert [trace.coloraxis for trace in live("class_attention").data] == ["coloraxis", "coloraxis2", "coloraxis2"]
    np.testing.assert_allclose(live("class_attention").data[0].z, 0.5)
    titles = [ax.get_title(loc="left") for ax in printed("class_attention").axes[:3]]
    assert titles == ["mean of the classes", "STAR less the mean", "QSO less the mean"]


def test_cells_know_their_channel():
    trace = live("attention_map").data[0]
    assert trace.customdata[0, 8] == 1 and trace.customdata[2, 8] == 8


def test_channels_stand_with_their_intervals():
    (trace,) = live("top_channels").data
    assert list(trace.y) == ["block 8, channel 17", "block 3, channel 0"]
    np.testing.assert_allclose(trace.error_x.array, [0.05, 0.2])
    assert [text.get_text() for text in printed("top_channels").axes[0].get_yticklabels()] == list(trace.y)


def test_curves_are_means_with_intervals_beside_random_order():
    mean, lower, upper = curve_summary(CURVES.deletion)
    np.testing.assert_allclose(mean, 1 - 4 * SHARE)
    assert (lower < mean).all() and (upper > mean).all()
    left, right = printed("deletion_insertion").axes
    np.testing.assert_allclose(left.lines[1].get_ydata(), 1 - SHARE)
    assert left.lines[1].get_label() == "random order"
    np.testing.assert_allclose(right.lines[0].get_xydata(), np.stack([100 * SHARE, 1 + 4 * SHARE], axis=1))
    assert len(live("deletion_insertion").data) == 8


def test_log_odds_have_a_panel_of_their_own():
    panels = trust_panels(CHECKS)
    assert [len(panel.labels) for panel in panels] == [3, 1]
    np.testing.assert_allclose(panels[0].errors[:, 0], [0.1, 0.2])
    signs = [text.get_text() for ax in printed("trust").axes for text in ax.texts]
    assert signs == ["✓", "✗", "?", "✓"]
    assert all("<i>" not in str(trace.customdata) for trace in live("trust").data)
    with pytest.raises(RacnetError, match="at least one check"):
        explain.trust([])


def test_names_are_neither_formulas_nor_markup():
    printed("feature_shares")
    assert list(live("feature_shares").data[0].y) == ["Hα", "&lt;b&gt;$x"]
