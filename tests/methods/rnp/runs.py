"""A small network, a task where some images are hard, and a run of the method by hand."""

import keras

from keras_prune import data
from keras_prune.graph import ChannelGraph
from keras_prune.methods.context import Context
from keras_prune.methods.rnp import RNP, find_decisions
from keras_prune.tracking import Observers
from keras_prune.training import Task, TrainingConfig

layers = keras.layers

RECOVERY = TrainingConfig(epochs=1, learning_rate=0.05, steps_per_epoch=30)


def network():
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 1))
    x = layers.Rescaling(1 / 255)(image)
    for number in range(3):
        x = layers.Conv2D(8, 3, strides=2, name=f"conv{number}")(x) if number < 2 else x
        x = layers.BatchNormalization(name=f"norm{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    return keras.Model(image, layers.Dense(10, name="logits")(layers.Flatten()(x)))


def digits():
    return data.load("digits", input_shape=(16, 16, 1), batch_size=32)


def method(**config):
    settings = {"sets": 2, "steps": 1, "episodes": 6, "updates": 2, "calibration_images": 64}
    return RNP(**settings | config, recovery=RECOVERY)


def context(model, task=None, seed=5, **others):
    task = (task or Task(digits())).bind(model)
    given = {"precision": "float32", "distillation": None, "observers": Observers()}
    return Context(model, task, seed=seed, baseline=task.value(model), **given | others)


def decided(model, sets=2):
    return find_decisions(ChannelGraph(model), sets)
