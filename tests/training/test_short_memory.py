"""Batches that do not fit into memory are halved, which is said, and nothing else changes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_prune import data
from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.training import Task, TrainingConfig, fit
from keras_prune.training.checkpoint import Checkpoint

from .small import X, Y, assert_same, weights

ONCE = TrainingConfig(epochs=2, learning_rate=0.01)
HALVED = pytest.warns(ResultWarning, match="not enough memory for .*batches of half the size")


@keras.saving.register_keras_serializable("tests")
class Narrow(keras.layers.Layer):
    """Has memory for so many examples only."""

    most = 2

    def call(self, x):
        size = tf.py_function(self._check, [tf.shape(x)[0]], tf.float32)
        return x + tf.ensure_shape(size, ())

    def _check(self, size):
        if int(size) > self.most:
            raise MemoryError(f"{int(size)} examples")
        return np.float32(0)


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    inputs = keras.Input(X.shape[1:])
    return keras.Model(inputs, keras.layers.Dense(1)(Narrow()(inputs)))


def arrays(batch_size):
    return Task((X, Y), validation=(X, Y), loss="mse", batch_size=batch_size)


def test_a_training_is_that_of_a_smaller_batch_size(model, tmp_path):
    begun = model.get_weights()
    with HALVED as told:
        found = fit(model, arrays(8), ONCE, seed=3, validate=True)
    assert len([each for each in told if each.category is ResultWarning]) == 2  # 8, 4, 2
    halved = weights(model)
    model.set_weights(begun)
    expected = fit(model, arrays(2), ONCE, seed=3, validate=True)
    assert found == expected
    assert_same(halved, weights(model))


def test_a_killed_training_goes_on_in_smaller_batches(model, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise Killed

    begun = model.get_weights()
    with HALVED:
        fit(model, arrays(4), ONCE, seed=3)
    unbroken = weights(model)
    for callbacks in ([Kill()], []):
        model.set_weights(begun)
        try:
            with HALVED:
                checkpoint = Checkpoint(tmp_path / "state", "a", 0.0)
                fit(model, arrays(4), ONCE, seed=3, callbacks=callbacks, checkpoint=checkpoint)
        except Killed:
            continue
    assert_same(weights(model), unbroken)


def test_whole_batches_do_not_go_on_from_halved_ones(model, tmp_path, monkeypatch):
    begun, folder = model.get_weights(), tmp_path / "state"
    with HALVED:
        fit(model, arrays(4), ONCE, seed=3, checkpoint=Checkpoint(folder, "a", 0.0))
    monkeypatch.setattr(Narrow, "most", 100)  # as on another machine
    ends = []
    for checkpoint in (Checkpoint(folder, "a", 0.0), None):
        model.set_weights(begun)
        fit(model, arrays(4), ONCE, seed=3, checkpoint=checkpoint)
        ends.append(weights(model))
    assert_same(*ends)


def test_figures_do_not_depend_on_it(model):
    expected = arrays(2).bind(model).evaluate(model, "validation")
    with HALVED:
        found = arrays(8).bind(model).evaluate(model, "validation")
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    "given",
    [arrays(1), Task(tf.data.Dataset.from_tensor_slices((X, Y)).batch(4), loss="mse")],
    ids=["one example", "the user's own"],
)
def test_batches_that_cannot_be_halved_are_one_line(model, given, monkeypatch):
    monkeypatch.setattr(Narrow, "most", 0)
    with pytest.raises(ConfigError, match="not enough memory for the training 'train'. Give sm"):
        fit(model, given, ONCE, seed=3)


def test_data_sets_of_the_package_are_halved():
    feed = data.load("digits", input_shape=(8, 8, 1), batch_size=2).feed("train")
    smaller = feed.halved()
    assert smaller.steps == 2 * feed.steps and smaller.halved() is None
    images, labels = next(smaller.endless(0, 0).as_numpy_iterator())
    assert images.shape == (1, 8, 8, 1) and labels.shape == (1,)
