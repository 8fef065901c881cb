import errno
import gzip
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from racnet_tools.archives import fetching
from racnet_tools.archives.addresses import LamostAddresses
from racnet_tools.archives.answers import RefusedError, _retry_after
from racnet_tools.archives.fetching import Job, fetch
from racnet_tools.archives.http import make_client
from racnet_tools.archives.journal import Entry, Journal
from racnet_tools.archives.pace import Pace
from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256
from racnet_tools.readers import read


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


def run(server, folder, obsids, *, read_timeout=5.0, rate=1000, pause=0.01, **options):
    addresses = LamostAddresses("dr5", server=server.url)
    with make_client(server.url, read_timeout=read_timeout) as client:
        jobs = [Job(str(obsid), addresses.spectrum(obsid)) for obsid in obsids]
        return fetch(jobs, folder, client, pace=Pace(rate, pause), **options)


def reasons(summary):
    return {key: reason for key, _, reason in summary.failed}


def assert_sound(server, folder, obsids):
    """Every file is the server's, bit for bit, stands in the journal, and nothing else lies about."""
    entries = Journal.entries(folder)
    assert sorted(entries) == sorted(map(str, obsids))
    for key, entry in entries.items():
        path = folder / entry.path
        assert path.read_bytes() == server.bodies[int(key) % len(server.bodies)]
        assert (path.stat().st_size, sha256(path)) == (entry.bytes, entry.sha256)
    assert len(list((folder / "spectra").iterdir())) == len(entries)
    assert not (folder / ".partial").exists()


def test_files_are_the_servers_and_the_readers_read_them(server, folder):
    summary = run(server, folder, range(101, 113))
    assert (summary.n_fetched, summary.n_before, summary.failed) == (12, 0, [])
    assert summary.n_bytes == sum(e.bytes for e in Journal.entries(folder).values())
    assert_sound(server, folder, range(101, 113))
    assert not (folder / "failed.csv").exists()
    assert len(read(folder / "spectra" / "101.fits.gz")) == 1
    assert max(server.requests.values()) == 1


def test_a_second_run_fetches_nothing(server, folder):
    run(server, folder, range(8))
    summary = run(server, folder, range(10))
    assert (summary.n_fetched, summary.n_before) == (2, 8)
    assert max(server.requests.values()) == 1


def test_an_obsid_that_is_named_twice_is_fetched_once(server, folder):
    assert run(server, folder, [7, 7, 8, 7]).n_fetched == 2
    assert max(server.requests.values()) == 1


@pytest.mark.parametrize(
    "action", [500, 502, 503, 429, 408, "cut", "reset", "too long", "too short", "truncated", "damaged", "empty"]
)
def test_what_may_pass_is_tried_again(server, folder, action):
    server.plan["11"] = [action, action]
    summary = run(server, folder, [11, 12], connections=1)
    assert (summary.n_fetched, summary.failed) == (2, [])
    assert server.requests == {"11": 3, "12": 1}
    assert_sound(server, folder, [11, 12])


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (500, "500"),
        ("cut", "connection broke"),
        ("too long", "connection broke"),
        ("too short", "damaged"),
        ("truncated", "damaged"),
        ("damaged", "damaged"),
        ("empty", "empty"),
    ],
)
def test_what_does_not_pass_is_listed(server, folder, action, told):
    server.plan["11"] = [action] * 9
    summary = run(server, folder, [10, 11, 12], attempts=3)
    assert summary.n_fetched == 2
    assert told in reasons(summary)["11"]
    assert "3 attempts" in reasons(summary)["11"]
    assert server.requests["11"] == 3
    lines = (folder / "failed.csv").read_text().splitlines()
    assert lines[0] == "key,url,reason"
    assert len(lines) == 2
    assert lines[1].startswith("11,http://127.0.0.1:")
    assert_sound(server, folder, [10, 12])
    server.plan.clear()  # the server is well again
    assert run(server, folder, [10, 11, 12]).n_fetched == 1
    assert not (folder / "failed.csv").exists()
    assert_sound(server, folder, [10, 11, 12])


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (404, "404 Not Found: it does not know this spectrum"),
        (400, "400"),
        ("page", "a web page instead of a spectrum ('Maintenance')"),
        ("login", "RACNET_LAMOST_TOKEN"),
        ("message", "RACNET_LAMOST_TOKEN"),
        ("loop", "nowhere"),
    ],
)
def test_what_will_not_pass_is_not_tried_again(server, folder, action, told):
    server.plan["11"] = [action] * 9
    summary = run(server, folder, [10, 11])
    assert told in reasons(summary)["11"]
    assert server.requests["11"] == (6 if action == "loop" else 1)
    assert_sound(server, folder, [10])


def test_a_page_without_a_login_does_not_speak_of_tokens(server, folder):
    server.plan["11"] = ["page"]
    assert "TOKEN" not in reasons(run(server, folder, [11]))["11"]


