"""Make the simulated sample spectra of this folder. Rerun: ``python data/samples/build_samples.py``.

A pool is simulated from `SEED`, whose first number no shipped preset was trained with; of each class the spectrum
nearest to the wanted S/N and redshift, of the pipeline that wrote the layout, is taken and written in one of the
three LAMOST layouts. The header names simulator and class: SURVEY = 'SIMULATED', PLANID = 'SIMULATED', DESIG =
'SIMULATED J...'. Places on the sky and dates are made up; flux is in arbitrary counts of the size that LAMOST files
have, and flux and ivar are rounded to 11 binary digits (an error of at most 1 part in 2048, far below the noise) so
that the files compress.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord

from racnet_tools.readers import write_lamost
from racnet_tools.resources import data_path
from racnet_tools.simulate import simulate
from racnet_tools.spectra import SpectrumSet

HERE = Path(__file__).resolve().parent
SEED = (20260, 1)
POOL = {"A": 120, "F": 120, "G": 120, "K": 120, "M": 120, "GALAXY": 300, "QSO": 400}
DIGITS = 11
LMJD = {"image5_sub": 55862, "image5": 56944, "coadd": 58847}  # nights of LAMOST's DR1, DR2 and DR8


class Wanted(NamedTuple):
    """One sample: class (spectral type of a star, GALAXY, QSO), kind of galaxy, S/N in r, redshift, file."""

    name: str
    kind: str
    snr_r: float
    z: float
    layout: Literal["image5_sub", "image5", "coadd"]
    suffix: Literal[".fits", ".fits.gz"] = ".fits.gz"


SAMPLES = (
    Wanted("A", "", 60, 0, "image5_sub"),
    Wanted("A", "", 20, 0, "image5"),
    Wanted("F", "", 80, 0, "image5"),
    Wanted("F", "", 25, 0, "image5_sub"),
    Wanted("G", "", 40, 0, "image5", ".fits"),
    Wanted("G", "", 12, 0, "coadd"),
    Wanted("K", "", 56, 0, "coadd"),
    Wanted("K", "", 15, 0, "image5_sub"),
    Wanted("M", "", 35, 0, "image5"),
    Wanted("M", "", 10, 0, "coadd"),
    Wanted("GALAXY", "quiescent", 25, 0.12, "image5"),
    Wanted("GALAXY", "starforming", 18, 0.06, "coadd"),
    Wanted("QSO", "", 18, 0.45, "image5"),
    Wanted("QSO", "", 12, 1.5, "coadd"),
    Wanted("QSO", "", 8, 2.3, "image5_sub"),
)


def rounded(values: np.ndarray) -> np.ndarray:
    """Values with `DIGITS` binary digits of precision, float32."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.rint(mantissa * 2**DIGITS) / 2**DIGITS, exponent).astype(np.float32)


def mk_type(template: str) -> str:
    """Letter and digit of the MK type of a stellar template ("star-12" -> "G5"); empty if it has none."""
    with np.load(data_path("templates", "stars.npz"), allow_pickle=False) as f:
        kind = str(f["mk_type"][int(template.split("-")[1])])
    return kind[:2] if kind[1:2].isdigit() else ""


def choose(pool: SpectrumSet, wanted: Wanted, taken: set[int]) -> tuple[int, str]:
    """Index in the pool of the spectrum nearest to what is wanted, and its subclass.

    A star's MK type must begin with the letter that its temperature gives it; M5 and later are too rare in LAMOST.
    """
    table = pool.table
    star = wanted.name not in ("GALAXY", "QSO")
    column, value = ("subclass", wanted.kind or wanted.name) if wanted.name != "QSO" else ("label", "QSO")
    pipeline = "first" if wanted.layout == "image5_sub" else "later"
    of_class = np.flatnonzero((np.asarray(table[column]) == value) & (np.asarray(table["pipeline"]) == pipeline))
    distance = np.abs(np.log(np.maximum(table["snr_r"][of_class], 0.1) / wanted.snr_r))
    if not star:
        distance = distance + 5 * np.abs(np.log((1 + table["z"][of_class]) / (1 + wanted.z)))
    for i in of_class[np.argsort(distance)].tolist():
        subclass = mk_type(table["template"][i]) if star else wanted.kind
        if i not in taken and (not star or (subclass.startswith(wanted.name) and subclass < "M5")):
            return i, subclass
    raise SystemExit(f"No spectrum of the pool fits {wanted}: enlarge POOL.")


def build(folder: Path) -> list[Path]:
    """Simulate and write all samples into an existing folder, replacing those that are there."""
    pool = simulate(POOL, seed=SEED)
    rng = np.random.default_rng((*SEED, 1))
    taken: set[int] = set()
    files = []
    for number, wanted in enumerate(SAMPLES, start=1):
        i, subclass = choose(pool, wanted, taken)
        taken.add(i)
        one = pool[[i]]
        ra, dec = (
            rng.uniform(0, 360),
            np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(-10)), np.sin(np.radians(60))))),
        )
        place = SkyCoord(ra, dec, unit="deg")
        hours = place.ra.to_string("hour", sep="", pad=True, precision=2)
        degrees = place.dec.to_string("deg", sep="", pad=True, alwayssign=True, precision=1)
        row: dict[str, Any] = {name: one.table[name][0] for name in ("label", "z", *(f"snr_{b}" for b in "ugriz"))}
        row |= {
            "spec_id": f"{LMJD[wanted.layout]}-SIMULATED_sp{(number - 1) % 16 + 1:02d}-{10 * number:03d}",
            "object_id": f"SIMULATED J{hours}{degrees}",
            "survey": "SIMULATED",
            "ra": round(ra, 6),
            "dec": round(float(dec), 6),
        }
        row |= {
            name: round(float(row[name]), 2)
            for name in row
            if name.startswith("snr_") and not np.ma.is_masked(row[name])
        }
        row |= {"z": round(float(row["z"]), 8)} | ({"subclass": subclass} if subclass else {})
        scale = np.float32(8 * wanted.snr_r)  # median counts
        flux, ivar = rounded(one.flux * scale), rounded(one.ivar / scale**2)
        sample = SpectrumSet(one.wave, flux, ivar, one.mask, [row])
        files += write_lamost(sample, folder, wanted.layout, overwrite=True, suffix=wanted.suffix)
    return files


def main() -> None:
    """Build the samples and say how large they are."""
    parser = argparse.ArgumentParser(description="Make the simulated sample spectra.")
    parser.add_argument("--output", type=Path, default=HERE, help="existing folder for the files")
    files = build(parser.parse_args().output)
    print(f"{len(files)} files, {sum(file.stat().st_size for file in files) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
