"""List the trained networks that can be used, print the card of one, or verify them.

racnet presets verify checks the files of every preset against their checksums and lets its network classify; name some
to check these alone. Exit status 1 if one fails.

Presets come with the package; your own are looked for in the folder $RACNET_PRESETS, or ~/.local/share/racnet.
"""

from __future__ import annotations

import argparse

from racnet_tools.cli import UsageError
from racnet_tools.errors import RacnetError

EXAMPLE = "racnet presets\n  racnet presets racnet-class\n  racnet presets verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="preset whose card is shown; or: verify [NAME ...]")


def run(args: argparse.Namespace) -> int:
    """Print the table or the card."""
    from racnet_tools.inference.presets import available_presets, load_preset, preset_folders

    if args.name[:1] == ["verify"]:
        return _verify(args.name[1:] or list(available_presets()))
    if len(args.name) > 1:
        raise UsageError(f"Name one preset, or: verify and presets. Received: {' '.join(args.name)}")
    if args.name:
        preset = load_preset(args.name[0])
        preset.model_bytes()  # says so if the file is damaged
        print(preset.card.strip() or f"{preset.name} has no card.")
        print(f"\nfolder  {preset.folder}\nsha256  {preset.sha256} (model.onnx, checked)")
        return 0
    rows = [("name", "task", "classes", "parameters", "on simulated", "sha256")]
    broken = []
    for name, folder in available_presets().items():
        try:
            preset = load_preset(folder)
        except RacnetError as error:
            broken.append(f"{name}: {error}")
            continue
        parameters = preset.provenance.get("parameters")
        accuracy = preset.provenance.get("accuracy_on_simulated_validation")
        rows.append(
            (
                name,
                preset.task,
                " ".join(preset.classes),
                f"{parameters:,}" if isinstance(parameters, int) else "not stated",
                f"{accuracy:.2%}" if isinstance(accuracy, float) else "see card",
                preset.sha256[:12],
            )
        )
    if len(rows) == 1 and not broken:
        print(f"No presets in {', '.join(map(str, preset_folders()))}.")
        return 0
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for line in broken:
        print(f"unusable: {line}")
    return 1 if broken else 0


def _verify(names: list[str]) -> int:
    from racnet_tools.inference.verify import verify_preset

    failed = 0
    for name in names:
        problems = verify_preset(name)
        failed += bool(problems)
        print(f"{name}: {'; '.join(problems) if problems else 'all files as stated, and its network classifies'}")
    if not names:
        print("No presets are installed.")
    return 1 if failed else 0
