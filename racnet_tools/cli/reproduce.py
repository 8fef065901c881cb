"""Repeat the experiments of the paper and write a report beside its published numbers.

TARGET: table2 (C-Net against the FC network), table3 (1D SSCNN and RC-Net), table4 (RAC-Net), ablation (other
attentions in the same place), figure8 (redshift), or all. And by itself: beyond (racnet-survey beside racnet-class on
simulated spectra: accuracy at every redshift, redshift errors, calibration, prediction sets, strangers; some minutes).

FOLDER gets the data sets, a folder for each training, results.json, report.html and report.md. A run that was
interrupted or killed goes on when the same command is repeated; finished trainings are never repeated.

With --data embedded the spectra are simulated; otherwise STORE is a store of labelled spectra (racnet simulate,
racnet prepare). --scale 1 is the paper's size: RAC-Net then needs about an hour of one processor core a data set, and
1D SSCNN four times that. --budget ends in time: epochs are shortened, and what does not fit is named in the report.
Needs the extra `reproduce`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from racnet_tools.cli import UsageError, positive

EXAMPLE = """racnet reproduce table4 --scale 0.02 --budget 10 --output table4
  racnet reproduce all --scale 0.1 --seeds 3 --output reproduction
  racnet reproduce beyond --scale 0.1 --output beyond"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("target", nargs="*", default=["all"], metavar="TARGET", help="default: all")
    parser.add_argument("--data", default="embedded", metavar="STORE", help="embedded (default), or a store's folder")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="1: the paper's size (default)")
    parser.add_argument("--seeds", type=positive, default=1, metavar="N", help="trainings of each (default: 1)")
    parser.add_argument("--networks", default="", metavar="NAME,...", help="train and report these alone")
    parser.add_argument("--budget", type=float, metavar="MINUTES", help="time for everything")
    parser.add_argument(
        "--workers",
        type=positive,
        default=os.cpu_count() or 1,
        metavar="N",
        help="networks trained at a time, each in one thread (default: %(default)s, the cores here; 1 for a GPU)",
    )
    parser.add_argument("--fast", action="store_true", help="train with oneDNN: faster, not the same to the last bit")
    parser.add_argument(
        "--output", type=Path, default=Path("reproduction"), metavar="FOLDER", help="default: %(default)s"
    )


def run(args: argparse.Namespace) -> int:
    """Reproduce, tell progress on stderr and what came of it on stdout."""
    if not args.scale > 0:
        raise UsageError(f"--scale must be above 0. Received: {args.scale}")
    if args.budget is not None and not args.budget > 0:
        raise UsageError(f"--budget must be above 0 minutes. Received: {args.budget}")
    if args.fast:
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # several networks in one process make it remark on speed
    from racnet_tools.errors import RacnetError
    from racnet_tools.reproduce import experiments, reproduce

    if "beyond" in args.target:
        return _beyond(args)
    networks = [name for name in args.networks.split(",") if name]
    try:
        experiments(args.target, args.seeds, networks)
    except RacnetError as error:
        raise UsageError(str(error)) from error
    try:
        made = reproduce(
            args.output,
            args.target,
            data=args.data,
            scale=args.scale,
            seeds=args.seeds,
            networks=networks,
            budget_minutes=args.budget,
            workers=args.workers,
            say=lambda line: print(line, file=sys.stderr, flush=True),
            progress=sys.stderr.isatty(),
        )
    except KeyboardInterrupt:
        print(f"\nInterrupted. The same command goes on from what is in {args.output}.", file=sys.stderr)
        raise
    for row in made.results["networks"]:
        published = "" if row["published"] is None else f" (published {row['published']:.2%})"
        print(f"{row['dataset']}  {row['title']:<22} {row['accuracy']:.2%}{published}")
    for line in made.missing:
        print(f"not finished: {line}")
    print(f"{args.output / 'report.html'} ({made.results['seconds']:.0f} s)")
    return 0


def _beyond(args: argparse.Namespace) -> int:
    from racnet_tools.reproduce.beyond import beyond

    given = {
        "data": args.data != "embedded",
        "seeds": args.seeds != 1,
        "networks": args.networks,
        "budget": args.budget,
    }
    if args.target != ["beyond"] or any(given.values()):
        raise UsageError(
            "beyond stands by itself and takes --scale and --output alone. "
            f"Received: {' '.join(args.target)}{''.join(f' --{name}' for name, value in given.items() if value)}"
        )
    beyond(args.output, scale=args.scale, say=lambda line: print(line, file=sys.stderr, flush=True))
    print(args.output / "report.md")
    return 0
