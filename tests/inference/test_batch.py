from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tiny_preset import spectrum_set, write_files, write_presets

from racnet_tools import workers
from racnet_tools.errors import RacnetError
from racnet_tools.inference import Classifier
from racnet_tools.inference.batch import Recipe, classify_chunk, classify_chunks
from racnet_tools.readers import registry
from racnet_tools.readers.record import Record
from racnet_tools.spectra import SpectrumSet
from racnet_tools.workers import dask_executor, process_executor


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return Recipe.of(Classifier(write_presets(tmp_path_factory.mktemp("presets")) / "racnet-class"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spectra")
    paths = write_files(folder, 150)
    paths[70].write_bytes(b"broken")
    return [*paths, folder / "missing.fits"]


@pytest.fixture(scope="module")
def records(paths, recipe):
    return [record for record, _ in classify_chunks(paths, recipe)]


def test_every_input_gives_a_row_or_an_error_in_order(records, paths):
    assert [record["chunk"] for record in records] == [0, 1, 2]
    given = [row[1] for record in records for row in record["rows"]]
    refused = [path for record in records for path, _ in record["errors"]]
    assert refused == [str(paths[70]), str(paths[150])]
    assert given == [str(path) for path in paths if str(path) not in refused]


def test_other_executors_give_the_same(records, paths, recipe):
    with ThreadPoolExecutor(3) as pool:
        assert [record for record, _ in classify_chunks(paths, recipe, executor=pool, workers=3)] == records
    with process_executor(2) as pool:
        assert [record for record, _ in classify_chunks(paths, recipe, executor=pool, workers=2)] == records


def test_a_dask_cluster_gives_the_same(records, paths, recipe):
    distributed = pytest.importorskip("distributed")
    options = {"processes": False, "dashboard_address": None, "scheduler_port": 0, "protocol": "tcp"}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as cluster,
        dask_executor(cluster.scheduler_address) as (executor, workers),
    ):
        assert workers == 2
        found = [record for record, _ in classify_chunks(paths, recipe, executor=executor, workers=workers)]
    assert found == records


def test_an_address_where_nothing_answers_is_an_error(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "_CONNECT_TIMEOUT", "0.3s")
    with (
        pytest.raises(RacnetError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"),
        dask_executor("tcp://127.0.0.1:9"),
    ):
        pass


def test_inputs_are_taken_as_needed(paths, recipe):
    taken = []

    def stream():
        for i in range(10**9):
            taken.append(i)
            yield paths[i % 60]

    results = classify_chunks(stream(), recipe, workers=1)
    for _ in range(3):
        next(results)
    results.close()
    assert len(taken) <= 64 * 7


def test_recalled_chunks_are_not_done_again(records, paths, recipe):
    def recall(chunk, inputs):
        assert inputs == records[chunk]["inputs"]
        return records[chunk] if chunk != 1 else None

    found = list(classify_chunks(paths, recipe, recall=recall))
    assert [new for _, new in found] == [False, True, False]
    assert [record for record, _ in found] == records


def record_of(spectra):
    rows = [dict(zip(spectra.table.colnames, row, strict=True)) for row in spectra.table.filled().iterrows()]
    return Record(spectra.wave, spectra.flux, spectra.ivar, spectra.mask, rows)


def test_a_file_of_many_spectra_is_taken_in_pieces_and_its_broken_ones_refused(recipe, monkeypatch):
    many = spectrum_set(600)
    flux, mask = many.flux.copy(), many.mask.copy()
    mask[[3, 300]] = True
    flux[500] = 0
    files = {"many": SpectrumSet(many.wave, flux, None, mask, many.table), "one": spectrum_set(1, seed=2)}
    monkeypatch.setattr(registry, "read_record", lambda path: record_of(files[path]))
    rows, errors = classify_chunk(recipe, ["many", "one"])
    assert [row[0] for row in rows] == [
        *(name for i, name in enumerate(many.table["spec_id"]) if i not in (3, 300, 500)),
        "56001-TEST_00_sp01-001",
    ]
    assert [row[1] for row in rows] == ["many"] * 597 + ["one"]
    assert [path for path, _ in errors] == ["many"] * 3
    assert all(str(many.table["spec_id"][i]) in reason for i, (_, reason) in zip((3, 300, 500), errors, strict=True))


def test_a_failure_nobody_foresaw_costs_one_file(recipe, paths, monkeypatch):
    read = registry.read_record

    def failing(path):
        if path == str(paths[1]):
            raise ZeroDivisionError("oops")
        return read(path)

    monkeypatch.setattr(registry, "read_record", failing)
    rows, errors = classify_chunk(recipe, [str(path) for path in paths[:3]])
    assert len(rows) == 2
    assert errors == [(str(paths[1]), "unexpected ZeroDivisionError: oops. Please report this with the file.")]


def test_workers_with_other_networks_are_refused(recipe, paths):
    other = Recipe(recipe.preset, (("racnet-class", "0" * 64),), recipe.engines, recipe.batch_size)
    with pytest.raises(RacnetError, match="other networks"):
        list(classify_chunks(paths[:1], other))


def test_rows_hold_plain_values(records):
    kinds = {type(value) for record in records for row in record["rows"] for value in row}
    assert kinds <= {str, float, bool, type(None)}
    assert not any(isinstance(v, float) and not np.isfinite(v) for r in records for row in r["rows"] for v in row)
