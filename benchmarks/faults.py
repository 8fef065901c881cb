"""What is lost when things go wrong in the middle of a run: workers, scheduler, files, disk, the program itself.

    python benchmarks/faults.py [--files 1200] [--json FILE]

Each case is a run of ``racnet classify`` (or of ingest) that is disturbed, and continued where it has to be; its result
is compared with that of an undisturbed run. Dask's scheduler and two workers are processes of their own, here. The full
disk is a small tmpfs, which takes root; otherwise that case is passed over. Needs the extras `survey` and `scale`.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interleaved import table, write_json

PORT = 18786
ADDRESS = f"tcp://127.0.0.1:{PORT}"
#: Loaded by Dask's workers: reading a file of this name ends the process, as a crash in a library would.
DEADLY = """
import os
from racnet_tools.readers import registry
def guarded(path, read=registry.read_record):  # bound here: Dask loads this twice
    return os._exit(9) if "deadly" in str(path) else read(path)

registry.read_record = guarded
"""


def start(*command: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=False
    )


def scheduler() -> subprocess.Popen[bytes]:
    process = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", PORT, "--no-dashboard")
    time.sleep(3)
    return process


def worker(preload: Path | None = None) -> subprocess.Popen[bytes]:
    more = ["--preload", preload] if preload else []
    options = ("--nthreads", 1, "--no-dashboard", "--death-timeout", 60)
    return start("distributed.cli.dask_worker", ADDRESS, *options, *more)


@contextmanager
def cluster(preload: Path | None = None) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A scheduler and two workers, which are ended with the block."""
    running = [scheduler(), worker(preload), worker(preload)]
    time.sleep(4)
    try:
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def classify(folder: Path, output: Path, *more: object) -> subprocess.Popen[bytes]:
    return start("racnet_tools.cli", "classify", folder, "--output", output, *more)


def wait_for(output: Path, chunks: int) -> None:
    """Until the journal of a run has so many chunks."""
    done = output.with_name(output.name + ".part") / "done.jsonl"
    while not done.exists() or done.read_bytes().count(b"\n") < chunks:
        time.sleep(0.02)


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, said = process.communicate(timeout=240)
    lines = said.decode().strip().splitlines()
    return process.returncode, lines[-1] if lines else ""


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def counted(name: str, output: Path, reference: Path, refused: int, told: str = "") -> dict[str, object]:
    """A row of the table."""

    def ids(path: Path) -> Counter[str]:
        with path.open(newline="", encoding="utf-8") as file:
            return Counter(row["spec_id"] for row in csv.DictReader(file))

    want, got = ids(reference), ids(output)
    errors = output.with_name(f"{output.stem}.errors.csv")
    listed = len(errors.read_text().splitlines()) - 1 if errors.exists() else 0
    return {
        "case": name,
        "rows": sum(got.values()),
        "lost": sum((want - got).values()),
        "twice": sum(n - 1 for n in got.values()),
        "refused": f"{listed} of {refused}",
        "same bytes": output.read_bytes() == reference.read_bytes(),
        "told": told,
    }


def cases(where: Path, folder: Path) -> Iterator[dict[str, object]]:
    reference = where / "reference.csv"
    ended(classify(folder, reference))
    yield counted("undisturbed", reference, reference, 0)

    output = where / "worker.csv"
    with cluster() as (_, one, _two):
        run = classify(folder, output, "--scheduler", ADDRESS)
        wait_for(output, 3)
        for pid in children(one.pid):  # the process that computes, below its nanny
            os.kill(pid, signal.SIGKILL)
        ended(run)
    yield counted("a Dask worker killed", output, reference, 0)

    output = where / "scheduler.csv"
    with cluster() as running:
        run = classify(folder, output, "--scheduler", ADDRESS)
        wait_for(output, 3)
        running[0].kill()
        began = time.monotonic()
        status, said = ended(run)
        told = f"status {status} after {time.monotonic() - began:.0f} s: {said[:90]}"
    with cluster():
        ended(classify(folder, output, "--scheduler", ADDRESS, "--resume"))
    yield counted("the scheduler killed, another started, --resume", output, reference, 0, told)

    output = where / "main.csv"
    run = classify(folder, output, "--workers", 2)
    wait_for(output, 3)
    run.kill()
    run.wait()
    ended(classify(folder, output, "--workers", 2, "--resume"))
    yield counted("the command killed (kill -9), --resume", output, reference, 0)

    output = where / "process.csv"
    run = classify(folder, output, "--workers", 2)
    wait_for(output, 3)
    os.kill(children(run.pid)[-1], signal.SIGKILL)
    status, said = ended(run)
    ended(classify(folder, output, "--workers", 2, "--resume"))
    yield counted("a worker process killed, --resume", output, reference, 0, f"status {status}: {said[:90]}")

    yield from poisoned(where, folder, reference)
    yield from full_disk(where, folder, reference)
    yield ingested(where, folder)


