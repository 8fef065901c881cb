"""The training lab's page over runs on disk: curves, confusion matrix and its spectra, links, hostile browsers."""

import json
import subprocess
import sys

import numpy as np
import pytest
from process_memory import PEAK
from test_apps_lab_jobs import history

from racnet_tools.apps.lab.app import TrainingLab
from racnet_tools.apps.lab.jobs import write_json
from racnet_tools.apps.lab.plan import Plan
from racnet_tools.apps.lab.preparation import preparation
from racnet_tools.apps.lab.results import ValidationResult
from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.samples import open_samples
from racnet_tools.apps.widgets import Click
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.plots.interactive_training import confusion_cells, live_curves
from racnet_tools.spectra import LAMOST_GRID

CLASSES = ("STAR", "GALAXY", "QSO")


def over(work, name="a", how="finished", epochs=4, asked=1.0, **plan):
    """A run that is over: 30 spectra, those of class k said to be class k but for number 4, a GALAXY said to be QSO."""
    folder = work / "runs" / name
    folder.mkdir(parents=True)
    write_json(folder / "plan.json", {"plan": Plan(name, epochs=epochs, **plan).to_dict(), "asked": asked})
    history(folder, epochs)
    write_json(folder / "ended.json", {"how": how, "reason": "because of <b>this</b>"})
    write_json(folder / "run" / "metrics.json", {"validation": {"accuracy": 29 / 30, "spectra": 30}})
    truth = np.arange(30) % 3
    said = truth.copy()
    said[4] = 2
    p = np.full((30, 3), 0.1, np.float32)
    p[np.arange(30), said] = 0.8 - 0.001 * np.arange(30)
    flux = np.ones((30, LAMOST_GRID.n_pixels), np.float32) * np.arange(1, 31)[:, None]
    flux[:, :10] = np.nan
    np.save(folder / "validation_flux.npy", flux)
    about = {"subclass": np.array(["A0"] * 30), "z": np.full(30, 0.25), "snr_r": np.full(30, np.nan)}
    np.savez(folder / "validation.npz", probabilities=p, y=truth, classes=CLASSES, wave=LAMOST_GRID.wave, **about)
    return folder


@pytest.fixture
def lab(tmp_path):
    over(tmp_path)
    over(tmp_path, "b", "stopped", 2, asked=2.0, network="cnet")
    return TrainingLab(Settings(work=tmp_path))


def test_no_attribute_hides_one_of_ipywidgets(lab):
    for section in lab._sections.values():
        section.unfold()
    for widget in (lab, lab._form, lab._results, lab._compared, lab._keep, lab._sections["steps"].content):
        assert repr(widget)
        base = next(kind for kind in type(widget).__mro__ if not kind.__module__.startswith("racnet_tools"))
        hidden = {name for name in vars(widget) if hasattr(base, name)}
        assert hidden <= set(vars(base()))


def test_an_empty_lab_shows_what_a_network_gets(tmp_path):
    lab = TrainingLab(Settings(work=tmp_path))
    assert "press Train" in lab._status.value
    assert lab._sections["steps"].opened
    assert lab._sections["steps"].content._view.figure["data"]
    for section in lab._sections.values():
        section.unfold()
    assert "error" not in lab.notice.value
    assert not (tmp_path / "runs").exists()


def test_curves_are_the_history(lab):
    assert lab.chosen == "b"
    lab.choose("a")
    traces = lab._curves.figure["data"]
    losses = next(trace for trace in traces if trace["name"] == "a, validation" and trace["yaxis"] == "y")
    np.testing.assert_array_equal(losses["y"], [2.5, 1.5, 0.5, 1.5])
    assert "Lowest validation loss in epoch 3, accuracy 80.0 %" in lab._curves.description
    assert "Finished after 4 of 4 epochs" in lab._status.value


def test_a_new_epoch_is_seen_and_nothing_is_sent_without_one(lab):
    history(lab.settings.work / "runs" / "b", 3)
    before = lab._curves.figure
    lab.look()
    after = lab._curves.figure
    assert len(after["data"][0]["x"]) == 3 > len(before["data"][0]["x"])
    lab.look()
    assert lab._curves.figure is after


def test_a_cell_opens_its_spectra(lab):
    lab.choose("a")
    lab._sections["results"].unfold()
    panel = lab._results
    assert (panel._true.index, panel._said.index) == (1, 2), "the worst confusion is offered"
    panel._clicked(Click(0, (1, 2), "QSO", "GALAXY"))
    assert panel._list.options == ("5: 0.796, A0, z 0.25",)
    assert "spectrum 5, a GALAXY" in panel._view.description
    np.testing.assert_array_equal(np.unique(panel._view.figure["data"][0]["y"][10:]), [5])
    panel.open_cell(0, 0)
    assert len(panel._list.options) == 10
    shares = [float(line.split()[1].rstrip(",")) for line in panel._list.options]
    assert shares == sorted(shares, reverse=True)
    for cell in ((0, 1), (3, 0), (-1, 0)):
        with pytest.raises(RacnetError, match=r"(?i)cell"):
            panel.open_cell(*cell)
    with pytest.raises(RacnetError, match="Expected a spectrum"):
        panel.show_spectrum("0")


def test_results_that_are_damaged_are_refused(lab):
    job = lab.jobs.open("a")
    assert ValidationResult(job).confusion.tolist() == [[10, 0, 0], [0, 9, 1], [0, 0, 10]]
    (job.folder / "validation.npz").write_bytes(b"PK no")
    with pytest.raises((ReadError, RacnetError)):
        ValidationResult(job)


