"""Inspections on disk: kept at each change, read back after a crash, shared by two tabs, refused in words."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.apps.inspection.journal import Journal, inspectors
from racnet_tools.apps.inspection.record import FLAGS, LONGEST, Inspection, clean_text, now
from racnet_tools.errors import RacnetError


def record(**values) -> Inspection:
    return Inspection(**{"key": "spec-1", "inspector": "Anna", "time": "2026-11-23T13:05:09.123Z", **values})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"quality": 5}, "quality from 0 to 4"),
        ({"quality": True}, "quality from 0 to 4"),
        ({"quality": 3.0}, "quality from 0 to 4"),
        ({"z": float("nan")}, "redshift above -1"),
        ({"z": "x"}, "redshift above -1"),
        ({"z": 100}, "redshift above -1"),
        ({"flags": ("Z",)}, "flags among R, C"),
        ({"flags": "R"}, "flags among R, C"),
        ({"flags": ([],)}, "flags among R, C"),
        ({"label": "x" * 31}, "label in at most 30"),
        ({"label": None}, "label in at most 30"),
        ({"comment": 3}, "comment in words"),
        ({"comment": "x" * (LONGEST + 1)}, "at most 50,000"),
        ({"key": ""}, "key of a spectrum"),
        ({"inspector": " \0"}, "inspector's name"),
        ({"time": "yesterday"}, "a time such as"),
    ],
)
def test_what_is_no_inspection_is_refused_with_what_was_expected(values, said):
    with pytest.raises(RacnetError, match=said):
        record(**values)


def test_an_inspection_is_made_clean():
    made = record(
        flags=["S", "R", "S"], z="0.5", comment=" a\r\nb\x00\u2028c\ud800 ", label="  GALAXY\n", inspector="A\tB"
    )
    assert (made.flags, made.z, made.comment, made.label, made.inspector) == (
        ("R", "S"),
        0.5,
        "a\nb\nc",
        "GALAXY",
        "A B",
    )
    assert Inspection.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert record(network="STAR").verdict == "STAR"
    assert record(network="STAR", label="QSO").verdict == "QSO"


@settings(deadline=None)
@given(st.text())
def test_clean_text_stays_as_it_is(text):
    clean = clean_text(text)
    assert clean_text(clean) == clean
    clean.encode()


def test_every_change_is_on_disk_at_once_and_the_rest_of_an_inspection_stays(tmp_path):
    journal = Journal(tmp_path, "Anna")
    journal.change("spec-1", quality=3, network="GALAXY")
    journal.change("spec-2", quality=4)
    journal.change("spec-1", comment="多い 🙂")
    again = Journal(tmp_path, "Anna")
    assert (again.get("spec-1").quality, again.get("spec-1").comment) == (3, "多い 🙂")
    assert (len(again), again.latest, again.damaged) == (2, "spec-1", 0)
    size = again.path.stat().st_size
    again.change("spec-1", quality=3)  # nothing new
    assert again.path.stat().st_size == size


@pytest.mark.parametrize("cut", [1, 2, 20, 60])
def test_a_line_cut_short_is_passed_over_and_work_goes_on(tmp_path, cut):
    journal = Journal(tmp_path, "Anna")
    journal.change("spec-1", quality=1)
    journal.change("spec-2", quality=2)
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    again = Journal(tmp_path, "Anna")
    assert again.get("spec-1").quality == 1
    again.change("spec-3", quality=3)
    last = Journal(tmp_path, "Anna")
    assert (last.get("spec-1").quality, last.get("spec-3").quality) == (1, 3)
    assert last.get("spec-2") is None or cut == 1  # only the end of its line was missing then


def test_a_first_line_cut_short_is_written_again(tmp_path):
    path = Journal(tmp_path, "Anna").path
    path.write_bytes(path.read_bytes()[:7])
    Journal(tmp_path, "Anna").change("spec-1", quality=0)
    assert Journal(tmp_path, "Anna").get("spec-1").quality == 0


def test_another_programs_file_is_left_alone(tmp_path):
    path = Journal(tmp_path, "Anna").path
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(RacnetError, match=r"no file of Anna's inspections"):
        Journal(tmp_path, "Anna")
    assert path.read_text() == "a,b,c\n1,2,3\n"


KILLED = """
import sys
from pathlib import Path
from racnet_tools.apps.inspection.journal import Journal
journal = Journal(Path(sys.argv[1]), "Anna")
for i in range(10**6):
    journal.change(f"spec-{i}", quality=i % 5, comment="ö" * 5000)
    print(i, flush=True)
