"""Train a network on a prepared data set, or on simulated spectra, and make a preset of it.

DATASET is a folder that racnet prepare made: its training part is read batch by batch while the network trains, its
validation part, if it has one, is judged after each epoch, and its test part once at the end. With --task instead, the
spectra are simulated afresh for every epoch from the seed.

RUN is a folder that keeps configuration, versions, history, checkpoints and the final weights; it is never overwritten.
A training that was interrupted or killed goes on when the same command is repeated, and ends with the same weights as
one that was left alone.

--preset-output makes a preset of the finished run: a folder that racnet classify --preset takes.
Needs the extra `train` (Keras and TensorFlow), for a DATASET also `survey` (Zarr).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools.cli import UsageError, positive
from racnet_tools.models import NETWORKS

if TYPE_CHECKING:
    from racnet_tools.datasets import DataSet
    from racnet_tools.training import Run, TrainingConfig

EXAMPLE = """racnet train data1 --output runs/data1 --epochs 12 --preset-output presets/data1
  racnet train data1 --network rcnet --patience 5 --augment --output runs/data1-rcnet
  racnet train --task class --epochs 20 --output runs/class-1 --preset-output presets/my-class"""

SPECTRA_PER_EPOCH = 6000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("dataset", nargs="?", type=Path, metavar="DATASET", help="folder of a prepared data set")
    parser.add_argument(
        "--task", choices=["class", "stellar_type"], help="simulate instead: STAR/GALAXY/QSO, or star types A to M"
    )
    parser.add_argument("--output", required=True, type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--preset-output", type=Path, metavar="FOLDER", help="preset to make of the finished run")
    parser.add_argument(
        "--network", default="racnet", choices=list(NETWORKS), help="%(choices)s (default: %(default)s)", metavar="NAME"
    )
    parser.add_argument("--epochs", type=positive, default=20, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--spectra-per-epoch", type=positive, metavar="N", help=f"with --task (default: {SPECTRA_PER_EPOCH})"
    )
    parser.add_argument("--batch-size", type=positive, default=128, metavar="N", help="default: %(default)s")
    parser.add_argument("--learning-rate", type=_rate, default=2e-3, metavar="X", help="highest (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of simulation, order, weights, dropout (default: %(default)s)"
    )
    parser.add_argument(
        "--patience",
        type=positive,
        metavar="N",
        help="stop when the validation loss has not fallen for N epochs, and keep the best weights",
    )
    parser.add_argument("--balanced", action="store_true", help="weight the classes as if they were equally frequent")
    parser.add_argument(
        "--augment",
        action="store_true",
        help="change the spectra a little in every epoch: noise, shift, tilt, gaps (for a DATASET)",
    )
    parser.add_argument(
        "--precision",
        default="float32",
        choices=["float32", "mixed_bfloat16", "mixed_float16"],
        help="mixed ones are for GPUs (default: %(default)s)",
    )
    parser.add_argument("--device", nargs="+", metavar="NAME", help="cpu, gpu, gpu:1; several, or all (JAX only)")
    parser.add_argument("--tensorboard", action="store_true", help="write event files to RUN/tensorboard")
    parser.add_argument(
        "--fast",
        action="store_true",
        help="TensorFlow on a CPU: faster, but a resumed run no longer ends with the very same weights",
    )


def run(args: argparse.Namespace) -> int:
    """Train, show progress on stderr and what came of it on stdout."""
    _check(args)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on the processor are none of the user's
    if args.fast:
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # read when TensorFlow is imported, which comes later
        print(
            "--fast: oneDNN is on. If this run is killed and resumed, its weights will be close to those of an "
            "undisturbed one, not the same to the last byte.",
            file=sys.stderr,
        )
    from racnet_tools.training import Augmentation, TrainingConfig

    training = TrainingConfig(
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        patience=args.patience,
        class_weights="balanced" if args.balanced else None,
        precision=args.precision,
        augmentation=Augmentation() if args.augment else None,
    )
    try:
        return _prepared(args, training) if args.dataset else _simulated(args, training)
    except KeyboardInterrupt:
        print(f"\nInterrupted. The same command goes on from the last epoch kept in {args.output}.", file=sys.stderr)
        raise


def _check(args: argparse.Namespace) -> None:
    if bool(args.dataset) == bool(args.task):
        raise UsageError("Name a DATASET to train on, or a --task to simulate spectra for; one of the two.")
    if args.dataset and args.spectra_per_epoch:
        raise UsageError("--spectra-per-epoch is for simulated spectra (--task): a DATASET has as many as it has.")
    if args.task and args.augment:
        raise UsageError("--augment is for a DATASET: simulated spectra are new ones in every epoch.")
    if args.seed < 0:
        raise UsageError(f"--seed must not be negative. Received: {args.seed}")
    if args.preset_output and args.preset_output.exists():
        raise UsageError(f"{args.preset_output} exists already and is not overwritten. Choose another folder.")


def _how(args: argparse.Namespace) -> dict[str, Any]:
    device = args.device[0] if args.device and len(args.device) == 1 else args.device
    on_epoch = None if sys.stderr.isatty() else _tell
    return {"network": args.network, "tensorboard": args.tensorboard, "device": device, "on_epoch": on_epoch}


def _tell(row: dict[str, float]) -> None:
    """One line an epoch, where there is no terminal for a bar."""
    numbers = " ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
    print(f"epoch {row['epoch']}: {numbers}", file=sys.stderr, flush=True)


def _simulated(args: argparse.Namespace, training: TrainingConfig) -> int:
    from racnet_tools.training.simulated import save_simulated_preset, train_on_simulated

    start = time.monotonic()
    trained = train_on_simulated(
        args.task, args.output, training, spectra_per_epoch=args.spectra_per_epoch or SPECTRA_PER_EPOCH, **_how(args)
    )
    accuracy = trained.metrics["validation"]["accuracy"]
    print(f"{args.output}: {_epochs(trained)}, {accuracy:.1%} of the simulated validation spectra right", end="")
    print(f" ({time.monotonic() - start:.0f} s)")
    if args.preset_output:
        save_simulated_preset(trained, args.preset_output)
        _told_preset(args)
    return 0


def _prepared(args: argparse.Namespace, training: TrainingConfig) -> int:
    from racnet_tools.datasets import DataSet
    from racnet_tools.training.prepared import save_dataset_preset, train_on_dataset

    data = DataSet.open(args.dataset)
    start = time.monotonic()
    trained = train_on_dataset(data, args.output, training, **_how(args))
    print(f"{args.output}: {_epochs(trained)} ({time.monotonic() - start:.0f} s)")
    results, numbers = on_test_part(trained, data)
    print(results)
    if args.preset_output:
        save_dataset_preset(trained, data, args.preset_output, results=results, provenance={"test": numbers})
        _told_preset(args)
    return 0


def on_test_part(trained: Run, data: DataSet) -> tuple[str, dict[str, Any]]:
    """What a finished run reaches on the test part: in Markdown, with 95 % Wilson intervals, and in numbers."""
    from racnet_tools.evaluate import accuracy, accuracy_markdown
    from racnet_tools.training.judging import predict_part, scores

    probabilities, y = predict_part(trained.model(), data, "test")
    predicted = probabilities.argmax(axis=1)
    share = accuracy(y, predicted)
    text = f"## On the test part\n\n{share} are classified right.\n\n{accuracy_markdown(y, predicted, data.classes)}"
    return text, {**scores(probabilities, y), "interval": list(share.interval)}


def _epochs(trained: Run) -> str:
    best = trained.metrics.get("best_epoch")
    return f"{trained.metrics['epochs']} epochs" + (f", the best was epoch {best}" if best else "")


def _told_preset(args: argparse.Namespace) -> None:
    print(f"{args.preset_output}: preset; use it with racnet classify --preset {args.preset_output}")


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1, received {text!r}")
    return number
