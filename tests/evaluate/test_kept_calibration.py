"""Calibration kept with the presets: of the network that ships, well-formed, and quoted from the right bin."""

import dataclasses

import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.evaluate.kept_calibration import KeptCalibration, keep_calibration, kept_calibration
from racnet_tools.inference import available_presets, load_preset


@pytest.mark.parametrize("name", sorted(available_presets()))
def test_every_shipped_preset_has_that_of_its_own_network(name):
    kept = kept_calibration(load_preset(name))
    assert kept is not None, "run data/presets/build_calibration.py"
    assert sum(n for *_, n in kept.bins) >= 2900
    assert all(right <= n and 0 <= low < high <= 1 for low, high, right, n in kept.bins)
    assert 0 <= kept.error < 0.2


def test_the_share_is_that_of_the_bin(tmp_path):
    kept = KeptCalibration("x", "told", ((0.5, 0.6, 3, 10), (0.9, 1.0, 19, 20)), 0.1)
    assert kept.when(0.55).value == pytest.approx(0.3)
    assert kept.when(1.0).value == pytest.approx(0.95)
    assert kept.when(0.7) is None
    low, high = kept.when(1.0).interval
    assert low < 0.95 < high


def test_that_of_other_weights_is_not_shown_and_damage_is_told(tmp_path):
    preset = dataclasses.replace(load_preset("racnet-class"), folder=tmp_path)
    kept = KeptCalibration(preset.sha256, "told", ((0.9, 1.0, 19, 20),), 0.1)
    path = keep_calibration(kept, tmp_path)
    assert kept_calibration(preset) == kept
    assert kept_calibration(dataclasses.replace(preset, sha256="other")) is None
    path.write_text('{"sha256": 1}')
    assert kept_calibration(preset) is None
    path.write_text("[")
    with pytest.raises(RacnetError, match="Delete the file"):
        kept_calibration(preset)
