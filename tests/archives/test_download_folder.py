"""The whole way, as a user goes it, and killed on the way."""

import csv
import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest
from lamost_server import Server

from racnet_tools.archives import fetching
from racnet_tools.archives.addresses import LamostAddresses
from racnet_tools.archives.download import download_lamost, plan_lamost, read_list
from racnet_tools.archives.journal import Journal
from racnet_tools.archives.lamost import Lamost
from racnet_tools.archives.pace import Pace
from racnet_tools.archives.selection import Selection
from racnet_tools.errors import RacnetError
from racnet_tools.files import sha256

N = {"STAR": 60, "GALAXY": 30, "QSO": 7, "Unknown": 25}
LINES = ["obsid|class|subclass|z|snrg"]
for kind, n in N.items():
    LINES += [f"{101001 + len(LINES) + i}|{kind}|{'G5' if kind == 'STAR' else 'Non'}|0.1|10.0" for i in range(n)]
CATALOGUE = gzip.compress(("\ufeff" + "\n".join(LINES) + "\n").encode())


@pytest.fixture
def server(bodies):
    with Server(bodies, {"dr5_v3.csv.gz": CATALOGUE}) as running:
        yield running


@pytest.fixture
def lamost(server):
    with Lamost(LamostAddresses("dr5", server=server.url)) as archive:
        yield archive


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def go(lamost, folder, **options):
    options.setdefault("recipe", "dataset1")
    options.setdefault("scale", 0.001)
    plan = plan_lamost(lamost, folder=folder, **options)
    return plan, download_lamost(lamost, plan, folder, pace=Pace(1000, 0.01))


def test_a_recipe_becomes_a_folder(server, lamost, tmp_path):
    plan, summary = go(lamost, tmp_path / "out")
    assert plan.selection.counts() == {"STAR": 10, "GALAXY": 10, "QSO": 7, "UNKNOWN": 10}
    assert summary.n_fetched == 37
    rows = rows_of(tmp_path / "out/selection.csv")
    kinds = dict(line.split("|")[:2] for line in LINES)
    for row in rows:
        assert row["label"] == kinds[row["obsid"]].upper()
        assert (tmp_path / "out" / row["path"]).is_file()
    assert json.loads((tmp_path / "out/job.json").read_text()) == {
        "survey": "LAMOST",
        "release": "dr5_v3",
        "recipe": "dataset1",
        "scale": 0.001,
        "seed": 0,
        "catalogue": "dr5_v3.csv.gz",
    }


def test_the_same_call_goes_on_without_the_catalogue(server, lamost, tmp_path):
    server.plan["101001"] = server.plan["101070"] = [404]
    first, _ = go(lamost, tmp_path / "out")
    again, summary = go(lamost, tmp_path / "out", catalogue=None)
    assert [row["obsid"] for row in again.selection.rows] == [row["obsid"] for row in first.selection.rows]
    assert again.selection.wanted == first.selection.wanted
    assert summary.n_before + summary.n_fetched == 37
    assert sum("catalog" in path for path, _ in server.seen) == 1


@pytest.mark.parametrize("other", [{"seed": 1}, {"scale": 0.002}, {"recipe": "dataset2"}])
def test_another_aim_is_refused(lamost, tmp_path, other):
    go(lamost, tmp_path / "out")
    before = (tmp_path / "out/selection.csv").read_text()
    with pytest.raises(RacnetError, match=f"holds another download: {next(iter(other))} was"):
        go(lamost, tmp_path / "out", **other)
    assert (tmp_path / "out/selection.csv").read_text() == before


def test_a_folder_with_other_things_is_refused(lamost, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RacnetError, match="holds other files"):
        go(lamost, tmp_path)
    with pytest.raises(RacnetError, match="is a file"):
        go(lamost, tmp_path / "notes.txt")


