"""Values for inputs."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.graph.samples import drawn


def values(tensor, high=255):
    return drawn(tensor, (50, 4), high, np.random.default_rng(0))


class Tokens(keras.layers.Layer):
    """An embedding inside a layer of the user's."""

    def __init__(self):
        super().__init__()
        self.table = kl.Embedding(1, 2)

    def call(self, x):
        return self.table(x)


@pytest.mark.parametrize(
    ("dtype", "read", "below"),
    [
        ("float32", kl.Dense(2), 255),
        ("uint8", kl.Rescaling(1 / 255), 255),
        ("int32", kl.Dense(2), 2),
        ("float32", kl.Embedding(9, 2), 2),
        ("float32", lambda x: kl.Embedding(1, 2)(kl.Reshape((2, 2))(x)), 1),
        ("int32", Tokens(), 1),
        ("int32", keras.Sequential([keras.Input((4,), dtype="int32"), kl.Embedding(1, 2)]), 1),
    ],
)
def test_numbers_stay_below_what_looks_them_up(dtype, read, below):
    tensor = keras.Input((4,), dtype=dtype)
    read(tensor)
    assert 0.9 * below < values(tensor).max() < below


@pytest.mark.tensorflow
def test_words_and_numbers_are_those_a_lookup_knows():
    words, numbers = keras.Input((4,), dtype="string"), keras.Input((4,), dtype="int64")
    kl.StringLookup(vocabulary=["x", "y"], num_oov_indices=0)(words)
    kl.IntegerLookup(vocabulary=[10, 20])(numbers)
    assert set(values(words).flat) == {"x", "y"}
    assert set(values(numbers).flat) == {10, 20}


def test_flags_differ_and_no_row_is_without_any():
    flags = values(keras.Input((4,), dtype="bool"))
    assert flags.any(axis=1).all() and not flags.all()
