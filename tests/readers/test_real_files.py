"""Every real file: read, or refused for the stated reason; equal to astropy's values and the gridded collection."""

import csv
import warnings

import numpy as np
import pytest
from astropy.io import fits

from racnet_tools.errors import ReadError
from racnet_tools.readers import find_files, read, read_file
from racnet_tools.spectra import LAMOST_GRID


def astropys(path):
    """Wavelengths of the header formula, flux and ivar."""
    with warnings.catch_warnings(), fits.open(path) as hdus:
        warnings.simplefilter("ignore")
        header, image = hdus[0].header, hdus[0].data
        if header.get("TELESCOP") == "LAMOST":
            flux, ivar = (
                (image[0], image[1]) if image is not None else (hdus[1].data["FLUX"][0], hdus[1].data["IVAR"][0])
            )
            loglam = header["COEFF0"] + header["COEFF1"] * np.arange(len(flux))
        elif image is not None:
            flux, error = image[0], image[2].astype(np.float64)
            ivar = np.where(error > 0, 1 / np.where(error > 0, error, 1) ** 2, 0)
            loglam = header["COEFF0"] + header["COEFF1"] * np.arange(len(flux))
        else:
            data = hdus[1].data
            flux, ivar, loglam = data["flux"], data["ivar"], data["loglam"].astype(np.float64)
        return 10.0**loglam, np.array(flux, np.float32), np.array(ivar, np.float32)


@pytest.fixture(scope="module")
def gridded(real_spectra):
    data = np.load(real_spectra / "survey_spectra.npz", allow_pickle=False)
    keys = zip(data["source"].tolist(), data["filename"].tolist(), strict=True)
    return {key: i for i, key in enumerate(keys)}, {name: data[name] for name in ("flux", "ivar", "label")}


@pytest.mark.parametrize("survey, expected", [("lamost", 394), ("sdss", 40)])
def test_every_file(real_spectra, gridded, survey, expected):
    index, collection = gridded
    good = 0
    for path in find_files(real_spectra / survey):
        if path.parent.name == "_mrs_not_lrs":
            with pytest.raises(ReadError, match="found a medium-resolution one"):
                read_file(path)
            continue
        spectra = read_file(path)
        wave, flux, ivar = astropys(path)
        assert np.abs(spectra.wave - wave).max() < 0.01, path
        assert np.array_equal(spectra.flux[0], flux) and np.array_equal(spectra.ivar[0], ivar), path
        i = index[path.parent.name, path.name]
        on_grid = spectra.to_grid(LAMOST_GRID)
        covered = ~np.isnan(collection["flux"][i])
        assert np.array_equal(on_grid.flux[0][covered], collection["flux"][i][covered]), path
        assert np.array_equal(on_grid.ivar[0][covered], np.nan_to_num(collection["ivar"][i][covered])), path
        assert not on_grid.ivar[0][~covered].any()
        assert spectra.table["label"][0] == collection["label"][i], path
        good += 1
    assert good >= expected


def test_the_catalogue_agrees(real_spectra):
    spectra = read(real_spectra / "lamost", on_error="skip")
    with (real_spectra / "lamost" / "catalogue.csv").open(newline="") as file:
        rows = {(row["source"], row["file"]): row for row in csv.DictReader(file)}
    objects, ours = [], spectra.table["object_id"].tolist()
    for row in spectra.table:
        source, name = row["path"].replace("\\", "/").rsplit("/", 2)[1:]
        known = rows[source, name]
        identity = f"{int(known['lmjd']):05d}-{known['planid']}_sp{int(known['spid']):02d}-{int(known['fiberid']):03d}"
        assert row["spec_id"] == identity
        for ours_name, theirs in (("z", "z"), ("snr_r", "snrr"), ("snr_u", "snru"), ("ra", "ra"), ("dec", "dec")):
            if row[ours_name] is np.ma.masked:
                assert not known[theirs] or float(known[theirs]) <= -99
            else:
                assert row[ours_name] == pytest.approx(float(known[theirs]), rel=1e-6)
        objects.append(known["object"])
    assert len(set(zip(objects, ours, strict=True))) == len(set(objects)) == len(set(ours)), (
        "the same objects as in the catalogue"
    )