def test_killed_before_the_selection(lamost, tmp_path):
    plan, _ = go(lamost, tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/job.json").write_text((tmp_path / "a/job.json").read_text())
    (tmp_path / "b/.writing-x.csv").write_text("half")
    again, summary = go(lamost, tmp_path / "b")
    assert again.selection.rows == plan.selection.rows
    assert summary.n_fetched == 37
    assert not (tmp_path / "b/.writing-x.csv").exists()


def test_too_small_a_disk_is_said_first(lamost, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(RacnetError, match="MB free"):
        go(lamost, tmp_path / "out")
    assert not (tmp_path / "out/selection.csv").exists()


def test_paths_are_noted_when_a_run_ends_early(server, lamost, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_IN_A_ROW", 3)
    server.plan.update({str(i): ["page"] for i in range(101030, 101200)})
    with pytest.raises(RacnetError, match="3 files in a row"):
        go(lamost, tmp_path / "out")
    done = Journal.entries(tmp_path / "out")
    rows = rows_of(tmp_path / "out/selection.csv")
    assert {row["obsid"]: row["path"] for row in rows if row["path"]} == {key: e.path for key, e in done.items()}


def test_both_sets_of_addresses(server, tmp_path):
    for style in ("openapi", "pages"):
        with Lamost(LamostAddresses("dr5", style, server.url)) as lamost:
            assert go(lamost, tmp_path / style, recipe=None, obsids=["101001"])[1].n_fetched == 1
    assert [path for path, _ in server.seen] == [
        "/openapi/dr5/v3/lrs/spectrum/fits?obsid=101001",
        "/v3/spectrum/fits/101001",
    ]


def test_estimate():
    selection = Selection([{"obsid": str(i)} for i in range(40_000)])
    from racnet_tools.archives.download import Plan

    plan = Plan(selection, {}, rate=5.0, connections=4)
    assert plan.n_bytes == 2_400_000_000
    assert plan.seconds == 8000
    assert Plan(selection, {}, rate=1000.0, connections=2).seconds == 4000


@pytest.mark.parametrize(
    "text",
    [
        "101001\n101002\n",
        "\ufeffobsid\n101001\n101002",
        "# mine\n101001 G5\n\n101002,K1\n",
        "name,obsid,z\na b,101001,1\nc,101002,2\n",
        "name|ObsID\na|101001\nc|101002\n",
        '"obsid","z"\n"101001","1"\n"101002","2"\n',
    ],
)
def test_lists(tmp_path, text):
    (tmp_path / "l.txt").write_text(text)
    assert read_list(tmp_path / "l.txt") == ["101001", "101002"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "spec.fits\n", "1.5\n", "a,obsid\n1\n"])
def test_what_is_no_list(tmp_path, text):
    (tmp_path / "l.txt").write_text(text)
    with pytest.raises(RacnetError, match="expected"):
        read_list(tmp_path / "l.txt")


# -- killed


def start(server, folder, obsids):
    words = ["download", "--obsid", *obsids, "--output", str(folder), "--server", server.url, "--rate", "200"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "racnet_tools.cli", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_and_rerun(server, folder, rounds, seed):
    rng = random.Random(seed)
    obsids = [str(i) for i in range(200, 320)]
    killed = 0
    for _ in range(rounds):
        process = start(server, folder, obsids)
        aim = len(list(folder.glob("spectra/*"))) + rng.randint(1, 12)
        end = time.monotonic() + 60
        while process.poll() is None and len(list(folder.glob("spectra/*"))) < aim and time.monotonic() < end:
            time.sleep(rng.uniform(0, 0.01))
        time.sleep(rng.uniform(0, 0.02))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
        for path in folder.glob("spectra/*"):  # whatever has its name is whole, at every moment
            assert path.read_bytes() == server.bodies[int(path.name.partition(".")[0]) % len(server.bodies)]
    process = start(server, folder, obsids)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    entries = Journal.entries(folder)
    assert sorted(entries) == sorted(obsids)
    for key, entry in entries.items():
        path = folder / entry.path
        assert path.read_bytes() == server.bodies[int(key) % len(server.bodies)]
        assert sha256(path) == entry.sha256
    assert len(list((folder / "spectra").iterdir())) == len(obsids)
    shown = {path.name for path in folder.iterdir() if path.name not in (".lock",)}
    assert shown == {"spectra", "selection.csv", "downloads.csv", "job.json"}
    # Only what was on its way at a kill was asked for again: at most one file a connection.
    again = sum(n - 1 for n in server.sent.values())
    assert again <= 4 * killed
    return killed, again


def test_killed_and_run_again(server, tmp_path):
    killed, _ = kill_and_rerun(server, tmp_path / "out", rounds=2, seed=1)
    assert killed >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_killed_many_times(server, tmp_path, seed):
    server.delay = 0.01
    server.plan.update({str(i): ["cut", 500] for i in range(200, 320, 7)})
    killed, again = kill_and_rerun(server, tmp_path / "out", rounds=8, seed=seed)
    print(f"killed {killed} times, {again} files sent again")
    assert killed >= 4


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system to fill")
def test_a_disk_that_is_really_full(server, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount here")
    try:
        process = start(server, small / "out", [str(i) for i in range(200, 205)])
        process.communicate(timeout=60)
        assert process.returncode == 0
        process = start(server, small / "out", [str(i) for i in range(200, 230)])
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "is full" in said
        assert "goes on from there" in said
        done = len(Journal.entries(small / "out"))
        assert 5 < done < 30
        subprocess.run(["mount", "-o", "remount,size=8m", str(small)], check=True)
        process = start(server, small / "out", [str(i) for i in range(200, 230)])
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        there = int(re.search(r"(\d+) were there from before", said)[1])
        assert there in (done, done + 1)  # the disk may have been full for the line of a file that was in place
        for key, entry in Journal.entries(small / "out").items():
            assert (small / "out" / entry.path).read_bytes() == server.bodies[int(key) % len(server.bodies)]
        assert len(Journal.entries(small / "out")) == 30
    finally:
        subprocess.run(["umount", str(small)], check=True)
