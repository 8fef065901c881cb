import json

import numpy as np
import pytest
from tiny_preset import CLASSES, TYPES, band, sign, spectrum_set, write_files, write_preset, write_presets

from racnet_tools.errors import RacnetError
from racnet_tools.inference import Classifier, classify, ood_score
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet

COLUMNS = (
    "spec_id,path,survey,label,confidence,p_STAR,p_GALAXY,p_QSO,subclass,subclass_confidence,rejected,ood_score,"
    "z_header,snr_g,snr_r"
)


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    return write_presets(tmp_path_factory.mktemp("presets")) / "racnet-class"


def test_ood_score_is_the_share_of_the_largest_entropy():
    p = np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.5, 0.5, 0]])
    np.testing.assert_allclose(ood_score(p), [0, 1, np.log(2) / np.log(3)], atol=1e-12)


def test_classes_subclasses_and_header_values(preset):
    table = classify(spectrum_set(9), preset)
    assert ",".join(table.colnames) == COLUMNS
    assert table["label"].tolist() == CLASSES * 3
    assert table["spec_id"][1] == "56001-TEST_00_sp02-002"
    stars = np.arange(9) % 3 == 0
    assert table["subclass"].mask.tolist() == (~stars).tolist()
    # Light in the first third of the pixels: the first fifth (A) and most of the second (F) hold equal flux densities.
    assert set(table["subclass"][stars]) == {"A"}
    np.testing.assert_allclose(table["confidence"], np.max([table[f"p_{c}"] for c in CLASSES], axis=0))
    np.testing.assert_allclose(sum(table[f"p_{c}"] for c in CLASSES), 1, atol=2e-6)
    assert table["z_header"].mask.tolist() == [True, False] * 4 + [True]
    assert table["z_header"][3] == 0.03
    assert table["snr_g"].tolist() == [10.0 + i for i in range(9)]
    assert table["snr_r"].mask.all()
    assert not table["rejected"].any()


def test_each_stellar_type_is_told(preset):
    flux = np.ones((5, LAMOST_GRID.n_pixels))
    for k in range(5):
        flux[k, band(k, 5)] = 100
    table = classify(SpectrumSet(LAMOST_GRID.wave, flux), preset.parent / "racnet-star")
    assert table["label"].tolist() == TYPES
    assert table["subclass"].mask.all()
    assert "p_M" in table.colnames


def test_what_the_network_cannot_tell_is_rejected(preset):
    flat = SpectrumSet(LAMOST_GRID.wave, np.ones((1, LAMOST_GRID.n_pixels)))
    table = classify(flat, preset)
    assert table["ood_score"][0] == pytest.approx(1, abs=1e-3)
    assert table["rejected"][0]


def test_a_spectrum_with_less_than_half_of_the_wavelengths_is_refused(preset):
    whole = spectrum_set(2)
    for share, enough in ((0.52, True), (0.48, False)):
        part = SpectrumSet(whole.wave[: int(share * 3909)], whole.flux[:, : int(share * 3909)])
        if enough:
            assert len(classify(part, preset)) == 2
        else:
            with pytest.raises(RacnetError, match=r"half of 3700-9099 Angstrom; spectrum 0 has some from 3700 to"):
                Classifier(preset).rows(part)


def test_one_bad_spectrum_of_a_set_keeps_its_row_and_spoils_no_other(preset):
    spectra = spectrum_set(3)
    alone = classify(spectra[2], preset)
    spectra.flux[1] = 0
    with pytest.warns(UserWarning, match="1 spectra have no class"):
        table = classify(spectra, preset)
    assert table["label"].mask.tolist() == [False, True, False]
    assert table["rejected"][1]
    assert table["ood_score"][2] == alone["ood_score"][0]
    assert "no flux" in table.meta["refused"][0][1]


def test_probabilities_do_not_depend_on_company(preset):
    spectra = spectrum_set(7)
    together = Classifier(preset, batch_size=4).rows(spectra)
    alone = [row for i in range(7) for row in Classifier(preset, batch_size=1).rows(spectra[i])]
    for a, b in zip(together, alone, strict=True):
        assert a[4:8] == pytest.approx(b[4:8], abs=1.5e-6)


def test_paths_are_read_and_refusals_told(preset, tmp_path):
    write_files(tmp_path / "in", 4)
    (tmp_path / "in" / "bad.fits").write_bytes(b"no FITS")
    with pytest.warns(UserWarning, match="1 inputs were refused"):
        table = classify(tmp_path / "in", preset)
    assert table["label"].tolist() == ["STAR", "GALAXY", "QSO", "STAR"]
    assert [path for path, _ in table.meta["refused"]] == [str(tmp_path / "in" / "bad.fits")]
    with pytest.raises(RacnetError, match="None of 1 inputs could be read"):
        classify([tmp_path / "nothing.fits"], preset)


def test_a_network_that_does_not_fit_its_labels_is_refused(tmp_path):
    folder = write_preset(tmp_path / "p", CLASSES)
    labels = json.loads((folder / "labels.json").read_text())
    (folder / "labels.json").write_text(json.dumps({**labels, "classes": ["A", "B"]}))
    sign(folder)
    with pytest.raises(RacnetError, match=r"shape \(3909,\) and 2 classes .*has \(3909,\) and 3"):
        Classifier(folder).load()
