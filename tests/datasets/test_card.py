"""The data set card: the numbers are right, text from files does harm neither in HTML nor on a terminal."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from racnet_tools.datasets import Recipe, SpectrumStore, fill_simulated, prepare
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

TWO = Recipe("two", "Stars and <quasars>", ("STAR", "QSO"), per_class=100)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    counts = {"STAR": 120, "GALAXY": 20, "QSO": 40}
    return prepare(fill_simulated(tmp_path_factory.mktemp("card") / "s.zarr", counts, seed=4), TWO, seed=1)


def test_counts_and_histograms(data):
    card = data.card()
    for k, row in enumerate(card.counts):
        assert row["train"] == 80 and row["class"] == data.classes[k]
        assert row["test"] == data.counts("test")[row["class"]]
        assert row["objects"] + row["copies"] == row["train"] + row["test"]  # one spectrum an object here
    rows = np.unique(np.concatenate([entries[:, 0] for entries in data.index.values()]))
    for histogram in card.histograms:
        assert sum(counts.sum() for counts in histogram.counts.values()) + histogram.outside == len(rows)
    snr, z = card.histograms
    assert snr.log and not z.log and z.counts["STAR"][np.searchsorted(z.edges, 0.001) - 1] > 70
    assert any("Simulated spectra" in limit for limit in card.limits)
    assert any(re.search(r"Noisy copies.*: .*QSO \d\d%", " ".join(limit.split())) for limit in card.limits)
    assert "GALAXY 20, QSO 40, STAR 120 with seed 4" in card.provenance["simulated"]


def test_text_for_a_terminal(data):
    text = str(data.card())
    lines = text.splitlines()
    assert lines[0] == "Stars and <quasars>" and max(map(len, lines)) <= 100
    assert re.search(r"^  all +160 ", text, re.M) and data.store.fingerprint in text


def test_html_is_one_sound_piece(data):
    html = data._repr_html_()
    ElementTree.fromstring(html.replace("&nbsp;", " "))
    assert "Stars and &lt;quasars&gt;" in html and "<quasars>" not in html
    assert not re.search(r"https?:|<script|url\(|src=", html)
    assert html.count("<svg") == 2 + 2 + 2 == html.count('role="img"') == html.count("aria-label")
    assert "prefers-color-scheme" in html


def test_hostile_and_missing_values(tmp_path, rng):
    store = SpectrumStore.create(tmp_path / "s.zarr")
    rows = [
        {"spec_id": f"<script>{i}\x1b[31m", "label": label, "subclass": "<b>&", "survey": "<i>\x07"}
        for i, label in enumerate(["STAR", "QSO"] * 20)
    ]
    flux = rng.normal(1, 1, (40, LAMOST_GRID.n_pixels))
    flux[0] = -1
    flux[1, 5:] = 0
    store.append(SpectrumSet(LAMOST_GRID.wave, flux, None, None, rows))
    card = prepare(store, TWO, scale=0.2, seed=1).card()
    html, text = card._repr_html_(), str(card)
    assert "<script" not in html and "<b>&<" not in html and "<i>" not in html
    assert "\x1b" not in text and "\x07" not in text
    assert "pipeline" in text and "20 not shown" not in text
