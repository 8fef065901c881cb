"""A preset that was damaged in any file is found out, and a whole one is not."""

import json

import pytest
from tiny_preset import CLASSES, sign, write_preset

from racnet_tools.cli import main
from racnet_tools.inference import available_presets
from racnet_tools.inference.verify import verify_preset


@pytest.mark.parametrize("name", sorted(available_presets()))
def test_shipped_presets_are_whole(name):
    assert verify_preset(name) == []


def test_every_changed_file_is_named(tmp_path):
    folder = write_preset(tmp_path / "tiny", CLASSES)
    assert verify_preset(folder) == []
    (folder / "card.md").write_text("# another\n")
    assert verify_preset(folder) == ["card.md is not the file that provenance.json states"]
    (folder / "card.md").unlink()
    assert verify_preset(folder) == ["card.md is missing", "it has no model card"]
    (folder / "model.onnx").write_bytes(b"damaged")
    assert "damaged or changed" in verify_preset(folder)[0]


def test_labels_that_do_not_fit_the_network(tmp_path):
    folder = write_preset(tmp_path / "tiny", CLASSES)
    labels = json.loads((folder / "labels.json").read_text())
    (folder / "labels.json").write_text(json.dumps({**labels, "classes": ["STAR", "QSO"]}))
    sign(folder)
    assert "gives 3 classes, its preprocessing gives (3909,) and its labels name 2" in verify_preset(folder)[0]


def test_the_command_says_what_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RACNET_PRESETS", str(tmp_path))
    folder = write_preset(tmp_path / "tiny", CLASSES)
    (folder / "labels.json").write_text("{}")
    assert main(["presets", "verify", "racnet-class"]) == 0
    assert main(["presets", "verify", "tiny"]) == 1
    said = capsys.readouterr().out
    assert "racnet-class: all files as stated" in said and "tiny: Preset" in said
    assert main(["presets", "racnet-class", "more"]) == 2
