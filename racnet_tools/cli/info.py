"""What is installed here, or what a file holds.

Without FILE: versions, the data folder, the presets and the processors. With FILE (files, folders, patterns): the
reader that knows it, survey, pixels, wavelengths, signal-to-noise ratio, class and redshift in the header, and what is
wrong with it.

Exit status: 0 all well, 2 wrong usage, 3 some files were refused, 1 otherwise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from racnet_tools import __version__
from racnet_tools.errors import RacnetError, ReadError

EXAMPLE = "racnet info\n  racnet info spec-55859-F5902_sp01-001.fits.gz"

# Spectra of one file that are described one by one; a DESI coadd holds thousands.
_MOST = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("file", nargs="*", metavar="FILE", help="file, folder or pattern to describe")


def run(args: argparse.Namespace) -> int:
    """Print the description."""
    if not args.file:
        _describe_installation()
        return 0
    from racnet_tools.readers import find_files

    refused = 0
    for path in find_files(args.file):
        print(path)
        try:
            _describe_file(path)
        except ReadError as error:
            refused += 1
            print(f"  refused     {error.reason}")
    return 3 if refused else 0


def _describe_installation() -> None:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from racnet_tools.inference import available_presets
    from racnet_tools.inference.presets import preset_folders
    from racnet_tools.resources import data_path
    from racnet_tools.workers import available_threads

    print(f"racnet-tools  {__version__}")
    print(f"python        {platform.python_version()} on {platform.system()} {platform.machine()}")
    for name in ("numpy", "astropy", "onnxruntime", "pyarrow", "keras", "tensorflow", "tensorflow-cpu", "dask"):
        try:
            print(f"{name:<13} {version(name)}")
        except PackageNotFoundError:
            if name in ("keras", "dask"):
                print(f"{name:<13} not installed (needed for {'training' if name == 'keras' else '--scheduler'} only)")
    try:
        print(f"data          {data_path()}")
    except RacnetError as error:
        print(f"data          {error}")
    print(f"presets in    {', '.join(map(str, preset_folders()))}")
    print(f"presets       {', '.join(available_presets()) or 'none'}")
    print(f"processors    {available_threads()}")


def _describe_file(path: Path) -> None:
    from racnet_tools.readers import identify, read_file

    reader, spectra = identify(path), read_file(path)
    n = len(spectra)
    print(f"  reader      {reader}" + "".join(f", {key} {value}" for key, value in spectra.meta.items()))
    print(f"  spectra     {n} of {spectra.n_pixels} pixels, {spectra.wave[0]:.1f}-{spectra.wave[-1]:.1f} Angstrom")
    for i in range(min(n, _MOST)):
        row = dict(zip(spectra.table.colnames, spectra.table[i], strict=True))
        known = {name: value for name, value in row.items() if str(value) not in ("--", "nan", "")}
        snr = ", ".join(f"{band} {known[f'snr_{band}']:.1f}" for band in "ugriz" if f"snr_{band}" in known)
        redshift = f", z {known['z']:.5f}" if "z" in known else ""
        print(f"  spectrum    {known.get('spec_id')} of {known.get('survey', 'an unknown survey')}")
        print(f"    header    {known.get('label', 'no class')} {known.get('subclass', '')}".rstrip() + redshift)
        print(f"    S/N       {snr or 'not given'}")
        print(f"    problems  {_problems(spectra[i])}")
    if n > _MOST:
        print(f"  ... and {n - _MOST} more")


def _problems(spectrum) -> str:
    from racnet_tools.spectra import LAMOST_GRID

    found = []
    bad = int(spectrum.mask.sum())
    if bad:
        found.append(f"{bad} of {spectrum.n_pixels} pixels are bad ({bad / spectrum.n_pixels:.1%})")
    try:
        missing = 1 - (~spectrum.to_grid(LAMOST_GRID).mask).mean()
    except RacnetError as error:
        found.append(str(error))
    else:
        if missing > 0.05:
            found.append(f"{missing:.0%} of the networks' 3700-9099 Angstrom is without data")
    return "; ".join(found) or "none"
