"""One classification from inputs to a catalogue on disk, which can be interrupted and continued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from racnet_tools import __version__
from racnet_tools.errors import RacnetError
from racnet_tools.files import any_path, is_remote, told_when_full
from racnet_tools.inference.batch import Recipe, classify_chunks
from racnet_tools.inference.catalogue import catalogue_format, write_catalogue, write_errors
from racnet_tools.inference.classifier import Classifier
from racnet_tools.inference.engines import AUTO, DEFAULT
from racnet_tools.inference.journal import Journal
from racnet_tools.workers import workforce

__all__ = ["Summary", "check_output", "classify_to_file", "errors_path"]


@dataclass
class Summary:
    """What a run did.

    Attributes
    ----------
    counts : Counter
        Class to number of spectra.
    n_spectra, n_rejected, n_refused, n_recalled : int
        Spectra classified, those of them rejected, inputs (or spectra in them) refused, and files whose results an
        earlier run had left.
    finished_before : bool
        True if the output was complete already and nothing was done.
    """

    counts: Counter[str] = field(default_factory=Counter)
    n_spectra: int = 0
    n_rejected: int = 0
    n_refused: int = 0
    n_recalled: int = 0
    finished_before: bool = False


def errors_path(output: Path) -> Path:
    """Where the refused inputs of a run are listed: ``<stem>.errors.csv`` beside the output."""
    return output.with_name(f"{output.stem}.errors.csv")


def check_output(output: Path, resume: bool) -> bool:
    """Whether an earlier run finished `output`, so that nothing is left to do.

    Parameters
    ----------
    output : Path
        The catalogue.
    resume : bool
        Whether an earlier run may be continued.

    Returns
    -------
    bool

    Raises
    ------
    RacnetError
        If the catalogue cannot be written there: unknown format, no such folder, or something would be overwritten.
    """
    catalogue_format(output)
    if not is_remote(output) and not output.absolute().parent.is_dir():
        raise RacnetError(f"The folder {output.absolute().parent} of the output does not exist. Create it first.")
    if Journal.unfinished(output):
        if resume:
            return False
        raise RacnetError(
            f"{output} is unfinished. Add --resume (resume=True) to go on, or delete {Journal.folder_of(output)} to "
            "start again."
        )
    if output.exists() and resume:
        return True
    for path in (output, errors_path(output)):
        if path.exists():
            raise RacnetError(f"{path} exists already and is not overwritten. Choose another name or remove it.")
    return False


def classify_to_file(
    paths: Iterable[str | Path],
    output: str | Path,
    preset: str | Path = "racnet-survey",
    *,
    engine: str = DEFAULT,
    batch_size: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    progress: Callable[[int], None] = lambda n_files: None,
) -> Summary:
    """Classify files into a catalogue.

    Parameters
    ----------
    paths : iterable of path
        Files with spectra, taken lazily.
    output : str or Path
        The catalogue, here or in object storage; its extension decides the format. Refused inputs are listed in
        ``<stem>.errors.csv`` beside it.
    preset : str or Path
        Name or folder of the preset.
    engine : str
        What computes the networks, one of `racnet_tools.inference.engines.ENGINES`; or "auto": the quickest that
        agrees in a self-test on this machine (an interrupted run goes on with what it began with).
    batch_size : int, optional
        Spectra in one pass through the network; what was measured to be quickest by default.
    workers : int, optional
        Number of worker processes; threads of this process where it is None or 1.
    scheduler : str, optional
        Address of a Dask scheduler to work on instead.
    resume : bool
        Continue an interrupted run; a finished one is left as it is.
    progress : callable, optional
        Called with the number of files done since the last call.

    Returns
    -------
    Summary

    Raises
    ------
    RacnetError
        If the output (or an unfinished run) exists and `resume` is false, or the preset cannot be used.
    """
    output = any_path(output)
    errors_file = errors_path(output)
    if check_output(output, resume):
        return Summary(finished_before=True)
    begun = Journal.job_of(output).get("engines") if engine == AUTO else None
    classifier = Classifier(preset, batch_size, threads=1, engine=begun or engine)
    recipe = Recipe.of(classifier)
    job = {
        "racnet": __version__,
        "presets": classifier.presets,
        "engines": classifier.engines,
        "batch_size": classifier.batch_size,
    }
    with ExitStack() as stack:
        stack.enter_context(told_when_full("make room and repeat the command with --resume (resume=True)."))
        journal = stack.enter_context(Journal(output, job))
        executor, n = stack.enter_context(workforce(workers, scheduler))
        summary, n_chunks = Summary(), 0
        results = classify_chunks(paths, recipe, executor=executor, workers=n, recall=journal.get)
        stack.callback(results.close)
        for record, new in results:
            if new:
                journal.put(record)
            else:
                summary.n_recalled += len(record["inputs"])
            n_chunks += 1
            _count(summary, record, [column.name for column in classifier.columns])
            progress(len(record["inputs"]))
        if n_chunks == 0:
            journal.remove()
            raise RacnetError("No input was given: there is no file to classify.")

        def rows() -> Iterator[list[Any]]:
            return chain.from_iterable(record["rows"] for record in journal.records(n_chunks))

        if summary.n_refused:
            refused = chain.from_iterable(record["errors"] for record in journal.records(n_chunks))
            write_errors(errors_file, refused, overwrite=True)
        else:
            errors_file.unlink(missing_ok=True)  # of the interrupted run, whose refused inputs are mended by now
        meta = {"racnet": __version__, **{f"preset {name}": sha for name, sha in classifier.presets.items()}}
        meta |= {f"engine {name}": used for name, used in classifier.engines.items()}
        write_catalogue(output, rows, classifier.columns, meta, overwrite=True)
        journal.remove()
    return summary


def _count(summary: Summary, record: dict[str, Any], names: list[str]) -> None:
    label, rejected = names.index("label"), names.index("rejected")
    summary.counts.update(row[label] for row in record["rows"])
    summary.n_spectra += len(record["rows"])
    summary.n_rejected += sum(row[rejected] for row in record["rows"])
    summary.n_refused += len(record["errors"])
