"""The two-sample test and the indices behind the realism report, against known answers."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scripts import load_script

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.realism import match, measured_snr, tell_apart, two_sample_test
from racnet_tools.evaluate.realism_features import VIEWS, autocorrelation, features, running_median
from racnet_tools.evaluate.realism_indices import INDICES, colours, compare, d4000, ks_distance, line_indices
from racnet_tools.evaluate.rejection import auc
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet, air_to_vacuum, concatenate

WAVE = LAMOST_GRID.wave


def spectra_of(*flux, z=0.0, mask=None):
    rows = [{"spec_id": f"s{i}", "object_id": f"o{i}", "z": z} for i in range(len(flux))]
    flux = np.stack(flux)
    return SpectrumSet(WAVE, flux, np.full(flux.shape, 100.0), mask, rows)


@pytest.mark.parametrize("name", ["Hβ", "Mg b", "Fe 5270", "Hδ A", "Ca 8542"])
@pytest.mark.parametrize("z", [0.0, 0.02])
def test_an_injected_line_has_its_equivalent_width(name, z):
    (low, high), _, _ = INDICES[name]
    centre = air_to_vacuum(np.array([(low + high) / 2]))[0]
    sigma, width = (high - low) / 14, 2.5  # the wings stay inside the band
    rest = WAVE / (1 + z)
    continuum = 3 + 1e-4 * (rest - 5000)  # a slope has no width of its own
    profile = width / (sigma * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((rest - centre) / sigma) ** 2)
    found = line_indices(spectra_of(continuum * (1 - profile), continuum, z=z))[name]
    assert found[0] == pytest.approx(width, abs=0.02)
    assert found[1] == pytest.approx(0, abs=0.005)


def test_d4000_of_a_step():
    per_frequency = np.where(WAVE > 3980, 1.7, 1.0)
    assert d4000(spectra_of(per_frequency / WAVE**2 * 1e7))[0] == pytest.approx(1.7, rel=1e-6)


def test_colour_of_a_power_law_and_of_a_gap():
    mask = np.zeros((2, len(WAVE)), bool)
    mask[1] = (WAVE > 4000) & (WAVE < 4300)
    found = colours(spectra_of(np.ones(len(WAVE)), np.ones(len(WAVE)), mask=mask))["4250 - 5300"]
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert np.isnan(found[1])


def test_autocorrelation_of_white_and_of_smoothed_noise(rng):
    white = rng.standard_normal((40, 4000))
    smooth = 0.2 * np.roll(white, 1, 1) + white + 0.2 * np.roll(white, -1, 1)
    good = rng.random(white.shape) > 0.2
    assert autocorrelation(white, good, 4).mean(axis=0) == pytest.approx([1, 0, 0, 0, 0], abs=0.01)
    # Kernel (0.2, 1, 0.2): products of lags 1 and 2 over the sum of squares.
    assert autocorrelation(smooth, good, 4).mean(axis=0) == pytest.approx([1, 0.4 / 1.08, 0.04 / 1.08, 0, 0], abs=0.01)


def test_running_median_keeps_a_level_and_drops_an_outlier():
    flux = np.full((1, 3909), 2.0)
    flux[0, 1000:1010] = 50
    assert running_median(flux) == pytest.approx(2.0)


def test_auc_and_ks_of_known_samples():
    positive = np.array([False, False, True, True])
    assert auc(positive, np.array([1.0, 2, 3, 4])) == 1
    assert auc(positive, np.array([4.0, 3, 2, 1])) == 0
    assert auc(positive, np.array([1.0, 3, 2, 4])) == 0.75
    assert auc(positive, np.ones(4)) == 0.5
    assert ks_distance(np.arange(4.0), np.arange(4.0) + 2) == 0.5
    assert np.isnan(ks_distance(np.array([np.nan]), np.arange(3)))


def test_compare_finds_a_shift_and_refuses_other_names(rng):
    a, b = rng.standard_normal(200), rng.standard_normal(300)
    found = compare({"same": a, "moved": a}, {"same": b, "moved": b + 3}, seed=1)
    assert found["same"].distance < found["same"].chance
    assert found["moved"].low > 0.8
    with pytest.raises(RacnetError, match="other"):
        compare({"one": a}, {"other": b}, seed=1)


def test_partners_have_the_kind_and_the_nearest_snr_once():
    kind, snr = np.array(["F", "G", "F"]), np.array([10.0, 20.0, 40.0])
    other_kind, other_snr = np.array(["F", "F", "G", "F", "G"]), np.array([11.0, 38.0, 500.0, 90.0, 21.0])
    partner = match(kind, snr, other_kind, other_snr, 1)
    assert partner.tolist() == [[0], [4], [1]]
    with pytest.raises(RacnetError, match="kind F"):
        match(kind, snr, other_kind, other_snr, 2)


@pytest.mark.parametrize("linear", [False, True])
def test_a_shift_is_found_and_equal_samples_are_not(rng, linear):
    pytest.importorskip("sklearn")
    group, positive = np.arange(300), np.arange(300) >= 150
    columns = {f"f{i}": rng.standard_normal(300) for i in range(8)}
    columns["f0"][::7] = np.nan
    score, _ = tell_apart(columns, positive, group, seed=1, linear=linear)
    assert auc(positive, score) == pytest.approx(0.5, abs=0.12)
    columns["f3"] = columns["f3"] + 4 * positive
    score, importance = tell_apart(columns, positive, group, seed=1, linear=linear, importance=True)
    assert auc(positive, score) > 0.97
    if not linear:
        assert max(importance, key=importance.__getitem__) == "f3"


def test_two_simulated_sets_cannot_be_told_apart_until_one_is_noisier():
    pytest.importorskip("sklearn")
    a, b = (simulate({"F": 40, "K": 40}, seed=seed) for seed in (1, 2))
    n = len(a)
    group, positive = np.arange(2 * n), np.arange(2 * n) >= n
    measured = {view: VIEWS[view](concatenate([a, b])) for view in ("noise", "gaps")}
    same = two_sample_test(measured, positive, group, seed=1)
    assert set(same.boosted) == {"noise", "gaps", "all"}
    assert same.boosted["all"].low < 0.55
    noisier = SpectrumSet(b.wave, b.flux, b.ivar * 4, b.mask, b.table)
    measured = {"noise": VIEWS["noise"](concatenate([a, noisier]))}
    other = two_sample_test(measured, positive, group, seed=1)
    assert other.boosted["noise"].value > 0.9
    assert other.telling[0][0].startswith("noise")


def test_features_survive_lost_pixels():
    spectra = simulate({"G": 4}, seed=3)
    spectra.mask[0, :3000] = True
    spectra.ivar[0, :3000] = 0
    for columns in features(spectra).values():
        assert all(values.shape == (4,) for values in columns.values())
    assert measured_snr(spectra)[0] == 0.1


def test_benchmark_reads_one_spectrum_an_object(real_spectra, monkeypatch):
    folder = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    module = load_script(folder / "realism.py", "benchmark_realism")
    real = module.read_real(real_spectra / "lamost" / "spectraml", None)
    assert len(real) > 5
    assert set(real.table["kind"]) <= set("AFGKM")
    found = line_indices(real)
    assert np.isfinite(found["Hβ"]).mean() > 0.7
