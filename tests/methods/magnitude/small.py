"""A network small enough for every test."""

from typing import Any

import keras
import numpy as np

from keras_prune.methods.context import Context
from keras_prune.methods.magnitude import Magnitude
from keras_prune.reporting import RunDirectory
from keras_prune.tracking import Observers
from keras_prune.training import Task, TrainingConfig

layers = keras.layers

TRAINING = TrainingConfig(epochs=1, learning_rate=0.02, schedule="constant")
LAYERS = {"conv": 54, "fc1": 3456, "fc2": 64}
"""The weights of the network's kernels."""


def network(seed: int = 0, dropout: float = 0.5) -> keras.Model:
    """8x8x1 images to 4 classes; a convolution, two dense layers, dropout behind one."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 1))
    x = layers.ReLU(name="relu")(layers.Conv2D(6, 3, name="conv")(inputs))
    x = layers.Dense(16, activation="relu", name="fc1")(layers.Flatten()(x))
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, layers.Dense(4, name="fc2")(x), name="small")


def images(count: int = 16) -> np.ndarray:
    """Images for it."""
    return np.random.default_rng(3).normal(size=(count, 8, 8, 1)).astype("float32")


def left(model: keras.Model) -> dict[str, int]:
    """How many weights of each kernel are not zero."""
    return {name: int(np.count_nonzero(model.get_layer(name).kernel)) for name in LAYERS}


def task(count: int = 32) -> Task:
    """Classes for the images."""
    data = images(count), np.arange(count, dtype="int64") % 4
    return Task(data, validation=data, test=data, batch_size=8)


def context(
    model: keras.Model, given: Task, directory: RunDirectory | None = None, seed: int = 0
) -> Context:
    """A run of a method on a model."""
    bound = given.bind(model)
    return Context(
        model,
        bound,
        seed=seed,
        precision="float32",
        baseline=bound.value(model),
        distillation=None,
        observers=Observers(),
        directory=directory,
    )


def magnitude(**options: Any) -> Magnitude:
    """The method with quick trainings."""
    return Magnitude(recovery=TRAINING, finetune=TRAINING, **options)
