import csv
import gzip
import os
import signal
import subprocess
import sys
import time

import pytest
from lamost_server import Server

from racnet_tools.archives import sparcl
from racnet_tools.archives import token as token_module
from racnet_tools.cli import main
from racnet_tools.readers import write_lamost
from racnet_tools.simulate import simulate

LINES = ["obsid|class|subclass|z|snrg"]
for kind, subclass, n in (("STAR", "G5", 40), ("STAR", "K1", 20), ("GALAXY", "Non", 15), ("QSO", "Non", 4)):
    LINES += [f"{101000 + len(LINES) + i}|{kind}|{subclass}|0.1|10.0" for i in range(n)]


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bodies")
    return [path.read_bytes() for path in write_lamost(simulate({"STAR": 3}, seed=5), folder, suffix=".fits.gz")]


@pytest.fixture
def server(bodies):
    with Server(bodies, {"dr5_v3.csv.gz": gzip.compress("\n".join(LINES).encode())}) as running:
        yield running


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.delenv(token_module.VARIABLE, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("RACNET_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def run(server):
    def download(*words):
        return main(["download", *map(str, words), "--server", server.url, "--rate", "500"])

    return download


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_help_has_an_example(capsys):
    assert main(["download", "--help"]) == 0
    said = capsys.readouterr().out
    assert "--recipe dataset1" in said
    assert "RACNET_LAMOST_TOKEN" in said


def test_all_done_is_0(run, tmp_path, capsys):
    assert run("--recipe", "dataset2", "--scale", 0.001, "--output", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "chosen from 79 rows" in said
    assert "STAR       10\n" in said
    assert "QSO        4  (fewer than the 10 wanted: all there are)" in said
    assert "24 spectra, about 1 MB and 1 s or more" in said
    assert "24 spectra fetched" in said
    rows = rows_of(tmp_path / "out/selection.csv")
    assert len(rows) == 24
    assert all((tmp_path / "out" / row["path"]).is_file() for row in rows)


def test_stellar_types(run, tmp_path):
    assert run("--recipe", "dataset3", "--scale", 0.001, "--output", tmp_path / "out") == 0
    rows = rows_of(tmp_path / "out/selection.csv")
    assert sorted(row["label"] for row in rows) == ["G"] * 10 + ["K"] * 10


def test_a_dry_run_fetches_nothing_but_the_catalogue(run, server, tmp_path, capsys):
    assert run("--recipe", "dataset1", "--scale", 0.001, "--output", tmp_path / "out", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "UNKNOWN    0  (fewer than the 10 wanted: all there are)" in said
    assert "DR5 to DR8 only" in said
    assert "/openapi/dr5/v3/lrs/spectrum/fits?obsid=" in said
    assert "dry run: nothing was fetched" in said
    assert not (tmp_path / "out").exists()
    assert [path for path, _ in server.seen] == ["/openapi/dr5/v3/catalog?name=dr5_v3.csv.gz"]
    assert run("--obsid", 5, "--dry-run") == 0
    assert len(server.seen) == 1


def test_a_catalogue_of_ones_own(run, server, tmp_path):
    (tmp_path / "c.csv").write_text("obsid,class\n7,STAR\n8,QSO\n")
    assert run("--recipe", "dataset2", "--catalogue", tmp_path / "c.csv", "--output", tmp_path / "out") == 0
    assert {path.rpartition("=")[2] for path, _ in server.seen} == {"7", "8"}


def test_some_that_could_not_be_had_are_3(run, server, tmp_path, capsys):
    server.plan["12"] = [404]
    (tmp_path / "l.txt").write_text("11\n12\n13\n")
    assert run("--list", tmp_path / "l.txt", "--output", tmp_path / "out") == 3
    said = capsys.readouterr().out
    assert "failed     1" in said
    assert rows_of(tmp_path / "out/failed.csv")[0]["key"] == "12"
    assert [row["path"] for row in rows_of(tmp_path / "out/selection.csv")] == [
        "spectra/11.fits.gz",
        "",
        "spectra/13.fits.gz",
    ]
    assert run("--list", tmp_path / "l.txt", "--output", tmp_path / "out") == 0
    assert "2 were there from before" in capsys.readouterr().out


def test_a_refusal_is_1_and_says_what_to_do(run, server, tmp_path, capsys):
    server.plan["11"] = [403]
    assert run("--obsid", 11, "--output", tmp_path / "out") == 1
    assert "RACNET_LAMOST_TOKEN" in capsys.readouterr().err


def test_a_token_does_not_travel_without_tls(run, server, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(token_module.VARIABLE, "s3cret")
    assert run("--obsid", 11, "--output", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "unencrypted" in said.err
    assert "s3cret" not in said.err + said.out
    assert server.seen == []


def test_releases(run, capsys):
    assert run("--releases") == 0
    assert capsys.readouterr().out.splitlines() == ["dr5/v3       public", "dr12/v1.0    needs a token"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--recipe", "dataset1"],
        ["--recipe", "dataset9", "--output", "x"],
        ["--recipe", "dataset1", "--obsid", "1", "--output", "x"],
        ["--obsid", "abc", "--output", "x"],
        ["--obsid", "1", "--output", "x", "--connections", "0"],
        ["--obsid", "1", "--output", "x", "--connections", "99"],
        ["--obsid", "1", "--output", "x", "--rate", "0"],
        ["--recipe", "dataset1", "--output", "x", "--scale", "-1"],
        ["--obsid", "1", "--output", "x", "--release", "five"],
        ["--obsid", "1", "--output", "x", "--server", "ftp://a"],
        ["--list", "absent.txt", "--output", "x"],
        ["--recipe", "dataset1", "--output", "x", "--catalogue", "absent.csv"],
        ["--survey", "sdss", "--obsid", "1", "--output", "x"],
    ],
)
def test_wrong_usage_is_2(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["download", *words]) == 2
    assert not list(tmp_path.iterdir())


def test_sdss_without_its_package_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sparcl", None)
    words = ["--survey", "sdss", "--recipe", "dataset2", "--output", tmp_path / "out"]
    assert main(["download", *map(str, words)]) == 1
    assert "pip install --no-deps sparclclient" in capsys.readouterr().err
    assert sparcl.INSTALL


def test_sdss_through_its_package(tmp_path, monkeypatch, capsys):
    class Client:
        all_datasets = frozenset({"SDSS-DR17"})

        def find(self, outfields, constraints, limit):
            return type("Found", (), {"records": []})()

    monkeypatch.setattr(sparcl, "connect", Client)
    words = ["--survey", "sdss", "--recipe", "dataset2", "--scale", "0.001", "--output", str(tmp_path / "out")]
    assert main(["download", *words, "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    assert main(["download", *words]) == 0
    assert "QSO        0  (fewer than the 10 wanted: all there are)" in capsys.readouterr().out
    assert main(["download", *words, "--seed", "3"]) == 1
    assert "holds another download: seed was 0, is 3" in capsys.readouterr().err


def test_interrupted_from_the_keyboard(server, tmp_path):
    server.delay = 0.05
    words = ["download", "--obsid", *map(str, range(400)), "--output", str(tmp_path / "out"), "--server", server.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "racnet_tools.cli", *words, "--rate", "30"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    end = time.monotonic() + 60
    while len(list(tmp_path.glob("out/spectra/*"))) < 5 and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "of 400 spectra; the same command goes on" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "out/.partial").iterdir())
    rows = rows_of(tmp_path / "out/selection.csv")
    assert sum(bool(row["path"]) for row in rows) == len(list((tmp_path / "out/spectra").iterdir()))