"""


def test_what_was_confirmed_survives_a_kill(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    told = [int(process.stdout.readline()) for _ in range(30)][-1]
    process.send_signal(signal.SIGKILL)
    told = max([told, *(int(line) for line in process.stdout.read().split("\n")[:-1])])
    process.wait()
    journal = Journal(tmp_path, "Anna")
    assert told >= 29
    assert all(journal.get(f"spec-{i}").quality == i % 5 for i in range(told + 1))
    journal.change("after", quality=4)
    assert Journal(tmp_path, "Anna").get("after").quality == 4


def test_two_tabs_of_one_person_add_up(tmp_path):
    left, right = Journal(tmp_path, "Anna"), Journal(tmp_path, "Anna")
    left.change("spec-1", quality=4)
    right.change("spec-1", comment="from the other tab")
    assert left.get("spec-1").comment == ""
    left.refresh()
    assert (left.get("spec-1").quality, left.get("spec-1").comment) == (4, "from the other tab")

    def write(journal, name):
        for i in range(40):
            journal.change(f"{name}-{i}", quality=1)

    threads = [threading.Thread(target=write, args=pair) for pair in ((left, "l"), (right, "r"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = Journal(tmp_path, "Anna")
    assert (len(again), again.damaged) == (81, 0)


def test_names_of_any_script_have_files_of_their_own_inside_the_folder(tmp_path):
    names = ["Anna", "anna", "../../etc/passwd", "李" * 60, "a/b", "a\\b", ".", "CON", "😀"]
    for name in names:
        Journal(tmp_path, name).change("spec-1", quality=1)
    paths = list((tmp_path / "inspections").iterdir())
    assert len(paths) == len(names)
    assert list(tmp_path.iterdir()) == [tmp_path / "inspections"]
    assert set(inspectors(tmp_path)) == set(names)
    for name in ("", "   ", "x" * 61, None):
        with pytest.raises(RacnetError):
            Journal(tmp_path, name)


def test_only_ones_own_newer_inspections_are_added(tmp_path):
    journal = Journal(tmp_path, "Anna")
    journal.change("spec-1", quality=4)
    newer, older = record(time="2999-01-01T00:00:00Z", quality=1), record(time="2001-01-01T00:00:00Z", quality=2)
    assert journal.add([older, record(inspector="Ben", time="2999-01-01T00:00:00Z")]) == 0
    assert journal.add([newer]) == 1
    assert journal.get("spec-1").quality == 1


@pytest.mark.skipif(os.getuid() == 0, reason="the super-user may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(RacnetError, match="cannot be kept on the server"):
        Journal(tmp_path, "Anna")
    tmp_path.chmod(0o700)


def test_a_full_disk_is_told_and_what_was_kept_stays(tmp_path, monkeypatch):
    journal = Journal(tmp_path, "Anna")
    journal.change("spec-1", quality=1)

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("racnet_tools.apps.inspection.journal.os.fsync", full)
        with pytest.raises(RacnetError, match="not kept on the server: No space left"):
            journal.change("spec-1", quality=2)
    assert journal.change("spec-2", quality=3).quality == 3
    assert now() > "2026"
    assert set(FLAGS) == set("RCSBN")
