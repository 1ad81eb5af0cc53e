"""The cache of trained baselines."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from keras_prune import data, training
from keras_prune.training import TrainingConfig, baseline

CONFIG = TrainingConfig(epochs=2, learning_rate=0.02)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_PRUNE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def splits():
    return data.load("digits", input_shape=(12, 12, 1))


def names(folder):
    return sorted(path.suffix for path in folder.iterdir())


def test_a_baseline_is_trained_once(cache, splits):
    told = []
    first, rows = baseline("lenet5", splits, CONFIG, seed=0, watcher=told.append)
    assert told
    told.clear()
    again, same_rows = baseline("lenet5", splits, CONFIG, seed=0, watcher=told.append)
    assert not told
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


def test_another_making_is_another_file(cache, splits):
    baseline("lenet5", splits, CONFIG, seed=0)
    baseline("lenet5", splits, CONFIG, seed=1)
    baseline("lenet5", splits, replace(CONFIG, learning_rate=0.01), seed=0)
    baseline("lenet5", replace(splits, batch_size=64), CONFIG, seed=0)
    assert names(cache).count(".keras") == 4


def test_a_killed_training_goes_on_where_it_was(cache, splits):
    config = replace(CONFIG, epochs=3)
    steps = splits.sizes["train"] // splits.batch_size

    def kill(step):
        if step.done > steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        baseline("lenet5", splits, config, seed=0, watcher=kill)
    assert names(cache) == [".partial"]

    told = []
    _, rows = baseline("lenet5", splits, config, seed=0, watcher=told.append)
    assert min(step.done for step in told) > steps
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert names(cache) == [".json", ".keras"]


def test_a_resumed_training_has_the_optimizer_it_had(cache, splits, monkeypatch):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            optimizer = self.model.optimizer
            if batch == 0 and optimizer.iterations > 0:
                seen.append([int(optimizer.iterations), *map(np.array, optimizer.variables[1:])])
                if len(seen) == 1:
                    raise KeyboardInterrupt

    def spied(*args, callbacks, **kwargs):
        return training.fit(*args, callbacks=[*callbacks, Spy()], **kwargs)

    monkeypatch.setitem(baseline.__globals__, "fit", spied)
    with pytest.raises(KeyboardInterrupt):
        baseline("lenet5", splits, CONFIG, seed=0)
    baseline("lenet5", splits, CONFIG, seed=0)
    before, after = seen
    assert before[0] == after[0] == splits.sizes["train"] // splits.batch_size
    assert max(np.abs(momentum).max() for momentum in before[1:]) > 0
    for momentum, restored in zip(before[1:], after[1:], strict=True):
        np.testing.assert_array_equal(momentum, restored)


def test_the_platforms_cache_is_the_default(tmp_path, monkeypatch, splits):
    monkeypatch.delenv("KERAS_PRUNE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    baseline("lenet5", splits, replace(CONFIG, epochs=1), seed=0)
    assert names(tmp_path / "keras-prune") == [".json", ".keras"]


@pytest.mark.slow
def test_vgg16_learns_digits(cache):
    splits = data.load("digits", input_shape=(32, 32, 3), batch_size=32)
    config = TrainingConfig(epochs=4, learning_rate=0.02, weight_decay=5e-3)
    model, _ = baseline("vgg16", splits, config, seed=0)
    assert training.evaluate(model, splits.test).accuracy >= 97
