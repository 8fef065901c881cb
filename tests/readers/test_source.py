"""Getting at bytes: every way in which a file can be no file, or not what it says."""

import gzip
import os
import random
import time
import zlib
from pathlib import Path

import pytest

from racnet_tools.errors import ReadError
from racnet_tools.readers import read_file
from racnet_tools.readers import source as source_module
from racnet_tools.readers.source import MAX_BYTES, open_source


def reason(path) -> str:
    with pytest.raises(ReadError) as caught:
        open_source(path)
    assert str(path) in str(caught.value)
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    return caught.value.reason


def test_plain_and_gzip_give_the_same_bytes(tmp_path):
    data = random.Random(1).randbytes(10_000)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(gzip.compress(data))
    (tmp_path / "c").write_bytes(gzip.compress(data[:4000]) + gzip.compress(data[4000:]) + b"\x00" * 512)
    for name in "abc":
        with open_source(tmp_path / name) as source:
            assert source.read_at(0, 20_000) == data
            assert source.read_at(9_990, 20) == data[-10:]


def test_missing_file(tmp_path):
    assert "found no such file" in reason(tmp_path / "gone.fits")


def test_pattern_without_match(tmp_path):
    assert "pattern" in reason(tmp_path / "*.fits")


def test_empty_file(tmp_path):
    (tmp_path / "a.fits").touch()
    assert "an empty file (0 bytes)" in reason(tmp_path / "a.fits")


def test_empty_gzip(tmp_path):
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(b""))
    assert "unpack to nothing" in reason(tmp_path / "a.fits.gz")


def test_folder(tmp_path):
    assert "found a folder" in reason(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.fits")
    assert "found a named pipe" in reason(tmp_path / "a.fits")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_device():
    assert "found a device" in reason(Path("/dev/zero"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"x")
    (tmp_path / "a.fits").chmod(0)
    assert "Check its permissions" in reason(tmp_path / "a.fits")


def test_permission_error_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.fits").write_bytes(b"x")
    monkeypatch.setattr(source_module.os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "not allowed")))
    assert "not allowed" in reason(tmp_path / "a.fits")


def test_file_that_vanishes_after_it_was_seen(tmp_path, monkeypatch):
    path = tmp_path / "a.fits"
    path.write_bytes(b"x")
    real = os.open

    def vanish(name, flags):
        path.unlink()
        return real(name, flags)

    monkeypatch.setattr(source_module.os, "open", vanish)
    assert "found no such file" in reason(path)


def test_link_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "cannot be read" in reason(tmp_path / "a")


@pytest.mark.parametrize("name", ["a\x00b", "x" * 5000])
def test_impossible_names(name):
    assert "cannot be read" in reason(Path(name))


def test_gzip_cut_short(tmp_path):
    data = gzip.compress(random.Random(1).randbytes(50_000))
    (tmp_path / "a.fits.gz").write_bytes(data[:-9])
    assert "one that ends early" in reason(tmp_path / "a.fits.gz")


def test_gzip_with_a_changed_byte(tmp_path):
    data = bytearray(gzip.compress(b"spectrum " * 5000))
    data[-6] ^= 1  # the checksum
    (tmp_path / "a.fits.gz").write_bytes(data)
    assert "damaged compressed data" in reason(tmp_path / "a.fits.gz")


def test_bytes_after_the_gzip_data(tmp_path):
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(b"x" * 5000) + b"more")
    assert "4 further bytes" in reason(tmp_path / "a.fits.gz")


@pytest.mark.parametrize("magic, name", [(b"BZh9", "bzip2"), (b"PK\x03\x04", "zip"), (b"\xfd7zXZ\x00", "xz")])
def test_other_compression(tmp_path, magic, name):
    (tmp_path / "a").write_bytes(magic + b"data")
    assert f"{name}-compressed" in reason(tmp_path / "a")


def test_gzip_bomb_is_refused_quickly_and_in_bounded_memory(tmp_path):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\x00" * (1 << 20)
    packed = b"".join([*(squeeze.compress(zeros) for _ in range(400)), squeeze.flush()])
    (tmp_path / "a.fits.gz").write_bytes(packed)
    assert len(packed) < 500_000
    start = time.perf_counter()
    assert f"more than {MAX_BYTES >> 20} MB" in reason(tmp_path / "a.fits.gz")
    assert time.perf_counter() - start < 10


def test_many_small_gzip_members_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MAX_BYTES", 100_000)
    (tmp_path / "a.fits.gz").write_bytes(gzip.compress(b"\x00" * 30_000) * 4)
    assert "a file that unpacks to at most" in reason(tmp_path / "a.fits.gz")


def test_large_plain_file_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MAX_BYTES", 1000)
    data = random.Random(1).randbytes(5000)
    (tmp_path / "a").write_bytes(data)
    with open_source(tmp_path / "a") as source:
        assert source.data is None
        assert source.read_at(2000, 100) == data[2000:2100]
        assert source.read_at(4990, 100) == data[4990:]
    (tmp_path / "b.gz").write_bytes(b"\x1f\x8b" + data)
    assert "unpacks to at most" in reason(tmp_path / "b.gz")


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_read_file_closes_what_it_opens(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MAX_BYTES", 1000)
    (tmp_path / "a").write_bytes(b"\x01" * 5000)
    before = open_files()
    for _ in range(20):
        with pytest.raises(ReadError):
            read_file(tmp_path / "a")
    after = open_files()
    assert after <= before
