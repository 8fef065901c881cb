"""Printed figures and their interactive twins hold the same numbers: those that they were given."""

import io

import numpy as np
import pytest
from astropy.table import Table
from matplotlib.figure import Figure

from racnet_tools import plots
from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import wilson_interval
from racnet_tools.plots.prepared import bins, panels, spread, sweep
from racnet_tools.plots.style import series, tint

plotly = pytest.importorskip("plotly.graph_objects")
interactive = pytest.importorskip("racnet_tools.plots.interactive")

HISTORY = [
    {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 0.8, "val_accuracy": 0.6, "seconds": 3},
    {"epoch": 2, "loss": 0.5, "accuracy": 0.8, "val_loss": 0.4, "val_accuracy": 0.7, "seconds": 3},
]
ROWS = [
    {"network": "C-Net", "dataset": "Data set 1", "accuracy": 0.88, "lower": 0.87, "upper": 0.90, "published": 0.8875},
    {
        "network": "RAC-Net",
        "dataset": "Data set 1",
        "accuracy": 0.93,
        "lower": 0.91,
        "upper": 0.94,
        "seeds": [0.92, 0.94],
    },
    {
        "network": "RAC-Net",
        "dataset": "Data set 2",
        "accuracy": 0.985,
        "lower": 0.98,
        "upper": 0.99,
        "published": 0.9892,
    },
]
BINS = Table(
    {
        "low": [0.0, 5.0, 10.0],
        "high": [5.0, 10.0, np.inf],
        "n": [10, 0, 40],
        "right": [8, 0, 40],
        "confidence": [0.3, np.nan, 0.9],
        "accuracy": [0.8, np.nan, 1.0],
        "lower": [0.49, np.nan, 0.91],
        "upper": [0.94, np.nan, 1.0],
    }
)
SHARES = Table(BINS, copy=True)
SHARES["low"], SHARES["high"] = [0.0, 0.4, 0.6], [0.4, 0.6, 1.0]
Z = np.array([0.0, 1.0, 2.0])
P = np.array([[[0.9, 0.1], [0.4, 0.6], [np.nan, np.nan]], [[0.7, 0.3], [0.8, 0.2], [0.2, 0.8]]])
COSTS = {"network": ["A", "B"], "operations": [1e6, 1e8], "parameters": [4e5, 1.6e6], "accuracy": [0.9, 0.95]}
CALLS = {
    "learning_curves": (({"one": HISTORY},), {}),
    "confusion": ((np.array([[8, 2], [0, 10]]), ["STAR", "QSO"]), {"title": "RAC-Net"}),
    "confusions": (({"one": np.eye(2, dtype=int), "two": np.eye(2, dtype=int)}, ["STAR", "QSO"]), {}),
    "accuracy_bars": ((ROWS,), {}),
    "reliability": (({"before": SHARES},), {}),
    "risk_coverage": (({"one": {"coverage": [0.5, 1.0], "risk": [0.0, 0.1]}},), {}),
    "binned_accuracy": (({"QSO": BINS},), {"xlabel": "S/N"}),
    "redshift_sweep": (
        (Z, P, ["STAR", "QSO"]),
        {"true": "STAR", "title": "two", "lines": [(0.5, "Hα leaves"), (9, "no")]},
    ),
    "cost_accuracy": ((COSTS,), {}),
}


def printed(name):
    args, rest = CALLS[name]
    figure = getattr(plots, name)(*args, **rest)
    image = io.BytesIO()
    figure.savefig(image, format="pdf")
    assert image.getvalue().startswith(b"%PDF")
    return figure


def live(name):
    args, rest = CALLS[name]
    return getattr(interactive, name)(*args, **rest)


def bars_of(ax):
    """Lower and upper end of every error bar, in the order they were drawn."""
    return [
        [np.array(segment) for segment in lines.get_segments()] for container in ax.containers for lines in container[2]
    ]


@pytest.mark.parametrize("name", CALLS)
def test_every_figure_has_both_forms(name):
    assert isinstance(printed(name), Figure)
    assert isinstance(live(name), plotly.Figure)
    assert printed(name).get_figwidth() <= 7.2


def test_every_interactive_figure_has_a_printed_one():
    assert set(CALLS) == set(interactive.__all__) - {"library", "to_json"} <= set(plots.__all__)


def test_learning_curves_tell_training_from_validation():
    loss, accuracy = printed("learning_curves").axes
    training, validation = accuracy.lines
    np.testing.assert_array_equal(training.get_ydata(), [0.5, 0.8])
    np.testing.assert_array_equal(validation.get_ydata(), [0.6, 0.7])
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    np.testing.assert_array_equal(loss.lines[1].get_xdata(), [1, 2])
    found = {(trace.name, trace.yaxis): trace for trace in live("learning_curves").data if trace.x[0] is not None}
    assert len(found) == 4
    np.testing.assert_array_equal(found["one, validation", "y2"].y, [0.6, 0.7])
    assert found["one, training", "y"].line.dash != found["one, validation", "y"].line.dash == "solid"


