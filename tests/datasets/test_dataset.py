"""Data sets: parts do not share objects, balance adds honest noise, batches are what a network takes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racnet_tools.datasets import DataSet, Recipe, SpectrumStore, is_dataset, prepare, split
from racnet_tools.datasets.balance import choose, with_noise
from racnet_tools.errors import RacnetError, ReadError
from racnet_tools.spectra import LogLambdaGrid, Preprocessing, SpectrumSet

GRID = LogLambdaGrid(3.6, 1e-3, 40)
TWO = Recipe("two", "Stars and quasars", ("STAR", "QSO"), per_class=400)


def survey(n: int, seed: int = 1, start: int = 0, qso: float = 0.15) -> SpectrumSet:
    """Spectra of which each object has about two, and few are quasars."""
    rng = np.random.default_rng(seed)
    objects = rng.integers(0, n // 2, n)
    label = np.where(np.random.default_rng(99).random(10 * n)[objects] < qso, "QSO", "Star")
    flux = rng.normal(5, 0.5, (n, GRID.n_pixels)) + objects[:, None]
    rows = [
        {"spec_id": f"s{start + i}", "object_id": f"o{o}", "label": str(k), "snr_g": 10.0, "z": 0.1, "survey": "TEST"}
        for i, (o, k) in enumerate(zip(objects, label, strict=True))
    ]
    return SpectrumSet(GRID.wave, flux, np.full(flux.shape, 4.0), rng.random(flux.shape) < 0.05, rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> SpectrumStore:
    store = SpectrumStore.create(tmp_path_factory.mktemp("data") / "s.zarr", grid=GRID)
    store.append(survey(1500))
    return store


@pytest.fixture(scope="module")
def data(store) -> DataSet:
    return prepare(store, TWO, seed=3, validation=0.1)


def test_no_object_and_no_copy_crosses(data):
    held = {}
    for part in data.parts:
        spectra = data.spectra(part)
        assert len(spectra) == data.size(part)
        held[part] = set(spectra.table["object_id"].tolist())
        originals = {str(name).split("+")[0] for name in spectra.table["spec_id"]}
        assert originals == set(data.store.table(np.unique(data.index[part][:, 0]))["spec_id"].tolist())
    assert set(data.parts) == {"train", "test", "validation"} and data.copies("train")["QSO"] > 50
    for a in held:
        for b in held:
            assert a == b or not held[a] & held[b]


def test_only_training_spectra_are_copied_and_classes_are_of_one_size(data):
    assert data.counts("train") == {"STAR": 280, "QSO": 280}
    assert data.copies("train")["STAR"] == 0
    for part in ("test", "validation"):
        assert sum(data.copies(part).values()) == 0
        assert data.counts(part)["QSO"] < data.counts(part)["STAR"] == {"test": 80, "validation": 40}[part]
        assert len(np.unique(data.index[part][:, 0])) == data.size(part)
    assert sum(data.available().values()) == 1500


def test_labels_are_those_of_the_store(data):
    for part in data.parts:
        named = [str(label).upper() for label in data.spectra(part).table["label"]]
        assert named == [data.classes[k] for k in data.index[part][:, 2]]


def test_more_objects_move_no_other(store, data, tmp_path):
    larger = SpectrumStore.create(tmp_path / "l.zarr", grid=GRID)
    larger.append(survey(1500))
    larger.append(survey(1000, seed=5, start=1500))
    everything = Recipe("all", "all", ("STAR", "QSO"), per_class=100_000)
    before = prepare(store, everything, seed=3)
    after = prepare(larger, everything, seed=3)
    for part in ("train", "test"):
        rows = after.index[part][:, 0]
        assert set(before.index[part][:, 0]) == set(rows[rows < 1500])


@settings(max_examples=30)
@given(names=st.lists(st.text(max_size=5), max_size=40), more=st.lists(st.text(max_size=5)), seed=st.integers(0, 99))
def test_splitting_looks_at_one_object_at_a_time(names, more, seed):
    parts = split(names, seed=seed).tolist()
    assert split(names + more, seed=seed).tolist()[: len(names)] == parts
    assert len({*zip(names, parts, strict=True)}) == len(set(names))


def test_shares_and_seeds():
    names = [f"object {i}" for i in range(10_000)]
    one = split(names, seed=1)
    assert abs((one == "test").sum() - 2000) < 160  # four standard deviations
    assert 0.25 < (split(names, seed=2) == "test")[one == "test"].mean() + 0.1 < 0.35
    three = split(names, {"test": 0.2, "validation": 0.1, "train": 0.7}, seed=1)
    assert ((three == "test") == (one == "test")).all()
    with pytest.raises(RacnetError, match="add up to 1"):
        split(names, {"a": 0.5}, seed=1)


def test_visits_to_one_place_are_one_object(tmp_path):
    store = SpectrumStore.create(tmp_path / "s.zarr", grid=GRID)
    spectra = survey(600)
    for i in range(600):  # pairs 1 arcsec apart, each visit with a name of its own
        spectra.table["object_id"][i] = f"v{i}"
        spectra.table["ra"][i], spectra.table["dec"][i] = i // 2, (i % 2) / 3600
    store.append(spectra)
    data = prepare(store, TWO, seed=1)
    of = {part: set((data.index[part][:, 0] // 2).tolist()) for part in data.parts}
    assert of["train"] and of["test"] and not of["train"] & of["test"]


def test_choice_takes_every_row_before_any_copy():
    rows, copy = choose(np.array([5, 6, 7]), np.array([0.3, 0.1, 0.2]), 7, copies=True)
    assert rows.tolist() == [6, 7, 5, 6, 7, 5, 6] and copy.tolist() == [0, 0, 0, 1, 1, 1, 2]
    rows, copy = choose(np.array([5, 6, 7]), np.array([0.3, 0.1, 0.2]), 2, copies=True)
    assert rows.tolist() == [6, 7] and copy.tolist() == [0, 0]
    assert [len(a) for a in choose(np.array([5]), np.array([0.3]), 7, copies=False)] == [1, 1]
    assert [len(a) for a in choose(np.array([], int), np.array([]), 7, copies=True)] == [0, 0]


def noisy(n: int, balance: str, epoch: int = 0) -> tuple[SpectrumSet, SpectrumSet]:
    grid = LogLambdaGrid(n_pixels=4000)
    ivar = np.tile(np.linspace(0.5, 50, 4000), (n, 1))
    ivar[:, :10] = 0
    flux = np.full(ivar.shape, 10.0)
    flux[:, 20:30] = 0
    spectra = SpectrumSet(grid.wave, flux, ivar, None, [{"spec_id": f"a{i}", "snr_g": 8.0} for i in range(n)])
    return spectra, with_noise(spectra, np.arange(n), np.arange(n), balance, seed=1, epoch=epoch)


def test_noise_from_ivar_is_what_the_new_ivar_says():
    before, after = noisy(60, "noise_from_ivar")
    assert np.array_equal(before.flux[0], after.flux[0]) and after.table["spec_id"][:3].tolist() == [
        "a0",
        "a1+1",
        "a2+2",
    ]
    good = np.arange(4000) >= 30
    added = 1 / after.ivar[1:, good] - 1 / before.ivar[1:, good]
    chi2 = (after.flux - before.flux)[1:, good] ** 2 / added
    for part in (chi2, chi2[:, :1000], chi2[:, -1000:]):
        assert abs(part.mean() - 1) < 0.03
    level = np.sqrt(before.ivar[1:, 100] / after.ivar[1:, 100] - 1)
    assert 0.29 < level.min() < 0.5 and 0.8 < level.max() < 1.01
    np.testing.assert_allclose(after.table["snr_g"][1:], 8 / np.sqrt(1 + level**2), rtol=1e-5)


def test_noise_of_the_paper_is_the_same_in_all_pixels():
    before, after = noisy(60, "paper")
    difference = (after.flux - before.flux)[1:, 30:]
    assert abs(difference.std() - 0.5) < 0.01
    np.testing.assert_allclose(1 / after.ivar[1:, 30:] - 1 / before.ivar[1:, 30:], 0.25, rtol=1e-3)


@pytest.mark.parametrize("balance", ["noise_from_ivar", "paper"])
def test_bad_pixels_stay_bad_and_zeros_stay_zero(balance):
    before, after = noisy(4, balance)
    assert np.array_equal(before.mask, after.mask) and (after.ivar[:, :10] == 0).all()
    assert (after.flux[:, 20:30] == 0).all() and np.array_equal(after.flux[:, :10], before.flux[:, :10])
    assert (after.ivar <= before.ivar).all()


def test_noise_follows_from_seed_row_copy_and_epoch():
    assert np.array_equal(noisy(3, "noise_from_ivar")[1].flux, noisy(3, "noise_from_ivar")[1].flux)
    assert not np.array_equal(noisy(3, "noise_from_ivar")[1].flux, noisy(3, "noise_from_ivar", epoch=1)[1].flux)
    assert np.array_equal(noisy(3, "paper")[1].flux, noisy(3, "paper", epoch=1)[1].flux)
    with pytest.raises(RacnetError, match="noise_from_ivar, paper"):
        noisy(3, "smote")


def test_batches_are_ready_for_a_network(data):
    whole_x, whole_y = data.arrays("train")
    assert whole_x.dtype == np.float32 and whole_y.dtype == np.int64
    np.testing.assert_allclose(np.linalg.norm(whole_x, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(whole_x, Preprocessing(GRID)(data.spectra("train")))
    batches = list(data.batches("train", 64, epoch=0))
    assert [len(x) for x, _ in batches] == [64] * 8 + [48]
    x, y = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    assert y.shape == (560, 2) and (y.sum(axis=1) == 1).all()
    place = {row.tobytes(): k for k, row in enumerate(whole_x)}  # each entry once, with its own label
    order = [place[row.tobytes()] for row in x]
    assert sorted(order) == list(range(560)) and order != sorted(order)
    assert (whole_y[order] == y.argmax(axis=1)).all()
    again = np.concatenate([x for x, _ in data.batches("train", 64, epoch=0)])
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, np.concatenate([x for x, _ in data.batches("train", 64, epoch=1)]))
    still = np.concatenate([x for x, _ in data.batches("test", 7, shuffle=False)])
    np.testing.assert_array_equal(still, data.arrays("test")[0])
    with pytest.raises(RacnetError, match="train, test, validation"):
        data.arrays("training")


def test_what_changes_between_epochs_are_the_copies(data):
    first, second = data.epochs()(0), data.epochs()(1)
    copies = data.index["train"][:, 1] > 0
    changed = (first[0] != second[0]).any(axis=1)
    assert (changed == copies).all() and (first[1] == second[1]).all()
    same = prepare(data.store, TWO, seed=3, balance="paper").epochs()
    assert same(0)[0] is same(1)[0]


def test_a_saved_data_set_is_the_same(data, store, tmp_path):
    folder = data.save(tmp_path / "d")
    assert is_dataset(folder) and not is_dataset(tmp_path)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 40_000
    code = """if True:
        import sys, hashlib
        from racnet_tools.datasets import DataSet
        data = DataSet.open(sys.argv[1])
        print(hashlib.sha256(data.arrays("train")[0].tobytes()).hexdigest(), data.classes, data.recipe.name)
    """
    import hashlib

    told = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout
    assert told.split()[0] == hashlib.sha256(data.arrays("train")[0].tobytes()).hexdigest()
    assert "('STAR', 'QSO') two" in told
    assert DataSet.open(folder).description() == data.description()
    json.dumps(data.description())
    with pytest.raises(RacnetError, match="holds a data set already"):
        data.save(folder)


def test_a_data_set_knows_its_store(tmp_path):
    store = SpectrumStore.create(tmp_path / "s.zarr", grid=GRID)
    store.append(survey(300))
    folder = prepare(store, TWO, scale=0.1, seed=0).save(tmp_path / "d")
    x = DataSet.open(folder).arrays("train")[0]
    store.append(survey(100, seed=8, start=300))
    np.testing.assert_array_equal(DataSet.open(folder).arrays("train")[0], x)
    other = SpectrumStore.create(tmp_path / "o.zarr", grid=GRID)
    other.append(survey(300, seed=2))
    with pytest.raises(ReadError, match=r"the store that .* was prepared from"):
        DataSet.open(folder, store=other.path)
    store.path.rename(tmp_path / "moved.zarr")
    with pytest.raises(ReadError, match="a store of spectra"):
        DataSet.open(folder)
    np.testing.assert_array_equal(DataSet.open(folder, store=tmp_path / "moved.zarr").arrays("train")[0], x)


def test_what_is_no_data_set_is_refused(data, tmp_path):
    with pytest.raises(ReadError, match=r"found no dataset\.json"):
        DataSet.open(tmp_path)
    folder = data.save(tmp_path / "d")
    np.save(folder / "train.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="folder of a data set"):
        DataSet.open(folder)
    (folder / "dataset.json").write_text("[]")
    with pytest.raises(ReadError, match="folder of a data set"):
        DataSet.open(folder)


def test_what_cannot_be_prepared_is_said(store):
    with pytest.raises(RacnetError, match="0 spectra of class GALAXY"):
        prepare(store, "dataset2", scale=0.01, seed=1)
    with pytest.raises(RacnetError, match="balance"):
        prepare(store, TWO, seed=1, balance="smote")
    with pytest.raises(RacnetError, match="seed=-1"):
        prepare(store, TWO, seed=-1)
    with pytest.raises(RacnetError, match=r"validation=0\.8"):
        prepare(store, TWO, seed=1, validation=0.8)


def test_spectra_without_flux_are_left_out(tmp_path):
    store = SpectrumStore.create(tmp_path / "s.zarr", grid=GRID)
    spectra = survey(300)
    spectra.flux[:50] = 0
    store.append(spectra)
    data = prepare(store, Recipe("all", "all", ("STAR", "QSO"), per_class=300), seed=1)
    assert min(entries[:, 0].min() for entries in data.index.values()) >= 50
    assert len(data.arrays("train")[0]) == data.size("train")


def test_a_network_trains_on_it(data, tmp_path):
    from racnet_tools.models import network_config
    from racnet_tools.training import TrainingConfig, fit

    network = network_config("racnet", 2, n_pixels=GRID.n_pixels, filters=(4, 4), dense_units=8)
    run = fit(
        network,
        data.epochs(),
        tmp_path / "run",
        TrainingConfig(epochs=1, batch_size=32),
        validation=data.arrays("test"),
        description=data.description(),
        progress=False,
    )
    assert run.metrics["validation"]["spectra"] == data.size("test")
    assert run.config["data"]["fingerprint"] == data.store.fingerprint
