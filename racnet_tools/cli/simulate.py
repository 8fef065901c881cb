"""Simulate a survey into a store of spectra.

The spectra are LAMOST-like, labelled STAR, GALAXY, QSO or UNKNOWN, and made from templates of real objects; nothing is
downloaded. STORE is a folder (Zarr v3), here or in object storage (s3://bucket/name; needs the extra `scale`). One seed
gives the same store whatever the number of workers, and a run that was interrupted or killed goes on when the same
command is repeated, to the same bytes.

What is simulated: --recipe makes what Data set 1, 2 or 3 of Zou et al. 2020 needs, --counts names numbers for STAR,
GALAXY, QSO, UNKNOWN or spectral types (O B A F G K M), --spectra shares a number among the classes as LAMOST DR5 does.
Needs the extra `survey` (Zarr).
"""

from __future__ import annotations

import argparse
import sys
import time

from racnet_tools.cli import UsageError, add_workers, output_path, positive
from racnet_tools.errors import RacnetError

EXAMPLE = """racnet simulate --output survey.zarr --recipe dataset1 --scale 0.1 --seed 1 --workers 2
  racnet simulate --output survey.zarr --counts STAR=100,QSO=50 --dry-run"""

#: Bytes on disk of a simulated spectrum (flux and ivar compress to three quarters; measured).
BYTES_PER_SPECTRUM = 24_000
_SAMPLE = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--output", required=True, type=output_path, metavar="STORE", help="folder of the store")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--spectra", type=positive, metavar="N", help="so many, in the class mix of LAMOST DR5")
    what.add_argument("--recipe", metavar="NAME", help="dataset1, dataset2 or dataset3: 10,000 of each class")
    what.add_argument("--counts", type=_counts, metavar="CLASS=N,...", help="numbers for classes or spectral types")
    parser.add_argument("--scale", type=float, metavar="X", help="with --recipe: share of its size (default: 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: %(default)s")
    add_workers(parser)
    parser.add_argument("--dry-run", action="store_true", help="say what would be made, its size and the time")


def _counts(text: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in text.split(","):
        name, equals, number = (part.strip() for part in item.partition("="))
        if not name or not equals or not number.isdecimal() or name.upper() in counts:
            raise argparse.ArgumentTypeError(f"expected CLASS=N,... such as STAR=100,QSO=50, received {text!r}")
        counts[name.upper()] = int(number)
    return counts


def run(args: argparse.Namespace) -> int:
    """Simulate, show progress on stderr and what was made on stdout."""
    from racnet_tools.datasets import fill_simulated
    from racnet_tools.datasets.recipes import recipe
    from racnet_tools.simulate import simulate, survey_counts
    from racnet_tools.simulate.survey import check_counts

    if args.seed < 0:
        raise UsageError(f"--seed must not be negative. Received: {args.seed}")
    if args.scale is not None and not args.recipe:
        raise UsageError("--scale goes with --recipe.")
    try:
        if args.recipe:
            counts = recipe(args.recipe).counts(1.0 if args.scale is None else args.scale)
        else:
            counts = args.counts or survey_counts(args.spectra)
        start = time.monotonic()
        check_counts(counts)
    except RacnetError as error:
        raise UsageError(str(error)) from error
    total = sum(counts.values())
    if args.dry_run:
        simulate({name: min(number, 1) for name, number in counts.items()}, seed=args.seed)  # loads the templates
        start = time.monotonic()
        part = {name: max(1, round(_SAMPLE * number / total)) for name, number in counts.items() if number}
        simulate(part, seed=args.seed)
        seconds = (time.monotonic() - start) / sum(part.values()) * total / (args.workers or 1)
        print(f"{args.output}: {total} spectra would be simulated")
        for name, number in counts.items():
            print(f"  {name:<10} {number}")
        print(f"  about {total * BYTES_PER_SPECTRUM / 1e6:,.0f} MB and {_duration(seconds)}", end="")
        workers = args.workers or 1
        print(f" with {workers} worker{'s' if workers > 1 else ''}")
        return 0
    with Progress(total, "spectra") as progress:
        try:
            where = {"workers": args.workers, "scheduler": args.scheduler}
            store = fill_simulated(args.output, counts, seed=args.seed, progress=progress, **where)
        except KeyboardInterrupt:
            print(f"\nInterrupted. The same command goes on from what is in {args.output}.", file=sys.stderr)
            raise
    made = f"({progress.n - progress.before} simulated now, " if progress.before else "("
    print(f"{args.output}: {len(store)} simulated spectra {made}{time.monotonic() - start:.0f} s)")
    for name, number in counts.items():
        print(f"  {name:<10} {number}")
    return 0


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Progress:
    """A progress bar on stderr: live in a terminal, a line every half minute in a log.

    Parameters
    ----------
    total : int
    unit : str
        What is counted.

    Attributes
    ----------
    n : int
        How many are done.
    before : int
        How many of these the first call told of: an earlier run's.
    """

    def __init__(self, total: int, unit: str) -> None:
        from tqdm import tqdm

        live = sys.stderr.isatty()
        often = {"mininterval": 0.1, "maxinterval": 10} if live else {"mininterval": 30, "maxinterval": 60}
        self._bar = tqdm(total=total, unit=f" {unit}", file=sys.stderr, delay=0.5, leave=live, **often)
        self.n = 0
        self.before: int | None = None

    def __call__(self, n: int) -> None:
        """Note that `n` more are done."""
        if self.before is None:
            self.before = n
            self._bar.initial = n  # an earlier run's spectra say nothing about this one's speed
        self.n += n
        self._bar.update(n)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
