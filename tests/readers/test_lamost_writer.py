"""Writing the LAMOST layouts: everything comes back, equal input gives equal bytes, nothing is overwritten unasked."""

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from survey_files import lamost_set

from racnet_tools.errors import RacnetError
from racnet_tools.readers import read, read_file, write_lamost
from racnet_tools.spectra import LogLambdaGrid, SpectrumSet, concatenate

LAYOUTS = ["image5_sub", "image5", "coadd"]
words = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'&"), min_size=1, max_size=12)
numbers = st.none() | st.floats(-90, 1e6, allow_nan=False)


def equal_rows(got: SpectrumSet, want: SpectrumSet) -> None:
    for name in want.table.colnames:
        if name == "path":
            continue
        a, b = got.table[name], want.table[name]
        assert np.array_equal(a.mask, b.mask), name
        if a.dtype.kind == "U":
            assert a.filled("").tolist() == b.filled("").tolist(), name
        else:  # a card has room for 13 digits
            assert a.filled(0).tolist() == pytest.approx(b.filled(0).tolist(), rel=1e-12, abs=0), name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(LAYOUTS),
    st.sampled_from([".fits", ".fits.gz"]),
    st.integers(-200, 200),
    hnp.arrays(np.float32, 120, elements=st.floats(-(2**100), 2**100, width=32)),
    hnp.arrays(np.float32, 120, elements=st.floats(0, 2**100, width=32)),
    hnp.arrays(bool, 120),
    st.fixed_dictionaries(
        {
            "survey": st.sampled_from(["LAMOST", "SDSS", "SIMULATED"]),
            "label": st.sampled_from(["STAR", "GALAXY", "QSO", "UNKNOWN", None]),
            "subclass": st.none() | words.filter(lambda w: w.casefold() not in ("non", "none", "null")),
            "z": st.none() | st.floats(-0.9, 7),
            "snr_g": numbers,
            "ra": st.none() | st.floats(0, 360),
            "dec": st.none() | st.floats(-90, 90),
        }
    ),
    st.sampled_from(["55862-GAC_105N29_B1_sp06-003", "57000-HD1_sp16-250", "sim-000001"]),
)
def test_round_trip(tmp_path, layout, suffix, shift, flux, ivar, mask, row, spec_id):
    flux[3], ivar[3] = 1.5, 2.0  # something to read
    grid = LogLambdaGrid(start=3.5682 + shift * 1e-4, n_pixels=120)
    want = SpectrumSet(grid.wave, flux, ivar, mask, [{**row, "spec_id": spec_id, "object_id": "J1+2"}])
    [path] = write_lamost(want, tmp_path / f"a{suffix}", layout, overwrite=True)
    got = read_file(path)
    assert np.array_equal(got.flux, want.flux) and np.array_equal(got.ivar, want.ivar)
    assert np.array_equal(got.mask, want.mask)
    assert np.abs(got.wave - want.wave).max() < 1e-8
    equal_rows(got, want)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".fits", ".fits.gz"])
def test_equal_spectra_give_equal_bytes(tmp_path, layout, suffix):
    one = write_lamost(lamost_set(), tmp_path / f"a{suffix}", layout)[0].read_bytes()
    two = write_lamost(lamost_set(), tmp_path / f"b{suffix}", layout)[0].read_bytes()
    assert one == two


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_are_proper_fits_for_astropy(tmp_path, layout):
    [path] = write_lamost(lamost_set(), tmp_path / "a.fits", layout)
    with fits.open(path) as hdus:
        hdus.verify("exception")


def test_folder_of_several(tmp_path):
    sets = [lamost_set(seed=i, spec_id=f"55862-B1_sp06-{i:03d}") for i in range(3)]
    files = write_lamost(concatenate(sets), tmp_path, "coadd", suffix=".fits.gz")
    assert [file.name for file in files] == [f"spec-55862-B1_sp06-{i:03d}.fits.gz" for i in range(3)]
    back = read(tmp_path)
    assert back.table["spec_id"].tolist() == [f"55862-B1_sp06-{i:03d}" for i in range(3)]
    assert np.array_equal(back.flux[1], sets[1].flux[0])


def test_nothing_is_overwritten_unasked(tmp_path):
    write_lamost(lamost_set(), tmp_path / "a.fits")
    with pytest.raises(RacnetError, match="exists already"):
        write_lamost(lamost_set(seed=1), tmp_path / "a.fits")
    write_lamost(lamost_set(seed=1), tmp_path / "a.fits", overwrite=True)
    assert np.array_equal(read_file(tmp_path / "a.fits").flux, lamost_set(seed=1).flux)


def test_what_cannot_be_written_is_refused(tmp_path):
    linear = SpectrumSet(np.linspace(4000, 5000, 300), np.ones(300))
    with pytest.raises(RacnetError, match="to_grid"):
        write_lamost(linear, tmp_path / "a.fits")
    with pytest.raises(RacnetError, match="layout"):
        write_lamost(lamost_set(), tmp_path / "a.fits", "image6")
    with pytest.raises(RacnetError, match="existing folder"):
        write_lamost(lamost_set(), tmp_path / "nowhere")
    with pytest.raises(RacnetError, match="different spec_id"):
        write_lamost(lamost_set()[[0, 0]], tmp_path)
    with pytest.raises(RacnetError, match="suffix"):
        write_lamost(lamost_set(), tmp_path, suffix=".zip")
