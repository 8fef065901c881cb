"""From what a user names to files."""

import os
from itertools import islice
from pathlib import Path

import pytest

from racnet_tools.errors import ReadError
from racnet_tools.readers import find_files, read_file


@pytest.fixture
def tree(tmp_path):
    for name in ["b/s10.fits", "b/s2.FITS.gz", "b/c/s1.fit", "a.fit.gz", "notes.txt", "catalogue.csv", ".hidden.fits"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.fits").write_bytes(b"x")
    return tmp_path


def names(tree, inputs) -> list[str]:
    return [path.relative_to(tree).as_posix() for path in find_files(inputs)]


def test_folder_in_natural_order_without_other_and_hidden_files(tree):
    assert names(tree, tree) == ["a.fit.gz", "b/s2.FITS.gz", "b/s10.fits", "b/c/s1.fit"]


def test_a_named_file_of_any_kind_is_taken(tree):
    assert names(tree, tree / "notes.txt") == ["notes.txt"]


def test_patterns(tree):
    assert names(tree, str(tree / "b" / "s*")) == ["b/s2.FITS.gz", "b/s10.fits"]
    assert names(tree, str(tree / "**" / "*.fit")) == ["b/c/s1.fit"]
    assert names(tree, str(tree / "[ab]*")) == ["a.fit.gz", "b/s2.FITS.gz", "b/s10.fits", "b/c/s1.fit"]


def test_a_file_whose_name_looks_like_a_pattern(tree):
    (tree / "a[1].fits").write_bytes(b"x")
    assert names(tree, tree / "a[1].fits") == ["a[1].fits"]


def test_each_file_once(tree):
    inputs = [tree / "b", tree / "b" / "s10.fits", str(tree / "b" / ".." / "b" / "s10.fits"), tree]
    assert names(tree, inputs) == ["b/s2.FITS.gz", "b/s10.fits", "b/c/s1.fit", "a.fit.gz"]


def test_list(tree, monkeypatch):
    (tree / "list.txt").write_text(f"# mine\n\nb/s10.fits\n{tree}/b/c\r\n*.fit.gz\n")
    expected = [tree / "b/s10.fits", tree / "b/c/s1.fit", tree / "a.fit.gz"]
    assert list(find_files(f"@{tree}/list.txt")) == expected, "beside the list"
    monkeypatch.chdir(tree)
    assert [Path(p).resolve() for p in find_files("@list.txt")] == expected, "in the working folder"


def test_what_leads_nowhere_is_yielded_so_that_reading_says_why(tree):
    (tree / "empty").mkdir()
    (tree / "empty.txt").write_text("# nothing\n")
    for inputs, words in [
        (tree / "empty", "a folder"),
        (tree / "*.nothing", "pattern"),
        (tree / "gone.fits", "no such file"),
        (f"@{tree}/gone.txt", "no such file"),
        (f"@{tree}/empty.txt", "text without columns"),
    ]:
        [path] = find_files(inputs)
        with pytest.raises(ReadError, match=words):
            read_file(path)


def test_links_in_circles_end(tree):
    (tree / "b" / "c" / "up").symlink_to(tree)
    (tree / "b" / "self").symlink_to(tree / "b" / "self")
    assert names(tree, tree) == ["a.fit.gz", "b/s2.FITS.gz", "b/s10.fits", "b/c/s1.fit"]


def test_linked_folder_is_searched(tree, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "z.fits").write_bytes(b"x")
    (tree / "link").symlink_to(other)
    assert "link/z.fits" in names(tree, tree)


def test_lazy(tree, monkeypatch):
    real, seen = os.scandir, []

    def scandir(path):
        seen.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert len(list(islice(find_files(tree), 1))) == 1
    assert seen == [tree.name]


def test_nothing_in_nothing_out():
    assert list(find_files([])) == []


def test_binary_file_as_a_list(tree):
    (tree / "list").write_bytes(b"\x00\x01")
    assert list(find_files(f"@{tree}/list")) == [tree / "list"]
