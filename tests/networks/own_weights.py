"""Layers of a user's with weights of their own."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.base import behind, network


@keras.saving.register_keras_serializable("own_weights")
class ScaleAndShift(kl.Layer):
    """One scale and one offset for each channel, the scale as an exponent."""

    def build(self, shape):
        self.logs = self.add_weight((shape[-1],), name="logs")
        self.offset = self.add_weight((1, 1, shape[-1]), name="offset")

    def call(self, x):
        return x * ops.exp(0.3 * self.logs) + ops.expand_dims(self.offset, 0)


@keras.saving.register_keras_serializable("own_weights")
class Tokens(kl.Layer):
    """A token in front of the others, and a place for each."""

    def build(self, shape):
        self.token = self.add_weight((1, 1, shape[-1]), name="token")
        self.places = self.add_weight((shape[1] + 1, shape[-1]), name="places")

    def call(self, x):
        token = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([token, x], axis=1) + self.places


@keras.saving.register_keras_serializable("own_weights")
class Mix(kl.Layer):
    """Reads all channels and makes as many as it is told."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        self.kernels = [self.add_weight((shape[-1], self.units), name="kernel")]
        self.bias = self.add_weight((self.units,), name="bias")

    def call(self, x):
        return ops.tanh(ops.matmul(x, self.kernels[0]) + self.bias)

    def get_config(self):
        return super().get_config() | {"units": self.units}


@keras.saving.register_keras_serializable("own_weights")
class Positions(kl.Layer):
    """Mixes positions, not channels, with a scalar beside."""

    def build(self, shape):
        self.kernel = self.add_weight((shape[1], shape[1]), name="kernel")
        self.strength = self.add_weight((), name="strength")

    def call(self, x):
        return x + ops.exp(self.strength) * ops.einsum("btc,ts->bsc", x, self.kernel)


@keras.saving.register_keras_serializable("own_weights")
class Gated(kl.Layer):
    """A layer of Keras inside, which reads what a weight has scaled."""

    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), name="scale")
        self.gate = kl.Dense(1, activation="sigmoid")
        self.gate.build(shape)

    def call(self, x):
        return x * self.gate(x * self.scale)


