"""Classification in one call."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from racnet_tools import __version__
from racnet_tools.errors import RacnetError
from racnet_tools.inference.batch import Recipe, classify_chunks
from racnet_tools.inference.catalogue import rows_to_catalogue
from racnet_tools.inference.classifier import Classifier
from racnet_tools.spectra.spectrum_set import SpectrumSet

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["classify"]

_PIECE = 1024


def classify(spectra: SpectrumSet | str | Path | Sequence[str | Path], preset: str | Path = "racnet-survey") -> Table:
    """Classify spectra.

    Parameters
    ----------
    spectra : SpectrumSet, path or sequence of paths
        Spectra, or files, folders and glob patterns to read them from.
    preset : str or Path
        Name of a preset (see `racnet_tools.inference.available_presets`) or its folder.

    Returns
    -------
    Table
        A row for each spectrum, in order: spec_id, path, survey, label, confidence, p_<CLASS>..., subclass,
        subclass_confidence, of racnet-survey subtype, subtype_error, z, z_error, prediction_set and quality, then
        rejected, ood_score, z_header, snr_g, snr_r; what is missing is masked. What was refused is in
        ``meta["refused"]``, a list of (path, reason), and a warning says that there is some; a refused spectrum
        of a set keeps its row, without a class and rejected, with (spec_id, reason) there.

    Raises
    ------
    RacnetError
        If there is nothing to classify, or nothing could be read.

    Examples
    --------
    >>> table = classify("spectra/")  # doctest: +SKIP
    """
    rows: list[list[Any]] = []
    refused: list[tuple[str, str]] = []
    if isinstance(spectra, SpectrumSet):
        classifier = Classifier(preset)
        for start in range(0, len(spectra), _PIECE):
            piece = spectra[start : start + _PIECE]
            try:
                rows += classifier.rows(piece)
            except RacnetError:  # something is wrong with some of them
                for one in piece:
                    try:
                        rows += classifier.rows(one)
                    except RacnetError as error:
                        rows.append(_row_without_class(classifier, one))
                        refused.append((str(one.column("spec_id")[0]), str(error)))
        if refused:
            warnings.warn(f"{len(refused)} spectra have no class; meta['refused'] says why.", stacklevel=2)
    else:
        from racnet_tools.readers import find_files

        classifier = Classifier(preset, threads=1)
        inputs = [spectra] if isinstance(spectra, str | Path) else list(spectra)
        for record, _ in classify_chunks(find_files(inputs), Recipe.of(classifier)):
            rows += record["rows"]
            refused += record["errors"]
        if not rows and not refused:
            raise RacnetError(f"No spectrum files found in {inputs}.")
        if not rows:
            raise RacnetError(f"None of {len(refused)} inputs could be read. The first, {': '.join(refused[0])}")
        if refused:
            warnings.warn(f"{len(refused)} inputs were refused; meta['refused'] says why.", stacklevel=2)
    meta: dict[str, Any] = {"racnet": __version__, "presets": classifier.presets, "refused": refused}
    return rows_to_catalogue(rows, classifier.columns, meta)


def _row_without_class(classifier: Classifier, spectrum: SpectrumSet) -> list[Any]:
    known = {name: spectrum.column(name)[0] for name in ("spec_id", "path", "survey", "snr_g", "snr_r")}
    known |= {"z_header": spectrum.column("z")[0], "rejected": True}
    return [known.get(column.name) for column in classifier.columns]
