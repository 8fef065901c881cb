"""Fetch spectra of LAMOST, SDSS or DESI: by the paper's recipes, or those in a list.

With --recipe the objects are chosen from the release's general catalogue (fetched once and kept in the cache folder, or
given with --catalogue): dataset1 is 10,000 each of STAR, GALAXY, QSO and UNKNOWN, dataset2 the first three, dataset3
10,000 each of F, G and K stars. The choice depends on --seed alone; --scale 0.1 takes a tenth of each.

The output folder receives spectra/, selection.csv (obsid, label, subclass, z, S/N, position, path), downloads.csv
(checksums) and, if some could not be had, failed.csv with the reasons. Interrupted or killed, the same command goes on:
what is there is checked and not fetched again. Each file is checked before it gets its name.

LAMOST's public releases need no token. Others do: set RACNET_LAMOST_TOKEN or store it with
`keyring set racnet-lamost token`; it is sent over https alone. SDSS and DESI come through the package sparclclient.

Exit status: 0 all done, 2 wrong usage, 3 finished but some spectra could not be had, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from racnet_tools.cli import UsageError
from racnet_tools.errors import RacnetError

EXAMPLE = """racnet download --survey lamost --release dr5 --recipe dataset1 --scale 0.01 --output dr5 --dry-run
  racnet download --obsid 101001 101002 --output few
  racnet download --survey sdss --release dr17 --recipe dataset2 --scale 0.05 --output sdss"""

_RELEASES = {"lamost": "dr5", "sdss": "dr17", "desi": "dr1"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--survey", choices=list(_RELEASES), default="lamost", help="default: lamost")
    parser.add_argument("--release", metavar="NAME", help="such as dr5 or dr10/v2.0 (default: dr5; dr17 and dr1)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--recipe", choices=["dataset1", "dataset2", "dataset3"], help="one of the paper's data sets")
    what.add_argument("--obsid", nargs="+", metavar="N", help="these LAMOST spectra")
    what.add_argument("--list", type=Path, metavar="FILE", help="those of a list, one obsid a line or a CSV with obsid")
    what.add_argument("--releases", action="store_true", help="list the releases that LAMOST's server has")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to put them")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="part of the recipe (default: 1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the choice (default: 0)")
    parser.add_argument(
        "--catalogue", type=Path, metavar="FILE", help="general catalogue, | or , separated, may be .gz"
    )
    parser.add_argument("--connections", type=int, default=4, metavar="N", help="files at a time, 1-16 (default: 4)")
    parser.add_argument("--rate", type=float, default=5.0, metavar="R", help="requests a second (default: 5)")
    parser.add_argument("--addresses", choices=["openapi", "pages"], default="openapi", help="LAMOST's two interfaces")
    parser.add_argument("--server", metavar="URL", help="another server with LAMOST's interface, such as a mirror")
    parser.add_argument("--dry-run", action="store_true", help="say what would be fetched, and fetch none of it")


def run(args: argparse.Namespace) -> int:
    """Choose, tell, fetch."""
    _check(args)
    return _lamost(args) if args.survey == "lamost" else _sparcl(args)


def _check(args: argparse.Namespace) -> None:
    if args.release is None:
        args.release = _RELEASES[args.survey]
    if not 1 <= args.connections <= 16:
        raise UsageError(f"Expected 1 to 16 connections. Received: {args.connections}.")
    if not 0 < args.rate <= 1000:
        raise UsageError(f"Expected a rate above 0 and up to 1000 a second. Received: {args.rate}.")
    if not 0 < args.scale <= 1000:
        raise UsageError(f"Expected a scale above 0. Received: {args.scale}.")
    if args.output is None and not (args.releases or args.dry_run):
        raise UsageError("Say where to put the spectra: --output FOLDER.")
    if args.survey != "lamost" and (args.recipe is None or args.catalogue or args.server):
        raise UsageError(
            f"--obsid, --list, --releases, --catalogue and --server are LAMOST's; {args.survey} has --recipe."
        )
    if args.catalogue and not args.catalogue.is_file():
        raise UsageError(f"{args.catalogue}: no such catalogue file.")
    for obsid in args.obsid or ():
        if not (obsid.isascii() and obsid.isdigit()):
            raise UsageError(f"Expected whole numbers after --obsid. Received: {obsid!r}.")


def _lamost(args: argparse.Namespace) -> int:
    from racnet_tools.archives.addresses import LamostAddresses
    from racnet_tools.archives.download import download_lamost, plan_lamost, read_list
    from racnet_tools.archives.lamost import Lamost
    from racnet_tools.archives.pace import Pace
    from racnet_tools.archives.token import find_token

    try:
        addresses = LamostAddresses(args.release, args.addresses, args.server)
        obsids = args.obsid or (read_list(args.list) if args.list else ())
    except RacnetError as error:
        raise UsageError(str(error)) from error
    pace = Pace(args.rate)
    with Lamost(addresses, find_token(), args.connections) as lamost:
        if args.releases:
            for one in lamost.releases():
                print(f"{one.name + '/' + one.version:<12} {'public' if one.public else 'needs a token'}")
            return 0
        with _CatalogueBar(addresses.catalogue_name) as bar:
            plan = plan_lamost(
                lamost,
                recipe=args.recipe,
                scale=args.scale,
                seed=args.seed,
                catalogue=args.catalogue,
                obsids=obsids,
                folder=args.output,
                pace=pace,
                connections=args.connections,
                progress=bar,
            )
        for line in _told(plan.selection, plan.n_bytes, plan.seconds):
            print(line)
        if args.dry_run:
            for row in plan.selection.rows[:3]:
                print(f"  {addresses.spectrum(row['obsid'])}")
            print("dry run: nothing was fetched")
            return 0
        return _fetch(
            args, plan.selection, lambda bar: download_lamost(lamost, plan, args.output, pace=pace, progress=bar)
        )


def _sparcl(args: argparse.Namespace) -> int:
    from racnet_tools.archives import sparcl
    from racnet_tools.archives.download import BYTES_EACH, earlier_selection
    from racnet_tools.archives.pace import Pace

    job = {"survey": args.survey.upper(), "release": args.release, "recipe": args.recipe}
    job |= {"scale": args.scale, "seed": args.seed}
    selection = earlier_selection(args.output, job) if args.output else None
    client = sparcl.connect()
    if selection is None:
        selection = sparcl.find(client, args.survey, args.release, recipe=args.recipe, scale=args.scale, seed=args.seed)
    n = len(selection.rows)
    for line in _told(selection, n * BYTES_EACH, n / sparcl.CHUNK / args.rate):
        print(line)
    if args.dry_run:
        print("dry run: nothing was fetched")
        return 0
    pace = Pace(args.rate)
    return _fetch(
        args,
        selection,
        lambda bar: sparcl.download_sparcl(
            client, args.survey, args.release, selection, args.output, job=job, pace=pace, progress=bar
        ),
    )


def _told(selection, n_bytes: int, seconds: float) -> Iterator[str]:
    counts = selection.counts()
    if selection.n_rows:
        yield f"chosen from {selection.n_rows} rows"
    for label, n in counts.items():
        wanted = selection.wanted.get(label, n)
        few = f"  (fewer than the {wanted} wanted: all there are)" if n < wanted else ""
        yield f"  {label:<10} {n}{few}" if label else f"  {n} of a list"
    if selection.wanted.get("UNKNOWN") and not counts["UNKNOWN"]:
        yield "LAMOST's catalogues have the class Unknown in DR5 to DR8 only: data set 1 needs one of these"
    yield f"{len(selection.rows)} spectra, about {n_bytes / 1e6:.0f} MB and {_time(seconds)} or more"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _fetch(args: argparse.Namespace, selection, download) -> int:
    start = time.monotonic()
    n = len(selection.rows)
    with _FilesBar(n) as bar:
        try:
            summary = download(bar)
        except KeyboardInterrupt:
            raise RacnetError(f"interrupted after {bar.n} of {n} spectra; the same command goes on") from None
    seconds = time.monotonic() - start
    print(f"{summary.n_fetched} spectra fetched ({summary.n_bytes / 1e6:.1f} MB) in {_time(seconds)}")
    if summary.n_before:
        print(f"  {summary.n_before} were there from before")
    print(f"folder     {args.output}")
    if not summary.failed:
        return 0
    print(f"failed     {len(summary.failed)}, listed with reasons in {args.output / 'failed.csv'}")
    print("           the same command tries them again")
    return 3


class _FilesBar:
    """Progress on stderr: live in a terminal, a line every half minute in a log."""

    def __init__(self, n: int) -> None:
        from tqdm import tqdm

        live = sys.stderr.isatty()
        often = {"mininterval": 0.1, "maxinterval": 10} if live else {"mininterval": 30, "maxinterval": 60}
        self._bar = tqdm(total=n, unit=" files", file=sys.stderr, delay=0.5, leave=live, **often)
        self._bytes = 0

    @property
    def n(self) -> int:
        return self._bar.n

    def __call__(self, n_files: int, n_bytes: int) -> None:
        self._bytes += n_bytes
        self._bar.set_postfix_str(f"{self._bytes / 1e6:.1f} MB", refresh=False)
        self._bar.update(n_files)

    def __enter__(self) -> _FilesBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()


class _CatalogueBar:
    """Progress of a catalogue on stderr, in bytes; nothing shows where none is fetched."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: Any = None

    def __call__(self, there: int, total: int | None) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="B", unit_scale=True, desc=self._name, file=sys.stderr)
        self._bar.update(there - self._bar.n)

    def __enter__(self) -> _CatalogueBar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()
