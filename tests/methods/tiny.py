"""A network small enough for whole runs on the embedded digits, and what it is trained for."""

from typing import Any

import keras
import numpy as np

from keras_prune import Task, data
from keras_prune.methods.context import Context
from keras_prune.tracking import Observers
from keras_prune.training import TrainingConfig, fit

layers = keras.layers

SPLITS = data.load("digits", input_shape=(8, 8, 1), batch_size=64, augment=False)
RECOVERY = TrainingConfig(epochs=2, learning_rate=0.02, steps_per_epoch=2)
FINETUNE = TrainingConfig(epochs=2, learning_rate=0.02, steps_per_epoch=3)
TRAININGS = {"recovery": RECOVERY, "finetune": FINETUNE}


def network() -> keras.Model:
    """8x8 grey images to ten classes, with dropout and norms; little is trained."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1))
    x = layers.Rescaling(1 / 16)(image)
    for name in ("first", "second"):
        x = layers.Conv2D(8, 3, name=name)(x)
        x = layers.ReLU()(layers.BatchNormalization(name=f"{name}_norm")(x))
        x = layers.Dropout(0.1, name=f"{name}_dropout")(x)
    x = layers.Dense(12, activation="relu", name="hidden")(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10, name="logits")(x), name="tiny")


def trained() -> keras.Model:
    """The network after a short training."""
    model = network()
    fit(model, SPLITS, TrainingConfig(epochs=3, learning_rate=0.02), seed=0)
    return model


def context(model: keras.Model, task: Task | None = None, **options: Any) -> Context:
    """A run of a method, as the driver makes it."""
    bound = (task or Task(SPLITS)).bind(model)
    given = {"seed": 0, "precision": "float32", "baseline": 90.0, "distillation": None}
    return Context(model, bound, observers=Observers(), **given | options)


def assert_same_weights(one: keras.Model, other: keras.Model) -> None:
    """Bit for bit."""
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