def test_learning_curves_take_columns_and_leave_out_what_was_not_measured():
    figure = plots.learning_curves({"a": {"loss": [2.0, 1.0], "accuracy": [0.1, 0.2]}, "b": Table(HISTORY)})
    assert [len(ax.lines) for ax in figure.axes] == [3, 3]
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [1, 2])


def test_confusions_show_counts_and_shares():
    figure = live("confusion")
    np.testing.assert_array_equal(figure.data[0].customdata, [[8, 2], [0, 10]])
    np.testing.assert_allclose(figure.data[0].z, [[0.8, 0.2], [0, 1]])
    assert figure.layout.yaxis.autorange == "reversed"
    assert len(live("confusions").data) == 2
    assert [ax.get_title(loc="left") for ax in printed("confusions").axes] == ["one", "two"]
    with pytest.raises(RacnetError, match="2 by 2"):
        plots.confusions({"one": np.eye(3)}, ["a", "b"])


def test_accuracies_stand_with_interval_seeds_and_published_value():
    first, second = printed("accuracy_bars").axes
    np.testing.assert_allclose([bar[:, 0] for bar in bars_of(first)[0]], [[87, 90], [91, 94]])
    np.testing.assert_allclose(first.lines[-1].get_xdata(), [88.75, np.nan])
    assert [text.get_text() for text in first.get_yticklabels()] == ["C-Net", "RAC-Net"]
    assert first.get_xlim()[0] < 87 and first.get_xlim()[1] > 94
    assert second.get_xlim()[0] > 97 and first.get_ylim()[0] > first.get_ylim()[1]
    traces = {(trace.name, trace.xaxis): trace for trace in live("accuracy_bars").data}
    assert sorted(traces) == sorted(
        [
            ("here, 95 % interval", "x"),
            ("here, 95 % interval", "x2"),
            ("published", "x"),
            ("published", "x2"),
            ("single seeds", "x"),
        ]
    )
    here = traces["here, 95 % interval", "x"]
    np.testing.assert_allclose(here.error_x.array, [2, 1])
    np.testing.assert_allclose(here.error_x.arrayminus, [1, 2])
    np.testing.assert_allclose(traces["single seeds", "x"].x, [92, 94])
    assert list(traces["single seeds", "x"].customdata) == ["RAC-Net"] * 2
    assert traces["published", "x"].marker.symbol == "diamond-open"


def test_accuracies_without_interval_have_no_bar():
    (panel,) = panels([{"network": "A", "dataset": "1", "accuracy": 0.5}])
    assert panel.errors.tolist() == [[0], [0]] and np.isnan(panel.published).all()
    low, high = panel.range
    assert low < 0.5 < high


def test_reliability_leaves_out_empty_bins_and_shows_shares():
    ax, below = printed("reliability").axes
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [0.3, 0.9])
    np.testing.assert_allclose([bar[:, 1] for bar in bars_of(ax)[0]], [[0.49, 0.94], [0.91, 1.0]])
    assert below.get_yscale() == "log"
    np.testing.assert_allclose([line.get_ydata()[0] for line in below.lines], [0.2, 0.8])
    line, points, bars = live("reliability").data
    np.testing.assert_array_equal(line.x, line.y)
    np.testing.assert_array_equal(points.y, [0.8, 1.0])
    np.testing.assert_allclose(points.error_y.array, [0.14, 0.0], atol=1e-12)
    np.testing.assert_allclose(bars.y, [0.2, 0.8])
    np.testing.assert_allclose(bars.width, [0.4, 0.4])


def test_risk_and_coverage_are_drawn_in_per_cent():
    np.testing.assert_allclose(printed("risk_coverage").axes[0].lines[0].get_xydata(), [[50, 0], [100, 10]])
    trace = live("risk_coverage").data[0]
    np.testing.assert_allclose([trace.x, trace.y], [[50, 100], [0, 10]])


def test_binned_accuracy_shows_bins_intervals_and_counts():
    ax, below = printed("binned_accuracy").axes
    across, up = bars_of(ax)
    np.testing.assert_allclose([across[k][:, 0] for k in (0, -1)], [[0, 5], [10, 15]])
    np.testing.assert_allclose([up[k][:, 1] for k in (0, -1)], [[49, 94], [91, 100]])
    assert below.lines[0].get_ydata().max() == 40 and below.get_ylim()[0] == 0
    assert ax.get_xscale() == "linear" and ax.get_ylim()[1] > 100
    points, counts = live("binned_accuracy").data
    np.testing.assert_allclose(points.y, [80, np.nan, 100])
    np.testing.assert_allclose(points.error_y.arrayminus[[0, 2]], [31, 9])
    assert list(counts.y) == [0, 10, 10, 0, 0, 0, 0, 0, 0, 40, 40, 0]