@pytest.mark.parametrize("action", ["plain", "encoded", "redirect"])
def test_other_ways_to_send_a_file(server, folder, action):
    server.plan["11"] = [action]
    assert run(server, folder, [11]).n_fetched == 1
    entry = Journal.entries(folder)["11"]
    body = server.bodies[11 % 5]
    assert (folder / entry.path).read_bytes() == (gzip.decompress(body) if action == "plain" else body)
    assert entry.path == ("spectra/11.fits" if action == "plain" else "spectra/11.fits.gz")
    assert run(server, folder, [11]).n_before == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_ends_the_run_and_says_what_to_do(server, folder, status):
    server.plan["13"] = [status] * 3
    with pytest.raises(RefusedError, match=rf"\({status}\).*RACNET_LAMOST_TOKEN.*goes on") as caught:
        run(server, folder, range(10, 200), connections=2)
    assert "127.0.0.1" in str(caught.value)
    assert sum(server.requests.values()) < 20
    server.plan.clear()
    run(server, folder, range(10, 30))
    assert_sound(server, folder, range(10, 30))
    assert max(server.sent.values()) == 1


def test_a_silent_server_is_not_waited_for(server, folder):
    server.plan["11"] = ["silent"]
    start = time.monotonic()
    assert run(server, folder, [11], read_timeout=0.3).n_fetched == 1
    assert time.monotonic() - start < 5
    assert_sound(server, folder, [11])


def test_a_trickle_is_not_waited_for(server, folder):
    server.plan["11"] = ["drip"]
    start = time.monotonic()
    assert run(server, folder, [11], deadline=0.5).n_fetched == 1
    assert time.monotonic() - start < 5
    server.plan["12"] = ["drip"] * 2
    assert "more than 0 s" in reasons(run(server, folder, [12], deadline=0.2, attempts=2))["12"]


def test_retry_after_holds_up_all_connections(server, folder):
    server.plan["0"] = ["429 1"]
    start = time.monotonic()
    run(server, folder, range(40), connections=2, rate=100)
    times = time.monotonic() - start
    assert times > 1.0
    assert server.requests["0"] == 2
    assert_sound(server, folder, range(40))


def test_retry_after_has_seconds_or_a_date():
    assert _retry_after("7") == 7
    then = datetime.now(UTC) + timedelta(seconds=60)
    assert 55 < _retry_after(format_datetime(then, usegmt=True)) <= 60
    assert _retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [_retry_after(text) for text in ("", "soon", "-3", "1e9")] == [None] * 4


def test_no_pause_is_longer_than_the_longest():
    now = [0.0]
    pace = Pace(10, longest=5, clock=lambda: now[0])
    pace.after_failure(1, 1e6, threading.Event())
    assert pace._next == 5


def test_pauses_double():
    waited = []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            waited.append(timeout)
            return False

    pace = Pace(pause=1.0, longest=100)
    for attempt in range(1, 6):
        pace.after_failure(attempt, None, Stop())
    for attempt, seconds in enumerate(waited):
        assert 0.5 * 2**attempt <= seconds <= 1.5 * 2**attempt
    assert len({seconds / 2**attempt for attempt, seconds in enumerate(waited)}) == 5


def test_the_rate_is_kept_by_all_connections_together(server, folder):
    start = time.monotonic()
    run(server, folder, range(16), rate=20, connections=8)
    assert time.monotonic() - start > 15 / 20


def test_connections_are_as_many_as_asked_for(server, folder):
    server.delay = 0.05
    run(server, folder, range(24), connections=3)
    assert server.most_open == 3


def test_many_failures_in_a_row_end_the_run(server, folder):
    server.plan.update({str(i): [500] * 9 for i in range(10, 400)})
    with pytest.raises(RacnetError, match=r"25 files in a row .*500.*Repeat the command later"):
        run(server, folder, range(400), attempts=2, connections=2)
    assert sum(server.requests.values()) < 10 + 2 * 30
    assert (folder / "failed.csv").exists()
    server.plan.clear()
    assert run(server, folder, range(60)).n_fetched == 50
    assert_sound(server, folder, range(60))


def test_unknown_spectra_do_not_end_the_run(server, folder):
    server.plan.update({str(i): [404] for i in range(40)})
    summary = run(server, folder, range(45))
    assert (summary.n_fetched, len(summary.failed)) == (5, 40)


def test_a_full_disk_ends_the_run_and_the_next_goes_on(server, folder, monkeypatch):
    class Full:
        def __init__(self, path):
            self._file = path.open("wb")

        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            self._file.close()

    whole = fetching._open_part
    opened = []

    def some(path):
        opened.append(path)
        return whole(path) if len(opened) <= 5 else Full(path)

    monkeypatch.setattr(fetching, "_open_part", some)
    with pytest.raises(RacnetError, match=r"disk of .* is full.*goes on from there"):
        run(server, folder, range(20), connections=2)
    n = len(list((folder / "spectra").iterdir()))
    assert 0 < n <= 5
    assert not list((folder / ".partial").iterdir())
    monkeypatch.undo()
    assert run(server, folder, range(20)).n_before == n
    assert_sound(server, folder, range(20))