@keras.saving.register_keras_serializable("own_weights")
class ByWidth(kl.Layer):
    """What it computes depends on how many channels there are."""

    def build(self, shape):
        self.scale = self.add_weight((shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale / x.shape[-1]


@keras.saving.register_keras_serializable("own_weights")
class FixedWidth(kl.Layer):
    """It is made for a number of channels."""

    def __init__(self, width, **options):
        super().__init__(**options)
        self.width = width
        self.scale = self.add_weight((width,), name="scale")

    def call(self, x):
        return x * self.scale

    def get_config(self):
        return super().get_config() | {"width": self.width}


@keras.saving.register_keras_serializable("own_weights")
class Places(kl.Layer):
    """A vector for each place, looked up by numbers that are always the same."""

    def __init__(self, count, width, **options):
        super().__init__(**options)
        self.sizes = {"count": count, "width": width}
        self.table = kl.Embedding(count, width, name="table")

    def build(self, shape):
        self.table.build()

    def call(self, x):
        return x + self.table(ops.expand_dims(ops.arange(self.sizes["count"]), 0))

    def get_config(self):
        return super().get_config() | self.sizes


@keras.saving.register_keras_serializable("own_weights")
class ScaledBranch(kl.Layer):
    """A model inside, and a weight beside it."""

    def __init__(self, width, hidden, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "hidden": hidden}
        inside = [kl.Dense(hidden, activation="tanh", name="hidden"), kl.Dense(width, name="back")]
        self.branch = keras.Sequential(inside, name="branch")

    def build(self, shape):
        self.branch.build(shape)
        self.scale = self.add_weight((shape[-1],), name="scale")

    def call(self, x):
        return x + self.branch(x) * self.scale

    def get_config(self):
        return super().get_config() | self.sizes


@keras.saving.register_keras_serializable("own_weights")
class Instead(kl.Layer):
    """A vector for each place, as wide as the input and in its place."""

    def build(self, shape):
        self.table = self.add_weight((9, shape[-1]), name="table")

    def call(self, x):
        return ops.broadcast_to(self.table[: x.shape[1], :], ops.shape(x))


@keras.saving.register_keras_serializable("own_weights")
class LeftOut(kl.Layer):
    """Without weights: examples are left out at random, in training alone."""

    def call(self, x, training=None):
        if not training:
            return x
        return x * keras.random.uniform((ops.shape(x)[0], 1, 1))


@keras.saving.register_keras_serializable("own_weights")
class Attends(kl.Layer):
    """Scores by a kernel of one column."""

    def build(self, shape):
        self.column = self.add_weight((shape[-1], 1), name="column")

    def call(self, x):
        weights = ops.softmax(ops.matmul(x, self.column), axis=1)
        return x + ops.matmul(ops.transpose(weights, (0, 2, 1)), x)


@keras.saving.register_keras_serializable("own_weights")
class Orthogonal(keras.regularizers.Regularizer):
    """It knows how many channels there are."""

    def __call__(self, x):
        return ops.sum(ops.reshape(x, (-1, 2, 3)))

    def get_config(self):
        return {}


def sequence(*blocks: kl.Layer) -> keras.Model:
    x = i = keras.Input((5, 4))
    x = kl.Dense(6, name="a")(x)
    for block in blocks:
        x = block(x)
    return keras.Model(i, kl.Dense(3)(ops.mean(kl.Dense(7, name="b")(x), axis=1)))


@network({"a": 8, "b": 6})
def scaled_and_shifted():
    return behind(ScaleAndShift(name="scale"))


@network({"a": 6, "b": 7})
def tokens_and_places():
    return sequence(Tokens(name="tokens"), Positions(name="positions"))


@network({"a": 6, "mix": 5, "b": 7})
def mixed():
    return sequence(Mix(5, name="mix"))


@network({"a": 8, "b": 6})
def gated_inside():
    return behind(Gated(name="gated"))


@network({"b": 6}, barriers=["width"])
def divided_by_width():
    return behind(ByWidth(name="width"))


@network({"a": 8, "b": 6})
def of_fixed_width():
    return behind(FixedWidth(8, name="fixed"))


@network({"a": 8, "b": 6})
def scaled_twice():
    """One layer, called twice."""
    scale = ScaleAndShift(name="scale")
    return behind(lambda x: scale(kl.ReLU()(scale(x))))


@network({"a": 6, "b": 7})
def places_looked_up():
    return sequence(Places(5, 6, name="places"))


@network({"a": 6, "branch/hidden": 9, "b": 7})
def scaled_branch():
    return sequence(ScaledBranch(6, 9, name="branch"))


@network({"a": 6, "b": 7})
def as_wide_as_the_input():
    return sequence(lambda x: x + Instead(name="instead")(x))


@network({"a": 6, "b": 7})
def behind_a_product_with_a_constant():
    """Keras takes the product to be sparse, where no layer hides it."""
    factors = np.linspace(-1, 1, 6, dtype="float32")
    return sequence(kl.Lambda(lambda x: x * factors), Gated(name="gated"))


@network({"a": 6, "b": 7})
def left_out_in_training():
    return sequence(LeftOut(name="left_out"))


@network({"a": 6, "attends": 1, "b": 7})
def scored_by_one_column():
    return sequence(Attends(name="attends"))


@network({"a": 6, "b": 7})
def regularized_by_size():
    return sequence(kl.Dense(6, activity_regularizer=Orthogonal(), name="sized"))


@network({"a": 6, "one": 1, "c": 4, "b": 7})
def one_channel_between():
    """It cannot leave."""
    return sequence(kl.Dense(1, name="one"), kl.Dense(4, name="c"))
