"""All tables of speed in one run: classification, its growth, layouts of stores, faults.

    python benchmarks/all.py [--large] [--json FILE]

Ratios of ways that took turns count, not seconds: machines are shared. --large classifies 20,000 files in each way and
goes up to 100,000 (a quarter of an hour, and 0.9 GB of files in build/benchmarks); otherwise 2,000 and 4,000.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from interleaved import write_json

HERE = Path(__file__).parent
LARGE = ["--files", "20000", "--growth", "1000,10000,100000"]
SMALL = ["--files", "2000", "--growth", "1000,4000"]


def main() -> None:
    """Run every benchmark in turn; each prints its own tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--json", type=Path, default=Path("build/benchmarks/results.json"), help="default: %(default)s")
    args = parser.parse_args()
    args.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.json, "machine", {"processors": os.cpu_count(), "system": platform.platform()})
    runs = {"classification": LARGE if args.large else SMALL, "store": [], "faults": []}
    failed = []
    for name, options in runs.items():
        command = [sys.executable, HERE / f"{name}.py", *options, "--json", args.json]
        print(f"\n## {name}", flush=True)
        if subprocess.run([str(word) for word in command]).returncode:
            failed.append(name)
    print(f"\nNumbers: {args.json}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
