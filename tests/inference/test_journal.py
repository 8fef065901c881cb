import pytest

from racnet_tools.errors import RacnetError
from racnet_tools.inference.journal import Journal, signature

JOB = {"presets": {"racnet-class": "ab"}, "batch_size": 4}


def record(chunk, path):
    return {"chunk": chunk, "inputs": [signature(str(path))], "rows": [["s", 0.1, None]], "errors": [["p", "r"]]}


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{i}.fits" for i in range(3)]
    for path in paths:
        path.write_text(path.name)
    return paths


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.csv"


def test_finished_chunks_are_there_again(output, files):
    assert not Journal.unfinished(output)
    with Journal(output, JOB) as journal:
        for chunk, path in enumerate(files):
            journal.put(record(chunk, path))
    assert Journal.unfinished(output)
    with Journal(output, JOB) as journal:
        assert len(journal) == 3
        assert journal.get(1, [signature(str(files[1]))]) == record(1, files[1])
        assert journal.get(3, []) is None
        assert list(journal.records(2)) == [record(0, files[0]), record(1, files[1])]
        journal.remove()
    assert not (output.parent / "out.csv.part").exists()


def test_a_chunk_of_other_or_changed_files_is_not_used(output, files):
    with Journal(output, JOB) as journal:
        journal.put(record(0, files[0]))
        assert journal.get(0, [signature(str(files[1]))]) is None
        files[0].write_text("longer than before")
        assert journal.get(0, [signature(str(files[0]))]) is None
        journal.put(record(0, files[0]))
        assert journal.get(0, [signature(str(files[0]))]) is not None
    files[0].unlink()
    assert signature(str(files[0])) == [str(files[0]), None, None]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_cut_short_is_dropped_and_written_again(output, files, cut):
    with Journal(output, JOB) as journal:
        journal.put(record(0, files[0]))
        journal.put(record(1, files[1]))
    done = output.parent / "out.csv.part" / "done.jsonl"
    done.write_bytes(done.read_bytes()[:-cut])
    with Journal(output, JOB) as journal:
        assert len(journal) == 1
        journal.put(record(1, files[1]))
    with Journal(output, JOB) as journal:
        assert list(journal.records(2)) == [record(0, files[0]), record(1, files[1])]


def test_another_job_is_refused_and_says_what_differs(output):
    Journal(output, JOB).close()
    with pytest.raises(RacnetError, match=r"batch_size was 4, is 8\. Repeat the command as it was, or delete"):
        Journal(output, {**JOB, "batch_size": 8})


def test_two_processes_cannot_share_a_journal(output):
    pytest.importorskip("fcntl")
    with Journal(output, JOB), pytest.raises(RacnetError, match="Another process is at work"):
        Journal(output, JOB)
    Journal(output, JOB).close()


def test_what_a_finished_run_left_behind_is_not_taken_for_work_done(output, files):
    with Journal(output, JOB) as journal:
        journal.put(record(0, files[0]))
    (output.parent / "out.csv.part" / "job.json").unlink()  # killed while it removed its journal
    assert not Journal.unfinished(output)
    with Journal(output, {**JOB, "batch_size": 8}) as journal:
        assert len(journal) == 0
