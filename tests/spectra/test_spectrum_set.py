"""The container: shapes, choice, splitting, saving and the way to specutils and back."""

import subprocess
import sys

import numpy as np
import pytest

from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.spectra import LAMOST_GRID, SpectrumSet, concatenate


def same(a: SpectrumSet, b: SpectrumSet) -> bool:
    arrays = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("wave", "flux", "ivar", "mask"))
    return arrays and [str(row) for row in a.table] == [str(row) for row in b.table]


def test_types_and_shapes(small_set):
    assert small_set.wave.dtype == np.float64
    assert small_set.flux.dtype == small_set.ivar.dtype == np.float32
    assert small_set.mask.dtype == bool
    assert small_set[2].flux.shape == (1, 3909)
    assert [len(s) for s in small_set] == [1] * 6


def test_pixels_without_information_are_masked():
    flux = np.ones((1, 5))
    flux[0, 0] = np.nan
    ivar = np.array([[1.0, 0.0, -2.0, np.inf, 1.0]])
    spectra = SpectrumSet(np.arange(4000.0, 4005.0), flux, ivar)
    assert spectra.mask[0].tolist() == [True, True, True, True, False]
    assert spectra.ivar[0].tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]


def test_unknown_ivar_is_said():
    spectra = SpectrumSet(np.arange(4000.0, 4005.0), np.ones(5))
    assert spectra.meta["ivar"] == "not given"
    assert (spectra.ivar == 1).all()


@pytest.mark.parametrize("index", [slice(1, 3), [1, 2], np.array([False, True, True, False, False, False])])
def test_choice_keeps_rows_together(small_set, index):
    chosen = small_set[index]
    assert chosen.table["spec_id"].tolist() == ["s1", "s2"]
    np.testing.assert_array_equal(chosen.flux, small_set.flux[1:3])


def test_choice_before_and_after_the_table_is_built(small_set):
    early = small_set[[5, 0]]
    _ = small_set.table
    assert same(early, small_set[[5, 0]])
    assert len(small_set[[]]) == 0


def test_bad_choice_is_refused(small_set):
    with pytest.raises(IndexError, match="Spectrum 6"):
        small_set[6]
    with pytest.raises(IndexError, match="boolean"):
        small_set[np.array([True])]


def test_select(small_set):
    assert small_set.select(label="STAR", object_id=["o0", "o1"]).table["spec_id"].tolist() == ["s0", "s1", "s4", "s5"]
    with pytest.raises(RacnetError, match="no column 'colour'"):
        small_set.select(colour="red")


def test_masked_values_never_match(small_set):
    assert len(small_set.select(subclass="")) == 0


def test_concatenate(small_set):
    assert same(concatenate([small_set[:2], small_set[2:]]), small_set)
    _ = small_set.table
    assert same(concatenate([small_set[:2], small_set[2:]]), small_set)
    other = SpectrumSet(np.arange(4000.0, 4005.0), np.ones(5))
    with pytest.raises(RacnetError, match="to_grid"):
        concatenate([small_set, other])
    with pytest.raises(RacnetError, match="none"):
        concatenate([])


def test_split_keeps_objects_apart():
    rows = [{"object_id": f"o{i // 3}", "spec_id": str(i)} for i in range(300)]
    spectra = SpectrumSet(np.arange(4000.0, 4003.0), np.ones((300, 3)), table=rows)
    train, test = spectra.split_by_object((0.8, 0.2), seed=1)
    assert (len(train), len(test)) == (240, 60)
    assert not set(train.table["object_id"]) & set(test.table["object_id"])
    assert same(test, spectra.split_by_object((0.8, 0.2), seed=1)[1])
    assert not same(test, spectra.split_by_object((0.8, 0.2), seed=2)[1])
    with pytest.raises(RacnetError, match="add up to 1"):
        spectra.split_by_object((0.8, 0.3), seed=1)


def test_summary_counts(small_set):
    summary = small_set.summary()
    counts = {row["label"]: (row["spectra"], row["objects"]) for row in summary}
    assert counts == {"STAR": (4, 2), "GALAXY": (1, 1), "QSO": (1, 1), "all": (6, 4)}


