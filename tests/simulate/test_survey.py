"""The whole simulator: counts, labels, determinism, honest noise, clear refusals."""

import numpy as np
import pytest

import racnet_tools.simulate.survey as survey
from racnet_tools.errors import RacnetError
from racnet_tools.simulate import STELLAR_BORDERS, simulate, simulate_chunks, survey_counts
from racnet_tools.simulate.galaxies import draw_galaxies
from racnet_tools.simulate.instrument import median_snr
from racnet_tools.simulate.quasars import draw_quasars
from racnet_tools.simulate.stars import draw_stars, stellar_type
from racnet_tools.spectra import LAMOST_GRID

COUNTS = {"STAR": 40, "GALAXY": 25, "QSO": 30, "A": 7, "F": 6, "G": 5, "K": 8, "M": 9, "B": 3, "O": 2}


@pytest.fixture(scope="module")
def spectra():
    return simulate(COUNTS, seed=(20260, 2))


def test_counts_are_as_asked(spectra):
    labels, numbers = np.unique(np.asarray(spectra.table["label"]), return_counts=True)
    assert dict(zip(labels.tolist(), numbers.tolist(), strict=True)) == {"STAR": 80, "GALAXY": 25, "QSO": 30}
    only = simulate({"A": 3, "M": 2}, seed=5).table
    assert sorted(only["subclass"]) == ["A", "A", "A", "M", "M"]
    assert set(only["label"]) == {"STAR"}


def test_counts_hold_across_pieces(monkeypatch):
    monkeypatch.setattr(survey, "_PIECE", 4)
    labels = np.asarray(simulate({"STAR": 9, "QSO": 5}, seed=1).table["label"])
    assert (labels == "STAR").sum() == 9
    assert len(labels) == 14


def test_spectra_are_shuffled(spectra):
    labels = np.asarray(spectra.table["label"])
    assert (labels[1:] != labels[:-1]).sum() > 30


def test_stellar_types_agree_with_temperature(spectra):
    assert list(STELLAR_BORDERS) == list("MKGFABO")
    stars = spectra.table[np.asarray(spectra.table["label"]) == "STAR"]
    found = stellar_type(np.asarray(stars["teff"]), np.asarray(stars["feh"]))
    ordinary = np.isin(stars["subclass"], list(STELLAR_BORDERS))
    assert ordinary.sum() > 70
    assert (found[ordinary] == np.asarray(stars["subclass"])[ordinary]).all()
    assert np.ma.getmaskarray(spectra.table["teff"])[np.asarray(spectra.table["label"]) != "STAR"].all()


def test_everything_sits_on_the_lamost_grid_and_is_finite(spectra):
    assert np.array_equal(spectra.wave, LAMOST_GRID.wave)
    assert spectra.flux.shape == (135, 3909)
    assert spectra.flux.dtype == spectra.ivar.dtype == np.float32
    assert np.isfinite(spectra.flux).all()
    assert np.isfinite(spectra.ivar).all()
    assert (spectra.ivar >= 0).all()


def test_bad_pixels_have_no_information(spectra):
    assert spectra.mask.any()
    assert spectra.mask.mean() < 0.05
    assert not spectra.ivar[spectra.mask].any()
    assert (spectra.ivar[~spectra.mask] > 0).all()


def test_table_says_what_was_drawn(spectra):
    table = spectra.table
    assert set(table["survey"]) == {"SIMULATED"}
    assert len(set(table["spec_id"])) == len(set(table["object_id"])) == len(spectra)
    assert table["spec_id"][3] == "simulated-20260-2-000003"
    for kind, low, high in (("STAR", -0.0011, 0.0011), ("GALAXY", 0.0005, 1.0), ("QSO", 0.05, 5.0)):
        z = np.asarray(table["z"][table["label"] == kind])
        assert low <= z.min()
        assert z.max() <= high
    assert table["ebv"].min() >= 0
    assert table["ebv"].max() <= 1.2
    assert {name.split("-")[0] for name in table["template"]} == {"star", "galaxy", "quasar"}
    for name, values in median_snr(spectra.flux, spectra.ivar).items():
        np.testing.assert_allclose(table[name], values, rtol=1e-5)


@pytest.mark.parametrize(("label", "median", "spread"), [("STAR", 25, 0.9), ("GALAXY", 10, 0.8)])
def test_signal_to_noise_spans_a_surveys(label, median, spread):
    spectra = simulate({label: 300}, seed=6)
    snr = np.log([np.median((f * np.sqrt(i))[~m]) for f, i, m in zip(
        spectra.flux, spectra.ivar, spectra.mask, strict=True)])  # fmt: skip
    assert np.exp(np.median(snr)) == pytest.approx(median, rel=0.2)
    assert np.subtract(*np.percentile(snr, [84.13, 15.87])) / 2 == pytest.approx(spread, abs=0.15)


