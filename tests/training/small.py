"""Ten examples, networks of a few weights, and the forms that `model.fit` takes data in."""

import keras
import numpy as np
import tensorflow as tf

_random = np.random.default_rng(0)
X = _random.normal(size=(10, 4)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5], [1.0]]).astype("float32")
CLASSES = np.arange(10, dtype="int64") % 3
BATCH = 4
STEPS = 3


def batches_of(arrays=(X, Y)):
    """Batches of four, four and two."""
    for start in range(0, 10, BATCH):
        yield keras.tree.map_structure(lambda array: array[start : start + BATCH], arrays)  # noqa: B023


class Sequence(keras.utils.PyDataset):
    def __init__(self, arrays=(X, Y)):
        super().__init__()
        self._batches = list(batches_of(arrays))

    def __len__(self):
        return len(self._batches)

    def __getitem__(self, index):
        return self._batches[index]


FORMS = {
    "tf.data": lambda a=(X, Y): tf.data.Dataset.from_tensor_slices(a).batch(BATCH),
    "arrays": lambda a=(X, Y): a,
    "PyDataset": Sequence,
    "function": lambda a=(X, Y): lambda: batches_of(a),
    "generator": batches_of,
}


def settings(form):
    """What a task needs beside data of a form."""
    if form == "generator":
        return {"batch_size": BATCH, "train_steps": STEPS, "validation_steps": STEPS}
    return {"batch_size": BATCH}


def regression(seed=1, dropout=0.0, outputs=1):
    keras.utils.set_random_seed(seed)
    hidden = [keras.layers.Dense(6, "relu"), keras.layers.Dropout(dropout)]
    return keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(outputs)])


def classifier(seed=1):
    return regression(seed, outputs=3)


def two_ended(seed=1, named=False):
    """Inputs `a` and `b`, outputs `size` (1) and `kind` (3); as lists, or as dicts by name."""
    keras.utils.set_random_seed(seed)
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    x = keras.layers.Concatenate()([a, b])
    ends = {"size": keras.layers.Dense(1, name="size")(x)}
    ends["kind"] = keras.layers.Dense(3, name="kind", activation="softmax")(x)
    return keras.Model({"a": a, "b": b}, ends) if named else keras.Model([a, b], [*ends.values()])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def subclassed(seed=1):
    keras.utils.set_random_seed(seed)
    model = Subclassed()
    model(X)
    return model


def weights(model):
    return [np.array(value) for value in model.get_weights()]


def assert_same(ours, theirs):
    """Bit for bit."""
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
