"""The short fuzz; the long one is `python tests/fuzz/fuzz_readers.py`."""

import pytest

pytest.importorskip("resource")  # POSIX
from fuzz_readers import run


def test_mutated_files_are_read_or_refused(tmp_path):
    result = run(400, seed=20200401, folder=tmp_path)
    assert result["failures"] == []
    assert result["unforeseen"] == 0, result["by_reason"]
    assert result["read"] > 40 and result["refused"] > 200
    assert result["slowest_s"] < 5
