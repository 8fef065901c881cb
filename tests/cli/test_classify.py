import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_preset import write_files, write_presets

from racnet_tools.cli import main
from racnet_tools.inference import batch


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    return write_presets(tmp_path_factory.mktemp("presets"))


@pytest.fixture(autouse=True)
def _use_presets(presets, monkeypatch):
    monkeypatch.setenv("RACNET_PRESETS", str(presets))


@pytest.fixture(scope="module")
def spectra(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectra")
    write_files(folder, 6)
    return folder


@pytest.fixture
def run(presets):
    """`racnet classify` with the tests' preset."""

    def classify(*words, preset=presets / "racnet-class"):
        return main(["classify", *map(str, words), "--preset", str(preset)])

    return classify


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_done_is_0_and_the_summary_says_what_and_where(run, spectra, tmp_path, capsys):
    assert run(spectra, "--output", tmp_path / "c.csv") == 0
    rows = rows_of(tmp_path / "c.csv")
    assert ",".join(rows[0]) == (
        "spec_id,path,survey,label,confidence,p_STAR,p_GALAXY,p_QSO,subclass,subclass_confidence,rejected,ood_score,"
        "z_header,snr_g,snr_r"
    )
    assert [row["label"] for row in rows] == ["STAR", "GALAXY", "QSO"] * 2
    assert [row["subclass"] for row in rows] == ["A", "", ""] * 2
    assert rows[3]["z_header"] == "0.03"
    assert {p.name for p in tmp_path.iterdir()} == {"c.csv"}
    said = capsys.readouterr()
    assert "6 spectra classified" in said.out
    assert "STAR       2" in said.out
    assert str(tmp_path / "c.csv") in said.out
    assert said.err == ""


def test_refused_inputs_are_3_and_listed(run, spectra, tmp_path, capsys):
    (tmp_path / "bad.fits").write_bytes(b"broken")
    assert run(tmp_path / "bad.fits", spectra, tmp_path / "absent.fits", "--output", tmp_path / "c.csv") == 3
    errors = rows_of(tmp_path / "c.errors.csv")
    assert [row["path"] for row in errors] == [str(tmp_path / "bad.fits"), str(tmp_path / "absent.fits")]
    assert all(row["reason"].startswith("expected") for row in errors)
    assert len(rows_of(tmp_path / "c.csv")) == 6
    assert str(tmp_path / "c.errors.csv") in capsys.readouterr().out


def test_lists_and_patterns_name_inputs_too(run, spectra, tmp_path):
    (tmp_path / "list.txt").write_text(f"{spectra}/*001.fits\n")
    assert run(f"@{tmp_path / 'list.txt'}", f"{spectra}/*00[23].fits", "--output", tmp_path / "c.csv") == 0
    assert [row["spec_id"][-3:] for row in rows_of(tmp_path / "c.csv")] == ["001", "002", "003"]


@pytest.mark.parametrize("extension", ["ecsv", "fits", "vot", "parquet"])
def test_every_format_is_written(run, spectra, tmp_path, extension):
    assert run(spectra, "--output", tmp_path / f"c.{extension}") == 0
    assert (tmp_path / f"c.{extension}").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output", "c.csv"], "INPUT"),
        (["in", "--output", "c.xlsx"], "extension decides"),
        (["in"], "--output"),
        (["in", "--output", "c.csv", "--workers", "0"], "expected a whole number of 1 or more"),
        (["in", "--output", "c.csv", "--batch-size", "many"], "invalid"),
        (["in", "--output", "c.csv", "--workers", "2", "--scheduler", "tcp://a:1"], "not allowed with"),
        (["in", "--output", "c.csv", "--preset", "nonsense"], "Received: 'nonsense'"),
        (["in", "--output", "no/such/folder/c.csv"], "does not exist"),
    ],
)
def test_wrong_usage_is_2_and_says_why(words, said, spectra, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").symlink_to(spectra)
    assert main(["classify", *words]) == 2
    assert said in capsys.readouterr().err
    assert {p.name for p in tmp_path.iterdir()} == {"in"}


def test_an_existing_output_is_refused_and_with_resume_left_as_it_is(run, spectra, tmp_path, capsys):
    output = tmp_path / "c.csv"
    assert run(spectra, "--output", output) == 0
    before = (output.read_bytes(), output.stat().st_mtime_ns)
    assert run(spectra, "--output", output) == 2
    assert "exists already" in capsys.readouterr().err
    assert run(spectra, "--output", output, "--resume") == 0
    assert "finished already" in capsys.readouterr().out
    assert (output.read_bytes(), output.stat().st_mtime_ns) == before


def test_a_finished_run_with_refused_inputs_stays_3(run, spectra, tmp_path):
    words = (spectra, tmp_path / "absent.fits", "--output", tmp_path / "c.csv", "--resume")
    assert [run(*words), run(*words)] == [3, 3]


def test_the_list_of_another_run_is_not_overwritten(run, spectra, tmp_path, capsys):
    (tmp_path / "c.errors.csv").write_text("precious")
    assert run(spectra, "--output", tmp_path / "c.csv") == 2
    assert "c.errors.csv exists already" in capsys.readouterr().err
    assert (tmp_path / "c.errors.csv").read_text() == "precious"


def test_ctrl_c_leaves_what_is_done_for_resume(run, tmp_path, monkeypatch, capsys):
    write_files(tmp_path / "in", 5)
    monkeypatch.setattr(batch, "CHUNK_FILES", 1)
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    assert run(tmp_path / "in", "--output", whole) == 0
    classify_chunks, stop_after = batch.classify_chunks, [2]

    def interrupted(*args, **kwargs):
        for i, result in enumerate(classify_chunks(*args, **kwargs)):
            if i == stop_after[0]:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr("racnet_tools.inference.job.classify_chunks", interrupted)
    words = (tmp_path / "in", "--output", stopped)
    assert run(*words) == 1
    assert "interrupted after 2 of 5 files; add --resume to go on" in capsys.readouterr().err
    assert run(*words) == 2
    assert "Add --resume" in capsys.readouterr().err
    stop_after[0] = 99
    assert run(*words, "--resume") == 0
    assert "results of 2 files were there from before" in capsys.readouterr().out
    assert stopped.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "stopped.csv.part").exists()


