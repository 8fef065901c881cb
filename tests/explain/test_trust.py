"""Trust checks of networks that are written by hand, so that it is known where the evidence is."""

import numpy as np
import pytest
from onnx import load_model_from_string, numpy_helper
from scipy import stats
from tiny_preset import graph

from racnet_tools.errors import RacnetError
from racnet_tools.explain.agreement import (
    attention_tells_where,
    methods_agree,
    noise_level,
    shuffled_weights,
    stable_under_noise,
    weights_matter,
)
from racnet_tools.explain.check import checks_table, coarse, log_odds, mean_interval, rank_correlation, verdict
from racnet_tools.explain.faithfulness import SEGMENT, deletion_insertion, faithfulness
from racnet_tools.explain.planted import injected_line, peak_places, plant_lines

N_PIX = 1200


def flat(n, rng, noise=0.002):
    return (1 + noise * rng.standard_normal((n, N_PIX))).astype(np.float32), np.ones((n, N_PIX), np.float32)


def bright_pixel(flux):
    """Logits of a network for which a spectrum with any strong emission line is class 1, and else class 0."""
    return np.stack([np.zeros(len(flux)), 8 * (flux.max(axis=1) - 1.6)], axis=1)


def brightness(flux, target):
    """The true explanation of `bright_pixel`."""
    return np.where(target[:, None] == 1, 1, -1) * (flux - 1)


def weighted(weights):
    """Logits of a network of two classes that adds up the pixels' distance from 1 with weights."""

    def logits(flux):
        score = (np.asarray(flux, float) - 1) @ weights
        return np.stack([np.zeros(len(score)), score], axis=1)

    return logits


def test_interval_of_a_mean_is_students():
    values = np.array([0.1, 0.5, 0.2, 0.9, np.nan])
    known = values[:4]
    expected = stats.t.interval(0.95, 3, known.mean(), stats.sem(known))
    assert mean_interval(values) == pytest.approx((known.mean(), *expected))
    assert np.isnan(mean_interval(known[:1])[1])


def test_rank_correlation_is_spearmans_with_ties(rng):
    a, b = rng.integers(0, 5, (2, 3, 40))
    assert rank_correlation(a, b) == pytest.approx([stats.spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])
    assert np.isnan(rank_correlation(np.ones((1, 9)), b[:1, :9]))[0]
    with pytest.raises(RacnetError, match="one shape"):
        rank_correlation(a, b[:, :3])


def test_sums_of_segments_keep_the_whole():
    values = np.arange(10.0)[None]
    assert coarse(values, 4).tolist() == [[6, 22, 17]]


