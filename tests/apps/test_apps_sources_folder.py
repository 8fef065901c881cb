"""The server's folder: visitors see what lies below it and nothing else, by whatever name they ask."""

import os
import shutil
from pathlib import Path

import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.apps.settings import Settings
from racnet_tools.apps.sources.catalogue import open_catalogue, open_file_or_catalogue
from racnet_tools.apps.sources.folder import inside, list_folder, open_file, open_folder
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.readers import find_files
from racnet_tools.resources import data_path

SAMPLES = list(find_files(data_path("samples")))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A served folder, with things beside it and in it that nobody may see."""
    top = tmp_path_factory.mktemp("server")
    root = top / "spectra"
    (root / "m31" / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()
    (top / "secret").mkdir()
    for number, place in enumerate(("m31/spec-10.fits.gz", "m31/spec-2.fits.gz", "m31/deep/spec-1.fits.gz")):
        shutil.copy(SAMPLES[number], root / place)
    shutil.copy(SAMPLES[0], top / "secret" / "spec-9.fits.gz")
    shutil.copy(SAMPLES[0], root / ".hidden" / "spec-8.fits.gz")
    shutil.copy(SAMPLES[0], root / ".spec-7.fits.gz")
    (root / "out").symlink_to(top / "secret")
    (root / "m31" / "out.fits.gz").symlink_to(top / "secret" / "spec-9.fits.gz")
    (root / "m31" / "hidden.fits.gz").symlink_to(root / ".hidden" / "spec-8.fits.gz")
    (root / "m31" / "loop").symlink_to(root)
    (root / "again").symlink_to(root / "m31" / "deep")
    (root / "notes.txt").write_text("nothing of interest\n")
    (root / "empty").mkdir()
    return root


def settings(root: Path, **more) -> Settings:
    return Settings(spectra=root, work=root.parent / "work", archives=False, **more)


OUTSIDE = [
    "..", "../secret", "../secret/spec-9.fits.gz", "m31/../../secret", "/etc/passwd", "/", "//etc", "out",
    "out/spec-9.fits.gz", "m31/out.fits.gz", ".hidden", ".hidden/spec-8.fits.gz", "m31/hidden.fits.gz",
    ".spec-7.fits.gz", "m31\\..\\..\\secret", "m31/\x00", "no such", "~", "m31/" + "a" * 5000, "\n", "C:\\Windows",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_else_than_below_the_folder(root, name):
    ways = (
        inside, list_folder, open_folder, open_file,
        lambda _, name: open_file_or_catalogue(settings(root), name),
        lambda _, name: open_catalogue(settings(root), name),
    )  # fmt: skip
    told = set()
    for way in ways:
        with pytest.raises(RacnetError) as refused:
            way(root, name)
        told.add(str(refused.value))
    assert len(told) == 1  # the same words for what is not there and for what is elsewhere
    assert str(root.parent) not in told.pop()


@given(name=st.text(st.sampled_from("./\\~m31a b\x00secret"), max_size=24))
def test_no_name_leads_out(root, name):
    try:
        path = inside(root, name)
    except RacnetError:
        return
    assert path.is_relative_to(root.resolve())
    assert not any(part.startswith(".") for part in path.relative_to(root.resolve()).parts)


def test_a_folder_is_listed_below_and_once(root):
    spectra = open_folder(root, "")
    assert [spectra.key(i) for i in range(len(spectra))] == ["m31/deep/spec-1", "m31/spec-2", "m31/spec-10"]
    assert spectra.name == "folder the server's folder (3 files)"
    inner = open_folder(root, "m31")
    assert sorted(inner.key(i) for i in range(len(inner))) == ["m31/deep/spec-1", "m31/spec-10", "m31/spec-2"]
    assert inner.address == {"open": "folder", "path": "m31"}
    one = inner.load(inner.find("m31/spec-2"))
    assert one.column("path") == ["m31/spec-2.fits.gz"]  # not where it is on the server
    assert str(root.parent) not in inner.python + inner.name
    assert "spectra/m31" in inner.python


def test_a_link_made_after_listing_is_refused_too(root, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    shutil.copy(SAMPLES[0], served / "a.fits.gz")
    spectra = open_folder(served, "")
    (served / "a.fits.gz").unlink()
    (served / "a.fits.gz").symlink_to(root.parent / "secret" / "spec-9.fits.gz")
    with pytest.raises(ReadError, match="open the folder again"):
        spectra.load(0)
    assert spectra.refused[0][0] == "a"


def test_a_folder_shows_what_can_be_chosen(root):
    top = list_folder(root, "")
    assert top.folders == ("again", "empty", "m31")
    assert (top.tables, top.spectra, top.more) == (("notes.txt",), (), False)
    inner = list_folder(root, "m31")
    assert inner.folders == ("deep", "loop")
    assert inner.spectra == ("spec-2.fits.gz", "spec-10.fits.gz")


def test_a_folder_without_spectra_says_so(root):
    with pytest.raises(RacnetError, match=r"Found none\. Choose another folder"):
        open_folder(root, "empty")


def test_many_files_are_listed_fast_and_up_to_a_limit(tmp_path, monkeypatch):
    from racnet_tools.apps.sources import folder

    for number in range(300):
        (tmp_path / f"spec-{number}.fits").touch()
    monkeypatch.setattr(folder, "MOST", 200)
    spectra = open_folder(tmp_path, "")
    assert len(spectra) == 200
    assert "first 200 files" in spectra.name
    assert spectra.key(199) == "spec-199"


def table(root: Path) -> Table:
    rows = [("m31/spec-2.fits.gz", "QSO", 1.25, "x1"), ("deep/spec-1.fits.gz", "STAR", 0.0, "x2")]
    rows += [("spec-10.fits.gz", "", 0.5, "x3"), ("../../secret/spec-9.fits.gz", "STAR", 0.0, "x4")]
    rows += [("/etc/passwd", "STAR", 0.0, "x5"), (str(root / "m31" / "spec-2.fits.gz"), "STAR", 0.1, "x6")]
    return Table(rows=rows, names=("path", "label", "z", "spec_id"))


@pytest.mark.parametrize(
    ("ending", "kind"), [("csv", "ascii.csv"), ("ecsv", "ascii.ecsv"), ("fits", "fits"), ("vot", "votable")]
)
def test_a_catalogue_names_spectra_by_path(root, ending, kind):
    name = f"m31/list.{ending}"
    table(root).write(root / name, format=kind, overwrite=True)
    try:
        spectra = open_file_or_catalogue(settings(root), name)
    finally:
        (root / name).unlink()
    assert len(spectra) == 6
    assert spectra.address == {"open": "file", "path": name}
    keys = [spectra.key(i) for i in range(6)]
    # Relative to the server's folder, to the catalogue's own, by file name; absolute ones only below the folder.
    assert keys[:3] == ["m31/spec-2#x1", "m31/deep/spec-1", "m31/spec-10"]
    assert keys[5] == "m31/spec-2#x6"
    assert spectra.label(0) == "x1 QSO z=1.2500"
    for place in (0, 1, 2, 5):
        assert len(spectra.load(place)) == 1
    for place in (3, 4):
        with pytest.raises(ReadError, match="in the folder that the server offers; found none"):
            spectra.load(place)


def test_a_catalogue_of_obsids_uses_files_that_are_there(root, tmp_path):
    served = tmp_path / "served"
    (served / "spectra").mkdir(parents=True)
    shutil.copy(SAMPLES[0], served / "spectra" / "101001.fits.gz")
    (served / "list.txt").write_text("obsid|class|z\n101001|STAR|0.0\n101002|QSO|2.0\n")
    spectra = open_file_or_catalogue(settings(served), "list.txt")
    assert [spectra.key(i) for i in range(2)] == ["LAMOST-101001", "LAMOST-101002"]
    assert len(spectra.load(0)) == 1
    with pytest.raises(ReadError, match="fetches nothing from archives"):
        spectra.load(1)


def test_a_text_file_is_catalogue_or_spectrum_by_its_columns(root, tmp_path):
    (tmp_path / "spectrum.csv").write_text("wave,flux\n" + "".join(f"{4000 + i},{1 + i % 7}\n" for i in range(300)))
    (tmp_path / "neither.csv").write_text("apples,pears\n1,2\n3,4\n")
    assert len(open_file_or_catalogue(settings(tmp_path), "spectrum.csv").load(0)) == 1
    with pytest.raises(RacnetError, match=r"neither a spectrum nor a catalogue.*path \(or file.*at least 100"):
        open_file_or_catalogue(settings(tmp_path), "neither.csv")
    (tmp_path / "broken.csv.gz").write_bytes(b"\x1f\x8b" + bytes(30))
    with pytest.raises(RacnetError, match="neither a spectrum"):
        open_file_or_catalogue(settings(tmp_path), "broken.csv.gz")


def test_names_that_are_markup_stay_text(tmp_path):
    shutil.copy(SAMPLES[0], tmp_path / "<b>x&.fits.gz")
    spectra = open_folder(tmp_path, "")
    assert spectra.label(0) == "<b>x&"  # views escape it
    assert os.listdir(tmp_path) == ["<b>x&.fits.gz"]  # noqa: PTH208
