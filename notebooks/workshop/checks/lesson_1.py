"""Checks of lesson 1, What a spectrum tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from checks.verdict import Wrong, close, exercise, is_array, refuse, run

SPEED_OF_LIGHT = 299_792.458
H_ALPHA = 6564.61
H_ALPHA_AIR = 6562.80
QUASAR_LINES = {"Lyα": 1215.67, "C IV": 1549.06, "C III]": 1908.73, "Mg II": 2798.75, "Hβ": 4862.68}


@exercise("1.1")
def exercise_1_1(velocity: Any, wave: np.ndarray) -> str:
    ratio = wave[1] / wave[0]
    right = SPEED_OF_LIGHT * (ratio - 1)
    if close(velocity, right, 0.1):
        return (
            f"One pixel is {right:.1f} km/s, at every wavelength: a shift in pixels is a velocity, whatever the line."
        )
    refuse(
        velocity,
        {
            "That is in m/s. The question is for km/s.": 1000 * right,
            "That is c times 0.0001, the step in log10 of the wavelength. A step in log10 is not yet a relative "
            "change of the wavelength: what does log10 divide the natural logarithm by?": SPEED_OF_LIGHT * 1e-4,
            "That is the width of a pixel in Å. Divide it by the wavelength before you multiply by c.": wave[1]
            - wave[0],
            "That is c times the ratio. The ratio is 1 + v/c: what is left for v/c?": SPEED_OF_LIGHT * ratio,
            "That is v/c, the velocity in units of the speed of light. Give it in km/s.": ratio - 1,
            "The size is right, the sign is not: which wavelength has to stand above the fraction line?": -right,
        },
        0.005,
    )
    raise Wrong("That is another velocity. Start from wave[1] / wave[0], which is 1 + v/c.")


@exercise("1.2")
def exercise_1_2(observed: Any, z: Any, spectra: Any, index: int) -> str:
    true = float(spectra.table["z"][index])
    line = H_ALPHA * (1 + true)
    if not close(observed, line, 3.0):
        refuse(
            observed,
            {
                "That is where Hα is at rest. Where is the tall line in the figure?": H_ALPHA,
                "That is the nitrogen line to the right of Hα. Take the tallest.": 6585.27 * (1 + true),
                "That is the nitrogen line to the left of Hα. Take the tallest.": 6549.86 * (1 + true),
            },
            3e-4,
        )
        raise Wrong(f"The line is not at {float(observed):.1f} Å. Look at the tallest peak of the last figure, in Å.")
    observed = float(observed)
    right = observed / H_ALPHA - 1
    if close(z, right, 1e-4):  # hydrogen's line in air would be 3e-4 away
        return (
            f"z = {right:.5f}; the galaxy was simulated at {true:.5f}, {abs(true - right) / 2.3e-4:.1f} pixels "
            "from yours. A profile fitted to several lines would do better than the brightest pixel."
        )
    refuse(
        z,
        {
            "That is the ratio of the wavelengths, which is 1 + z: a galaxy at rest would have 1.": observed / H_ALPHA,
            "You divided by the observed wavelength. Redshift is relative to the wavelength at rest.": 1
            - H_ALPHA / observed,
            "That is the difference in Å. A redshift is relative: divide by the wavelength at rest.": observed
            - H_ALPHA,
            "That is a velocity in km/s. The redshift is a pure number.": SPEED_OF_LIGHT * right,
            "That is in per cent. Give the number itself.": 100 * right,
        },
        2e-3,
    )
    if close(z, observed / H_ALPHA_AIR - 1, 3e-5):
        raise Wrong(
            "You used the wavelength of Hα in air, 6562.80 Å. The spectra are in vacuum, where it is longer: see the "
            "paragraph above the figure. The mistake is 83 km/s."
        )
    raise Wrong(f"Your line is at {observed:.1f} Å, but z does not follow from it: observed = (1 + z) times rest.")


@exercise("1.3")
def exercise_1_3(z: Any, spectra: Any, index: int) -> str:
    true = float(spectra.table["z"][index])
    if close(z, true, 0.03):
        seen = [name for name, rest in QUASAR_LINES.items() if 3750 < rest * (1 + true) < 9050]
        return f"Simulated at z = {true:.3f}. In the window are {', '.join(seen)}, each where it should be."
    z = float(z)
    if abs(z - true) < 0.1:
        raise Wrong("The right lines, not yet near enough. Lyα is cut on its blue side and blended: use another line.")
    if abs(z - (1 + true)) < 0.03:
        raise Wrong("That is the ratio of the wavelengths, which is 1 + z.")
    for name, rest in QUASAR_LINES.items():
        for taken, mistaken in QUASAR_LINES.items():
            if taken != name and abs(rest * (1 + true) / mistaken - 1 - z) < 0.03:
                place = rest * (1 + true)
                others = [
                    f"{other} at {QUASAR_LINES[other] * (1 + z):.0f} Å"
                    for other in QUASAR_LINES
                    if other != taken and 3750 < QUASAR_LINES[other] * (1 + z) < 9050
                ]
                tell = f" Then there should be {' and '.join(others)}." if others else " Then there should be no other."
                raise Wrong(f"You took the line near {place:.0f} Å for {taken}.{tell} Is that what you see?")
    raise Wrong(
        "No strong line of the table falls on a line of the spectrum at this redshift. Compare ratios of lines."
    )


def _snr(flux: np.ndarray, ivar: np.ndarray, use: np.ndarray) -> float:
    return float(np.median(flux[use] * np.sqrt(ivar[use])))


@exercise("1.4")
def exercise_1_4(median_snr: Any, spectra: Any) -> str:
    for index, low, high in ((2, 6000, 6500), (3, 4200, 6600), (13, 4000, 5500)):
        wave, flux, ivar, mask = (
            spectra.wave,
            spectra.flux[index].astype(float),
            spectra.ivar[index].astype(float),
            spectra.mask[index],
        )
        if index == 13:  # pixels that are masked though they have an inverse variance
            flux, mask = flux.copy(), mask.copy()
            spoilt = (wave > 4500) & (wave < 5300)
            flux[spoilt], mask[spoilt] = 0.0, True
        found = run(median_snr, wave, flux, ivar, mask, low, high)
        band = (wave >= low) & (wave <= high)
        use = band & ~mask
        right = _snr(flux, ivar, use)
        if close(found, right, 1e-3 * right):
            continue
        f, w = flux[use], ivar[use]
        bad = band & mask
        refuse(
            found,
            {
                "That is the mean. The median is asked for: it does not mind cosmic rays.": np.mean(f * np.sqrt(w)),
                "Masked pixels are among those that you count. Leave out where mask is True.": _snr(flux, ivar, band),
                "mask is True where a pixel is bad: you kept the bad ones.": _snr(flux, ivar, bad)
                if bad.any()
                else np.nan,
                "That is the median of flux times ivar. ivar is 1/σ squared: what is 1/σ?": np.median(f * w),
                "You divided by the root of ivar, which is 1/σ: flux over 1/σ is no S/N.": np.median(f / np.sqrt(w)),
                "You divided by ivar as if it were the noise; it is large where the noise is small.": np.median(f / w),
                "That is for the whole spectrum. Choose the pixels between low and high.": _snr(flux, ivar, ~mask),
                "That is the median flux over the median σ. Take the ratio in each pixel, then the median.": np.median(
                    f
                )
                / np.median(w**-0.5),
            },
        )
        raise Wrong(f"For spectrum {index} from {low} to {high} Å it gives {float(found):.3f}; expected {right:.3f}.")
    return "It agrees for three spectra, one with masked pixels whose inverse variance is not 0."


@exercise("1.5")
def exercise_1_5(weighted_mean: Any) -> str:
    rng = np.random.default_rng(5)
    sigma = rng.uniform(0.5, 5, 200)
    flux = rng.normal(10, sigma)
    ivar = sigma**-2.0
    mask = np.zeros(200, bool)
    ivar[:30], mask[:30], flux[:30] = 0, True, 0
    mask[30:40], flux[30:40] = True, 1000.0  # cosmic rays, found by the pipeline
    found = run(weighted_mean, flux, ivar, mask)
    if np.shape(found) != (2,):
        raise Wrong(f"Expected two numbers, the mean and its error. Received: {found!r:.60}.")
    mean, error = is_array(found, (2,), "mean and error")
    w = np.where(mask, 0, ivar)
    right, right_error = (w * flux).sum() / w.sum(), w.sum() ** -0.5
    if not close(mean, right, 1e-6 * abs(right)):
        refuse(
            mean,
            {
                "The mean includes masked pixels, which may have an ivar above 0. Their weight has to be 0.": (
                    ivar * flux
                ).sum()
                / ivar.sum(),
                "That is the mean without weights.": flux[~mask].mean(),
                "You weighted by σ or its square: the noisiest pixels count most. What is the weight?": (
                    flux[~mask] / ivar[~mask]
                ).sum()
                / (1 / ivar[~mask]).sum(),
                "You weighted by 1/σ. The weight is ivar itself.": (flux[~mask] * ivar[~mask] ** 0.5).sum()
                / (ivar[~mask] ** 0.5).sum(),
                "You divided by the number of pixels. Divide by the sum of the weights.": (w * flux).sum()
                / (~mask).sum(),
            },
            1e-6,
        )
        raise Wrong(f"On a test with masked pixels the mean is {mean:.3f}; expected {right:.3f}.")
    if not close(error, right_error, 1e-6):
        refuse(
            error,
            {
                "The error is the root of what you gave: that is its square, the variance.": 1 / w.sum(),
                "That is the inverse variance of the mean. Its error is 1 over the root of it.": w.sum(),
                "That is the root of the inverse variance; the error is 1 over it.": w.sum() ** 0.5,
                "That is the scatter of single pixels. The mean of many is better known.": flux[~mask].std(),
                "Masked pixels are in the error: they bring no information.": ivar.sum() ** -0.5,
                "That takes the mean of the weights. Each pixel adds information: take their sum.": w[~mask].mean()
                ** -0.5,
            },
            1e-6,
        )
        raise Wrong("The mean is right, its error is not: 1 over the root of the sum of the weights.")
    unweighted = np.sqrt((1 / ivar[~mask]).sum()) / (~mask).sum()
    return f"{mean:.2f} ± {error:.2f}. Without weights the error would be {unweighted:.2f}."


@exercise("1.6")
def exercise_1_6(classes: Any, spectra: Any, unnamed: list[int]) -> str:
    if isinstance(classes, str) or len(classes) != len(unnamed):
        raise Wrong(f"Expected a list of {len(unnamed)} names, for A to F. Received: {classes!r:.60}.")
    names = {"STAR", "GALAXY", "QSO"}
    given = [str(name).strip().upper() for name in classes]
    if unknown := sorted(set(given) - names):
        raise Wrong(f"The classes are STAR, GALAXY and QSO. Received: {', '.join(unknown)}.")
    look = {
        "STAR": "are its lines at rest wavelengths (or are there bands of molecules)?",
        "GALAXY": "where are its calcium lines or narrow emission lines, and where would they be at rest?",
        "QSO": "how wide are its emission lines, in Å, beside a galaxy's?",
    }
    true = [str(spectra.table["label"][index]) for index in unnamed]
    wrong = [(letter, label) for letter, mine, label in zip("ABCDEF", given, true, strict=False) if mine != label]
    if wrong:
        hints = " ".join(f"Look at {letter} again: {look[label]}" for letter, label in wrong)
        raise Wrong(f"{len(true) - len(wrong)} of {len(true)} are right. {hints}")
    return "All six. Keep in mind what you looked at, and compare it in lesson 4 with what the network looks at."