def test_runs_beside_one_another(lab):
    lab._sections["compare"].unfold()
    panel = lab._compared
    assert panel.chosen == ("b", "a")
    assert "29 of 30" in panel._table.value
    assert len(panel._view.figure["data"]) == 8
    panel.choose(["a"])
    assert len(panel._view.figure["data"]) == 4
    for wrong in ([], ["a"] * 7, ["nothing"], ["../a"]):
        with pytest.raises(RacnetError, match="Expected one to 6"):
            panel.choose(wrong)


def test_a_link_shows_the_same_view(lab):
    lab.choose("a")
    lab._form._fields["epochs"].value = 31
    lab._sections["compare"].unfold()
    state = lab.address_state()
    assert state == {"epochs": "31", "run": "a", "show": "compare", "compare": "b,a"}
    other = TrainingLab(lab.settings)
    other.apply_address(state)
    assert other.address_state() == state
    assert other._form.plan("x") == Plan("x", epochs=31)


def test_what_is_wrong_in_a_link_is_told_and_the_rest_applied(lab):
    lab.apply_address(
        {"run": "../../etc", "epochs": "many", "size": "7", "network": "rcnet", "show": "x", "strange": "y"}
    )
    assert lab._form.plan("x").network == "rcnet"
    assert lab.chosen == "b"
    for word in ("run:", "epochs: expected a number", "size:", "show: expected"):
        assert word in lab.notice.value
    assert "strange" not in lab.notice.value


def test_what_a_browser_makes_up_starts_nothing(lab):
    form = lab._form._fields
    for field, value in (("data", "/etc"), ("data", "../../x"), ("network", "evil")):
        kept = form[field].value
        form[field].options = [*form[field].options, ("made up", value)]
        form[field].value = value
        lab._train.click()
        assert "Not done." in lab.notice.value
        form[field].value = kept
    form["epochs"].max = 10**9
    form["epochs"].value = 10**8
    lab._train.click()
    assert "epochs: expected" in lab.notice.value
    form["epochs"].value = 3
    lab._name.value = "../up"
    lab._train.click()
    assert "small letters" in lab.notice.value
    assert sorted(path.name for path in (lab.settings.work / "runs").iterdir()) == ["a", "b"]
    lab._runs.options = list("abcdefg")
    assert len(lab._runs.options) == 2, "a list that was made up is put right"
    for place in (6, -1, "0", True):
        with pytest.raises(RacnetError, match="Expected a run"):
            lab._run_chosen(place)


def test_reasons_come_without_markup(tmp_path):
    over(tmp_path, how="failed")
    lab = TrainingLab(Settings(work=tmp_path))
    assert "&lt;b&gt;this" in lab._status.value
    assert "<b>this" not in lab._status.value
    assert not lab._resume.disabled


def test_the_steps_are_those_of_the_library():
    from racnet_tools.spectra import Preprocessing

    spectrum = open_samples().load(3)
    raw, resampled, filled, normal, augmented = preparation(spectrum, 2)
    np.testing.assert_array_equal(raw.values, spectrum.flux[0])
    np.testing.assert_array_equal(normal.values, Preprocessing()(spectrum)[0])
    assert np.isfinite(filled.values).all()
    good = ~filled.marked
    np.testing.assert_array_equal(filled.values[good], resampled.values[good])
    assert np.linalg.norm(augmented.values) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(augmented.values, normal.values)
    assert not np.array_equal(augmented.values, preparation(spectrum, 3)[4].values)
    for epoch in (0, 21, True, "1"):
        with pytest.raises(RacnetError, match="epoch"):
            preparation(spectrum, epoch)


def test_the_panel_of_steps_takes_only_what_there_is(tmp_path):
    lab = TrainingLab(Settings(work=tmp_path))
    panel = lab._sections["steps"].content
    panel.choose(4, 7)
    assert panel._sample.index == 4
    for place, epoch in ((99, 1), (None, 1), (0, 10**6)):
        with pytest.raises(RacnetError):
            panel.choose(place, epoch)
    assert (panel._sample.index, panel._epoch.value) == (4, 7)


def test_names_in_figures_are_no_markup():
    figure = live_curves({"<b>a": [{"epoch": 1, "loss": 1.0}]})
    assert "<b>" not in json.dumps(figure["data"][0]["name"])
    cells = confusion_cells(np.array([[3, 1], [0, 0]]), ["<i>", "b"])
    assert "<i>" not in json.dumps(cells["layout"]) + "".join(cells["data"][0]["x"])
    np.testing.assert_allclose(cells["data"][0]["z"], [[0.75, 0.25], [0, 0]])


def test_a_page_needs_neither_tensorflow_nor_much_memory(tmp_path):
    over(tmp_path)
    code = (
        "import sys; from pathlib import Path\n"
        "from racnet_tools.apps import TrainingLab\nfrom racnet_tools.apps.settings import Settings\n"
        "lab = TrainingLab(Settings(work=Path(sys.argv[1])))\n"
        "for section in lab._sections.values(): section.unfold()\n"
        "lab._results.open_cell(0, 0)\n"
        "assert 'Not done' not in lab.notice.value and 'wrong' not in lab.notice.value, lab.notice.value\n"
        "assert not {'tensorflow', 'keras', 'matplotlib', 'zarr', 'pandas'} & set(sys.modules)\n"
        "print(peak())"
    )
    found = subprocess.run(
        [sys.executable, "-c", PEAK + code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) < 190_000 / 1024
