"""What no rule can vouch for, alone and inside networks."""

import keras
from keras import layers as kl
from keras import ops

from tests.networks.base import NETWORKS, Network, behind, conv, head, image, network


@keras.saving.register_keras_serializable("tests")
class Unknown(kl.Layer):
    """A layer no rule knows, with a weight that it reads as no symbolic tensor can be read."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale.value


@keras.saving.register_keras_serializable("tests")
class OtherConv(kl.Conv2D):
    """Overrides call."""

    def call(self, x):
        return super().call(x) / (1 + ops.mean(ops.abs(x), axis=-1, keepdims=True))


@keras.saving.register_keras_serializable("tests")
class StandardisedConv(kl.Conv2D):
    """Overrides what call runs: its kernel depends on all of its slices."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel - ops.mean(kernel, axis=(0, 1, 2)))


@keras.saving.register_keras_serializable("tests")
class NamedConv(kl.Conv2D):
    """A subclass that only describes itself is what its parent is."""

    def __init__(self, filters, note="", **options):
        super().__init__(filters, **options)
        self.note = note

    def get_config(self):
        return super().get_config() | {"note": self.note}


@keras.saving.register_keras_serializable("tests")
class Relu(keras.Operation):
    """An op that only shares the name of one of Keras'."""

    def __init__(self, name=None):
        super().__init__(name=name)

    def call(self, x):
        return ops.softmax(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


@keras.saving.register_keras_serializable("tests")
def untraceable(x):
    """A function that no symbolic tensor can go through."""
    if isinstance(x, keras.KerasTensor):
        raise TypeError("numbers are needed")
    return x / (1 + x * x)


@network({"b": 6})
def softmax_inside():
    i = image()
    x = conv(6, "b")(conv(8, "a", activation="softmax")(i))
    return keras.Model(i, head(x))


for _name, _barrier in {
    "layer_normalization": lambda: kl.LayerNormalization(name="x"),
    "softmax_layer": lambda: kl.Softmax(name="x"),
    "softmax_activation": lambda: kl.Activation("softmax", name="x"),
    "unknown_layer": lambda: Unknown(name="x"),
    "unknown_op": lambda: Relu(name="x"),
    "overridden_call": lambda: OtherConv(7, 1, name="x"),
    "overridden_convolution": lambda: StandardisedConv(7, 1, name="x"),
    "lambda_layer": lambda: kl.Lambda(untraceable, name="x"),
    "rescaling_per_channel": lambda: kl.Rescaling(1.0, [0.1 * c for c in range(8)], name="x"),
    "fixed_noise": lambda: kl.Dropout(0.5, noise_shape=(None, 1, 1, 8), name="x"),
}.items():
    NETWORKS[_name] = Network(lambda make=_barrier: behind(make()), {"b": 6}, ["x"])

NETWORKS["lambda_of_ops"] = Network(
    lambda: behind(kl.Lambda(lambda x: x / (1 + x * x))), {"a": 8, "b": 6}
)
NETWORKS["rescaling"] = Network(lambda: behind(kl.Rescaling(0.5, 0.1)), {"a": 8, "b": 6})
NETWORKS["described_subclass"] = Network(
    lambda: behind(NamedConv(7, kernel_size=1, name="x", note="why")), {"a": 8, "x": 7, "b": 6}
)


@network({"a": 8, "c": 5}, barriers=["lora"])
def low_rank_adapter():
    i = keras.Input((4,))
    adapted = kl.Dense(6, name="lora")
    x = kl.Dense(5, name="c")(adapted(kl.Dense(7, name="b")(kl.Dense(8, name="a")(i))))
    model = keras.Model(i, kl.Dense(3)(x))
    adapted.enable_lora(2)
    return model