def test_html_escapes_what_files_say(small_set):
    small_set.table["label"] = ["<script>"] * 6
    html = small_set._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert html.count("<svg") == 3


def test_save_and_open_in_another_process(small_set, tmp_path):
    small_set.mask[1, 7] = True
    path = tmp_path / "set.fits"
    small_set.save(path)
    assert same(SpectrumSet.open(path), small_set)
    code = (
        "import sys; from racnet_tools import SpectrumSet; s = SpectrumSet.open(sys.argv[1]);"
        "print(s.table['spec_id'][5], s.mask.sum(), float(s.flux.astype('f8').sum()))"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["s5", "1", repr(float(small_set.flux.astype("f8").sum()))]
    with pytest.raises(RacnetError, match="not overwritten"):
        small_set.save(path)
    small_set.save(path, overwrite=True)


def test_open_refuses_other_files(tmp_path):
    path = tmp_path / "notes.fits"
    path.write_text("no spectra here")
    with pytest.raises(ReadError, match="expected a FITS file written by"):
        SpectrumSet.open(path)
    with pytest.raises(ReadError, match=r"gone\.fits"):
        SpectrumSet.open(tmp_path / "gone.fits")


def test_specutils_there_and_back(small_set):
    pytest.importorskip("specutils", reason="specutils is an optional package")
    assert same(SpectrumSet.from_specutils(small_set.to_specutils()), small_set)


def test_from_specutils_reorders_and_converts_units():
    specutils = pytest.importorskip("specutils", reason="specutils is an optional package")
    import astropy.units as u

    spectrum = specutils.Spectrum(flux=[3.0, 2.0, 1.0] * u.Jy, spectral_axis=[0.6, 0.5, 0.4] * u.um)
    spectra = SpectrumSet.from_specutils(spectrum)
    np.testing.assert_allclose(spectra.wave, [4000, 5000, 6000])
    assert spectra.flux.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("wave", "flux", "message"),
    [
        ([1, 2, 3], np.ones((2, 4)), "Received: \\(3,\\) and \\(2, 4\\)"),
        ([3, 2, 1], np.ones(3), "increasing"),
        ([1, np.nan, 3], np.ones(3), "finite"),
        ([1], np.ones((1, 1)), "Expected wave"),
    ],
)
def test_bad_arrays_are_refused(wave, flux, message):
    with pytest.raises(RacnetError, match=message):
        SpectrumSet(wave, flux)


def test_bad_table_is_refused():
    with pytest.raises(RacnetError, match="Expected 1 rows"):
        SpectrumSet([1.0, 2.0], [1.0, 1.0], table=[{}, {}])
    with pytest.raises(RacnetError, match="Expected ivar"):
        SpectrumSet([1.0, 2.0], [1.0, 1.0], ivar=[1.0])


def test_the_median_signal_to_noise_is_that_of_the_pixels_that_are_not_masked():
    rng = np.random.default_rng(5)
    flux, ivar = rng.normal(1, 1, (8, 31)), rng.random((8, 31))
    mask = rng.random((8, 31)) < np.linspace(0, 0.9, 8)[:, None]
    mask[7] = True
    spectra = SpectrumSet(np.linspace(4000, 5000, 31), flux, ivar, mask)
    found = spectra.median_snr()
    snr = spectra.flux * np.sqrt(spectra.ivar)
    np.testing.assert_array_equal(found[:7], [np.median(s[~m]) for s, m in zip(snr[:7], spectra.mask[:7], strict=True)])
    assert np.isnan(found[7]) and found.dtype == np.float32


def test_same_grid_costs_nothing(small_set):
    assert small_set.to_grid(LAMOST_GRID) is small_set


def test_column_is_the_same_before_and_after_the_table_is_built():
    rows = [{"spec_id": "a", "z": np.float32(0.5), "label": ""}, {"spec_id": "b", "z": np.nan, "label": "QSO"}]
    spectra = SpectrumSet([1.0, 2.0], np.ones((2, 2)), table=rows)
    names = ("spec_id", "z", "label", "snr_g")
    early = [spectra.column(name) for name in names]
    assert early == [["a", "b"], [0.5, None], [None, "QSO"], [None, None]]
    _ = spectra.table
    assert [spectra.column(name) for name in names] == early
