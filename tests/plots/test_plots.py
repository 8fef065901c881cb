"""Figures show the data they were given; every one is really drawn."""

import io

import numpy as np
import pytest
from astropy.table import Table

from racnet_tools import plots
from racnet_tools.errors import RacnetError


def drawn(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    assert image.getvalue().startswith(b"\x89PNG")
    return figure


def test_spectrum_draws_flux_noise_and_gaps(small_set):
    small_set.mask[0, 100:200] = True
    ax = drawn(plots.spectrum(small_set, 0, lines_of="STAR")).axes[0]
    flux, noise, bad = (line.get_ydata() for line in ax.lines[:3])
    np.testing.assert_array_equal(flux[:100], small_set.flux[0, :100])
    assert np.isnan(flux[100:200]).all() and np.isfinite(bad[100:200]).all() and np.isnan(bad[:100]).all()
    np.testing.assert_allclose(noise[:100], 0.05, rtol=1e-5)
    assert [text.get_text() for text in ax.texts][-1] == "Hα"


def test_lines_move_with_redshift(small_set):
    ax = drawn(plots.spectrum(small_set, 0, lines_of="QSO", z=2.0)).axes[0]
    places = {text.get_text(): text.xy[0] for text in ax.texts}
    assert places["C IV"] == pytest.approx(3 * 1549.5)
    assert "Hα" not in places


def test_attention_map_shows_every_weight():
    attention = [np.linspace(0, 1, n)[None] for n in (16, 32, 128)]
    picture = drawn(plots.attention_map(attention)).axes[0].images[0].get_array()
    assert picture.shape == (3, 128)
    np.testing.assert_allclose(picture[0, ::8], attention[0][0])
    np.testing.assert_allclose(picture[2], attention[2][0])


def test_network_without_attention_is_refused():
    with pytest.raises(RacnetError, match="has this network attention"):
        plots.attention_map([])


def test_history_and_confusion():
    figure = drawn(plots.history({"loss": [1, 0.5], "accuracy": [0.5, 0.9], "val_accuracy": [0.4, 0.8]}))
    assert [len(ax.lines) for ax in figure.axes] == [1, 2]
    figure = drawn(plots.confusion(np.array([[8, 2], [0, 10]]), ["STAR", "QSO"]))
    assert [text.get_text() for text in figure.axes[0].texts] == ["8\n80%", "2\n20%", "0\n0%", "10\n100%"]


def test_page_escapes_and_stands_alone(small_set, tmp_path):
    page = plots.Page("A <b> page")
    page.heading("Section")
    page.text("<script>alert(1)</script>")
    page.table(["name"], [["<i>"]])
    page.figure(plots.spectrum(small_set), "caption")
    path = tmp_path / "page.html"
    page.save(path)
    html = path.read_text(encoding="utf-8")
    assert "<script>" not in html and "<i>" not in html and "<b>" not in html
    assert "://" not in html and "<script" not in html
    assert html.count("data:image/png;base64,") == 1
    with pytest.raises(RacnetError, match="not overwritten"):
        page.save(path)


def test_a_notebook_shows_a_figure_before_pyplot_has_drawn_anything(small_set):
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(plots.spectrum(small_set))
    assert data["image/png"].startswith(b"\x89PNG")


def test_an_axes_of_pyplot_is_drawn_into(small_set):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2)
    assert plots.spectrum(small_set, 0, ax=axes[0]) is figure
    assert plots.attention_map([np.full((2, 16), 0.5)], ax=axes[1]) is figure
    plt.close(figure)


@pytest.mark.parametrize("kind", [list, dict, Table])
def test_history_is_drawn_as_it_comes(kind):
    rows = [{"epoch": 1, "loss": 2.0, "accuracy": 0.5}, {"epoch": 2, "loss": 1.0, "accuracy": 0.75}]
    given = {
        list: rows,
        dict: {name: [row[name] for row in rows] for name in rows[0]},
        Table: Table(rows=rows),
    }[kind]
    loss, accuracy = drawn(plots.history(given)).axes
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), [2, 1])
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), [0.5, 0.75])
