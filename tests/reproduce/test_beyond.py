"""What lies beyond the paper, measured: the command, its numbers and its report; and what the default gives."""

import json

import numpy as np
import pytest

from racnet_tools.cli import main
from racnet_tools.inference import classify
from racnet_tools.reproduce.beyond import redshift_errors, strangers
from racnet_tools.simulate import simulate


def test_the_command_measures_and_reports(tmp_path, capsys):
    assert main(["reproduce", "beyond", "--scale", "0.06", "--output", str(tmp_path / "out")]) == 0
    made = {path.name for path in (tmp_path / "out").iterdir()}
    figures = {"sweep-galaxy.png", "sweep-qso.png", "reliability.png", "risk-coverage.png"}
    assert made == {"report.md", "results.json", *figures}
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    for kind, found in results["sweep"].items():
        for counts in found["right"].values():
            assert len(counts) == len(found["z"]) and min(counts) >= 0 and max(counts) <= found["objects"], kind
    # The preset is right where the paper's network takes galaxies for stars
    galaxies = results["sweep"]["GALAXY"]
    assert galaxies["right"]["racnet-survey"][0] > galaxies["right"]["racnet-class"][0]
    assert results["strangers"]["racnet-survey"]["nebula"]["entropy and redshift"][0] > 0.9
    text = (tmp_path / "out" / "report.md").read_text()
    assert "simulated" in text and all(name in text for name in figures)


def test_other_targets_are_not_mixed_in(tmp_path, capsys):
    assert main(["reproduce", "beyond", "table4", "--output", str(tmp_path / "out")]) == 2
    assert "stands by itself" in capsys.readouterr().err


def test_redshift_errors_of_known_numbers():
    true = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    told = redshift_errors(true + np.array([0.001, -0.001, 0, 0.1, 0]) * (1 + true), true, 0.003)
    assert told == {"n": 5, "nmad": pytest.approx(1.4826 * 0.001), "catastrophic": 1}


def test_strangers_are_spectra_of_their_number():
    for name, spectra in strangers(12, (1,)).items():
        assert np.isfinite(spectra.flux).all() and (spectra.ivar >= 0).all(), name
        assert name.startswith("UNKNOWN") or len(spectra) == 12, name


def test_the_default_is_right_on_simulated_spectra_of_all_redshifts():
    spectra = simulate({"STAR": 40, "GALAXY": 40, "QSO": 40}, seed=12, even=True)
    table = classify(spectra)
    assert "racnet-survey" in table.meta["presets"]
    assert (np.asarray(table["label"]) == np.asarray(spectra.table["label"])).mean() > 0.95
    z, far = np.asarray(spectra.table["z"], float), np.asarray(spectra.table["label"]) != "STAR"
    off = np.abs(np.asarray(table["z"]) - z) / (1 + z)
    assert np.median(off[far]) < 0.001
    teff = np.asarray(spectra.table["teff"], float)[~far]
    known = np.isfinite(teff)
    letters = np.asarray(table["subclass"].filled(""))[~far]
    assert {"M"} >= set(letters[known & (teff < 3600)]) and {"O", "B"} >= set(letters[known & (teff > 12_000)])