def test_an_unfinished_run_goes_on_with_the_same_settings_only(run, tmp_path, monkeypatch, capsys):
    write_files(tmp_path / "in", 2)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr("racnet_tools.inference.job.classify_chunks", interrupted)
        assert run(tmp_path / "in", "--output", tmp_path / "c.csv") == 1
    assert run(tmp_path / "in", "--output", tmp_path / "c.csv", "--resume", "--batch-size", "2") == 1
    assert "batch_size was" in capsys.readouterr().err
    assert run(tmp_path / "in", "--output", tmp_path / "c.csv", "--resume") == 0


def test_a_mended_file_is_classified_on_resume(run, tmp_path, monkeypatch):
    paths = write_files(tmp_path / "in", 2)
    good = paths[0].read_bytes()
    paths[0].write_bytes(b"broken")
    words = (tmp_path / "in", "--output", tmp_path / "c.csv", "--resume")
    with monkeypatch.context() as patch:
        patch.setattr("racnet_tools.inference.job.write_catalogue", lambda *a, **k: (_ for _ in ()).throw(OSError(28)))
        assert run(*words) == 1  # the disk is full as the catalogue is written: all else is done
    assert (tmp_path / "c.errors.csv").exists()
    paths[0].write_bytes(good)
    assert run(*words) == 0
    assert not (tmp_path / "c.errors.csv").exists()
    assert len(rows_of(tmp_path / "c.csv")) == 2


def command(presets, *words):
    environment = {**os.environ, "RACNET_PRESETS": str(presets), "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-m", "racnet_tools.cli", "classify", *map(str, words), "--preset", presets / "racnet-class"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """320 files: links to eight, one of them broken."""
    folder = tmp_path_factory.mktemp("many")
    real = write_files(folder / "real", 8)
    real[5].write_bytes(real[5].read_bytes()[:5000])
    (folder / "in").mkdir()
    for i in range(320):
        (folder / "in" / f"spec-{i:03}.fits").symlink_to(real[i % 8])
    return folder / "in"


@pytest.fixture(scope="module")
def undisturbed(many, presets, tmp_path_factory):
    output = tmp_path_factory.mktemp("whole") / "c.csv"
    process = command(presets, many, "--output", output)
    _, err = process.communicate()
    assert process.returncode == 3, err
    return output.read_bytes(), output.with_name("c.errors.csv").read_bytes()


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]])
def test_killed_and_resumed_gives_the_same_bytes(many, presets, undisturbed, tmp_path, workers):
    output = tmp_path / "c.csv"
    process = command(presets, many, "--output", output, *workers)
    done = tmp_path / "c.csv.part" / "done.jsonl"
    deadline = time.monotonic() + 60
    while not (done.exists() and done.stat().st_size) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()
    process = command(presets, many, "--output", output, "--resume", *workers)
    out, err = process.communicate()
    assert process.returncode == 3, err
    assert "were there from before" in out
    assert (output.read_bytes(), (tmp_path / "c.errors.csv").read_bytes()) == undisturbed
    assert {p.name for p in tmp_path.iterdir()} == {"c.csv", "c.errors.csv"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_random_moments(many, presets, undisturbed, tmp_path, seed):
    output, delay = tmp_path / "c.csv", random.Random(seed)
    for _ in range(30):
        process = command(presets, many, "--output", output, "--resume")
        time.sleep(delay.uniform(0.2, 3.0))
        process.kill()
        process.communicate()
        if process.returncode == 3:
            break
    assert (output.read_bytes(), (tmp_path / "c.errors.csv").read_bytes()) == undisturbed