def test_noise_agrees_with_ivar_without_the_templates(spectra):
    """As real spectra do. Second differences cancel smooth spectra; only stars hot enough to have few lines."""
    hot = spectra[np.asarray(spectra.table["teff"].filled(0)) > 7500]
    assert len(hot) > 10
    window = slice(*np.searchsorted(spectra.wave, (6050, 6250)))
    ratio = []
    for flux, ivar, mask in zip(hot.flux[:, window], hot.ivar[:, window], hot.mask[:, window], strict=True):
        snr = np.median(flux * np.sqrt(ivar))
        if mask.any() or snr > 60:  # lines of the templates show above the noise
            continue
        second = np.diff(flux, 2) * np.sqrt(ivar[1:-1] / 6)
        ratio.append(1.4826 * np.median(np.abs(second)))
    assert len(ratio) > 5
    assert 0.65 < np.median(ratio) < 1.0  # real pipelines overstate their noise
    assert min(ratio) > 0.45
    assert max(ratio) < 1.3


@pytest.mark.parametrize("seed", [3, (3, 1, 2)])
def test_the_same_seed_gives_the_same_bytes(seed):
    one, same = (simulate({"STAR": 4, "GALAXY": 2, "QSO": 2}, seed=seed) for _ in range(2))
    for name in ("flux", "ivar", "mask"):
        assert getattr(one, name).tobytes() == getattr(same, name).tobytes()
    assert [list(row) for row in one.table] == [list(row) for row in same.table]


@pytest.mark.parametrize("other", [4, (3, 1), (3, 0, 1), (3, 1, 2)])
def test_another_seed_gives_other_spectra(other):
    one, two = (simulate({"STAR": 4}, seed=seed) for seed in (3, other))
    assert not np.array_equal(one.flux, two.flux)
    assert one.table["spec_id"][0] != two.table["spec_id"][0]


@pytest.mark.parametrize("counts", [{"COMET": 3}, {"STAR": -1}, {}, {"STAR": 0}, {"star": 2}])
def test_wrong_counts_are_refused_with_what_was_received(counts):
    with pytest.raises(RacnetError) as caught:
        simulate(counts, seed=1)
    assert str(counts) in str(caught.value)
    assert "STAR, GALAXY, QSO" in str(caught.value)


def test_draws_repeat_with_their_seed():
    for draw in (draw_galaxies, draw_quasars, lambda n, rng: draw_stars(n, None, rng)):
        one, same, other = (draw(4, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
        assert one.tobytes() == same.tobytes()
        assert one.tobytes() != other.tobytes()


def test_chunks_are_the_same_with_any_number_of_workers():
    one, two = (list(simulate_chunks({"STAR": 30, "QSO": 12}, seed=(7, 1), chunk=10, workers=k)) for k in (1, 2))
    assert [len(chunk) for chunk in one] == [10, 10, 10, 10, 2]
    assert sum((np.asarray(chunk.table["label"]) == "QSO").sum() for chunk in one) == 12
    assert len({name for chunk in one for name in chunk.table["spec_id"]}) == 42
    for a, b in zip(one, two, strict=True):
        assert a.flux.tobytes() == b.flux.tobytes()
        assert a.ivar.tobytes() == b.ivar.tobytes()
        assert list(a.table["spec_id"]) == list(b.table["spec_id"])


def test_chunks_are_made_as_they_are_asked_for():
    chunks = simulate_chunks({"STAR": 10**8}, seed=1, chunk=3)
    assert len(next(chunks)) == 3


def test_a_survey_has_the_classes_of_dr5():
    counts = survey_counts(100_000)
    assert sum(counts.values()) == 100_000
    assert counts["STAR"] / 100_000 == pytest.approx(8_183_160 / 9_026_365, abs=1e-4)
    assert counts["UNKNOWN"] / counts["QSO"] == pytest.approx(637_889 / 52_453, rel=0.01)


def test_a_few_stars_are_white_dwarfs_or_carbon_stars():
    table = simulate({"STAR": 600}, seed=4).table
    rare = np.isin(table["subclass"], ["WD", "Carbon"])
    assert 3 <= rare.sum() <= 30
    assert np.ma.getmaskarray(table["teff"])[rare].all()
    assert not np.ma.getmaskarray(table["teff"])[~rare].any()
    assert set(table["label"]) == {"STAR"}
