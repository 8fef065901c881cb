"""The line list: values of the literature, in vacuum, moved by the redshift."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.spectra.lines import KINDS, line_list, line_windows


@pytest.mark.parametrize(
    ("kind", "name", "vacuum"),
    [  # NIST's and SDSS's vacuum wavelengths of lines that the file has in air
        ("stellar", "Ca II K", 3934.77),
        ("stellar", "H-alpha", 6564.61),
        ("stellar", "H-beta", 4862.68),
        ("stellar", "Na D2", 5891.58),
        ("stellar", "Mg b1", 5185.04),
        ("stellar", "Ca II 8542", 8544.44),
        ("sky", "[O I] 5577", 5578.89),
        ("nebular", "[O III] 5007", 5008.24),
        ("quasar", "C IV", 1549.06),
        ("stellar", "K I 7699", 7701.08),
        ("stellar", "Paschen 11", 8865.22),
        ("nebular", "[Ar III] 7136", 7137.76),
        ("nebular", "[O I] 6364", 6365.54),
        ("nebular", "[S III] 9069", 9071.09),
    ],
)
def test_vacuum_wavelengths_of_the_literature(kind, name, vacuum):
    table = line_list(kind)
    assert table["wave"][table["name"] == name][0] == pytest.approx(vacuum, abs=0.03)


def test_every_row_has_kind_source_and_its_centre_within_its_window():
    table = line_list()
    assert set(table["kind"]) == set(KINDS) and set(table["frame"]) == {"rest", "observed"}
    assert all(str(source) for source in table["source"])
    assert (table["low"] < table["wave"]).all() and (table["wave"] < table["high"]).all()
    assert (np.diff(table["wave"]) >= 0).all()
    assert len({(row["kind"], row["name"]) for row in table}) == len(table)


def test_lines_of_the_same_transition_agree_between_kinds():
    table = line_list()
    for name in ("H-alpha", "H-beta", "H-gamma"):
        assert np.ptp(table["wave"][table["name"] == name]) < 0.05


def test_features_at_rest_move_and_those_of_the_air_stay():
    wave = LAMOST_GRID.wave
    near, far = line_windows("GALAXY", 0.0, wave), line_windows("GALAXY", 0.3, wave)
    h_beta = [t["wave"][(t["name"] == "H-beta") & (t["kind"] == "nebular")][0] for t in (near, far)]
    assert h_beta[1] / h_beta[0] == pytest.approx(1.3)
    assert all(t["wave"][t["name"] == "O2 A"][0] == near["wave"][near["name"] == "O2 A"][0] for t in (near, far))
    assert "H-alpha" in near["name"] and "Ca II 8542" not in far["name"]  # beyond 9099 Angstrom
    row = far[(far["name"] == "H-beta") & (far["kind"] == "nebular")][0]
    assert wave[row["first"]] >= row["low"] > wave[row["first"] - 1] and wave[row["last"] - 1] <= row["high"]


def test_without_a_redshift_only_the_airs_are_left_and_the_class_says_what_else():
    assert set(line_windows("QSO", np.nan, LAMOST_GRID.wave)["kind"]) == {"telluric", "sky"}
    assert {"nebular", "stellar"} <= set(line_windows("UNKNOWN", 0.1, LAMOST_GRID.wave)["kind"])
    assert "stellar" in line_windows("K", 0.0, LAMOST_GRID.wave)["kind"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(RacnetError, match=r"nebular, stellar.*Received: planets"):
        line_list("planets")


def test_broad_lines_of_quasars_have_wide_windows_and_forbidden_ones_narrow_ones():
    table = line_list("quasar")
    for name, speed in (("H-beta", 4000), ("[O III] 5007", 1000)):
        row = table[table["name"] == name][0]
        assert (row["high"] - row["low"]) / row["wave"] * 299_792.458 == pytest.approx(2 * speed)
