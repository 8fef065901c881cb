"""Checks of lesson 5, Redshift and its traps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from checks.verdict import Wrong, close, exercise, refuse, run

LYMAN_ALPHA, H_ALPHA, H_ALPHA_AIR, SKY = 1215.67, 6564.61, 6562.80, 5578.89


@exercise("5.1")
def exercise_5_1(shift_in_pixels: Any, grid: Any) -> str:
    if close(run(shift_in_pixels, 0.0), 0, 1e-9) is False:
        raise Wrong("At redshift 0 nothing moves, but yours does. What is log10 of 1 + z for z = 0?")
    for z in (0.1, 1.0, 3.0):
        found = run(shift_in_pixels, z)
        right = np.log10(1 + z) / grid.step
        if close(found, right, 1e-6 * right):
            continue
        refuse(
            found,
            {
                "That is with the natural logarithm. The grid is in log10.": np.log(1 + z) / grid.step,
                "That is log10(z): the wavelengths are multiplied by 1 + z.": np.log10(z) / grid.step,
                "That is z / 0.0001, which is neither a logarithm nor right for small z.": z / grid.step,
                "That is z over ln(10) and the step: it holds for small z only. Use the logarithm itself.": z
                / np.log(10)
                / grid.step,
                "That is the shift in log10 λ. How many pixels of 0.0001 are in it?": np.log10(1 + z),
                "You multiplied by the step. Divide by it.": np.log10(1 + z) * grid.step,
                "The sign is wrong: redshift moves to larger wavelengths, and larger pixel numbers.": -right,
            },
            1e-6,
        )
        if float(found) in (np.round(right), np.floor(right), np.ceil(right)):
            raise Wrong("You rounded. Features lie between pixels, too: leave the number as it is.")
        raise Wrong(f"For z = {z} it gives {float(found):.1f} pixels; expected {right:.1f}.")
    return f"z = 1 is {np.log10(2) / grid.step:.0f} pixels; by z = 3 all that was in the window at rest has left it."


@exercise("5.2")
def exercise_5_2(enters: Any, leaves: Any, wave: np.ndarray) -> str:
    for what, given, rest, edge, other in (
        ("Lyα", enters, LYMAN_ALPHA, wave[0], wave[-1]),
        ("Hα", leaves, H_ALPHA, wave[-1], wave[0]),
    ):
        right = edge / rest - 1
        if close(given, right, 1.5e-4 if what == "Hα" else 6e-4):
            continue
        refuse(
            given,
            {
                f"For {what} that is the ratio, which is 1 + z.": edge / rest,
                f"For {what} you took the other end of the window.": other / rest - 1,
                f"For {what} you divided by the observed wavelength. Divide by that at rest.": 1 - rest / edge,
                f"For {what} that is the ratio upside down.": rest / edge,
            },
            1e-4,
        )
        if what == "Hα" and close(given, edge / H_ALPHA_AIR - 1, 1.5e-4):
            raise Wrong("You took Hα in air. The grid is in vacuum, where it is at 6564.61 Å.")
        raise Wrong(f"For {what} (1 + z) times {rest} Å does not give the edge at {edge:.1f} Å.")
    return f"Lyα enters at {wave[0] / LYMAN_ALPHA - 1:.3f}, Hα leaves at {wave[-1] / H_ALPHA - 1:.3f}."


@exercise("5.3")
def exercise_5_3(shift_red: Any) -> str:
    flux = np.arange(1.0, 13.0)
    given = flux.copy()
    for pixels in (3, 1, 0):
        found = np.asarray(run(shift_red, given, pixels), float)
        if not np.array_equal(given, flux):
            raise Wrong("It changed the array it was given. Return a new one.")
        right = np.concatenate([np.full(pixels, np.nan), flux[: len(flux) - pixels]])
        if found.shape != right.shape:
            raise Wrong(f"It should keep its {len(flux)} pixels for a shift of {pixels}. Yours has {found.size}.")
        if np.array_equal(found, right, equal_nan=True):
            continue
        if np.array_equal(found, np.roll(flux, pixels)):
            raise Wrong("The red end has come in again at the blue end: np.roll goes round. Put NaN there.")
        blue = np.concatenate([flux[pixels:], np.full(pixels, np.nan)])
        if np.array_equal(found, blue, equal_nan=True) or np.array_equal(found, np.roll(flux, -pixels)):
            raise Wrong("It moved to the blue: red is towards larger pixel numbers.")
        if np.array_equal(found, np.nan_to_num(right)):
            raise Wrong("The new pixels are 0, as if no light had been measured. They were not measured: NaN.")
        if not np.isnan(found).any() and pixels and np.allclose(found[pixels:], right[pixels:]):
            raise Wrong("The new pixels hold invented fluxes. They were never observed: NaN.")
        raise Wrong(
            f"Shifted by {pixels}, pixel {pixels} should hold what was in pixel 0. Does it, and for 0 and 1, too?"
        )
    return "Nothing comes in again at the other end, and what is unknown is called so."


@exercise("5.4")
def exercise_5_4(place: Any) -> str:
    right = SKY * 1.3 / 1.1
    if close(place, right, 1.0):
        return f"{right:.0f} Å: a sky line where no sky line can be, for a network to learn from."
    refuse(
        place,
        {
            "That is where a real spectrum would have it. But here the pixels were shifted, and it with them.": SKY,
            "That is times 1.30. The spectrum was at z = 0.10 already.": SKY * 1.3,
            "That is times 1.20. Redshifts do not add: it is the ratio of two factors 1 + z.": SKY * 1.2,
            "That is times 1.10. Where is it shifted to?": SKY * 1.1,
            "You divided where to multiply: the shift is to the red.": SKY * 1.1 / 1.3,
            "That is the ratio of the redshifts. It is that of 1 + z.": SKY * 3,
        },
    )
    raise Wrong("Elsewhere. By which factor is every wavelength of this spectrum multiplied?")


@exercise("5.5")
def exercise_5_5(accuracy_in_bins: Any) -> str:
    rng = np.random.default_rng(5)
    z = np.concatenate([rng.uniform(0, 0.4, 60), [0.2, 0.2, 0.2], rng.uniform(0.6, 0.8, 30)])
    hit = rng.random(len(z)) < 0.3 + 0.6 * z
    hit[60:63] = False  # on a border: they belong to the bin above
    edges = np.array([0, 0.2, 0.4, 0.6, 0.8])
    found = np.asarray(run(accuracy_in_bins, z, hit, edges), float)
    if found.shape != (4,):
        raise Wrong(f"Five edges make four bins. Yours are {found.size}.")

    def shares(inside: list[np.ndarray]) -> np.ndarray:
        return np.array([hit[one].mean() if one.any() else np.nan for one in inside])

    pairs = list(pairwise(edges))
    right = shares([(z >= low) & (z < high) for low, high in pairs])
    known = ~np.isnan(right)
    if not np.isnan(found[~known]).all():
        if np.allclose(found[known], right[known]):
            raise Wrong(
                "A bin without spectra has no accuracy: NaN. A number there would say that spectra were judged."
            )
        raise Wrong("One bin is empty. It should be NaN, and the others do not agree yet either.")
    if np.allclose(found[known], right[known]):
        return "It agrees, on borders and in the empty bin, too."
    counted = np.array([(hit & (z >= low) & (z < high)).sum() for low, high in pairs])
    upper = shares([(z > low) & (z <= high) for low, high in pairs])
    both = shares([(z >= low) & (z <= high) for low, high in pairs])
    refuse(
        found[known],
        {
            "Those are per cent. Give shares between 0 and 1.": 100 * right[known],
            "Those are numbers of right answers. Divide by how many spectra are in the bin.": counted[known],
            "You divided by all spectra. Divide by those in the bin.": counted[known] / len(z),
            "A redshift on a border belongs to the bin above: low <= z < high.": upper[known],
            "A redshift on a border is counted in both bins: low <= z < high.": both[known],
            "Those are the shares of wrong answers.": 1 - right[known],
        },
        1e-9,
    )
    raise Wrong(f"For a test it gives {found.round(3).tolist()}; expected {right.round(3).tolist()}.")