def test_bins_over_decades_have_a_logarithmic_axis():
    wide = Table(BINS, copy=True)
    wide["low"], wide["high"] = [1.0, 5.0, 25.0], [5.0, 25.0, np.inf]
    assert plots.binned_accuracy({"a": wide}, xlabel="S/N").axes[0].get_xscale() == "log"
    assert interactive.binned_accuracy({"a": wide}, xlabel="S/N").layout.xaxis.type == "log"
    assert bins(wide, logarithmic=True).high[-1] == 125


def test_sweep_takes_percentiles_of_the_known_objects_and_counts_those_that_stay():
    found = sweep(Z, P, ["STAR", "QSO"], "STAR")
    np.testing.assert_array_equal(found.n, [2, 2, 1])
    np.testing.assert_allclose(found.kept, [1.0, 0.5, 0.0])
    np.testing.assert_allclose([found.lower[1], found.upper[1]], wilson_interval(1, 2))
    np.testing.assert_allclose(found.percentiles[:, 0, 0], [0.7 + 0.2 * 0.16, 0.8, 0.7 + 0.2 * 0.84])
    np.testing.assert_allclose(found.percentiles[:, 2, 1], 0.8)
    turned = sweep(Z[::-1], P[:, ::-1], ["STAR", "QSO"], "STAR")
    np.testing.assert_allclose(turned.kept, found.kept)


def test_redshift_sweep_draws_probabilities_share_and_marks():
    ax, below = printed("redshift_sweep").axes
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.8, 0.6, 0.2])
    np.testing.assert_allclose(below.lines[0].get_ydata(), [100, 50, 0])
    assert [text.get_text() for text in ax.texts] == ["Hα leaves"]
    assert ax.get_xlim() == (0, 2)
    figure = live("redshift_sweep")
    kept = next(trace for trace in figure.data if trace.name == "classified as STAR")
    np.testing.assert_allclose(kept.y, [100, 50, 0])
    assert [note.text for note in figure.layout.annotations] == ["Hα leaves"]
    assert {shape.x0 for shape in figure.layout.shapes} == {0.5}


def test_costs_have_a_logarithmic_axis_and_larger_markers_for_more_parameters():
    ax = printed("cost_accuracy").axes[0]
    assert ax.get_xscale() == "log"
    sizes = [trace.marker.size for trace in live("cost_accuracy").data]
    assert sizes[1] ** 2 == pytest.approx(2 * sizes[0] ** 2)  # four times the parameters
    assert [trace.name for trace in live("cost_accuracy").data] == ["A, 400k", "B, 1.6M"]


def test_labels_are_neither_formulas_nor_markup():
    curves = {r"$\frac{a <b>x</b>": HISTORY}
    plots.learning_curves(curves).savefig(io.BytesIO())
    names = {trace.name for trace in interactive.learning_curves(curves).data}
    assert not any("<" in name for name in names) and any("&lt;b&gt;" in name for name in names)


@pytest.mark.parametrize("library", [plots, interactive])
def test_wrong_input_is_named(library):
    with pytest.raises(RacnetError, match="none named risk"):
        library.risk_coverage({"a": {"coverage": [1.0]}})
    with pytest.raises(RacnetError, match="at least one table"):
        library.reliability({})
    with pytest.raises(RacnetError, match=r"\(objects, 3, 2\)"):
        library.redshift_sweep(Z, P[:, :2], ["STAR", "QSO"], true="STAR")
    with pytest.raises(RacnetError, match="Received: GALAXY"):
        library.redshift_sweep(Z, P, ["STAR", "QSO"], true="GALAXY")
    with pytest.raises(RacnetError, match="none named dataset"):
        library.accuracy_bars([{"network": "A", "accuracy": 0.5}])


def test_masked_values_are_missing():
    rows = Table(
        rows=[("A", "1", 0.5, 0.9), ("B", "1", 0.6, 0.8)], names=("network", "dataset", "accuracy", "published")
    )
    rows = Table(rows, masked=True)
    rows["published"].mask[1] = True
    np.testing.assert_array_equal(panels(rows)[0].published, [0.9, np.nan])


def test_labels_that_collide_are_moved_apart_and_others_stay():
    moved = spread([0.1, 0.5, 0.51, 0.52], 0.05, 0, 1)
    assert moved[0] == 0.1 and np.diff(moved).min() >= 0.05 - 1e-12
    assert moved[2] == pytest.approx(0.51)
    assert spread([0.99, 1.0], 0.1, 0, 1).tolist() == pytest.approx([0.9, 1.0])


def test_series_differ_in_grey_or_in_form():
    looks = [series(k) for k in range(7)]
    assert (
        len({look.marker for look in looks})
        == len({look.dashes for look in looks})
        == len({look.dash for look in looks})
        == 7
    )
    grey = [
        0.2126 * r + 0.7152 * g + 0.0722 * b
        for r, g, b in ([int(look.colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for look in looks[:3])
    ]
    assert min(abs(a - b) for i, a in enumerate(grey) for b in grey[:i]) > 0.1
    assert tint("#004488", 0.5) == "rgba(0,68,136,0.5)"
