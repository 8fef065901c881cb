"""``racnet dashboards``: serve the dashboards."""

from __future__ import annotations

import argparse
from pathlib import Path

from racnet_tools.cli import UsageError
from racnet_tools.errors import RacnetError

EXAMPLE = """racnet dashboards --spectra ~/lamost --work ~/inspections
  racnet dashboards --ip 0.0.0.0 --pool 10 --no-browser   (a workshop; prints an address with a token)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--spectra", type=Path, metavar="FOLDER", help="spectra, catalogues and data sets to open")
    parser.add_argument(
        "--work", type=Path, default=Path("racnet_work"), metavar="FOLDER",
        help="where inspections, sessions, training runs and presets are kept (default: racnet_work)",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8866, help="port to listen at (default: 8866)")
    parser.add_argument("--ip", default="localhost", help="address to listen at; 0.0.0.0 for all (default: localhost)")
    parser.add_argument(
        "--pool", type=int, default=1, metavar="N",
        help="kernels kept ready for each dashboard, some 150 MB each; 0 for none (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--base-url", default="/", metavar="PATH", help="path at which a reverse proxy shows the server"
    )
    parser.add_argument("--hostname", default="", metavar="NAME", help="name under which that proxy shows it")
    parser.add_argument(
        "--token", metavar="WORD",
        help="what visitors must know; drawn at random where others than this machine can reach the server",
    )  # fmt: skip
    parser.add_argument(
        "--no-token", action="store_true", help="let everyone in who reaches the server (a proxy decides)"
    )
    parser.add_argument("--no-archives", action="store_true", help="do not fetch spectra from archives for visitors")
    parser.add_argument("--max-upload", type=int, default=64, metavar="MB", help="largest upload (default: 64)")
    parser.add_argument(
        "--idle", type=float, default=60.0, metavar="MINUTES", help="end kernels of pages unused so long (default: 60)"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if args.spectra is not None and not args.spectra.is_dir():
        raise UsageError(f"--spectra: expected a folder; found {args.spectra}. Name a folder with spectra.")
    if not 0 <= args.pool <= 100:
        raise UsageError(f"--pool: expected 0 to 100; received {args.pool}.")
    if not 1 <= args.max_upload <= 1024:
        raise UsageError(f"--max-upload: expected 1 to 1024 MB; received {args.max_upload}.")
    if not 0 < args.idle <= 10_000:
        raise UsageError(f"--idle: expected minutes above 0 and up to 10,000; received {args.idle:g}.")
    if not (args.base_url.startswith("/") and args.base_url.endswith("/")):
        raise UsageError(f"--base-url: expected a path such as /racnet/; received {args.base_url!r}.")
    try:
        from racnet_tools.apps.server.application import serve
    except ImportError as error:
        raise RacnetError(f"Dashboards need the extra 'apps' ({error}): pip install 'racnet-tools[apps]'.") from error
    from racnet_tools.apps.settings import Settings

    settings = Settings(
        spectra=args.spectra.resolve() if args.spectra else None,
        work=args.work.resolve(),
        max_upload=args.max_upload * 1024**2,
        archives=not args.no_archives,
    )
    own = args.ip in ("localhost", "127.0.0.1", "::1")
    token = args.token or ("" if args.no_token or own else None)
    serve(
        settings,
        port=args.port,
        ip=args.ip,
        pool=args.pool,
        base_url=args.base_url,
        hostname=args.hostname,
        token=token,
        idle=60 * args.idle,
        browser=not args.no_browser,
    )
    return 0
