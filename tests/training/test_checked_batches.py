"""Wrong examples are named: in arrays by their number, in batches by batch and place."""

import numpy as np
import pytest
import tensorflow as tf

from keras_prune.errors import DataError
from keras_prune.training import Task, TrainingConfig, fit
from keras_prune.training.checked_batches import looked_through

from .small import X, Y, regression

NAN = np.float32("nan")


def spoiled(array, row):
    array = array.copy()
    array[row, 0] = NAN
    return array


@pytest.mark.parametrize("part", [0, 1, 2])
def test_batch_and_place_are_named_in_every_pass(part):
    arrays = [X, Y, np.ones((len(X), 1), "float32")]
    arrays[part] = spoiled(arrays[part], 7)
    batches = tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(4).repeat()
    later = looked_through(batches.skip(4), "train", 0, first=4, steps=3)  # in the second pass
    words = "in 1 of the 4 examples of batch 1, the first of them at place 3 "
    for found in (looked_through(batches, "train", 0, steps=3), later):
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            list(found.take(9))


@pytest.mark.parametrize(
    "data",
    [(spoiled(X, 6), Y), tf.data.Dataset.from_tensor_slices((spoiled(X, 6), Y)).batch(4)],
    ids=["arrays", "tf.data"],
)
def test_a_training_names_the_example_in_its_first_epoch(data):
    words = "number 6 " if isinstance(data, tuple) else "batch 1, the first of them at place 2"
    task = Task(data, loss="mse", batch_size=4)
    with pytest.raises(DataError, match=f"The train data hold values that are NaN.*{words}"):
        fit(regression(), task, TrainingConfig(1, 0.01), seed=0)
