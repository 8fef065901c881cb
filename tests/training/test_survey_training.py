"""Training on a simulated survey: targets with known answers, a run from start to preset, and its limits."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from racnet_tools.errors import RacnetError
from racnet_tools.inference import classify, load_preset
from racnet_tools.models import network_config
from racnet_tools.models.measured import log_redshifts, measure_redshifts, measure_subtypes
from racnet_tools.models.quality import QUALITY_BITS, Limits
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.training import TrainingConfig
from racnet_tools.training.calibrated import fit_limits, fit_temperatures
from racnet_tools.training.survey import (
    CLASSES,
    Ingredients,
    make_joint_set,
    renew_survey_preset,
    save_survey_preset,
    train_on_survey,
)
from racnet_tools.training.targets import joint_targets

CONFIG = network_config("racsurvey", 3)
SMALL = network_config("racsurvey", 3, filters=(4, 6, 8, 8), stem=(4, 8, 4), dense_units=8, redshift_channels=2)


def test_targets_measure_as_what_they_were_made_of():
    table = Table(
        {
            "label": ["STAR", "GALAXY", "QSO", "UNKNOWN", "STAR"],
            "z": [0.0001, 0.4, 3.2, 0.5, -0.0002],
            "teff": [5435.0, np.nan, np.nan, 5000, np.nan],
            "feh": [0.0, np.nan, np.nan, 0, np.nan],
        }
    )
    y = joint_targets(table, CONFIG, CLASSES)
    assert y.shape == (5, 563)
    np.testing.assert_allclose(y[:, :3], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3] * 3, [1, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(y[:, 3:73].sum(axis=1), [1, 0, 0, 0, 0], atol=1e-6)  # of a star with a temperature alone
    np.testing.assert_allclose(y[:, 73:].sum(axis=1), [1, 1, 1, 0, 1], atol=1e-6)
    measured = measure_redshifts(y[[0, 1, 2, 4], 73:], log_redshifts(CONFIG, LAMOST_GRID))
    np.testing.assert_allclose(measured.z, [0.0001, 0.4, 3.2, -0.0002], atol=2e-4)
    np.testing.assert_allclose(measured.confidence, 1, atol=1e-3)
    star = measure_subtypes(y[:1, 3:73], ((0, 0), (70, 70)))
    moved = measure_subtypes(y[:1, 3:73], ((0, 0), (44.5, 39.0), (70, 70)))
    assert moved.name[0] == "F9" and moved.confidence[0] < star.confidence[0]
    moved = measure_subtypes(y[:1, 3:73], ((0, 0), (44.5, 39.5), (70, 70)))
    assert moved.name[0] == "F9" and moved.confidence[0] < star.confidence[0]
    assert star.letter[0] == "G" and star.place[0] == pytest.approx(44.7, abs=0.1)  # of log(teff) from 5980 to 4890 K
    assert 1 < star.error[0] < 2


def test_temperatures_undo_what_was_done_to_probabilities():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, (4000, 3))
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    y = np.eye(3)[[rng.choice(3, p=row) for row in p]]
    sharp = p**2 / (p**2).sum(axis=1, keepdims=True)
    assert fit_temperatures({"probabilities": sharp}, {"probabilities": y})["probabilities"] == pytest.approx(
        2, rel=0.1
    )


def test_prediction_sets_cover_what_they_state():
    rng = np.random.default_rng(1)

    def sample(n):
        scores = rng.normal(0, 2, (n, 3))
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return p, np.array(CLASSES)[[rng.choice(3, p=row) for row in p]]

    tried = log_redshifts(CONFIG, LAMOST_GRID)
    z = rng.uniform(0, 4, 6000)
    bells = np.exp(-0.5 * ((tried - np.log1p(z)[:, None] - rng.normal(0, 1e-3, (6000, 1))) / 0.003) ** 2)
    p, label = sample(6000)
    found = {"probabilities": p, "redshift": bells / bells.sum(axis=1, keepdims=True)}
    snr = rng.uniform(2, 40, 6000)
    limits = fit_limits(found, label, z, snr, CONFIG, CLASSES, ((0, 0), (70, 70)))
    assert limits.redshift_confidence <= 1  # nothing is wrong
    assert (limits.redshift_factor(label, snr) < 1).all()  # and peaks are wider than what they are off by
    assert Limits.from_dict(json.loads(json.dumps(dataclasses.asdict(limits))), CLASSES) == limits
    fresh, truth = sample(20_000)
    for k, name in enumerate(CLASSES):
        held = (fresh[truth == name, k] >= limits.in_set[name]).mean()
        assert limits.coverage - 0.01 < held  # of 2,000 spectra, the share scatters by 0.003
        assert held < 1


def test_redshift_errors_hold_two_thirds_at_every_signal_to_noise_ratio():
    rng = np.random.default_rng(2)
    tried = log_redshifts(CONFIG, LAMOST_GRID)

    def sample(n):
        label, z, snr = rng.choice(CLASSES, n), rng.uniform(0, 3, n), np.exp(rng.uniform(np.log(2), np.log(100), n))
        off = rng.normal(0, 1, n) * np.where(label == "QSO", 2e-3, 1e-3) / snr**0.5
        bells = np.exp(-0.5 * ((tried - np.log1p(z)[:, None] - off[:, None]) / 0.002) ** 2)
        return label, z, snr, bells / bells.sum(axis=1, keepdims=True)

    label, z, snr, bells = sample(9000)
    found = {"probabilities": np.eye(3)[[CLASSES.index(name) for name in label]], "redshift": bells}
    limits = fit_limits(found, label, z, snr, CONFIG, CLASSES, ((0, 0), (70, 70)))
    label, z, snr, bells = sample(9000)
    measured = measure_redshifts(bells, tried)
    within = np.abs(measured.z - z) < measured.error * limits.redshift_factor(label, snr)
    for name in CLASSES:
        for low, high in ((2, 4), (4, 20), (20, 100)):
            here = (label == name) & (snr >= low) & (snr < high)
            assert within[here].mean() == pytest.approx(0.683, abs=0.06)


@pytest.mark.parametrize(
    "broken",
    [
        {"redshift_error": 0.2},
        {"redshift_error": {"STAR": [[5, 0.1]]}},
        {"redshift_error": {name: [[5, 0.1], [4, 0.2]] for name in CLASSES}},
        {"redshift_error": {name: [] for name in CLASSES}},
        {"subtype_scale": [[0, 0], [70, "70"]]},
        {"subtype_scale": [[0, 5], [70, 4]]},
        {"in_set": {"STAR": -1, "GALAXY": 0, "QSO": 0}},
        {"coverage": True},
    ],
)
def test_limits_that_are_none_are_refused(broken):
    good = {
        "coverage": 0.99,
        "in_set": dict.fromkeys(CLASSES, 0.5),
        "redshift_confidence": 0.9,
        "redshift_error": {name: [[3, 0.2], [30, 0.1]] for name in CLASSES},
        "subtype_scale": [[0, 0], [70, 70]],
    }
    assert Limits.from_dict(good, CLASSES).redshift_factor(["QSO"], np.array([3.0])) == pytest.approx(0.2)
    assert Limits.from_dict({**good, **broken}, CLASSES) is None


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey")
    settings = TrainingConfig(epochs=2, batch_size=16, seed=1)
    run = train_on_survey(SMALL, folder / "run", settings, spectra_per_epoch=160, progress=False)
    again = train_on_survey(SMALL, folder / "run", settings, spectra_per_epoch=160, progress=False)
    assert run.metrics == again.metrics and len(run.history) == 2
    return save_survey_preset(run, folder / "preset", spectra=400)


def test_a_run_becomes_a_preset_that_classifies_into_every_format(preset, tmp_path):
    known = load_preset(preset)
    assert known.joint == SMALL and known.limits and known.preprocessing.shape == (3909, 3)
    assert "No real survey spectrum was trained on" in " ".join(known.card.split())
    table = classify(simulate({"STAR": 6, "GALAXY": 6, "QSO": 6}, seed=3), preset)
    stars = np.array(table["label"]) == "STAR"
    assert (np.ma.getmaskarray(table["subtype"]) == ~stars).all()
    assert (np.array(table["z_error"]) > 0).all() and np.isfinite(np.array(table["z"])).all()
    assert (np.array(table["quality"]) < 2 * max(bit for bit, _ in QUALITY_BITS.values())).all()
    rejected = np.array(table["rejected"])
    assert ((np.array(table["quality"]) & QUALITY_BITS["OUTLIER"][0] > 0) == rejected).all()
    sets = [set(filter(None, one.split("|"))) for one in table["prediction_set"]]
    doubtful = np.array(table["quality"]) & QUALITY_BITS["AMBIGUOUS"][0] > 0
    assert [len(one) != 1 for one in sets] == doubtful.tolist()


def test_limits_set_anew_are_the_same_and_the_network_stays(preset, tmp_path):
    folder = Path(shutil.copytree(preset, tmp_path / "again"))
    known, network = load_preset(folder), (folder / "model.onnx").read_bytes()
    renew_survey_preset(known.network(), known.provenance, folder, remarks="Something new.", spectra=400)
    again = load_preset(folder)
    assert (folder / "model.onnx").read_bytes() == network and "Something new." in again.card
    assert again.reject_threshold == pytest.approx(known.reject_threshold, abs=1e-3)
    assert again.limits.redshift_factor(CLASSES, np.full(3, 10.0)) == pytest.approx(
        known.limits.redshift_factor(CLASSES, np.full(3, 10.0)), rel=0.05
    )


@pytest.mark.parametrize("name", ["c.csv", "c.ecsv", "c.fits", "c.vot", "c.parquet"])
def test_the_command_writes_it(preset, tmp_path, name):
    from racnet_tools.cli import main
    from racnet_tools.resources import data_path

    out = tmp_path / name
    assert main(["classify", str(data_path("samples")), "--preset", str(preset), "--output", str(out)]) == 0
    if name.endswith("csv") and not name.endswith("ecsv"):
        rows = list(csv.DictReader(out.open()))
        quality, z = [int(row["quality"]) for row in rows], [float(row["z"]) for row in rows]
    elif name.endswith("parquet"):
        import pyarrow.parquet as pq

        made = pq.read_table(out)
        quality, z = made["quality"].to_pylist(), made["z"].to_pylist()
    else:
        table = Table.read(out)
        quality, z = [int(one) for one in table["quality"]], [float(one) for one in table["z"]]
    assert len(quality) == 15 and all(0 <= one < 64 for one in quality) and all(-0.01 < one < 5.1 for one in z)


def test_epochs_of_any_seed_have_the_same_size_and_no_faint_unknown():
    sizes = {len(make_joint_set(SMALL, 120, (seed, 0, 0))[1]) for seed in range(3)}
    assert len(sizes) == 1
    x, y = make_joint_set(SMALL, 120, (1, 0, 0), Ingredients(outliers=False))
    assert x.shape[1:] == (3909, 3) and np.isfinite(x).all() and (y[:, :3].max(axis=1) == 1).all()


def test_another_network_is_refused(tmp_path):
    with pytest.raises(RacnetError, match="joint network"):
        train_on_survey(network_config("racnet", 3), tmp_path / "run", TrainingConfig(epochs=1))
