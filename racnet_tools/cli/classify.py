"""Classify the spectra in files.

INPUT is any mix of files, folders (searched with their sub-folders), quoted glob patterns, and @list.txt with one of
these a line; INPUT and FILE may lie in object storage too (s3://bucket/name; needs the extra `scale`). The output's
extension decides its format: .csv, .ecsv, .fits, .vot or .parquet. It has one row for each spectrum: spec_id, path,
survey, label, confidence, p_<CLASS>..., subclass, subclass_confidence, rejected, ood_score, z_header, snr_g, snr_r;
of racnet-survey also subtype, subtype_error, z, z_error, prediction_set and quality.
Missing values are empty cells (CSV, ECSV), NaN or empty text (FITS, VOTable) or null (Parquet). spec_id is text: where
a reader of CSV guesses types, tell it so. Text in CSV that a spreadsheet would take for a formula is preceded by an
apostrophe.

The networks are computed by ONNX Runtime in float32, and the catalogue is then the same on every machine to 1e-5. With
the extra `fast`, --engine openvino computes them in float32 too, in less time; openvino-bf16 in bfloat16 where a class
is clear (probabilities within 0.01). --engine auto tries what is there on test spectra and takes, for each network, the
quickest that gives the same classes. Which it was is written into the catalogue (not into CSV).

Of 3,000 files or more each processor gets a worker process, unless --workers says otherwise.

Inputs that cannot be read are listed with the reason in <FILE stem>.errors.csv, and the rest goes on. A run that was
interrupted or killed keeps what it has done in the folder FILE.part; the same command with --resume goes on from there
and ends with the same file as a run that was left alone. (Of a FILE in object storage that folder is in the working
folder.)

Exit status: 0 all done, 2 wrong usage, 3 finished but some inputs were refused, 1 otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from racnet_tools.cli import UsageError, add_workers, output_path, positive
from racnet_tools.errors import RacnetError

EXAMPLE = "racnet classify spectra/ 'night2/*.fits.gz' @more.txt --output catalogue.csv"

#: Files from which on worker processes are worth the time that their start takes.
_MANY = 3000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("input", nargs="+", metavar="INPUT", help="file, folder, glob pattern or @list.txt")
    parser.add_argument("--output", required=True, type=output_path, metavar="FILE", help="catalogue to write")
    parser.add_argument("--preset", default="racnet-survey", metavar="NAME", help="preset (default: %(default)s)")
    parser.add_argument(
        "--engine",
        default="onnxruntime",
        choices=("onnxruntime", "openvino", "openvino-bf16", "auto"),
        help="what computes the networks (default: %(default)s); auto: the quickest that agrees on this machine",
    )
    parser.add_argument(
        "--batch-size", type=positive, metavar="N", help="spectra in one pass (default: the fastest measured)"
    )
    add_workers(parser)
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")


def run(args: argparse.Namespace) -> int:
    """Classify, show progress on stderr and a summary on stdout."""
    from racnet_tools.inference.job import check_output, classify_to_file, errors_path
    from racnet_tools.inference.presets import load_preset
    from racnet_tools.readers import find_files
    from racnet_tools.workers import available_threads

    start = time.monotonic()
    errors_file = errors_path(args.output)
    try:
        if check_output(args.output, args.resume):
            print(f"{args.output} is finished already; it is left as it is")
            return 3 if errors_file.exists() else 0
        load_preset(args.preset)
    except RacnetError as error:
        raise UsageError(str(error)) from error
    inputs = args.input[0] if len(args.input) == 1 else args.input  # of one input no list of names is kept
    n_files = sum(1 for _ in find_files(inputs))
    workers = args.workers
    if workers is None and args.scheduler is None and n_files >= _MANY:
        workers = available_threads()  # threads of one process would wait for each other while they read
    with _Progress(n_files) as progress:
        try:
            summary = classify_to_file(
                find_files(inputs),
                args.output,
                args.preset,
                engine=args.engine,
                batch_size=args.batch_size,
                workers=workers,
                scheduler=args.scheduler,
                resume=args.resume,
                progress=progress,
            )
        except KeyboardInterrupt:
            raise RacnetError(f"interrupted after {progress.n} of {n_files} files; add --resume to go on") from None
    for line in _told(summary, time.monotonic() - start):
        print(line)
    print(f"catalogue  {args.output}")
    if summary.n_refused:
        print(f"refused    {errors_file}")
    return 3 if summary.n_refused else 0


def _told(summary, seconds: float) -> Iterator[str]:
    yield f"{summary.n_spectra} spectra classified in {seconds:.1f} s"
    if summary.n_recalled:
        yield f"  results of {summary.n_recalled} files were there from before"
    for label, n in sorted(summary.counts.items(), key=lambda item: -item[1]):
        yield f"  {label:<10} {n}"
    yield f"  {'rejected':<10} {summary.n_rejected} of these (ood_score above the preset's threshold)"
    yield f"  {'refused':<10} {summary.n_refused}"


class _Progress:
    """A progress bar on stderr: live in a terminal, a line every half minute in a log."""

    def __init__(self, n_files: int) -> None:
        from tqdm import tqdm

        live = sys.stderr.isatty()
        often = {"mininterval": 0.1, "maxinterval": 10} if live else {"mininterval": 30, "maxinterval": 60}
        self._bar = tqdm(total=n_files, unit=" files", file=sys.stderr, delay=0.5, leave=live, **often)

    @property
    def n(self) -> int:
        return self._bar.n

    def __call__(self, n_files: int) -> None:
        self._bar.update(n_files)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()
