"""The report of an explanation says what was found, and says no where a check says no."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from tiny_preset import CLASSES, spectrum_set

pytest.importorskip("plotly")

from racnet_tools.explain.check import Check
from racnet_tools.explain.explained import Explained
from racnet_tools.explain.faithfulness import Curves
from racnet_tools.explain.trust import Trust
from racnet_tools.plots.explain_report import explain_report

N = 3


@pytest.fixture(scope="module")
def found():
    spectra = spectrum_set(N)
    flux = spectra.flux / np.linalg.norm(spectra.flux, axis=1, keepdims=True)
    p = np.eye(N)[[0, 1, 1]] * 0.9 + 0.03
    target = p.argmax(axis=1)

    def explained(i):
        values = np.zeros((1, spectra.n_pixels))
        values[0, 2000:2040] = 0.5
        values[0, 500:520] = -0.25
        return SimpleNamespace(
            values=values,
            wave=spectra.wave,
            flux=flux[i : i + 1],
            baseline=flux[i : i + 1] * 0.9,
            target=target[i : i + 1],
            classes=tuple(CLASSES),
            probabilities=p[i : i + 1],
            method="occlusion",
            baseline_name="the continuum",
            unit="log-odds",
            completeness_error=np.array([0.02]),
        )

    rng = np.random.default_rng(1)
    return Explained(
        preset=SimpleNamespace(name="tiny", classes=tuple(CLASSES), limits=None),
        spectra=spectra,
        x=flux,
        said=[{} for _ in range(N)],
        probabilities=p,
        attention=[rng.random((N, channels)) for channels in (16, 32)],
        target=target,
        redshift=np.array([np.nan, 0.1, 0.2]),
        redshift_from=["", "network", "header"],
        attributions=[(explained(0),), (explained(1),)],
        refused=(),
    )


def check(name, decided):
    return Check(name, "occlusion", "rank correlation", 0.3, 0.2, 0.4, 0.1, "chance", 9, decided, f"Reading of {name}.")


def read(page, tmp_path):
    page.save(tmp_path / "report.html")
    return BeautifulSoup((tmp_path / "report.html").read_text(encoding="utf-8"), "html.parser")


def test_a_failed_check_is_said_first_and_again_with_its_reading(found, tmp_path):
    share = np.linspace(0, 1, 3)
    curves = {"occlusion": Curves(share, *(np.ones((2, 3)) * k for k in range(4)))}
    checks = (check("deletion", "yes"), check("attention tells where", "no"), check("insertion", "undecided"))
    page = read(explain_report(found, Trust(checks, curves, "9 made spectra", "0" * 64)), tmp_path)
    limits = [note.text for note in page("aside", "limit")]
    assert any("maps fail: attention tells where (occlusion)" in text for text in limits)
    assert any("Reading of attention tells where." in text for text in limits)
    assert not any("deletion" in text for text in limits)
    assert "Checks on 9 made spectra" in page.get_text()
    cells = [[cell.text for cell in row("td")] for row in page("table")[-1]("tr")[1:]]
    assert [row[2] for row in cells] == ["passed", "FAILED", "undecided"]
    assert cells[0][3:5] == ["0.30 (0.20 to 0.40)", "0.10 (chance)"]
    assert "put back" in page("figcaption")[-1].text


def test_the_first_spectra_are_shown_and_all_count(found, tmp_path):
    page = read(explain_report(found, None), tmp_path)
    text = page.get_text()
    assert "first 2 of 3 spectra" in text
    assert "STAR 1, GALAXY 2" in text
    assert "Probabilities: STAR 0.930, GALAXY 0.030, QSO 0.030; explained: STAR" in text
    assert text.count("occlusion 2.0%") == 2
    assert "0.1000 (as the network measures it)" in text
    assert "No trust checks are kept with the preset tiny" in text
    assert len(page("script", {"data-figure": True})) == len(page("figure"))


def test_a_network_without_attention_has_no_such_section(found, tmp_path):
    page = read(explain_report(dataclasses.replace(found, attention=[]), None, [("a.fits", "broken <b>")]), tmp_path)
    assert [h.text for h in page("h2")] == ["The spectra", "Can these maps be believed?", "Refused"]
    assert "attention" not in page("figure")[0].figcaption.text
    assert page("td")[-1].text == "broken <b>"


def test_what_a_joint_network_measures_is_said_in_words(found, tmp_path):
    row = {"subtype": None, "subtype_error": None, "z": 0.08841, "z_error": 0.00012, "prediction_set": "GALAXY|QSO"}
    joint = SimpleNamespace(name="tiny", classes=tuple(CLASSES), limits=SimpleNamespace(coverage=0.99))
    star = row | {"subtype": "G2", "subtype_error": 1.25, "prediction_set": "", "quality": 3}
    said = [star, row | {"quality": 0}, row | {"quality": 36}]
    page = read(explain_report(dataclasses.replace(found, preset=joint, said=said), None), tmp_path)
    first, second = (" ".join(cell.text for cell in table("td")) for table in page("table")[:2])
    assert "subtype G2 ± 1.2 subtypes" in first and "none is likely enough" in first
    assert "unlike the spectra that the network knows; the prediction set does not hold exactly one class" in first
    assert "0.08841 ± 0.00012" in second and "GALAXY or QSO (made to hold the class of 99%" in second
    assert "subtype" not in second and "nothing to note" in second
