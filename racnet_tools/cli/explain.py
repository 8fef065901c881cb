"""Show what a network looks at in spectra, with a report in one HTML file.

INPUT is any mix of files, folders (searched with their sub-folders), quoted glob patterns, and @list.txt with one of
these a line. For each of the first 20 spectra the report shows the class and, of racnet-survey, subtype, redshift,
prediction set and quality in words; the parts that speak for the class and against it; the lines at --z, at the
header's redshift or, without one, at the network's; the share of each line; and the channel attention. Then come the
attention of all spectra by class, and the trust checks of the preset.

Occlusion, the default method, and attention need no TensorFlow; the gradient methods do. With --check the trust checks
are run on the spectra given, which takes some seconds for each; otherwise those kept with the preset are shown.

Inputs that cannot be used are listed with the reason at the end of the report, and the rest goes on.

Exit status: 0 all done, 2 wrong usage, 3 finished but some inputs were refused, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from racnet_tools.cli import UsageError
from racnet_tools.errors import RacnetError

EXAMPLE = "racnet explain spectrum.fits --z 0.158 --output report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    from racnet_tools.explain.methods import METHODS

    parser.add_argument("input", nargs="+", metavar="INPUT", help="file, folder, glob pattern or @list.txt")
    parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="report to write (.html)")
    parser.add_argument("--preset", default="racnet-survey", metavar="NAME", help="preset (default: %(default)s)")
    parser.add_argument(
        "--z", type=float, metavar="Z", help="redshift of all spectra (default: the header's, else the network's)"
    )
    parser.add_argument("--target", metavar="CLASS", help="class to explain (default: the one that the network gives)")
    parser.add_argument(
        "--method",
        action="append",
        choices=list(METHODS),
        help=f"one or, repeated, several of {', '.join(METHODS)} (default: occlusion)",
    )
    parser.add_argument("--check", action="store_true", help="run the trust checks on these spectra")


def run(args: argparse.Namespace) -> int:
    """Explain, show progress on stderr and a summary on stdout."""
    from tqdm import tqdm

    from racnet_tools.explain.explained import explain_spectra
    from racnet_tools.explain.methods import trust_of
    from racnet_tools.explain.trust import kept_trust
    from racnet_tools.inference.presets import load_preset
    from racnet_tools.plots.explain_report import explain_report
    from racnet_tools.readers import find_files
    from racnet_tools.readers.reading import read_batches
    from racnet_tools.spectra import concatenate

    start = time.monotonic()
    if args.output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--output must end in .html. Received: {args.output}")
    if args.output.exists():
        raise UsageError(f"{args.output} is there already and is not overwritten. Name another file or delete it.")
    if args.z is not None and not args.z > -1:
        raise UsageError(f"--z must be above -1. Received: {args.z}")
    try:
        preset = load_preset(args.preset)
    except RacnetError as error:
        raise UsageError(str(error)) from error
    if args.target is not None and args.target not in preset.classes:
        raise UsageError(f"Preset {preset.name} knows {', '.join(preset.classes)}. Received: --target {args.target}")
    refused: list[tuple[str, str]] = []
    sets = []
    for spectra, errors in read_batches(find_files(args.input), grid=preset.preprocessing.grid):
        refused += [(str(error.path), error.reason) for error in errors]
        if spectra is not None:
            sets.append(spectra)
    if not sets:
        raise RacnetError(f"None of {len(refused)} inputs could be read. The first, {': '.join(refused[0])}")
    methods = args.method or ["occlusion"]
    with tqdm(unit=" spectra", file=sys.stderr, delay=0.5, leave=False, disable=not sys.stderr.isatty()) as bar:
        found = explain_spectra(
            concatenate(sets), preset, methods=methods, target=args.target, z=args.z, progress=bar.update
        )
    refused += found.refused
    trust = trust_of(preset, found.x, methods, "the spectra given") if args.check else kept_trust(preset)
    explain_report(found, trust, refused).save(args.output)
    print(f"{len(found.x)} spectra explained in {time.monotonic() - start:.1f} s")
    if refused:
        print(f"  refused    {len(refused)} (reasons in the report)")
    print(f"report     {args.output}")
    return 3 if refused else 0
