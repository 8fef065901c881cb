"""Layouts of stored spectra side by side: size, writing, reading in order, shuffled by chunk, and rows at random.

    python benchmarks/store.py [--spectra 8000] [--turns 3] [--json FILE]

The spectra are simulated: flux and inverse variance as float32 and a mask, 3,909 pixels each. "By chunk" reads groups
of 2,000 neighbours in random order, as training does; "at random" reads batches of 256 rows drawn from all. What is
written lies in the page cache: disks and networks add their own. Needs the extra `survey`; HDF5 comes with `train`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from interleaved import Cost, in_process, median, spread, table, take_turns, write_json

OURS = "zarr, 250 rows, lz4"
GROUP, BATCH = 2000, 256
Cubes = dict[str, np.ndarray]


class Zarr:
    """Zarr v3, as `racnet_tools.datasets` writes it, with other chunks and codecs."""

    def __init__(self, rows: int, codec: str | None, shard: int | None = None) -> None:
        self.rows, self.codec, self.shard = rows, codec, shard

    def write(self, path: Path, cubes: Cubes) -> None:
        import zarr
        from zarr.codecs import BloscCodec, Crc32cCodec

        group = zarr.create_group(path)
        for name, cube in cubes.items():
            size = cube.dtype.itemsize
            shuffle = "shuffle" if size > 1 else "noshuffle"
            blosc = [BloscCodec(cname=self.codec, clevel=5, typesize=size, shuffle=shuffle)] if self.codec else []
            array = group.create_array(
                name,
                shape=cube.shape,
                chunks=(self.rows, cube.shape[1]),
                shards=(self.shard, cube.shape[1]) if self.shard else None,
                dtype=cube.dtype,
                compressors=[*blosc, Crc32cCodec()],
            )
            step = self.shard or 2 * self.rows
            for start in range(0, len(cube), step):
                array[start : start + step] = cube[start : start + step]

    def open(self, path: Path) -> dict[str, Any]:
        import zarr

        return dict(zarr.open_group(path, mode="r").arrays())

    def rows_of(self, array: Any, rows: np.ndarray) -> np.ndarray:
        return array.oindex[np.sort(rows)]


class Hdf5:
    """HDF5 by h5py; `rows` None is one contiguous block."""

    def __init__(self, rows: int | None, **options: Any) -> None:
        self.rows, self.options = rows, options

    def write(self, path: Path, cubes: Cubes) -> None:
        import h5py

        path.mkdir()
        with h5py.File(path / "cubes.h5", "w") as file:
            for name, cube in cubes.items():
                chunks = (self.rows, cube.shape[1]) if self.rows else None
                file.create_dataset(name, data=cube, chunks=chunks, **self.options)

    def open(self, path: Path) -> dict[str, Any]:
        import h5py

        file = h5py.File(path / "cubes.h5", "r")
        return {name: file[name] for name in file}

    def rows_of(self, array: Any, rows: np.ndarray) -> np.ndarray:
        return array[np.sort(rows)]


class Parquet:
    """Parquet by pyarrow: a row a spectrum, row groups of 250."""

    def write(self, path: Path, cubes: Cubes) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path.mkdir()
        for name, cube in cubes.items():
            column = pa.FixedSizeListArray.from_arrays(pa.array(cube.reshape(-1)), cube.shape[1])
            pq.write_table(pa.table({name: column}), path / f"{name}.parquet", row_group_size=250, compression="zstd")

    def open(self, path: Path) -> dict[str, Any]:
        import pyarrow.parquet as pq

        return {file.stem: pq.ParquetFile(file) for file in path.iterdir()}

    def groups(self, file: Any, numbers: list[int]) -> np.ndarray:
        values = file.read_row_groups(numbers).column(0).combine_chunks().flatten()
        return values.to_numpy(zero_copy_only=False).reshape(-1, 3909)

    def rows_of(self, array: Any, rows: np.ndarray) -> np.ndarray:
        found = [
            self.groups(array, [group])[np.sort(rows[rows // 250 == group]) % 250] for group in np.unique(rows // 250)
        ]
        return np.concatenate(found)


class Npy:
    """One .npy file a cube, mapped into memory."""

    def write(self, path: Path, cubes: Cubes) -> None:
        path.mkdir()
        for name, cube in cubes.items():
            np.save(path / f"{name}.npy", cube)

    def open(self, path: Path) -> dict[str, Any]:
        return {file.stem: np.load(file, mmap_mode="r") for file in path.iterdir()}

    def rows_of(self, array: Any, rows: np.ndarray) -> np.ndarray:
        return np.array(array[np.sort(rows)])


WAYS: dict[str, Any] = {
    OURS: Zarr(250, "lz4"),
    "zarr, 64 rows, lz4": Zarr(64, "lz4"),
    "zarr, 1000 rows, lz4": Zarr(1000, "lz4"),
    "zarr, 250 rows, zstd": Zarr(250, "zstd"),
    "zarr, 250 rows, plain": Zarr(250, None),
    "zarr, 50 rows, lz4, in shards of 2000": Zarr(50, "lz4", 2000),
    "HDF5, contiguous": Hdf5(None),
    "HDF5, 250 rows, lzf": Hdf5(250, compression="lzf", shuffle=True),
    "HDF5, 250 rows, gzip": Hdf5(250, compression="gzip", compression_opts=4, shuffle=True),
    "Parquet, zstd": Parquet(),
    "npy, memory map": Npy(),
}


def slices(way: Any, array: Any, start: int, stop: int) -> np.ndarray:
    if isinstance(way, Parquet):
        return way.groups(array, list(range(start // 250, stop // 250)))
    return np.array(array[start:stop])


def read(way: Any, path: Path, starts: np.ndarray) -> None:
    """Groups of neighbours, in the order given."""
    for array in way.open(path).values():
        for start in starts:
            slices(way, array, int(start), int(start) + GROUP)


def at_random(way: Any, path: Path, batches: list[np.ndarray]) -> None:
    for array in way.open(path).values():
        for rows in batches:
            way.rows_of(array, rows)


def rewrite(way: Any, path: Path, cubes: Cubes) -> None:
    shutil.rmtree(path, ignore_errors=True)
    way.write(path, cubes)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=8000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    from racnet_tools.simulate import simulate, survey_counts

    n = max(GROUP, args.spectra // GROUP * GROUP)
    spectra = simulate(survey_counts(n), seed=1)
    cubes = {"flux": spectra.flux, "ivar": spectra.ivar, "mask": spectra.mask}
    megabytes = sum(cube.nbytes for cube in cubes.values()) / 1e6
    rng = np.random.default_rng(0)
    order, mixed = np.arange(0, n, GROUP), rng.permutation(np.arange(0, n, GROUP))
    batches = [rng.choice(n, BATCH, replace=False) for _ in range(2)]
    tasks: dict[str, Callable[[Any, Path], None]] = {
        "writing": lambda way, path: rewrite(way, path, cubes),
        "in order": lambda way, path: read(way, path, order),
        "by chunk": lambda way, path: read(way, path, mixed),
        "at random": lambda way, path: at_random(way, path, batches),
    }
    costs: dict[str, dict[str, list[Cost]]] = {}
    with tempfile.TemporaryDirectory() as name:
        for task, work in tasks.items():
            ways = {
                key: partial(in_process, partial(work, way, Path(name, str(number))))
                for number, (key, way) in enumerate(WAYS.items())
            }
            costs[task] = take_turns(ways, args.turns)
            print(f"measured: {task}", file=sys.stderr)
        size = {
            key: sum(f.stat().st_size for f in Path(name, str(number)).rglob("*") if f.is_file()) / 1e6
            for number, key in enumerate(WAYS)
        }
    done = {"writing": megabytes, "in order": megabytes, "by chunk": megabytes}
    done["at random"] = megabytes / n * BATCH * len(batches)
    found = {
        key: {
            "size": size[key] / megabytes,
            **{task: done[task] / median(costs[task][key], "wall") for task in tasks},
            **{f"{task}, spread": spread(costs[task][key], "wall") for task in tasks},
        }
        for key in WAYS
    }
    rows = [
        [
            key,
            f"{v['size']:.0%}",
            *(f"{v[task]:,.0f} ({v[task] / found[OURS][task]:.2f}) ± {v[f'{task}, spread']:.0%}" for task in tasks),
        ]
        for key, v in found.items()
    ]
    header = ["layout", "size", *(f"{task}, MB/s" for task in tasks)]
    print(table(f"{n:,} spectra of {megabytes:,.0f} MB; in brackets the ratio to the first line", header, rows))
    write_json(args.json, "store", {"spectra": n, "megabytes": megabytes, "layouts": found})


if __name__ == "__main__":
    main()
