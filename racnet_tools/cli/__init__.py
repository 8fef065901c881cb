"""The command ``racnet``: one module a sub-command, each a thin call into the library.

A sub-command is a module of this package with

* ``EXAMPLE``, a line or two shown at the end of its ``--help``,
* ``add_arguments(parser)``, which names its options,
* ``run(args) -> int``, which does the work and returns the exit status,

and an entry in `COMMANDS`. Only the chosen module is imported, so that each command starts as fast as it can.

Exit status: 0 all done, 2 wrong usage, 3 finished but some inputs were refused, 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from racnet_tools import __version__
from racnet_tools.errors import RacnetError
from racnet_tools.files import any_path

__all__ = ["COMMANDS", "UsageError", "add_workers", "command_parser", "main", "output_path", "positive"]

#: Sub-command to its line in ``racnet --help``; the module of the same name holds it.
COMMANDS = {
    "classify": "classify spectra in files",
    "download": "fetch spectra of LAMOST, SDSS or DESI",
    "simulate": "simulate a LAMOST-like survey into a store",
    "prepare": "make Data set 1, 2 or 3 of a store or of files",
    "train": "train a network and make a preset of it",
    "explain": "show what a network looks at in spectra",
    "dashboards": "serve the dashboards: inspect, train, attention, redshift",
    "reproduce": "the paper's experiments, with a report beside its numbers",
    "demo": "a tour in a few minutes: simulate, train, look inside, classify",
    "info": "what is installed, or what a file holds",
    "presets": "list the trained networks, or describe one",
}


class UsageError(RacnetError):
    """The command line asks for something that cannot be done as written; exit status 2."""


def output_path(text: str) -> Path:
    """A file or folder to write, here or in object storage, as argparse's ``type``."""
    try:
        return any_path(text)
    except RacnetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Name the options that say where the work is done; see `racnet_tools.workers.workforce`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=positive, metavar="N", help="worker processes (default: this process alone)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler to work on, such as tcp://host:8786")


def positive(text: str) -> int:
    """An option's value that must be a whole number of 1 or more; for argparse's `type`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, received {text!r}")
    return number


def _front() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:<10} {line}" for name, line in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="racnet",
        description="Classify survey spectra with RAC-Net, train such networks and look inside them.",
        epilog=f"commands:\n{commands}\n\nracnet COMMAND --help explains each, with an example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"racnet {__version__}")
    parser.add_argument("command", choices=list(COMMANDS), metavar="COMMAND", help="one of those listed below")
    return parser


def command_parser(command: str) -> argparse.ArgumentParser:
    """The parser of a sub-command of `COMMANDS`; what its ``--help`` prints is also a page of the documentation."""
    module = import_module(f"racnet_tools.cli.{command}")
    parser = argparse.ArgumentParser(
        prog=f"racnet {command}",
        description=(module.__doc__ or "").strip(),
        epilog=f"example:\n  {module.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a sub-command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; those of the process by default.

    Returns
    -------
    int
        Exit status.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    name = "racnet"
    try:
        command = _front().parse_args(words[:1] or ["--help"]).command
        name = f"racnet {command}"
        arguments = command_parser(command).parse_args(words[1:])
        return int(import_module(f"racnet_tools.cli.{command}").run(arguments))
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output went away, as in `racnet presets | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("RACNET_DEBUG"):
            raise
        told = str(error) if isinstance(error, RacnetError) else f"{type(error).__name__}: {error}"
        hint = "" if isinstance(error, RacnetError) else " (set RACNET_DEBUG=1 to see where)"
        print(f"{name}: error: {' '.join(told.split())}{hint}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
