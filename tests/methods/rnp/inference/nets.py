"""Small networks that decide at run time, with random weights of every kind."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl

from keras_prune.agents.q_learning import Policy
from keras_prune.graph import ChannelGraph
from keras_prune.methods.rnp.decisions import Decisions, find_decisions
from keras_prune.methods.rnp.execution import Masked
from keras_prune.methods.rnp.inference.model import RuntimePrunedModel
from keras_prune.methods.rnp.network import DecisionNetwork

SHAPE = (16, 16, 3)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (count, *SHAPE)).astype("float32")


def chain(seed: int) -> keras.Model:
    """Convolutions of random sizes, with whatever may stand between them."""
    rng = np.random.default_rng(seed)
    x = inputs = keras.Input(SHAPE)
    for number, filters in enumerate(rng.integers(4, 12, 4)):
        x = _convolution(rng, int(filters), number)(x)
        x = kl.BatchNormalization()(x) if rng.random() < 0.5 else x
        x = kl.Activation(str(rng.choice(["relu", "sigmoid", "tanh"])))(x)
        x = _pooling(rng)(x) if rng.random() < 0.3 and x.shape[1] > 3 else x
    x = kl.Flatten()(x) if rng.random() < 0.5 else kl.GlobalAveragePooling2D()(x)
    return randomized(keras.Model(inputs, kl.Dense(5)(x)), rng)


def residual() -> keras.Model:
    """Two blocks; only what lies inside a block can be decided about."""
    x = inputs = keras.Input(SHAPE)
    x = kl.ReLU()(kl.BatchNormalization()(kl.Conv2D(8, 3, padding="same", name="stem")(x)))
    for number in range(2):
        inner = kl.Conv2D(6, 3, padding="same", use_bias=False, name=f"inner{number}")(x)
        inner = kl.ReLU()(kl.BatchNormalization(scale=False)(inner))
        outer = kl.BatchNormalization()(kl.Conv2D(8, 3, padding="same")(inner))
        x = kl.ReLU()(kl.Add()([x, outer]))
    outputs = kl.Dense(5)(kl.GlobalAveragePooling2D()(x))
    return randomized(keras.Model(inputs, outputs), np.random.default_rng(0))


def randomized(model: keras.Model, rng: np.random.Generator) -> keras.Model:
    """Weights away from the zeros and ones they begin with; variances stay positive."""
    for weight in model.weights:
        centre = 1.0 if "variance" in weight.path or "gamma" in weight.path else 0.0
        spread = 0.3 if centre else 1 / np.sqrt(np.prod(weight.shape[:-1]) + 1)
        weight.assign(centre + spread * rng.uniform(-1, 1, weight.shape))
    return model


def decisions_of(model: keras.Model, sets: int = 3) -> Decisions:
    return find_decisions(ChannelGraph(model), sets)


def forced(actions: np.ndarray) -> Policy:
    """Takes given actions, int `(batch, decisions)`."""
    table = tf.constant(actions, tf.int32)
    return lambda step, state: table[:, step]


def runtime_pruned(backbone: keras.Model | None = None, sets: int = 3) -> RuntimePrunedModel:
    """A model whose decision network chooses many different actions."""
    keras.utils.set_random_seed(1)
    backbone = backbone or chain(1)
    found = decisions_of(backbone, sets)
    network = DecisionNetwork([step.state for step in found.steps], sets, code=8, units=8)
    drawn = np.random.default_rng(0).integers(0, sets, (32, len(found.steps)))
    network.adapt([s.numpy() for s in Masked(found)(pictures(32), forced(drawn)).states])
    return RuntimePrunedModel(backbone, network, sets)


def _convolution(rng: np.random.Generator, filters: int, number: int) -> kl.Layer:
    stride, dilation = [(1, 1), (1, 1), (2, 1), (1, 2)][rng.integers(4)] if number < 3 else (1, 1)
    return kl.Conv2D(
        filters,
        int(rng.choice([1, 3])),
        strides=stride,
        dilation_rate=dilation,
        padding="valid" if number == 0 else "same",
        use_bias=bool(rng.random() < 0.7),
        activation="relu" if rng.random() < 0.3 else None,
    )


def _pooling(rng: np.random.Generator) -> kl.Layer:
    return (kl.MaxPooling2D, kl.AveragePooling2D)[rng.integers(2)](2)
