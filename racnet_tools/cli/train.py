"""Train a network on simulated spectra and make a preset of it.

The spectra are simulated afresh for every epoch from the seed. RUN is a folder that keeps configuration, versions,
history, checkpoints and the final weights; it is never overwritten. A training that was interrupted or killed goes on
when the same command is repeated, and ends with the same weights as one that was left alone.

--preset-output makes a preset of the finished run: a folder that racnet classify --preset takes.
Needs the extra `train` (Keras and TensorFlow).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from racnet_tools.cli import UsageError, positive

EXAMPLE = "racnet train --task class --epochs 20 --output runs/class-1 --preset-output presets/my-class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument(
        "--task", required=True, choices=["class", "stellar_type"], help="STAR/GALAXY/QSO, or star types A to M"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--preset-output", type=Path, metavar="FOLDER", help="preset to make of the finished run")
    parser.add_argument("--network", default="racnet", choices=["racnet", "rcnet"], help="default: %(default)s")
    parser.add_argument("--epochs", type=positive, default=20, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--spectra-per-epoch", type=positive, default=6000, metavar="N", help="simulated (default: %(default)s)"
    )
    parser.add_argument("--batch-size", type=positive, default=128, metavar="N", help="default: %(default)s")
    parser.add_argument("--learning-rate", type=_rate, default=2e-3, metavar="X", help="highest (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of simulation, weights, dropout (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Train, show progress on stderr and what came of it on stdout."""
    if args.seed < 0:
        raise UsageError(f"--seed must not be negative. Received: {args.seed}")
    if args.preset_output and args.preset_output.exists():
        raise UsageError(f"{args.preset_output} exists already and is not overwritten. Choose another folder.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on the processor are none of the user's
    from racnet_tools.training import TrainingConfig
    from racnet_tools.training.simulated import save_simulated_preset, train_on_simulated

    start = time.monotonic()
    training = TrainingConfig(
        epochs=args.epochs, batch_size=args.batch_size, learning_rate=args.learning_rate, seed=args.seed
    )
    try:
        trained = train_on_simulated(
            args.task, args.output, training, network=args.network, spectra_per_epoch=args.spectra_per_epoch
        )
    except KeyboardInterrupt:
        print(f"\nInterrupted. The same command goes on from the last epoch kept in {args.output}.", file=sys.stderr)
        raise
    accuracy = trained.metrics["validation"]["accuracy"]
    print(f"{args.output}: {args.epochs} epochs, {accuracy:.1%} of the simulated validation spectra right", end="")
    print(f" ({time.monotonic() - start:.0f} s)")
    if args.preset_output:
        save_simulated_preset(trained, args.preset_output)
        print(f"{args.preset_output}: preset; use it with racnet classify --preset {args.preset_output}")
    return 0


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, received {text!r}")
    return number
