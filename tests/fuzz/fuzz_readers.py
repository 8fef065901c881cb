"""Fuzz the readers: mutated files of every layout are read or refused with a `ReadError`; nothing else happens.

    python tests/fuzz/fuzz_readers.py --files 20000 --seed 1 --output fuzz.json

What is read is checked: the wavelengths are those of the unharmed file (FITS layouts), no ivar is below 0, masks are
where they must be. A file that takes 20 s is a failure. Refusals are counted by their words; the last net (a refusal
that no check foresaw, "something no reader can interpret") is counted apart. Every file can be made again from the
seed and its number (`mutate`). Exit status 1 on any failure.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import re
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "readers"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from survey_files import desi_coadd, lamost_file, sdss_spec, sdss_spspec, text_table

from racnet_tools.errors import ReadError
from racnet_tools.readers import read_file

_NUMBERS = ["0", "-1", "1", "4", "5", "7", "8", "100", "2880", "3909", "65536", "2147483647", "4294967296", "9" * 19]
_VALUES = [
    *_NUMBERS,
    "1E400",
    "-1E400",
    "3.5682",
    "1E-4",
    "0.0001",
    "T",
    "F",
    "''",
    "'Flux'",
    "'1E'",
    "'999999999E'",
    "NaN",
]
_KEYWORDS = [
    b"SIMPLE  ", b"BITPIX  ", b"NAXIS   ", b"NAXIS1  ", b"NAXIS2  ", b"PCOUNT  ", b"GCOUNT  ", b"TFIELDS ", b"COEFF0  ",
    b"COEFF1  ", b"CRVAL1  ", b"EXTEN0  ", b"TFORM1  ", b"TFORM2  ", b"TTYPE1  ", b"TZERO1  ", b"TSCAL1  ", b"EXTNAME ",
    b"XTENSION", b"BSCALE  ", b"BZERO   ", b"BLANK   ", b"ZNAXIS1 ", b"ZBITPIX ", b"ZTILE1  ", b"ZCMPTYPE", b"ARRAY3  ",
    b"LMJD    ", b"FIBERID ", b"Z       ", b"CLASS   ", b"SPEC_CLN", b"MJD     ", b"END     ",
]  # fmt: skip


def seeds(folder: Path) -> dict[str, bytes]:
    """One small file of each layout."""
    made = {}
    for layout in ("image5_sub", "image5", "coadd"):
        made[layout] = lamost_file(folder, layout, n_pixels=600).read_bytes()
    for kind in ("SPALL", "SPECOBJ"):
        made[f"spec_{kind}"] = sdss_spec(folder / "x.fits", kind, n_pixels=400, exposures=1).read_bytes()
    made["spspec"] = sdss_spspec(folder / "x.fits", n_pixels=600).read_bytes()
    for compressed in (True, False):
        made[f"desi_{'compressed' if compressed else 'plain'}"] = desi_coadd(
            folder / "x.fits", n=1, compressed=compressed
        ).read_bytes()
    for name, (delimiter, names) in {"ascii": (" ", ""), "csv": (",", "wave,flux,ivar")}.items():
        made[name] = text_table(folder / "x.txt", delimiter, names).read_bytes()
    return made


def _card(rng: np.random.Generator, data: bytearray) -> str:
    """Another value in a header card: mostly one that matters, at any of its occurrences."""
    wanted = _KEYWORDS[rng.integers(len(_KEYWORDS))]
    places = [m.start() for m in re.finditer(re.escape(wanted), data) if m.start() % 80 == 0]
    if not places or rng.random() < 0.2:
        places = [80 * int(rng.integers(max(len(data) // 80, 1)))]
    at = places[rng.integers(len(places))]
    kind = rng.integers(4)
    keyword = bytes(data[at : at + 8]) or b"NAXIS1  "
    if kind == 0:
        card = b"COMMENT".ljust(80)
    elif kind == 1:
        card = keyword + b"= " + rng.bytes(70)
    else:
        card = keyword + f"= {_VALUES[rng.integers(len(_VALUES))]:>20s}".ljust(72).encode()
    data[at : at + 80] = card
    return "card"


def _flip(rng: np.random.Generator, data: bytearray) -> str:
    area = min(len(data), 5760) if rng.random() < 0.5 else len(data)
    for _ in range(int(rng.integers(1, 30))):
        data[rng.integers(area)] ^= int(rng.integers(1, 256))
    return "flip"


def _truncate(rng: np.random.Generator, data: bytearray) -> str:
    end = int(rng.integers(len(data)))
    del data[end // 2880 * 2880 if rng.random() < 0.3 else end :]
    return "truncate"


def _splice(rng: np.random.Generator, data: bytearray) -> str:
    """Cut out, repeat or fill a piece."""
    a, b = sorted(int(x) for x in rng.integers(len(data), size=2))
    b = min(b, a + 8640)
    kind = rng.integers(3)
    if kind == 0:
        del data[a:b]
    elif kind == 1:
        data[a:a] = data[a:b]
    else:
        data[a:b] = bytes([int(rng.choice([0, 32, 39, 127, 255]))]) * (b - a)
    return "splice"


def _values(rng: np.random.Generator, data: bytearray) -> str:
    """Runs of NaN, infinity, zeros or huge values among the numbers."""
    at = 4 * int(rng.integers(max(len(data) // 4, 1)))
    value = np.array([np.nan, np.inf, -np.inf, 0.0, 3.4e38, -1.0])[rng.integers(6)].astype(">f4").tobytes()
    run = value * int(rng.integers(1, 3000))
    data[at : at + len(run)] = run[: max(len(data) - at, 0)]
    return "values"


_MUTATIONS = (_card, _card, _card, _flip, _truncate, _splice, _values)


def mutate(seed: int, originals: dict[str, bytes]) -> tuple[str, bytes]:
    """File number `seed`: its description and its bytes; the same for the same number."""
    rng = np.random.default_rng(seed)
    layout = list(originals)[rng.integers(len(originals))]
    data = bytearray(originals[layout])
    done = []
    for _ in range(int(rng.integers(1, 4))):
        if data:
            done.append(_MUTATIONS[rng.integers(len(_MUTATIONS))](rng, data))
    if rng.random() < 0.25:
        data = bytearray(gzip.compress(bytes(data), 1))
        done.append("gzip")
        if rng.random() < 0.7:
            done.append([_flip, _truncate, _splice][rng.integers(3)](rng, data))
    return f"{layout}: {'+'.join(done)}", bytes(data)


def check(path: Path, wave: np.ndarray | None = None) -> str:
    """Read one file: "read", or the words of its refusal. Raises on anything else.

    `wave` are the wavelengths of the unharmed file; a file that lost pixels may have fewer.
    """
    try:
        spectra = read_file(path)
    except ReadError as error:
        if "something no reader can interpret" in error.reason:
            return "unforeseen: " + re.sub(r"[\d.]+", "N", error.found)[:100]
        return re.sub(r"'[^']*'|[-+\d.]+", "N", error.expected)[:70]
    assert len(spectra) and spectra.n_pixels >= 100
    assert np.isfinite(spectra.wave).all() and (np.diff(spectra.wave) > 0).all()
    assert spectra.wave[0] > 500 and spectra.wave[-1] < 40_000
    assert np.isfinite(spectra.ivar).all() and (spectra.ivar >= 0).all()
    assert np.isfinite(spectra.flux[~spectra.mask]).all() and (spectra.ivar[~spectra.mask] > 0).all()
    assert len(spectra.table) == len(spectra)
    if wave is not None:
        common = min(len(wave), spectra.n_pixels)
        away = np.abs(spectra.wave[:common] / wave[:common] - 1).max()
        assert away < 5e-5, f"wavelengths {away:.2g} away"  # a fifth of a pixel
    return "read"


def _too_slow(*_: object) -> None:
    raise AssertionError("took more than 20 s")


def run(files: int, seed: int, folder: Path) -> dict:
    """Mutate and read `files` files; the counts."""
    with contextlib.suppress(ValueError, OSError):  # an allocation on a header's word must fail, not fill the machine
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    originals = seeds(folder)
    waves: dict[str, np.ndarray | None] = {}
    for layout, data in originals.items():
        (folder / "seed").write_bytes(data)
        waves[layout] = None if layout in ("ascii", "csv") else read_file(folder / "seed").wave
    signal.signal(signal.SIGALRM, _too_slow)
    outcomes: Counter[str] = Counter()
    layouts: Counter[str] = Counter()
    failures: list[str] = []
    slowest, slowest_file = 0.0, ""
    path = folder / "mutated.fits"
    start_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    for number in range(files):
        what, data = mutate(seed * 1_000_000 + number, originals)
        path.write_bytes(data)
        started = time.perf_counter()
        try:
            signal.alarm(20)
            outcome = check(path, waves[what.split(":")[0]])
        except Exception as error:  # what must not happen
            outcome = f"FAILED {type(error).__name__}"
            failures.append(f"{number} {what}: {type(error).__name__}: {error}")
        finally:
            signal.alarm(0)
        took = time.perf_counter() - started
        if took > slowest:
            slowest, slowest_file = took, f"{number} {what}"
        outcomes[outcome] += 1
        layouts[f"{what.split(':')[0]} {'read' if outcome == 'read' else 'refused'}"] += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "files": files,
        "seed": seed,
        "read": outcomes["read"],
        "refused": sum(n for reason, n in outcomes.items() if reason != "read" and not reason.startswith("FAILED")),
        "unforeseen": sum(n for reason, n in outcomes.items() if reason.startswith("unforeseen")),
        "failures": failures,
        "seconds": round(time.perf_counter() - begin, 1),
        "slowest_s": round(slowest, 4),
        "slowest_file": slowest_file,
        "peak_memory_MB": round(peak / 1024),
        "memory_growth_MB": round((peak - start_memory) / 1024),
        "by_layout": dict(sorted(layouts.items())),
        "by_reason": dict(outcomes.most_common()),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="write the counts as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options.files, options.seed, Path(folder))
    text = json.dumps(result, indent=1)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
