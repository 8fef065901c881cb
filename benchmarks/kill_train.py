"""Kill `racnet train` at random moments, repeat the command until it ends, and compare with an undisturbed run.

python benchmarks/kill_train.py FOLDER [--rounds N] [--kills N] [--seed N] prints a line a round: kills, epochs kept at
each kill, whether the final weights are the same bytes, and whether metrics and history (less the seconds) are equal.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

TRAIN = ["--task", "class", "--epochs", "4", "--spectra-per-epoch", "96", "--batch-size", "32", "--seed", "5"]


def start(folder: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "racnet_tools.cli", "train", *TRAIN, "--output", str(folder)]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def result(folder: Path) -> tuple[str, str, list[dict[str, str]]]:
    digest = hashlib.sha256((folder / "model.weights.h5").read_bytes()).hexdigest()
    rows = list(csv.DictReader((folder / "history.csv").open()))
    for row in rows:
        del row["seconds"], row["cpu_seconds"]
    return digest, (folder / "metrics.json").read_text(), rows


def epochs_kept(folder: Path) -> int:
    return max((int(path.stem.split("-")[1]) for path in folder.glob("checkpoints/epoch-*.npz")), default=0)


def waits(process: subprocess.Popen[bytes], folder: Path, epochs: int, dice: random.Random) -> bool:
    """Wait until `epochs` are kept and then a moment, short or long; False when the process ended before."""
    while epochs_kept(folder) < epochs:
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    try:
        process.wait(dice.uniform(0, 2) if dice.random() < 0.5 else dice.uniform(2, 40))
    except subprocess.TimeoutExpired:
        return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=5, help="at most so many a round")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(args.seed)  # noqa: S311

    calm = args.folder / "undisturbed"
    begun = time.monotonic()
    process = start(calm)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(said.decode()[-2000:])
    whole = time.monotonic() - begun
    print(
        f"undisturbed: {whole:.0f} s, {json.loads((calm / 'metrics.json').read_text())['validation']['accuracy']:.3f}"
    )

    bad = 0
    for number in range(1, args.rounds + 1):
        folder, kills = args.folder / f"killed-{number}", []
        while True:
            process = start(folder)
            if len(kills) < args.kills and waits(process, folder, epochs_kept(folder) + dice.randint(0, 1), dice):
                process.kill()
                process.communicate()
                kills.append(epochs_kept(folder))
                continue
            _, said = process.communicate()
            if process.returncode:
                sys.exit(said.decode()[-2000:])
            break
        mine, theirs = result(folder), result(calm)
        same = [a == b for a, b in zip(mine, theirs, strict=True)]
        bad += not all(same)
        told = f"weights equal {same[0]}, metrics {same[1]}, history {same[2]}"
        print(f"round {number}: {len(kills)} kills with {kills} epochs kept; {told}", flush=True)
    print("all equal" if not bad else f"{bad} of {args.rounds} rounds differ")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
