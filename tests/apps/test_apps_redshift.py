"""The redshift explorer: what it shows is what the library gives; what a browser sends is checked."""

import dataclasses
import re
import time

import numpy as np
import pytest

from racnet_tools.apps.redshift import RedshiftExplorer, words
from racnet_tools.apps.redshift.model import KINDS, RedshiftModel
from racnet_tools.apps.widgets import Click
from racnet_tools.errors import RacnetError
from racnet_tools.evaluate import kept_sweeps as kept
from racnet_tools.inference import available_presets, classify, load_preset
from racnet_tools.plots.interactive_redshift import measured_redshifts
from racnet_tools.simulate import SWEEP_RANGES, MovableObjects


@pytest.fixture(scope="module")
def shared():
    return RedshiftModel()


@pytest.fixture
def model(shared):
    shared.show(["racnet-class", "racnet-dataset1"])
    shared.choose_kind("GALAXY")
    return shared


# The file of sweeps


def test_every_sweep_is_of_a_network_that_ships():
    shipped = {name: load_preset(name).sha256 for name in available_presets()}
    sweeps = kept.kept_sweeps()
    assert sweeps, "run data/redshift/build_sweeps.py"
    assert all(shipped[one.preset] == one.sha256 for one in sweeps)
    assert len(kept.kept_sweeps({"racnet-class": "other"})) == 0
    for one in sweeps:
        low, high = SWEEP_RANGES[one.kind]
        assert low <= one.z.min() < one.z.max() <= high
        assert one.p.shape == (80, len(one.z), len(one.classes))
        np.testing.assert_allclose(one.p.sum(axis=2), 255, atol=len(one.classes))


