"""`racnet classify` against the loop that a user would write, on the same gzipped LAMOST files, in turns.

    python benchmarks/classification.py [--files 20000] [--turns 3] [--growth 1000,10000,100000] [--json FILE]

The files are simulated, in the layout of LAMOST DR2 to DR8, and kept in --folder. Every way is a process of its own, so
start-up, imports and writing are in its cost. All ways tell stars, galaxies and quasars apart and give stars a type.
Needs the extras `train`, `fast` and `survey`; PyTorch is compared with where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from interleaved import Cost, median, ran, spread, table, take_turns, write_json

NAIVE = Path(__file__).with_name("naive_loop.py")
PIECE = 1000
MOST_FOR_TORCH = 5000  # its loop takes five times as long as that of Keras
#: A way's name, its engine and its preset.
WAYS = {
    "racnet, onnxruntime": ("onnxruntime", "racnet-class"),
    "racnet, openvino": ("openvino", "racnet-class"),
    "racnet, openvino-bf16": ("openvino-bf16", "racnet-class"),
    "racnet, auto": ("auto", "racnet-class"),
    "racmini, onnxruntime": ("onnxruntime", "racmini-class"),
    "racmini, openvino": ("openvino", "racmini-class"),
    "racmini, openvino-bf16": ("openvino-bf16", "racmini-class"),
    "racmini, auto": ("auto", "racmini-class"),
    "survey, onnxruntime": ("onnxruntime", "racnet-survey"),
    "survey, openvino": ("openvino", "racnet-survey"),
    "survey, openvino-bf16": ("openvino-bf16", "racnet-survey"),
    "survey, auto": ("auto", "racnet-survey"),
}
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def make_files(folder: Path, n: int) -> None:
    """Simulate what is missing of `n` files, a thousand in a sub-folder."""
    from racnet_tools.readers import write_lamost
    from racnet_tools.simulate import simulate

    for number in range(-(-n // PIECE)):
        part = folder / f"{number:04d}"
        if part.is_dir():
            continue
        spectra = simulate({"STAR": 900, "GALAXY": 70, "QSO": 30}, seed=(88, number))
        making = Path(tempfile.mkdtemp(dir=folder))
        write_lamost(spectra, making, "image5", suffix=".fits.gz")
        making.rename(part)
        print(f"made {part}", file=sys.stderr)


def first(folder: Path, n: int, where: Path) -> Path:
    """A folder with links to the first `n` files, a thousand in a sub-folder as in a survey's plates.

    Where there are fewer they are named again, under other names.
    """
    chosen = where / f"first-{n}"
    chosen.mkdir()
    for number, path in enumerate(islice(cycle(sorted(folder.rglob("*.fits.gz"))), n)):
        plate = chosen / f"{number // PIECE:04d}"
        plate.mkdir(exist_ok=True)
        (plate / f"{number:06d}-{path.name}").symlink_to(path)
    return chosen


def classify(folder: Path, output: Path, engine: str, preset: str, *more: str) -> Cost:
    """``racnet classify``, to a new catalogue each time."""
    output.unlink(missing_ok=True)
    command = [sys.executable, "-m", "racnet_tools.cli", "classify", folder, "--output", output]
    return ran([*command, "--engine", engine, "--preset", preset, *more], NO_GPU)


def naive(folder: Path, output: Path, framework: str) -> Cost:
    """The loop of ``naive_loop.py``."""
    return ran([sys.executable, "-W", "ignore", NAIVE, folder, output, "--framework", framework], NO_GPU)


def agreement(path: Path, reference: Path) -> tuple[float, int, int]:
    """Largest difference of a probability, and how many classes and stellar types differ."""
    import pyarrow.csv as pc

    a, b = (pc.read_csv(name).sort_by("path") for name in (path, reference))
    apart = max(
        float(np.abs(a[name].to_numpy() - b[name].to_numpy()).max()) for name in b.column_names if name.startswith("p_")
    )
    label, kind = ((a[name].to_numpy() != b[name].to_numpy()).sum() for name in ("label", "subclass"))
    return apart, int(label), int(kind)


def compare(folder: Path, n: int, turns: int, where: Path) -> dict[str, dict[str, float]]:
    """All ways on `n` files."""
    chosen = first(folder, n, where)
    ways: dict[str, Callable[[], Cost]] = {"loop, Keras": partial(naive, chosen, where / "keras.csv", "keras")}
    outputs = {"loop, Keras": where / "keras.csv"}
    if n <= MOST_FOR_TORCH and importlib.util.find_spec("torch"):
        ways["loop, PyTorch"] = partial(naive, chosen, where / "torch.csv", "torch")
        outputs["loop, PyTorch"] = where / "torch.csv"
    for name, (engine, preset) in WAYS.items():
        outputs[name] = where / f"{name.replace(', ', '-')}.csv"
        ways[name] = partial(classify, chosen, outputs[name], engine, preset)
    costs = take_turns(ways, turns, lambda line: print(line, file=sys.stderr))
    found: dict[str, dict[str, float]] = {}
    for name, own in costs.items():
        own_network = name.split(", ")[0]
        reference = outputs["loop, Keras" if own_network in ("loop", "racnet") else f"{own_network}, onnxruntime"]
        apart, labels, types = agreement(outputs[name], reference)
        found[name] = {
            "cpu_ms": median(own) / n * 1e3,
            "spread": spread(own),
            "wall_s": median(own, "wall"),
            "memory_mb": max(cost.memory for cost in own),
            "ratio": median(costs["loop, Keras"]) / median(own),
            "probability_off": apart,
            "classes_off": labels,
            "types_off": types,
        }
    rows = [
        [
            name,
            f"{v['cpu_ms']:.2f} ms ± {v['spread']:.0%}",
            f"{v['ratio']:.2f}",
            f"{n / v['wall_s']:,.0f}/s",
            f"{v['memory_mb']:.0f} MB",
            f"{v['probability_off']:.0e}",
            f"{v['classes_off']} / {v['types_off']}",
        ]
        for name, v in found.items()
    ]
    header = [
        "way",
        "processor time a file",
        "times cheaper",
        "files by the clock",
        "memory",
        "p off by",
        "class / type",
    ]
    print(table(f"{n:,} gzipped LAMOST files, medians of {turns} turns", header, rows))
    return found


def growth(folder: Path, sizes: list[int], where: Path) -> list[dict[str, float]]:
    """Time and memory of one way against the number of files."""
    found = []
    for n in sizes:
        cost = classify(first(folder, n, where), where / f"{n}.csv", "onnxruntime", "racmini-class")
        found.append({"files": n, "cpu_ms": cost.cpu / n * 1e3, "wall_s": cost.wall, "memory_mb": cost.memory})
    rows = [
        [
            f"{v['files']:,.0f}",
            f"{v['cpu_ms']:.3f} ms",
            f"{v['files'] / v['wall_s']:,.0f}/s",
            f"{v['memory_mb']:.0f} MB",
        ]
        for v in found
    ]
    print(table("How cost grows (racmini, onnxruntime)", ["files", "processor time a file", "files", "memory"], rows))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--growth", default="1000,2000", metavar="N,...", help="numbers of files (default: %(default)s)"
    )
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks/files"), help="default: %(default)s")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    sizes = [int(n) for n in args.growth.split(",") if n]
    args.folder.mkdir(parents=True, exist_ok=True)
    folder = args.folder.resolve()
    make_files(folder, args.files)
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        ways = compare(folder, args.files, args.turns, where) if args.turns else {}
        shutil.rmtree(where / f"first-{args.files}", ignore_errors=True)
        write_json(
            args.json, "classification", {"files": args.files, "ways": ways, "growth": growth(folder, sizes, where)}
        )


if __name__ == "__main__":
    main()
