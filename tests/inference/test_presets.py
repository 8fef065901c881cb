import json

import pytest
from tiny_preset import CLASSES, sign, write_preset, write_presets

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Engine, available_presets, load_preset
from racnet_tools.inference.presets import preset_folders
from racnet_tools.spectra import Preprocessing


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("RACNET_PRESETS", str(tmp_path / "presets"))
    monkeypatch.setattr("racnet_tools.inference.presets.data_path", _no_data)
    return write_presets(tmp_path / "presets")


def _no_data(*parts):
    raise RacnetError("none shipped")


def test_a_preset_says_what_is_in_its_folder(root):
    preset = load_preset("racnet-class")
    assert (preset.name, preset.task, preset.classes) == ("racnet-class", "class", tuple(CLASSES))
    assert preset.reject_threshold == 0.9
    assert preset.preprocessing == Preprocessing()
    assert preset.card.startswith("# racnet-class")
    assert Engine(preset.model_bytes()).n_classes == 3


def test_presets_are_found_by_name_and_by_folder(root, tmp_path):
    assert list(available_presets()) == ["racnet-class", "racnet-star"]
    elsewhere = write_preset(tmp_path / "mine", ["A", "B"])
    assert load_preset(elsewhere).classes == ("A", "B")
    with pytest.raises(RacnetError, match=r"name of a preset \(racnet-class, racnet-star\).*Received: 'racnet-clas'"):
        load_preset("racnet-clas")


def test_without_a_setting_the_home_folder_is_searched(monkeypatch, tmp_path):
    monkeypatch.delenv("RACNET_PRESETS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert preset_folders()[-1] == tmp_path / ".local" / "share" / "racnet"


def test_the_child_preset_lies_beside_or_is_known_by_name(root, tmp_path):
    assert load_preset("racnet-class").child("STAR").name == "racnet-star"
    assert load_preset("racnet-class").child("QSO") is None
    alone = write_preset(tmp_path / "alone", CLASSES, subclass_presets={"STAR": "racnet-star"})
    assert load_preset(alone).child("STAR").folder == root / "racnet-star"
    lost = write_preset(tmp_path / "lost", CLASSES, subclass_presets={"STAR": "nowhere"})
    with pytest.raises(RacnetError, match="'nowhere'"):
        load_preset(lost).child("STAR")


def test_a_changed_network_is_refused(root):
    model = root / "racnet-class" / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(RacnetError, match=r"expected model\.onnx with SHA-256 [0-9a-f]{64}.*install the preset again"):
        load_preset("racnet-class").model_bytes()


def test_changed_labels_are_refused(root):
    path = root / "racnet-class" / "labels.json"
    path.write_text(path.read_text().replace('"STAR", "GALAXY"', '"GALAXY", "STAR"'))
    with pytest.raises(RacnetError, match=r"labels\.json is not the file that provenance\.json states"):
        load_preset("racnet-class")


@pytest.mark.parametrize("name", ["config.json", "preprocessing.json", "labels.json", "provenance.json", "model.onnx"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_preset(tmp_path / "p", CLASSES)
    (folder / name).unlink()
    with pytest.raises(RacnetError, match=f"expected a file {name}; found none"):
        load_preset(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"classes": ["A"]}, "two or more different names"),
        ({"classes": ["A", "A"]}, "two or more different names"),
        ({"classes": "AB"}, "two or more different names"),
        ({"reject_threshold": None}, "a number from 0 to 1"),
        ({"reject_threshold": 2}, "a number from 0 to 1"),
        ({"subclass_presets": {"STAR": "../../evil"}}, "the name of a preset"),
        ({"subclass_presets": {"PLANET": "racnet-star"}}, "the name of a preset"),
    ],
)
def test_labels_that_make_no_sense_are_refused(tmp_path, change, said):
    folder = write_preset(tmp_path / "p", CLASSES)
    labels = {**json.loads((folder / "labels.json").read_text()), **change}
    (folder / "labels.json").write_text(json.dumps(labels))
    sign(folder)
    with pytest.raises(RacnetError, match=f"labels.json: expected .*{said}"):
        load_preset(folder)


def test_broken_json_and_unknown_preprocessing_are_refused(tmp_path):
    folder = write_preset(tmp_path / "p", CLASSES)
    (folder / "preprocessing.json").write_text(json.dumps({**Preprocessing().to_dict(), "normalization": "magic"}))
    sign(folder)
    with pytest.raises(RacnetError, match="magic"):
        load_preset(folder)
    (folder / "preprocessing.json").write_text("{")
    with pytest.raises(RacnetError, match=r"preprocessing\.json cannot be read as JSON"):
        load_preset(folder)


def test_provenance_without_a_checksum_is_refused(tmp_path):
    folder = write_preset(tmp_path / "p", CLASSES)
    (folder / "provenance.json").write_text("{}")
    with pytest.raises(RacnetError, match="64 hexadecimal digits"):
        load_preset(folder)