@pytest.mark.parametrize("preset", ["racnet-survey", "racnet-class"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_file_says_what_the_network_says_of_spectra_made_again(kind, preset):
    """Object, redshift and probabilities hang together on this machine too."""
    sweep = next(one for one in kept.kept_sweeps() if (one.preset, one.kind) == (preset, kind))
    for number, place in ((0, 2), (41, len(sweep.z) - 2)):
        spectrum = MovableObjects(kind, 1, seed=(kept.SEED, number)).at(sweep.z[place])
        table = classify(spectrum, preset=preset)
        if preset == "racnet-survey":
            assert sweep.measured[number, place] == pytest.approx(table["z"][0], abs=1e-3)
        said = [table[f"p_{name}"][0] for name in sweep.classes]
        np.testing.assert_allclose(sweep.p[number, place] / 255, said, atol=0.01)


def test_a_sweep_survives_its_file(tmp_path, monkeypatch):
    binned = kept.Binned(np.array([0.0, 1.0]), np.array([3]), np.array([4]))
    p = kept.in_steps(np.array([[[0.499, 0.501], [1.0, 0.0]]]))
    one = kept.Sweep("x", "sha", ("STAR", "GALAXY"), "GALAXY", np.array([0.0, 0.5]), p, binned)
    path = kept.keep_sweeps([one], tmp_path / "redshift.npz")
    monkeypatch.setattr(kept, "data_path", lambda *_: path)
    (again,) = kept.kept_sweeps()
    np.testing.assert_array_equal(again.p, p)
    assert again.measured is None
    joint = dataclasses.replace(one, measured=np.array([[0.01, 0.51]]))
    kept.keep_sweeps([one, joint], path, overwrite=True)
    np.testing.assert_allclose(kept.kept_sweeps()[1].measured, joint.measured, rtol=1e-6)
    assert again.given().tolist() == [[1, 0]]  # rounding does not change the class given
    share, lower, upper = again.accuracy()
    assert share.tolist() == [1.0, 0.0]
    assert lower[0] < 1 <= upper[0] + 1e-9
    assert dataclasses.replace(again, z=one.z).classes == ("STAR", "GALAXY")
    path.write_bytes(b"damaged")
    with pytest.raises(RacnetError, match="Reinstall"):
        kept.kept_sweeps()


# The model


def test_a_moved_line_is_where_it_should_be(model):
    model.choose_object(3)
    model.set_z(0.2)
    at = {name: (wave, where) for name, wave, where in model.window()}
    assert at["H-alpha"][0] == pytest.approx(6564.6 * 1.2, abs=0.5)
    assert at["H-alpha"][1] == "in"
    model.set_z(0.5)
    assert {name: where for name, _, where in model.window()}["H-alpha"] == "left"
    model.choose_kind("QSO")
    model.set_z(1.0)
    assert {name: where for name, _, where in model.window()}["Ly-alpha"] == "not yet"


def test_probabilities_are_those_of_classify(model):
    model.choose_object(5)
    model.set_z(0.13)
    for name in model.shown:
        table = classify(model.spectrum, preset=name)
        said = [table[f"p_{label}"][0] for label in model.classes(name)]
        np.testing.assert_allclose(model.probabilities(name), said, atol=1e-4)


def test_objects_behind_a_point_are_those_counted_there(model):
    for name in model.shown:
        curve = model.curves()[name]
        place = int(np.argmin(curve.share))
        found = model.objects_at(name, place)
        assert sum(label == "GALAXY" for _, label, _ in found) == round(curve.share[place] * len(found))
        assert sorted(number for number, _, _ in found) == list(range(model.objects))
        wrong = [label != "GALAXY" for _, label, _ in found]
        assert wrong == sorted(wrong, reverse=True)


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("choose_kind", "UNKNOWN"), ("choose_kind", None), ("choose_kind", ["STAR"]), ("choose_object", -1),
        ("choose_object", 10**9), ("choose_object", True), ("choose_object", "1"), ("choose_object", 1.5),
        ("set_z", 1.5), ("set_z", "x"), ("set_z", float("nan")), ("set_z", None), ("set_z", True), ("show", []),
        ("show", ["../../etc"]), ("show", ["racnet-class", "racnet-star"]),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused_and_changes_nothing(model, call, value):
    before = (model.kind, model.number, model.z, model.shown)
    with pytest.raises(RacnetError, match="Expected"):
        getattr(model, call)(value)
    assert (model.kind, model.number, model.z, model.shown) == before


def test_the_measured_redshift_is_shown_beside_the_true_one():
    model = RedshiftModel()
    assert model.shown == ("racnet-survey", "racnet-class", "racnet-dataset1")
    model.choose_kind("QSO")
    found = model.measured()
    assert found.name == "racnet-survey" and found.measured.shape == (80, 51)
    away = np.abs(found.measured - found.z) / (1 + found.z)
    assert np.mean(away < model.tolerance) > 0.95
    assert found.now_measured == pytest.approx(found.now, abs=0.05 * (1 + found.now))
    dots, own, now = measured_redshifts(found)["data"][1:]
    assert len(dots["x"]) == len(dots["y"]) == 80 * 51 and own["y"][7] == found.measured[model.number, 7]
    assert now["y"] == [found.now_measured] and now["error_y"]["array"][0] > 0
    told = words.said_measured(model)
    assert "racnet-survey measures in 80" in told and f"% within {model.tolerance:g}" in told
    assert "measures z" in words.verdicts(model)
    model.show(["racnet-class"])
    assert model.measured() is None and "measures z" not in words.verdicts(model)
    model.choose_kind("STAR")
    assert model.tolerance is None


# The page


@pytest.fixture(scope="module")
def page():
    return RedshiftExplorer()


def test_a_link_shows_the_same_view(page):
    page.apply_address({"class": "QSO", "object": "7", "z": "2.5", "networks": "racnet-class"})
    state = page.address_state()
    assert state == {"class": "QSO", "object": "7", "z": "2.5", "networks": "racnet-class"}
    assert page._z.value == 2.5
    assert page.address.state == state
    assert "QSO 7 of 80 at redshift 2.5" in page._spectrum.description


def test_a_wrong_link_is_followed_in_part(page):
    page.apply_address({"class": "STAR", "object": "9999", "z": "<b>", "networks": "evil", "other": "1"})
    assert page.model.kind == "STAR"
    assert "object: Expected an object from 1 to 80" in page.notice.value
    assert "<b>." not in page.notice.value
    page.notice.clear()


def test_dragging_and_typing_move_the_object(page):
    page.apply_address({"class": "GALAXY", "object": "4", "z": "0.1"})
    page._spectrum._receive(None, {"type": "redshift", "z": 0.3, "done": True}, [])
    assert page.model.z == pytest.approx(0.3)
    page._spectrum._receive(None, {"type": "redshift", "z": 5.0, "done": True}, [])
    assert page.model.z == 1.0  # templates of galaxies end there
    page._z.value = 0.25
    assert page.model.z == 0.25
    page._z.value = 7.0
    assert page.model.z == 0.25
    assert "Expected a redshift from 0 to 1" in page.notice.value
    page.notice.clear()


def test_a_point_opens_its_objects(page):
    page.apply_address({"class": "GALAXY", "networks": "racnet-class,rcnet-dataset1"})
    page._point_clicked(Click(3, (10,), 0.25, 90.0))
    expected = page.model.objects_at("rcnet-dataset1", 10)[0]
    page._behind.index = 0
    assert page.model.number == expected[0]
    assert page.model.z == pytest.approx(page.model.z_at("rcnet-dataset1", 10))
    assert "rcnet-dataset1 at z = 0.25" in page._behind_title.value


def test_hostile_options_are_not_believed(page):
    page.apply_address({"class": "GALAXY"})
    page._kind.options = ["GALAXY", "../../x"]
    page._kind.value = "../../x"
    assert page.model.kind == "GALAXY"
    assert "Expected one of" in page.notice.value
    page._kind.options = list(KINDS)
    page.notice.clear()


def test_networks_that_measure_no_redshift_show_none(page):
    page.apply_address({"class": "GALAXY", "networks": "racnet-survey,racnet-class"})
    assert page._measured.layout.display == "" and "racnet-survey" in page._measured.description
    page.apply_address({"networks": "racnet-class"})
    assert page._measured.layout.display == "none"


def test_words_tell_numbers(page):
    for text in (words.said_curves(page.model), words.said_binned(page.model), words.said_spectrum(page.model)):
        assert len(re.findall(r"\d+", text)) > 4
        assert "simulated" in text.lower()


def test_the_python_shown_gives_the_same(page):
    page.apply_address({"class": "GALAXY", "object": "6", "z": "0.2", "networks": "racnet-class"})
    names: dict = {}
    exec(words.python_of(page.model), names)
    np.testing.assert_array_equal(names["spectrum"].flux, page.model.spectrum.flux)


def test_a_step_takes_a_fraction_of_a_second(model, capsys):
    """No limit is asserted: the figure is for the report."""
    for kind in KINDS:
        model.choose_kind(kind)
        seconds = []
        for z in np.linspace(*model.limits, 7)[1:-1]:
            began = time.perf_counter()
            model.set_z(z)
            seconds.append(time.perf_counter() - began)
        with capsys.disabled():
            print(f"\n{kind}: a step in redshift, two presets: {1e3 * np.median(seconds):.0f} ms", end="")