def poisoned(where: Path, folder: Path, reference: Path) -> Iterator[dict[str, object]]:
    """Files of garbage, and one over which every process dies."""
    bad = where / "bad"
    shutil.copytree(folder, bad, symlinks=True)
    (bad / "spec-garbage.fits.gz").write_bytes(b"\x1f\x8b" + bytes(range(256)) * 20)
    (bad / "spec-empty.fits").write_bytes(b"")
    shutil.copy(next(folder.glob("*.gz")), bad / "spec-deadly.fits.gz")
    preload = where / "deadly.py"
    preload.write_text(DEADLY)
    output = where / "poisoned.csv"
    with cluster(preload):
        ended(classify(bad, output, "--scheduler", ADDRESS))
    errors = (where / "poisoned.errors.csv").read_text()
    told = next((line.partition(",")[2][:60] for line in errors.splitlines() if "deadly" in line), "")
    row = counted("two broken files and one that kills its worker", output, reference, 3, told)
    text, want = (path.read_text().replace(str(bad), str(folder)) for path in (output, reference))
    yield {**row, "same bytes": sorted(text.splitlines()) == sorted(want.splitlines())}


def full_disk(where: Path, folder: Path, reference: Path) -> Iterator[dict[str, object]]:
    disk = where / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", disk], capture_output=True).returncode:
        return
    try:
        output = disk / "full.csv"
        status, said = ended(classify(folder, output))
        subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
        ended(classify(folder, output, "--resume"))
        yield counted("the disk full, room made, --resume", output, reference, 0, f"status {status}: {said[:90]}")
    finally:
        subprocess.run(["umount", disk], check=True)


def ingested(where: Path, folder: Path) -> dict[str, object]:
    """Files read into a store by a cluster of which a worker is killed."""
    from racnet_tools.datasets import fill, ingest
    from racnet_tools.readers import find_files

    fill._BLOCK = 100  # so that there are some pieces to lose
    whole, _ = ingest(where / "whole.zarr", find_files(folder))
    with cluster() as (_, one, _two):
        pids = children(one.pid)

        def kill(n_files: int) -> None:
            while pids:
                os.kill(pids.pop(), signal.SIGKILL)

        store, refused = ingest(where / "store.zarr", find_files(folder), kill, scheduler=ADDRESS)
    names = Counter(store.column("spec_id").tolist())
    return {
        "case": "ingest: a Dask worker killed",
        "rows": len(store),
        "lost": len(whole) - len(names),
        "twice": len(store) - len(names),
        "refused": f"{len(refused)} of 0",
        "same bytes": store.fingerprint == whole.fingerprint and not store.verify(),
        "told": "",
    }


def main() -> None:
    """Go through all cases and print what was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1200)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    from racnet_tools.readers import write_lamost
    from racnet_tools.simulate import simulate

    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        folder = where / "files"
        folder.mkdir()
        write_lamost(simulate({"STAR": args.files - 100, "QSO": 100}, seed=1), folder, "image5", suffix=".fits.gz")
        rows = []
        for row in cases(where, folder):
            rows.append(row)
            print(row, file=sys.stderr)
    print(
        table(f"{args.files} files, disturbed", list(rows[0]), [[str(value) for value in row.values()] for row in rows])
    )
    write_json(args.json, "faults", rows)


if __name__ == "__main__":
    main()