def test_a_full_disk_under_the_journal(server, folder, monkeypatch):
    def full(self, line):
        raise OSError(errno.ENOSPC, "No space left on device")

    run(server, folder, [1])
    monkeypatch.setattr(Journal, "_append", full)
    with pytest.raises(RacnetError, match="is full"):
        run(server, folder, range(5), connections=1)
    monkeypatch.undo()
    summary = run(server, folder, range(5))
    assert summary.n_before == 2  # the file that was in place without its line is taken
    assert_sound(server, folder, range(5))
    assert max(server.sent.values()) == 1


def test_half_a_line_does_not_become_the_head_of_the_next(folder, monkeypatch):
    entries = [Entry(key, f"spectra/{key}.fits.gz", 5, "0" * 64, "a, b") for key in ("1", "2", "102")]
    with Journal(folder) as journal:
        journal.add(entries[0])
        file = journal._file

        class Full:
            def write(self, data):
                if len(data) < 20:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return file.write(data[:1])

        journal._file = Full()
        with pytest.raises(OSError, match="No space"):
            journal.add(entries[1])
        journal._file = file
        journal.add(entries[2])
    assert list(Journal.entries(folder)) == ["1", "102"]
    assert Journal.entries(folder)["102"].spec_id == "a, b"


def test_lines_that_name_another_file_do_not_count(folder):
    line = f"10102,spectra/102.fits.gz,5,{'0' * 64},x,now\n"
    with Journal(folder):
        pass
    with (folder / "downloads.csv").open("a") as file:
        file.write(line + line.replace("10102,spectra/102", "../x,spectra/../x") + line.replace("10102", "102"))
    assert list(Journal.entries(folder)) == ["102"]


def test_interrupted_from_the_keyboard(server, folder):
    server.delay = 0.02
    seen = []

    def interrupt(files, size):
        seen.append(size)

    real = fetching.wait

    def once(futures, timeout):
        if len(seen) > 5:
            raise KeyboardInterrupt
        return real(futures, timeout=0.01)

    fetching.wait = once
    try:
        with pytest.raises(KeyboardInterrupt):
            run(server, folder, range(300), progress=interrupt)
    finally:
        fetching.wait = real
    assert not [t for t in threading.enumerate() if t.name.startswith("racnet-download")]
    assert not list((folder / ".partial").iterdir())
    done = len(Journal.entries(folder))
    assert 5 < done < 60
    assert run(server, folder, range(60)).n_before >= done - 4
    assert_sound(server, folder, range(60))


def test_a_file_that_changed_is_fetched_again(server, folder):
    run(server, folder, range(6))
    (folder / "spectra/2.fits.gz").write_bytes(b"edited")
    (folder / "spectra/3.fits.gz").unlink()
    path = folder / "spectra/4.fits.gz"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    summary = run(server, folder, range(6))
    assert (summary.n_fetched, summary.n_before) == (3, 3)
    assert_sound(server, folder, range(6))


def test_leftovers_of_a_kill_are_swept(server, folder):
    run(server, folder, range(3))
    with (folder / "downloads.csv").open("a") as file:
        file.write("99,spectra/99.fi")  # killed within a line
    (folder / ".partial").mkdir()
    (folder / ".partial/3").write_bytes(b"half")
    (folder / "spectra/4.fits.gz").write_bytes(server.bodies[4])  # killed before its line
    (folder / "spectra/5.fits.gz").write_bytes(server.bodies[0][:-10])  # not from here
    summary = run(server, folder, range(6))
    assert (summary.n_fetched, summary.n_before) == (2, 4)
    assert server.requests["4"] == 0
    assert_sound(server, folder, range(6))


def test_two_downloads_do_not_meet_in_a_folder(server, folder):
    with Journal(folder), pytest.raises(RacnetError, match="Another process is at work"):
        run(server, folder, [1])
    run(server, folder, [1])


def test_a_list_that_is_not_ours_is_left_alone(server, folder):
    (folder / "downloads.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RacnetError, match="is not a list of downloads"):
        run(server, folder, [1])
    assert (folder / "downloads.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("key", ["", "../1", ".hidden", "a/b", "x" * 200])
def test_keys_cannot_leave_the_folder(server, folder, key):
    with make_client(server.url) as client, pytest.raises(RacnetError, match="Expected keys"):
        fetch([Job(key, server.url)], folder, client)


def test_nobody_listens(folder):
    with make_client("http://127.0.0.1:9") as client:
        summary = fetch([Job("1", "http://127.0.0.1:9/1")], folder, client, pace=Pace(100, 0.01), attempts=2)
    assert "connection broke" in summary.failed[0][2]


def test_progress_counts_all_files(server, folder):
    run(server, folder, range(3))
    server.plan["4"] = [404]
    calls = []
    summary = run(server, folder, range(6), progress=lambda files, size: calls.append((files, size)))
    assert sum(files for files, _ in calls) == 6
    assert sum(size for _, size in calls) == summary.n_bytes


@pytest.mark.parametrize("rate", [0, -1, 1e9])
def test_rates_that_are_none(rate):
    with pytest.raises(RacnetError, match="Expected a rate"):
        Pace(rate)
