"""Calibration data of every kind, good and bad."""

import keras
import numpy as np
import pytest

from keras_prune import criteria
from keras_prune.errors import DataError
from keras_prune.graph import ChannelGraph
from keras_prune.training.calibration import batches
from tests.criteria.nets import dense, examples

pytestmark = pytest.mark.tensorflow
INPUTS = [keras.KerasTensor((None, 2))]


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 2

    def __getitem__(self, number):
        part = slice(4 * number, 4 * number + 4)
        return self.x[part], self.y[part]


def forms(x, y):
    import tensorflow as tf

    yield (x, y)
    yield tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    yield Sequence(x, y)
    yield [(x[:4], y[:4]), (x[4:], y[4:])]


def test_every_form_gives_the_same_batches():
    x, y = examples(dense())
    for data in forms(x, y):
        found = list(batches(data, INPUTS, 4))
        assert [len(labels) for _, labels in found] == [4, 3]
        np.testing.assert_array_equal(np.concatenate([inputs[0] for inputs, _ in found]), x)
        np.testing.assert_array_equal(np.concatenate([labels for _, labels in found]), y)


def test_labels_may_be_left_out():
    x, _ = examples(dense())
    for data in (x, (x, None), [x]):
        assert [labels for _, labels in batches(data, INPUTS, 7)] == [None]


X, Y = np.zeros((5, 2), "float32"), np.zeros(5, "int32")


def endless():
    import tensorflow as tf

    return tf.data.Dataset.from_tensors((X, Y)).repeat()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "Expected calibration data: a tf.data.Dataset"),
        (7, "Received: int"),
        ([], "The calibration data is empty. Give at least one batch"),
        ((X[:0], Y[:0]), "The calibration data is empty"),
        ([(X[:0], Y[:0])], "Batch 1 of the calibration data is empty"),
        ((X, Y, Y), "Received: a tuple of 3"),
        ((X, Y[:4]), "Received: arrays of lengths 4, 5"),
        ([(X, Y), (X, Y[:4])], "Received: 4, 5 in batch 2"),
        ((np.zeros((5, 3)), Y), "inputs of shape (None, 2). Received: (5, 3) in batch 1"),
        (([X, X], Y), "Received: (5, 2) and (5, 2) in batch 1"),
        (endless, "no end. Take some of it: data.take(batches)"),
        (X, "'taylor' expects calibration data with labels: (inputs, labels)"),
        (
            (X, Y + 2),
            "labels from 0 to 1, for the model has 2 outputs. Received: labels from 2 to 2",
        ),
        ((X, Y - 1), "Received: labels from -1 to -1"),
        ((X, np.zeros((5, 2))), "Received: labels of shape (5, 2). For other labels give a loss"),
    ],
)
def test_bad_data_gives_one_line(data, message):
    graph = ChannelGraph(dense())
    with pytest.raises(DataError) as caught:
        criteria.get("taylor")(graph, data() if callable(data) else data)
    assert message in str(caught.value) and "\n" not in str(caught.value)
