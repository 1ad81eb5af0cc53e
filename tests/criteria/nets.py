"""Tiny networks whose scores can be computed by hand."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks import conv, image
from tests.surgery.invariant import randomise


def dense(last: str | None = None) -> keras.Model:
    """Two inputs, three hidden channels behind a ReLU, two classes."""
    i = keras.Input((2,))
    x = kl.Dense(3, activation="relu", name="hidden")(i)
    return randomise(keras.Model(i, kl.Dense(2, activation=last, name="head")(x)))


def two_readers() -> keras.Model:
    """A convolution with BatchNorm and ReLU, read by two others."""
    i = image(2, size=3)
    x = kl.ReLU()(kl.BatchNormalization(name="norm")(conv(4, "a")(i)))
    b, c = conv(3, "b")(x), kl.Conv2D(2, 1, name="c")(x)
    y = kl.GlobalAveragePooling2D()(kl.Concatenate()([b, c]))
    return randomise(keras.Model(i, kl.Dense(2, name="head")(y)))


def two_flat_readers() -> keras.Model:
    """Four positions of three channels, each read by two dense layers whose outputs are added."""
    i = keras.Input((2, 2, 2))
    x = kl.Flatten()(kl.Conv2D(3, 1, activation="relu", name="a")(i))
    return randomise(keras.Model(i, kl.Dense(2, name="one")(x) + kl.Dense(2, name="two")(x)))


def weights(model: keras.Model, layer: str) -> list[np.ndarray]:
    return [np.asarray(w, "float64") for w in model.get_layer(layer).get_weights()]


def examples(model: keras.Model, count: int = 7) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    shape = (count, *model.inputs[0].shape[1:])
    return random.normal(size=shape).astype("float32"), random.integers(0, 2, count)


def products_of_two_readers(model: keras.Model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Activation times gradient in `two_flat_readers`, `(examples, positions, channels)`."""
    (w, b), (v1, c1), (v2, c2) = (weights(model, name) for name in ("a", "one", "two"))
    z = np.maximum(x @ w[0, 0] + b, 0).reshape(len(x), -1)
    error = softmax(z @ (v1 + v2) + c1 + c2) - np.eye(2)[y]
    return (z * (error @ v1.T) + z * (error @ v2.T)).reshape(len(x), 4, 3)


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def squares(labels, outputs):
    """A loss for models with outputs of any number and shape."""
    flat = [ops.reshape(x, (ops.shape(labels)[0], -1)) for x in keras.tree.flatten(outputs)]
    return sum(ops.sum(ops.square(x), axis=1) for x in flat)
