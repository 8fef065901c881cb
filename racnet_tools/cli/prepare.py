"""Prepare a data set for training: choose, split 8:2 by object, balance the training part.

INPUT is a store that racnet simulate made, or files, folders (searched with their sub-folders), quoted glob patterns
and @list.txt of real spectra, which are first read into the store FOLDER/spectra.zarr. With --describe alone it is a
data set prepared before.

FOLDER gets dataset.json and an index for each part; the spectra stay in the store. The parts are drawn by object before
anything is resampled. Classes with more training spectra than the recipe asks for are sampled down; those with fewer
are filled up with copies to which noise is added (--balance). Test spectra are never copied or altered: where there are
too few, there are fewer. Repeating an interrupted command goes on; a finished data set is left as it is.

Inputs that cannot be read are listed with the reason in <FOLDER>.errors.csv, and the rest goes on.
Exit status: 0 all done, 2 wrong usage, 3 finished but some inputs were refused, 1 otherwise.
Needs the extra `survey` (Zarr).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.cli import UsageError, add_workers
from racnet_tools.errors import RacnetError

if TYPE_CHECKING:
    from racnet_tools.datasets import DataSet, SpectrumStore

EXAMPLE = """racnet prepare survey.zarr --recipe dataset1 --scale 0.1 --seed 1 --output data1 --describe
  racnet prepare lamost/ 'more/*.fits.gz' --recipe dataset3 --scale 0.01 --seed 1 --output real3
  racnet prepare data1 --describe"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("input", nargs="+", metavar="INPUT", help="a store; or files, folders, patterns, @list.txt")
    parser.add_argument("--recipe", metavar="NAME", help="dataset1, dataset2 or dataset3 of Zou et al. 2020")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder of the data set")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="1: 10,000 of a class (default)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--balance",
        default="noise_from_ivar",
        choices=["noise_from_ivar", "paper"],
        help="noise of copies: from each spectrum's own ivar (default), or the same in all pixels as in the paper",
    )
    parser.add_argument(
        "--validation", type=float, default=0.0, metavar="X", help="share of objects to set aside of the training part"
    )
    add_workers(parser)
    parser.add_argument("--describe", action="store_true", help="print the data set card")
    parser.add_argument("--dry-run", action="store_true", help="say what would be made and write nothing")


def run(args: argparse.Namespace) -> int:
    """Prepare, show progress on stderr and what was made on stdout."""
    from racnet_tools.datasets import DataSet, SpectrumStore, is_dataset, is_store, prepare
    from racnet_tools.datasets.recipes import recipe

    first = args.input[0]
    if len(args.input) == 1 and is_dataset(first) and not args.recipe:
        print(DataSet.open(first).card())
        return 0
    if not args.recipe or not (args.output or args.dry_run):
        raise UsageError("--recipe and --output are needed (an output not with --dry-run).")
    stores = [name for name in args.input if is_store(name)]
    if stores and len(args.input) > 1:
        raise UsageError(f"Name one store, or files. Received a store, {stores[0]}, with other inputs.")
    try:
        wanted = recipe(args.recipe).counts(args.scale)
    except RacnetError as error:
        raise UsageError(str(error)) from error
    choice = {
        "scale": args.scale,
        "seed": args.seed,
        "balance": args.balance,
        "validation": args.validation,
    }
    if args.dry_run and not stores:
        return _dry_run_of_files(args.input, wanted)
    if args.dry_run:
        data = prepare(SpectrumStore.open(first), args.recipe, **choice)
        print("would be prepared:")
        _tell(data, wanted)
        return 0
    if is_dataset(args.output):
        data = DataSet.open(args.output)
        settings = {name: data.settings[name] for name in choice}
        if (data.recipe.name, settings) != (args.recipe, choice):
            raise UsageError(f"{args.output} holds another data set and is not overwritten. Choose another folder.")
        print(f"{args.output} is finished already; it is left as it is")
        if args.describe:
            print(f"\n{data.card()}")
        return 3 if errors_path(args.output).exists() else 0
    refused = 0
    if stores:
        store = SpectrumStore.open(first)
    else:
        where = {"workers": args.workers, "scheduler": args.scheduler}
        store, refused = _ingest(args.input, args.output, where)
    data = prepare(store, args.recipe, **choice)
    data.save(args.output)
    print(f"{args.output}: {data.recipe.title}")
    _tell(data, wanted)
    if refused:
        print(f"refused    {refused} inputs, listed in {errors_path(args.output)}")
    if args.describe:
        print(f"\n{data.card()}")
    return 3 if refused else 0


def errors_path(output: Path) -> Path:
    """Where refused inputs are listed: ``<FOLDER>.errors.csv`` beside the folder."""
    return output.with_name(f"{output.name}.errors.csv")


def _ingest(inputs: list[str], output: Path, where: dict[str, Any]) -> tuple[SpectrumStore, int]:
    from racnet_tools.cli.simulate import Progress
    from racnet_tools.datasets import ingest
    from racnet_tools.inference.catalogue import write_errors
    from racnet_tools.readers import find_files

    if not output.absolute().parent.is_dir():
        raise UsageError(f"The folder {output.absolute().parent} does not exist. Create it first.")
    output.mkdir(exist_ok=True)
    named = inputs[0] if len(inputs) == 1 else inputs
    total = sum(1 for _ in find_files(named))
    with Progress(total, "files") as progress:
        try:
            store, refused = ingest(output / "spectra.zarr", find_files(named), progress, **where)
        except KeyboardInterrupt:
            print(f"\nInterrupted. The same command goes on from what is in {output}.", file=sys.stderr)
            raise
    errors = errors_path(output)
    if refused:
        write_errors(errors, [(error.path, error.reason) for error in refused], overwrite=True)
    else:
        errors.unlink(missing_ok=True)
    if not len(store):
        raise RacnetError(f"None of {total} files could be read; the reasons are in {errors}.")
    return store, len(refused)


def _dry_run_of_files(inputs: list[str], wanted: dict[str, int]) -> int:
    from racnet_tools.cli.simulate import BYTES_PER_SPECTRUM
    from racnet_tools.readers import find_files

    total = sum(1 for _ in find_files(inputs[0] if len(inputs) == 1 else inputs))
    print(f"{total} files would be read, about {total * BYTES_PER_SPECTRUM / 1e6:,.1f} MB in the store")
    print(f"and {total / 400 / 60:.1f} min; then chosen of them: up to ", end="")
    print(", ".join(f"{number} {name}" for name, number in wanted.items()))
    return 0


def _tell(data: DataSet, wanted: dict[str, int]) -> None:
    """Entries of each class, and what was done where the store had more or fewer than asked for."""
    found = data.available()
    for name in data.classes:
        parts = ", ".join(f"{data.counts(part)[name]} {part}" for part in data.parts)
        copies = data.copies("train")[name]
        done = []
        if found[name] > wanted[name]:
            done.append(f"sampled down from {found[name]}")
        elif found[name] < wanted[name]:
            done.append(f"the store has {found[name]} of {wanted[name]}")
        if copies:
            done.append(f"{copies} training ones are noisy copies")
        print(f"  {name:<10} {parts}{'; ' + ', '.join(done) if done else ''}")
