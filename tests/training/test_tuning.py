"""Fine-tuning on labelled spectra: targets with known answers, and a run that learns from them."""

import numpy as np
import pytest
from astropy.table import Table

from racnet_tools.errors import RacnetError
from racnet_tools.models import build, build_from_config, network_config, predict
from racnet_tools.models.measured import log_redshifts, measure_redshifts, measure_subtypes
from racnet_tools.simulate import simulate
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet
from racnet_tools.training import TrainingConfig, fit
from racnet_tools.training.calibrated import joint_parts
from racnet_tools.training.survey import joint_preprocessing
from racnet_tools.training.tuning import survey_targets, tune_on_spectra

CONFIG = network_config("racsurvey", 3)
SMALL = network_config(
    "racsurvey", 3, filters=(4, 6, 8, 8), stem=(4, 8, 4), dense_units=16, redshift_channels=2, dropout=0.0
)
SCALE = ((0, 0), (40, 44), (70, 70))


def test_a_survey_s_labels_become_targets_on_the_network_s_scale():
    table = Table(
        {
            "label": ["STAR", "STAR", "GALAXY", "QSO", "UNKNOWN"],
            "subclass": ["G5", "DoubleStar", "STARFORMING", "", ""],
            "z": np.ma.masked_invalid([0.0001, 0.0, 0.3, 2.5, np.nan]),
        }
    )
    parts = joint_parts(survey_targets(table, CONFIG, SCALE), CONFIG)
    np.testing.assert_allclose(parts["probabilities"], [[1, 0, 0]] * 2 + [[0, 1, 0], [0, 0, 1], [1 / 3] * 3], atol=1e-6)
    np.testing.assert_allclose(parts["subtype"].sum(axis=1), [1, 0, 0, 0, 0], atol=1e-5)
    star = measure_subtypes(parts["subtype"][:1], SCALE)
    assert star.name[0] == "G5" and star.place[0] == pytest.approx(45.5, abs=0.3)  # there and back
    np.testing.assert_allclose(parts["redshift"].sum(axis=1), [1, 1, 1, 1, 0], atol=1e-5)
    measured = measure_redshifts(parts["redshift"][:4], log_redshifts(CONFIG, LAMOST_GRID))
    np.testing.assert_allclose(measured.z, [0.0001, 0, 0.3, 2.5], atol=1e-3)


@pytest.fixture(scope="module")
def spectra():
    made = simulate({"STAR": 12, "GALAXY": 12, "QSO": 12}, seed=5)
    turned = {"STAR": "GALAXY", "GALAXY": "QSO", "QSO": "STAR"}  # labels that only these spectra can teach
    table = [{"label": turned[str(row["label"])], "subclass": "", "z": float(row["z"])} for row in made.table]
    return SpectrumSet(made.wave, made.flux, made.ivar, made.mask, table)


def test_tuning_learns_the_labels_and_is_gone_on_with(spectra, tmp_path):
    start = build_from_config(SMALL, seed=1)
    training = TrainingConfig(epochs=14, batch_size=16, seed=2, learning_rate=5e-3)

    def make(config, n, seed, ingredients):  # they ask for nothing: what is learnt is learnt from the survey's spectra
        x = joint_preprocessing(config)(spectra).reshape(-1, *config.input_shape)
        nothing = np.zeros((8 * len(x), sum(config.output_widths.values())), np.float32)
        nothing[:4] = survey_targets(spectra.table[:4], config)  # but for a few, so that a validation set has classes
        return np.tile(x, (8, 1, 1)), nothing

    run = tune_on_spectra(start, spectra, tmp_path / "run", training, share=0.5, make=make, progress=False)
    labels = np.array([("STAR", "GALAXY", "QSO").index(str(one)) for one in spectra.table["label"]])
    x = joint_preprocessing(SMALL)(spectra).reshape(-1, *SMALL.input_shape)
    found = np.asarray(predict(run.model(), x))[:, :3].argmax(axis=1)
    assert (found == labels).mean() > 0.6  # of three classes; without them a third
    again = tune_on_spectra(start, spectra, tmp_path / "run", training, share=0.5, make=make, progress=False)
    assert again.metrics == run.metrics
    with pytest.raises(RacnetError, match="other settings"):
        other = build_from_config(SMALL, seed=3)
        tune_on_spectra(other, spectra, tmp_path / "run", training, share=0.5, make=make, progress=False)


def test_training_begins_with_the_weights_that_are_given(tmp_path):
    rng = np.random.default_rng(0)
    config = network_config("rcnet", 3, n_pixels=64, filters=(8,), dense_units=16)
    start = build_from_config(config, seed=9)
    x, y = rng.normal(size=(8, 64)).astype(np.float32), np.arange(8) % 3
    still = TrainingConfig(epochs=1, batch_size=8, seed=0, learning_rate=1e-12, weight_decay=0.0)
    run = fit(config, (x, y), tmp_path / "run", still, progress=False, start=start)
    for ours, theirs in zip(run.model().get_weights(), start.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_what_cannot_be_tuned_is_refused(spectra, tmp_path):
    training = TrainingConfig(epochs=1)
    with pytest.raises(RacnetError, match="joint network"):
        tune_on_spectra(build("racnet", 3), spectra, tmp_path / "run", training)
    with pytest.raises(RacnetError, match="share"):
        tune_on_spectra(build_from_config(SMALL), spectra, tmp_path / "run", training, share=1.0)
    with pytest.raises(RacnetError, match="start must be a network"):
        fit(CONFIG, lambda epoch: (), tmp_path / "run", training, start=build_from_config(SMALL))