def test_log_odds_are_of_the_class_against_all_others(rng):
    logits = rng.standard_normal((4, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    target = np.array([0, 1, 2, 1])
    chosen = p[np.arange(4), target]
    assert log_odds(logits, target) == pytest.approx(np.log(chosen / (1 - chosen)))


@pytest.mark.parametrize(
    ("lower", "upper", "n", "expected"),
    [
        (0.6, 0.8, 9, "yes"),
        (0.1, 0.4, 9, "no"),
        (0.4, 0.6, 9, "undecided"),
        (0.6, 0.8, 4, "undecided"),
        (np.nan, np.nan, 9, "undecided"),
    ],
)
def test_verdicts_come_from_the_interval(lower, upper, n, expected):
    assert verdict(lower, upper, 0.5, n) == expected


def test_a_planted_line_alone_decides_the_class(rng):
    flux, baseline = flat(6, rng)
    lines = plant_lines(bright_pixel, flux, baseline, seed=1)
    assert len(lines) == 6
    assert (bright_pixel(lines.x).argmax(axis=1) == lines.target).all()
    assert (bright_pixel(lines.without).argmax(axis=1) != lines.target).all()
    assert lines.target.tolist() == [1] * 6
    assert lines.strength.tolist() == [1.0] * 6  # the weakest of those tried that is above 0.6
    assert lines.x.argmax(axis=1).tolist() == lines.place.tolist()
    assert lines.index.tolist() == list(range(6))
    again = plant_lines(bright_pixel, flux, baseline, seed=1)
    assert (again.place == lines.place).all()
    assert (plant_lines(bright_pixel, flux, baseline, seed=2).place != lines.place).any()


def test_a_line_is_found_by_the_true_explanation_and_not_by_a_blind_one(rng):
    flux, baseline = flat(12, rng)
    lines = plant_lines(bright_pixel, flux, baseline, seed=1)
    true = injected_line(brightness, lines, "true")
    assert (true.verdict, true.value, true.n) == ("yes", 1, 12)
    assert true.control <= 1 / 12
    assert true.reading.startswith("12 of 12 lines")
    fixed = rng.standard_normal(flux.shape)
    blind = injected_line(lambda flux, target: fixed, lines, "blind")
    assert blind.verdict == "no"
    assert blind.value == blind.control  # it looks at the same place whether there is a line or not


def test_an_absorption_line_counts_against_brightness(rng):
    flux, baseline = flat(12, rng)

    def dark_pixel(flux):
        return np.stack([np.zeros(len(flux)), 20 * (0.5 - flux.min(axis=1))], axis=1)

    lines = plant_lines(dark_pixel, flux, baseline, seed=1)
    assert lines.strength.tolist() == [-0.6] * 12
    assert injected_line(lambda flux, target: 1 - flux, lines, "true").verdict == "yes"
    assert injected_line(brightness, lines, "upside down").verdict == "no"


def test_no_line_changes_a_network_that_does_not_look(rng):
    flux, baseline = flat(6, rng)
    lines = plant_lines(lambda flux: np.tile([1.0, 0.0], (len(flux), 1)), flux, baseline, seed=1)
    assert len(lines) == 0
    check = injected_line(brightness, lines, "true")
    assert (check.verdict, check.n) == ("undecided", 0)
    assert "too few" in check.reading


def test_peaks_are_those_of_lines_not_of_single_pixels():
    values = np.zeros((1, 300))
    values[0, 50] = 5
    values[0, 195:206] = 1
    assert peak_places(values).tolist() == [200]


def test_the_peak_of_a_plateau_is_its_middle():
    values = np.zeros((2, 300))
    values[0, 100:161] = 1
    assert peak_places(values).tolist() == [130, 149]  # a map that says nothing peaks in the middle


def test_deletion_and_insertion_of_one_segment_have_the_areas_of_the_closed_form(rng):
    flux, baseline = flat(6, rng, noise=0)
    flux[:, 3 * SEGMENT : 4 * SEGMENT] += 0.1
    weights = np.zeros(N_PIX)
    weights[3 * SEGMENT : 4 * SEGMENT] = 1.0
    target = np.ones(6, int)
    values = (flux - baseline) * weights
    curves = deletion_insertion(weighted(weights), flux, baseline, target, values, seed=1)
    score = 0.1 * SEGMENT
    assert curves.deletion[0] == pytest.approx([score, *np.zeros(len(curves.share) - 1)], abs=1e-4)
    assert curves.insertion[0] == pytest.approx([0, *np.full(len(curves.share) - 1, score)], abs=1e-4)
    assert curves.random_deletion[:, 0] == pytest.approx(score, abs=1e-4)
    assert curves.random_deletion[:, -1] == pytest.approx(0, abs=1e-4)
    assert curves.random_deletion.mean() == pytest.approx(score / 2, rel=0.35)
    deletion, insertion = faithfulness(curves, "true")
    assert (deletion.verdict, insertion.verdict) == ("yes", "yes")
    first_step = curves.share[1]  # the area under a fall from the score to 0 within the first step
    expected = np.trapezoid(curves.random_deletion, curves.share, axis=1).mean() - score * first_step / 2
    assert deletion.value == pytest.approx(expected, abs=1e-3)


def test_the_wrong_way_round_is_worse_than_random(rng):
    flux, baseline = flat(8, rng, noise=0.1)
    weights = rng.standard_normal(N_PIX)
    true = (flux - baseline) * weights
    for values, expected in ((true, "yes"), (-true, "no")):
        curves = deletion_insertion(weighted(weights), flux, baseline, np.ones(8, int), values, seed=1)
        assert {check.verdict for check in faithfulness(curves, "some")} == {expected}


def test_methods_agree_with_themselves_and_not_with_noise(rng):
    a, b = rng.standard_normal((2, 8, N_PIX))
    target = np.arange(8) % 2
    same = methods_agree(a, 3 * a + 1, target, ("a", "b"))
    assert same.value == pytest.approx(1)
    assert (same.verdict, same.method) == ("yes", "a / b")
    assert abs(same.control) < 0.3
    assert methods_agree(a, b, target, ("a", "b")).verdict == "no"


def test_what_every_spectrum_has_shows_in_the_control(rng):
    edge = np.linspace(0, 1, N_PIX) ** 4
    a, b = edge + 0.001 * rng.standard_normal((2, 8, N_PIX))
    check = methods_agree(a, b, np.zeros(8, int), ("a", "b"))
    assert check.control == pytest.approx(check.value, abs=0.02)
    assert np.isnan(methods_agree(a[:1], b[:1], np.zeros(1, int), ("a", "b")).control)


def test_noise_is_as_strong_as_it_was_made(rng):
    sigma = np.linspace(0.5, 2, 4000)
    found = noise_level(100 + np.linspace(0, 300, 4000) + sigma * rng.standard_normal((5, 4000)))
    assert found.mean(axis=0) == pytest.approx(sigma, rel=0.15)


def test_stability_tells_a_map_of_the_signal_from_one_of_the_noise(rng):
    flux, _ = flat(8, rng, noise=0.05)
    flux += np.repeat(rng.standard_normal((8, N_PIX // SEGMENT)), SEGMENT, axis=1).astype(np.float32)
    target = np.zeros(8, int)

    def bright(flux, target):
        return flux

    def jumpy(flux, target):
        return np.random.default_rng(int(1e6 * abs(flux).sum())).standard_normal(flux.shape)

    for method, expected in ((bright, "yes"), (jumpy, "no")):
        check = stable_under_noise(method, flux, target, method(flux, target), "some", seed=1)
        assert check.verdict == expected


def test_maps_must_change_with_the_weights(rng):
    trained, other = rng.standard_normal((2, 8, N_PIX))
    assert weights_matter(trained, other, 0.9, "some").verdict == "yes"
    unmoved = weights_matter(trained, -trained, 0.9, "some")
    assert (unmoved.verdict, unmoved.value) == ("no", pytest.approx(1))
    assert "hardly changes" in unmoved.reading


def test_shuffling_keeps_the_values_of_every_tensor_and_moves_them():
    before = graph(3)
    after = shuffled_weights(before, seed=1)

    def tensors(model):
        return {t.name: numpy_helper.to_array(t) for t in load_model_from_string(model).graph.initializer}

    old, new = tensors(before), tensors(after)
    assert (new["flat"] == old["flat"]).all()
    assert (new["weights"] != old["weights"]).any()
    assert np.sort(new["weights"], axis=None).tolist() == np.sort(old["weights"], axis=None).tolist()
    assert shuffled_weights(before, seed=1) == after
    assert shuffled_weights(before, seed=2) != after


def test_attention_must_beat_shuffled_channels(rng):
    evidence = rng.standard_normal((10, N_PIX // SEGMENT)).repeat(SEGMENT, axis=1)
    noise = rng.standard_normal((2, 10, N_PIX))
    told = attention_tells_where(np.abs(evidence) + 0.1 * noise[0], noise[1], evidence, "occlusion")
    assert (told.verdict, told.method) == ("yes", "attention / occlusion")
    # A profile that follows the evidence whatever the attention weights owes nothing to attention.
    same = np.abs(evidence)
    assert attention_tells_where(same, same, evidence, "occlusion").verdict == "no"
    barely = attention_tells_where(same, same + 0.02 * noise[1], evidence, "occlusion")
    assert 0 < barely.value - barely.control < 0.05
    assert barely.verdict == "no"  # beyond chance, and yet nothing that matters
    assert attention_tells_where(noise[0], noise[1], evidence, "occlusion").verdict == "no"


def test_the_table_has_a_row_a_check(rng):
    a = rng.standard_normal((6, N_PIX))
    checks = [methods_agree(a, a, np.zeros(6, int), ("a", "b")), weights_matter(a, -a, 0.9, "some")]
    table = checks_table(checks)
    assert table["name"].tolist() == ["agreement of methods", "randomised weights"]
    assert table["verdict"].tolist() == ["yes", "no"]
    with pytest.raises(RacnetError, match="at least one"):
        checks_table([])


def test_a_border_case_is_no_decision_of_the_lines(rng):
    flux, baseline = flat(6, rng)

    def hesitant(flux):  # changes its mind for any line, and never by much
        return np.stack([np.zeros(len(flux)), np.where(flux.max(axis=1) > 1.2, 0.5, -0.5)], axis=1)

    assert len(plant_lines(hesitant, flux, baseline, seed=1)) == 0
