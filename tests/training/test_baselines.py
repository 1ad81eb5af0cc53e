"""The cache of trained baselines."""

import json
from dataclasses import replace

import numpy as np
import pytest

from keras_prune import data
from keras_prune.tracking import Observer, Observers
from keras_prune.training import TrainingConfig, baseline

from .small import assert_same

CONFIG = TrainingConfig(epochs=2, learning_rate=0.02)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def splits():
    return data.load("digits", input_shape=(12, 12, 1))


@pytest.fixture(scope="module")
def unbroken(splits, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_PRUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return baseline("lenet5", splits, CONFIG, seed=0)


def names(folder):
    return sorted(path.suffix for path in folder.iterdir())


def test_a_baseline_is_trained_once(cache, splits):
    told, past = [], []

    class Past(Observer):
        def epoch(self, epoch):
            past.append((epoch.stage, epoch.number, epoch.pruned, epoch.row["val_loss"]))

    first, rows = baseline("lenet5", splits, CONFIG, seed=0, observers=Observers([Past("here")]))
    expected = [("train lenet5", row["epoch"], False, row["val_loss"]) for row in rows]
    assert past == expected
    observers = Observers([Past("here")], watcher=told.append)
    again, same_rows = baseline("lenet5", splits, CONFIG, seed=0, observers=observers)
    assert not told and past == 2 * expected
    assert rows == same_rows
    assert set(rows[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy"}
    for kept, loaded in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, loaded)


def test_the_note_says_what_made_it_and_nothing_else_stays(cache, splits):
    baseline("lenet5", splits, CONFIG, seed=4)
    assert names(cache) == [".json", ".keras"]
    note = json.loads(next(cache.glob("*.json")).read_text())
    made_by = note["made_by"]
    assert (made_by["model"], made_by["data"], made_by["seed"]) == ("lenet5", "digits", 4)
    assert made_by["training"]["learning_rate"] == 0.02
    assert len(note["history"]) == 2


@pytest.mark.slow
def test_another_making_is_another_file(cache, splits, monkeypatch):
    monkeypatch.setattr("keras_prune.training.trainer.fix_order", lambda: None)
    short = replace(CONFIG, epochs=1, steps_per_epoch=1)
    baseline("lenet5", splits, short, seed=0)
    baseline("lenet5", splits, short, seed=1)
    baseline("lenet5", splits, replace(short, learning_rate=0.01), seed=0)
    baseline("lenet5", splits, replace(short, optimizer="adamw"), seed=0)
    baseline("lenet5", replace(splits, batch_size=64), short, seed=0)
    baseline("lenet5", splits, short, seed=0, deterministic=True)
    assert names(cache).count(".keras") == 6


def test_keys_are_those_of_version_0_1(cache, splits):
    """What was trained before stays in the cache."""
    baseline("lenet5", splits, replace(CONFIG, epochs=1), seed=0)
    assert [path.name for path in cache.glob("*.keras")] == ["lenet5-digits-124db989ae80.keras"]


def test_a_killed_training_goes_on_exactly_where_it_was(cache, splits, unbroken, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CHECKPOINT_SECONDS", "0")
    steps = splits.sizes["train"] // splits.batch_size
    told = []

    class Kill(Observer):
        def progress(self, progress):
            told.append(progress.done)
            if progress.done >= steps + 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        baseline("lenet5", splits, CONFIG, seed=0, observers=Observers([Kill("here")]))
    assert names(cache) == [".partial"]
    del told[:]
    observers = Observers(watcher=lambda progress: told.append(progress.done))
    model, rows = baseline("lenet5", splits, CONFIG, seed=0, observers=observers)
    assert told and min(told) > steps
    assert_same(model.get_weights(), unbroken[0].get_weights())
    assert rows == unbroken[1]
    assert names(cache) == [".json", ".keras"]


def test_the_platforms_cache_is_the_default(tmp_path, monkeypatch, splits):
    monkeypatch.delenv("KERAS_PRUNE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    baseline("lenet5", splits, replace(CONFIG, epochs=1), seed=0)
    assert names(tmp_path / "keras-prune") == [".json", ".keras"]
