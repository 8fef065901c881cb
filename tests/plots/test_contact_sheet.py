"""Contact sheets and the figures of the realism report."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.realism import Auc
from racnet_tools.evaluate.realism_indices import compare
from racnet_tools.plots.contact_sheet import contact_sheet
from racnet_tools.plots.realism import auc_bars, autocorrelation_curves, distributions


def test_both_sides_are_named_and_share_their_axes(small_set):
    small_set.table["path"] = ["/somewhere/spec-1.fits", *[""] * 5]
    figure = contact_sheet(small_set[:2], small_set[2:4], title="K", notes=["S/N 10", "S/N 20"])
    left, right = figure.axes[:2]
    assert left.get_title(loc="left").startswith("real: spec-1.fits")
    assert "S/N 10" in left.get_title(loc="left")
    assert right.get_title(loc="left").startswith("simulated: s2")
    assert left.get_ylim() == right.get_ylim()
    assert len(figure.axes) == 4


def test_sides_of_different_length_are_refused(small_set):
    with pytest.raises(RacnetError, match="2 real, 3 others"):
        contact_sheet(small_set[:2], small_set[:3])


def test_a_spectrum_without_a_pixel_is_drawn_empty(small_set):
    small_set.mask[:2] = True
    assert contact_sheet(small_set[:1], small_set[1:2]).axes


def test_figures_show_every_view_class_and_quantity(rng):
    values = {view: Auc(0.7, 0.6, 0.8) for view in ("noise", "all")}
    figure = auc_bars({"simulated": values, "null": values})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["noise", "all"]
    rows = rng.standard_normal((9, 11))
    assert [ax.get_title() for ax in autocorrelation_curves({"A": (rows, rows), "F": (rows, rows)}).axes] == ["A", "F"]
    a, b = {"Hβ": rng.standard_normal(50)}, {"Hβ": rng.standard_normal(60) + 9}
    a["Hβ"][3] = np.nan
    drawn = distributions(a, b, compare(a, b, seed=1), title="F")
    assert drawn.axes[0].get_title() == "Hβ: D 1.00"
