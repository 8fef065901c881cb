"""Occlusion and the continuum on networks and spectra whose answers are known."""

import numpy as np
import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.explain.attribution import Attribution
from racnet_tools.explain.baseline import BASELINE_NAME
from racnet_tools.explain.features import ELSEWHERE, band_falls, feature_falls, feature_shares
from racnet_tools.explain.occlusion import hide, occlude, occlusion, sliding_windows
from racnet_tools.inference import load_preset
from racnet_tools.spectra import LAMOST_GRID
from racnet_tools.spectra.lines import line_list

N = 600
PIXELS = np.arange(N)


def line(centre: float, sigma: float = 4.0, n: int = N) -> np.ndarray:
    return np.exp(-0.5 * ((np.arange(n) - centre) / sigma) ** 2)


def one_filter(centre: float, n: int = N):
    """A network with one filter, on one line: its logit is the flux that the line adds to a continuum of 1."""
    matched = line(centre, n=n)

    def logits(flux: np.ndarray) -> np.ndarray:
        response = (np.asarray(flux, float) - 1) @ matched
        return np.stack([response, np.zeros(len(response))], axis=1)

    return logits


def test_windows_cover_every_pixel_equally_often():
    for n, width, step in ((600, 60, 20), (607, 60, 20), (600, 1, 1), (100, 100, 25)):
        windows = sliding_windows(n, width, step)
        assert (windows[:, 0] < windows[:, 1]).all()
        assert (np.array([((windows[:, 0] <= p) & (p < windows[:, 1])).sum() for p in range(n)]) == width // step).all()
    for width, step in ((60, 25), (0, 0), (20, 60), (700, 100)):
        with pytest.raises(RacnetError, match="multiple"):
            sliding_windows(600, width, step)


@pytest.mark.parametrize("centre", [150, 333, 590])
@pytest.mark.parametrize("strength", [1.0, -0.8])
def test_a_network_with_one_filter_gets_all_attribution_at_its_line(centre, strength):
    flux = (1 + strength * line(centre) + 0.5 * line(450) * (centre != 590))[None].astype(np.float32)
    values = occlusion(one_filter(centre), flux, np.zeros(1, int), np.ones_like(flux), width=20, step=4)
    near = np.abs(PIXELS - centre) <= 36  # four sigma of the line and a window
    assert np.abs(values[0, ~near]).max() < 1e-6 * np.abs(values).max()
    assert abs(np.abs(values[0]).argmax() - centre) <= 4
    assert (np.sign(values[0, near]) * np.sign(strength) >= 0).all()


def test_windows_that_tile_the_spectrum_share_out_the_whole_score():
    flux = (1 + line(150) + 0.3 * line(400))[None].astype(np.float32)
    values = occlusion(one_filter(150), flux, np.zeros(1, int), np.ones_like(flux), width=20, step=20)
    assert values.sum() == pytest.approx((flux - 1)[0] @ line(150), rel=1e-5)
    assert np.allclose(
        occlusion(one_filter(150), flux, np.ones(1, int), np.ones_like(flux), width=20, step=20), -values
    )


def test_hiding_what_is_continuum_already_changes_nothing():
    flux = np.ones((2, N), np.float32)
    falls = hide(one_filter(100), flux, flux, np.zeros(2, int), np.array([[0, 300], [50, 50], [300, 600]]))
    assert falls.shape == (2, 3) and (falls == 0).all()


def wave_and_line(name: str, kind: str, z: float = 0.0) -> tuple[np.ndarray, int]:
    wave, table = LAMOST_GRID.wave, line_list(kind)
    return wave, int(np.abs(wave - (1 + z) * table["wave"][table["name"] == name][0]).argmin())


def explained(values: np.ndarray, label: str) -> Attribution:
    wave, ones = LAMOST_GRID.wave, np.ones((1, LAMOST_GRID.n_pixels), np.float32)
    p, target = np.array([[0.9, 0.1]]), np.zeros(1, int)
    return Attribution(values[None], wave, ones, ones, target, (label, "other"), p, "by hand", BASELINE_NAME)


@pytest.mark.parametrize("z", [0.0, 0.2])
def test_shares_of_features_are_those_that_were_put_there(z):
    wave, beta = wave_and_line("H-beta", "nebular", z)
    _, doublet = wave_and_line("[O II] 3727", "nebular", z)
    values = np.zeros(len(wave), np.float32)
    values[beta], values[doublet], values[np.searchsorted(wave, 5700)] = 3.0, -1.0, 1.0
    table = feature_shares(explained(values, "GALAXY"), 0, z)
    shares = dict(zip(table["name"], table["share"], strict=True))
    assert len(shares) == len(table)  # gas and stars have one H-beta
    assert shares["H-beta"] == pytest.approx(0.6) and shares["[O II]"] == pytest.approx(-0.2)
    assert table["name"][-1] == ELSEWHERE and table["share"][-1] == pytest.approx(0.2)
    assert sum(table["of_pixels"]) == pytest.approx(1.0)
    assert np.abs(table["share"]).sum() == pytest.approx(1.0)


def test_a_map_of_nothing_has_no_shares_and_a_wrong_index_is_refused():
    empty = explained(np.zeros(LAMOST_GRID.n_pixels, np.float32), "STAR")
    assert (feature_shares(empty, 0, 0.0)["share"] == 0).all()
    with pytest.raises(RacnetError, match="one of 1 spectra"):
        feature_shares(empty, 1, 0.0)


def test_hiding_features_and_bands_finds_the_one_that_decides():
    wave, place = wave_and_line("Ca II 8542", "stellar")
    flux = (1 - 0.5 * line(place, n=len(wave)))[None].astype(np.float32)
    ask = one_filter(place, n=len(wave))
    table = feature_falls(ask, flux[0], np.ones(len(wave), np.float32), 1, "STAR", 0.0, wave)
    assert table["name"][0] == "Ca II triplet" and table["fall"][0] > 1 and np.abs(table["fall"][1:]).max() < 1e-6
    bands = band_falls(ask, flux, np.ones_like(flux), np.ones(1, int), wave, np.array([3700, 5000, 7000, 9099]))
    assert bands.shape == (1, 3) and bands[0].argmax() == 2 and np.allclose(bands[0, :2], 0)
    with pytest.raises(RacnetError, match="increasing wavelengths"):
        band_falls(ask, flux, np.ones_like(flux), np.ones(1, int), wave, np.array([5000, 4000]))


def test_a_preset_explains_its_own_class_or_another():
    preset = load_preset("racnet-dataset1")
    flux = 1 + 0.05 * np.random.default_rng(0).standard_normal((2, preset.preprocessing.grid.n_pixels))
    flux = (flux / np.linalg.norm(flux, axis=1, keepdims=True)).astype(np.float32)
    found = occlude(preset, flux, width=400, step=400)
    assert (found.target == found.probabilities.argmax(axis=1)).all() and "continuum" in found.baseline_name
    assert np.isfinite(found.completeness_error).all()
    other = occlude(preset, flux, "QSO", width=400, step=400)
    assert (other.target == preset.classes.index("QSO")).all()
    with pytest.raises(RacnetError, match="PLANET"):
        occlude(preset, flux, "PLANET")
